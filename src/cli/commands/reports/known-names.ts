/** Whether the provider and the model that a report is narrowed to have ever been there: a mistyped name is not an empty report. */
import type { Config } from "../../../config/config.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import { nearest } from "../../../kernel/nearest.ts";
import type { Records } from "../../workspace.ts";

export interface NamedCalls {
  readonly provider?: string | null;
  /** As it was served, or `provider/model` that was called. */
  readonly model?: string | null;
}

/** Throws `not_found` for a name that neither the ledger nor the configuration has. */
export async function checkKnown(
  { db }: Pick<Records, "db">,
  { providers, models }: Pick<Config, "providers" | "models">,
  { provider = null, model = null }: NamedCalls,
): Promise<void> {
  if (provider !== null) {
    const used = await db.selectFrom("usage_hours").select("provider").distinct().execute();
    refuseUnknown("provider", provider, new Set([...Object.keys(providers), ...used.map((row) => row.provider)]));
  }
  if (model !== null) {
    const served = await db.selectFrom("usage_hours").select("model_served").distinct().execute();
    const targets = Object.values(models).flatMap((alias) => alias.targets.map((target) => target.model));
    const offered = Object.entries(providers).flatMap(([name, each]) =>
      each.models.map((own) => `${name}/${own.name}`),
    );
    const known = new Set([...targets, ...offered, ...served.map((row) => row.model_served)]);
    // The ledger is long, and has no index by model.
    if (!known.has(model) && !(await wasCalled(db, model))) refuseUnknown("model", model, known);
  }
}

async function wasCalled(db: Records["db"], model: string): Promise<boolean> {
  const call = await db
    .selectFrom("ledger_entries")
    .select("entry_id")
    .where("model_target", "=", model)
    .limit(1)
    .executeTakeFirst();
  return call !== undefined;
}

function refuseUnknown(what: "provider" | "model", name: string, known: ReadonlySet<string>): void {
  if (known.has(name)) return;
  const near = nearest(name, known, 3);
  const hint =
    near.length > 0
      ? `Did you mean ${near.join(" or ")}?`
      : `\`headgate usage --by ${what}\` lists those that were used.`;
  const message = `Neither the ledger nor the configuration has a ${what} "${name}". ${hint}`;
  throw new HeadgateError("not_found", message, { param: `--${what}` });
}
