/** The usage report as a table, as CSV and as JSON. Cached input is what was read from a cache or written to one. */
import type { CurrencyConfig } from "../../../config/config.ts";
import { formatUsd } from "../../../kernel/money.ts";
import { type Usage, usageBuckets } from "../../../kernel/usage.ts";
import type { Savings } from "../../../storage/reports/reuse-report.ts";
import type { UsageDimension, UsageRow } from "../../../storage/reports/usage-report.ts";
import { type Column, formatCount, renderTable } from "../../table.ts";
import { renderCsv } from "../../values/csv.ts";
import { formatMoney, inCurrency } from "../../values/currency.ts";
import { decimalUsd } from "../../values/money-text.ts";
import type { Names } from "../tenancy/names.ts";

export function describeRow(
  row: UsageRow,
  names: Names,
  currency: CurrencyConfig = dollarsOnly,
): Readonly<Record<string, unknown>> {
  const { group, requests, attempts, usage, costNanoUsd, unpriced, bases } = row;
  const named = (Object.keys(group) as UsageDimension[]).map((dimension) => [
    dimension,
    memberOf(row, dimension, names),
  ]);
  return {
    group: Object.fromEntries(named) as unknown,
    requests,
    attempts,
    usage,
    costUsd: decimalUsd(costNanoUsd),
    ...(currency.code === null ? {} : { [`cost${currency.code}`]: inCurrency(costNanoUsd, currency) }),
    unpriced,
    bases,
  };
}

const dollarsOnly: CurrencyConfig = { code: null, perUsd: null };

export function renderUsageTable(
  rows: readonly UsageRow[],
  total: UsageRow,
  by: readonly UsageDimension[],
  names: Names,
  currency: CurrencyConfig,
): string {
  const groups: Column<UsageRow>[] = by.map((dimension, index) => ({
    title: dimension,
    cell: (row) => (row === total ? (index === 0 ? "total" : "") : nameOf(row, dimension, names)),
  }));
  const table = renderTable(rows.length === 0 ? [] : [...rows, total], [
    ...groups,
    ...figures,
    ...inCurrencyToo(currency),
  ]);
  if (rows.length === 0) return "Nothing was used in that time.\n";
  return table + footer(total);
}

/** Empty where nothing was saved. */
export function renderSavings({ requests, savedNanoUsd }: Savings, currency: CurrencyConfig): string {
  if (requests === 0) return "";
  const what = requests === 1 ? "1 request was" : `${formatCount(requests)} requests were`;
  return `${what} answered without a call, which saved ${formatMoney(savedNanoUsd, currency)}: headgate cache stats.\n`;
}

export function renderCsvHeading(by: readonly UsageDimension[]): string {
  return renderCsv([[...by, "requests", "attempts", ...usageBuckets, "costUsd", "unpriced", "estimated"]]);
}

export function renderCsvRow(row: UsageRow, by: readonly UsageDimension[], names: Names): string {
  const line = [
    ...by.map((dimension) => nameOf(row, dimension, names)),
    row.requests,
    row.attempts,
    ...usageBuckets.map((bucket) => row.usage[bucket]),
    decimalUsd(row.costNanoUsd),
    row.unpriced,
    estimated(row),
  ];
  return renderCsv([line]);
}

const figures: readonly Column<UsageRow>[] = [
  count("requests", (row) => row.requests),
  count("attempts", (row) => row.attempts),
  count("input", ({ usage }) => usage.inputTokens + usage.audioInputTokens + usage.imageInputTokens),
  count("cached", ({ usage }) => cachedTokens(usage)),
  count("output", ({ usage }) => usage.outputTokens + usage.audioOutputTokens + usage.imageOutputTokens),
  count("reasoning", ({ usage }) => usage.reasoningTokens),
  { title: "cost", cell: ({ costNanoUsd }) => formatUsd(costNanoUsd), align: "right" },
];

function inCurrencyToo(currency: CurrencyConfig): readonly Column<UsageRow>[] {
  if (currency.code === null) return [];
  const cell = ({ costNanoUsd }: UsageRow): string => inCurrency(costNanoUsd, currency) ?? "";
  return [{ title: currency.code, cell, align: "right" }];
}

function count(title: string, of: (row: UsageRow) => number): Column<UsageRow> {
  return { title, cell: (row) => formatCount(of(row)), align: "right" };
}

function cachedTokens(usage: Usage): number {
  return usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
}

function footer(total: UsageRow): string {
  const { unpriced, attempts } = total;
  const notes: string[] = [];
  if (unpriced > 0) {
    notes.push(
      `${formatCount(unpriced)} of ${formatCount(attempts)} attempts have no known price: see headgate prices missing.`,
    );
  }
  if (estimated(total) > 0) {
    notes.push(
      `${formatCount(estimated(total))} of ${formatCount(attempts)} attempts are charged by our own count or a worst case: what they used is not known from their providers.`,
    );
  }
  return notes.map((note) => `\n${note}`).join("") + (notes.length > 0 ? "\n" : "");
}

/** Attempts whose usage is not what the provider says. */
function estimated({ bases }: UsageRow): number {
  return bases.metered + bases["worst-case"];
}

/** The member of a group as JSON shows it: things with an id have a name besides. */
function memberOf(row: UsageRow, dimension: UsageDimension, names: Names): unknown {
  const value = row.group[dimension] ?? "";
  const hasId = dimension === "tenant" || dimension === "project" || dimension === "key";
  return hasId ? { id: value, name: names[dimension](value) } : value;
}

function nameOf(row: UsageRow, dimension: UsageDimension, names: Names): string {
  const value = row.group[dimension] ?? "";
  return dimension === "tenant" || dimension === "project" || dimension === "key" ? names[dimension](value) : value;
}
