import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toNanoUsd } from "../../src/kernel/money.ts";
import { emptyUsage } from "../../src/kernel/usage.ts";
import { listRequests } from "../../src/storage/reports/request-list.ts";
import { toHold, toLedgerEntry } from "../../src/storage/rows.ts";
import type { Store, StoreEvents } from "../../src/storage/storage.ts";
import { eventually } from "../support/eventually.ts";
import { createVirtualClock } from "../support/virtual-clock.ts";
import { engines, ids } from "./engines.ts";
import { sampleEntry, sampleHold, sampleRecord, sampleUsage } from "./samples.ts";

for (const engine of engines) {
  describe(`journal on ${engine.name}`, () => {
    test("an attempt is held from opening to closing, then settled, with every field as it was given", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const [requestId, attemptId] = [ids.next("req"), ids.next("att")];
      await store.journal.open(sampleHold(requestId, attemptId));
      assert.deepEqual(await counts(store), { holds: 1, entries: 0, requests: 0 });

      const record = sampleRecord(requestId);
      const entry = sampleEntry(requestId, attemptId, { flags: ["unpriced", "estimated"], basis: "metered" });
      await store.journal.close(record, [entry]);
      assert.deepEqual(await counts(store), { holds: 0, entries: 1, requests: 1 });
      const [row] = await store.db.selectFrom("ledger_entries").selectAll().execute();
      assert.ok(row !== undefined);
      assert.deepEqual(toLedgerEntry(row), entry);
      assert.deepEqual((await listRequests(store.db, { limit: 10 })).records, [record]);
    });

    test("a request refused before anybody was known is recorded without any attempt", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const record = sampleRecord(ids.next("req"), {
        payer: null,
        endUser: null,
        operation: null,
        dialectIn: null,
        dialectOut: null,
        stream: false,
        modelAsked: null,
        modelServed: null,
        provider: null,
        status: 401,
        ending: "refused",
        finishReason: null,
        errorCode: "invalid_api_key",
        attempts: 0,
        losses: [],
        basis: "none",
        queueUs: null,
        firstTokenUs: null,
        outputTokensPerSecond: null,
        userAgent: null,
      });
      await store.journal.close(record, []);
      await store.delivered();
      assert.deepEqual((await listRequests(store.db, { limit: 10 })).records, [record]);
    });

    test("a hold grows: what it was extended to is what a death is charged", async () => {
      await using place = await engine.createPlace();
      const grown = { heldUsage: sampleUsage(1000, 2500), heldCostNanoUsd: toNanoUsd(77n) };
      {
        await using store = await place.openStore();
        await store.journal.open(sampleHold("req_1", "att_1"));
        await store.journal.open(sampleHold("req_2", "att_2"));
        const heldAmounts = [{ ownerId: "own_1", accountId: 'alw_1|"a|b"|0', amount: 2n ** 60n }];
        await store.journal.extend({ attemptId: "att_1", ...grown, heldAmounts });
        const holds = await store.journalDb.selectFrom("open_holds").selectAll().orderBy("attempt_id").execute();
        assert.deepEqual(holds.map(toHold), [
          sampleHold("req_1", "att_1", { ...grown, heldAmounts }),
          sampleHold("req_2", "att_2"),
        ]);
      }
      await using next = await place.openStore();
      await next.delivered();
      const [row] = await next.db.selectFrom("ledger_entries").selectAll().orderBy("entry_id").execute();
      assert.ok(row !== undefined);
      const { usage, costNanoUsd } = toLedgerEntry(row);
      assert.deepEqual({ heldUsage: usage, heldCostNanoUsd: costNanoUsd }, grown);
    });

    test("to extend what is settled, or was never held, changes nothing", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      await store.journal.open(sampleHold("req_1", "att_1"));
      const extension = { heldUsage: emptyUsage(), heldCostNanoUsd: toNanoUsd(1n), heldAmounts: [] };
      await Promise.all([
        store.journal.close(sampleRecord("req_1"), [sampleEntry("req_1", "att_1")]),
        store.journal.extend({ attemptId: "att_1", ...extension }),
        store.journal.extend({ attemptId: "att_2", ...extension }),
      ]);
      assert.deepEqual(await counts(store), { holds: 0, entries: 1, requests: 1 });
    });

    test("closing a request twice changes nothing the second time", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const [requestId, attemptId] = [ids.next("req"), ids.next("att")];
      await store.journal.open(sampleHold(requestId, attemptId));
      await Promise.all([
        store.journal.close(sampleRecord(requestId), [sampleEntry(requestId, attemptId)]),
        store.journal.close(sampleRecord(requestId, { status: 500 }), [sampleEntry(requestId, attemptId)]),
      ]);
      await store.journal.close(sampleRecord(requestId, { status: 501 }), [sampleEntry(requestId, ids.next("att"))]);
      assert.deepEqual(await counts(store), { holds: 0, entries: 1, requests: 1 });
      assert.equal((await listRequests(store.db, { limit: 1 })).records[0]?.status, 200);
    });

    test("an entry ends its own attempt's hold and no other", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const [requestId, lost, kept] = [ids.next("req"), ids.next("att"), ids.next("att")];
      await store.journal.open(sampleHold(requestId, lost));
      await store.journal.open(sampleHold(requestId, kept));
      await store.journal.close(sampleRecord(requestId), [sampleEntry(requestId, kept)]);
      const holds = await store.journalDb.selectFrom("holds").select("attempt_id").execute();
      assert.deepEqual(
        holds.map((row) => row.attempt_id),
        [lost],
      );
    });

    test("a row that the store refuses fails alone; the rest of its batch commits", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const [first, second, third] = [ids.next("att"), ids.next("att"), ids.next("att")];
      const outcomes = await Promise.allSettled([
        store.journal.open(sampleHold("req_1", first)),
        store.journal.open(sampleHold("req_2", first)),
        store.journal.open(sampleHold("req_3", second)),
        store.journal.close(sampleRecord("req_4"), [sampleEntry("req_4", third, { costNanoUsd: null as never })]),
        store.journal.close(sampleRecord("req_3"), [sampleEntry("req_3", second)]),
      ]);
      assert.deepEqual(
        outcomes.map((outcome) => (outcome.status === "fulfilled" ? "committed" : outcome.reason.code)),
        ["committed", "internal", "committed", "internal", "committed"],
      );
      assert.deepEqual(await counts(store), { holds: 1, entries: 1, requests: 1 });
    });

    test("a full queue refuses new calls, still takes closings, and recovers", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore({ queueLengthMax: 2 });
      const outcomes = await Promise.allSettled([
        store.journal.open(sampleHold("req_1", "att_1")),
        store.journal.open(sampleHold("req_2", "att_2")),
        store.journal.open(sampleHold("req_3", "att_3")),
        store.journal.close(sampleRecord("req_1"), [sampleEntry("req_1", "att_1")]),
      ]);
      assert.deepEqual(
        outcomes.map((outcome) => (outcome.status === "fulfilled" ? "committed" : outcome.reason.code)),
        ["committed", "committed", "storage_unavailable", "committed"],
      );
      await store.journal.open(sampleHold("req_3", "att_3"));
      assert.deepEqual(await counts(store), { holds: 2, entries: 1, requests: 1 });
    });

    test("a closing that is refused is told so at once, and written once as soon as there is room", async () => {
      await using place = await engine.createPlace();
      const virtual = createVirtualClock();
      const { events, told } = listen();
      await using store = await place.openStore({ queueLengthMax: 1, clock: virtual, events });
      await store.journal.open(sampleHold("req_3", "att_3"));
      const close = (id: number): Promise<void> =>
        store.journal.close(sampleRecord(`req_${id}`), [sampleEntry(`req_${id}`, `att_${id}`)]);
      const outcomes = await Promise.allSettled([close(1), close(2), close(3)]);
      assert.deepEqual(
        outcomes.map((outcome) => (outcome.status === "fulfilled" ? "committed" : outcome.reason.code)),
        ["committed", "committed", "storage_unavailable"],
      );
      assert.deepEqual(await counts(store), { holds: 1, entries: 2, requests: 2 });
      virtual.advance(1000);
      await eventually("the closing is settled", () => told.length === 2);
      assert.deepEqual(told, ["req_3 kept", "req_3 settled"]);
      await close(3);
      await store.delivered();
      const [record] = (await listRequests(store.db, { limit: 1 })).records;
      assert.deepEqual([record?.requestId, record?.errorCode], ["req_3", "storage_unavailable"]);
      assert.deepEqual(await counts(store), { holds: 0, entries: 3, requests: 3 });
    });

    test("disposing writes a closing that was refused before", async () => {
      await using place = await engine.createPlace();
      const { events, told } = listen();
      const store = await place.openStore({ queueLengthMax: 1, clock: createVirtualClock(), events });
      await store.journal.open(sampleHold("req_1", "att_1"));
      const refused = [2, 3, 1].map((id) =>
        store.journal.close(sampleRecord(`req_${id}`), [sampleEntry(`req_${id}`, `att_${id}`)]),
      );
      await Promise.allSettled(refused);
      await store[Symbol.asyncDispose]();
      assert.deepEqual(told, ["req_1 kept", "req_1 settled"]);
      await using again = await place.openStore();
      assert.deepEqual(await counts(again), { holds: 0, entries: 3, requests: 3 });
      const instances = await again.journalDb.selectFrom("instances").select("id").execute();
      assert.deepEqual(
        instances.map(({ id }) => id),
        [again.instanceId],
      );
    });

    test("disposing writes what is queued, and refuses what comes later", async () => {
      await using place = await engine.createPlace();
      const store = await place.openStore();
      const opened = store.journal.open(sampleHold("req_1", "att_1"));
      await store[Symbol.asyncDispose]();
      await opened;
      await assert.rejects(store.journal.open(sampleHold("req_2", "att_2")), { code: "storage_unavailable" });
      await using next = await place.openStore();
      assert.deepEqual(await counts(next), { holds: 0, entries: 1, requests: 1 });
    });

    test("money beyond the exact range of a number keeps every digit", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      await store.journal.open(sampleHold("req_1", "att_1"));
      const { cost_nano_usd: cost } = await store.journalDb
        .selectFrom("holds")
        .select("cost_nano_usd")
        .executeTakeFirstOrThrow();
      assert.equal(cost, 9_007_199_254_740_993n);
    });

    test("a count beyond the exact range is read as the nearest exact one, and told", async () => {
      await using place = await engine.createPlace();
      const failures: unknown[] = [];
      await using store = await place.openStore({ events: { failed: (...failure) => failures.push(failure) } });
      const heldUsage = { ...emptyUsage(), outputTokens: Number.MAX_SAFE_INTEGER };
      for (const attempt of ["att_1", "att_2"]) await store.journal.open(sampleHold("req_1", attempt, { heldUsage }));
      const { sum } = await store.journalDb
        .selectFrom("holds")
        .select((hold) => hold.fn.sum<number>("output_tokens").as("sum"))
        .executeTakeFirstOrThrow();
      assert.equal(sum, Number.MAX_SAFE_INTEGER);
      assert.deepEqual(failures, [["count", `sum holds ${2n * BigInt(Number.MAX_SAFE_INTEGER)}`]]);
    });

    test("a ledger entry cannot be changed", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      await store.journal.close(sampleRecord("req_1"), [sampleEntry("req_1", "att_1")]);
      await store.delivered();
      await assert.rejects(
        store.db.updateTable("ledger_entries").set({ cost_nano_usd: 1n }).execute(),
        /never changed/,
      );
    });
  });
}

async function counts(store: Store): Promise<{ holds: number; entries: number; requests: number }> {
  await store.delivered();
  const count = async (db: Store["db"], table: "holds" | "ledger_entries" | "requests"): Promise<number> =>
    (
      await db
        .selectFrom(table)
        .select((row) => row.fn.countAll<number>().as("count"))
        .executeTakeFirstOrThrow()
    ).count;
  return {
    holds: await count(store.journalDb, "holds"),
    entries: await count(store.db, "ledger_entries"),
    requests: await count(store.db, "requests"),
  };
}

function listen(): { readonly events: Partial<StoreEvents>; readonly told: string[] } {
  const told: string[] = [];
  return { events: { lateClosing: (state, record) => told.push(`${record.requestId} ${state}`) }, told };
}
