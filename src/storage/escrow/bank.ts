/**
 * The bank: where allowances live, one for all gateway processes. A process ("owner") draws a grant from an account,
 * reserves against it locally, and what its requests settle moves from granted to spent together with their ledger
 * entries. The process's side is limits/escrow; what an account does with its numbers is account.ts.
 *
 *   limit = available + spent + granted + suspense      available may be below zero: an overdraft, or a lowered limit
 *
 * Requests are refused by processes, so they count refusals and carry them here with their draws and returns.
 *
 * Invariant: nothing is granted from an account of mode `enforce` beyond what is available. An owner whose lease has
 * ended is fenced: it gets nothing more, and what it had been granted is in suspense until its journal explains it.
 *
 * Every operation may be repeated, and a repeated one changes nothing: draws and returns carry the sequence number of
 * their owner's grant from that account, settlements the id of their request.
 */

/** Of an account; a whole number of nano-dollars, tokens, requests or slots, as the allowance's meter says. */
export type Amount = bigint;

/** An allowance's books for one subject and one window. */
export interface AccountKey {
  /** `allowanceId|subject|windowStartMs`. */
  readonly accountId: string;
  readonly allowanceId: string;
  /** Whom it counts where the allowance counts each one apart: a project, key or end user. Empty where it counts all together. */
  readonly subject: string;
  /** 0 for an allowance without calendar windows (lifetime, rates, slots). */
  readonly windowStartMs: number;
  /** Exclusive; `null` for an allowance without calendar windows. */
  readonly windowEndMs: number | null;
}

/** What an account stands at. */
export interface Standing {
  readonly limit: Amount;
  /** Of a rate below zero where some of what is granted has drained already, see account.ts. */
  readonly spent: Amount;
  /** In all owners' hands. */
  readonly granted: Amount;
  /** Granted to owners that died before they explained it. */
  readonly suspense: Amount;
}

export interface DrawRequest {
  readonly account: AccountKey;
  /** One more than that of the last operation on this owner's grant from the account; the first is 1. */
  readonly sequence: number;
  /** Above zero; less is not granted. */
  readonly need: Amount;
  /** At least `need`: granted where the account has plenty, see `grantSize`. */
  readonly want: Amount;
  /** Of a return too: what is to be added to the account's count of refused requests. */
  readonly refusals: number;
}

export interface DrawResult {
  readonly accountId: string;
  /** Zero or at least `need`. */
  readonly granted: Amount;
  /** After the draw. `null`: the allowance is disabled or unknown, nothing limits this account any more. */
  readonly standing: Standing | null;
  /** Where a rate refused: milliseconds until it will have drained enough, if nobody else draws; `null` if it never will. Else `null`. */
  readonly retryAfterMs: number | null;
}

export interface ReturnRequest {
  readonly accountId: string;
  readonly sequence: number;
  /** Zero only acknowledges a recall, or with `refusals` only reports them. */
  readonly amount: Amount;
  readonly refusals: number;
}

/** What a settled request takes from an account. */
export interface Move {
  readonly ownerId: string;
  readonly accountId: string;
  /** From the owner's grant to spent. */
  readonly fromGrant: Amount;
  /** Spent beyond the grant: the request cost more than was held and nothing was left in hand. */
  readonly overdraft: Amount;
}

/** What an open request holds of an account: what it is charged there if its process dies. */
export interface HeldAmount {
  readonly ownerId: string;
  readonly accountId: string;
  readonly amount: Amount;
}

/** What the requests of an owner hold of an account, together. */
export interface Holding {
  readonly accountId: string;
  readonly amount: Amount;
}

export interface LeaseState {
  /** `false`: fenced. The owner has no grants any more and must register under another id. */
  readonly alive: boolean;
  /** The bank's time, ms since the epoch: windows are found by it. */
  readonly nowMs: number;
  /** Accounts of which other owners need what this one has idle. Empty unless alive. */
  readonly recalled: readonly string[];
}

export interface ReapReport {
  /** Owners fenced by this call. */
  readonly owners: number;
  /** Accounts that have something new in suspense. */
  readonly accounts: number;
}

/** All reject with `storage_unavailable` while the store cannot be reached. */
export interface Bank {
  /** Announces an owner, whose lease runs from now. `instanceId`: the process whose journal explains it. */
  register(ownerId: string, instanceId: string, leaseMs: number): Promise<LeaseState>;
  /**
   * Extends the lease, unless it is fenced. `holdings`: all that its requests hold now, slots too, for people to see; it
   * decides nothing. Default: what was said last.
   */
  renew(ownerId: string, leaseMs: number, holdings?: readonly Holding[]): Promise<LeaseState>;
  /** Each by itself, in one transaction; results in the order of the requests. Rejects with `owner_fenced` if it is. */
  draw(ownerId: string, requests: readonly DrawRequest[]): Promise<readonly DrawResult[]>;
  /** Of a fenced owner's grants nothing can be given back: it changes nothing. */
  giveBack(ownerId: string, requests: readonly ReturnRequest[]): Promise<void>;
  /** Asks every other owner for what it has idle of these accounts: their next `renew` tells them. */
  recall(ownerId: string, accountIds: readonly string[]): Promise<void>;
  /** Everything that these owners did is settled: what is left of their grants, in suspense too, is available again. */
  finish(ownerIds: readonly string[]): Promise<void>;
  /** Fences the owners whose lease has ended: their grants are in suspense, except of slots, which are available again. */
  reap(): Promise<ReapReport>;
}
