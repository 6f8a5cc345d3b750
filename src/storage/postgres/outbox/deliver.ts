/**
 * Writes closings of one machine to the shared database, in one transaction. What is written a second time changes
 * nothing: a request is recorded once, an attempt charged once, and only what is new moves usage and allowances.
 *
 * The closing of a request that was recorded before is a repetition as a whole. What a dead process left behind is
 * charged all the same, unless its entry is there.
 */
import { CompiledQuery } from "kysely";
import type { Kysely, Transaction } from "kysely";
import { HeadgateError } from "../../../kernel/errors.ts";
import { applyMoves } from "../../escrow/moves.ts";
import type { Database } from "../../schema.ts";
import { basisColumns, HOUR_MS, summedColumns } from "../../usage-hours.ts";
import { isRowFault } from "../failures.ts";
import { serverTime } from "../shared-database.ts";
import { entryColumnNames, joinLists, type OutboxItem, requestColumnNames } from "./batch.ts";
import { parseMoves } from "./moves-column.ts";

/** Rejects with `storage_unavailable`, or with what the database says of a row that it refuses; then nothing is written. */
export async function deliver(db: Kysely<Database>, items: readonly OutboxItem[]): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    const newRequests = await insertRequests(transaction, items);
    const counted = items.filter((item) => item.leftBehind || newRequests.has(item.requestId));
    const newEntries = await appendEntries(transaction, counted, newRequests);
    const isNew = (item: OutboxItem): boolean =>
      !item.leftBehind || (JSON.parse(item.entryIds) as readonly string[]).some((id) => newEntries.has(id));
    const moves = counted.filter(isNew).flatMap((item) => parseMoves(item.moves));
    if (moves.length > 0) await applyMoves(transaction, moves, serverTime());
  });
}

/** One item is at fault: the same would be refused again, others would not. */
export function isItemFault(error: unknown): boolean {
  return isRowFault(error) || (error instanceof HeadgateError && error.code === "internal");
}

const INSERT_REQUESTS = `
  insert into requests (${requestColumnNames.join()})
  select ${requestColumnNames.join()} from json_populate_recordset(null::requests, $1::json)
  on conflict (request_id) do nothing returning request_id as id`;

/** Returns the ids of those that were not recorded before. */
function insertRequests(
  transaction: Transaction<Database>,
  items: readonly OutboxItem[],
): Promise<ReadonlySet<string>> {
  const records = items.flatMap((item) => item.request ?? []);
  return idsOf(transaction, INSERT_REQUESTS, [printable(`[${records.join()}]`)]);
}

/** Of a column of eight bytes. */
const INTEGER_MAX = 2n ** 63n - 1n;

const HOUR_KEY = "hour_ms, tenant_id, project_id, key_id, provider, model_served, operation";
const CHARGE_KEY = HOUR_KEY.replace("hour_ms", `at_ms - at_ms % ${HOUR_MS}`);

/**
 * The usage is added in the order of its keys, so that transactions that write the same hours wait for each other in
 * turn.
 */
const APPEND_ENTRIES = `
  with added as (
    insert into ledger_entries (${entryColumnNames.join()})
    select ${entryColumnNames.map((column) => (column === "last_of_request" ? lastOfNewRequest("$2") : column)).join()}
    from json_populate_recordset(null::ledger_entries, $1::json)
    on conflict (entry_id) do nothing returning *
  ), summed as (
    insert into usage_hours (${HOUR_KEY}, ${summedColumns.join()})
    select ${CHARGE_KEY}, ${summedColumns.map(sumOf).join()} from added
    group by ${CHARGE_KEY} order by ${CHARGE_KEY}
    on conflict (${HOUR_KEY}) do update
    set ${summedColumns.map((column) => `${column} = ${saturating(`usage_hours.${column}::numeric + excluded.${column}`)}`).join()}
  )
  select entry_id as id from added`;

/** Appends what is not in the ledger, and adds it to the usage by hour. Returns the ids of what was new. */
async function appendEntries(
  transaction: Transaction<Database>,
  items: readonly OutboxItem[],
  newRequests: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const entries = joinLists(items.map((item) => item.entries));
  if (entries === "[]") return new Set();
  return idsOf(transaction, APPEND_ENTRIES, [printable(entries), [...newRequests]]);
}

async function idsOf(
  transaction: Transaction<Database>,
  query: string,
  parameters: unknown[],
): Promise<ReadonlySet<string>> {
  const { rows } = await transaction.executeQuery<{ id: string }>(CompiledQuery.raw(query, parameters));
  return new Set(rows.map((row) => row.id));
}

function lastOfNewRequest(newRequests: string): string {
  return `case when request_id = any(${newRequests}::text[]) then last_of_request else 0 end`;
}

/** All that an outbox holds are charges. */
function sumOf(column: (typeof summedColumns)[number]): string {
  if (column === "attempts") return "count(*)";
  if (column === "requests") return "sum(last_of_request)";
  const basis = Object.entries(basisColumns).find(([, basisColumn]) => basisColumn === column)?.[0];
  return basis === undefined ? saturating(`sum(${column})`) : `count(*) filter (where basis = '${basis}')`;
}

/** As in `addUsageHours`: one absurd amount must not make every later one of the hour fail with it. */
function saturating(sum: string): string {
  return `least(${sum}, ${INTEGER_MAX})`;
}

/** PostgreSQL's text has no room for the character 0, which callers may send in names. It becomes U+FFFD. */
function printable(json: string): string {
  return json.includes("\\u0000") ? json.replaceAll(/(?<!\\)((?:\\\\)*)\\u0000/g, "$1\\ufffd") : json;
}
