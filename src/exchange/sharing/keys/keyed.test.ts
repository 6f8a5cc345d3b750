import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { HeadgateError } from "../../../kernel/errors.ts";
import { zeroUsd } from "../../../kernel/money.ts";
import { MemoryAnswers } from "../../../../test/support/memory-answers.ts";
import { createSharingScene, noDeadline } from "../../../../test/support/sharing-scene.ts";
import { createVirtualClock, type VirtualClock } from "../../../../test/support/virtual-clock.ts";
import { AnswerMemory } from "../../../streaming/answer-memory.ts";
import type { CallerDeadline } from "../../deadline.ts";
import { fingerprintOf, hashOfKey } from "../identity.ts";
import type { AnswerSource } from "../joint/shared-answer.ts";
import { KeyClaims } from "./claims.ts";
import { KeyedRequests } from "./keyed.ts";

interface World {
  readonly clock: VirtualClock;
  readonly keyed: KeyedRequests;
}

const makeNothing = async (): Promise<void> => {};

const path = "/v1/chat/completions";
const source: AnswerSource = {
  requestId: "req_1",
  atMs: 0,
  headers: [],
  modelServed: null,
  provider: null,
  costNanoUsd: zeroUsd,
};

function dueAt(totalDueMs: number): CallerDeadline {
  return { ...noDeadline, totalDueMs, askedMs: totalDueMs, header: "x-headgate-deadline-ms" };
}

function openKeyed(clock: VirtualClock): { readonly keyed: KeyedRequests; readonly answers: MemoryAnswers } {
  const telemetry = { backgroundFailed() {}, warn() {} };
  let last = 0;
  const ids = { next: (prefix: string) => `${prefix}_${++last}` };
  const answers = new MemoryAnswers(clock);
  const claims = new KeyClaims({ clock, ids, telemetry, answers, answerMemory: new AnswerMemory(1_000_000) });
  return { keyed: new KeyedRequests({ clock, claims }), answers };
}

/** Where the caller of a request with the key has left, and its call's tail is still being read. */
async function createWorld(): Promise<World> {
  const clock = createVirtualClock();
  const { keyed } = openKeyed(clock);
  const abandoned = createSharingScene("req_1", {});
  void keyed.serve(abandoned, "key", () => new Promise<void>(() => {}));
  await nextTurn();
  abandoned.share.leading?.close();
  return { clock, keyed };
}

describe("a request that meets one with its key which nobody can join any more", () => {
  test("waits for its end no longer than its own deadline", async () => {
    const { clock, keyed } = await createWorld();
    const waiting = assert.rejects(keyed.serve(createSharingScene("req_2", {}, dueAt(95)), "key", makeNothing), {
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

test("a request waits half a minute in all, behind another here and for another process", async () => {
  const clock = createVirtualClock();
  const { keyed, answers } = openKeyed(clock);
  const [first, second] = [createSharingScene("req_1", {}, dueAt(20_000)), createSharingScene("req_2", {})];
  const elsewhere = { claimId: "elsewhere", tenantId: "ten_1", fingerprint: fingerprintOf("POST", path, first.body) };
  await answers.claim({ ...elsewhere, keyHash: hashOfKey("ten_1", "key"), leaseMs: 600_000 });
  const over = keyed.serve(first, "key", makeNothing).catch((failure: HeadgateError) => {
    keyed.forget(first.share);
    first.share.leading?.finish({ how: "failed", source, failure, isOwn: true });
    return clock.monotonicMs();
  });
  const refused = assert.rejects(keyed.serve(second, "key", makeNothing), { code: "idempotency_running" });
  const refusedAtMs = refused.then(() => clock.monotonicMs());
  for (let second = 0; second < 40; second++) {
    await nextTurn();
    clock.advance(1_000);
  }
  assert.deepEqual([await over, await refusedAtMs], [20_000, 30_000]);
});
