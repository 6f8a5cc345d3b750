/** What a gateway leaves behind: rows in its store, lines in its log. */
import { Writable } from "node:stream";
import { pino, type Logger } from "pino";
import type { Selectable } from "kysely";
import type { Gateway } from "../../src/gateway.ts";
import type { Database } from "../../src/storage/schema.ts";
import { eventually } from "./eventually.ts";

export type RequestRow = Selectable<Database["requests"]>;
export type LedgerRow = Selectable<Database["ledger_entries"]>;

export interface Evidence {
  readonly row: RequestRow;
  readonly entries: readonly LedgerRow[];
}

/** The record of a request and its ledger entries, as soon as they are committed. */
export async function evidenceOf({ store }: Gateway, requestId: string): Promise<Evidence> {
  const row = await eventually(`a record of ${requestId}`, () =>
    store.db.selectFrom("requests").selectAll().where("request_id", "=", requestId).executeTakeFirst(),
  );
  const entries = await store.db
    .selectFrom("ledger_entries")
    .selectAll()
    .where("request_id", "=", requestId)
    .orderBy("at_ms")
    .execute();
  return { row, entries };
}

/** The newest record, once there are `count` of them; for callers who never got a request id. */
export async function newestRow({ store }: Gateway, count: number): Promise<RequestRow> {
  const rows = await eventually(`${count} records`, async () => {
    const found = await store.db.selectFrom("requests").selectAll().orderBy("request_id", "desc").execute();
    return found.length >= count ? found : null;
  });
  return rows[0] as RequestRow;
}

export async function countRecords({ store }: Gateway): Promise<number> {
  return (await store.db.selectFrom("requests").select("request_id").execute()).length;
}

const tables = ["requests", "ledger_entries", "holds", "instances", "api_keys", "tenants", "projects"] as const;

/** Every row of the store as text: for showing that something is in none of them. */
export async function everyRow({ store }: Gateway): Promise<string> {
  const rows = await Promise.all(tables.map((table) => store.db.selectFrom(table).selectAll().execute()));
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}

export interface CapturedLog {
  readonly logger: Logger;
  text(): string;
}

/** Takes everything that is logged, from the least important on. */
export function captureLog(): CapturedLog {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString("utf8"));
      done();
    },
  });
  return { logger: pino({ level: "debug" }, stream), text: () => lines.join("") };
}
