import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "../../../src/storage/storage.ts";
import { sampleEntry, sampleHold, sampleRecord } from "../../contract/samples.ts";
import { eventually } from "../../support/eventually.ts";
import { postgresMissing } from "../../support/postgres.ts";
import { openScene } from "./scene.ts";
import { drawAll, exactly, readBooks, serveMany } from "./traffic.ts";

for (const when of ["before", "after"] as const) {
  test(`connections cut ${when} the server gets the commit: nothing is lost and nothing doubled`, async (context) => {
    if (postgresMissing !== false) return context.skip(postgresMissing);
    await using scene = await openScene();
    await using store = await scene.openMachine("one");
    const grant = await drawAll(scene.db, store.instanceId);
    let commits = 0;
    let cuts = 0;
    scene.proxy.cutting = (piece) => {
      if (!piece.includes("commit\0")) return null;
      // The first three of every five, so that a batch is repeated, repeated again, and then goes through.
      if (commits++ % 5 > 2) return null;
      cuts++;
      return when;
    };
    for (let round = 0; round < 5; round++) {
      await serveMany(store, 40, grant);
      await deliverEventually(store);
    }
    assert.deepEqual(await readBooks(scene.db), exactly(200));
    assert.ok(cuts >= 5, `${cuts} commits were cut off`);
  });
}

test("a closing that was delivered is a repetition when it comes again, even with other attempts", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  await using store = await scene.openMachine("one");
  const grant = await drawAll(scene.db, store.instanceId);
  const moves = [{ ...grant, fromGrant: 7n, overdraft: 0n }];
  for (const attempt of ["att_1", "att_1", "att_2"]) {
    await store.journal.close(sampleRecord("req_1"), [sampleEntry("req_1", attempt)], moves);
    await store.delivered();
  }
  const { requests, entries, attempts, spent } = await readBooks(scene.db);
  assert.deepEqual({ requests, entries, attempts, spent }, { requests: 1, entries: 1, attempts: 1, spent: 7n });
  assert.equal((await store.journalDb.selectFrom("requests").select("request_id").execute()).length, 0);
});

test("what a dead process left held of a request that was delivered is charged, and counts no second request", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  const dead = await scene.openMachine("one");
  for (const attempt of ["att_closed", "att_left"]) await dead.journal.open(sampleHold("req_1", attempt));
  await dead.journal.close(sampleRecord("req_1"), [sampleEntry("req_1", "att_closed")]);
  await dead.delivered();
  await dead[Symbol.asyncDispose]();

  await using next = await scene.openMachine("one");
  await next.delivered();
  const entries = await scene.db
    .selectFrom("ledger_entries")
    .select(["entry_id", "last_of_request"])
    .orderBy("entry_id")
    .execute();
  assert.deepEqual(entries, [
    { entry_id: "att_closed", last_of_request: 1 },
    { entry_id: "att_left", last_of_request: 0 },
  ]);
  const { ending } = await scene.db.selectFrom("requests").select("ending").executeTakeFirstOrThrow();
  assert.equal(ending, "complete");
  const counted = await scene.db
    .selectFrom("usage_hours")
    .select((row) => [row.fn.sum<number>("requests").as("requests"), row.fn.sum<number>("attempts").as("attempts")])
    .executeTakeFirstOrThrow();
  assert.deepEqual(counted, { requests: 1, attempts: 2 });
});

test("text that PostgreSQL cannot hold arrives with a mark in its place", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  await using store = await scene.openMachine("one");
  const endUser = 'nul \0, a backslash before it \\\0, what looks like one \\u0000, half a pair \ud800, "quotes"';
  await store.journal.close(sampleRecord("req_1", { endUser }), [sampleEntry("req_1", "att_1", { endUser })]);
  await store.delivered();
  const expected =
    'nul \ufffd, a backslash before it \\\ufffd, what looks like one \\u0000, half a pair \ufffd, "quotes"';
  for (const table of ["requests", "ledger_entries"] as const) {
    assert.deepEqual(await scene.db.selectFrom(table).select("end_user").execute(), [{ end_user: expected }]);
  }
});

test("a record that the database refuses is set aside and told; the others of its batch are delivered", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  const told: string[] = [];
  await using store = await scene.openMachine("one", {
    events: { failed: (what, error) => told.push(`${what}: ${(error as Error).message}`) },
  });
  const close = (id: string, tokensPerSecond: number): Promise<void> =>
    store.journal.close(sampleRecord(id, { outputTokensPerSecond: tokensPerSecond }), [sampleEntry(id, `att_${id}`)]);
  await Promise.all([close("req_1", 1), close("req_2", Number.POSITIVE_INFINITY), close("req_3", 3)]);
  await store.delivered();
  const delivered = await scene.db.selectFrom("requests").select("request_id").orderBy("request_id").execute();
  assert.deepEqual(delivered, [{ request_id: "req_1" }, { request_id: "req_3" }]);
  assert.deepEqual(told, ["delivery: The shared database refuses the record of req_2, which is set aside."]);
  const kept = await store.journalDb.selectFrom("requests").select("request_id").execute();
  assert.deepEqual(
    kept.map((row) => row.request_id),
    ["req_2"],
  );
});

test("a backlog of thousands is delivered in batches, in the order of their commits", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  await using store = await scene.openMachine("one");
  const grant = await drawAll(scene.db, store.instanceId);
  scene.proxy.leave();
  await serveMany(store, 2000, grant);
  scene.proxy.comeBack();
  await deliverEventually(store);
  assert.deepEqual(await readBooks(scene.db), exactly(2000));
  for (const table of ["requests", "ledger_entries"] as const) {
    assert.equal((await store.journalDb.selectFrom(table).select("request_id").execute()).length, 0);
  }
});

test("with as much waiting as the machine may keep, no new call is made until the database takes it", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  await using store = await scene.openMachine("one", { outboxLengthMax: 10 });
  scene.proxy.leave();
  await serveMany(store, 10, null);
  await assert.rejects(store.journal.open(sampleHold("req_late", "att_late")), {
    code: "storage_unavailable",
    message: /10 records wait for the shared database/,
  });
  scene.proxy.comeBack();
  await deliverEventually(store);
  await serveMany(store, 1, null);
});

test("a row that the journal refuses does not keep those of its batch from being delivered", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  await using store = await scene.openMachine("one");
  const bad = sampleEntry("req_2", "att_2", { costNanoUsd: null as never });
  const outcomes = await Promise.allSettled([
    store.journal.close(sampleRecord("req_1"), [sampleEntry("req_1", "att_1")]),
    store.journal.close(sampleRecord("req_2"), [bad]),
  ]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ["fulfilled", "rejected"],
  );
  await eventually("it is delivered", async () => (await readBooks(scene.db)).requests === 1);
});

async function deliverEventually(store: Store): Promise<void> {
  await eventually("all is delivered", () =>
    store.delivered().then(
      () => true,
      () => false,
    ),
  );
}
