import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sql } from "kysely";
import { createSystemClock, type Clock } from "../../src/kernel/clock.ts";
import { openStore, type Store } from "../../src/storage/storage.ts";
import { ids } from "../contract/engines.ts";
import { ledgerOf, spentOf } from "../support/allowances.ts";
import { eventually } from "../support/eventually.ts";
import { captureLog } from "../support/evidence.ts";
import { turns } from "../support/simulator-client.ts";
import { assertCases, booksOf, type Asked } from "./books.ts";
import type { Case } from "./lines/line.ts";
import { storageLines } from "./lines/storage.ts";
import { answered } from "./outcome.ts";
import { assertRepeated, openScene, type Scene } from "./scene.ts";
import { testLines, together } from "./test-lines.ts";

/** Longer than the store waits for another writer. */
const TOO_LONG_MS = 60_000;
/** Real time between two skips: so long an answer may take to its caller before what follows it is refused, too. */
const SKIP_EVERY_MS = 200;

/** Longer than requests take to come to their holds on a loaded machine; the clock skips it. */
const DEADLINE_MS = 600_000;

const GRACE_MS = 700;
/** What a stop may take beyond its grace period: the five seconds of the store, and something for a busy machine. */
const CLOSING_MS = 5000 + 3500;

interface SkippingClock extends Clock {
  skip(ms: number): void;
}

/** The system's clock, which can be told that time has passed. Timers keep to real time. */
function createSkippingClock(): SkippingClock {
  const system = createSystemClock();
  let skippedMs = 0;
  return {
    wallMs: () => system.wallMs() + skippedMs,
    monotonicMs: () => system.monotonicMs() + skippedMs,
    setTimer: (fire, delayMs) => system.setTimer(fire, delayMs),
    skip: (ms) => void (skippedMs += ms),
  };
}

/** Lets too much time pass for whoever began to wait, until all replies are there. */
async function skipUntil(clock: SkippingClock, asked: readonly Asked[]): Promise<void> {
  let waiting = asked.length;
  for (const { reply } of asked) void reply.then(() => waiting--);
  let skippedAtMs = performance.now();
  await eventually("the answers", () => {
    if (performance.now() - skippedAtMs >= SKIP_EVERY_MS) {
      clock.skip(TOO_LONG_MS);
      skippedAtMs = performance.now();
    }
    return waiting === 0;
  });
}

/** Another process that writes, as far as the store can tell. */
function lockStore({ test: { dataDir } }: Scene, file: "headgate.db" | "answers.db" = "headgate.db"): Disposable {
  const connection = new DatabaseSync(join(dataDir, file), { timeout: 10_000 });
  connection.exec("BEGIN IMMEDIATE");
  return { [Symbol.dispose]: () => connection.close() };
}

async function journalWaits({ test: { gateway } }: Scene, writings: number): Promise<void> {
  await eventually("the journal waits for the lock", () => gateway.store.queueLength() === writings);
}

async function assertServing(scene: Scene, all: readonly Case[]): Promise<void> {
  for (const one of all) await scene.check(scene.ask(one), { ...one, outcome: answered() });
  await scene.assertBooks();
}

testLines(storageLines, {
  /** The hold waits for the lock, or what is in hand of the allowances: nobody is called before. */
  "locked before the call": together(async (all) => {
    const strikeOnce = async (unlimited: boolean): Promise<readonly PromiseSettledResult<unknown>[]> => {
      await using scene = await openScene({}, {}, unlimited);
      const lock = lockStore(scene);
      const asked = all.map((one) => scene.ask(one));
      if (unlimited) await journalWaits(scene, all.length);
      else await turns(50);
      const { running, complete } = scene.test.simulator.stats();
      assert.deepEqual([running, complete], [0, 0]);
      lock[Symbol.dispose]();
      const verdicts = await scene.checkAll(asked, all);
      await scene.assertBooks();
      return verdicts;
    };
    const failure = (await strikeOnce(true)).find(({ status }) => status === "rejected");
    return failure === undefined ? strikeOnce(false) : all.map(() => failure);
  }),

  /** It is complete only when it is recorded. */
  "locked at the end": together(async (all) => {
    await using scene = await openScene();
    const asked = all.map((one) => scene.ask({ ...one, script: "ttft=1200" }));
    let ended = 0;
    for (const { reply } of asked) void reply.then(() => ended++);
    await scene.whenCalled(all.length);
    const lock = lockStore(scene);
    await journalWaits(scene, all.length);
    assert.equal(ended, 0);
    lock[Symbol.dispose]();
    const verdicts = await scene.checkAll(asked, all);
    await scene.assertBooks();
    return verdicts;
  }),

  /** The hold is written then, and settled as that of a call that was not made. */
  "locked past the deadline": together(async (all) => {
    const clock = createSkippingClock();
    await using scene = await openScene({}, { clock }, true);
    const lock = lockStore(scene);
    const headers = { "x-headgate-deadline-ms": String(DEADLINE_MS) };
    const asked = all.map((one) => scene.ask({ ...one, headers }));
    await journalWaits(scene, all.length);
    clock.skip(DEADLINE_MS);
    lock[Symbol.dispose]();
    const verdicts = await scene.checkAll(asked, all);
    await scene.assertBooks();
    return verdicts;
  }),

  "locked for long before the call": together(async (all) => {
    const clock = createSkippingClock();
    await using scene = await openScene({}, { clock }, true);
    const lock = lockStore(scene);
    const asked = all.map((one) => scene.ask(one));
    await journalWaits(scene, all.length);
    await skipUntil(clock, asked);
    lock[Symbol.dispose]();
    const verdicts = await scene.checkAll(asked, all);
    await assertServing(scene, all);
    return verdicts;
  }),

  "fails before the call": together(async (all) => {
    await using scene = await openScene();
    const { db } = scene.test.gateway.store;
    const tables = ["holds", "requests"];
    for (const table of tables) await sql.raw(`alter table ${table} rename to ${table}_away`).execute(db);
    const asked = all.map((one) => scene.ask(one));
    await Promise.all(asked.map(({ reply }) => reply));
    for (const table of tables) await sql.raw(`alter table ${table}_away rename to ${table}`).execute(db);
    const verdicts = await scene.checkAll(asked, all);
    await assertServing(scene, all);
    return verdicts;
  }),

  /** What could not be written in time is written at the latest when the gateway stops. */
  "locked for long at the end": together(async (all) => {
    const clock = createSkippingClock();
    await using scene = await openScene({}, { clock });
    const asked = all.map((one) => scene.ask({ ...one, script: "ttft=1200" }));
    await scene.whenCalled(all.length);
    const lock = lockStore(scene);
    await journalWaits(scene, all.length);
    await skipUntil(clock, asked);
    lock[Symbol.dispose]();
    await scene.test.gateway.stop();
    const { dataDir, simulator } = scene.test;
    await using successor = await openStore({ dataDir, durability: "process", clock, ids });
    const verdicts = await assertCases(booksOf(successor, simulator), asked, all);
    assert.deepEqual(await successor.db.selectFrom("holds").selectAll().execute(), []);
    return verdicts;
  }),

  "kept answers locked at the end": together(async (all) => {
    await using scene = await openScene();
    const keyed = all.map((one, at) => ({ ...one, script: "ttft=1200", headers: { "idempotency-key": `key-${at}` } }));
    const asked = keyed.map((ask) => scene.ask(ask));
    await scene.whenCalled(all.length);
    const lock = lockStore(scene, "answers.db");
    await Promise.all(asked.map(({ reply }) => reply));
    await assertRepeated(scene, asked, keyed);
    lock[Symbol.dispose]();
    await eventually("nothing is held any more", () => scene.test.gateway.standing().heldBytes === 0);
    await assertRepeated(scene, asked, keyed);
    const verdicts = await scene.checkAll(asked, all);
    await scene.assertBooks();
    return verdicts;
  }),

  /** Within one bound; and the log says how many records are given up. */
  "locked at the stop": together(async (all) => {
    const { logger, text } = captureLog();
    await using scene = await openScene({}, { logger });
    const { gateway, dataDir, simulator } = scene.test;
    const asked = all.map((one) => scene.ask({ ...one, script: "ttft=1200,tokens=1000,rate=100" }));
    await scene.whenCalled(all.length);
    {
      using _lock = lockStore(scene);
      const startedMs = performance.now();
      await gateway.stop(GRACE_MS);
      const tookMs = performance.now() - startedMs;
      assert.ok(tookMs < GRACE_MS + CLOSING_MS, `it took ${tookMs} ms`);
    }
    assert.equal(text().match(/a record is given up; what it held will be charged/g)?.length, all.length);
    await using store = await openStore({ dataDir, durability: "process", clock: createSystemClock(), ids });
    const verdicts = await assertCases(booksOf(store, simulator), asked, all);
    const { money, tokens } = await spentOf({ store });
    assert.deepEqual({ money, tokens }, await ledgerOf({ store }));
    assert.deepEqual(await unexplained(store), []);
    return verdicts;
  }),
});

/** What is left of the accounts' books beside what is spent. */
async function unexplained({ db }: Store): Promise<readonly unknown[]> {
  const holds = await db.selectFrom("holds").select("attempt_id").execute();
  const grants = await db.selectFrom("allowance_grants").select("account_id").execute();
  const accounts = await db
    .selectFrom("allowance_accounts")
    .select("account_id")
    .where((row) => row.or([row("granted_amount", "<>", 0n), row("suspense_amount", "<>", 0n)]))
    .execute();
  return [...holds, ...grants, ...accounts];
}
