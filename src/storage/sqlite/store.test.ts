import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { createSystemClock } from "../../kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../kernel/ids.ts";
import { toNanoUsd } from "../../kernel/money.ts";
import { emptyUsage } from "../../kernel/usage.ts";
import type { Hold } from "../records.ts";
import { openDatabase, openStore } from "../storage.ts";
import { openConnection } from "./connection.ts";

const clock = createSystemClock();
const ids = createIdSource(systemRandomFill, () => clock.wallMs());

function createFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "headgate-store-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function permissions(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

test("the data directory and its files are readable by their owner only", async () => {
  using folder = createFolder();
  const dataDir = join(folder.path, "new", "data");
  await using store = await openStore({ dataDir, durability: "process", clock, ids });
  assert.equal(permissions(dataDir), "700");
  assert.equal(permissions(join(dataDir, "instances")), "700");
  for (const name of ["headgate.db", "headgate.db-wal", "headgate.db-shm", `instances/${store.instanceId}.lock`]) {
    assert.equal(permissions(join(dataDir, name)), "600", name);
  }
});

test("after an orderly end only the database file is left", async () => {
  using folder = createFolder();
  {
    await using store = await openStore({ dataDir: folder.path, durability: "process", clock, ids });
    await store.db.selectFrom("tenants").selectAll().execute();
  }
  assert.deepEqual(
    new Set<unknown>(readdirSync(folder.path, { recursive: true })),
    new Set(["headgate.db", "instances"]),
  );
});

test("a file that is no database, and a newer one, are refused with what to do", async () => {
  using folder = createFolder();
  const file = join(folder.path, "headgate.db");
  writeFileSync(file, "not a database, but long enough to have a header".repeat(10));
  const open = (): unknown => openDatabase({ dataDir: folder.path, durability: "process" });
  assert.throws(open, {
    code: "storage_unusable",
    message: /Cannot open the store .*headgate\.db: file is not a database/,
  });
  rmSync(file);
  {
    using newer = new DatabaseSync(file);
    newer.exec("PRAGMA user_version = 99");
  }
  assert.throws(open, { code: "storage_unusable", message: /newer program/ });
});

test("durability `power` syncs each commit, `process` leaves that to checkpoints", () => {
  using folder = createFolder();
  const synchronous = (durability: "process" | "power"): unknown => {
    using connection = openConnection(join(folder.path, "a.db"), { durability, busyTimeoutMs: 0, checkpoints: false });
    return connection.prepare("PRAGMA synchronous").get()?.["synchronous"];
  };
  assert.deepEqual([synchronous("process"), synchronous("power")], [1, 2]);
});

test("under sustained load the write-ahead log stays near its bound", async () => {
  using folder = createFolder();
  const logBytesMax = 4 * 1024 * 1024;
  await using store = await openStore({ dataDir: folder.path, durability: "process", clock, ids, logBytesMax });
  const log = join(folder.path, "headgate.db-wal");
  let largest = 0;
  for (let round = 0; round < 1000; round++) {
    await Promise.all(Array.from({ length: 20 }, () => store.journal.open(hold(ids.next("att")))));
    if (round % 20 === 0) largest = Math.max(largest, statSync(log).size);
  }
  assert.ok(largest > 0 && largest < 4 * logBytesMax, `the log reached ${largest} bytes`);
  const { held } = await store.db
    .selectFrom("holds")
    .select((row) => row.fn.countAll<number>().as("held"))
    .executeTakeFirstOrThrow();
  assert.equal(held, 20_000);
});

test("a store that another writer keeps locked is closed within one wait, says what it could not note, and leaves that to recovery", async () => {
  using folder = createFolder();
  const told: string[] = [];
  const events = { failed: (what: string) => void told.push(what) };
  const store = await openStore({ dataDir: folder.path, durability: "process", clock, ids, events });
  {
    using other = new DatabaseSync(join(folder.path, "headgate.db"));
    other.exec("BEGIN IMMEDIATE");
    const startedMs = clock.monotonicMs();
    store.closing();
    const renewals = Array.from({ length: 5 }, () => store.bank.renew("own_1", 1000));
    for (const { status } of await Promise.allSettled(renewals)) assert.equal(status, "rejected");
    await store[Symbol.asyncDispose]();
    const tookMs = clock.monotonicMs() - startedMs;
    assert.ok(tookMs < 20_000, `it waited ${tookMs} ms`);
    assert.deepEqual(told, ["departure"]);
  }
  await using next = await openStore({ dataDir: folder.path, durability: "process", clock, ids });
  const instances = await next.db.selectFrom("instances").select("id").execute();
  assert.deepEqual(
    instances.map(({ id }) => id),
    [next.instanceId],
  );
});

function hold(attemptId: string): Hold {
  return {
    attemptId,
    requestId: ids.next("req"),
    startedAtMs: 1,
    payer: { tenantId: "ten_1", projectId: "prj_1", keyId: "key_1" },
    endUser: "u".repeat(500),
    operation: "chat",
    provider: "openai",
    credential: "main",
    modelAsked: "fast",
    modelTarget: "gpt-5-mini",
    priceVersion: null,
    heldUsage: emptyUsage(),
    heldCostNanoUsd: toNanoUsd(1n),
    heldAmounts: [],
  };
}
