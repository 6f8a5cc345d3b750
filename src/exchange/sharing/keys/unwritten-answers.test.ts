import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { toNanoUsd } from "../../../kernel/money.ts";
import type { KeptAnswer } from "../../../storage/answers/answers.ts";
import { AnswerMemory } from "../../../streaming/answer-memory.ts";
import { createVirtualClock, type VirtualClock } from "../../../../test/support/virtual-clock.ts";
import { type OwnClaim, UnwrittenAnswers, type UnwrittenAnswersDeps } from "./unwritten-answers.ts";

const RETENTION_MS = 60_000;

function claimOf(keyHash: string): OwnClaim {
  return { keyHash, claimId: `claim of ${keyHash}`, tenantId: "ten_1", fingerprint: "f" };
}

function answerOf(bytes: number): KeptAnswer {
  const body = Buffer.alloc(bytes);
  const source = { requestId: "req_1", atMs: 0, headers: [], modelServed: null, provider: null };
  return { ...source, kind: "whole", body, costNanoUsd: toNanoUsd(1n) };
}

interface World {
  readonly clock: VirtualClock;
  readonly memory: AnswerMemory;
  readonly unwritten: UnwrittenAnswers;
  readonly told: string[];
  /** By the hash of the key, in the order in which it was tried, and with what. */
  readonly tried: string[];
  readonly triedWith: (KeptAnswer | null)[];
  /** Claims that are over. */
  readonly over: string[];
  /** Seconds, each with all that becomes due in it. */
  pass(seconds: number): Promise<void>;
}

const away = (): Promise<boolean> => Promise.reject(new Error("Away."));
const taken = (): Promise<boolean> => Promise.resolve(true);

/** `write`: what becomes of the writings of a key, each time. */
function createWorld(write: (keyHash: string) => Promise<boolean>, heldBytes = 1_000_000): World {
  const clock = createVirtualClock();
  const memory = new AnswerMemory(heldBytes);
  const told: string[] = [];
  const tried: string[] = [];
  const over: string[] = [];
  const triedWith: (KeptAnswer | null)[] = [];
  const deps: UnwrittenAnswersDeps = {
    clock,
    answerMemory: memory,
    telemetry: { backgroundFailed: (what) => void told.push(what), warn: (what) => void told.push(what) },
    write({ keyHash }, answer) {
      tried.push(keyHash);
      triedWith.push(answer);
      return write(keyHash);
    },
    over: ({ claimId }) => void over.push(claimId),
  };
  const unwritten = new UnwrittenAnswers(deps);
  return {
    clock,
    memory,
    unwritten,
    told,
    tried,
    triedWith,
    over,
    async pass(seconds) {
      for (let second = 0; second < seconds; second++) {
        clock.advance(1_000);
        await nextTurn();
      }
    },
  };
}

describe("answers on their way to the store", () => {
  test("are over once they are written, and take nothing", async () => {
    const { unwritten, over, memory, clock } = createWorld(taken);
    await unwritten.keep(claimOf("a"), answerOf(100), RETENTION_MS);
    assert.deepEqual([unwritten.find("a"), over, memory.bytes], [null, ["claim of a"], 0]);
    assert.equal(clock.pendingCount, 0);
  });

  test("are given from memory after a second, while the store goes on writing", async () => {
    const writing = Promise.withResolvers<boolean>();
    const { unwritten, over, tried, pass } = createWorld(() => writing.promise);
    const answer = answerOf(100);
    const kept = unwritten.keep(claimOf("a"), answer, RETENTION_MS);
    assert.equal(unwritten.find("a"), null);
    await pass(1);
    await kept;
    assert.deepEqual(unwritten.find("a"), { state: "answered", fingerprint: "f", answer });
    await pass(3);
    assert.deepEqual([tried, over], [["a"], []]);
    writing.resolve(true);
    await nextTurn();
    assert.deepEqual([unwritten.find("a"), over], [null, ["claim of a"]]);
  });

  test("are tried one a second while the store is away, and all as soon as it is back", async () => {
    let isAway = true;
    const { unwritten, tried, told, pass, over, clock } = createWorld(() => (isAway ? away() : taken()));
    for (const key of ["a", "b", "c"]) await unwritten.keep(claimOf(key), answerOf(1), RETENTION_MS);
    await pass(4);
    assert.deepEqual(tried, ["a", "b", "c", "a", "b", "c", "a"]);
    isAway = false;
    await pass(1);
    assert.deepEqual(tried.slice(7), ["b", "c", "a"]);
    assert.equal(over.length, 3);
    assert.deepEqual(told, Array(3).fill("keeping the answer of an Idempotency-Key"));
    assert.equal(clock.pendingCount, 0);
  });

  test("are written although another one cannot be", async () => {
    let isAway = true;
    const { unwritten, pass } = createWorld((key) => (isAway || key === "a" ? away() : taken()));
    for (const key of ["a", "b", "c"]) await unwritten.keep(claimOf(key), answerOf(1), RETENTION_MS);
    isAway = false;
    await pass(2);
    const states = ["a", "b", "c"].map((key) => unwritten.find(key)?.state);
    assert.deepEqual(states, ["answered", undefined, undefined]);
  });

  test("count in the memory of answers to the byte, however small, until they are over", async () => {
    let isAway = true;
    const { unwritten, memory, pass } = createWorld(() => (isAway ? away() : taken()));
    await unwritten.keep(claimOf("a"), answerOf(100), RETENTION_MS);
    await unwritten.keep(claimOf("b"), answerOf(20_000), RETENTION_MS);
    await unwritten.keep(claimOf("c"), null, RETENTION_MS);
    assert.equal(memory.bytes, 20_100);
    isAway = false;
    await pass(1);
    assert.equal(memory.bytes, 0);
  });

  test("for which there is no room are known to be answered, here and in the store", async () => {
    let isAway = true;
    const { unwritten, memory, told, triedWith, pass } = createWorld(() => (isAway ? away() : taken()), 150);
    const first = answerOf(100);
    await unwritten.keep(claimOf("a"), first, RETENTION_MS);
    await unwritten.keep(claimOf("b"), answerOf(100), RETENTION_MS);
    assert.deepEqual(unwritten.find("a"), { state: "answered", fingerprint: "f", answer: first });
    assert.deepEqual(unwritten.find("b"), { state: "answered", fingerprint: "f", answer: null });
    assert.match(told.at(-1) ?? "", /limits\.heldBytes/);
    isAway = false;
    await pass(1);
    assert.deepEqual(triedWith.slice(2), [first, null]);
    assert.equal(memory.bytes, 0);
  });

  test("are not held beyond ten thousand, and the log says so", async () => {
    const { unwritten, told, over } = createWorld(away);
    for (let key = 0; key <= 10_000; key++) await unwritten.keep(claimOf(String(key)), null, RETENTION_MS);
    assert.deepEqual(over, ["claim of 10000"]);
    assert.match(told.at(-1) ?? "", /not kept/);
    assert.equal(unwritten.find("9999")?.state, "answered");
  });

  test("are dropped when their retention is over", async () => {
    const { unwritten, memory, over, pass, clock } = createWorld(away);
    await unwritten.keep(claimOf("a"), answerOf(100), 2_500);
    await pass(2);
    assert.equal(unwritten.find("a")?.state, "answered");
    await pass(1);
    assert.equal(unwritten.find("a"), null);
    assert.deepEqual([over, memory.bytes, clock.pendingCount], [["claim of a"], 0, 0]);
  });

  test("are all tried once more when the process ends; how many are given up is told", async () => {
    let isAway = true;
    const world = createWorld((key) => (isAway || key === "a" ? away() : taken()));
    const { unwritten, told, tried, memory, clock } = world;
    for (const key of ["a", "b", "c"]) await unwritten.keep(claimOf(key), answerOf(1), RETENTION_MS);
    isAway = false;
    await unwritten[Symbol.asyncDispose]();
    assert.deepEqual(tried.slice(3), ["a", "b", "c"]);
    assert.match(told.at(-1) ?? "", /not kept/);
    assert.deepEqual([memory.bytes, clock.pendingCount], [0, 0]);
  });

  test("hold the end of the process up for a second at the most", async () => {
    const { unwritten, pass, over } = createWorld(() => new Promise(() => {}));
    const kept = unwritten.keep(claimOf("a"), answerOf(1), RETENTION_MS);
    await pass(1);
    await kept;
    const ended = unwritten[Symbol.asyncDispose]();
    await pass(1);
    await ended;
    assert.deepEqual(over, ["claim of a"]);
  });
});
