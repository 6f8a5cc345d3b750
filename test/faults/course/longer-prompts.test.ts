import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSecret } from "../../../src/config/secret.ts";
import { evidenceOf } from "../../support/evidence.ts";
import { startLocalServer } from "../../support/local-server.ts";
import { callers, speeches, type Caller } from "../speech.ts";
import { inOrder } from "./cases.ts";
import { openCourses, trailOf } from "./scene.ts";
import { promises } from "./promises.ts";

const tooLong = {
  error: {
    message: "This model's maximum context length is 8192 tokens.",
    type: "invalid_request_error",
    param: "messages",
    code: "context_length_exceeded",
  },
};
const answer = {
  id: "a",
  object: "chat.completion",
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "Yes" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 9000, completion_tokens: 1, total_tokens: 9001 },
};

async function askTooMuch(caller: Caller): Promise<void> {
  const asked: string[] = [];
  await using provider = await startLocalServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { model } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      asked.push(model);
      const fits = model === "gpt-4.1";
      response.writeHead(fits ? 200 : 400, { "content-type": "application/json" });
      response.end(JSON.stringify(fits ? answer : tooLong));
    });
  });
  await using courses = await openCourses({});
  const credentials = [{ name: "test", key: createSecret("sk-test", "test") }];
  courses.provide("windows", { baseUrl: `${provider.url}/v1`, credentials }, "openai");

  const larger = courses.route("larger", { targets: inOrder("windows/gpt-4", "windows/gpt-4.1") });
  const reply = await courses.ask({ caller, model: larger });
  const evidence = await evidenceOf(courses.test.gateway, String(reply.headers["x-request-id"]));
  assert.deepEqual([reply.status, asked], [200, ["gpt-4", "gpt-4.1"]]);
  const became = trailOf(evidence).map(({ code }) => code);
  assert.deepEqual(became, ["upstream_rejected", null]);
  assert.equal(evidence.row.cost_nano_usd, evidence.entries.at(-1)?.cost_nano_usd, "the refusal costs nothing");

  asked.length = 0;
  const smaller = courses.route("smaller", { targets: inOrder("windows/gpt-4", "windows/gpt-4-0613") });
  const refused = await courses.ask({ caller, model: smaller });
  assert.deepEqual(
    [refused.status, speeches[caller].errorOf(JSON.parse(refused.text))?.code],
    [400, "context_length_exceeded"],
  );
  assert.deepEqual(asked, ["gpt-4"]);
}

describe(promises.longPrompt, () => {
  for (const caller of callers) test(`asked in ${caller}`, () => askTooMuch(caller));
});
