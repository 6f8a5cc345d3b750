/**
 * Ledger entries summed by hour, payer, provider, model and operation: what reports over long times read. What was used
 * and what it cost is of the hour of its entry; an attempt is of the hour of its charge, and a correction changes there
 * what it counts as.
 *
 * Invariant: the table always equals the sums of the ledger, because whoever appends to the ledger adds the same
 * entries here in the same transaction.
 */
import { sql } from "kysely";
import type { InsertQueryBuilder, InsertResult, Kysely, RawBuilder } from "kysely";
import { usageBuckets } from "../kernel/usage.ts";
import { unpricedOf, type Bound } from "./columns.ts";
import type { LedgerEntry, Payer, SettlementBasis } from "./records.ts";
import { usageColumns } from "./schema.ts";
import type { Database } from "./schema.ts";

export type UsageHour = Database["usage_hours"];

export const HOUR_MS: number = 3_600_000;
/** Of the 64 bits that a database has: a sum stops there. */
const INTEGER_MAX = 2n ** 63n - 1n;

type BasisColumn = Extract<keyof UsageHour, `basis_${string}`>;
type KeyColumn = "hour_ms" | "tenant_id" | "project_id" | "key_id" | "provider" | "model_served" | "operation";
export type SummedColumn = Exclude<keyof UsageHour, KeyColumn>;

/** The column that counts the attempts of each basis. */
export const basisColumns: Readonly<Record<SettlementBasis, BasisColumn>> = {
  reported: "basis_reported",
  drained: "basis_drained",
  metered: "basis_metered",
  "worst-case": "basis_worst_case",
  none: "basis_none",
};

const keyColumns: readonly KeyColumn[] = [
  "hour_ms",
  "tenant_id",
  "project_id",
  "key_id",
  "provider",
  "model_served",
  "operation",
];

/** What is added up. */
export const summedColumns: readonly SummedColumn[] = [
  "requests",
  "attempts",
  "unpriced",
  ...Object.values(basisColumns),
  ...Object.values(usageColumns),
  "cost_nano_usd",
];

/** What a correction finds of its attempt. */
export interface Replaced {
  /** That the attempt was on before. */
  readonly basis: SettlementBasis;
  readonly chargedAtMs: number;
}

/** A row to build statements from. */
export const placeholderHour: UsageHour = emptyHour(
  { tenantId: "", projectId: "", keyId: "" },
  { provider: "", modelServed: "", operation: "chat" },
  0,
);

/** Sums of entries that are not yet written. */
export class UsageHours {
  /** By key id: of one key there are few, so that they are looked through. */
  readonly #byKeyId = new Map<string, UsageHour[]>();

  /** `lastOfRequest`: it is the last charge of its request, which it counts. */
  addCharge(charge: LedgerEntry, lastOfRequest: boolean): void {
    const sum = this.#find(charge, charge.atMs);
    sum.attempts++;
    if (lastOfRequest) sum.requests++;
    sum[basisColumns[charge.basis]]++;
    sum.unpriced += unpricedOf(charge);
    addAmounts(sum, charge);
  }

  addCorrection(correction: LedgerEntry, { basis, chargedAtMs }: Replaced): void {
    addAmounts(this.#find(correction, correction.atMs), correction);
    const charged = this.#find(correction, chargedAtMs);
    charged[basisColumns[basis]]--;
    charged[basisColumns[correction.basis]]++;
    charged.unpriced += unpricedOf(correction);
  }

  /** In the order of their keys, so that transactions that write the same ones wait for each other in turn. */
  rows(): readonly UsageHour[] {
    return [...this.#byKeyId.values()].flat().sort(compareKeys);
  }

  clear(): void {
    this.#byKeyId.clear();
  }

  #find(entry: LedgerEntry, atMs: number): UsageHour {
    const hourMs = atMs - (atMs % HOUR_MS);
    const sums = this.#byKeyId.get(entry.payer.keyId);
    if (sums !== undefined) {
      for (const sum of sums) if (isSumOf(sum, entry, hourMs)) return sum;
    }
    const sum = emptyHour(entry.payer, entry, hourMs);
    if (sums === undefined) this.#byKeyId.set(entry.payer.keyId, [sum]);
    else sums.push(sum);
    return sum;
  }
}

function addAmounts(sum: UsageHour, { usage, costNanoUsd }: LedgerEntry): void {
  for (const bucket of usageBuckets) sum[usageColumns[bucket]] += usage[bucket];
  const total = sum.cost_nano_usd + costNanoUsd;
  sum.cost_nano_usd = total < INTEGER_MAX ? total : INTEGER_MAX;
}

function isSumOf(sum: UsageHour, entry: LedgerEntry, hourMs: number): boolean {
  return (
    sum.hour_ms === hourMs &&
    sum.model_served === entry.modelServed &&
    sum.provider === entry.provider &&
    sum.operation === entry.operation &&
    sum.project_id === entry.payer.projectId &&
    sum.tenant_id === entry.payer.tenantId
  );
}

function emptyHour(
  payer: Payer,
  { provider, modelServed, operation }: Pick<LedgerEntry, "provider" | "modelServed" | "operation">,
  hourMs: number,
): UsageHour {
  return {
    hour_ms: hourMs,
    tenant_id: payer.tenantId,
    project_id: payer.projectId,
    key_id: payer.keyId,
    provider,
    model_served: modelServed,
    operation,
    requests: 0,
    attempts: 0,
    unpriced: 0,
    basis_reported: 0,
    basis_drained: 0,
    basis_metered: 0,
    basis_worst_case: 0,
    basis_none: 0,
    input_tokens: 0,
    cache_read_tokens: 0,
    cache_write_5m_tokens: 0,
    cache_write_1h_tokens: 0,
    output_tokens: 0,
    reasoning_tokens: 0,
    audio_input_tokens: 0,
    audio_output_tokens: 0,
    image_input_tokens: 0,
    image_output_tokens: 0,
    tool_units: 0,
    search_units: 0,
    cost_nano_usd: 0n,
  };
}

function compareKeys(a: UsageHour, b: UsageHour): number {
  for (const column of keyColumns) {
    if (a[column] < b[column]) return -1;
    if (a[column] > b[column]) return 1;
  }
  return 0;
}

/** What a statement for one row binds, in the order of the row's own properties. */
export function bindUsageHour(row: UsageHour): readonly Bound[] {
  return Object.values(row) as readonly Bound[];
}

/** Adds rows, of different keys, to those there are. */
export function addUsageHours(
  db: Kysely<Database>,
  rows: readonly UsageHour[],
): InsertQueryBuilder<Database, "usage_hours", InsertResult> {
  return db
    .insertInto("usage_hours")
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(keyColumns)
        .doUpdateSet((row) =>
          Object.fromEntries(
            summedColumns.map((column) => [
              column,
              addSaturating(sql`${row.ref(`usage_hours.${column}`)}`, sql`${row.ref(`excluded.${column}`)}`),
            ]),
          ),
        ),
    );
}

/** One absurd amount, as a provider may report it, must not make every later one of the hour fail with it. */
function addSaturating(sum: RawBuilder<unknown>, added: RawBuilder<unknown>): RawBuilder<number | bigint> {
  const max = sql.lit(INTEGER_MAX);
  return sql`case when ${added} > 0 and ${sum} > ${max} - ${added} then ${max} else ${sum} + ${added} end`;
}
