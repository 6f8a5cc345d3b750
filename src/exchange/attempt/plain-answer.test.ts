import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "../../../test/support/virtual-clock.ts";
import { AnswerMemory } from "../../streaming/answer-memory.ts";
import type { AttemptCall } from "./call.ts";
import { PlainAnswer } from "./plain-answer.ts";

function answerTo(stream: boolean, status = 200): (text: string) => unknown {
  const deps = { clock: createVirtualClock(), admission: { answers: new AnswerMemory(1_000) } };
  const call = { stream, responseBytesMax: 100, outbound: {} } as AttemptCall;
  const plain = new PlainAnswer(deps, call, status, {});
  return (text) => plain.add(Buffer.from(text));
}

test("blanks before a whole answer, and between its parts, are nothing of it", () => {
  const add = answerTo(false);
  assert.deepEqual(["\n\n", " ", "\r\n\t"].map(add), ["nothing", "nothing", "nothing"]);
  assert.deepEqual([' {"a"', ":", "\n", "1}"].map(add), ["answer", "answer", "nothing", "answer"]);
});

test("a refusal is no answer, whatever comes of it", () => {
  const add = answerTo(false, 503);
  assert.deepEqual(["{", "}"].map(add), ["nothing", "nothing"]);
});

test("where a stream was asked for, what comes is something once it is known to be none", () => {
  const add = answerTo(true);
  assert.deepEqual(["\n", "d", "one"].map(add), ["nothing", "nothing", "answer"]);
  const stream = answerTo(true);
  assert.deepEqual(["\n", "da", "ta:"].map(stream), ["nothing", "nothing", "stream"]);
});
