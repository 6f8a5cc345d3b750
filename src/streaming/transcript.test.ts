import assert from "node:assert/strict";
import { test } from "node:test";
import { AnswerMemory } from "./answer-memory.ts";
import { Transcript } from "./transcript.ts";

function begun(memory: AnswerMemory): Transcript {
  const transcript = new Transcript(1_000_000, memory);
  transcript.record({ type: "start", id: "c1", model: "m", createdMs: null });
  transcript.record({ type: "item-start", index: 0, item: { kind: "message" } });
  return transcript;
}

function say(transcript: Transcript, chars: number): void {
  transcript.record({ type: "text-delta", index: 0, text: "x".repeat(chars) });
}

test("a transcript that finds no memory is given up, and gives back what it had", () => {
  const memory = new AnswerMemory(50_000);
  memory.grow(0, 60_000);
  const transcript = begun(memory);
  say(transcript, 30_000);
  assert.equal(transcript.isContinuable, false, "it is one of two, and the other has most of the memory");
  memory.giveBack(60_000, 60_000);
  assert.equal(memory.bytes, 0);
});

test("a copy counts what it records itself, and both give that back when they are closed", () => {
  const memory = new AnswerMemory(1_000_000);
  const transcript = begun(memory);
  say(transcript, 30_000);
  const counted = memory.bytes;
  assert.ok(counted > 0);
  const copy = transcript.copy();
  assert.equal(memory.bytes, counted);
  say(copy, 30_000);
  assert.equal(memory.bytes, 2 * counted);
  assert.equal(copy.plainText?.length, 60_000);
  for (const each of [transcript, copy, transcript]) each.close();
  assert.equal(memory.bytes, 0);
});
