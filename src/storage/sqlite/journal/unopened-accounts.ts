/**
 * Accounts from which nothing was drawn before something was used of them: made in the journal's own transaction, as
 * `openNamed` in escrow/opening.ts does it, by prepared statements.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { CompiledQuery, Kysely } from "kysely";
import { accountKeyOf, allowanceIdOf } from "../../escrow/account-ids.ts";
import { newAccount } from "../../escrow/opening.ts";
import { type AllowanceRow, limitOfWindow, type OverrideRow } from "../../escrow/terms.ts";
import type { Database } from "../../schema.ts";
import { narrowIntegers } from "../integers.ts";

const placeholder = newAccount(
  { accountId: "", allowanceId: "", subject: "", windowStartMs: 0, windowEndMs: null },
  0n,
  0,
);

export class UnopenedAccounts {
  readonly #allowance: StatementSync;
  readonly #overrides: StatementSync;
  readonly #insert: StatementSync;

  constructor(connection: DatabaseSync, db: Kysely<Database>) {
    const prepare = (query: { compile(): CompiledQuery }): StatementSync =>
      connection.prepare(query.compile().sql, { readBigInts: true });
    this.#allowance = prepare(db.selectFrom("allowances").selectAll().where("id", "=", ""));
    this.#overrides = prepare(
      db
        .selectFrom("allowance_overrides")
        .select(["from_ms", "until_ms", "limit_amount"])
        .where("allowance_id", "=", "")
        .where("revoked_at_ms", "is", null),
    );
    this.#insert = prepare(
      db
        .insertInto("allowance_accounts")
        .values(placeholder)
        .onConflict((conflict) => conflict.column("account_id").doNothing()),
    );
  }

  /** Returns whether it is new. `nowMs`: ms since the epoch. */
  open(accountId: string, nowMs: number): boolean {
    const allowanceId = allowanceIdOf(accountId);
    const row = this.#allowance.get(allowanceId);
    if (row === undefined) return false;
    const allowance = narrowed<AllowanceRow>(row);
    const key = accountKeyOf(accountId, allowance);
    if (key === null) return false;
    const overrides = this.#overrides.all(allowanceId).map(narrowed<OverrideRow>);
    const account = newAccount(key, limitOfWindow(allowance, overrides, key.windowStartMs), nowMs);
    return this.#insert.run(...Object.values<bigint | number | string | null>({ ...account })).changes === 1n;
  }
}

/** Of times only, which are all within a number's exact range. */
function narrowed<Row>(row: Record<string, unknown>): Row {
  return narrowIntegers(row, () => {}) as Row;
}
