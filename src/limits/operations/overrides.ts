/** Another limit for some calendar windows of a budget: whole windows, which never overlap with those of another override. */
import type { Kysely, Transaction } from "kysely";
import { HeadgateError } from "../../kernel/errors.ts";
import { changeControl } from "../../storage/control-version.ts";
import type { Amount } from "../../storage/escrow/bank.ts";
import { applyLimit } from "../../storage/escrow/limit-change.ts";
import type { Database } from "../../storage/schema.ts";
import type { Allowance } from "../allowance.ts";
import { type WindowSpan, windowAt } from "../../storage/escrow/calendar.ts";
import { checkAmount } from "./amounts.ts";
import { type AllowanceDeps, type AllowanceReference, findAllowance } from "./operations.ts";
import { refuse } from "./refusals.ts";
import { describeRegime, hasCalendarWindows } from "./terms.ts";

export interface Override {
  readonly id: string;
  readonly allowanceId: string;
  /** It holds for the windows that begin from here on … */
  readonly fromMs: number;
  /** … and before here. */
  readonly untilMs: number;
  readonly limit: Amount;
  readonly createdAtMs: number;
  /** `null`: it was not taken back. */
  readonly revokedAtMs: number | null;
}

export interface OverrideDraft {
  /** 0 admits nothing. */
  readonly limit: Amount;
  /** `null`: the current window. Else so many windows after the current one. */
  readonly nextWindows: number | null;
}

const WINDOWS_MAX = 1000;

/** In force at once. Throws `not_found`; `invalid_argument`, also where it would overlap with another. */
export function createOverride(
  deps: AllowanceDeps,
  reference: AllowanceReference,
  draft: OverrideDraft,
): Promise<Override> {
  return changeControl(deps.db, async (transaction, generation) => {
    const allowance = await findAllowance(transaction, reference);
    checkAmount(allowance.meter, draft.limit, "limit");
    const nowMs = deps.clock.wallMs();
    const { startMs, endMs } = spanOf(allowance, draft.nextWindows, nowMs);
    await refuseOverlap(transaction, allowance, { startMs, endMs });
    const row: Database["allowance_overrides"] = {
      id: deps.ids.next("ovr"),
      generation,
      allowance_id: allowance.id,
      from_ms: startMs,
      until_ms: endMs,
      limit_amount: draft.limit,
      created_at_ms: nowMs,
      revoked_at_ms: null,
    };
    await transaction.insertInto("allowance_overrides").values(row).execute();
    await applyLimit(transaction, allowance.id, nowMs);
    return toOverride(row);
  });
}

/** The usual limit counts again at once. Doing it again changes nothing. Throws `not_found`; `invalid_argument` when it is over. */
export function revokeOverride(deps: AllowanceDeps, id: string): Promise<Override> {
  return changeControl(deps.db, async (transaction, generation) => {
    const row = await transaction.selectFrom("allowance_overrides").selectAll().where("id", "=", id).executeTakeFirst();
    if (row === undefined) {
      const message = `There is no override ${JSON.stringify(id)}. \`headgate budget overrides\` shows those there are.`;
      throw new HeadgateError("not_found", message, { param: "override" });
    }
    const nowMs = deps.clock.wallMs();
    if (row.revoked_at_ms === null && row.until_ms <= nowMs) {
      throw refuse(
        "override",
        `The override ${id} is over since ${toIso(row.until_ms)}; there is nothing to take back.`,
      );
    }
    const revoked = { ...row, generation, revoked_at_ms: row.revoked_at_ms ?? nowMs };
    await transaction.updateTable("allowance_overrides").set(revoked).where("id", "=", id).execute();
    await applyLimit(transaction, row.allowance_id, nowMs);
    return toOverride(revoked);
  });
}

export interface OverrideQuery {
  /** `null`: of all. */
  readonly tenantId: string | null;
  readonly allowanceId: string | null;
  /** Leaves out what is over by then and what was revoked. `null`: nothing is left out. */
  readonly inForceAtMs: number | null;
}

/** In the order of allowances and windows. */
export async function listOverrides(db: Kysely<Database>, query: OverrideQuery): Promise<readonly Override[]> {
  let select = db
    .selectFrom("allowance_overrides as override")
    .innerJoin("allowances as allowance", "allowance.id", "override.allowance_id")
    .selectAll("override")
    .orderBy("override.allowance_id")
    .orderBy("override.from_ms");
  if (query.tenantId !== null) select = select.where("allowance.tenant_id", "=", query.tenantId);
  if (query.allowanceId !== null) select = select.where("override.allowance_id", "=", query.allowanceId);
  if (query.inForceAtMs !== null) {
    select = select.where("override.revoked_at_ms", "is", null).where("override.until_ms", ">", query.inForceAtMs);
  }
  return (await select.execute()).map(toOverride);
}

function spanOf(allowance: Allowance, nextWindows: number | null, nowMs: number): WindowSpan {
  const { window, timeZone } = allowance;
  if (window === "lifetime" || !hasCalendarWindows(allowance)) {
    const message = `${allowance.name} is ${describeRegime(allowance)}, which has no windows to override. Change its limit with \`headgate budget set\`.`;
    throw refuse("allowance", message);
  }
  const current = windowAt(window, timeZone, nowMs);
  if (nextWindows === null) return current;
  if (!Number.isInteger(nextWindows) || nextWindows < 1 || nextWindows > WINDOWS_MAX) {
    throw refuse("windows", `An override is for 1 to ${WINDOWS_MAX} windows.`);
  }
  let { endMs } = current;
  for (let index = 0; index < nextWindows; index++) endMs = windowAt(window, timeZone, endMs).endMs;
  return { startMs: current.endMs, endMs };
}

async function refuseOverlap(
  transaction: Transaction<Database>,
  allowance: Allowance,
  { startMs, endMs }: WindowSpan,
): Promise<void> {
  const other = await transaction
    .selectFrom("allowance_overrides")
    .select(["id", "from_ms", "until_ms"])
    .where("allowance_id", "=", allowance.id)
    .where("revoked_at_ms", "is", null)
    .where("from_ms", "<", endMs)
    .where("until_ms", ">", startMs)
    .executeTakeFirst();
  if (other === undefined) return;
  const period = `${toIso(other.from_ms)} to ${toIso(other.until_ms)}`;
  const remedy = `Revoke it first: \`headgate budget overrides revoke ${other.id}\`.`;
  throw refuse(
    "windows",
    `${allowance.name} has an override for some of these windows already, ${other.id} from ${period}. ${remedy}`,
  );
}

function toOverride(row: Database["allowance_overrides"]): Override {
  return {
    id: row.id,
    allowanceId: row.allowance_id,
    fromMs: row.from_ms,
    untilMs: row.until_ms,
    limit: row.limit_amount,
    createdAtMs: row.created_at_ms,
    revokedAtMs: row.revoked_at_ms,
  };
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}
