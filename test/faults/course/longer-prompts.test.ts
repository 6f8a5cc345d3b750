import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { after, before, describe, test } from "node:test";
import { listedModel } from "../../../src/config/defaults.ts";
import { createSecret } from "../../../src/config/secret.ts";
import { evidenceOf } from "../../support/evidence.ts";
import { startLocalServer } from "../../support/local-server.ts";
import { beginStream, finishStream } from "../hand-written.ts";
import { callers, speeches, type Caller } from "../speech.ts";
import { upstreams, type Upstream } from "../table.ts";
import { inOrder } from "./cases.ts";
import { promises } from "./promises.ts";
import { openCourses, trailOf, type CourseAsk, type Courses } from "./scene.ts";

interface Provider {
  readonly kind: string;
  /** Two whose windows are known and equal. */
  readonly small: readonly [string, string];
  /** A larger one: the only one that the prompt fits. */
  readonly large: string;
  readonly tooLong: object;
  readonly answer: object;
}

/** Nobody knows its window. */
const UNKNOWN = "house-model";
/** The same, and the prompt fits. */
const UNKNOWN_LARGE = "house-large";
/** The configuration says their windows; the prompt fits the second one's. */
const declared = [
  listedModel("declared-small", { contextTokens: 8192 }),
  listedModel("declared-large", { contextTokens: 8193 }),
  listedModel("declared-same", { contextTokens: 8192 }),
];

const providers: Readonly<Record<Upstream, Provider>> = {
  "openai-chat": {
    kind: "openai",
    small: ["gpt-4", "gpt-4-0613"],
    large: "gpt-4.1",
    tooLong: {
      error: {
        message: "This model's maximum context length is 8192 tokens.",
        type: "invalid_request_error",
        param: "messages",
        code: "context_length_exceeded",
      },
    },
    answer: {
      id: "a",
      object: "chat.completion",
      model: "m",
      choices: [{ index: 0, message: { role: "assistant", content: "Yes" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 9000, completion_tokens: 1, total_tokens: 9001 },
    },
  },
  "anthropic-messages": {
    kind: "anthropic",
    small: ["claude-3-5-sonnet", "claude-3-5-haiku"],
    large: "claude-sonnet-4-6",
    tooLong: {
      type: "error",
      error: { type: "invalid_request_error", message: "prompt is too long: 250000 tokens > 200000 maximum" },
    },
    answer: {
      id: "a",
      type: "message",
      role: "assistant",
      model: "m",
      content: [{ type: "text", text: "Yes" }],
      stop_reason: "end_turn",
      usage: { input_tokens: 250_000, output_tokens: 1 },
    },
  },
};

let courses: Courses;
before(async () => {
  courses = await openCourses({});
});
after(() => courses[Symbol.asyncDispose]());

/** As a provider whose models all find the prompt too long, but the large ones. */
function reply(response: ServerResponse, upstream: Upstream, asked: { model: string; stream?: boolean }): void {
  const { large, tooLong, answer } = providers[upstream];
  const fits = [large, UNKNOWN_LARGE, "declared-large"].includes(asked.model);
  if (fits && asked.stream === true) {
    beginStream(response, upstream);
    finishStream(response, upstream, true);
    response.end();
    return;
  }
  response.writeHead(fits ? 200 : 400, { "content-type": "application/json" });
  response.end(JSON.stringify(fits ? answer : tooLong));
}

async function askTooMuch(caller: Caller, upstream: Upstream, stream: boolean): Promise<void> {
  const asked: string[] = [];
  await using server = await startLocalServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      asked.push(body.model);
      reply(response, upstream, body);
    });
  });
  const name = `windows-${caller}-${upstream}-${stream}`;
  const { kind, small, large } = providers[upstream];
  const credentials = [{ name: "test", key: createSecret("sk-test", "test") }];
  courses.provide(name, { baseUrl: `${server.url}/v1`, credentials, models: declared }, kind);
  const route = (first: string, second: string): CourseAsk => {
    const model = courses.route(`${name}-${first}-${second}`, {
      targets: inOrder(`${name}/${first}`, `${name}/${second}`),
    });
    return { caller, model, stream };
  };

  const answered = [
    [small[0], large],
    [UNKNOWN, large],
    [small[0], UNKNOWN_LARGE],
    ["declared-small", "declared-large"],
  ] as const;
  for (const [first, second] of answered) {
    asked.length = 0;
    const { status, headers } = await courses.ask(route(first, second));
    assert.deepEqual([status, asked], [200, [first, second]]);
    const evidence = await evidenceOf(courses.test.gateway, String(headers["x-request-id"]));
    const became = trailOf(evidence).map(({ code }) => code);
    assert.deepEqual(became, ["upstream_rejected", null]);
    const paid = evidence.entries.filter(({ cost_nano_usd }) => cost_nano_usd > 0n);
    const ownPrice = second === large ? [`${name}/${large}`] : [];
    const payees = paid.map(({ model_target }) => model_target);
    assert.deepEqual([evidence.entries.length, payees], [2, ownPrice], "the refusal costs nothing");
  }

  const refusals = [
    [small[0], small[1], [small[0]]],
    [small[0], UNKNOWN, [small[0], UNKNOWN]],
    ["declared-small", "declared-same", ["declared-small"]],
  ] as const;
  for (const [first, second, called] of refusals) {
    asked.length = 0;
    const refused = await courses.ask(route(first, second));
    const told = speeches[caller].errorOf(JSON.parse(refused.text))?.code;
    assert.deepEqual([refused.status, told, asked], [400, "context_length_exceeded", called]);
  }
}

describe(promises.longPrompt, () => {
  for (const caller of callers) {
    for (const upstream of upstreams) {
      for (const stream of [false, true]) {
        const answer = stream ? "a stream" : "a whole answer";
        test(`asked in ${caller} for ${answer} of ${upstream}`, () => askTooMuch(caller, upstream, stream));
      }
    }
  }
});
