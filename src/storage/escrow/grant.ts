/**
 * An owner's grant from an account, and how each operation of the bank moves account and grant together. Pure: what both
 * engines do in a transaction, and the simulation in memory.
 *
 *   (none) ──first operation──▶ held ──owner's lease ends──▶ suspended ──its journal is settled──▶ (none)
 *
 * Invariant: an account's `granted` is the sum of its held grants, its `suspense` the sum of its suspended ones. The
 * operations of an owner on one account come one after the other, numbered; the last one may come again and then
 * changes nothing. Any other number is a bug of the owner's and throws `internal`.
 *
 * A suspended grant of slots holds none. While requests of a process go on that is fenced but lives, as many more than
 * the limit may run: each ends within the time that a request may take, and nothing begins under the old grant.
 */
import { HeadgateError } from "../../kernel/errors.ts";
import { type AccountState, draw, drain, fence, release, settle } from "./account.ts";
import type { Amount, DrawRequest, Move, ReturnRequest } from "./bank.ts";
import type { AllowanceRow } from "./terms.ts";

export interface GrantState {
  /** Granted and not yet settled or given back. */
  readonly amount: Amount;
  /** Of the last operation; 0 before the first. */
  readonly sequence: number;
  /** What the last operation granted: zero after a return. */
  readonly lastAmount: Amount;
  /** Another owner needs what is idle of it. */
  readonly recalled: boolean;
  /** Its owner's lease has ended. */
  readonly suspended: boolean;
}

export interface Books {
  readonly account: AccountState;
  readonly grant: GrantState;
}

export interface DrawnBooks extends Books {
  readonly granted: Amount;
  readonly retryAfterMs: number | null;
}

/** Before the first operation. */
export const noGrant: GrantState = { amount: 0n, sequence: 0, lastAmount: 0n, recalled: false, suspended: false };

export function drawGrant(
  { account, grant }: Books,
  request: Pick<DrawRequest, "sequence" | "need" | "want" | "refusals">,
  nowMs: number,
): DrawnBooks {
  if (isRepeated(grant, request.sequence)) return redraw({ account, grant }, request, nowMs);
  const { state, granted, retryAfterMs } = draw(account, request, nowMs);
  return {
    account: counting(state, request.refusals),
    grant: operated(grant, request.sequence, granted),
    granted,
    retryAfterMs,
  };
}

/** An operation on an account that grants nothing now, or, with `null`, does not exist: it counts only as an operation. */
export function drawNothing<Account extends AccountState | null>(
  { account, grant }: { readonly account: Account; readonly grant: GrantState },
  { sequence, refusals }: Pick<DrawRequest, "sequence" | "refusals">,
): { readonly account: Account | AccountState; readonly grant: GrantState } {
  if (isRepeated(grant, sequence)) return { account, grant };
  return {
    account: account === null ? account : counting(account, refusals),
    grant: operated(grant, sequence, 0n),
  };
}

/** A recall is answered by any return, also one of nothing, unless that is there to report refusals. */
export function returnGrant({ account, grant }: Books, request: Omit<ReturnRequest, "accountId">): Books {
  const { sequence, amount, refusals } = request;
  if (isRepeated(grant, sequence)) return { account, grant };
  if (amount < 0n || amount > grant.amount) {
    throw new HeadgateError("internal", `An owner gives back ${amount} of a grant of ${grant.amount}.`);
  }
  const isReport = amount === 0n && refusals > 0;
  return {
    account: counting(release(account, amount, false), refusals),
    grant: {
      ...grant,
      amount: grant.amount - amount,
      sequence,
      lastAmount: 0n,
      recalled: grant.recalled && isReport,
    },
  };
}

/** What the grant does not hold any more is spent all the same: the money is gone, whatever the books say. */
export function settleGrant({ account, grant }: Books, move: Pick<Move, "fromGrant" | "overdraft">): Books {
  const fromGrant = move.fromGrant < grant.amount ? move.fromGrant : grant.amount;
  const overdraft = move.overdraft + move.fromGrant - fromGrant;
  return {
    account: settle(account, { fromGrant, overdraft }, grant.suspended),
    grant: { ...grant, amount: grant.amount - fromGrant },
  };
}

/**
 * The owner's lease has ended. What it was granted may be spent, so it is in suspense. Slots are never spent: a dead
 * process runs no requests and a fenced one begins none, so they are available again at once.
 */
export function fenceGrant({ account, grant }: Books, meter: AllowanceRow["meter"]): Books {
  if (grant.suspended) return { account, grant };
  if (meter === "slots") {
    return { account: release(account, grant.amount, false), grant: { ...grant, amount: 0n, suspended: true } };
  }
  return { account: fence(account, grant.amount), grant: { ...grant, suspended: true } };
}

/** Everything that the owner did is settled; its grant ends. */
export function finishGrant({ account, grant }: Books): AccountState {
  return release(account, grant.amount, grant.suspended);
}

/** Of a refusal that comes again it says how long is left to wait. */
function redraw({ account, grant }: Books, request: Pick<DrawRequest, "need" | "want">, nowMs: number): DrawnBooks {
  const again = draw(account, request, nowMs);
  const leftMs = again.granted === 0n || account.drain === null ? again.retryAfterMs : 0;
  return {
    account: drain(account, nowMs),
    grant,
    granted: grant.lastAmount,
    retryAfterMs: grant.lastAmount === 0n ? leftMs : null,
  };
}

function counting(account: AccountState, refusals: number): AccountState {
  return refusals === 0 ? account : { ...account, refusals: account.refusals + refusals };
}

function operated(grant: GrantState, sequence: number, granted: Amount): GrantState {
  return { ...grant, amount: grant.amount + granted, sequence, lastAmount: granted };
}

function isRepeated(grant: GrantState, sequence: number): boolean {
  if (sequence === grant.sequence && sequence > 0) return true;
  if (sequence === grant.sequence + 1) return false;
  throw new HeadgateError(
    "internal",
    `Operation ${sequence} on a grant whose last was ${grant.sequence}: an owner has lost count of its operations.`,
  );
}
