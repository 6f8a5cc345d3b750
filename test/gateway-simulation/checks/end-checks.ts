/** Whether the books agree at the end of a world, and whether nothing is left over. */
import { totalInputTokens, totalOutputTokens } from "../../../src/kernel/usage.ts";
import { regimeOf, type Allowance } from "../../../src/limits/allowance.ts";
import type { LedgerEntry } from "../../../src/storage/records.ts";
import type { MemoryBank } from "../../support/memory-bank.ts";
import type { Gateway } from "../gateway.ts";
import type { SimulatedJournal } from "../store/journal.ts";
import type { CountingClock } from "../world/clock.ts";
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
  for (const { payer, attemptId, requestId, costNanoUsd, usage } of ledger.values()) {
    if (payer.tenantId !== scope.tenantId || (scope.keyId !== null && payer.keyId !== scope.keyId)) continue;
    if (sent.has(attemptId)) requests.add(requestId);
    sum += meter === "money" ? costNanoUsd : BigInt(totalInputTokens(usage) + totalOutputTokens(usage));
  }
  return meter === "requests" ? BigInt(requests.size) : sum;
}

/** Everything that was taken has been given back. */
export function checkQuiescence(
  gateway: Gateway,
  bank: MemoryBank,
  journal: SimulatedJournal,
  clock: CountingClock,
): void {
  const left: string[] = [];
  if (gateway.open.size > 0) left.push(`${gateway.open.size} exchanges go on`);
  if (gateway.admission.inFlight > 0) left.push(`${gateway.admission.inFlight} requests are admitted`);
  const { bytes: answerBytes } = gateway.admission.answers;
  if (answerBytes !== 0) left.push(`answers hold ${answerBytes} bytes`);
  for (const { target, running, waitingInteractive, waitingBatch } of gateway.queues.standings()) {
    if (running + waitingInteractive + waitingBatch > 0) left.push(`${running} passes of ${target} are out`);
  }
  for (const attemptId of journal.holds.keys()) left.push(`${attemptId} is held`);
  for (const [accountId, { granted, suspense }] of bank.accounts) {
    if (granted !== 0n || suspense !== 0n) left.push(`${accountId} has ${granted} granted, ${suspense} in suspense`);
  }
  if (clock.pendingTimers > 0) left.push(`${clock.pendingTimers} timers are pending`);
  if (left.length > 0) throw new Violation("quiescence", `${left.join("; ")}.`);
}
