/** From the names that report options give to the ids that records hold. */
import type { Scope } from "../../../storage/reports/scope.ts";
import { findKey } from "../../../tenancy/keys.ts";
import { findProject } from "../../../tenancy/projects.ts";
import { findTenant } from "../../../tenancy/tenants.ts";
import { type Moment, timeRange } from "../../values/moment.ts";
import type { Records } from "../../workspace.ts";
import { chooseTenant } from "../tenancy/default-scope.ts";

export interface ScopeOptions {
  readonly since: Moment | null;
  readonly until: Moment | null;
  readonly tenant: string | null;
  readonly project?: string | null;
  readonly key: string | null;
  readonly provider?: string | null;
  readonly model: string | null;
}

/** Throws `not_found`, `invalid_argument` for a name that fits more than one, or a time that ends before it begins. */
export async function readScope({ db, clock }: Records, options: ScopeOptions): Promise<Scope> {
  const range = timeRange(options, clock.wallMs());
  const project =
    typeof options.project === "string"
      ? await findProject(db, { tenant: await chooseTenant(db, options.tenant), project: options.project })
      : null;
  return {
    tenantId: options.tenant === null ? null : (await findTenant(db, options.tenant)).id,
    projectId: project?.id ?? null,
    keyId: options.key === null ? null : (await findKey(db, options.key)).id,
    provider: options.provider ?? null,
    model: options.model,
    ...range,
  };
}
