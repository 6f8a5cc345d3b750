/**
 * The bank in memory: what sql-bank.ts does in transactions, done to maps; the arithmetic is the real one. A call that
 * throws changes nothing. What the world must know of each step, to judge it, it is told (`BankWitness`).
 */
import { assert } from "../../../src/kernel/assert.ts";
import { HeadgateError } from "../../../src/kernel/errors.ts";
import { regimeOf } from "../../../src/limits/allowance.ts";
import { accountKeyOf, allowanceIdOf } from "../../../src/storage/escrow/account-ids.ts";
import { settle, type AccountState } from "../../../src/storage/escrow/account.ts";
import type {
  AccountKey,
  DrawRequest,
  DrawResult,
  LeaseState,
  Move,
  ReapReport,
  ReturnRequest,
} from "../../../src/storage/escrow/bank.ts";
import {
  drawGrant,
  drawNothing,
  fenceGrant,
  finishGrant,
  noGrant,
  returnGrant,
  settleGrant,
  type GrantState,
} from "../../../src/storage/escrow/grant.ts";
import { limitOfWindow } from "../../../src/storage/escrow/terms.ts";
import type { AllowanceRow, Control } from "./control.ts";

export interface ModelAccount {
  readonly key: AccountKey;
  state: AccountState;
  readonly grants: Map<string, GrantState>;
}

interface Owner {
  readonly instanceId: string;
  leaseUntilMs: number;
  fenced: boolean;
}

export interface BankWitness {
  /** Numbers of an account have changed. */
  changed(account: ModelAccount): void;
  drew(account: ModelAccount, before: AccountState, granted: bigint, nowMs: number): void;
  /** Returned, or left over by an owner that is finished. */
  released(account: ModelAccount, amount: bigint): void;
  /** An owner of this instance: the slots that its requests use are others' from now on. */
  fenced(instanceId: string): void;
}

const windowMs = { minute: 60_000, hour: 3_600_000 } as const;

export class ModelBank {
  readonly #control: Control;
  readonly #nowMs: () => number;
  readonly #witness: BankWitness;
  readonly #accounts = new Map<string, ModelAccount>();
  readonly #owners = new Map<string, Owner>();

  constructor(control: Control, nowMs: () => number, witness: BankWitness) {
    this.#control = control;
    this.#nowMs = nowMs;
    this.#witness = witness;
  }

  get accounts(): ReadonlyMap<string, ModelAccount> {
    return this.#accounts;
  }

  nowMs(): number {
    return this.#nowMs();
  }

  register(ownerId: string, instanceId: string, leaseMs: number): LeaseState {
    if (!this.#owners.has(ownerId)) this.#owners.set(ownerId, { instanceId, leaseUntilMs: 0, fenced: false });
    return this.renew(ownerId, leaseMs);
  }

  renew(ownerId: string, leaseMs: number): LeaseState {
    const owner = this.#owners.get(ownerId);
    if (owner !== undefined && !owner.fenced) owner.leaseUntilMs = this.#nowMs() + leaseMs;
    return this.#leaseState(ownerId);
  }

  draw(ownerId: string, requests: readonly DrawRequest[]): readonly DrawResult[] {
    this.#refuseFenced(ownerId);
    const accounts = requests.map(({ account }) => this.#open(account));
    assert(new Set(accounts).size === accounts.length, "an owner draws once from each account in one call");
    const planned = requests.map((request, index) => this.#planDraw(ownerId, request, accounts[index]!));
    return planned.map((commit) => commit());
  }

  giveBack(ownerId: string, requests: readonly ReturnRequest[]): void {
    if (this.#owners.get(ownerId)?.fenced !== false) return;
    const planned = requests.map((request) => {
      const account = this.#accounts.get(request.accountId);
      if (account === undefined) throw new HeadgateError("internal", `There is no account ${request.accountId}.`);
      const grant = account.grants.get(ownerId) ?? noGrant;
      return { account, before: grant, books: returnGrant({ account: account.state, grant }, request) };
    });
    for (const { account, before, books } of planned) {
      this.#keep(account, ownerId, books);
      this.#witness.released(account, before.amount - books.grant.amount);
    }
  }

  recall(ownerId: string, accountIds: readonly string[]): void {
    for (const accountId of accountIds) this.#recall(accountId, ownerId);
  }

  finish(ownerIds: readonly string[]): void {
    for (const ownerId of ownerIds) {
      const owner = this.#owners.get(ownerId);
      if (owner === undefined) continue;
      owner.fenced = true;
      for (const account of this.#accounts.values()) {
        const grant = account.grants.get(ownerId);
        if (grant === undefined) continue;
        account.state = finishGrant({ account: account.state, grant });
        account.grants.delete(ownerId);
        this.#witness.released(account, grant.amount);
        this.#witness.changed(account);
      }
    }
  }

  reap(): ReapReport {
    const touched = new Set<ModelAccount>();
    let owners = 0;
    for (const [ownerId, owner] of this.#owners) {
      if (owner.fenced || owner.leaseUntilMs >= this.#nowMs()) continue;
      owner.fenced = true;
      owners++;
      this.#witness.fenced(owner.instanceId);
      for (const account of this.#accounts.values()) {
        const grant = account.grants.get(ownerId);
        if (grant === undefined) continue;
        const meter = this.#control.allowance(account.key.allowanceId)?.meter ?? "money";
        this.#keep(account, ownerId, fenceGrant({ account: account.state, grant }, meter));
        touched.add(account);
      }
    }
    return { owners, accounts: touched.size };
  }

  /** What requests took, in the transaction that puts them into the ledger. */
  applyMoves(moves: readonly Move[]): void {
    for (const move of moves) {
      const account = this.#accounts.get(move.accountId) ?? this.#openNamed(move.accountId);
      if (account === null) continue;
      const grant = account.grants.get(move.ownerId);
      if (grant === undefined) {
        const overdraft = move.fromGrant + move.overdraft;
        account.state = settle(account.state, { fromGrant: 0n, overdraft }, false);
        this.#witness.changed(account);
      } else {
        this.#keep(account, move.ownerId, settleGrant({ account: account.state, grant }, move));
      }
    }
  }

  /** The allowance says something else now: its open accounts follow, and what is idle of them comes back. */
  applyLimit(allowanceId: string): void {
    for (const account of this.#accounts.values()) {
      const { key } = account;
      if (key.allowanceId !== allowanceId) continue;
      if (key.windowEndMs !== null && key.windowEndMs <= this.#nowMs()) continue;
      account.state = this.#withLimit(account.state, key);
      this.#recall(key.accountId, null);
      this.#witness.changed(account);
    }
  }

  instanceOf(ownerId: string): string | null {
    return this.#owners.get(ownerId)?.instanceId ?? null;
  }

  /** Whether the last owner of the instance is. */
  isFenced(instanceId: string): boolean {
    return this.#owners.get(this.ownersOf(instanceId).at(-1) ?? "")?.fenced !== false;
  }

  ownersOf(instanceId: string): readonly string[] {
    return [...this.#owners].filter(([, owner]) => owner.instanceId === instanceId).map(([ownerId]) => ownerId);
  }

  #leaseState(ownerId: string): LeaseState {
    const alive = this.#owners.get(ownerId)?.fenced === false;
    const recalled = !alive
      ? []
      : [...this.#accounts.values()]
          .filter(({ grants }) => grants.get(ownerId)?.recalled === true)
          .map(({ key }) => key.accountId);
    return { alive, nowMs: this.#nowMs(), recalled };
  }

  #refuseFenced(ownerId: string): void {
    if (this.#owners.get(ownerId)?.fenced === false) return;
    throw new HeadgateError("owner_fenced", `Owner ${ownerId} is fenced.`);
  }

  #planDraw(ownerId: string, request: DrawRequest, account: ModelAccount): () => DrawResult {
    const { accountId, allowanceId } = account.key;
    const grant = account.grants.get(ownerId) ?? noGrant;
    if (this.#control.allowance(allowanceId)?.disabled_at_ms !== null) {
      const books = drawNothing({ account: account.state, grant }, request);
      return () => {
        this.#keep(account, ownerId, books);
        return { accountId, granted: 0n, standing: null, retryAfterMs: null };
      };
    }
    const nowMs = this.#nowMs();
    const before = this.#withTerms(account.state, account.key);
    const drawn = drawGrant({ account: before, grant }, request, nowMs);
    return () => {
      this.#keep(account, ownerId, { account: drawn.account, grant: drawn.grant });
      this.#witness.drew(account, before, drawn.grant.amount - grant.amount, nowMs);
      return {
        accountId,
        granted: drawn.granted,
        standing: standingOf(drawn.account),
        retryAfterMs: drawn.retryAfterMs,
      };
    };
  }

  #recall(accountId: string, asking: string | null): void {
    const grants = this.#accounts.get(accountId)?.grants ?? new Map<string, GrantState>();
    for (const [ownerId, grant] of grants) {
      if (ownerId !== asking && grant.amount > 0n) grants.set(ownerId, { ...grant, recalled: true });
    }
  }

  #open(key: AccountKey): ModelAccount {
    return this.#accounts.getOrInsertComputed(key.accountId, () => {
      const empty: AccountState = {
        limit: 0n,
        spent: 0n,
        granted: 0n,
        suspense: 0n,
        mode: "enforce",
        drain: null,
        drainedAtMs: this.#nowMs(),
        refusals: 0,
      };
      const account = { key, state: this.#withLimit(empty, key), grants: new Map<string, GrantState>() };
      this.#witness.changed(account);
      return account;
    });
  }

  /** Something was used of it before anything was drawn. */
  #openNamed(accountId: string): ModelAccount | null {
    const row = this.#control.allowance(allowanceIdOf(accountId));
    const key = row === undefined ? null : accountKeyOf(accountId, row);
    return key === null ? null : this.#open(key);
  }

  /** Mode and rate as the allowance has them now. */
  #withTerms(state: AccountState, { allowanceId }: AccountKey): AccountState {
    const row = this.#control.allowance(allowanceId);
    return row === undefined ? state : { ...state, mode: row.mode, drain: drainOf(row) };
  }

  /** The limit too. */
  #withLimit(state: AccountState, key: AccountKey): AccountState {
    const row = this.#control.allowance(key.allowanceId);
    if (row === undefined) return state;
    const limit = limitOfWindow(row, this.#control.overridesOf(row.id), key.windowStartMs);
    return { ...this.#withTerms(state, key), limit };
  }

  #keep(account: ModelAccount, ownerId: string, books: { account: AccountState; grant: GrantState }): void {
    account.state = books.account;
    account.grants.set(ownerId, books.grant);
    this.#witness.changed(account);
  }
}

function drainOf(row: AllowanceRow): AccountState["drain"] {
  if (regimeOf(row.meter, row.window_kind) !== "rate") return null;
  return { amount: row.limit_amount, perMs: row.window_kind === "minute" ? windowMs.minute : windowMs.hour };
}

function standingOf({ limit, spent, granted, suspense }: AccountState): DrawResult["standing"] {
  return { limit, spent, granted, suspense };
}
