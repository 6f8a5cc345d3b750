/** What was used of one allowance, account by account. */
import { type Allowance, type AllowanceWindow, type Meter, regimeOf } from "../../../limits/allowance.ts";
import { decimalAmount, formatAmount, formatBareAmount } from "../../../limits/amount-text.ts";
import { type AccountReport, listAccounts } from "../../../limits/operations/accounts.ts";
import { findAllowance } from "../../../limits/operations/operations.ts";
import { listOverrides, type Override } from "../../../limits/operations/overrides.ts";
import { hasCalendarWindows } from "../../../limits/operations/terms.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { type Column, formatCount, renderTable } from "../../table.ts";
import { formatMinute, isoTime } from "../../values/time-text.ts";
import { openExistingRecords } from "../../workspace.ts";
import { type Names, readNames } from "../tenancy/names.ts";
import { describeAllowance, renderTerms, stateOf } from "./describe.ts";
import { describeOverride, renderOverride } from "./override-text.ts";
import { type BudgetNameOptions, referenceOf } from "./reference.ts";
import { countsEach, renderSubject } from "./scope.ts";

export interface BudgetShowOptions extends BudgetNameOptions {
  readonly past: boolean;
  readonly limit: number;
}

interface Shown {
  readonly allowance: Allowance;
  readonly overrides: readonly Override[];
  readonly accounts: readonly AccountReport[];
  /** How many there are, shown or not. */
  readonly count: number;
  readonly names: Names;
}

export async function show(invocation: Invocation<BudgetShowOptions>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const { options, output } = invocation;
  const nowMs = records.clock.wallMs();
  const allowance = await findAllowance(records.db, await referenceOf(records.db, options));
  const { accounts, count } = await listAccounts(records.db, allowance, {
    nowMs,
    past: options.past,
    limit: options.limit,
  });
  const names = await readNames(records.db);
  const shown: Shown = {
    allowance,
    overrides: await listOverrides(records.db, { tenantId: null, allowanceId: allowance.id, inForceAtMs: nowMs }),
    accounts,
    count,
    names,
  };
  output.result(describeShown(shown), () => renderShown(shown));
  return exitCodes.ok;
}

function describeShown({ allowance, overrides, accounts, count, names }: Shown): Readonly<Record<string, unknown>> {
  return {
    ...describeAllowance(allowance, names),
    overrides: overrides.map((override) => describeOverride(override, allowance)),
    accounts: accounts.map((account) => describeAccount(account, allowance, names)),
    accountCount: count,
  };
}

function describeAccount(
  account: AccountReport,
  allowance: Allowance,
  names: Names,
): Readonly<Record<string, unknown>> {
  const text = (amount: bigint | null): string | null =>
    amount === null ? null : decimalAmount(allowance.meter, amount);
  const { subject, forecast } = account;
  return {
    id: account.accountId,
    subject: subject === "" ? null : { id: subject, name: renderSubject(allowance, subject, names) },
    windowStart: isoTime(account.windowStartMs),
    windowEnd: isoTime(account.windowEndMs),
    limit: text(account.limit),
    spent: text(account.spent),
    held: text(account.held),
    granted: text(account.granted),
    suspense: text(account.suspense),
    available: text(account.available),
    refusals: account.refusals,
    forecast: text(forecast.spentAtEnd),
    runsOutAt: isoTime(forecast.runsOutAtMs),
  };
}

function renderShown(shown: Shown): string {
  const { allowance, overrides, accounts, count, names } = shown;
  const disabled = stateOf(allowance) === "disabled" ? "It is disabled and limits nothing.\n" : "";
  const lines = [
    `${allowance.name} (${allowance.id}): ${renderTerms(allowance, names)}.\n${disabled}`,
    ...overrides.map((override) => `Override ${override.id}: ${renderOverride(override, allowance)}.\n`),
  ];
  if (accounts.length === 0) return `${lines.join("")}\nNothing has been drawn from it in the current window.\n`;
  const more = count - accounts.length;
  const rest = more === 0 ? "" : `${formatCount(more)} more; --limit shows them.\n`;
  return `${lines.join("")}\n${renderTable(accounts, columnsOf(shown))}${rest}${renderSuspense(shown)}`;
}

function columnsOf({ allowance, names }: Shown): readonly Column<AccountReport>[] {
  const { meter, window, scope } = allowance;
  const subject: Column<AccountReport> = {
    title: scope.kind,
    cell: (account) => renderSubject(allowance, account.subject, names),
  };
  const isBudget = regimeOf(meter, window) === "budget";
  return [
    ...(countsEach(scope) ? [subject] : []),
    ...(hasCalendarWindows(allowance) ? [timeColumn("window from (UTC)", ({ windowStartMs }) => windowStartMs)] : []),
    amountColumn(meter, "limit", ({ limit }) => limit),
    amountColumn(meter, "spent", ({ spent }) => spent),
    amountColumn(meter, "held", ({ held }) => held),
    amountColumn(meter, "granted", ({ granted }) => granted),
    amountColumn(meter, "suspense", ({ suspense }) => suspense),
    amountColumn(meter, "available", ({ available }) => available),
    { title: "refusals", cell: ({ refusals }) => formatCount(refusals), align: "right" },
    ...(isBudget ? forecastColumns(meter, window) : []),
  ];
}

/** Without an end of the window there is nothing that will be spent at its end. */
function forecastColumns(meter: Meter, window: AllowanceWindow): readonly Column<AccountReport>[] {
  const runsOut = timeColumn("runs out (UTC)", ({ forecast }) => forecast.runsOutAtMs);
  if (window === "lifetime") return [runsOut];
  return [amountColumn(meter, "forecast", ({ forecast }) => forecast.spentAtEnd), runsOut];
}

function timeColumn(title: string, read: (account: AccountReport) => number | null): Column<AccountReport> {
  const cell = (account: AccountReport): string => {
    const ms = read(account);
    return ms === null ? "-" : formatMinute(ms);
  };
  return { title, cell };
}

function amountColumn(
  meter: Meter,
  title: string,
  read: (account: AccountReport) => bigint | null,
): Column<AccountReport> {
  const cell = (account: AccountReport): string => {
    const amount = read(account);
    return amount === null ? "-" : formatBareAmount(meter, amount);
  };
  return { title, cell, align: "right" };
}

function renderSuspense({ allowance, accounts }: Shown): string {
  const suspended = accounts.reduce((sum, { suspense }) => sum + suspense, 0n);
  if (suspended === 0n) return "";
  const amount = formatAmount(allowance.meter, suspended);
  return `${amount} in suspense: \`headgate budget suspense ${allowance.name}\` shows who left it.\n`;
}
