import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalAnswers } from "../../test/support/canonical-answers.ts";
import { fc } from "../../test/support/properties.ts";
import { foldAnswer, unfoldAnswer } from "./answer-forms.ts";
import type { CanonicalResponse, Item } from "./canonical.ts";

test("what a stream tells of an answer folds to that answer", () => {
  fc.assert(
    fc.property(canonicalAnswers, (answer) => {
      assert.deepEqual(foldAnswer(unfoldAnswer(answer)), answer);
    }),
  );
});

test("a refusal and a reasoning's state come through, too", () => {
  const items: Item[] = [
    { type: "reasoning", text: "Hm", opaque: [{ origin: "anthropic-messages", kind: "signature", value: "x" }] },
    { type: "message", role: "assistant", name: null, parts: [{ type: "refusal", text: "No." }] },
    {
      type: "message",
      role: "assistant",
      name: null,
      parts: [
        { type: "text", text: "Well" },
        { type: "refusal", text: "no" },
      ],
    },
  ];
  const finish = { reason: "refusal", native: "refusal", stopSequence: null } as const;
  const answer: CanonicalResponse = { id: "a", model: "m", createdMs: null, items, finish, usage: null };
  assert.deepEqual(foldAnswer(unfoldAnswer(answer)), answer);
});

test("a stream that did not begin, or did not say why it stopped, is no answer", () => {
  const finish = { reason: "stop", native: "stop", stopSequence: null } as const;
  assert.equal(foldAnswer([]), null);
  assert.equal(foldAnswer([{ type: "finish", finish }]), null);
  assert.equal(foldAnswer([{ type: "start", id: "a", model: "m", createdMs: null }]), null);
});

test("items that interleave are told apart", () => {
  const folded = foldAnswer([
    { type: "start", id: "a", model: "m", createdMs: null },
    { type: "item-start", index: 0, item: { kind: "tool-call", callId: "1", name: "f" } },
    { type: "item-start", index: 1, item: { kind: "tool-call", callId: "2", name: "g" } },
    { type: "arguments-delta", index: 1, text: "{}" },
    { type: "arguments-delta", index: 0, text: "[" },
    { type: "item-end", index: 1 },
    { type: "arguments-delta", index: 0, text: "]" },
    { type: "finish", finish: { reason: "tool-calls", native: "tool_calls", stopSequence: null } },
  ]);
  const told = folded?.items.map((item) => (item.type === "tool-call" ? [item.name, item.arguments] : item));
  assert.deepEqual(told, [
    ["f", "[]"],
    ["g", "{}"],
  ]);
});
