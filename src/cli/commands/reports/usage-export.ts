/**
 * Usage for other programs, of any length: read and written a day (or a month) at a time, so that no more than that is
 * in memory, however long the time that is asked for.
 */
import { HeadgateError } from "../../../kernel/errors.ts";
import { reportUsage, type UsageDimension } from "../../../storage/reports/usage-report.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { loadSettings, openExistingRecords } from "../../workspace.ts";
import { readNames } from "../tenancy/names.ts";
import { checkKnown } from "./known-names.ts";
import { readScope, type ScopeOptions } from "./report-scope.ts";
import { createFocusFormat } from "./usage-focus.ts";
import { createCsvFormat, createJsonFormat, type ExportFormat, type ExportShape } from "./usage-formats.ts";
import { exportPeriods } from "./usage-periods.ts";

export type ExportFormatName = "focus" | "csv" | "json";

export interface UsageExportOptions extends ScopeOptions {
  readonly project: string | null;
  readonly provider: string | null;
  readonly by: readonly UsageDimension[];
  readonly format: ExportFormatName | null;
}

export async function run(invocation: Invocation<UsageExportOptions>): Promise<ExitCode> {
  const { context, options, output } = invocation;
  const formatName = chooseFormat(options.format, output.json);
  await using records = openExistingRecords(invocation);
  const scope = await readScope(records, options);
  await checkKnown(records, loadSettings(invocation).config, scope);
  const names = await readNames(records.db);
  const format = createFormat(formatName, { by: options.by, names });
  await write(format.heading);
  for (const period of await exportPeriods(records, scope, options.by)) {
    const rows = await reportUsage(records.db, { ...scope, ...period, by: options.by });
    await write(rows.map((row) => format.line(row, period)).join(""));
  }
  return exitCodes.ok;

  async function write(text: string): Promise<void> {
    if (text === "") return;
    context.stdout.write(text);
    await context.stdout.drained();
  }
}

function chooseFormat(format: ExportFormatName | null, json: boolean): ExportFormatName {
  if (!json || format === null || format === "json") return format ?? (json ? "json" : "focus");
  throw new HeadgateError("invalid_argument", "Give --format or --json, not both.", { param: "--format" });
}

function createFormat(name: ExportFormatName, shape: ExportShape): ExportFormat {
  if (name === "focus") return createFocusFormat(shape);
  return name === "csv" ? createCsvFormat(shape) : createJsonFormat(shape);
}
