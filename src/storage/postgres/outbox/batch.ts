/**
 * Reads closings from the outbox and takes delivered ones out. Rows stay JSON text from one database to the other: SQLite
 * writes it and PostgreSQL reads it, so that nothing is made of them here. The event loop gets a turn after every few.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { CompiledQuery } from "kysely";
import type { Kysely } from "kysely";
import { columnNames, ledgerEntryColumns, requestColumns } from "../../columns.ts";
import type { Database } from "../../schema.ts";

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

/** Each takes the loop about a third of a millisecond. */
const ITEMS_PER_TURN = 50;

const READ = `
  SELECT o.sequence, o.request_id AS requestId, o.entry_ids AS entryIds, o.moves, o.left_behind AS leftBehind,
    (SELECT ${jsonObject(requestColumnNames)} FROM requests WHERE request_id = o.request_id) AS request,
    (SELECT json_group_array(${jsonObject(entryColumnNames)})
      FROM json_each(o.entry_ids) AS listed JOIN ledger_entries ON entry_id = listed.value) AS entries
  FROM outbox AS o WHERE o.instance_id = ? AND o.sequence > ? ORDER BY o.sequence LIMIT ?`;

const REMOVALS = ["outbox WHERE sequence", "requests WHERE request_id", "ledger_entries WHERE entry_id"].map(
  (rows) => `DELETE FROM ${rows} IN (SELECT value FROM json_each(?))`,
);

/** Reads an instance's first closings in the order of their commits; at the most `lengthMax`. */
export type OutboxReader = (lengthMax: number) => Promise<readonly OutboxItem[]>;

/** `connection` is only read from, and never waited for. */
export function createOutboxReader(connection: DatabaseSync, instanceId: string): OutboxReader {
  const read = connection.prepare(READ);
  return async (lengthMax) => {
    const items: OutboxItem[] = [];
    while (items.length < lengthMax) {
      const length = Math.min(ITEMS_PER_TURN, lengthMax - items.length);
      const some = readSome(read, instanceId, items.at(-1)?.sequence ?? 0, length);
      items.push(...some);
      if (some.length < length) break;
      await nextTurn();
    }
    return items;
  };
}

function readSome(read: StatementSync, instanceId: string, after: number, length: number): readonly OutboxItem[] {
  return read.all(instanceId, after, length).map((row) => ({
    ...(row as unknown as OutboxItem),
    leftBehind: row["leftBehind"] === 1,
  }));
}

/** What was delivered is no longer kept here. */
export async function removeDelivered(db: Kysely<Database>, items: readonly OutboxItem[]): Promise<void> {
  for (let from = 0; from < items.length; from += ITEMS_PER_TURN) {
    const some = items.slice(from, from + ITEMS_PER_TURN);
    const lists = [
      JSON.stringify(some.map((item) => item.sequence)),
      JSON.stringify(some.map((item) => item.requestId)),
      joinLists(some.map((item) => item.entryIds)),
    ];
    await db.transaction().execute(async (transaction) => {
      for (const [index, removal] of REMOVALS.entries()) {
        await transaction.executeQuery(CompiledQuery.raw(removal, [lists[index]]));
      }
    });
    await nextTurn();
  }
}

/** One JSON list of the items of several. */
export function joinLists(lists: readonly string[]): string {
  return `[${lists.flatMap((list) => (list === "[]" ? [] : list.slice(1, -1))).join()}]`;
}

function jsonObject(columns: readonly string[]): string {
  return `json_object(${columns.map((column) => `'${column}', ${column}`).join()})`;
}
