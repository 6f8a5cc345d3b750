/** What must hold of a request's reservation: what it holds, and what it takes in the end. */
import { regimeOf } from "../../../src/limits/allowance.ts";
import type { Demand } from "../../../src/limits/limits.ts";
import type { HeldAmount, Move } from "../../../src/storage/escrow/bank.ts";
import type { ModelBank } from "../model/bank.ts";
import type { Control } from "../model/control.ts";
import type { Asked } from "./asked.ts";
import { pathOf, usedOf, type PathEntry } from "./path.ts";
import { Violation } from "./violation.ts";

/** A process learns the bank's time from answers that are a moment old, and a window may end while it asks. */
const WINDOW_TOLERANCE_MS = 5_000;

/** `needOf`: how much of an allowance it must hold by now. */
export function checkHeld(
  asked: Asked,
  held: readonly HeldAmount[],
  needOf: (entry: PathEntry) => bigint,
  control: Control,
): void {
  const { plan, process, path } = asked;
  const pathNow = pathOf(process.allowances.ofTenant(plan.scope.payer.tenantId), plan.scope);
  const left = new Set(held);
  for (const entry of path) {
    const of = held.filter(({ accountId }) => accountId.startsWith(entry.prefix));
    for (const amount of of) left.delete(amount);
    if (entry.row.meter === "slots" || isOptional(entry, pathNow, control)) continue;
    const sum = of.reduce((total, { amount }) => total + amount, 0n);
    // A rate that does not refuse does not count what it would have refused.
    if (isLenientRate(entry, control) && sum < needOf(entry)) continue;
    if (sum !== needOf(entry)) {
      throw new Violation("path", `${asked.requestId} needs ${needOf(entry)} of "${entry.row.name}" and holds ${sum}`);
    }
  }
  for (const { accountId } of left) {
    if (pathNow.some(({ prefix }) => accountId.startsWith(prefix))) continue;
    throw new Violation("path", `${asked.requestId} holds of ${accountId}, which is not on its path`);
  }
}

/** The window is that of now, or of when the request began to wait. */
export function checkWindows(asked: Asked, held: readonly HeldAmount[], bank: ModelBank, control: Control): void {
  const { process, askedAtBankMs, requestId } = asked;
  const earliestMs = Math.min(bank.nowMs(), askedAtBankMs) - WINDOW_TOLERANCE_MS - process.stoppedMs;
  const latestMs = Math.max(bank.nowMs(), askedAtBankMs) + WINDOW_TOLERANCE_MS;
  for (const { accountId, amount } of held) {
    if (amount === 0n) continue;
    const key = bank.accounts.get(accountId)?.key;
    const isLenient = control.wasLenient(allowanceIdOf(accountId));
    if (isLenient && (key === undefined || !process.leases.isAcquainted)) continue;
    if (key === undefined) throw new Violation("path", `${requestId} holds of ${accountId}, which does not exist`);
    if (key.windowStartMs <= latestMs && (key.windowEndMs === null || key.windowEndMs >= earliestMs)) continue;
    throw new Violation("path", `${requestId} holds of ${accountId} at ${bank.nowMs()}`);
  }
}

/** What has grown since `before` is held under owners that may hold. */
export function checkOwners(
  asked: Asked,
  before: readonly HeldAmount[],
  held: readonly HeldAmount[],
  control: Control,
): void {
  const { leases } = asked.process;
  for (const { ownerId, accountId, amount } of held) {
    const had = before.find((each) => each.ownerId === ownerId && each.accountId === accountId)?.amount ?? 0n;
    if (amount <= had || control.wasLenient(allowanceIdOf(accountId))) continue;
    const objection = leases.objection(ownerId, asked.process.monotonicMs());
    if (objection !== null)
      throw new Violation("fenced", `${asked.requestId} holds more of ${accountId}: ${objection}`);
  }
}

export interface Settlement {
  readonly asked: Asked;
  readonly used: Demand | null;
  /** When it was settled. */
  readonly held: readonly HeldAmount[];
  readonly moves: readonly Move[];
}

/** What concerns a settlement of other calls. */
export interface OtherCalls {
  /** What they have used beyond what they held, under the same grant. */
  readonly excess: (held: HeldAmount) => bigint;
  /** One of the same request was seen by a provider, and the request counts there by this call. */
  readonly isCounted: (entry: PathEntry) => boolean;
}

export function checkMoves({ asked, used, held, moves }: Settlement, others: OtherCalls, control: Control): void {
  for (const { accountId, fromGrant, overdraft } of moves) {
    if (fromGrant < 0n || overdraft < 0n) throw new Violation("negative", `a move of ${accountId} is below zero`);
  }
  for (const entry of asked.path) {
    const isOf = ({ accountId }: { accountId: string }): boolean => accountId.startsWith(entry.prefix);
    const heldOf = held.filter(isOf).reduce((sum, { amount }) => sum + amount, 0n);
    // The allowance was disabled when the request reserved: it did not limit it.
    if (heldOf === 0n) continue;
    const of = moves.filter(isOf);
    const moved = of.reduce((sum, { fromGrant, overdraft }) => sum + fromGrant + overdraft, 0n);
    const overdraft = of.reduce((sum, move) => sum + move.overdraft, 0n);
    const isCounted = entry.row.meter === "requests" && others.isCounted(entry);
    // A later call was not limited by an allowance that was disabled: it counted for nothing.
    if (isCounted && moved === 0n && used === null && control.wasDisabled(entry.row.id)) continue;
    const amount = isCounted ? 1n : usedOf(entry.row, used);
    const say = `${asked.requestId} used ${amount} of "${entry.row.name}", held ${heldOf}`;
    if (moved !== amount) throw new Violation("settlement", `${say} and took ${moved}`);
    const beyond = amount > heldOf ? amount - heldOf : 0n;
    const takenOn = held.filter(isOf).reduce((sum, each) => sum + others.excess(each), 0n);
    if (overdraft > beyond + takenOn && !control.wasLenient(entry.row.id))
      throw new Violation("overdraft", `${say} and overdrew ${overdraft}`);
  }
  const stray = moves.find(({ accountId, ownerId, fromGrant, overdraft }) => {
    return fromGrant + overdraft > 0n && !held.some((each) => each.accountId === accountId && each.ownerId === ownerId);
  });
  if (stray !== undefined) throw new Violation("settlement", `${asked.requestId} took of ${stray.accountId} unheld`);
}

/** A request whose process died is charged all that the journal says it held. */
export function checkRecovered(requestId: string, held: readonly HeldAmount[], moves: readonly Move[]): void {
  for (const { ownerId, accountId, amount } of held) {
    const move = moves.find((each) => each.ownerId === ownerId && each.accountId === accountId);
    if ((move?.fromGrant ?? 0n) === amount) continue;
    throw new Violation("settlement", `${requestId} held ${amount} of ${accountId} and is charged ${move?.fromGrant}`);
  }
}

export function isLenientRate({ row }: PathEntry, control: Control): boolean {
  return regimeOf(row.meter, row.window_kind) === "rate" && control.wasLenient(row.id);
}

function allowanceIdOf(accountId: string): string {
  return accountId.slice(0, accountId.indexOf("|"));
}

/** It did not limit everybody all the time, or its process has heard of it, or of its end, only since. */
function isOptional(entry: PathEntry, pathNow: readonly PathEntry[], control: Control): boolean {
  return !pathNow.some(({ prefix }) => prefix === entry.prefix) || control.wasDisabled(entry.row.id);
}
