import type { Kysely } from "kysely";
import { changeControl } from "../storage/control-version.ts";
import type { Database } from "../storage/schema.ts";
import { alreadyExists, checkName, notFound } from "./tenancy.ts";
import type { TenancyDeps } from "./tenancy.ts";
import { findTenant } from "./tenants.ts";

export interface Project {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly createdAtMs: number;
  /** `null`: enabled. */
  readonly disabledAtMs: number | null;
}

/** A project by its own name or id and its tenant's. */
export interface ProjectReference {
  readonly tenant: string;
  readonly project: string;
}

/** Throws `invalid_argument`, `not_found` (the tenant), `already_exists`. */
export function createProject(deps: TenancyDeps, tenant: string, name: string): Promise<Project> {
  checkName("project", name);
  return changeControl(deps.db, async (db, generation) => {
    const { id: tenantId } = await findTenant(db, tenant);
    await refuseTakenName(db, tenantId, name);
    const row = {
      id: deps.ids.next("prj"),
      generation,
      tenant_id: tenantId,
      name,
      created_at_ms: deps.clock.wallMs(),
      disabled_at_ms: null,
    };
    await db.insertInto("projects").values(row).execute();
    return toProject(row);
  });
}

/** Of one tenant, or of all; in the order of their names. Throws `not_found`. */
export async function listProjects(db: Kysely<Database>, tenant: string | null): Promise<readonly Project[]> {
  let select = db.selectFrom("projects").selectAll().orderBy("tenant_id").orderBy("name");
  if (tenant !== null) select = select.where("tenant_id", "=", (await findTenant(db, tenant)).id);
  return (await select.execute()).map(toProject);
}

/** Throws `not_found`. */
export async function findProject(db: Kysely<Database>, reference: ProjectReference): Promise<Project> {
  const { id: tenantId } = await findTenant(db, reference.tenant);
  const row = await db
    .selectFrom("projects")
    .selectAll()
    .where("tenant_id", "=", tenantId)
    .where((project) => project.or([project("id", "=", reference.project), project("name", "=", reference.project)]))
    .executeTakeFirst();
  if (row === undefined) throw notFound("project", reference.project);
  return toProject(row);
}

/** Throws `not_found`, `invalid_argument`, `already_exists`. */
export function renameProject(deps: TenancyDeps, reference: ProjectReference, name: string): Promise<Project> {
  checkName("project", name);
  return changeControl(deps.db, async (db, generation) => {
    const project = await findProject(db, reference);
    if (project.name !== name) await refuseTakenName(db, project.tenantId, name);
    await db.updateTable("projects").set({ name, generation }).where("id", "=", project.id).execute();
    return { ...project, name };
  });
}

/** The keys of a disabled project are refused from the next request on. Throws `not_found`. */
export function setProjectDisabled(
  deps: TenancyDeps,
  reference: ProjectReference,
  disabled: boolean,
): Promise<Project> {
  return changeControl(deps.db, async (db, generation) => {
    const project = await findProject(db, reference);
    const disabledAtMs = disabled ? (project.disabledAtMs ?? deps.clock.wallMs()) : null;
    await db
      .updateTable("projects")
      .set({ disabled_at_ms: disabledAtMs, generation })
      .where("id", "=", project.id)
      .execute();
    return { ...project, disabledAtMs };
  });
}

async function refuseTakenName(db: Kysely<Database>, tenantId: string, name: string): Promise<void> {
  const taken = await db
    .selectFrom("projects")
    .select("id")
    .where("tenant_id", "=", tenantId)
    .where("name", "=", name)
    .executeTakeFirst();
  if (taken !== undefined) throw alreadyExists("project", name);
}

function toProject(row: Database["projects"]): Project {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    name: row.name,
    createdAtMs: row.created_at_ms,
    disabledAtMs: row.disabled_at_ms,
  };
}
