/**
 * The arithmetic of an account: what a draw, a return, a settlement and the death of an owner do to its numbers. Pure;
 * the bank keeps the numbers and makes each step one transaction.
 *
 *   limit = available + spent + granted + suspense
 *
 *   available ──draw──▶ granted ──settle──▶ spent          a settlement beyond the grant: available ──▶ spent
 *       ▲                │   │                 ▲
 *       ├────release─────┘ fence               │
 *       └────release─── suspense ────settle────┘
 *
 * Invariant: granted and suspense are never below zero, and in mode `enforce` a draw grants nothing beyond what is
 * available. Spent alone may pass the limit, by settlements beyond their grant or by a limit that was lowered.
 *
 * A rate is a bucket of the capacity `limit`, whose level is spent + granted + suspense and drains with time. A grant counts
 * as used when it is drawn and drains from then on, or else long requests would hold a rate below its limit. Its `spent`
 * may therefore be below zero: so much of what is granted has drained already. Empty is as far as a bucket drains.
 *
 * Accounts that do not refuse are asked for what requests have taken already. A budget or slots grant it beyond the limit
 * too, so that every process sees it. A rate does not: what it has no room for is not counted, as if it had been refused,
 * or else it would be exhausted long after it was last used.
 */
import { assert } from "../../kernel/assert.ts";
import type { Amount, Standing } from "./bank.ts";

export interface AccountState extends Standing {
  /** `enforce` refuses what is not available. What `soft` and `shadow` do instead, see `draw`. */
  readonly mode: "enforce" | "soft" | "shadow";
  /** Rates: so much drains in so many milliseconds. `null`: nothing does. */
  readonly drain: { readonly amount: Amount; readonly perMs: number } | null;
  /** Rates: until when it has drained, ms since the epoch. */
  readonly drainedAtMs: number;
  /** Requests that processes refused for want of room here, or would have in another mode. */
  readonly refusals: number;
}

export interface DrawOutcome {
  readonly state: AccountState;
  /** Zero or at least what was needed. */
  readonly granted: Amount;
  /** Of a refused draw from a rate: milliseconds until it would be granted. `null`: waiting does not help. */
  readonly retryAfterMs: number | null;
}

/** A clock further back than this was set back: a rate drains on from the new time instead of standing still until the old. */
const CLOCK_SET_BACK_MS = 60_000;
/** The part of what is available that one draw takes at the most beyond its need. */
const GRANT_SHARE = 8n;

/** Below zero after an overdraft or when the limit was lowered. */
export function available(standing: Standing): Amount {
  return standing.limit - standing.spent - standing.granted - standing.suspense;
}

/**
 * Lets a rate drain up to `nowMs`. What drains is rounded down and the time for it up, so that it never drains faster than
 * its rate however often it is asked. A clock that goes back drains nothing.
 */
export function drain(state: AccountState, nowMs: number): AccountState {
  if (state.drain === null) return state;
  const level = state.limit - available(state);
  const elapsedMs = Math.floor(nowMs - state.drainedAtMs);
  if (elapsedMs < -CLOCK_SET_BACK_MS) return { ...state, drainedAtMs: Math.floor(nowMs) };
  if (elapsedMs <= 0) return state;
  const { amount, perMs } = state.drain;
  const drained = (BigInt(elapsedMs) * amount) / BigInt(perMs);
  if (drained >= level) return { ...state, spent: state.spent - level, drainedAtMs: state.drainedAtMs + elapsedMs };
  if (drained === 0n) return state;
  return {
    ...state,
    spent: state.spent - drained,
    drainedAtMs: state.drainedAtMs + Number(ceilDivide(drained * BigInt(perMs), amount)),
  };
}

/**
 * How much of `available` one draw gets: what it wants as long as that is an eighth at the most, then less and less,
 * down to exactly what it needs. So several owners can go on drawing while an account runs out. Zero if the need is not there.
 */
export function grantSize(availableAmount: Amount, need: Amount, want: Amount): Amount {
  if (need > availableAmount) return 0n;
  const share = availableAmount / GRANT_SHARE;
  const size = want < share ? want : share;
  return size > need ? size : need;
}

/** Needs `0 < need ≤ want`. */
export function draw(before: AccountState, { need, want }: { need: Amount; want: Amount }, nowMs: number): DrawOutcome {
  assert(need > 0n && want >= need, "a draw needs more than nothing and wants what it needs");
  const state = spill(drain(before, nowMs));
  const free = available(state);
  const isBeyond = need > free && state.mode !== "enforce" && state.drain === null;
  const granted = isBeyond ? need : grantSize(free, need, want);
  const retryAfterMs = granted === 0n ? msUntilAvailable(state, need, nowMs) : null;
  return { state: { ...state, granted: state.granted + granted }, granted, retryAfterMs };
}

/** A request that took `fromGrant` of its owner's grant and `overdraft` beyond it. `suspended`: the grant is in suspense. */
export function settle(
  state: AccountState,
  move: { readonly fromGrant: Amount; readonly overdraft: Amount },
  suspended: boolean,
): AccountState {
  const taken = take(state, move.fromGrant, suspended);
  return { ...taken, spent: state.spent + move.fromGrant + move.overdraft };
}

/** So much of a grant is available again: its owner gave it back, or died and all that it did is settled. */
export function release(state: AccountState, amount: Amount, suspended: boolean): AccountState {
  const released = take(state, amount, suspended);
  const level = released.limit - available(released);
  // What has drained already is not given back once more.
  if (released.drain === null || level >= 0n) return released;
  return { ...released, spent: released.spent - level };
}

/** The owner of so much of what is granted has died. Not for slots: theirs are released, see `fenceGrant`. */
export function fence(state: AccountState, amount: Amount): AccountState {
  const taken = take(state, amount, false);
  return { ...taken, suspense: state.suspense + amount };
}

function take(state: AccountState, amount: Amount, suspended: boolean): AccountState {
  const source = suspended ? state.suspense : state.granted;
  assert(amount >= 0n && amount <= source, "what is taken from an account is within what its grants hold");
  return suspended ? { ...state, suspense: source - amount } : { ...state, granted: source - amount };
}

/** A bucket that does not refuse runs over: what it cannot hold is not counted. */
function spill(state: AccountState): AccountState {
  if (state.drain === null || state.mode === "enforce") return state;
  const over = -available(state);
  return over > 0n ? { ...state, spent: state.spent - over } : state;
}

function msUntilAvailable(state: AccountState, need: Amount, nowMs: number): number | null {
  if (state.drain === null || state.drain.amount === 0n || need > state.limit) return null;
  const missing = need - available(state);
  const drainMs = Number(ceilDivide(missing * BigInt(state.drain.perMs), state.drain.amount));
  return Math.max(1, Math.ceil(state.drainedAtMs + drainMs - nowMs));
}

function ceilDivide(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
