import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { MemoryAnswers } from "../../../../test/support/memory-answers.ts";
import { createSharingScene, noDeadline } from "../../../../test/support/sharing-scene.ts";
import { createVirtualClock, type VirtualClock } from "../../../../test/support/virtual-clock.ts";
import { AnswerMemory } from "../../../streaming/answer-memory.ts";
import { KeyClaims } from "./claims.ts";
import { KeyedRequests } from "./keyed.ts";

interface World {
  readonly clock: VirtualClock;
  readonly keyed: KeyedRequests;
}

const makeNothing = async (): Promise<void> => {};

/** Where the caller of a request with the key has left, and its call's tail is still being read. */
async function createWorld(): Promise<World> {
  const clock = createVirtualClock();
  const telemetry = { backgroundFailed() {}, warn() {} };
  let last = 0;
  const ids = { next: (prefix: string) => `${prefix}_${++last}` };
  const claims = new KeyClaims({
    clock,
    ids,
    telemetry,
    answers: new MemoryAnswers(clock),
    answerMemory: new AnswerMemory(1_000_000),
  });
  const keyed = new KeyedRequests({ clock, claims });
  const abandoned = createSharingScene("req_1", {});
  void keyed.serve(abandoned, "key", () => new Promise<void>(() => {}));
  await nextTurn();
  abandoned.share.leading?.close();
  return { clock, keyed };
}

describe("a request that meets one with its key which nobody can join any more", () => {
  test("waits for its end no longer than its own deadline", async () => {
    const { clock, keyed } = await createWorld();
    const deadline = { ...noDeadline, totalDueMs: 95, askedMs: 100, header: "x-headgate-deadline-ms" as const };
    const waiting = assert.rejects(keyed.serve(createSharingScene("req_2", {}, deadline), "key", makeNothing), {
      code: "deadline_exceeded",
    });
    clock.advance(95);
    await waiting;
  });

  test("waits no longer than its caller", async () => {
    const { keyed } = await createWorld();
    const scene = createSharingScene("req_2", {});
    const waiting = keyed.serve(scene, "key", () => assert.fail("it is made"));
    scene.exchange.cancelCause = "caller-gone";
    scene.exchange.paused?.cancel();
    await waiting;
  });

  test("is told after half a minute that it still runs", async () => {
    const { clock, keyed } = await createWorld();
    const waiting = assert.rejects(keyed.serve(createSharingScene("req_2", {}), "key", makeNothing), {
      code: "idempotency_running",
    });
    clock.advance(30_000);
    await waiting;
  });
});
