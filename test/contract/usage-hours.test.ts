import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toNanoUsd } from "../../src/kernel/money.ts";
import { addUsage, emptyUsage } from "../../src/kernel/usage.ts";
import type { LedgerEntry } from "../../src/storage/records.ts";
import { toUsage } from "../../src/storage/rows.ts";
import {
  reportUsage,
  totalUsage,
  type UsageDimension,
  usageDimensions,
  type UsageQuery,
  type UsageRow,
} from "../../src/storage/reports/usage-report.ts";
import type { Store } from "../../src/storage/storage.ts";
import { fc } from "../support/properties.ts";
import { engines } from "./engines.ts";
import { Historian, history, moment } from "./histories.ts";
import { sampleEntry, sampleRecord } from "./samples.ts";

const HOUR_MS = 3_600_000;

const query = fc.record({
  by: fc.shuffledSubarray([...usageDimensions], { maxLength: 4 }),
  utcOffsetMs: fc.constantFrom(0, 2 * HOUR_MS, -7 * HOUR_MS, 5.5 * HOUR_MS),
  fromMs: fc.option(moment),
  toMs: fc.option(
    fc.oneof(
      moment,
      moment.map((ms) => ms - (ms % HOUR_MS)),
    ),
  ),
  tenantId: fc.option(fc.constantFrom("ten_1", "ten_2"), { freq: 1 }),
  model: fc.option(fc.constantFrom("m-1", "m-2"), { freq: 1 }),
});

for (const engine of engines) {
  describe(`usage by hour on ${engine.name}`, () => {
    test("is always the sum of the ledger, and so is every report: through closings, deaths and corrections", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const historian = new Historian(place, store);
      await fc.assert(
        fc.asyncProperty(history, fc.array(query, { minLength: 5, maxLength: 10 }), async (steps, queries) => {
          await historian.make(steps);
          const entries = await historian.ledger();
          const known = { lasts: lastCharges(entries), byAttempt: Map.groupBy(entries, (entry) => entry.attemptId) };
          assert.deepEqual(await readHours(store), sumEntries(entries, known, hourKeyOf));
          for (const asked of queries) {
            const rows = await reportUsage(store.db, asked);
            const found = entries.filter((entry) => isWithin(entry, asked));
            if (asked.by.length > 0) {
              assert.deepEqual(
                asMap(rows),
                sumEntries(found, known, (entry) => groupKeyOf(entry, asked)),
              );
            }
            assert.deepEqual(totalUsage(rows), { group: {}, ...sumGroup(found, known) });
          }
        }),
        { numRuns: 8, interruptAfterTimeLimit: 15_000 },
      );
    });

    test("stops at the largest sum there is, and lets what comes later be settled", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      const costNanoUsd = toNanoUsd(2n ** 62n + 1n);
      for (const id of [1, 2, 3]) {
        await store.journal.close(sampleRecord(`req_${id}`), [sampleEntry(`req_${id}`, `att_${id}`, { costNanoUsd })]);
      }
      await store.delivered();
      const [row] = await store.db.selectFrom("usage_hours").selectAll().execute();
      assert.deepEqual([row?.cost_nano_usd, row?.requests], [2n ** 63n - 1n, 3]);
    });
  });
}

type Sums = Omit<UsageRow, "group">;

async function readHours(store: Store): Promise<ReadonlyMap<string, Sums>> {
  const rows = await store.db.selectFrom("usage_hours").selectAll().execute();
  return new Map(
    rows.map((row) => {
      const key = [
        row.hour_ms,
        row.tenant_id,
        row.project_id,
        row.key_id,
        row.provider,
        row.model_served,
        row.operation,
      ];
      const bases = {
        reported: row.basis_reported,
        drained: row.basis_drained,
        metered: row.basis_metered,
        "worst-case": row.basis_worst_case,
        none: row.basis_none,
      };
      const { requests, attempts, unpriced, cost_nano_usd: costNanoUsd } = row;
      return [key.join(" "), { requests, attempts, unpriced, bases, usage: toUsage(row), costNanoUsd } as Sums];
    }),
  );
}

function asMap(rows: readonly UsageRow[]): ReadonlyMap<string, Sums> {
  return new Map(rows.map(({ group, ...sums }) => [Object.values(group).join(" "), sums]));
}

/** Of a whole ledger. */
interface Known {
  /** The last charge of each request. */
  readonly lasts: ReadonlySet<string>;
  /** A charge, then its corrections as they were made. */
  readonly byAttempt: ReadonlyMap<string, readonly LedgerEntry[]>;
}

/** The ledger summed entry after entry. */
function sumEntries(
  entries: readonly LedgerEntry[],
  known: Known,
  keyOf: (entry: LedgerEntry) => string,
): ReadonlyMap<string, Sums> {
  const groups = Map.groupBy(entries, keyOf);
  return new Map(Array.from(groups, ([key, ofGroup]) => [key, sumGroup(ofGroup, known)]));
}

function sumGroup(entries: readonly LedgerEntry[], { lasts, byAttempt }: Known): Sums {
  const charges = entries.filter(({ kind }) => kind === "charge");
  const allOf = ({ attemptId }: LedgerEntry): readonly LedgerEntry[] => byAttempt.get(attemptId) ?? [];
  const corrections = charges.flatMap((charge) => allOf(charge).filter(({ kind }) => kind === "correction"));
  const usage = emptyUsage();
  for (const entry of entries) addUsage(usage, entry.usage);
  const settledBy = (basis: LedgerEntry["basis"]): number =>
    charges.filter((charge) => allOf(charge).at(-1)?.basis === basis).length;
  return {
    requests: charges.filter(({ entryId }) => lasts.has(entryId)).length,
    attempts: charges.length,
    usage,
    costNanoUsd: toNanoUsd(entries.reduce((sum, entry) => sum + entry.costNanoUsd, 0n)),
    unpriced:
      charges.filter(({ flags }) => flags.includes("unpriced")).length -
      corrections.filter(({ flags }) => flags.includes("priced")).length,
    bases: {
      reported: settledBy("reported"),
      drained: settledBy("drained"),
      metered: settledBy("metered"),
      "worst-case": settledBy("worst-case"),
      none: settledBy("none"),
    },
  };
}

/** Each request of a history has all its charges from one closing, in the order of their ids. */
function lastCharges(entries: readonly LedgerEntry[]): ReadonlySet<string> {
  const charges = entries.filter(({ kind }) => kind === "charge");
  return new Set(new Map(charges.map(({ requestId, entryId }) => [requestId, entryId])).values());
}

function hourKeyOf({ atMs, payer, provider, modelServed, operation }: LedgerEntry): string {
  const hourMs = Math.floor(atMs / HOUR_MS) * HOUR_MS;
  return [hourMs, payer.tenantId, payer.projectId, payer.keyId, provider, modelServed, operation].join(" ");
}

function isWithin({ atMs, payer, modelServed }: LedgerEntry, asked: UsageQuery): boolean {
  const { fromMs = null, toMs = null, tenantId = null, model = null } = asked;
  return (
    (fromMs === null || atMs >= fromMs) &&
    (toMs === null || atMs < toMs) &&
    (tenantId === null || payer.tenantId === tenantId) &&
    (model === null || modelServed === model)
  );
}

function groupKeyOf(entry: LedgerEntry, { by, utcOffsetMs = 0 }: UsageQuery): string {
  const time = new Date(entry.atMs + utcOffsetMs).toISOString();
  const members: Record<UsageDimension, string> = {
    month: time.slice(0, 7),
    day: time.slice(0, 10),
    hour: `${time.slice(0, 13)}:00`,
    tenant: entry.payer.tenantId,
    project: entry.payer.projectId,
    key: entry.payer.keyId,
    "end-user": entry.endUser ?? "",
    provider: entry.provider,
    model: entry.modelServed,
    operation: entry.operation,
  };
  return usageDimensions
    .filter((dimension) => by.includes(dimension))
    .map((dimension) => members[dimension])
    .join(" ");
}
