/** Which allowances a command means. */
import type { Kysely } from "kysely";
import { HeadgateError } from "../../../kernel/errors.ts";
import type { Allowance } from "../../../limits/allowance.ts";
import { type AllowanceReference, findAllowance, listAllowances } from "../../../limits/operations/operations.ts";
import type { Database } from "../../../storage/schema.ts";
import { findTenant } from "../../../tenancy/tenants.ts";

export interface BudgetNameOptions {
  readonly allowance: string;
  /** Needed only where allowances of several tenants have the same name. */
  readonly tenant: string | null;
}

/** What a list is narrowed to. */
export interface BudgetFilterOptions {
  readonly allowance: string | null;
  readonly tenant: string | null;
}

/** Throws `not_found` for an unknown tenant. */
export async function referenceOf(
  db: Kysely<Database>,
  { allowance, tenant }: BudgetNameOptions,
): Promise<AllowanceReference> {
  return { allowance, tenantId: await tenantIdOf(db, tenant) };
}

/** Throws `not_found`. */
export async function tenantIdOf(db: Kysely<Database>, tenant: string | null): Promise<string | null> {
  return tenant === null ? null : (await findTenant(db, tenant)).id;
}

/** Throws `not_found`, `invalid_argument`. */
export async function queryOf(
  db: Kysely<Database>,
  { allowance, tenant }: BudgetFilterOptions,
): Promise<{ readonly tenantId: string | null; readonly allowanceId: string | null }> {
  const tenantId = await tenantIdOf(db, tenant);
  return { tenantId, allowanceId: allowance === null ? null : (await findAllowance(db, { allowance, tenantId })).id };
}

/** The allowances of rows that name them. */
export async function readAllowances(db: Kysely<Database>): Promise<(id: string) => Allowance> {
  const allowances = new Map((await listAllowances(db, null)).map((allowance) => [allowance.id, allowance]));
  return (id) => {
    const allowance = allowances.get(id);
    if (allowance === undefined)
      throw new HeadgateError("internal", `There are rows of an allowance ${id}, but not itself.`);
    return allowance;
  };
}
