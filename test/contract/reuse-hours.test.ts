import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type NanoUsd, toNanoUsd } from "../../src/kernel/money.ts";
import type { RequestRecord, Reuse } from "../../src/storage/records.ts";
import { reportReuse, type ReuseRow } from "../../src/storage/reports/reuse-report.ts";
import type { Scope } from "../../src/storage/reports/scope.ts";
import { reportUsage } from "../../src/storage/reports/usage-report.ts";
import { fc } from "../support/properties.ts";
import { engines } from "./engines.ts";
import { moment } from "./histories.ts";
import { sampleEntry, sampleRecord } from "./samples.ts";

const HOUR_MS = 3_600_000;
const reuses: readonly Reuse[] = ["hit", "semantic", "joined", "replayed", "miss", "bypass"];

type Told = Pick<
  RequestRecord,
  "startedAtMs" | "payer" | "modelAsked" | "modelServed" | "provider" | "reuse" | "savedNanoUsd"
>;

const told: fc.Arbitrary<Told> = fc.record({
  startedAtMs: moment,
  payer: fc.constantFrom(
    { tenantId: "ten_1", projectId: "prj_1", keyId: "key_1" },
    { tenantId: "ten_2", projectId: "prj_2", keyId: "key_2" },
  ),
  modelAsked: fc.constantFrom("fast", "careful"),
  modelServed: fc.constantFrom("m-1", "m-2", null),
  provider: fc.constantFrom("p-1", null),
  reuse: fc.constantFrom(...reuses, null),
  savedNanoUsd: fc.nat().map((amount) => toNanoUsd(BigInt(amount))),
});

const hour = moment.map((ms) => ms - (ms % HOUR_MS));
const scope = fc.record({
  fromMs: fc.option(fc.oneof(moment, hour)),
  toMs: fc.option(fc.oneof(moment, hour)),
  tenantId: fc.option(fc.constantFrom("ten_1", "ten_2")),
  model: fc.option(fc.constantFrom("m-1", "m-2")),
  provider: fc.option(fc.constant("p-1")),
});

for (const engine of engines) {
  describe(`requests answered without a call, by hour, on ${engine.name}`, () => {
    test("are reported as the records say, whatever time and whomever a report is of", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const records: RequestRecord[] = [];
      const batch = fc.array(told, { minLength: 1, maxLength: 20 });
      await fc.assert(
        fc.asyncProperty(batch, fc.array(scope, { minLength: 5, maxLength: 10 }), async (made, scopes) => {
          const added = made.map((each, index) => sampleRecord(`req_${records.length + index}`, each));
          records.push(...added);
          // A record that comes twice counts once.
          await Promise.all([...added, ...added.slice(0, 3)].map((record) => store.journal.close(record, [])));
          await store.delivered();
          for (const asked of scopes) assert.deepEqual(await reportReuse(store.db, asked), reportOf(records, asked));
        }),
        { numRuns: 8, interruptAfterTimeLimit: 15_000 },
      );
    });

    test("and all that was used, are read from the sums of hours alone", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      await store.journal.close(sampleRecord("req_1"), [sampleEntry("req_1", "att_1")]);
      await store.delivered();
      const { startedAtMs } = sampleRecord("req_1");
      const fromMs = startedAtMs - (startedAtMs % HOUR_MS);
      for (const table of ["requests", "ledger_entries"]) {
        await store.db.schema.alterTable(table).renameTo(`${table}_elsewhere`).execute();
      }
      try {
        await assert.rejects(
          reportReuse(store.db, { fromMs: fromMs + 1 }),
          "the rest of an hour is read from the records",
        );
        for (const asked of [{}, { fromMs }, { fromMs, toMs: fromMs + HOUR_MS }]) {
          const [reuse] = await reportReuse(store.db, asked);
          assert.deepEqual([reuse?.requests.hit, reuse?.savedNanoUsd], [1, 9_007_199_254_740_993n]);
          const [used] = await reportUsage(store.db, { ...asked, by: [] });
          assert.equal(used?.requests, 1);
        }
      } finally {
        for (const table of ["requests", "ledger_entries"]) {
          await store.db.schema.alterTable(`${table}_elsewhere`).renameTo(table).execute();
        }
      }
    });

    test("stop at the largest sum there is, and lets what comes later be recorded", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const savedNanoUsd = toNanoUsd(2n ** 62n + 1n);
      for (const id of [1, 2, 3]) await store.journal.close(sampleRecord(`req_${id}`, { savedNanoUsd }), []);
      await store.delivered();
      const [row] = await reportReuse(store.db, {});
      assert.deepEqual([row?.savedNanoUsd, row?.requests.hit], [2n ** 63n - 1n, 3]);
    });
  });
}

/** Record by record. */
function reportOf(records: readonly RequestRecord[], asked: Scope): readonly ReuseRow[] {
  const rows = new Map<string, { requests: Record<Reuse, number>; savedNanoUsd: NanoUsd }>();
  for (const record of records) {
    if (record.reuse === null || !isWithin(record, asked)) continue;
    const key = `${record.payer?.tenantId} ${record.modelAsked}`;
    const row = rows.getOrInsertComputed(key, () => ({ requests: noRequests(), savedNanoUsd: toNanoUsd(0n) }));
    row.requests[record.reuse]++;
    row.savedNanoUsd = toNanoUsd(row.savedNanoUsd + record.savedNanoUsd);
  }
  return [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, row]) => {
      const [tenantId = "", modelAsked = ""] = key.split(" ");
      return { tenantId, modelAsked, ...row };
    });
}

function noRequests(): Record<Reuse, number> {
  return { hit: 0, semantic: 0, joined: 0, replayed: 0, miss: 0, bypass: 0 };
}

function isWithin({ startedAtMs, payer, modelServed, provider }: RequestRecord, asked: Scope): boolean {
  return (
    startedAtMs >= (asked.fromMs ?? -Infinity) &&
    startedAtMs < (asked.toMs ?? Infinity) &&
    payer?.tenantId === (asked.tenantId ?? payer?.tenantId) &&
    modelServed === (asked.model ?? modelServed) &&
    provider === (asked.provider ?? provider)
  );
}
