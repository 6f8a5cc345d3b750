/**
 * A bank of a store and the bank of the simulation, led through the same steps: each answer and, after each step, all
 * numbers of both must be the same. So what the simulation proves of its bank holds for the store's.
 */
import assert from "node:assert/strict";
import { HeadgateError } from "../../src/kernel/errors.ts";
import type { AccountState } from "../../src/storage/escrow/account.ts";
import type { AccountKey, DrawRequest, LeaseState, Move, ReturnRequest } from "../../src/storage/escrow/bank.ts";
import { type GrantState, noGrant } from "../../src/storage/escrow/grant.ts";
import type { Database } from "../../src/storage/schema.ts";
import { ModelBank } from "../simulation/model/bank.ts";
import { Control } from "../simulation/model/control.ts";
import { type BankPlace, leaseMs } from "./bank-place.ts";
import { accountOf, sampleAllowance } from "./bank-samples.ts";
import { changeLimit, settleMoves } from "./bank-steps.ts";

const unheard = { changed: () => {}, drew: () => {}, released: () => {}, fenced: () => {} };

/** Of each kind that the bank treats differently, one. */
const kinds: readonly Partial<Database["allowances"]>[] = [
  { limit_amount: 100n },
  { limit_amount: 400n, mode: "soft" },
  { limit_amount: 300n, meter: "tokens", window_kind: "minute", burst_amount: 90n },
  { limit_amount: 60n, meter: "requests", window_kind: "minute", mode: "shadow" },
  { limit_amount: 50n, meter: "slots" },
];
export const accountCount: number = kinds.length;
export const ownerCount = 3;

export class BankTwins implements AsyncDisposable {
  readonly #place: BankPlace;
  readonly #control: Control;
  readonly #model: ModelBank;
  readonly #prefix: string;
  readonly #accounts: readonly AccountKey[];
  readonly #lastDraws = new Map<string, DrawRequest>();
  readonly #lives: number[] = [];

  /** `prefix`: of all ids, so that many twins can live on one store one after the other. */
  static async create(place: BankPlace, prefix: string): Promise<BankTwins> {
    const rows = kinds.map((columns, index) => sampleAllowance(`${prefix}_${index}`, columns));
    await place.db.insertInto("allowances").values(rows).execute();
    const twins = new BankTwins(place, prefix, rows);
    for (let owner = 0; owner < ownerCount; owner++) await twins.renew(owner);
    return twins;
  }

  private constructor(place: BankPlace, prefix: string, rows: readonly Database["allowances"][]) {
    this.#place = place;
    this.#prefix = prefix;
    this.#control = new Control(rows);
    this.#model = new ModelBank(this.#control, () => place.time.nowMs, unheard);
    this.#accounts = rows.map((row) => accountOf(row.id));
  }

  /** Ends its owners, which twins after it on the same store would find. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (let owner = 0; owner < ownerCount; owner++) await this.#place.bank.finish([this.#ownerId(owner)]);
  }

  /** Extends the lease of an owner; one that is fenced, or not there yet, is followed by another. */
  async renew(owner: number): Promise<void> {
    const ownerId = this.#ownerId(owner);
    const state = await this.#place.bank.renew(ownerId, leaseMs);
    assert.deepEqual(sorted(state), sorted(this.#model.renew(ownerId, leaseMs)));
    if (state.alive) return;
    this.#lives[owner] = (this.#lives[owner] ?? 0) + 1;
    const next = this.#ownerId(owner);
    const registered = await this.#place.bank.register(next, "ins_1", leaseMs);
    assert.deepEqual(registered, this.#model.register(next, "ins_1", leaseMs));
  }

  /** `again`: the last draw, where nothing came after it. */
  async draw(owner: number, account: number, { need, more, refusals, again }: DrawStep): Promise<void> {
    const key = this.#account(account);
    const ownerId = this.#ownerId(owner);
    const { sequence } = this.#grant(ownerId, key);
    const last = this.#lastDraws.get(ownerId + key.accountId);
    const next = { account: key, sequence: sequence + 1, need, want: need + more, refusals };
    const request = again && last?.sequence === sequence ? last : next;
    const drawn = await outcome(() => this.#place.bank.draw(ownerId, [request]));
    assert.deepEqual(drawn, await outcome(() => this.#model.draw(ownerId, [request])));
    this.#lastDraws.set(ownerId + key.accountId, request);
  }

  async giveBack(owner: number, account: number, { atMost, refusals, again }: ReturnStep): Promise<void> {
    const { accountId } = this.#account(account);
    const ownerId = this.#ownerId(owner);
    if (!this.#exists(accountId)) return;
    const { amount, sequence } = this.#grant(ownerId, this.#account(account));
    const returned = amount < atMost ? amount : atMost;
    const request: ReturnRequest = { accountId, sequence: sequence + 1, amount: returned, refusals };
    for (let times = again ? 2 : 1; times > 0; times--) {
      await this.#place.bank.giveBack(ownerId, [request]);
      this.#model.giveBack(ownerId, [request]);
    }
  }

  async settle(owner: number, account: number, fromGrant: bigint, overdraft: bigint): Promise<void> {
    const { accountId } = this.#account(account);
    const moves: Move[] = [{ ownerId: this.#ownerId(owner), accountId, fromGrant, overdraft }];
    await settleMoves(this.#place.db, moves, this.#place.time.nowMs);
    this.#model.applyMoves(moves);
  }

  async pass(ms: number): Promise<void> {
    this.#place.time.nowMs += ms;
  }

  async recall(owner: number, account: number): Promise<void> {
    const accountIds = [this.#account(account).accountId];
    await this.#place.bank.recall(this.#ownerId(owner), accountIds);
    this.#model.recall(this.#ownerId(owner), accountIds);
  }

  async finish(owner: number): Promise<void> {
    await this.#place.bank.finish([this.#ownerId(owner)]);
    this.#model.finish([this.#ownerId(owner)]);
  }

  async reap(): Promise<void> {
    const { owners } = await this.#place.bank.reap();
    assert.equal(owners, this.#model.reap().owners);
  }

  async changeLimit(account: number, limit: bigint): Promise<void> {
    const { allowanceId } = this.#account(account);
    await changeLimit(this.#place.db, allowanceId, limit, this.#place.time.nowMs);
    this.#control.change(allowanceId, { limit_amount: limit });
    this.#model.applyLimit(allowanceId);
  }

  /** All numbers of all accounts and grants are the same on both. */
  async compare(): Promise<void> {
    const { db } = this.#place;
    const ids = this.#accounts.map((key) => key.accountId);
    const accounts = await db.selectFrom("allowance_accounts").selectAll().where("account_id", "in", ids).execute();
    const grants = await db.selectFrom("allowance_grants").selectAll().where("account_id", "in", ids).execute();
    const grantsOf = Map.groupBy(grants, (row) => row.account_id);
    const stored = accounts.map((row) => {
      const held = grantsOf.get(row.account_id) ?? [];
      return [row.account_id, toCompared(toNumbers(row), held.map(toGrant))] as const;
    });
    const model = [...this.#model.accounts].map(([id, each]) => [id, toCompared(each.state, each.grants)] as const);
    assert.deepEqual(new Map(stored), new Map(model));
  }

  #ownerId(owner: number): string {
    return `${this.#prefix}_owner${owner}.${this.#lives[owner] ?? 0}`;
  }

  #account(index: number): AccountKey {
    const key = this.#accounts[index];
    assert.ok(key !== undefined);
    return key;
  }

  #exists(accountId: string): boolean {
    return this.#model.accounts.has(accountId);
  }

  #grant(ownerId: string, { accountId }: AccountKey): GrantState {
    return this.#model.accounts.get(accountId)?.grants.get(ownerId) ?? noGrant;
  }
}

export interface DrawStep {
  readonly need: bigint;
  readonly more: bigint;
  readonly refusals: number;
  readonly again: boolean;
}

export interface ReturnStep {
  readonly atMost: bigint;
  readonly refusals: number;
  readonly again: boolean;
}

type Numbers = Pick<AccountState, "limit" | "spent" | "granted" | "suspense" | "drainedAtMs" | "refusals">;

interface Compared extends Numbers {
  readonly grants: Map<string, GrantState>;
}

/** A recall of a suspended grant means nothing: nobody is told of it. */
function toCompared(numbers: Numbers, held: Iterable<readonly [string, GrantState]>): Compared {
  const { limit, spent, granted, suspense, drainedAtMs, refusals } = numbers;
  const grants = [...held].map(
    ([ownerId, grant]) => [ownerId, { ...grant, recalled: grant.recalled && !grant.suspended }] as const,
  );
  return { limit, spent, granted, suspense, drainedAtMs, refusals, grants: new Map(grants) };
}

function toNumbers(row: Database["allowance_accounts"]): Numbers {
  return {
    limit: row.limit_amount,
    spent: row.spent_amount,
    granted: row.granted_amount,
    suspense: row.suspense_amount,
    drainedAtMs: row.drained_at_ms,
    refusals: row.refusals,
  };
}

function toGrant(row: Database["allowance_grants"]): readonly [string, GrantState] {
  const { amount, sequence, last_amount: lastAmount } = row;
  return [row.owner_id, { amount, sequence, lastAmount, recalled: row.recalled === 1, suspended: row.suspended === 1 }];
}

function sorted(state: LeaseState): LeaseState {
  return { ...state, recalled: state.recalled.toSorted() };
}

/** What it resolves with, or the code that it rejects with. */
async function outcome<T>(act: () => T | Promise<T>): Promise<T | string> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof HeadgateError) return error.code;
    throw error;
  }
}
