/** Which tenant and project a command means that names none. */
import type { Kysely } from "kysely";
import { HeadgateError } from "../../../kernel/errors.ts";
import type { Database } from "../../../storage/schema.ts";
import { listProjects, type ProjectReference } from "../../../tenancy/projects.ts";
import { listTenants } from "../../../tenancy/tenants.ts";

/** The given tenant, else the only one. Throws `invalid_argument` where that is not clear. */
export async function chooseTenant(db: Kysely<Database>, given: string | null): Promise<string> {
  if (given !== null) return given;
  return onlyOne("tenant", await listTenants(db));
}

/** The given project of the chosen tenant, else its only one. Throws `invalid_argument`, `not_found`. */
export async function chooseProject(
  db: Kysely<Database>,
  tenant: string | null,
  project: string | null,
): Promise<ProjectReference> {
  const chosen = await chooseTenant(db, tenant);
  if (project !== null) return { tenant: chosen, project };
  return { tenant: chosen, project: onlyOne("project", await listProjects(db, chosen)) };
}

function onlyOne(what: "tenant" | "project", all: readonly { readonly id: string; readonly name: string }[]): string {
  const [first, second] = all;
  if (first !== undefined && second === undefined) return first.id;
  const names = all.map(({ name }) => name);
  const message =
    first === undefined
      ? `There is no ${what} yet. Create one with \`headgate ${what} create NAME\`.`
      : `There is more than one ${what}. Say which with --${what}: ${names.slice(0, 10).join(", ")}${names.length > 10 ? ", …" : ""}.`;
  throw new HeadgateError("invalid_argument", message, { param: `--${what}` });
}
