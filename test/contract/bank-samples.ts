/** Allowances, accounts and draws for the suites of the bank. */
import type { Kysely } from "kysely";
import type { AccountKey, DrawRequest } from "../../src/storage/escrow/bank.ts";
import type { Database } from "../../src/storage/schema.ts";
import { startMs } from "./bank-place.ts";

export const dayMs = 86_400_000;

export interface CalendarWindow {
  readonly startMs: number;
  readonly endMs: number;
}

/** Half over when a test begins. */
export const today: CalendarWindow = { startMs: startMs - dayMs / 2, endMs: startMs + dayMs / 2 };
export const tomorrow: CalendarWindow = { startMs: today.endMs, endMs: today.endMs + dayMs };

/** A lifetime budget of money unless `columns` say otherwise. */
export function sampleAllowance(id: string, columns: Partial<Database["allowances"]> = {}): Database["allowances"] {
  return {
    id,
    generation: 1,
    tenant_id: "ten_1",
    name: id,
    scope: "tenant",
    project_id: null,
    key_id: null,
    end_user: null,
    meter: "money",
    limit_amount: 1000n,
    window_kind: "lifetime",
    time_zone: "UTC",
    burst_amount: null,
    models: null,
    operation: null,
    mode: "enforce",
    policy: "expected",
    alert_percents: "[]",
    created_at_ms: 1,
    disabled_at_ms: null,
    ...columns,
  };
}

export async function insertAllowance(
  db: Kysely<Database>,
  id: string,
  columns: Partial<Database["allowances"]> = {},
): Promise<AccountKey> {
  await db.insertInto("allowances").values(sampleAllowance(id, columns)).execute();
  return accountOf(id);
}

/** The account of an allowance, without windows unless one is given. */
export function accountOf(allowanceId: string, window?: CalendarWindow, subject = ""): AccountKey {
  const windowStartMs = window?.startMs ?? 0;
  const accountId = `${allowanceId}|${subject}|${windowStartMs}`;
  return { accountId, allowanceId, subject, windowStartMs, windowEndMs: window?.endMs ?? null };
}

export function drawOf(account: AccountKey, sequence: number, need: bigint, want: bigint = need): DrawRequest {
  return { account, sequence, need, want, refusals: 0 };
}
