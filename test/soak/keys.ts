/** Tenants, projects and keys of a soak, made before its first gateway starts. */
import type { StorageConfig } from "../../src/config/config.ts";
import { createSystemClock } from "../../src/kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../src/kernel/ids.ts";
import { databaseOptionsOf, openDatabase } from "../../src/storage/storage.ts";
import { createKey, revokeKey } from "../../src/tenancy/keys.ts";
import { createProject } from "../../src/tenancy/projects.ts";
import type { TenancyDeps } from "../../src/tenancy/tenancy.ts";
import { createTenant } from "../../src/tenancy/tenants.ts";

export interface SoakKey {
  readonly id: string;
  readonly plainKey: string;
}

export interface SoakKeys {
  /** Keys in force, of several tenants and projects. */
  readonly keys: readonly SoakKey[];
  /** May use `sim/*` only. */
  readonly limitedKey: SoakKey;
  readonly revokedKey: SoakKey;
}

export async function createSoakKeys(storage: StorageConfig): Promise<SoakKeys> {
  const clock = createSystemClock();
  const db = openDatabase(databaseOptionsOf(storage));
  try {
    const ids = createIdSource(systemRandomFill, () => clock.wallMs());
    const deps: TenancyDeps = { db, clock, ids, randomFill: systemRandomFill };
    const add = async (tenant: string, project: string, name: string, models: string[] | null): Promise<SoakKey> => {
      const { key, plainKey } = await createKey(deps, { tenant, project }, { name, modelAllowList: models });
      return { id: key.id, plainKey };
    };
    const keys: SoakKey[] = [];
    for (const tenant of ["north", "south", "west"]) {
      await createTenant(deps, tenant);
      for (const project of ["search", "support"]) {
        await createProject(deps, tenant, project);
        for (const name of ["one", "two"]) keys.push(await add(tenant, project, `${tenant}-${project}-${name}`, null));
      }
    }
    const limitedKey = await add("west", "support", "limited", ["sim/*"]);
    const revokedKey = await add("west", "support", "revoked", null);
    await revokeKey(deps, revokedKey.id);
    return { keys, limitedKey, revokedKey };
  } finally {
    await db.destroy();
  }
}
