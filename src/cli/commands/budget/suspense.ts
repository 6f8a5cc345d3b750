/** What processes left unexplained, and what operators decided about it. */
import { HeadgateError } from "../../../kernel/errors.ts";
import type { Allowance } from "../../../limits/allowance.ts";
import { decimalAmount, formatAmount, formatBareAmount, unitOf } from "../../../limits/amount-text.ts";
import {
  type DecidedAmount,
  listDecisions,
  listSuspense,
  resolveSuspense,
  type SuspendedAmount,
} from "../../../limits/operations/suspense.ts";
import type { SuspenseDecision } from "../../../limits/operations/suspense-decision.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { renderTable } from "../../table.ts";
import { formatMinute, isoTime } from "../../values/time-text.ts";
import { openExistingRecords } from "../../workspace.ts";
import { type Names, readNames } from "../tenancy/names.ts";
import { type BudgetFilterOptions, type BudgetNameOptions, queryOf, readAllowances, referenceOf } from "./reference.ts";
import { renderSubject } from "./scope.ts";

export interface SuspenseOptions extends BudgetFilterOptions {
  readonly decided: boolean;
}

export interface SuspenseResolveOptions extends BudgetNameOptions {
  readonly decision: SuspenseDecision | null;
  readonly reason: string;
  readonly owner: string | null;
}

/** What the rows of both lists need to be read. */
interface Reading {
  readonly names: Names;
  readonly allowanceOf: (id: string) => Allowance;
}

export async function list(invocation: Invocation<SuspenseOptions>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const { db } = records;
  const query = await queryOf(db, invocation.options);
  const reading: Reading = { names: await readNames(db), allowanceOf: await readAllowances(db) };
  const suspended = await listSuspense(db, query);
  const decided = await listDecisions(db, query);
  const document = {
    suspended: suspended.map((row) => describeSuspended(row, reading)),
    decided: decided.map((row) => describeDecided(row, reading)),
  };
  const render = invocation.options.decided
    ? (): string => renderDecided(decided, reading)
    : (): string => renderSuspended(suspended, reading);
  invocation.output.result(document, render);
  return exitCodes.ok;
}

export async function resolve(invocation: Invocation<SuspenseResolveOptions>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const { options, output } = invocation;
  const { decision, reason, owner } = options;
  if (decision === null) {
    const message =
      "Say what becomes of it: --decision release makes it available again, --decision spend counts it as spent.";
    throw new HeadgateError("invalid_argument", message, { param: "--decision" });
  }
  const { db } = records;
  const reading: Reading = { names: await readNames(db), allowanceOf: await readAllowances(db) };
  const resolution = { decision, reason, ownerId: owner };
  const decided = await resolveSuspense(records, await referenceOf(db, options), resolution);
  output.result({ decided: decided.map((row) => describeDecided(row, reading)) }, () =>
    decided.map((row) => renderDecision(row, reading)).join(""),
  );
  return exitCodes.ok;
}

function renderSuspended(suspended: readonly SuspendedAmount[], { names, allowanceOf }: Reading): string {
  if (suspended.length === 0) return "Nothing is in suspense.\n";
  return renderTable(suspended, [
    { title: "allowance", cell: ({ allowanceId }) => allowanceOf(allowanceId).name },
    { title: "of", cell: ({ allowanceId, subject }) => renderSubject(allowanceOf(allowanceId), subject, names) },
    {
      title: "amount",
      cell: ({ allowanceId, amount }) => formatBareAmount(allowanceOf(allowanceId).meter, amount),
      align: "right",
    },
    { title: "since (UTC)", cell: ({ sinceMs }) => formatMinute(sinceMs) },
    { title: "process", cell: ({ instanceId }) => instanceId },
    { title: "owner", cell: ({ ownerId }) => ownerId },
  ]);
}

function renderDecided(decided: readonly DecidedAmount[], { names, allowanceOf }: Reading): string {
  if (decided.length === 0) return "Nothing was decided so far.\n";
  return renderTable(decided, [
    { title: "decided (UTC)", cell: ({ decidedAtMs }) => formatMinute(decidedAtMs) },
    { title: "allowance", cell: ({ allowanceId }) => allowanceOf(allowanceId).name },
    { title: "of", cell: ({ allowanceId, subject }) => renderSubject(allowanceOf(allowanceId), subject, names) },
    {
      title: "amount",
      cell: ({ allowanceId, amount }) => formatBareAmount(allowanceOf(allowanceId).meter, amount),
      align: "right",
    },
    { title: "decision", cell: ({ decision }) => decision },
    { title: "reason", cell: ({ reason }) => reason },
  ]);
}

function renderDecision({ allowanceId, amount, decision, ownerId }: DecidedAmount, { allowanceOf }: Reading): string {
  const { name, meter } = allowanceOf(allowanceId);
  const effect = decision === "release" ? "is available again" : "counts as spent";
  return `${formatAmount(meter, amount)} of ${name}, left by ${ownerId}, ${effect}.\n`;
}

function describeSuspended(row: SuspendedAmount, reading: Reading): Readonly<Record<string, unknown>> {
  return {
    ...describeAmount(row, reading),
    owner: row.ownerId,
    instance: row.instanceId,
    since: isoTime(row.sinceMs),
  };
}

function describeDecided(row: DecidedAmount, reading: Reading): Readonly<Record<string, unknown>> {
  return {
    id: row.id,
    ...describeAmount(row, reading),
    owner: row.ownerId,
    decision: row.decision,
    reason: row.reason,
    decidedAt: isoTime(row.decidedAtMs),
  };
}

function describeAmount(
  row: SuspendedAmount | DecidedAmount,
  { names, allowanceOf }: Reading,
): Readonly<Record<string, unknown>> {
  const allowance = allowanceOf(row.allowanceId);
  const { id, name, meter } = allowance;
  return {
    allowance: { id, name },
    account: row.accountId,
    subject: row.subject === "" ? null : { id: row.subject, name: renderSubject(allowance, row.subject, names) },
    unit: unitOf(meter),
    amount: decimalAmount(meter, row.amount),
  };
}
