import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toNanoUsd } from "../../src/kernel/money.ts";
import { appendCorrections } from "../../src/storage/reports/corrections.ts";
import {
  forgetUnconfirmed,
  listUnconfirmedProviders,
  listUnreconciled,
} from "../../src/storage/reports/reconciliation.ts";
import { listRequests } from "../../src/storage/reports/request-list.ts";
import { reportUsage } from "../../src/storage/reports/usage-report.ts";
import type { LedgerEntry } from "../../src/storage/records.ts";
import type { Store } from "../../src/storage/storage.ts";
import { emptyUsage } from "../../src/kernel/usage.ts";
import { engines } from "./engines.ts";
import { payer, sampleEntry, sampleHold, sampleRecord, sampleUsage } from "./samples.ts";

const firstDayMs = Date.UTC(2026, 10, 20, 23, 59);
const secondDayMs = Date.UTC(2026, 10, 21, 0, 1);
const otherPayer = { tenantId: "ten_2", projectId: "prj_2", keyId: "key_2" };

for (const engine of engines) {
  describe(`reports on ${engine.name}`, () => {
    test("usage sums exactly, in groups of any dimensions", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      await settle(store, "req_1", [
        sampleEntry("req_1", "att_1", {
          atMs: firstDayMs,
          costNanoUsd: toNanoUsd(9_007_199_254_740_993n),
          basis: "metered",
          flags: ["unpriced"],
        }),
        sampleEntry("req_1", "att_2", { atMs: firstDayMs, costNanoUsd: toNanoUsd(1n), provider: "azure" }),
      ]);
      await settle(store, "req_2", [
        sampleEntry("req_2", "att_3", { atMs: secondDayMs, costNanoUsd: toNanoUsd(1n), payer: otherPayer }),
      ]);

      const [total] = await reportUsage(store.db, { by: [] });
      assert.equal(total?.costNanoUsd, 9_007_199_254_740_995n);
      assert.deepEqual([total.requests, total.attempts, total.unpriced], [2, 3, 1]);
      assert.deepEqual(total.bases, { reported: 2, drained: 0, metered: 1, "worst-case": 0, none: 0 });
      assert.equal(total.usage.inputTokens, 300);
      assert.equal(total.usage.searchUnits, 18);

      const daily = await reportUsage(store.db, { by: ["tenant", "day"] });
      assert.deepEqual(
        daily.map((row) => [row.group, row.requests, row.attempts]),
        [
          [{ day: "2026-11-20", tenant: "ten_1" }, 1, 2],
          [{ day: "2026-11-21", tenant: "ten_2" }, 1, 1],
        ],
      );
      const byAll = await reportUsage(store.db, { by: ["tenant", "project", "key", "provider", "model", "day"] });
      assert.equal(byAll.length, 3);
      assert.deepEqual(byAll[0]?.group, {
        day: "2026-11-20",
        tenant: "ten_1",
        project: "prj_1",
        key: "key_1",
        provider: "azure",
        model: "gpt-5-mini-2025-08-07",
      });
    });

    test("usage is narrowed by scope and time, and its days can begin at another hour", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      await settle(store, "req_1", [sampleEntry("req_1", "att_1", { atMs: firstDayMs })]);
      await settle(store, "req_2", [
        sampleEntry("req_2", "att_2", { atMs: secondDayMs, payer: otherPayer, provider: "azure" }),
      ]);
      const attempts = async (query: Parameters<typeof reportUsage>[1]): Promise<number | undefined> =>
        (await reportUsage(store.db, query))[0]?.attempts;
      assert.equal(await attempts({ by: [], tenantId: "ten_1" }), 1);
      assert.equal(
        await attempts({
          by: [],
          projectId: "prj_2",
          keyId: "key_2",
          provider: "azure",
          model: "gpt-5-mini-2025-08-07",
        }),
        1,
      );
      assert.equal(await attempts({ by: [], tenantId: "ten_1", provider: "azure" }), 0);
      assert.equal(await attempts({ by: [], fromMs: secondDayMs }), 1);
      assert.equal(await attempts({ by: [], toMs: secondDayMs }), 1);
      assert.equal(await attempts({ by: [], fromMs: firstDayMs, toMs: firstDayMs }), 0);
      const shifted = await reportUsage(store.db, { by: ["day"], utcOffsetMs: 3_600_000 });
      assert.deepEqual(
        shifted.map((row) => row.group.day),
        ["2026-11-21"],
      );
    });

    test("an empty ledger reports zeros, and no groups", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const [total] = await reportUsage(store.db, { by: [] });
      assert.deepEqual(total?.usage, emptyUsage());
      assert.equal(total?.costNanoUsd, 0n);
      assert.deepEqual(await reportUsage(store.db, { by: ["day"] }), []);
    });

    test("requests are listed newest first, page by page, within their scope", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      for (const id of ["req_1", "req_2", "req_3", "req_4"]) await settle(store, id, []);
      await store.journal.close(sampleRecord("req_5", { payer: otherPayer, ending: "truncated" }), []);
      await store.delivered();
      const first = await listRequests(store.db, { tenantId: "ten_1", limit: 3 });
      assert.deepEqual([idsOf(first.records), first.next], [["req_4", "req_3", "req_2"], "req_2"]);
      const second = await listRequests(store.db, { tenantId: "ten_1", limit: 3, after: first.next });
      assert.deepEqual([idsOf(second.records), second.next], [["req_1"], null]);
      const broken = await listRequests(store.db, { ending: "truncated", limit: 3 });
      assert.deepEqual(idsOf(broken.records), ["req_5"]);
      assert.deepEqual((await listRequests(store.db, { toMs: 1, limit: 3 })).records, []);
    });

    test("a correction is counted in the cost, not as an attempt, and takes its charge off the list to reconcile", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      await settle(store, "req_1", [
        sampleEntry("req_1", "att_1", { basis: "worst-case", costNanoUsd: toNanoUsd(900n) }),
        sampleEntry("req_1", "att_2", { basis: "metered", costNanoUsd: toNanoUsd(50n) }),
        sampleEntry("req_1", "att_3", { basis: "reported", costNanoUsd: toNanoUsd(7n) }),
        sampleEntry("req_1", "att_4", { basis: "metered", provider: "azure", costNanoUsd: toNanoUsd(3n) }),
      ]);
      const attempts = async (after: string | null, limit = 10): Promise<string[]> =>
        (await listUnreconciled(store.db, { provider: "openai", limit, after })).map(({ charge }) => charge.attemptId);
      assert.deepEqual(await attempts(null), ["att_1", "att_2"]);
      assert.deepEqual(await attempts(null, 1), ["att_1"]);
      assert.deepEqual(await attempts("att_1"), ["att_2"]);

      const [attempt] = await listUnreconciled(store.db, { provider: "openai", limit: 1 });
      assert.ok(attempt);
      const entry = sampleEntry("req_1", "att_1", {
        usage: { ...sampleUsage(-60, -20), searchUnits: 0 },
        costNanoUsd: toNanoUsd(-400n),
        basis: "reported",
      });
      for (const appended of [1, 0]) {
        assert.equal((await appendCorrections(store.db, [{ attempt, entry, moves: [] }])).size, appended);
      }
      assert.deepEqual(await attempts(null), ["att_2"]);
      const [total] = await reportUsage(store.db, { by: [], provider: "openai" });
      assert.deepEqual(
        [total?.costNanoUsd, total?.attempts, total?.requests, total?.usage.inputTokens],
        [557n, 3, 0, 240],
      );
      assert.deepEqual(total?.bases, { reported: 2, drained: 0, metered: 1, "worst-case": 0, none: 0 });
      const byProvider = await reportUsage(store.db, { by: ["provider"] });
      assert.deepEqual(
        byProvider.map(({ group, requests }) => [group.provider, requests]),
        [
          ["azure", 1],
          ["openai", 0],
        ],
        "a request counts once, where its last attempt went",
      );
    });

    test("what was settled before a time can be taken off the list, provider by provider, and stays charged", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const metered = (attempt: string, provider: string, atMs: number): LedgerEntry =>
        sampleEntry("req_1", attempt, { basis: "metered", provider, atMs, costNanoUsd: toNanoUsd(1n) });
      const many = Array.from({ length: 1100 }, (_, index) => metered(`old_${index}`, "openai", firstDayMs));
      await settle(store, "req_1", [
        ...many,
        metered("new_1", "openai", secondDayMs),
        metered("old_x", "azure", firstDayMs),
      ]);
      assert.deepEqual(await listUnconfirmedProviders(store.db), ["azure", "openai"]);
      const forget = (provider: string): Promise<number> =>
        forgetUnconfirmed(store.db, { provider, settledBeforeMs: secondDayMs });
      assert.deepEqual([await forget("openai"), await forget("openai")], [1100, 0]);
      const left = async (provider: string): Promise<string[]> =>
        (await listUnreconciled(store.db, { provider, limit: 10 })).map(({ charge }) => charge.attemptId);
      assert.deepEqual([await left("openai"), await left("azure")], [["new_1"], ["old_x"]]);
      const [total] = await reportUsage(store.db, { by: [] });
      assert.equal(total?.bases.metered, 1102);
    });

    test("what a dead process left held is on the list to reconcile as soon as it is charged", async () => {
      await using place = await engine.createPlace();
      {
        await using store = await place.openStore();
        await store.journal.open(sampleHold("req_1", "att_1"));
      }
      await using store = await place.openStore();
      await store.delivered();
      const [attempt] = await listUnreconciled(store.db, { provider: "openai", limit: 10 });
      assert.deepEqual([attempt?.charge.attemptId, attempt?.charge.basis], ["att_1", "worst-case"]);
    });
  });
}

async function settle(store: Store, requestId: string, entries: readonly LedgerEntry[]): Promise<void> {
  await store.journal.close(sampleRecord(requestId, { payer: entries[0]?.payer ?? payer }), entries);
  await store.delivered();
}

function idsOf(records: readonly { readonly requestId: string }[]): string[] {
  return records.map((record) => record.requestId);
}
