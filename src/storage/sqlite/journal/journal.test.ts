import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Kysely } from "kysely";
import type { Clock } from "../../../kernel/clock.ts";
import { toNanoUsd } from "../../../kernel/money.ts";
import { emptyUsage } from "../../../kernel/usage.ts";
import type { Hold } from "../../records.ts";
import type { Database } from "../../schema.ts";
import { createBatchWriter } from "./batch-writer.ts";
import { createClosingSums } from "./closing-sums.ts";
import { openConnection } from "../connection.ts";
import { createSqliteDialect } from "../dialect.ts";
import { SqliteJournal } from "./journal.ts";
import { prepareJournalStatements } from "./statements.ts";
import { migrate } from "../migrations.ts";

interface Bench extends Disposable {
  readonly journal: SqliteJournal;
  /** The journal's own connection. */
  readonly loop: DatabaseSync;
  /** Another writer. */
  readonly other: DatabaseSync;
  /** Operations of each commit so far. */
  readonly commits: number[];
  readonly clock: ManualClock;
  /** Tells the journal that the process has waited as long as it may. */
  end(): void;
}

interface ManualClock extends Clock {
  /** Moves time on and fires the timers that are set, due or not. */
  fire(ms: number): void;
}

function createManualClock(): ManualClock {
  let nowMs = 0;
  let timers: (() => void)[] = [];
  return {
    wallMs: () => nowMs,
    monotonicMs: () => nowMs,
    setTimer(fire) {
      timers.push(fire);
      return { cancel: () => {} };
    },
    fire(ms) {
      nowMs += ms;
      const due = timers;
      timers = [];
      for (const fire of due) fire();
    },
  };
}

function openBench(): Bench {
  const folder = mkdtempSync(join(tmpdir(), "headgate-journal-"));
  const file = join(folder, "store.db");
  const loop = openConnection(file, { durability: "process", busyTimeoutMs: 0, checkpoints: false });
  migrate(loop, file);
  const other = openConnection(file, { durability: "process", busyTimeoutMs: 0, checkpoints: false });
  const db = new Kysely<Database>({
    dialect: createSqliteDialect(other, { onWrite: () => {}, onOutOfRange: () => {} }),
  });
  const commits: number[] = [];
  const clock = createManualClock();
  let isOver = false;
  const sums = createClosingSums(loop, db, () => clock.wallMs());
  const journal = new SqliteJournal({
    writer: createBatchWriter(loop, prepareJournalStatements(loop, db, "ins_1", sums)),
    clock,
    queueLengthMax: 1000,
    busyMaxMs: 5000,
    isOver: () => isOver,
    lateClosingsMax: 2,
    onCommit: (operations) => commits.push(operations),
    onLateClosing: () => {},
  });
  return {
    journal,
    loop,
    other,
    commits,
    clock,
    end: () => void (isOver = true),
    [Symbol.dispose]() {
      loop.close();
      other.close();
      rmSync(folder, { recursive: true });
    },
  };
}

function hold(attemptId: string, modelAsked = "fast"): Hold {
  return {
    attemptId,
    requestId: "req_1",
    startedAtMs: 1,
    payer: { tenantId: "ten_1", projectId: "prj_1", keyId: "key_1" },
    endUser: null,
    operation: "chat",
    provider: "openai",
    credential: "main",
    modelAsked,
    modelTarget: "gpt-5-mini",
    priceVersion: null,
    heldUsage: emptyUsage(),
    heldCostNanoUsd: toNanoUsd(1n),
    heldAmounts: [],
  };
}

function heldCount(bench: Bench): unknown {
  return bench.other.prepare("SELECT count(*) AS n FROM holds").get()?.["n"];
}

test("what is queued in one turn is committed together; nothing is acknowledged before the commit", async () => {
  using bench = openBench();
  const acknowledged: unknown[] = [];
  for (const id of ["a", "b", "c"]) void bench.journal.open(hold(id)).then(() => acknowledged.push(heldCount(bench)));
  await Promise.resolve();
  assert.deepEqual([acknowledged, bench.journal.queueLength], [[], 3]);
  for (let turn = 0; turn < 3; turn++) await nextTurn();
  assert.deepEqual(acknowledged, [3, 3, 3]);
  assert.deepEqual(bench.commits, [3]);
});

test("while several wait and each turn brings more, a few turns share one commit", async () => {
  using bench = openBench();
  const opened: Promise<void>[] = [];
  const open = (count: number): void => {
    for (let index = 0; index < count; index++) opened.push(bench.journal.open(hold(`att_${opened.length}`)));
  };
  for (const count of [3, 1, 1]) {
    open(count);
    await nextTurn();
  }
  assert.deepEqual([bench.journal.queueLength, bench.commits], [5, []]);
  await Promise.all(opened);
  assert.deepEqual(bench.commits, [5]);
});

test("however much keeps coming, what waits is committed after a few turns", async () => {
  using bench = openBench();
  const opened = Array.from({ length: 3 }, (_, index) => bench.journal.open(hold(`first_${index}`)));
  let turns = 0;
  while (bench.commits.length === 0 && turns < 20) {
    await nextTurn();
    opened.push(bench.journal.open(hold(`later_${turns++}`)));
  }
  assert.ok(turns <= 6, `${turns} turns`);
  await Promise.all(opened);
});

test("one or two operations are committed in their own turn", async () => {
  using bench = openBench();
  const opened = [bench.journal.open(hold("a")), bench.journal.open(hold("b"))];
  await nextTurn();
  assert.deepEqual(bench.commits, [2]);
  await Promise.all(opened);
});

test("a long queue is written in several commits, with turns of the event loop between them", async () => {
  using bench = openBench();
  await Promise.all(Array.from({ length: 600 }, (_, index) => bench.journal.open(hold(`att_${index}`))));
  assert.deepEqual(bench.commits, [256, 256, 88]);
});

test("a locked store delays the commit without blocking; it is made when the other writer is done", async () => {
  using bench = openBench();
  bench.other.exec("BEGIN IMMEDIATE");
  const opened = bench.journal.open(hold("a"));
  await nextTurn();
  bench.clock.fire(2);
  bench.clock.fire(2);
  assert.equal(bench.journal.queueLength, 1);
  bench.other.exec("COMMIT");
  bench.clock.fire(2);
  await opened;
  assert.equal(heldCount(bench), 1);
});

test("a store that stays locked refuses what waits, and takes new work afterwards", async () => {
  using bench = openBench();
  bench.other.exec("BEGIN IMMEDIATE");
  const refused = assert.rejects(bench.journal.open(hold("a")), { code: "storage_unavailable", retryAfterMs: 1000 });
  await nextTurn();
  bench.clock.fire(5000);
  await refused;
  bench.other.exec("COMMIT");
  await bench.journal.open(hold("b"));
  assert.equal(heldCount(bench), 1);
});

test("a store that is locked when the end of the process is over refuses what waits at once", async () => {
  using bench = openBench();
  bench.other.exec("BEGIN IMMEDIATE");
  const refused = assert.rejects(bench.journal.open(hold("a")), { code: "storage_unavailable" });
  await nextTurn();
  bench.end();
  bench.clock.fire(2);
  await refused;
  const last = assert.rejects(bench.journal.open(hold("b")), { code: "storage_unavailable" });
  await bench.journal.flushAndClose();
  await last;
  assert.deepEqual(bench.commits, []);
});

test("a full disk refuses the whole batch and commits none of it; with room again the journal goes on", async () => {
  using bench = openBench();
  const pages = Number(bench.loop.prepare("PRAGMA page_count").get()?.["page_count"]);
  bench.loop.exec(`PRAGMA max_page_count = ${pages}`);
  const outcomes = await Promise.allSettled([
    bench.journal.open(hold("small")),
    bench.journal.open(hold("large", "m".repeat(100_000))),
  ]);
  const codes = outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason.code : "committed"));
  assert.deepEqual(codes, ["storage_unavailable", "storage_unavailable"]);
  assert.equal(heldCount(bench), 0);
  bench.loop.exec("PRAGMA max_page_count = 1000000");
  await bench.journal.open(hold("large", "m".repeat(100_000)));
  assert.equal(heldCount(bench), 1);
});

test("a paused journal writes nothing until it is resumed", async () => {
  using bench = openBench();
  bench.journal.pause();
  const opened = bench.journal.open(hold("a"));
  await nextTurn();
  await nextTurn();
  assert.deepEqual([bench.journal.queueLength, bench.commits], [1, []]);
  bench.journal.resume();
  await opened;
  assert.deepEqual(bench.commits, [1]);
});

test("closing writes what is queued, though paused", async () => {
  using bench = openBench();
  bench.journal.pause();
  const opened = bench.journal.open(hold("a"));
  await bench.journal.flushAndClose();
  await opened;
  assert.equal(heldCount(bench), 1);
});
