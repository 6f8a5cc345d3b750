/**
 * Reads closings from the outbox and takes delivered ones out. Rows stay JSON text from one database to the other: SQLite
 * writes it and PostgreSQL reads it, so that nothing is made of them here. The event loop gets a turn after every few.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { sql } from "kysely";
import type { Kysely, RawBuilder } from "kysely";
import { columnNames, ledgerEntryColumns, requestColumns } from "../../columns.ts";
import type { Database } from "../../schema.ts";
import type { LocalTables } from "../local-tables.ts";

export interface OutboxItem {
  readonly sequence: number;
  readonly requestId: string;
  /** JSON object of the record's row; `null`: delivered with another item. */
  readonly request: string | null;
  /** JSON list of the entries' rows. */
  readonly entries: string;
  /** JSON list of ids. */
  readonly entryIds: string;
  /** See `parseMoves`. */
  readonly moves: string | null;
  readonly leftBehind: boolean;
}

export const requestColumnNames: readonly string[] = columnNames(requestColumns);
export const entryColumnNames: readonly string[] = [...columnNames(ledgerEntryColumns), "last_of_request"];

/** Each takes the loop about half a millisecond. */
const ITEMS_PER_TURN = 50;

/** The first of an instance, in the order of their commits; at the most `lengthMax`. */
export async function readOutbox(
  db: Kysely<Database>,
  instanceId: string,
  lengthMax: number,
): Promise<readonly OutboxItem[]> {
  const items: OutboxItem[] = [];
  while (items.length < lengthMax) {
    const length = Math.min(ITEMS_PER_TURN, lengthMax - items.length);
    const some = await readSome(db, instanceId, items.at(-1)?.sequence ?? 0, length);
    items.push(...some);
    if (some.length < length) break;
    await nextTurn();
  }
  return items;
}

async function readSome(
  db: Kysely<Database>,
  instanceId: string,
  after: number,
  length: number,
): Promise<readonly OutboxItem[]> {
  const { rows } = await sql<Omit<OutboxItem, "leftBehind"> & { leftBehind: number }>`
    select o.sequence, o.request_id as "requestId", o.entry_ids as "entryIds", o.moves, o.left_behind as "leftBehind",
      (select ${jsonObject("r", requestColumnNames)} from requests r where r.request_id = o.request_id) as request,
      (select json_group_array(${jsonObject("e", entryColumnNames)})
        from json_each(o.entry_ids) id join ledger_entries e on e.entry_id = id.value) as entries
    from outbox o
    where o.instance_id = ${instanceId} and o.sequence > ${after}
    order by o.sequence limit ${length}`.execute(db);
  return rows.map((row) => ({ ...row, leftBehind: row.leftBehind === 1 }));
}

/** What was delivered is no longer kept here. */
export async function removeDelivered(db: Kysely<Database>, items: readonly OutboxItem[]): Promise<void> {
  for (let from = 0; from < items.length; from += ITEMS_PER_TURN) {
    const some = items.slice(from, from + ITEMS_PER_TURN);
    await db
      .withTables<LocalTables>()
      .transaction()
      .execute(async (transaction) => {
        const sequences = some.map((item) => item.sequence);
        const entryIds = some.flatMap((item) => JSON.parse(item.entryIds) as string[]);
        const requestIds = some.map((item) => item.requestId);
        await transaction.deleteFrom("outbox").where("sequence", "in", sequences).execute();
        await transaction.deleteFrom("requests").where("request_id", "in", requestIds).execute();
        if (entryIds.length > 0)
          await transaction.deleteFrom("ledger_entries").where("entry_id", "in", entryIds).execute();
      });
    await nextTurn();
  }
}

function jsonObject(table: string, columns: readonly string[]): RawBuilder<string> {
  const members = columns.flatMap((column) => [sql.lit(column), sql.ref(`${table}.${column}`)]);
  return sql<string>`json_object(${sql.join(members)})`;
}
