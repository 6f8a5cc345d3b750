/**
 * A bank in memory, for tests of the process's side of escrow: the real arithmetic of accounts and grants on a virtual
 * clock. Every call is answered a few microtasks later, unless the test holds answers back or makes calls fail.
 */
import { regimeOf, type Allowance } from "../../src/limits/allowance.ts";
import { HeadgateError } from "../../src/kernel/errors.ts";
import { drain, type AccountState } from "../../src/storage/escrow/account.ts";
import type { Bank, DrawRequest, DrawResult, LeaseState, Move, ReturnRequest } from "../../src/storage/escrow/bank.ts";
import {
  drawGrant,
  drawNothing,
  fenceGrant,
  finishGrant,
  type GrantState,
  noGrant,
  returnGrant,
  settleGrant,
} from "../../src/storage/escrow/grant.ts";

type Operation = Exclude<keyof Bank, "reap">;

interface MemoryOwner {
  leaseUntilMs: number;
  isFenced: boolean;
  readonly grants: Map<string, GrantState>;
}

const windowMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000 };

export class MemoryBank implements Bank {
  readonly allowances: Map<string, Allowance> = new Map();
  readonly accounts: Map<string, AccountState> = new Map();
  readonly owners: Map<string, MemoryOwner> = new Map();
  /** Every call that was executed, in order. */
  readonly calls: { readonly operation: Operation; readonly detail: unknown }[] = [];
  /** Called before an operation is executed; may throw. */
  before: (operation: Operation) => void = () => {};
  /** Called after it, before it is answered; may throw or wait. */
  after: (operation: Operation) => void | Promise<void> = () => {};
  readonly #nowMs: () => number;

  /** `nowMs`: the bank's time. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  register(ownerId: string, _instanceId: string, leaseMs: number): Promise<LeaseState> {
    return this.#run("register", ownerId, () => {
      const owner = this.owners.getOrInsertComputed(ownerId, () => ({
        leaseUntilMs: 0,
        isFenced: false,
        grants: new Map(),
      }));
      return this.#lease(owner, leaseMs);
    });
  }

  renew(ownerId: string, leaseMs: number): Promise<LeaseState> {
    return this.#run("renew", ownerId, () => this.#lease(this.#ownerOf(ownerId), leaseMs));
  }

  draw(ownerId: string, requests: readonly DrawRequest[]): Promise<readonly DrawResult[]> {
    return this.#run("draw", requests, () => {
      const owner = this.#ownerOf(ownerId);
      if (owner.isFenced) throw new HeadgateError("owner_fenced", "Fenced.");
      return requests.map((request) => this.#draw(owner, request));
    });
  }

  giveBack(ownerId: string, requests: readonly ReturnRequest[]): Promise<void> {
    return this.#run("giveBack", requests, () => {
      const owner = this.#ownerOf(ownerId);
      if (owner.isFenced) return;
      for (const request of requests) {
        const account = this.accountOf(request.accountId);
        const returned = returnGrant({ account, grant: owner.grants.get(request.accountId) ?? noGrant }, request);
        this.#save(request.accountId, owner, returned.account, returned.grant);
      }
    });
  }

  recall(ownerId: string, accountIds: readonly string[]): Promise<void> {
    return this.#run("recall", accountIds, () => {
      for (const [otherId, { grants }] of this.owners) {
        if (otherId === ownerId) continue;
        for (const accountId of accountIds) {
          const grant = grants.get(accountId);
          if (grant !== undefined && grant.amount > 0n) grants.set(accountId, { ...grant, recalled: true });
        }
      }
    });
  }

  finish(ownerIds: readonly string[]): Promise<void> {
    return this.#run("finish", ownerIds, () => {
      for (const ownerId of ownerIds) {
        const owner = this.#ownerOf(ownerId);
        owner.isFenced = true;
        for (const [accountId, grant] of owner.grants) {
          this.accounts.set(accountId, finishGrant({ account: this.accountOf(accountId), grant }));
        }
        owner.grants.clear();
      }
    });
  }

  /** Fences every owner whose lease is over. */
  reap(): Promise<{ readonly owners: number; readonly accounts: number }> {
    for (const owner of this.owners.values()) {
      if (owner.isFenced || owner.leaseUntilMs > this.#nowMs()) continue;
      owner.isFenced = true;
      for (const [accountId, grant] of owner.grants) {
        const meter = this.allowances.get(allowanceIdOf(accountId))?.meter ?? "money";
        const fenced = fenceGrant({ account: this.accountOf(accountId), grant }, meter);
        this.#save(accountId, owner, fenced.account, fenced.grant);
      }
    }
    return Promise.resolve({ owners: 0, accounts: 0 });
  }

  /** What the journal does with the moves of a closing. */
  settle(moves: readonly Move[]): void {
    for (const move of moves) {
      const allowance = this.allowances.get(allowanceIdOf(move.accountId));
      if (allowance === undefined) continue;
      this.accounts.getOrInsertComputed(move.accountId, () => newAccount(allowance, this.#nowMs()));
      const grants = this.owners.get(move.ownerId)?.grants;
      const grant = grants?.get(move.accountId);
      const settled = settleGrant({ account: this.accountOf(move.accountId), grant: grant ?? noGrant }, move);
      this.accounts.set(move.accountId, settled.account);
      if (grant !== undefined) grants?.set(move.accountId, settled.grant);
    }
  }

  /** Drained up to now. */
  accountOf(accountId: string): AccountState {
    const account = this.accounts.get(accountId);
    if (account === undefined) throw new Error(`There is no account ${accountId}.`);
    return drain(account, this.#nowMs());
  }

  count(operation: Operation): number {
    return this.calls.filter((call) => call.operation === operation).length;
  }

  #draw(owner: MemoryOwner, request: DrawRequest): DrawResult {
    const { accountId, allowanceId } = request.account;
    const allowance = this.allowances.get(allowanceId);
    const grant = owner.grants.get(accountId) ?? noGrant;
    if (allowance === undefined || allowance.disabledAtMs !== null) {
      const drawn = drawNothing({ account: this.accounts.get(accountId) ?? null, grant }, request);
      if (drawn.account !== null) this.accounts.set(accountId, drawn.account);
      owner.grants.set(accountId, drawn.grant);
      return { accountId, granted: drawn.grant.lastAmount, standing: null, retryAfterMs: null };
    }
    const account = this.accounts.getOrInsertComputed(accountId, () => newAccount(allowance, this.#nowMs()));
    const drawn = drawGrant({ account: { ...account, ...termsOf(allowance) }, grant }, request, this.#nowMs());
    this.#save(accountId, owner, drawn.account, drawn.grant);
    const { limit, spent, granted, suspense } = drawn.account;
    const standing = { limit, spent, granted, suspense };
    return { accountId, granted: drawn.granted, standing, retryAfterMs: drawn.retryAfterMs };
  }

  #lease(owner: MemoryOwner, leaseMs: number): LeaseState {
    const nowMs = this.#nowMs();
    if (owner.isFenced) return { alive: false, nowMs, recalled: [] };
    owner.leaseUntilMs = nowMs + leaseMs;
    const recalled = [...owner.grants].filter(([, grant]) => grant.recalled).map(([accountId]) => accountId);
    return { alive: true, nowMs, recalled };
  }

  #ownerOf(ownerId: string): MemoryOwner {
    const owner = this.owners.get(ownerId);
    if (owner === undefined) throw new Error(`There is no owner ${ownerId}.`);
    return owner;
  }

  #save(accountId: string, owner: MemoryOwner, account: AccountState, grant: GrantState): void {
    this.accounts.set(accountId, account);
    owner.grants.set(accountId, grant);
  }

  async #run<Result>(operation: Operation, detail: unknown, execute: () => Result): Promise<Result> {
    await Promise.resolve();
    this.before(operation);
    this.calls.push({ operation, detail });
    const result = execute();
    await this.after(operation);
    return result;
  }
}

function allowanceIdOf(accountId: string): string {
  return accountId.slice(0, accountId.indexOf("|"));
}

function newAccount(allowance: Allowance, nowMs: number): AccountState {
  return { ...termsOf(allowance), spent: 0n, granted: 0n, suspense: 0n, drainedAtMs: nowMs, refusals: 0 };
}

function termsOf(allowance: Allowance): Pick<AccountState, "limit" | "mode" | "drain"> {
  const { meter, window, limit, burst, mode } = allowance;
  const perMs = windowMs[window] ?? 0;
  const isRate = regimeOf(meter, window) === "rate";
  return { limit: isRate ? (burst ?? limit) : limit, mode, drain: isRate ? { amount: limit, perMs } : null };
}
