/** Whether the ledger charges each call what it must, by what its provider did and told. */
import { totalInputTokens, totalOutputTokens } from "../../../src/kernel/usage.ts";
import type { LedgerEntry } from "../../../src/storage/records.ts";
import { costOf, type Tokens } from "../../../src/simulator/prices.ts";
import { usageOfLine } from "../../support/invoice-usage.ts";
import type { Request } from "../callers/request.ts";
import type { SimulatedCall } from "../providers/call.ts";
import { Violation } from "./violation.ts";

/** `told`: the provider said what it used before the call was settled. Throws a `Violation`. */
export function judgeEntry(call: SimulatedCall, entry: LedgerEntry, told: boolean): void {
  const { facts, status } = call;
  judgeCost(call, entry);
  if (call.sentAtMs === null || (status !== null && status >= 400 && status < 500)) {
    expectCharge(call, entry, "none", 0n);
  } else if (status !== null && status >= 500) {
    expectCharge(call, entry, "metered", 0n);
  } else if (told && isReport(call)) {
    judgeReported(call, entry);
  } else if (facts.stream && call.words > 0 && totalOutputTokens(entry.usage) < 1) {
    throw unjust(call, entry, `nothing is charged of ${call.words} words`);
  }
}

/** What a dead process held is charged as it was held, and only that. Throws a `Violation`. */
export function judgeRecovered({ id, gateway }: Request, call: SimulatedCall, entry: LedgerEntry): void {
  if (!gateway.wasKilled) throw unjust(call, entry, `the process of ${id} lives`);
  if (!entry.flags.includes("recovered")) throw unjust(call, entry, "it does not say that it was recovered");
  if (entry.costNanoUsd <= 0n && call.words > 0) throw unjust(call, entry, `nothing is charged of ${call.words} words`);
}

/** Whether the gateway must go by what the provider says: a whole answer is read when it has ended. */
function isReport({ facts, isFinished, endedBy }: SimulatedCall): boolean {
  return isFinished && (facts.stream || endedBy === "end");
}

function judgeReported(call: SimulatedCall, entry: LedgerEntry): void {
  const { tokens, model } = call.facts.answer;
  const invoiced = usageOfLine(tokens);
  const agrees = Object.entries(invoiced).every(([bucket, count]) => {
    return entry.usage[bucket as keyof typeof invoiced] === count;
  });
  if (!agrees || entry.costNanoUsd !== costOf(model, tokens)) {
    throw new Violation("invoice", describeEntry(call, entry, `its invoice says ${JSON.stringify(tokens)}`));
  }
}

/** By an arithmetic of our own, whatever the usage is. */
function judgeCost(call: SimulatedCall, entry: LedgerEntry): void {
  const { usage } = entry;
  const tokens: Tokens = {
    input: usage.inputTokens,
    cacheRead: usage.cacheReadTokens,
    cacheWrite5m: usage.cacheWrite5mTokens,
    cacheWrite1h: usage.cacheWrite1hTokens,
    output: usage.outputTokens,
    reasoning: usage.reasoningTokens,
  };
  const cost = costOf(call.facts.model, tokens);
  if (entry.costNanoUsd !== cost) throw unjust(call, entry, `that costs ${cost}`);
}

function expectCharge(call: SimulatedCall, entry: LedgerEntry, basis: LedgerEntry["basis"], cost: bigint): void {
  if (entry.basis !== basis || entry.costNanoUsd !== cost) throw unjust(call, entry, `${cost} (${basis}) is due`);
}

function unjust(call: SimulatedCall, entry: LedgerEntry, why: string): Violation {
  return new Violation("charge", describeEntry(call, entry, why));
}

function describeEntry({ facts, status, endedBy }: SimulatedCall, entry: LedgerEntry, why: string): string {
  const { basis, costNanoUsd, usage } = entry;
  const used = `${totalInputTokens(usage)} + ${totalOutputTokens(usage)} tokens`;
  return `${facts.attemptId} (${facts.behaviour}, status ${status}, ${endedBy}) is charged ${costNanoUsd} (${basis}, ${used}): ${why}.`;
}
