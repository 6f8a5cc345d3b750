import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FinishReason } from "../canonical.ts";
import { encodeStop, readFinish, type Told } from "./stop-reason.ts";

const plain: Told = { hasCalls: false, refusal: "" };

function reasonOf(reason: FinishReason, native = "theirs", told: Told = plain): unknown {
  return (encodeStop({ reason, native, stopSequence: null }, told) as Record<string, unknown>)["stop_reason"];
}

const words: readonly (readonly [FinishReason, string])[] = [
  ["stop", "end_turn"],
  ["length", "max_tokens"],
  ["stop-sequence", "stop_sequence"],
  ["tool-calls", "tool_use"],
  ["pause", "pause_turn"],
  ["refusal", "refusal"],
  ["context-length", "model_context_window_exceeded"],
];

describe("stop reasons", () => {
  for (const [reason, word] of words) {
    test(`${word} and ${reason} are each other's, both ways`, () => {
      assert.equal(reasonOf(reason), word);
      assert.equal(readFinish({ stop_reason: word, stop_sequence: null })?.reason, reason);
    });
  }

  test("an answer that was filtered reads as refused", () => {
    assert.equal(reasonOf("content-filter"), "refusal");
  });

  test("a word that is nobody's goes through as it is, both ways", () => {
    assert.equal(reasonOf("other", "eclipse"), "eclipse");
    assert.equal(readFinish({ stop_reason: "eclipse" })?.reason, "other");
  });

  test("an answer with tool calls stops for them even where its provider says only that it stopped", () => {
    assert.equal(reasonOf("stop", "stop", { hasCalls: true, refusal: "" }), "tool_use");
    assert.equal(reasonOf("length", "length", { hasCalls: true, refusal: "" }), "max_tokens");
  });

  test("a refusal in words stops for it, and the words are its explanation", () => {
    assert.deepEqual(
      encodeStop({ reason: "stop", native: "stop", stopSequence: null }, { hasCalls: false, refusal: "I won't." }),
      {
        stop_reason: "refusal",
        stop_sequence: null,
        stop_details: { type: "refusal", category: null, explanation: "I won't." },
      },
    );
  });

  test("the sequence that matched is told", () => {
    const finish = { reason: "stop-sequence", native: "stop_sequence", stopSequence: "END" } as const;
    assert.deepEqual(encodeStop(finish, plain), {
      stop_reason: "stop_sequence",
      stop_sequence: "END",
      stop_details: null,
    });
  });
});
