/**
 * What is left of one request that was asked beside others: its record, its charge in the ledger, and the provider's
 * invoice for it. And the check of an outcome in all four respects against them.
 */
import assert from "node:assert/strict";
import { sql, type Kysely, type SelectQueryBuilder } from "kysely";
import type { Simulator } from "../../src/simulator/simulator.ts";
import type { Database } from "../../src/storage/schema.ts";
import type { Store } from "../../src/storage/storage.ts";
import { eventually } from "../support/eventually.ts";
import type { LedgerRow, RequestRow } from "../support/evidence.ts";
import type { Reply } from "../support/simulator-client.ts";
import { assertCaller } from "./caller-sees.ts";
import { assertCharge, invoicedFor } from "./charge.ts";
import type { Case } from "./lines/line.ts";
import type { Outcome } from "./outcome.ts";

export interface Books {
  readonly db: Kysely<Database>;
  /** Where calls are held. */
  readonly journalDb: Kysely<Database>;
  readonly simulator: Simulator;
}

export interface Asked {
  /** Nobody else asks for it. */
  readonly model: string;
  /** Its `user-agent`, which nobody else has. */
  readonly agent: string;
  readonly reply: Promise<Reply>;
}

export type Expected = Pick<Case, "outcome" | "stream" | "caller">;

export interface Booked {
  readonly row: RequestRow;
  readonly entry: LedgerRow | undefined;
}

/** Checks a request of at most one call. Resolves with its record; `null` where there is to be none. */
export async function assertCase(
  books: Books,
  asked: Asked,
  { outcome, stream, caller }: Expected,
): Promise<Booked | null> {
  assertCaller(await asked.reply, outcome, stream, caller);
  return assertBooked(books, asked, outcome);
}

/** What became of each of these, in the order of `all`, which says what is expected. */
export async function assertCases(
  books: Books,
  asked: readonly Asked[],
  all: readonly Expected[],
): Promise<readonly PromiseSettledResult<unknown>[]> {
  const pairs = asked.map((one, index) => [one, all[index]] as const);
  return Promise.allSettled(
    pairs.map(([one, expected]) => {
      assert.ok(expected !== undefined);
      return assertCase(books, one, expected);
    }),
  );
}

/** Of a store that is open in this process. */
export function booksOf({ db, journalDb }: Pick<Store, "db" | "journalDb">, simulator: Simulator): Books {
  return { db, journalDb, simulator };
}

/** All but what the caller sees. */
export async function assertBooked(
  books: Books,
  asked: Pick<Asked, "model" | "agent">,
  outcome: Outcome,
): Promise<Booked | null> {
  const own = recordsOf(books, asked);
  if (outcome.ending === null) {
    assert.deepEqual(await own.execute(), [], "no record");
    assert.deepEqual(await entriesOf(books, "model_asked", asked.model), [], "no charge");
    return null;
  }
  const row = await eventually(`a record of ${asked.agent}`, () => own.executeTakeFirst());
  assertRecord(row, outcome);
  const [entry, ...others] = await entriesOf(books, "request_id", row.request_id);
  assert.deepEqual(others, [], "one attempt has one entry");
  assert.equal(row.cost_nano_usd, entry?.cost_nano_usd ?? 0n);
  assert.equal(row.basis, entry?.basis ?? "none");
  assertCharge(entry, await invoicedFor(books.simulator, entry, outcome.charged), outcome.charged);
  const held = books.journalDb.selectFrom("holds").select("attempt_id").where("request_id", "=", row.request_id);
  assert.deepEqual(await held.execute(), [], "nothing stays held");
  return { row, entry };
}

/** Of a request that was killed only the model is known, of one that was never read only the agent. */
export function recordsOf(
  { db }: Books,
  { model, agent }: Pick<Asked, "model" | "agent">,
): SelectQueryBuilder<Database, "requests", RequestRow> {
  const isOwn = sql<boolean>`model_asked = ${model} or user_agent = ${agent}`;
  return db.selectFrom("requests").selectAll().where(isOwn);
}

function entriesOf({ db }: Books, column: "model_asked" | "request_id", value: string): Promise<LedgerRow[]> {
  return db.selectFrom("ledger_entries").selectAll().where(column, "=", value).execute();
}

export function assertRecord(row: RequestRow, { ending, code, status, attempts }: Outcome): void {
  assert.deepEqual(
    { ending: row.ending, code: row.error_code, status: row.status, attempts: row.attempts },
    { ending, code, status, attempts },
  );
}
