import type { Kysely } from "kysely";
import type { Ending, RequestRecord } from "../records.ts";
import { toRequestRecord } from "../rows.ts";
import type { Database } from "../schema.ts";
import { scopeEqualities } from "./scope.ts";
import type { Scope } from "./scope.ts";

export interface RequestQuery extends Scope {
  readonly ending?: Ending | null;
  /** HTTP statuses from `min` to `max`, both included. */
  readonly status?: { readonly min: number; readonly max: number } | null;
  /** At most this many records. */
  readonly limit: number;
  /** The `next` of the page before. */
  readonly after?: string | null;
}

export interface RequestPage {
  readonly records: readonly RequestRecord[];
  /** Where the next page begins; `null` on the last one. */
  readonly next: string | null;
}

/** Newest first, by request id, which begins with the time. */
export async function listRequests(db: Kysely<Database>, query: RequestQuery): Promise<RequestPage> {
  let select = db
    .selectFrom("requests")
    .selectAll()
    .orderBy("request_id", "desc")
    .limit(query.limit + 1);
  for (const { column, value } of scopeEqualities(query)) select = select.where(column, "=", value);
  if (typeof query.fromMs === "number") select = select.where("started_at_ms", ">=", query.fromMs);
  if (typeof query.toMs === "number") select = select.where("started_at_ms", "<", query.toMs);
  if (typeof query.ending === "string") select = select.where("ending", "=", query.ending);
  if (query.status) select = select.where("status", ">=", query.status.min).where("status", "<=", query.status.max);
  if (typeof query.after === "string") select = select.where("request_id", "<", query.after);
  const rows = await select.execute();
  const records = rows.slice(0, query.limit).map(toRequestRecord);
  return { records, next: rows.length > query.limit ? (records.at(-1)?.requestId ?? null) : null };
}
