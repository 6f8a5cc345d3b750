/** Which allowances a request must pass and how much it needs of each: said once more, independently of src/limits. */
import type { Demand, Estimate, RequestScope } from "../../../src/limits/limits.ts";
import type { AllowanceRow, OverrideRow } from "../model/control.ts";

export interface PathEntry {
  readonly row: AllowanceRow;
  readonly subject: string;
  /** What the ids of its accounts begin with; then comes the window. */
  readonly prefix: string;
}

export function pathOf(rows: readonly AllowanceRow[], scope: RequestScope): readonly PathEntry[] {
  return rows
    .filter((row) => isOnPath(row, scope))
    .map((row) => {
      const subject = subjectOf(row, scope);
      return { row, subject, prefix: `${row.id}|${subject}|` };
    });
}

/** No allowance refuses anybody. */
export function isLenient(path: readonly PathEntry[]): boolean {
  return path.every(({ row }) => row.mode !== "enforce");
}

/** In the unit of the allowance's meter. */
export function neededOf(row: AllowanceRow, estimate: Estimate): bigint {
  return amountOf(row, row.policy === "strict" ? estimate.worst : estimate.expected);
}

/**
 * What the journal has of a stream that has grown so much, `null` before. Requests and slots do not grow. Beside an
 * allowance that grows, what was held for the worst case is charged only as far as that has grown.
 */
export function chargedOf(
  row: AllowanceRow,
  path: readonly PathEntry[],
  estimate: Estimate,
  grown: Demand | null,
): bigint {
  const first = neededOf(row, estimate);
  if (row.meter === "requests" || row.meter === "slots") return first;
  const slices = amountOf(row, estimate.expected) + usedOf(row, grown);
  if (row.policy !== "strict") return slices;
  return path.some((entry) => grows(entry.row)) && slices < first ? slices : first;
}

/** `used` of `null`: no provider saw the request. */
export function usedOf(row: AllowanceRow, used: Demand | null): bigint {
  return used === null ? 0n : amountOf(row, used);
}

/** Of an account of a window that begins then: said once more, independently of src/storage/escrow. */
export function limitOf(row: AllowanceRow, overrides: readonly OverrideRow[], windowStartMs: number): bigint {
  const other = overrides.find(({ from_ms, until_ms }) => from_ms <= windowStartMs && windowStartMs < until_ms);
  if (other !== undefined) return other.limit_amount;
  return row.limit_amount === 0n ? 0n : (row.burst_amount ?? row.limit_amount);
}

export function grows({ meter, policy }: AllowanceRow): boolean {
  return policy === "expected" && (meter === "money" || meter === "tokens");
}

function amountOf(row: AllowanceRow, demand: Demand): bigint {
  if (row.meter === "money") return demand.costNanoUsd;
  return row.meter === "tokens" ? BigInt(demand.tokens) : 1n;
}

function isOnPath(row: AllowanceRow, { payer, endUser, operation, modelAsked, modelTarget }: RequestScope): boolean {
  if (row.tenant_id !== payer.tenantId) return false;
  if (row.project_id !== null && row.project_id !== payer.projectId) return false;
  if (row.key_id !== null && row.key_id !== payer.keyId) return false;
  if (row.scope === "end-user" && endUser === null) return false;
  if (row.end_user !== null && row.end_user !== endUser) return false;
  if (row.operation !== null && row.operation !== operation) return false;
  if (row.models === null) return true;
  const patterns = JSON.parse(row.models) as readonly string[];
  return patterns.some((pattern) => fits(pattern, modelAsked) || fits(pattern, modelTarget));
}

/** Patterns of the simulation end in `*` or have none. */
function fits(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function subjectOf(row: AllowanceRow, { payer, endUser }: RequestScope): string {
  if (row.scope === "project" && row.project_id === null) return payer.projectId;
  if (row.scope === "key" && row.key_id === null) return payer.keyId;
  if (row.scope === "end-user" && row.end_user === null) return endUser ?? "";
  return "";
}
