/**
 * What the closings of one transaction take from allowances, summed so that an account costs one pair of updates however
 * many closings took from it. What they do is what `applyMoves` in escrow/moves.ts does, by prepared statements.
 *
 * The common case, a grant that is there and not in suspense, asks nothing: the update finds the row or it does not.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { sql } from "kysely";
import type { CompiledQuery, Kysely } from "kysely";
import type { Amount, Move } from "../../escrow/bank.ts";
import type { Database } from "../../schema.ts";
import { UnopenedAccounts } from "./unopened-accounts.ts";

interface MoveSum {
  fromGrant: Amount;
  overdraft: Amount;
}

export class MoveSums {
  readonly #takeFromGrant: StatementSync;
  readonly #readGrant: StatementSync;
  readonly #spend: StatementSync;
  readonly #unopened: UnopenedAccounts;
  /** By owner, then by account. */
  readonly #sums = new Map<string, Map<string, MoveSum>>();

  constructor(connection: DatabaseSync, db: Kysely<Database>) {
    const prepare = (query: { compile(): CompiledQuery }): StatementSync => connection.prepare(query.compile().sql);
    this.#takeFromGrant = prepare(
      db
        .updateTable("allowance_grants")
        .set({ amount: sql<bigint>`amount - ${0n}` })
        .where("owner_id", "=", "")
        .where("account_id", "=", "")
        .where("suspended", "=", 0)
        .where("amount", ">=", 0n),
    );
    this.#readGrant = prepare(
      db
        .selectFrom("allowance_grants")
        .where("owner_id", "=", "")
        .where("account_id", "=", "")
        .select(["amount", "suspended"]),
    );
    this.#readGrant.setReadBigInts(true);
    this.#spend = prepare(
      db
        .updateTable("allowance_accounts")
        .set({
          spent_amount: sql<bigint>`spent_amount + ${0n}`,
          granted_amount: sql<bigint>`granted_amount - ${0n}`,
          suspense_amount: sql<bigint>`suspense_amount - ${0n}`,
          updated_at_ms: 0,
        })
        .where("account_id", "=", ""),
    );
    this.#unopened = new UnopenedAccounts(connection, db);
  }

  add(moves: readonly Move[]): void {
    for (const { ownerId, accountId, fromGrant, overdraft } of moves) {
      const accounts = this.#sums.get(ownerId) ?? this.#addOwner(ownerId);
      const sum = accounts.get(accountId);
      if (sum === undefined) {
        accounts.set(accountId, { fromGrant, overdraft });
        continue;
      }
      sum.fromGrant += fromGrant;
      if (overdraft !== 0n) sum.overdraft += overdraft;
    }
  }

  #addOwner(ownerId: string): Map<string, MoveSum> {
    const accounts = new Map<string, MoveSum>();
    this.#sums.set(ownerId, accounts);
    return accounts;
  }

  /** Writes the sums and forgets them. `nowMs`: ms since the epoch. */
  flush(nowMs: number): void {
    for (const [ownerId, accounts] of this.#sums) {
      for (const [accountId, sum] of accounts) this.#apply(ownerId, accountId, sum, nowMs);
    }
    this.#sums.clear();
  }

  clear(): void {
    this.#sums.clear();
  }

  #apply(ownerId: string, accountId: string, { fromGrant, overdraft }: MoveSum, nowMs: number): void {
    const spent = fromGrant + overdraft;
    const taken = this.#takeFromGrant.run(fromGrant, ownerId, accountId, 0, fromGrant).changes === 1;
    if (taken) this.#spend.run(spent, fromGrant, 0n, nowMs, accountId);
    else this.#applyToOtherGrant(ownerId, accountId, fromGrant, spent, nowMs);
  }

  /**
   * The grant is in suspense, or there is none (any more): then it is spent all the same, from what is available. Of an
   * account of which nothing was ever granted it makes one.
   */
  #applyToOtherGrant(ownerId: string, accountId: string, fromGrant: Amount, spent: Amount, nowMs: number): void {
    const grant = this.#readGrant.get(ownerId, accountId);
    const held = (grant?.["amount"] ?? 0n) as Amount;
    const taken = held < fromGrant ? held : fromGrant;
    const suspended = grant?.["suspended"] === 1n;
    if (taken > 0n) this.#takeFromGrant.run(taken, ownerId, accountId, suspended ? 1 : 0, taken);
    const spend = (): boolean =>
      this.#spend.run(spent, suspended ? 0n : taken, suspended ? taken : 0n, nowMs, accountId).changes === 1;
    if (!spend() && this.#unopened.open(accountId, nowMs)) spend();
  }
}
