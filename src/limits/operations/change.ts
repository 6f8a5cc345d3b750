import { changeControl } from "../../storage/control-version.ts";
import { applyLimit } from "../../storage/escrow/limit-change.ts";
import type { Allowance } from "../allowance.ts";
import { toAllowanceRow } from "../allowance-row.ts";
import { refuseTakenName } from "./create.ts";
import { type AllowanceDeps, type AllowanceReference, findAllowance } from "./operations.ts";
import { type AllowanceTerms, checkTerms } from "./terms.ts";

/** What can be changed. Scope, meter, window and time zone cannot: old books would mean something else. */
export type AllowanceChange = Partial<Omit<AllowanceTerms, "meter" | "window" | "timeZone">>;

/**
 * Changes what is given. A limit below what is spent or held is allowed: nothing is taken back and nothing new admitted
 * until the window ends, a rate has drained, or the limit is raised. Throws `not_found`, `invalid_argument`, `already_exists`.
 */
export function setAllowance(
  deps: AllowanceDeps,
  reference: AllowanceReference,
  change: AllowanceChange,
): Promise<Allowance> {
  return changeControl(deps.db, async (transaction, generation) => {
    const before = await findAllowance(transaction, reference);
    const percents = change.alertPercents ?? before.alertPercents;
    const after: Allowance = { ...before, ...change, alertPercents: percents.toSorted((a, b) => a - b) };
    checkTerms(after);
    if (after.name !== before.name) await refuseTakenName(transaction, after.scope.tenantId, after.name);
    await transaction
      .updateTable("allowances")
      .set(toAllowanceRow(after, generation))
      .where("id", "=", after.id)
      .execute();
    await applyLimit(transaction, after.id, deps.clock.wallMs());
    return after;
  });
}

/** A disabled allowance limits nothing, from the next request on; its books stay. Doing it again changes nothing. */
export function setAllowanceDisabled(
  deps: AllowanceDeps,
  reference: AllowanceReference,
  disabled: boolean,
): Promise<Allowance> {
  return changeControl(deps.db, async (transaction, generation) => {
    const before = await findAllowance(transaction, reference);
    const disabledAtMs = disabled ? (before.disabledAtMs ?? deps.clock.wallMs()) : null;
    const columns = { disabled_at_ms: disabledAtMs, generation };
    await transaction.updateTable("allowances").set(columns).where("id", "=", before.id).execute();
    await applyLimit(transaction, before.id, deps.clock.wallMs());
    return { ...before, disabledAtMs };
  });
}
