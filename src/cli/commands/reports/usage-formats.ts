/** Usage as lines of CSV, as `headgate usage --csv` has them, and as lines of JSON. */
import type { UsageDimension, UsageRow } from "../../../storage/reports/usage-report.ts";
import type { Names } from "../tenancy/names.ts";
import type { Period } from "./usage-periods.ts";
import { describeRow, renderCsvHeading, renderCsvRow } from "./usage-rows.ts";

/** Each line ends in a line feed. */
export interface ExportFormat {
  /** Empty where the format has none. */
  readonly heading: string;
  /** `period`: of the report that the row is from. */
  line(row: UsageRow, period: Period): string;
}

export interface ExportShape {
  readonly by: readonly UsageDimension[];
  readonly names: Names;
}

export function createCsvFormat({ by, names }: ExportShape): ExportFormat {
  return { heading: renderCsvHeading(by), line: (row) => renderCsvRow(row, by, names) };
}

export function createJsonFormat({ names }: ExportShape): ExportFormat {
  return { heading: "", line: (row) => `${JSON.stringify(describeRow(row, names))}\n` };
}
