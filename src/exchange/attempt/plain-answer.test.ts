import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "../../../test/support/virtual-clock.ts";
import { AnswerMemory } from "../../streaming/answer-memory.ts";
import type { AttemptCall } from "./call.ts";
import { PlainAnswer } from "./plain-answer.ts";

function openAnswer(stream: boolean, status = 200): { plain: PlainAnswer; add: (text: string) => unknown } {
  const deps = { clock: createVirtualClock(), admission: { answers: new AnswerMemory(1_000) } };
  const call = { stream, responseBytesMax: 100, outbound: {} } as AttemptCall;
  const plain = new PlainAnswer(deps, call, status, {});
  return { plain, add: (text) => plain.add(Buffer.from(text)) };
}

test("blanks before a whole answer, and between its parts, are nothing of it", () => {
  const { add } = openAnswer(false);
  assert.deepEqual(["\n\n", " ", "\r\n\t"].map(add), ["nothing", "nothing", "nothing"]);
  assert.deepEqual([' {"a"', ":", "\n", "1"].map(add), ["answer", "answer", "nothing", "answer"]);
});

test("what ends an object may be the end of a whole answer, and is if nothing was open before", () => {
  const { plain, add } = openAnswer(false);
  const closed = ['{"a": {"b": "}', '"}', " }\n", "\n"].map((text) => [add(text), plain.isClosed]);
  assert.deepEqual(closed, [
    ["closing", false],
    ["closing", false],
    ["closing", true],
    ["nothing", true],
  ]);
  const refusal = openAnswer(false, 400);
  refusal.add("{}");
  assert.equal(refusal.plain.isClosed, false);
});

test("a refusal is no answer, whatever comes of it", () => {
  const { add } = openAnswer(false, 503);
  assert.deepEqual(["{", "}"].map(add), ["nothing", "nothing"]);
});

test("where a stream was asked for, what comes is something once it is known to be none", () => {
  const { add } = openAnswer(true);
  assert.deepEqual(["\n", "d", "one"].map(add), ["nothing", "nothing", "answer"]);
  const stream = openAnswer(true).add;
  assert.deepEqual(["\n", "da", "ta:"].map(stream), ["nothing", "nothing", "stream"]);
});
