import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { RequestView } from "../../../dialects/dialect.ts";
import { findDialect } from "../../../dialects/registry.ts";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import type { KeptAnswer } from "../../../storage/answers/answers.ts";
import { inFormOf } from "./form.ts";

const dialect = findDialect("anthropic-messages");

function viewOf(stream: boolean): RequestView {
  const body = JSON.stringify({ model: "m", max_tokens: 9, stream, messages: [{ role: "user", content: "?" }] });
  return dialect.inbound!.view(parseJsonDocument(Buffer.from(body), { depth: 16 }));
}

function fixture(name: string): string {
  const path = `../../../dialects/anthropic-messages/fixtures/${name}.sse`;
  return readFileSync(new URL(path, import.meta.url), "utf8");
}

function given(kind: "whole" | "stream", body: string): string | null {
  const kept = { kind, body: Buffer.from(body), atMs: 0 } as unknown as KeptAnswer;
  const answer = inFormOf(viewOf(kind === "whole"), dialect, kept);
  return answer === null ? null : Buffer.from(answer.body).toString("utf8");
}

describe("an answer of the Messages API", () => {
  for (const name of ["text", "thinking-tool", "opaque-thinking", "cache-usage"]) {
    test(`is given whole where it was kept as a stream, and back: ${name}`, () => {
      const whole = given("stream", fixture(name));
      assert.ok(whole !== null);
      const message = JSON.parse(whole);
      assert.deepEqual([message.type, message.role, typeof message.stop_reason], ["message", "assistant", "string"]);
      const stream = given("whole", whole);
      assert.ok(stream !== null);
      assert.deepEqual(JSON.parse(given("stream", stream) ?? ""), message);
    });
  }

  test("is not given in another form where that would leave out what the provider found", () => {
    const citations = [{ type: "web_search_result_location", url: "https://example.com/", cited_text: "x" }];
    const content = [{ type: "text", text: "Found.", citations }];
    const message = { id: "msg_1", type: "message", role: "assistant", model: "m", stop_reason: "end_turn" };
    const usage = { input_tokens: 1, output_tokens: 2 };
    assert.ok(given("whole", JSON.stringify({ ...message, content: [{ type: "text", text: "Found." }], usage })));
    assert.equal(given("whole", JSON.stringify({ ...message, content, usage })), null);
  });
});
