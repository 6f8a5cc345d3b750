/** One attempt and one line of the invoice: their figures in the same buckets, and how a finding shows them. */
import { emptyUsage, usageBuckets, type Usage } from "../../src/kernel/usage.ts";
import type { LedgerEntry } from "../../src/storage/records.ts";
import { usageOfLine } from "../support/invoice-usage.ts";
import type { Outcome } from "./caller.ts";
import type { Attempt, RequestRow } from "./ledger-books.ts";
import type { InvoiceLine } from "./simulator-books.ts";

/** Charge and correction together. */
export function balanceOf({ charge, corrections }: Attempt): { readonly costNanoUsd: bigint; readonly usage: Usage } {
  const usage = emptyUsage();
  let costNanoUsd = 0n;
  for (const entry of charge === null ? corrections : [charge, ...corrections]) {
    costNanoUsd += entry.costNanoUsd;
    for (const bucket of usageBuckets) usage[bucket] += entry.usage[bucket];
  }
  return { costNanoUsd, usage };
}

export function describeLine(line: InvoiceLine): string {
  const { endpoint, stream, ended } = line;
  return `billed ${line.costNanoUsd} for ${line.model} ${endpoint}${stream ? " stream" : ""} ${ended} ${describeUsage(usageOfLine(line))}`;
}

export function describeAttempt(attempt: Attempt): string {
  const { charge, corrections } = attempt;
  const describe = (entry: LedgerEntry): string =>
    `${entry.kind} ${entry.costNanoUsd} ${entry.basis} ${describeUsage(entry.usage)}`;
  const entries = charge === null ? corrections : [charge, ...corrections];
  return `${attempt.attemptId} ${charge?.modelAsked ?? ""}: ${entries.map(describe).join(" + ")}`;
}

function describeUsage(usage: Usage): string {
  const counts = usageBuckets.filter((bucket) => usage[bucket] !== 0).map((bucket) => `${bucket}=${usage[bucket]}`);
  return counts.length === 0 ? "nothing" : counts.join(",");
}

export function describeRow(row: RequestRow): string {
  return `${row.request_id} (${row.user_agent}) ${row.ending} ${row.status}`;
}

export function describeOutcome(outcome: Outcome, row: RequestRow | null): string {
  const { plan, seen, status, requestId } = outcome;
  const recorded = row === null ? "no record" : describeRow(row);
  return `request ${plan.index} ${plan.kind} saw ${seen} ${status} ${requestId}; ${recorded}; body ${plan.body?.slice(0, 300)}`;
}
