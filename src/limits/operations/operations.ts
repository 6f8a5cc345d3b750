/**
 * Allowances: the operations that the command line and the admin API share. `create.ts` and `change.ts` say what is
 * allowed, `overrides.ts` what differs for some windows, `accounts.ts` what was used of it, `suspense.ts` what nobody
 * explained.
 *
 * Wherever an operation takes an allowance its id does as well as its name, which is unique within the tenant. Nothing is
 * deleted: what was disabled or revoked stays, so that old books can be read.
 *
 * Invariant: each change is one of storage/control-version.ts: its rows carry the new generation, by which every gateway
 * process finds them. A changed limit reaches open accounts in the same transaction; what was granted beyond it is
 * recalled, what is spent or held stays.
 */
import type { Kysely } from "kysely";
import type { Clock } from "../../kernel/clock.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import type { IdSource } from "../../kernel/ids.ts";
import type { Database } from "../../storage/schema.ts";
import type { Allowance } from "../allowance.ts";
import { toAllowance } from "../allowance-row.ts";

export interface AllowanceDeps {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: IdSource;
}

export interface AllowanceReference {
  /** Needed only where allowances of several tenants have the same name. */
  readonly tenantId: string | null;
  /** Name or id. */
  readonly allowance: string;
}

/** Throws `not_found`; `invalid_argument` where the name fits allowances of several tenants. */
export async function findAllowance(db: Kysely<Database>, reference: AllowanceReference): Promise<Allowance> {
  const { tenantId, allowance } = reference;
  let select = db
    .selectFrom("allowances")
    .selectAll()
    .where((row) => row.or([row("id", "=", allowance), row("name", "=", allowance)]));
  if (tenantId !== null) select = select.where("tenant_id", "=", tenantId);
  const [row, second] = await select.orderBy("id").limit(2).execute();
  if (row === undefined) {
    const message = `There is no allowance ${JSON.stringify(allowance)}. \`headgate budget list\` shows those there are.`;
    throw new HeadgateError("not_found", message, { param: "allowance" });
  }
  if (second !== undefined) {
    const message = `More than one tenant has an allowance named ${JSON.stringify(allowance)}. Say which tenant, or use its id: \`headgate budget list\` shows it.`;
    throw new HeadgateError("invalid_argument", message, { param: "allowance" });
  }
  return toAllowance(row);
}

/** Of one tenant, or of all; in the order of their names. */
export async function listAllowances(db: Kysely<Database>, tenantId: string | null): Promise<readonly Allowance[]> {
  let select = db.selectFrom("allowances").selectAll().orderBy("tenant_id").orderBy("name");
  if (tenantId !== null) select = select.where("tenant_id", "=", tenantId);
  return (await select.execute()).map(toAllowance);
}
