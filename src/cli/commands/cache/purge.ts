import { HeadgateError } from "../../../kernel/errors.ts";
import { openAnswers } from "../../../storage/answers/open-answers.ts";
import { purgeCache } from "../../../storage/answers/cache-purges.ts";
import { databaseOptionsOf } from "../../../storage/storage.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { formatCount } from "../../table.ts";
import { loadSettings, openExistingRecords } from "../../workspace.ts";
import { tenantIdOf } from "../budget/reference.ts";

export interface CachePurgeOptions {
  readonly tenant: string | null;
  readonly model: string | null;
  readonly all: boolean;
}

export async function purge(invocation: Invocation<CachePurgeOptions>): Promise<ExitCode> {
  const { options, output, context } = invocation;
  const { tenant, model, all } = options;
  const narrowed = tenant !== null || model !== null;
  if (narrowed === all) {
    const message = all
      ? "--all drops everything: give it without --tenant and --model."
      : "Say what is to be dropped: --tenant, --model, both, or --all.";
    throw new HeadgateError("invalid_argument", message, { param: "--all" });
  }
  await using records = openExistingRecords(invocation);
  const { storage } = loadSettings(invocation).config;
  await using kept = openAnswers(databaseOptionsOf(storage), context.clock);
  const scope = { tenantId: await tenantIdOf(records.db, tenant), model };
  const dropped = await purgeCache({ ...records, answers: kept.answers }, scope);
  const answers = dropped === 1 ? "1 answer" : `${formatCount(dropped)} answers`;
  output.result({ tenant, model, dropped }, () => `Dropped ${answers}. Running gateways give none of them any more.\n`);
  return exitCodes.ok;
}
