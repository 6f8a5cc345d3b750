/**
 * Usage in the columns of the FinOps Open Cost and Usage Specification (FOCUS 1.2, https://focus.finops.org), as CSV: a
 * tenant is a billing account, a project a sub account, a key the resource that was used, a model the service. The
 * gateway knows one price of a call, so the four costs are equal. Columns of our own begin with `x_`, as the
 * specification asks; what a row does not tell apart is empty. What a correction changes of cost and usage is in the
 * period in which it was made; what its attempt counts as, in the period of its charge.
 */
import type { Usage } from "../../../kernel/usage.ts";
import { totalInputTokens, totalOutputTokens, usageBuckets } from "../../../kernel/usage.ts";
import type { UsageDimension, UsageRow } from "../../../storage/reports/usage-report.ts";
import { renderCsv } from "../../values/csv.ts";
import { decimalUsd } from "../../values/money-text.ts";
import type { Names } from "../tenancy/names.ts";
import type { ExportFormat, ExportShape } from "./usage-formats.ts";
import { nextMonth, type Period } from "./usage-periods.ts";

interface FocusRow {
  readonly row: UsageRow;
  readonly member: (dimension: UsageDimension) => string;
  readonly names: Names;
  /** Of the row itself. */
  readonly charged: Period;
}

type Column = readonly [name: string, cell: (row: FocusRow) => string | number];

const columns: readonly Column[] = [
  ["BilledCost", ({ row }) => decimalUsd(row.costNanoUsd)],
  ["EffectiveCost", ({ row }) => decimalUsd(row.costNanoUsd)],
  ["ListCost", ({ row }) => decimalUsd(row.costNanoUsd)],
  ["ContractedCost", ({ row }) => decimalUsd(row.costNanoUsd)],
  ["BillingCurrency", () => "USD"],
  ["BillingAccountId", ({ member }) => member("tenant")],
  ["BillingAccountName", ({ member, names }) => names.tenant(member("tenant"))],
  ["SubAccountId", ({ member }) => member("project")],
  ["SubAccountName", ({ member, names }) => names.project(member("project"))],
  ["BillingPeriodStart", ({ charged }) => time(startOfMonth(charged.fromMs))],
  ["BillingPeriodEnd", ({ charged }) => time(nextMonth(charged.fromMs))],
  ["ChargePeriodStart", ({ charged }) => time(charged.fromMs)],
  ["ChargePeriodEnd", ({ charged }) => time(charged.toMs)],
  ["ChargeCategory", () => "Usage"],
  ["ChargeClass", () => ""],
  ["ChargeDescription", describe],
  ["ChargeFrequency", () => "Usage-Based"],
  ["ConsumedQuantity", ({ row }) => totalTokens(row.usage)],
  ["ConsumedUnit", () => "Tokens"],
  ["InvoiceIssuerName", ({ member }) => member("provider")],
  ["ProviderName", ({ member }) => member("provider")],
  ["PublisherName", ({ member }) => member("provider")],
  ["ServiceCategory", () => "AI and Machine Learning"],
  ["ServiceSubcategory", () => "Generative AI"],
  ["ServiceName", ({ member }) => member("model")],
  ["SkuId", ({ member }) => member("model")],
  ["ResourceId", ({ member }) => member("key")],
  ["ResourceName", ({ member, names }) => names.key(member("key"))],
  ["ResourceType", ({ member }) => (member("key") === "" ? "" : "API key")],
  ["Tags", tags],
  ["x_Requests", ({ row }) => row.requests],
  ["x_Attempts", ({ row }) => row.attempts],
  ["x_UnpricedAttempts", ({ row }) => row.unpriced],
  ["x_EstimatedAttempts", ({ row }) => row.bases.metered + row.bases["worst-case"]],
  ...usageBuckets.map((bucket): Column => [
    `x_${bucket.charAt(0).toUpperCase()}${bucket.slice(1)}`,
    ({ row }) => row.usage[bucket],
  ]),
];

export function createFocusFormat({ names }: ExportShape): ExportFormat {
  return {
    heading: renderCsv([columns.map(([name]) => name)]),
    line(row, period) {
      const member = (dimension: UsageDimension): string => row.group[dimension] ?? "";
      const shown: FocusRow = { row, member, names, charged: chargePeriod(row, period) };
      return renderCsv([columns.map(([, cell]) => cell(shown))]);
    },
  };
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The row's own hour, day or month; the report's time where it does not tell times apart. */
function chargePeriod({ group }: UsageRow, period: Period): Period {
  const { hour, day, month } = group;
  if (hour !== undefined) return from(Date.parse(`${hour}Z`), HOUR_MS);
  if (day !== undefined) return from(Date.parse(`${day}T00:00Z`), DAY_MS);
  if (month === undefined) return period;
  const fromMs = Date.parse(`${month}-01T00:00Z`);
  return { fromMs, toMs: nextMonth(fromMs) };
}

function from(fromMs: number, lengthMs: number): Period {
  return { fromMs, toMs: fromMs + lengthMs };
}

function startOfMonth(ms: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

/** As the specification writes it: UTC, to the second. */
function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function describe({ member }: FocusRow): string {
  const operation = member("operation");
  const what = [operation, member("model")].filter((part) => part !== "").join(" with ");
  return what === "" ? "AI usage" : what;
}

function tags({ member }: FocusRow): string {
  const known = (["operation", "end-user"] as const).filter((dimension) => member(dimension) !== "");
  return JSON.stringify(Object.fromEntries(known.map((dimension) => [dimension, member(dimension)])));
}

function totalTokens(usage: Usage): number {
  return totalInputTokens(usage) + totalOutputTokens(usage);
}
