import type { Transaction } from "kysely";
import { HeadgateError } from "../../kernel/errors.ts";
import { changeControl } from "../../storage/control-version.ts";
import type { Database } from "../../storage/schema.ts";
import type { Allowance, AllowanceScope } from "../allowance.ts";
import { toAllowanceRow } from "../allowance-row.ts";
import type { AllowanceDeps } from "./operations.ts";
import { notFound, refuse } from "./refusals.ts";
import { type AllowanceTerms, checkTerms, describeRegime, hasTimeZone } from "./terms.ts";
import { checkWord, scopeKinds } from "./words.ts";

const END_USER_CHARS_MAX = 512;

/** What must be said; the rest has defaults. */
export interface AllowanceDraft extends Pick<AllowanceTerms, "name" | "meter" | "limit"> {
  readonly scope: AllowanceScope;
  /** Default `lifetime`, which is what slots have. */
  readonly window?: AllowanceTerms["window"];
  /** Of budgets per day, week or month; default UTC. */
  readonly timeZone?: string | null;
  /** Default: the limit itself. */
  readonly burst?: AllowanceTerms["burst"];
  /** Default: all models, all operations. */
  readonly models?: AllowanceTerms["models"];
  readonly operation?: AllowanceTerms["operation"];
  /** Default `enforce`. */
  readonly mode?: AllowanceTerms["mode"];
  /** Default `expected`. */
  readonly policy?: AllowanceTerms["policy"];
  /** Default: no alerts. */
  readonly alertPercents?: AllowanceTerms["alertPercents"];
}

/** In force from the next request on. Throws `invalid_argument`, `not_found` (what the scope names), `already_exists`. */
export async function createAllowance(deps: AllowanceDeps, draft: AllowanceDraft): Promise<Allowance> {
  const terms = termsOf(draft);
  checkScope(draft.scope);
  checkTerms(terms);
  const timeZoneGiven = draft.timeZone !== undefined && draft.timeZone !== null;
  if (timeZoneGiven && !hasTimeZone(terms)) {
    const message = `A time zone is for budgets per day, week or month; this is ${describeRegime(terms)}. Leave it out.`;
    throw refuse("timeZone", message);
  }
  return changeControl(deps.db, async (transaction, generation) => {
    await checkPlace(transaction, draft.scope);
    await refuseTakenName(transaction, draft.scope.tenantId, draft.name);
    const allowance: Allowance = {
      ...terms,
      id: deps.ids.next("alw"),
      scope: draft.scope,
      createdAtMs: deps.clock.wallMs(),
      disabledAtMs: null,
    };
    await transaction.insertInto("allowances").values(toAllowanceRow(allowance, generation)).execute();
    return allowance;
  });
}

/** For use inside a change. Throws `already_exists`. */
export async function refuseTakenName(
  transaction: Transaction<Database>,
  tenantId: string,
  name: string,
): Promise<void> {
  const taken = await transaction
    .selectFrom("allowances")
    .select("id")
    .where("tenant_id", "=", tenantId)
    .where("name", "=", name)
    .executeTakeFirst();
  if (taken === undefined) return;
  const message = `There is already an allowance named ${JSON.stringify(name)}. Choose another name, or change it with \`headgate budget set\`.`;
  throw new HeadgateError("already_exists", message, { param: "name" });
}

function termsOf(draft: AllowanceDraft): AllowanceTerms {
  return {
    name: draft.name,
    meter: draft.meter,
    limit: draft.limit,
    window: draft.window ?? "lifetime",
    timeZone: draft.timeZone ?? "UTC",
    burst: draft.burst ?? null,
    models: draft.models ?? null,
    operation: draft.operation ?? null,
    mode: draft.mode ?? "enforce",
    policy: draft.policy ?? "expected",
    alertPercents: (draft.alertPercents ?? []).toSorted((a, b) => a - b),
  };
}

/** What is below the scope's own level cannot be named. */
function checkScope({ kind, projectId, keyId, endUser }: AllowanceScope): void {
  checkWord("scope", kind, scopeKinds);
  const level = scopeKinds.indexOf(kind);
  const named: readonly (string | null)[] = [null, projectId, keyId, endUser];
  const tooDeep = scopeKinds.find((_, index) => index > level && named[index] !== null);
  if (tooDeep !== undefined)
    throw refuse("scope", `An allowance of scope ${kind} is not about one ${tooDeep}. Leave the ${tooDeep} out.`);
  if (endUser === "" || (endUser?.length ?? 0) > END_USER_CHARS_MAX) {
    throw refuse("endUser", `An end user's name has 1 to ${END_USER_CHARS_MAX} characters.`);
  }
}

/** Everything that the scope names is there and belongs together. */
async function checkPlace(transaction: Transaction<Database>, scope: AllowanceScope): Promise<void> {
  const { tenantId, projectId, keyId } = scope;
  const tenant = transaction.selectFrom("tenants").select("id").where("id", "=", tenantId);
  if ((await tenant.executeTakeFirst()) === undefined) throw notFound("tenant", tenantId);
  if (projectId !== null) {
    const project = transaction.selectFrom("projects").select("tenant_id").where("id", "=", projectId);
    const found = await project.executeTakeFirst();
    if (found === undefined) throw notFound("project", projectId);
    if (found.tenant_id !== tenantId) throw refuse("project", `The project ${projectId} belongs to another tenant.`);
  }
  if (keyId !== null) {
    const key = transaction.selectFrom("api_keys").select(["tenant_id", "project_id"]).where("id", "=", keyId);
    const found = await key.executeTakeFirst();
    if (found === undefined) throw notFound("key", keyId);
    if (found.tenant_id !== tenantId) throw refuse("key", `The key ${keyId} belongs to another tenant.`);
    if (projectId !== null && found.project_id !== projectId) {
      throw refuse("key", `The key ${keyId} belongs to another project.`);
    }
  }
}
