/**
 * Writes closings of one machine to the shared database, in one transaction. What is written a second time changes
 * nothing: a request is recorded once, an attempt charged once, and only what is new moves usage and allowances.
 *
 * The closing of a request that was recorded before is a repetition as a whole. What a dead process left behind is
 * charged all the same, unless its entry is there.
 */
import { sql } from "kysely";
import type { Kysely, RawBuilder, Transaction } from "kysely";
import { HeadgateError } from "../../../kernel/errors.ts";
import { applyMoves } from "../../escrow/moves.ts";
import type { Database } from "../../schema.ts";
import { isRowFault } from "../failures.ts";
import { basisColumns, HOUR_MS, summedColumns } from "../../usage-hours.ts";
import { entryColumnNames, type OutboxItem, requestColumnNames } from "./batch.ts";
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
    if (moves.length > 0) await applyMoves(transaction, moves);
  });
}

/** One item is at fault: the same would be refused again, others would not. */
export function isItemFault(error: unknown): boolean {
  return isRowFault(error) || (error instanceof HeadgateError && error.code === "internal");
}

/** Returns the ids of those that were not recorded before. */
async function insertRequests(
  transaction: Transaction<Database>,
  items: readonly OutboxItem[],
): Promise<ReadonlySet<string>> {
  const records = items.flatMap((item) => item.request ?? []);
  const columns = names(requestColumnNames);
  const { rows } = await sql<{ request_id: string }>`
    insert into requests (${columns})
    select ${columns} from json_populate_recordset(null::requests, ${printable(`[${records.join()}]`)}::json)
    on conflict (request_id) do nothing returning request_id`.execute(transaction);
  return new Set(rows.map((row) => row.request_id));
}

/** Appends what is not in the ledger, and adds it to the usage by hour. Returns the ids of what was new. */
async function appendEntries(
  transaction: Transaction<Database>,
  items: readonly OutboxItem[],
  newRequests: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const lists = items.flatMap((item) => (item.entries === "[]" ? [] : item.entries.slice(1, -1)));
  if (lists.length === 0) return new Set();
  const columns = entryColumnNames.map((column) =>
    column === "last_of_request"
      ? sql`case when request_id = any(${[...newRequests]}::text[]) then last_of_request else 0 end`
      : sql.ref(column),
  );
  const { rows } = await sql<{ entry_id: string }>`
    with added as (
      insert into ledger_entries (${names(entryColumnNames)})
      select ${sql.join(columns)}
      from json_populate_recordset(null::ledger_entries, ${printable(`[${lists.join()}]`)}::json)
      on conflict (entry_id) do nothing returning *
    ), summed as (${addUsageOf("added")})
    select entry_id from added`.execute(transaction);
  return new Set(rows.map((row) => row.entry_id));
}

/** Of a column of eight bytes. */
const INTEGER_MAX = 2n ** 63n - 1n;

const hourKey = ["tenant_id", "project_id", "key_id", "provider", "model_served", "operation"];

/** In the order of their keys, so that transactions that write the same hours wait for each other in turn. */
function addUsageOf(charges: string): RawBuilder<unknown> {
  const target = sql`hour_ms, ${names(hourKey)}`;
  const sums = summedColumns.map((column) => sql`${sumOf(column)} as ${sql.ref(column)}`);
  const added = summedColumns.map((column) => {
    const sum = sql`${sql.ref(`usage_hours.${column}`)}::numeric + ${sql.ref(`excluded.${column}`)}`;
    return sql`${sql.ref(column)} = ${saturating(sum)}`;
  });
  return sql`
    insert into usage_hours (${target}, ${names(summedColumns)})
    select at_ms - at_ms % ${sql.lit(HOUR_MS)} as hour_ms, ${names(hourKey)}, ${sql.join(sums)}
    from ${sql.table(charges)} group by 1, ${names(hourKey)} order by 1, ${names(hourKey)}
    on conflict (${target}) do update set ${sql.join(added)}`;
}

function sumOf(column: (typeof summedColumns)[number]): RawBuilder<unknown> {
  if (column === "attempts") return sql`count(*)`;
  if (column === "requests") return sql`sum(last_of_request)`;
  const basis = Object.entries(basisColumns).find(([, basisColumn]) => basisColumn === column)?.[0];
  return basis === undefined
    ? saturating(sql`sum(${sql.ref(column)})`)
    : sql`count(*) filter (where basis = ${sql.lit(basis)})`;
}

/** As in `addUsageHours`: one absurd amount must not make every later one of the hour fail with it. */
function saturating(sum: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`least(${sum}, ${sql.lit(INTEGER_MAX)})`;
}

function names(columns: readonly string[]): RawBuilder<unknown> {
  return sql.join(columns.map((column) => sql.ref(column)));
}

/** PostgreSQL's text has no room for the character 0, which callers may send in names. It becomes U+FFFD. */
function printable(json: string): string {
  return json.includes("\\u0000") ? json.replaceAll(/(?<!\\)((?:\\\\)*)\\u0000/g, "$1\\ufffd") : json;
}
