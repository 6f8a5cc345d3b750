import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { HeadgateError } from "../../../kernel/errors.ts";
import { toNanoUsd } from "../../../kernel/money.ts";
import type { KeptAnswer } from "../../../storage/answers/answers.ts";
import { AnswerMemory } from "../../../streaming/answer-memory.ts";
import { MemoryAnswers } from "../../../../test/support/memory-answers.ts";
import { createVirtualClock, type VirtualClock } from "../../../../test/support/virtual-clock.ts";
import type { Pause } from "../../course/pause.ts";
import type { Exchange } from "../../exchange.ts";
import { type Claimed, KeyClaims } from "./claims.ts";
import type { OwnClaim } from "./unwritten-answers.ts";

const request = { keyHash: "key", tenantId: "ten_1", fingerprint: "f" };
const noDeadline = {
  totalDueMs: Infinity,
  firstOutputDueMs: Infinity,
  askedMs: null,
  header: null,
  giveUpMs: Infinity,
};

interface World {
  readonly clock: VirtualClock;
  readonly answers: MemoryAnswers;
  readonly told: string[];
  open(): KeyClaims;
  /** Moves time on in steps, letting what is due be done. */
  advance(ms: number): Promise<void>;
}

function createWorld(): World {
  const clock = createVirtualClock();
  const answers = new MemoryAnswers(clock);
  const told: string[] = [];
  let count = 0;
  const telemetry = {
    backgroundFailed: (what: string) => void told.push(what),
    warn: (what: string) => void told.push(what),
  };
  const ids = { next: (prefix: string) => `${prefix}_${++count}` };
  return {
    clock,
    answers,
    told,
    open: () => new KeyClaims({ clock, ids, answers, telemetry, answerMemory: new AnswerMemory(1_000) }),
    async advance(ms) {
      for (let left = ms; left > 0; left -= 50) {
        await nextTurn();
        clock.advance(50);
      }
      await nextTurn();
    },
  };
}

function anExchange(): Exchange & { cancelCause: string | null } {
  const exchange = { cancelCause: null, pause: (pause: Pause) => pause.over };
  return exchange as unknown as Exchange & { cancelCause: string | null };
}

function claimOf(claimed: Claimed | null): OwnClaim {
  assert.ok(claimed !== null && "claim" in claimed);
  return claimed.claim;
}

const answer: KeptAnswer = {
  requestId: "req_1",
  kind: "whole",
  atMs: 0,
  headers: [],
  body: Buffer.from("{}"),
  modelServed: null,
  provider: null,
  costNanoUsd: toNanoUsd(1n),
};

describe("KeyClaims", () => {
  test("waits no longer than the request's own deadline, between two looks at the store", async () => {
    const world = createWorld();
    const [one, two] = [world.open(), world.open()];
    claimOf(await one.take(anExchange(), request, noDeadline));
    const waiting = two.take(anExchange(), request, { ...noDeadline, firstOutputDueMs: 2_300 });
    const refused = assert.rejects(waiting, { code: "deadline_exceeded" }).then(() => world.clock.monotonicMs());
    await world.advance(5_000);
    assert.equal(await refused, 2_300);
    one.stop();
  });

  test("waits while another process makes the request, and gets its answer", async () => {
    const world = createWorld();
    const [one, two] = [world.open(), world.open()];
    const claim = claimOf(await one.take(anExchange(), request, noDeadline));
    const waiting = two.take(anExchange(), request, noDeadline);
    await world.advance(20_000);
    await one.keep(claim, answer, 60_000);
    await world.advance(2_000);
    assert.deepEqual(await waiting, { answer });
  });

  test("takes a key over that another process gives up", async () => {
    const world = createWorld();
    const [one, two] = [world.open(), world.open()];
    const claim = claimOf(await one.take(anExchange(), request, noDeadline));
    const waiting = two.take(anExchange(), request, noDeadline);
    await world.advance(1_000);
    await one.release(claim);
    await world.advance(2_000);
    claimOf(await waiting);
  });

  test("renews a claim for as long as the request takes, and no longer", async () => {
    const world = createWorld();
    const [one, two] = [world.open(), world.open()];
    const claim = claimOf(await one.take(anExchange(), request, noDeadline));
    await world.advance(120_000);
    const other = { ...request, claimId: "other", leaseMs: 0 };
    assert.equal((await world.answers.claim(other)).state, "running");
    await one.keep(claim, answer, 1_000);
    await world.advance(20_000);
    assert.equal(world.clock.pendingCount, 0);
    claimOf(await two.take(anExchange(), request, noDeadline));
  });

  test("loses its claims to others some seconds after it stopped renewing them", async () => {
    const world = createWorld();
    const [dead, next] = [world.open(), world.open()];
    const claim = claimOf(await dead.take(anExchange(), request, noDeadline));
    dead.stop();
    const waiting = next.take(anExchange(), request, noDeadline);
    await world.advance(27_000);
    claimOf(await waiting);
    await dead.keep(claim, answer, 60_000);
    assert.match(world.told.join(), /claim had ended/);
  });

  test("tells who has waited for long to come again, and who has a deadline that it has passed", async () => {
    const world = createWorld();
    const [one, two] = [world.open(), world.open()];
    await one.take(anExchange(), request, noDeadline);
    const waiting = two
      .take(anExchange(), request, { ...noDeadline, giveUpMs: 30_000 })
      .catch((thrown: unknown) => thrown);
    const deadline = { ...noDeadline, totalDueMs: 5_000 };
    const hurrying = two.take(anExchange(), request, deadline).catch((thrown: unknown) => thrown);
    await world.advance(32_000);
    const codes = (await Promise.all([waiting, hurrying])).map((thrown) => (thrown as HeadgateError).code);
    assert.deepEqual(codes, ["idempotency_running", "deadline_exceeded"]);
  });

  test("waits for nobody whose caller has left", async () => {
    const world = createWorld();
    const [one, two] = [world.open(), world.open()];
    await one.take(anExchange(), request, noDeadline);
    const exchange = anExchange();
    const waiting = two.take(exchange, request, noDeadline);
    await world.advance(1_000);
    exchange.cancelCause = "caller-gone";
    await world.advance(2_000);
    assert.equal(await waiting, null);
  });

  test("refuses another request with the same key at once, running or answered", async () => {
    const world = createWorld();
    const claims = world.open();
    const claim = claimOf(await claims.take(anExchange(), request, noDeadline));
    const other = { ...request, fingerprint: "g" };
    await assert.rejects(claims.take(anExchange(), other, noDeadline), { code: "idempotency_mismatch" });
    await claims.keep(claim, null, 60_000);
    await assert.rejects(claims.take(anExchange(), other, noDeadline), { code: "idempotency_mismatch" });
    await assert.rejects(claims.take(anExchange(), request, noDeadline), { code: "idempotency_answer_lost" });
  });
});

describe("KeyClaims whose store is away when an answer is complete", () => {
  const away = new HeadgateError("storage_unavailable", "Away.");

  test("gives it again from memory, and to all once the store is back", async () => {
    const world = createWorld();
    const [one, two] = [world.open(), world.open()];
    const claim = claimOf(await one.take(anExchange(), request, noDeadline));
    world.answers.failure = away;
    await one.keep(claim, answer, 60_000);
    assert.deepEqual(world.told, ["keeping the answer of an Idempotency-Key"]);
    assert.deepEqual(await one.take(anExchange(), request, noDeadline), { answer });
    const other = { ...request, fingerprint: "g" };
    await assert.rejects(one.take(anExchange(), other, noDeadline), { code: "idempotency_mismatch" });
    await assert.rejects(two.take(anExchange(), request, noDeadline), { code: "storage_unavailable" });
    world.answers.failure = null;
    await world.advance(2_000);
    assert.deepEqual(await two.take(anExchange(), request, noDeadline), { answer });
    await world.advance(5_000);
    assert.equal(world.clock.pendingCount, 0);
  });

  test("keeps the key from others for ten seconds without the store", async () => {
    const world = createWorld();
    const [one, two] = [world.open(), world.open()];
    const claim = claimOf(await one.take(anExchange(), request, noDeadline));
    await world.advance(9_900);
    world.answers.failure = away;
    await one.keep(claim, answer, 60_000);
    await world.advance(10_000);
    world.answers.failure = null;
    const waiting = two.take(anExchange(), request, noDeadline);
    await world.advance(3_000);
    assert.deepEqual(await waiting, { answer });
    assert.deepEqual(world.told, ["keeping the answer of an Idempotency-Key", "renewing claims of Idempotency-Keys"]);
  });

  test("keeps the key from others as long where the store is silent, and takes five seconds to fail", async () => {
    const world = createWorld();
    const { clock, answers } = world;
    const [one, two] = [world.open(), world.open()];
    const claim = claimOf(await one.take(anExchange(), request, noDeadline));
    await world.advance(9_900);
    const { keep, renew } = answers;
    const silence = (): Promise<never> =>
      new Promise((_, reject) => {
        clock.setTimer(() => reject(away), 5_000);
      });
    Object.assign(answers, { keep: silence, renew: silence });
    const kept = one.keep(claim, answer, 60_000);
    await world.advance(1_000);
    await kept;
    await world.advance(9_000);
    Object.assign(answers, { keep, renew });
    const waiting = two.take(anExchange(), request, noDeadline);
    await world.advance(10_000);
    assert.deepEqual(await waiting, { answer });
  });

  test("keeps the key of a request that goes on from others for as long", async () => {
    const world = createWorld();
    const [one, two] = [world.open(), world.open()];
    const claim = claimOf(await one.take(anExchange(), request, noDeadline));
    await world.advance(9_900);
    world.answers.failure = away;
    await world.advance(10_000);
    world.answers.failure = null;
    const waiting = two.take(anExchange(), request, noDeadline);
    await world.advance(10_000);
    await one.keep(claim, answer, 60_000);
    await world.advance(3_000);
    assert.deepEqual(await waiting, { answer });
  });

  test("keeps it even after its lease, as long as nobody else has the key", async () => {
    const world = createWorld();
    const [one, two] = [world.open(), world.open()];
    const claim = claimOf(await one.take(anExchange(), request, noDeadline));
    world.answers.failure = away;
    await one.keep(claim, answer, 3_600_000);
    await world.advance(60_000);
    world.answers.failure = null;
    await world.answers.sweep();
    assert.equal(world.answers.keys.size, 0);
    await world.advance(2_000);
    assert.deepEqual(await two.take(anExchange(), request, noDeadline), { answer });
  });

  test("leaves the key to who claimed it after the lease", async () => {
    const world = createWorld();
    const [one, two] = [world.open(), world.open()];
    const claim = claimOf(await one.take(anExchange(), request, noDeadline));
    world.answers.failure = away;
    await one.keep(claim, answer, 3_600_000);
    await world.advance(30_000);
    world.answers.failure = null;
    const theirs = claimOf(await two.take(anExchange(), request, noDeadline));
    await world.advance(2_000);
    assert.match(world.told.join(), /claim had ended/);
    const made = { ...answer, requestId: "req_2" };
    await two.keep(theirs, made, 60_000);
    assert.deepEqual(await one.take(anExchange(), request, noDeadline), { answer: made });
  });

  test("writes it when the process ends", async () => {
    const world = createWorld();
    const [one, two] = [world.open(), world.open()];
    const claim = claimOf(await one.take(anExchange(), request, noDeadline));
    world.answers.failure = away;
    await one.keep(claim, answer, 60_000);
    world.answers.failure = null;
    await one[Symbol.asyncDispose]();
    assert.deepEqual(await two.take(anExchange(), request, noDeadline), { answer });
    assert.equal(world.clock.pendingCount, 0);
  });
});
