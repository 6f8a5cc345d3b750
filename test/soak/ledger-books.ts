/** The gateway's side, read from its store after it has ended: every entry by attempt, every record by request. */
import { sql, type Kysely } from "kysely";
import type { LedgerEntry } from "../../src/storage/records.ts";
import { toLedgerEntry } from "../../src/storage/rows.ts";
import type { Database } from "../../src/storage/schema.ts";

export interface Attempt {
  readonly attemptId: string;
  charge: LedgerEntry | null;
  readonly corrections: LedgerEntry[];
}

export type RequestRow = Pick<
  Database["requests"],
  "request_id" | "key_id" | "status" | "ending" | "attempts" | "cost_nano_usd" | "user_agent"
>;

export interface LedgerBooks {
  readonly attempts: ReadonlyMap<string, Attempt>;
  readonly requests: ReadonlyMap<string, RequestRow>;
  readonly holds: readonly { readonly attempt_id: string }[];
  readonly instances: readonly { readonly id: string }[];
  /** What `PRAGMA integrity_check` says; `ok` alone if nothing is wrong. https://www.sqlite.org/pragma.html#pragma_integrity_check */
  readonly integrity: readonly string[];
}

const PAGE_ROWS = 5_000;

export async function readLedgerBooks(db: Kysely<Database>): Promise<LedgerBooks> {
  const integrity = await sql<{ readonly integrity_check: string }>`PRAGMA integrity_check`.execute(db);
  return {
    attempts: await readAttempts(db),
    requests: await readRequests(db),
    holds: await db.selectFrom("holds").select("attempt_id").execute(),
    instances: await db.selectFrom("instances").select("id").execute(),
    integrity: integrity.rows.map((row) => row.integrity_check),
  };
}

async function readAttempts(db: Kysely<Database>): Promise<ReadonlyMap<string, Attempt>> {
  const attempts = new Map<string, Attempt>();
  for (let after = ""; ;) {
    const rows = await db
      .selectFrom("ledger_entries")
      .selectAll()
      .where("entry_id", ">", after)
      .orderBy("entry_id")
      .limit(PAGE_ROWS)
      .execute();
    for (const row of rows) file(attempts, toLedgerEntry(row));
    if (rows.length < PAGE_ROWS) return attempts;
    after = rows.at(-1)?.entry_id ?? "";
  }
}

function file(attempts: Map<string, Attempt>, entry: LedgerEntry): void {
  const { attemptId } = entry;
  const attempt = attempts.get(attemptId) ?? { attemptId, charge: null, corrections: [] };
  attempts.set(attemptId, attempt);
  if (entry.kind === "charge") attempt.charge = entry;
  else attempt.corrections.push(entry);
}

async function readRequests(db: Kysely<Database>): Promise<ReadonlyMap<string, RequestRow>> {
  const requests = new Map<string, RequestRow>();
  for (let after = ""; ;) {
    const rows = await db
      .selectFrom("requests")
      .select(["request_id", "key_id", "status", "ending", "attempts", "cost_nano_usd", "user_agent"])
      .where("request_id", ">", after)
      .orderBy("request_id")
      .limit(PAGE_ROWS)
      .execute();
    for (const row of rows) requests.set(row.request_id, row);
    if (rows.length < PAGE_ROWS) return requests;
    after = rows.at(-1)?.request_id ?? "";
  }
}
