import type { Kysely } from "kysely";
import { changeControl } from "../storage/control-version.ts";
import { insertKey } from "./keys.ts";
import type { CreatedKey } from "./keys.ts";
import type { Database } from "../storage/schema.ts";
import type { TenancyDeps } from "./tenancy.ts";

const DEFAULT_NAME = "default";

/** Whether there is one, disabled or not. A machine's copy of a shared store will do: tenants are never deleted. */
export async function hasTenant(db: Kysely<Database>): Promise<boolean> {
  return (await db.selectFrom("tenants").select("id").limit(1).executeTakeFirst()) !== undefined;
}

/**
 * For a store without any tenant: makes tenant, project and key `default`, so that a new gateway can be used at once.
 * `null` if there is a tenant already. Two processes starting together make one key.
 */
export async function createFirstKey(deps: TenancyDeps): Promise<CreatedKey | null> {
  if (await hasTenant(deps.db)) return null;
  return changeControl(deps.db, async (db, generation) => {
    if (await hasTenant(db)) return null;
    const named = { generation, name: DEFAULT_NAME, created_at_ms: deps.clock.wallMs(), disabled_at_ms: null };
    const tenantId = deps.ids.next("ten");
    const projectId = deps.ids.next("prj");
    await db
      .insertInto("tenants")
      .values({ id: tenantId, ...named })
      .execute();
    await db
      .insertInto("projects")
      .values({ id: projectId, tenant_id: tenantId, ...named })
      .execute();
    return insertKey(deps, db, generation, { id: projectId, tenantId }, { name: DEFAULT_NAME });
  });
}
