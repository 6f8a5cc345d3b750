import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { sql } from "kysely";
import { createSystemClock, type Clock } from "../../src/kernel/clock.ts";
import { openStore } from "../../src/storage/storage.ts";
import { ids } from "../contract/engines.ts";
import { eventually } from "../support/eventually.ts";
import { turns, type Reply } from "../support/simulator-client.ts";
import { furtherFaults } from "./further.ts";
import { answered } from "./outcome.ts";
import { openScene, type Scene } from "./scene.ts";

/** Longer than the store waits for another writer. */
const TOO_LONG_MS = 60_000;

/** The provider's own time does not matter here. */
const unhurried = { timeouts: { firstTokenMs: 10_000, idleMs: 10_000 } };

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

/** Real time between two skips: so long an answer may take to its caller before what follows it is refused, too. */
const SKIP_EVERY_MS = 200;

/** Lets too much time pass for whoever began to wait, until the reply is there. */
async function skipUntil(clock: SkippingClock, reply: Promise<Reply>): Promise<Reply> {
  let answered: Reply | null = null;
  void reply.then((came) => (answered = came));
  let skippedAtMs = performance.now();
  return eventually("the answer", () => {
    if (performance.now() - skippedAtMs >= SKIP_EVERY_MS) {
      clock.skip(TOO_LONG_MS);
      skippedAtMs = performance.now();
    }
    return answered;
  });
}

/** Another process that writes, as far as the store can tell. */
function lockStore({ test: { dataDir } }: Scene): Disposable {
  const connection = new DatabaseSync(join(dataDir, "headgate.db"));
  connection.exec("BEGIN IMMEDIATE");
  return { [Symbol.dispose]: () => connection.close() };
}

async function waiting({ test: { gateway } }: Scene): Promise<void> {
  await eventually("the journal waits for the lock", () => gateway.store.queueLength() === 1);
}

function assertRefused(reply: Reply): void {
  const { error } = JSON.parse(reply.text);
  const seen = [reply.status, error.code, reply.headers["retry-after"]];
  assert.deepEqual(seen, [503, "storage_unavailable", "1"]);
}

describe("a store that is locked by another writer", () => {
  test("for a moment makes requests wait, and no provider is called before the hold is written", async () => {
    await using scene = await openScene(unhurried, {}, true);
    const lock = lockStore(scene);
    const reply = scene.ask({ stream: true });
    await waiting(scene);
    assert.equal(scene.test.simulator.stats().running, 0);
    assert.deepEqual(scene.test.simulator.invoice(), []);
    lock[Symbol.dispose]();
    await scene.assertOutcome(await reply, answered(), true);
  });

  test("for a moment makes a request wait whose allowances have nothing in hand, and nobody is called before", async () => {
    await using scene = await openScene(unhurried);
    const lock = lockStore(scene);
    const reply = scene.ask({ stream: true });
    await turns(200);
    assert.deepEqual([scene.test.simulator.stats().running, scene.test.gateway.store.queueLength()], [0, 0]);
    lock[Symbol.dispose]();
    await scene.assertOutcome(await reply, answered(), true);
  });

  test("for too long: the caller gets 503 and no provider was called; the record follows", async () => {
    const clock = createSkippingClock();
    await using scene = await openScene(unhurried, { clock }, true);
    const lock = lockStore(scene);
    const reply = scene.ask({});
    await waiting(scene);
    assertRefused(await skipUntil(clock, reply));
    lock[Symbol.dispose]();
    await scene.assertOutcome(await reply, furtherFaults["store refuses hold"].outcome, false);
    await scene.assertOutcome(await scene.ask({}), answered(), false);
  });

  test("when the answer is there: the caller waits, because it is complete only when it is recorded", async () => {
    await using scene = await openScene(unhurried);
    let ended = false;
    const reply = scene.ask({ stream: true, script: "ttft=50" });
    void reply.then(() => (ended = true));
    await scene.whenCalled();
    const lock = lockStore(scene);
    await waiting(scene);
    assert.equal(ended, false);
    lock[Symbol.dispose]();
    await scene.assertOutcome(await reply, answered(), true);
  });

  test("for too long when the answer is there: no terminal marker, and the charge is written when it can be", async () => {
    const clock = createSkippingClock();
    await using scene = await openScene(unhurried, { clock });
    const reply = scene.ask({ stream: true, script: "ttft=50" });
    await scene.whenCalled();
    const lock = lockStore(scene);
    await waiting(scene);
    const { text, complete } = await skipUntil(clock, reply);
    lock[Symbol.dispose]();
    assert.equal(complete, true);
    assert.match(text, /"code":"storage_unavailable","request_id":"req_\w+"\}\}\n\n$/);
    assert.doesNotMatch(text, /\[DONE\]/);
    await scene.test.gateway.stop();
    const { dataDir } = scene.test;
    await using successor = await openStore({ dataDir, durability: "process", clock, ids });
    const { ending, code, status, attempts, caller, charged } = furtherFaults["store refuses record"].outcome;
    assert.deepEqual(caller, { kind: "broken stream", code: "storage_unavailable" });
    const row = await successor.db.selectFrom("requests").selectAll().executeTakeFirstOrThrow();
    const seen = [row.ending, row.error_code, row.status, row.attempts, row.basis];
    assert.deepEqual(seen, [ending, code, status, attempts, charged]);
    assert.equal(row.cost_nano_usd, scene.test.simulator.stats().costNanoUsd, "what the provider's invoice says");
    assert.deepEqual(await successor.db.selectFrom("holds").selectAll().execute(), []);
  });
});

describe("a store that cannot be written", () => {
  test("refuses requests at once with 503, calls nobody, and serves again when it can be", async () => {
    await using scene = await openScene(unhurried);
    const { db } = scene.test.gateway.store;
    await sql`alter table holds rename to holds_away`.execute(db);
    for (const stream of [false, true]) assertRefused(await scene.ask({ stream }));
    assert.deepEqual(scene.test.simulator.invoice(), []);
    await sql`alter table holds_away rename to holds`.execute(db);
    await scene.assertOutcome(await scene.ask({}), answered(), false);
  });
});
