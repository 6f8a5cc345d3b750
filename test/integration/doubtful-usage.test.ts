/** A provider whose usage has counts that are none. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultProvider } from "../../src/config/defaults.ts";
import { createSecret } from "../../src/config/secret.ts";
import { captureLog } from "../support/evidence.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startLocalServer } from "../support/local-server.ts";
import { send } from "../support/simulator-client.ts";

const TEXT = "words and more words";
const credentials = [{ name: "only", key: createSecret("sk-test", "test") }];

function events(...chunks: readonly object[]): string {
  return `${chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("")}data: [DONE]\n\n`;
}

const chat = { id: "c", created: 1, model: "gpt-5" };
const wrong = { prompt_tokens: -7, completion_tokens: 2.5, total_tokens: -4.5 };
const choice = { index: 0, finish_reason: "stop" };

const answers = {
  whole: JSON.stringify({
    ...chat,
    object: "chat.completion",
    choices: [{ ...choice, message: { role: "assistant", content: TEXT } }],
    usage: wrong,
  }),
  stream: events(
    { ...chat, object: "chat.completion.chunk", choices: [{ ...choice, delta: { content: TEXT } }] },
    { ...chat, object: "chat.completion.chunk", choices: [], usage: wrong },
  ),
} as const;

describe("usage with negative and fractional counts", () => {
  for (const [form, answer] of Object.entries(answers)) {
    test(`is replaced by the gateway's own count, flagged and warned of: ${form}`, async () => {
      const log = captureLog();
      const stream = form === "stream";
      await using upstream = await startLocalServer((request, response) => {
        const type = stream ? "text/event-stream" : "application/json";
        request.resume().on("end", () => void response.setHeader("content-type", type).end(answer));
      });
      const openai = defaultProvider("openai", { baseUrl: `${upstream.url}/v1`, credentials });
      await using place = await startTestGateway({
        config: { providers: { openai } },
        overrides: { logger: log.logger },
      });
      const reply = await send(`${place.url}/v1/chat/completions`, {
        headers: { authorization: `Bearer ${place.key}`, "content-type": "application/json" },
        body: { model: "openai/gpt-5", messages: [{ role: "user", content: "?" }], stream },
      });
      assert.equal(reply.status, 200);
      const entry = await place.gateway.store.db.selectFrom("ledger_entries").selectAll().executeTakeFirstOrThrow();
      assert.deepEqual([entry.basis, entry.estimated], ["metered", 1]);
      assert.ok(entry.input_tokens > 0);
      assert.equal(entry.output_tokens, TEXT.length / 4);
      assert.ok(entry.cost_nano_usd > 0n);
      assert.equal(log.text().split("usage with a count that is none").length, 2);
      assert.match(log.text(), /"target":"openai\/gpt-5"/);
    });
  }
});
