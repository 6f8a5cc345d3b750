/**
 * What is left of one request that was asked beside others: its record, its charge in the ledger, and the provider's
 * invoice for it. And the check of an outcome in all four respects against them.
 */
import assert from "node:assert/strict";
import { sql, type Kysely, type SelectQueryBuilder } from "kysely";
import type { Simulator } from "../../src/simulator/simulator.ts";
import type { Database } from "../../src/storage/schema.ts";
import { eventually } from "../support/eventually.ts";
import type { LedgerRow, RequestRow } from "../support/evidence.ts";
import type { Reply } from "../support/simulator-client.ts";
import type { Case } from "./lines/line.ts";
import type { Charged, Outcome } from "./outcome.ts";
import { eventsOf, speeches, terminalsIn, type Caller } from "./speech.ts";

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

/** In nano-dollars; a line that is due may come after the answer. */
export async function invoicedFor(
  simulator: Simulator,
  entry: LedgerRow | undefined,
  charged: Charged,
): Promise<bigint> {
  const find = () => simulator.invoice().find(({ clientRequestId }) => clientRequestId === entry?.attempt_id);
  const isDue = charged === "reported" || charged === "drained";
  const line = isDue ? await eventually(`a line of the invoice for ${entry?.attempt_id}`, find) : find();
  return line?.costNanoUsd ?? 0n;
}

/** What an attempt was charged, beside what the provider's invoice says of it. */
export function assertCharge(entry: LedgerRow | undefined, invoiced: bigint, charged: Charged): void {
  if (charged === "nothing" || charged === "nothing yet") {
    const basis = charged === "nothing" ? "none" : "metered";
    assert.deepEqual([entry?.cost_nano_usd ?? 0n, entry?.basis ?? "none"], [0n, basis]);
    if (charged === "nothing") assert.equal(invoiced, 0n, "the provider bills nothing either");
    return;
  }
  assert.ok(entry, "a charge in the ledger");
  const isReported = charged === "reported" || charged === "drained";
  assert.equal(entry.estimated, isReported ? 0 : 1);
  assert.equal(entry.basis, isReported ? charged : charged === "worst case" ? "worst-case" : "metered");
  if (isReported) assert.equal(entry.cost_nano_usd, invoiced, "what the provider's invoice says");
  else assert.ok(entry.cost_nano_usd > 0n && entry.input_tokens > 0, "an estimate is never nothing");
  if (charged === "estimate") assert.ok(entry.output_tokens > 0, "output was delivered, and is counted");
  // A Messages stream begins by reporting one token of output.
  if (charged === "input estimate") assert.ok(entry.output_tokens + entry.reasoning_tokens <= 1);
  if (charged === "worst case") assert.ok(entry.cost_nano_usd >= invoiced, "no less than the provider's invoice says");
}

export function assertCaller(
  reply: Reply,
  { caller: sees }: Pick<Outcome, "caller">,
  stream: boolean,
  caller: Caller = "openai-chat",
): void {
  if (sees.kind === "gone") return;
  const { errorOf, terminal } = speeches[caller];
  const terminals = terminalsIn(reply.text, caller);
  if (sees.kind === "cut off") {
    assert.deepEqual([reply.complete, terminals], [false, 0]);
    return;
  }
  assert.equal(reply.complete, true, "the response ends as HTTP says it should");
  switch (sees.kind) {
    case "answer":
      assert.equal(reply.status, 200, reply.text);
      assert.doesNotMatch(reply.text, /"error"/);
      assert.equal(terminals, stream ? 1 : 0);
      if (stream) assert.ok(reply.text.replaceAll("\r\n", "\n").endsWith(terminal), reply.text.slice(-200));
      return;
    case "error": {
      const error = errorOf(JSON.parse(reply.text));
      assert.deepEqual([reply.status, error?.code], [sees.status, sees.code], reply.text);
      assert.equal(error?.request_id, reply.headers["x-request-id"]);
      if (sees.retryAfter === undefined) return;
      assert.equal(reply.headers["retry-after"], sees.retryAfter === null ? undefined : String(sees.retryAfter));
      return;
    }
    case "broken stream": {
      assert.deepEqual([reply.status, terminals], [200, 0], reply.text);
      const events = eventsOf(reply.text).map(errorOf);
      const last = events.pop();
      assert.equal(last?.code, sees.code);
      assert.equal(last?.request_id, reply.headers["x-request-id"]);
      assert.ok(events.length > 0 && events.every((error) => error === undefined), "one error event, the last");
    }
  }
}
