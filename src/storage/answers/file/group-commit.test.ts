import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createVirtualClock, type VirtualClock } from "../../../../test/support/virtual-clock.ts";
import { openConnection } from "../../sqlite/connection.ts";
import { GroupCommit } from "./group-commit.ts";
import { createTransaction } from "./transaction.ts";

interface Bench extends Disposable {
  readonly commits: GroupCommit;
  readonly loop: DatabaseSync;
  /** Another writer. */
  readonly other: DatabaseSync;
  readonly clock: VirtualClock;
  /** Writings of each commit so far. */
  readonly sizes: number[];
  /** Queues a row; resolves with how many there are then. */
  put(number: number, bytes?: number): Promise<number>;
  /** As another connection sees them. */
  rows(): readonly number[];
}

function openBench(): Bench {
  const folder = mkdtempSync(join(tmpdir(), "headgate-commits-"));
  const options = { durability: "process", busyTimeoutMs: 0, checkpoints: false } as const;
  const loop = openConnection(join(folder, "file.db"), options);
  const other = openConnection(join(folder, "file.db"), options);
  loop.exec("CREATE TABLE numbers (number INTEGER PRIMARY KEY, filling BLOB) STRICT");
  const insert = loop.prepare("INSERT INTO numbers VALUES (?, zeroblob(?))");
  const count = loop.prepare("SELECT count(*) AS count FROM numbers");
  const clock = createVirtualClock();
  const sizes: number[] = [];
  const transaction = createTransaction(loop);
  const commits = new GroupCommit({ transaction, clock, onCommit: (writings) => sizes.push(writings) });
  return {
    commits,
    loop,
    other,
    clock,
    sizes,
    put: (number, bytes = 0) =>
      commits.write(() => {
        insert.run(number, bytes);
        return Number(count.get()?.["count"]);
      }, bytes),
    rows: () =>
      other
        .prepare("SELECT number FROM numbers ORDER BY number")
        .all()
        .map((row) => Number(row["number"])),
    [Symbol.dispose]() {
      loop.close();
      other.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const unavailable = { code: "storage_unavailable" };

function unavailableBecause(reason: RegExp): { readonly code: string; readonly message: RegExp } {
  return { ...unavailable, message: reason };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

describe("writings of kept answers", () => {
  test("that come in one turn share a commit, in their order, and each gets its own result", async () => {
    using bench = openBench();
    const counts = await Promise.all([bench.put(3), bench.put(1), bench.put(2)]);
    assert.deepEqual(counts, [1, 2, 3]);
    assert.deepEqual(bench.sizes, [3]);
    assert.deepEqual(bench.rows(), [1, 2, 3]);
  });

  test("wait a few turns while each brings more, but a lone one does not", async () => {
    using bench = openBench();
    const written: Promise<number>[] = [];
    for (let turn = 0; turn < 3; turn++) {
      written.push(bench.put(10 * turn), bench.put(10 * turn + 1), bench.put(10 * turn + 2));
      await nextTurn();
    }
    await Promise.all(written);
    assert.deepEqual(bench.sizes, [9]);
    await bench.put(100);
    assert.deepEqual(bench.sizes, [9, 1]);
  });

  test("fail alone when they are at fault, and the others are committed", async () => {
    using bench = openBench();
    await bench.put(2);
    const settled = await Promise.allSettled([bench.put(1), bench.put(2), bench.put(3)]);
    assert.deepEqual(
      settled.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    await assert.rejects(bench.put(2), unavailable);
    assert.deepEqual(bench.rows(), [1, 2, 3]);
    assert.equal(await bench.put(4), 4);
  });

  test("fail together when the disk is full, and later ones succeed when there is room again", async () => {
    using bench = openBench();
    const pages = Number(bench.loop.prepare("PRAGMA page_count").get()?.["page_count"]);
    bench.loop.exec(`PRAGMA max_page_count = ${pages + 1}`);
    const full = await Promise.allSettled([bench.put(1), bench.put(2, 100_000), bench.put(3)]);
    for (const one of full) assert.ok(one.status === "rejected" && /full/.test(String(one.reason)), String(one.status));
    assert.deepEqual(bench.rows(), []);
    bench.loop.exec("PRAGMA max_page_count = 100000");
    assert.equal(await bench.put(2, 100_000), 1);
  });

  test("wait for another process's lock without holding the event loop, and then are committed", async () => {
    using bench = openBench();
    bench.other.exec("BEGIN IMMEDIATE");
    const written = bench.put(1);
    await turns(3);
    bench.clock.advance(4000);
    await turns(3);
    assert.deepEqual(bench.sizes, []);
    bench.other.exec("COMMIT");
    bench.clock.advance(2);
    assert.equal(await written, 1);
  });

  test("are refused when another process keeps the lock for longer than five seconds", async () => {
    using bench = openBench();
    bench.other.exec("BEGIN IMMEDIATE");
    const settled = Promise.allSettled([bench.put(1), bench.put(2)]);
    await turns(3);
    bench.clock.advance(5010);
    for (const one of await settled) assert.ok(one.status === "rejected" && /locked/.test(String(one.reason)));
    assert.equal(bench.clock.pendingCount, 0);
    bench.other.exec("COMMIT");
    assert.equal(await bench.put(3), 1);
  });

  test("that are large are spread over several commits", async () => {
    using bench = openBench();
    await Promise.all([1, 2, 3, 4].map((number) => bench.put(number, 3_000_000)));
    assert.deepEqual(bench.sizes, [1, 1, 1, 1]);
    await Promise.all([5, 6, 7, 8].map((number) => bench.put(number, 1_500_000)));
    assert.deepEqual(bench.sizes.slice(4), [2, 2]);
  });

  test("wait while they are paused", async () => {
    using bench = openBench();
    bench.commits.pause();
    const written = bench.put(1);
    await turns(3);
    assert.deepEqual(bench.sizes, []);
    bench.commits.resume();
    assert.equal(await written, 1);
  });

  test("that are queued at the end are committed, even while paused, and later ones are refused", async () => {
    using bench = openBench();
    bench.commits.pause();
    const written = Promise.all([bench.put(1), bench.put(2)]);
    await bench.commits.flushAndClose();
    assert.deepEqual(await written, [1, 2]);
    await assert.rejects(bench.put(3), unavailableBecause(/closed/));
  });

  test("are refused at the end if another process has the lock", async () => {
    using bench = openBench();
    bench.other.exec("BEGIN IMMEDIATE");
    const refused = assert.rejects(bench.put(1), unavailableBecause(/closed/));
    await bench.commits.flushAndClose();
    await refused;
    bench.other.exec("ROLLBACK");
    assert.deepEqual(bench.rows(), []);
  });

  test("are refused while more wait than there is room for", async () => {
    using bench = openBench();
    bench.commits.pause();
    const settled = Promise.allSettled(Array.from({ length: 10_001 }, (_, number) => bench.put(number)));
    bench.commits.resume();
    const refused = (await settled).filter(({ status }) => status === "rejected");
    assert.equal(refused.length, 1);
    assert.equal(bench.rows().length, 10_000);
  });
});
