import type { Kysely } from "kysely";
import { changeControl } from "../storage/control-version.ts";
import type { Database } from "../storage/schema.ts";
import { alreadyExists, checkName, notFound } from "./tenancy.ts";
import type { TenancyDeps } from "./tenancy.ts";

export interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly createdAtMs: number;
  /** `null`: enabled. */
  readonly disabledAtMs: number | null;
}

/** Throws `invalid_argument`, `already_exists`. */
export function createTenant(deps: TenancyDeps, name: string): Promise<Tenant> {
  checkName("tenant", name);
  return changeControl(deps.db, async (db, generation) => {
    await refuseTakenName(db, name);
    const row = {
      id: deps.ids.next("ten"),
      generation,
      name,
      created_at_ms: deps.clock.wallMs(),
      disabled_at_ms: null,
    };
    await db.insertInto("tenants").values(row).execute();
    return toTenant(row);
  });
}

/** In the order of their names. */
export async function listTenants(db: Kysely<Database>): Promise<readonly Tenant[]> {
  const rows = await db.selectFrom("tenants").selectAll().orderBy("name").execute();
  return rows.map(toTenant);
}

/** By name or id. Throws `not_found`. */
export async function findTenant(db: Kysely<Database>, nameOrId: string): Promise<Tenant> {
  const row = await db
    .selectFrom("tenants")
    .selectAll()
    .where((tenant) => tenant.or([tenant("id", "=", nameOrId), tenant("name", "=", nameOrId)]))
    .executeTakeFirst();
  if (row === undefined) throw notFound("tenant", nameOrId);
  return toTenant(row);
}

/** Throws `not_found`, `invalid_argument`, `already_exists`. */
export function renameTenant(deps: TenancyDeps, nameOrId: string, name: string): Promise<Tenant> {
  checkName("tenant", name);
  return changeControl(deps.db, async (db, generation) => {
    const tenant = await findTenant(db, nameOrId);
    if (tenant.name !== name) await refuseTakenName(db, name);
    await db.updateTable("tenants").set({ name, generation }).where("id", "=", tenant.id).execute();
    return { ...tenant, name };
  });
}

/** The keys of a disabled tenant are refused from the next request on. Throws `not_found`. */
export function setTenantDisabled(deps: TenancyDeps, nameOrId: string, disabled: boolean): Promise<Tenant> {
  return changeControl(deps.db, async (db, generation) => {
    const tenant = await findTenant(db, nameOrId);
    const disabledAtMs = disabled ? (tenant.disabledAtMs ?? deps.clock.wallMs()) : null;
    await db
      .updateTable("tenants")
      .set({ disabled_at_ms: disabledAtMs, generation })
      .where("id", "=", tenant.id)
      .execute();
    return { ...tenant, disabledAtMs };
  });
}

async function refuseTakenName(db: Kysely<Database>, name: string): Promise<void> {
  const taken = await db.selectFrom("tenants").select("id").where("name", "=", name).executeTakeFirst();
  if (taken !== undefined) throw alreadyExists("tenant", name);
}

function toTenant(row: Database["tenants"]): Tenant {
  return { id: row.id, name: row.name, createdAtMs: row.created_at_ms, disabledAtMs: row.disabled_at_ms };
}
