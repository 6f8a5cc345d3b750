/** Whom an allowance counts: from what options name to ids, and from ids to what people read. */
import { HeadgateError } from "../../../kernel/errors.ts";
import type { Allowance, AllowanceScope } from "../../../limits/allowance.ts";
import { findKeyInForce } from "../../../tenancy/keys.ts";
import { findProject } from "../../../tenancy/projects.ts";
import { findTenant } from "../../../tenancy/tenants.ts";
import type { Records } from "../../workspace.ts";
import { chooseTenant } from "../tenancy/default-scope.ts";
import type { Names } from "../tenancy/names.ts";

export interface ScopeOptions {
  readonly tenant: string | null;
  /** Name or id; `each` counts each one apart. */
  readonly project: string | null;
  readonly key: string | null;
  readonly endUser: string | null;
}

const EACH = "each";

/** The deepest option says what is counted. Throws `not_found`, `invalid_argument`. */
export async function chooseScope(
  { db, clock }: Pick<Records, "db" | "clock">,
  options: ScopeOptions,
): Promise<AllowanceScope> {
  const tenant = await findTenant(db, await chooseTenant(db, options.tenant));
  const kind = kindOf(options);
  refuseEachAbove(kind, options);
  const { project, key, endUser } = options;
  return {
    kind,
    tenantId: tenant.id,
    projectId: project === null || project === EACH ? null : (await findProject(db, { tenant: tenant.id, project })).id,
    keyId: key === null || key === EACH ? null : (await findKeyInForce(db, key, clock.wallMs())).id,
    endUser: endUser === EACH ? null : endUser,
  };
}

/** Whether it counts each project, key or end user apart. */
export function countsEach({ kind, projectId, keyId, endUser }: AllowanceScope): boolean {
  const own = { tenant: "", project: projectId, key: keyId, "end-user": endUser };
  return own[kind] === null;
}

/** `tenant`, `each key of project search`, `end user anna`. */
export function renderScope({ scope }: Pick<Allowance, "scope">, names: Names): string {
  const { kind, projectId, keyId, endUser } = scope;
  const project = projectId === null ? null : `project ${names.project(projectId)}`;
  const key = keyId === null ? null : `key ${names.key(keyId)}`;
  switch (kind) {
    case "tenant":
      return "tenant";
    case "project":
      return project ?? "each project";
    case "key":
      return key ?? within("each key", project);
    case "end-user":
      return within(endUser === null ? "each end user" : `end user ${endUser}`, key ?? project);
  }
}

/** What an account of it is about, as people call it. */
export function renderSubject({ scope }: Pick<Allowance, "scope">, subject: string, names: Names): string {
  if (subject === "") return "-";
  if (scope.kind === "project") return names.project(subject);
  return scope.kind === "key" ? names.key(subject) : subject;
}

function within(what: string, outer: string | null): string {
  return outer === null ? what : `${what} of ${outer}`;
}

function kindOf({ project, key, endUser }: ScopeOptions): AllowanceScope["kind"] {
  if (endUser !== null) return "end-user";
  if (key !== null) return "key";
  return project === null ? "tenant" : "project";
}

function refuseEachAbove(kind: AllowanceScope["kind"], { project, key }: ScopeOptions): void {
  const flag = project === EACH && kind !== "project" ? "--project" : key === EACH && kind !== "key" ? "--key" : null;
  if (flag === null) return;
  const message = `${flag} each says nothing beside a narrower option, which counts over all of them anyway. Leave it out.`;
  throw new HeadgateError("invalid_argument", message, { param: flag });
}
