import { HeadgateError } from "../../../kernel/errors.ts";
import { reportReuse, totalSavings } from "../../../storage/reports/reuse-report.ts";
import { reportUsage, totalUsage, type UsageDimension } from "../../../storage/reports/usage-report.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { decimalUsd } from "../../values/money-text.ts";
import { isoTime } from "../../values/time-text.ts";
import { loadSettings, openExistingRecords } from "../../workspace.ts";
import { readNames } from "../tenancy/names.ts";
import { checkKnown } from "./known-names.ts";
import { readScope, type ScopeOptions } from "./report-scope.ts";
import { describeRow, renderCsvHeading, renderCsvRow, renderSavings, renderUsageTable } from "./usage-rows.ts";

export interface UsageOptions extends ScopeOptions {
  readonly project: string | null;
  readonly provider: string | null;
  readonly by: readonly UsageDimension[];
  readonly csv: boolean;
}

export async function run(invocation: Invocation<UsageOptions>): Promise<ExitCode> {
  const { options, output } = invocation;
  if (options.csv && output.json) {
    throw new HeadgateError("invalid_argument", "Give --csv or --json, not both.", { param: "--csv" });
  }
  await using records = openExistingRecords(invocation);
  const { config } = loadSettings(invocation);
  const scope = await readScope(records, options);
  await checkKnown(records, config, scope);
  const rows = await reportUsage(records.db, { ...scope, by: options.by });
  const total = totalUsage(rows);
  const savings = totalSavings(await reportReuse(records.db, scope));
  const names = await readNames(records.db);
  const { currency } = config.prices;
  const document = {
    by: options.by,
    since: isoTime(scope.fromMs ?? null),
    until: isoTime(scope.toMs ?? null),
    rows: rows.map((row) => describeRow(row, names, currency)),
    total: describeRow(total, names, currency),
    saved: { requests: savings.requests, usd: decimalUsd(savings.savedNanoUsd) },
  };
  output.result(document, () => {
    if (!options.csv)
      return renderUsageTable(rows, total, options.by, names, currency) + renderSavings(savings, currency);
    return renderCsvHeading(options.by) + rows.map((row) => renderCsvRow(row, options.by, names)).join("");
  });
  return exitCodes.ok;
}
