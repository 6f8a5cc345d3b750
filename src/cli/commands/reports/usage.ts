import { HeadgateError } from "../../../kernel/errors.ts";
import { reportUsage, totalUsage, type UsageDimension } from "../../../storage/reports/usage-report.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { isoTime } from "../../values/time-text.ts";
import { openExistingRecords } from "../../workspace.ts";
import { readNames } from "../tenancy/names.ts";
import { readScope, type ScopeOptions } from "./report-scope.ts";
import { describeRow, renderUsageCsv, renderUsageTable } from "./usage-rows.ts";

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
  const scope = await readScope(records, options);
  const rows = await reportUsage(records.db, { ...scope, by: options.by });
  const total = totalUsage(rows);
  const names = await readNames(records.db);
  const document = {
    by: options.by,
    since: isoTime(scope.fromMs ?? null),
    until: isoTime(scope.toMs ?? null),
    rows: rows.map((row) => describeRow(row, names)),
    total: describeRow(total, names),
  };
  output.result(document, () =>
    options.csv ? renderUsageCsv(rows, options.by, names) : renderUsageTable(rows, total, options.by, names),
  );
  return exitCodes.ok;
}
