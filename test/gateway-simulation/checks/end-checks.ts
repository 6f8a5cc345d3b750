/** Whether the books agree at the end of a world, and whether nothing is left over. */
import { totalInputTokens, totalOutputTokens } from "../../../src/kernel/usage.ts";
import { regimeOf, type Allowance } from "../../../src/limits/allowance.ts";
import type { LedgerEntry } from "../../../src/storage/records.ts";
import type { MemoryBank } from "../../support/memory-bank.ts";
import type { Books } from "../store/books.ts";
import type { Process } from "../world/machine.ts";
import type { Request } from "../callers/request.ts";
import type { SimulatedCall } from "../providers/call.ts";
import { judgeRecord, type Look } from "./answer-checks.ts";
import { judgeEntry, judgeRecovered } from "./ledger-checks.ts";
import { judgeCost } from "./sharing-checks.ts";
import { Violation } from "./violation.ts";

/**
 * What allowances of a lifetime have spent is what the ledger says of whom they count. Those that only watch may not have
 * counted all of it if the bank was `away` at times. `sent`: calls that a provider saw, by attempt: a request without one does not count.
 */
export function checkSpent(
  allowances: readonly Allowance[],
  bank: MemoryBank,
  away: boolean,
  ledger: ReadonlyMap<string, LedgerEntry>,
  sent: ReadonlySet<string>,
): void {
  for (const allowance of allowances) {
    if (regimeOf(allowance.meter, allowance.window) !== "budget") continue;
    const due = dueOf(allowance, ledger, sent);
    let spent = 0n;
    for (const [accountId, account] of bank.accounts) {
      if (accountId.startsWith(`${allowance.id}|`)) spent += account.spent;
    }
    const mayMiss = away && allowance.mode !== "enforce";
    if (mayMiss ? spent > due : spent !== due) {
      throw new Violation("spent", `${allowance.name} has spent ${spent}, and the ledger says ${due}.`);
    }
  }
}

function dueOf(
  { meter, scope }: Allowance,
  ledger: ReadonlyMap<string, LedgerEntry>,
  sent: ReadonlySet<string>,
): bigint {
  const requests = new Set<string>();
  let sum = 0n;
  for (const { payer, attemptId, requestId, costNanoUsd, usage, basis } of ledger.values()) {
    if (payer.tenantId !== scope.tenantId || (scope.keyId !== null && payer.keyId !== scope.keyId)) continue;
    // What a dead process held counts as it was held.
    if (sent.has(attemptId) || basis === "worst-case") requests.add(requestId);
    sum += meter === "money" ? costNanoUsd : BigInt(totalInputTokens(usage) + totalOutputTokens(usage));
  }
  return meter === "requests" ? BigInt(requests.size) : sum;
}

/** Everything that was taken has been given back. */
export function checkQuiescence({ gateway, clock }: Process): void {
  const left: string[] = [];
  if (gateway.open.size > 0) left.push(`${gateway.open.size} exchanges go on`);
  if (gateway.admission.inFlight > 0) left.push(`${gateway.admission.inFlight} requests are admitted`);
  const { bytes: answerBytes } = gateway.admission.answers;
  if (answerBytes !== 0) left.push(`answers hold ${answerBytes} bytes`);
  for (const { target, running, waitingInteractive, waitingBatch } of gateway.queues.standings()) {
    if (running + waitingInteractive + waitingBatch > 0) left.push(`${running} passes of ${target} are out`);
  }
  if (clock.pendingTimers > 0) left.push(`${clock.pendingTimers} timers are pending`);
  if (left.length > 0) throw new Violation("quiescence", `${left.join("; ")}.`);
}

/** Nothing is held in the store, nor granted. */
export function checkStore(bank: MemoryBank, books: Books): void {
  const left: string[] = [];
  for (const attemptId of books.holds.keys()) left.push(`${attemptId} is held`);
  for (const [accountId, { granted, suspense }] of bank.accounts) {
    if (granted !== 0n || suspense !== 0n) left.push(`${accountId} has ${granted} granted, ${suspense} in suspense`);
  }
  if (left.length > 0) throw new Violation("quiescence", `${left.join("; ")}.`);
}

/** Throws a `Violation` for what was not settled, or not as it must be. `told`: calls that said in time what they used. */
export function judgeBooks(looks: ReadonlyMap<Request, Look>, told: ReadonlySet<SimulatedCall>, books: Books): void {
  const { records, ledger, closedAtMs, doubtful } = books;
  for (const [request, look] of looks) {
    const record = records.get(request.id);
    if (record === undefined && request.calls.length > 0) {
      throw new Violation("journal", `${request.id} made calls and has no record.`);
    }
    const isDoubtful = doubtful.has(request.id);
    if (record !== undefined) {
      judgeRecord(request, look, record, { closedAtMs: closedAtMs.get(request.id) ?? Infinity, isDoubtful });
      if (!isDoubtful) judgeCost(request, record, (id) => books.costOf(id));
    }
    for (const call of [...request.calls, ...request.comparisons]) {
      const entry = ledger.get(call.facts.attemptId);
      if (entry === undefined) {
        throw new Violation("journal", `${call.facts.attemptId} was called and never settled.`);
      }
      if (entry.basis === "worst-case") judgeRecovered(request, call, entry);
      else judgeEntry(call, entry, told.has(call) && (look === "complete" || !call.abortedAtItsWord));
    }
  }
}

/** Attempts that a provider saw. */
export function sentOf(requests: Iterable<Request>): ReadonlySet<string> {
  const sent = new Set<string>();
  for (const { calls, comparisons } of requests) {
    for (const { sentAtMs, facts } of [...calls, ...comparisons]) if (sentAtMs !== null) sent.add(facts.attemptId);
  }
  return sent;
}
