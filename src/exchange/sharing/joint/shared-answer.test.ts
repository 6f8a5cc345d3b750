import assert from "node:assert/strict";
import { test } from "node:test";
import type { Responder } from "../../responder.ts";
import { AnswerMemory } from "../../../streaming/answer-memory.ts";
import { SharedAnswer } from "./shared-answer.ts";

/** A caller who has room for more after each write, or not. */
function caller(hasRoom: boolean): Responder {
  return { write: () => hasRoom, start: () => {}, unreadBytes: 0 } as unknown as Responder;
}

test("whoever joins with room lets an answer go on that waited for the others, and only then", () => {
  let wentOn = 0;
  const leader = { requestId: "req_1", goOn: () => void wentOn++, deserted: () => {} };
  const shared = new SharedAnswer(leader, caller(false), 1_000, new AnswerMemory(Infinity));
  shared.start(200, []);
  assert.equal(shared.write(Buffer.from("Hello")), false);
  shared.join({ responder: caller(false), begin: () => {}, cut: () => {} });
  assert.equal(wentOn, 0, "nobody has room");
  shared.join({ responder: caller(true), begin: () => {}, cut: () => {} });
  assert.equal(wentOn, 1);
  shared.join({ responder: caller(true), begin: () => {}, cut: () => {} });
  assert.equal(wentOn, 1, "it goes on already");
});
