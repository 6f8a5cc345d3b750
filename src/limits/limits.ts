/**
 * Limits of requests: what a request must reserve before it may call a provider, over every allowance on its path, all
 * or none. The amounts come from grants that this process holds (escrow/), so that a request for which there is
 * enough in hand waits for nothing.
 *
 *   reserve ──▶ held ── extend (the answer outgrew its slice) ──▶ held ── settle ──▶ settled ── committed
 *
 * Invariant: a reservation is settled exactly once, with what was really used: zero gives everything back.
 */
import type { Operation } from "../dialects/dialect.ts";
import type { NanoUsd } from "../kernel/money.ts";
import type { HeldAmount, Move } from "../storage/escrow/bank.ts";
import type { Payer } from "../storage/records.ts";
import type { Allowance } from "./allowance.ts";

/** Which allowances are on the path of a request. */
export interface RequestScope {
  readonly payer: Payer;
  readonly endUser: string | null;
  readonly operation: Operation;
  readonly modelAsked: string;
  /** `provider/model`. */
  readonly modelTarget: string;
  /** The same of models that may serve in its place: an allowance of one of them counts the request. Default: none. */
  readonly otherTargets?: readonly string[];
}

/** What a request needs, or used. It counts one request and one slot besides. */
export interface Demand {
  readonly costNanoUsd: NanoUsd;
  /** Input and output together. */
  readonly tokens: number;
}

export interface Estimate {
  /** Input and the first slice of output: for allowances of policy `expected`. */
  readonly expected: Demand;
  /** The most that the request can use: for allowances of policy `strict`. */
  readonly worst: Demand;
}

/** What an allowance of a rate says about itself in `x-ratelimit-*` headers: the tightest of its meter on the path. */
export interface RateStanding {
  readonly limit: bigint;
  readonly remaining: bigint;
  /** Until it is full again. */
  readonly resetMs: number;
}

/** The tightest rate of each meter on a path; `null`: there is none, or nothing is known of it. */
export interface Rates {
  readonly requestRate: RateStanding | null;
  readonly tokenRate: RateStanding | null;
}

export interface Reservation extends Rates {
  /**
   * For the journal: what is charged if this process dies. Changes with `extend`. Where an answer is held for in slices it
   * is the slices for all, though allowances of policy `strict` hold the worst case: so they are charged what the ledger is.
   */
  readonly heldAmounts: readonly HeldAmount[];
  /** Whether an answer that goes on must be extended: some allowance on the path holds slices only. */
  readonly growing: boolean;
  /** Whether some allowance on the path holds the worst case of money or tokens. */
  readonly strict: boolean;
  /**
   * Holds so much more of every growing allowance, all or none. `null`: done at once; else a promise, because the store
   * must be asked. Throws or rejects with `budget_exhausted` or `rate_limited`; then what was held stays held.
   */
  extend(more: Demand): Promise<void> | null;
  /**
   * The call is over, but not the request: of money and tokens what was used is held from now on, be it less than before
   * or more. What comes after it may need the rest. `null`: nothing reached a provider. Returns what the journal must hold
   * then; once that is committed, `shrunk` frees the rest.
   */
  shrink(used: Demand | null): readonly HeldAmount[];
  shrunk(): void;
  /**
   * Ends the reservation: what was used, to be committed with the ledger entries. Slots are free again at once, the rest
   * when that is committed. `null`: nothing reached a provider, so the request itself does not count either.
   */
  settle(used: Demand | null): readonly Move[];
  /**
   * To be called once after `settle`, when what it returned is committed and the journal's hold has ended, however late;
   * where nothing was journaled, at once. Only then is free what was held and not used, and only then may the owner be
   * finished that it was drawn under: if the process dies before, the journal charges the whole hold. Called again it
   * changes nothing.
   */
  committed(): void;
}

/** What an allowance would do with a request. */
export interface AllowanceVerdict {
  readonly allowance: Allowance;
  /** What the request would hold of it. */
  readonly hold: bigint;
  /** What could be held now, over all processes. */
  readonly available: bigint;
  readonly admitted: boolean;
}

export interface Limits extends AsyncDisposable {
  /**
   * Reserves over all allowances on the path. Returns at once where this process has enough in hand, else a promise.
   * Throws or rejects with `budget_exhausted`, `rate_limited`, `slots_exhausted` (naming the allowance), with
   * `storage_unavailable` when more must be drawn and the store cannot be asked, or with `overloaded` when too many
   * wait already. It ends by itself within seconds; a caller who left meanwhile settles with `null`. Allowances that do not
   * refuse (`soft`, `shadow`) cause none of this: of them more is held than is in hand.
   * `earlier`: of the same request, not settled: it counts as one request and takes one slot, which they have. An
   * `isUncounted` one is not counted as refused if it is.
   */
  reserve(
    scope: RequestScope,
    estimate: Estimate,
    earlier?: readonly Reservation[],
    isUncounted?: boolean,
  ): Reservation | Promise<Reservation>;
  /**
   * An allowance of money on the path that refuses what it has no room for, one of policy `strict` before others; `null`:
   * there is none. Throws `storage_unavailable`.
   */
  moneyBudget(scope: RequestScope): Allowance | null;
  /** Where the rates on the path stand, as far as is known now. Never throws. */
  rates(scope: RequestScope): Rates;
  /** What `reserve` would do, without holding anything. */
  preview(scope: RequestScope, estimate: Estimate): Promise<readonly AllowanceVerdict[]>;
}
