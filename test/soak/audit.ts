/**
 * Compares what the simulator charges for with what the ledger says, attempt by attempt, and what callers saw with
 * what is on record. After reconciliation there is no tolerance: every difference is a finding.
 */
import { usageBuckets } from "../../src/kernel/usage.ts";
import type { Books } from "./books.ts";
import type { Outcome } from "./caller.ts";
import { credentialLabels } from "./credentials.ts";
import { usageOfLine } from "../support/invoice-usage.ts";
import { balanceOf, describeAttempt, describeLine, describeOutcome, describeRow } from "./figures.ts";
import type { Finding } from "./findings.ts";
import type { LedgerBooks, RequestRow } from "./ledger-books.ts";

/** Ends the id of the gateway's own request for a vector; before it stands the id of the one that needs it. */
const COMPARING = "_embedding";

export interface Seeing {
  readonly outcomes: readonly Outcome[];
  /** Whether a connection between these times may have been lost. */
  readonly wasDownDuring: (fromMs: number, untilMs: number) => boolean;
}

export function audit(books: Books, seeing: Seeing): readonly Finding[] {
  return [
    ...auditLines(books),
    ...auditWorstCases(books, seeing),
    ...auditChargesWithoutLine(books),
    ...auditTotals(books),
    ...auditStore(books.ledger),
    ...auditRecords(books.ledger),
    ...auditOutcomes(books.ledger, seeing),
  ];
}

/** Each line has exactly one charge, to the credential that made the call, and what is charged for it is what it says. */
function auditLines({ ledger, invoice }: Books): Finding[] {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  for (const line of invoice) {
    const id = line.clientRequestId;
    const attempt = id === null ? undefined : ledger.attempts.get(id);
    if (id === null || attempt === undefined || attempt.charge === null) {
      findings.push({ rule: "a line without a charge", detail: `${id}: ${describeLine(line)}` });
      continue;
    }
    if (seen.has(id)) findings.push({ rule: "two lines of one attempt", detail: `${id}: ${describeLine(line)}` });
    seen.add(id);
    const { charge } = attempt;
    const balance = balanceOf(attempt);
    const billed = usageOfLine(line);
    const differs =
      balance.costNanoUsd !== BigInt(line.costNanoUsd) ||
      usageBuckets.some((bucket) => balance.usage[bucket] !== billed[bucket]);
    if (differs) {
      findings.push({ rule: "charge and line differ", detail: `${describeAttempt(attempt)}; ${describeLine(line)}` });
    }
    if (credentialLabels[charge.credential] !== line.apiKey) {
      findings.push({ rule: "charged to another credential", detail: `${describeAttempt(attempt)}; ${line.apiKey}` });
    }
  }
  return findings;
}

/**
 * What was held for a call that ran when its gateway was killed is at least what it is billed. For one that had ended
 * while its request went on, only the estimate of what it used was held any more.
 */
function auditWorstCases({ ledger, invoice }: Books, { wasDownDuring }: Seeing): Finding[] {
  const findings: Finding[] = [];
  for (const line of invoice) {
    const attempt = ledger.attempts.get(line.clientRequestId ?? "");
    const charge = attempt?.charge ?? null;
    if (attempt === undefined || charge?.basis !== "worst-case" || charge.costNanoUsd >= BigInt(line.costNanoUsd))
      continue;
    const endedMs = line.atMs - performance.timeOrigin;
    if (line.ended !== "cancelled" || !wasDownDuring(endedMs - line.durationMs, endedMs)) continue;
    findings.push({
      rule: "a worst case below the invoice",
      detail: `${describeAttempt(attempt)}; ${describeLine(line)}`,
    });
  }
  return findings;
}

function auditChargesWithoutLine({ ledger, invoice }: Books): Finding[] {
  const billed = new Set(invoice.map((line) => line.clientRequestId));
  const findings: Finding[] = [];
  for (const attempt of ledger.attempts.values()) {
    if (attempt.charge === null) findings.push({ rule: "a correction of nothing", detail: attempt.attemptId });
    if (attempt.corrections.length > 1) {
      findings.push({ rule: "corrected more than once", detail: describeAttempt(attempt) });
    }
    if (billed.has(attempt.attemptId)) continue;
    const { costNanoUsd, usage } = balanceOf(attempt);
    if (costNanoUsd !== 0n || usageBuckets.some((bucket) => usage[bucket] !== 0)) {
      findings.push({ rule: "charged for what nobody billed", detail: describeAttempt(attempt) });
    }
  }
  return findings;
}

function auditTotals({ ledger, invoice, stats }: Books): Finding[] {
  const ledgerTotal = sum([...ledger.attempts.values()].map((attempt) => balanceOf(attempt).costNanoUsd));
  const invoiceTotal = sum(invoice.map((line) => BigInt(line.costNanoUsd)));
  const statedTotal = BigInt(stats.costNanoUsd);
  if (ledgerTotal === invoiceTotal && invoiceTotal === statedTotal && stats.droppedLines === 0) return [];
  const detail = `ledger ${ledgerTotal}, lines of the invoice ${invoiceTotal}, its total ${statedTotal}, lines dropped ${stats.droppedLines}`;
  return [{ rule: "totals differ", detail }];
}

/** Nothing is held or announced any more, and the file is sound. */
function auditStore({ holds, instances, attempts, integrity }: LedgerBooks): Finding[] {
  return [
    ...holds.map((hold) => ({
      rule: attempts.has(hold.attempt_id) ? "held and settled" : "still held",
      detail: hold.attempt_id,
    })),
    ...instances.map(({ id }) => ({ rule: "an instance is still announced", detail: id })),
    ...integrity.filter((line) => line !== "ok").map((line) => ({ rule: "integrity", detail: line })),
  ];
}

/**
 * Each request has as many charges as it had attempts, and cost what they charged. A hold whose call was not made, because
 * its caller had left or its time was over when it was written, is no attempt and has a charge of nothing.
 */
function auditRecords({ attempts, requests }: LedgerBooks): Finding[] {
  const charged = new Map<string, { count: number; ofNothing: number; costNanoUsd: bigint }>();
  for (const { charge } of attempts.values()) {
    if (charge === null) continue;
    const before = charged.get(charge.requestId) ?? { count: 0, ofNothing: 0, costNanoUsd: 0n };
    charged.set(charge.requestId, {
      count: before.count + 1,
      ofNothing: before.ofNothing + (charge.basis === "none" ? 1 : 0),
      costNanoUsd: before.costNanoUsd + charge.costNanoUsd,
    });
  }
  const findings: Finding[] = [];
  for (const row of requests.values()) {
    const { count, ofNothing, costNanoUsd } = charged.get(row.request_id) ?? {
      count: 0,
      ofNothing: 0,
      costNanoUsd: 0n,
    };
    charged.delete(row.request_id);
    const isCounted = row.attempts <= count && row.attempts >= count - ofNothing;
    if (isCounted && costNanoUsd === BigInt(row.cost_nano_usd)) continue;
    const detail = `${describeRow(row)}: ${row.attempts} attempts for ${row.cost_nano_usd} on record, ${count} charges of ${costNanoUsd}`;
    findings.push({ rule: "record and charges differ", detail });
  }
  for (const requestId of charged.keys()) findings.push({ rule: "a charge without a record", detail: requestId });
  return findings;
}

function auditOutcomes({ requests }: LedgerBooks, { outcomes, wasDownDuring }: Seeing): Finding[] {
  const findings: Finding[] = [];
  const own = [...requests.keys()].filter((id) => id.endsWith(COMPARING));
  for (const id of own) {
    if (!requests.has(id.slice(0, -COMPARING.length))) findings.push({ rule: "words compared for nobody", detail: id });
  }
  const recorded = requests.size - own.length;
  if (recorded > outcomes.length) {
    findings.push({ rule: "more records than requests", detail: `${recorded} of ${outcomes.length}` });
  }
  for (const outcome of outcomes) {
    const row = outcome.requestId === null ? null : (requests.get(outcome.requestId) ?? null);
    const complaint = complaintAbout(
      outcome,
      row,
      requests.get(`${outcome.requestId}${COMPARING}`) ?? null,
      wasDownDuring,
    );
    if (complaint !== null) findings.push({ rule: complaint, detail: describeOutcome(outcome, row) });
  }
  return findings;
}

/**
 * What is wrong with what a caller saw and what is on record about it; `null` if nothing. `comparing`: of the call that
 * told what its words mean, which it pays for, too.
 */
function complaintAbout(
  outcome: Outcome,
  row: RequestRow | null,
  comparing: RequestRow | null,
  wasDownDuring: Seeing["wasDownDuring"],
): string | null {
  const { seen, plan } = outcome;
  if (seen === "lost" && !wasDownDuring(outcome.startedMs, outcome.endedMs)) return "lost without an outage";
  if (outcome.requestId === null)
    return seen === "complete" || seen === "error" ? "an answer without a request id" : null;
  if (row === null) return "no record of an answer";
  if (row.user_agent !== null && row.user_agent !== `soak/${plan.index}`) return "the record of another request";
  if (plan.key !== null && row.key_id !== null && row.key_id !== plan.key.id) return "recorded for another key";
  if (seen === "complete" && row.ending !== "complete") return "complete for the caller, not on record";
  if (seen === "error" && row.ending === "complete") return "an error for the caller, complete on record";
  if (seen !== "lost" && row.status !== outcome.status && row.ending !== "killed") return "another status on record";
  const costNanoUsd = BigInt(row.cost_nano_usd) + BigInt(comparing?.cost_nano_usd ?? 0);
  return outcome.costNanoUsd === null || outcome.costNanoUsd === costNanoUsd ? null : "another cost on record";
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}
