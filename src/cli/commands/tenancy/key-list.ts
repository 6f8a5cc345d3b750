/** Keys as lists and scripts show them. */
import type { ApiKey } from "../../../tenancy/keys.ts";
import { renderTable } from "../../table.ts";
import { formatMinute, isoTime } from "../../values/time-text.ts";
import type { Records } from "../../workspace.ts";
import { type Names, readNames } from "./names.ts";

/** What is known of keys besides the keys. */
export interface KeyContext {
  readonly names: Names;
  readonly nowMs: number;
  /** When each key last made a request, by its id, of those among the latest requests. */
  readonly lastUsedMs: ReadonlyMap<string, number>;
}

/** Looking through all of them would take seconds in a large store. */
const REQUESTS_LOOKED_AT = 100_000;

export async function readKeyContext({ db, clock }: Records): Promise<KeyContext> {
  const latest = db
    .selectFrom("requests")
    .select(["key_id", "started_at_ms"])
    .orderBy("request_id", "desc")
    .limit(REQUESTS_LOOKED_AT);
  const rows = await db
    .selectFrom(latest.as("latest"))
    .select((request) => ["key_id", request.fn.max("started_at_ms").as("last_ms")])
    .where("key_id", "is not", null)
    .groupBy("key_id")
    .execute();
  const lastUsedMs = new Map(rows.flatMap(({ key_id, last_ms }) => (key_id === null ? [] : [[key_id, last_ms]])));
  return { names: await readNames(db), nowMs: clock.wallMs(), lastUsedMs };
}

export function stateOfKey(key: ApiKey, nowMs: number): "active" | "expired" | "revoked" {
  if (key.revokedAtMs !== null) return "revoked";
  return key.expiresAtMs !== null && key.expiresAtMs <= nowMs ? "expired" : "active";
}

export function describeKey(key: ApiKey, { names, nowMs, lastUsedMs }: KeyContext): Readonly<Record<string, unknown>> {
  return {
    id: key.id,
    prefix: key.prefix,
    name: key.name,
    state: stateOfKey(key, nowMs),
    tenant: { id: key.tenantId, name: names.tenant(key.tenantId) },
    project: { id: key.projectId, name: names.project(key.projectId) },
    createdAt: isoTime(key.createdAtMs),
    expiresAt: isoTime(key.expiresAtMs),
    revokedAt: isoTime(key.revokedAtMs),
    lastUsedAt: isoTime(lastUsedMs.get(key.id) ?? null),
    models: key.modelAllowList,
    metadata: key.metadata,
  };
}

export function renderKeys(keys: readonly ApiKey[], { names, nowMs, lastUsedMs }: KeyContext): string {
  const minute = (ms: number | null | undefined): string => (typeof ms === "number" ? formatMinute(ms) : "-");
  return renderTable(keys, [
    { title: "prefix", cell: ({ prefix }) => `${prefix}…` },
    { title: "name", cell: ({ name }) => name },
    { title: "state", cell: (key) => stateOfKey(key, nowMs) },
    { title: "tenant", cell: ({ tenantId }) => names.tenant(tenantId) },
    { title: "project", cell: ({ projectId }) => names.project(projectId) },
    { title: "expires (UTC)", cell: ({ expiresAtMs }) => (expiresAtMs === null ? "never" : minute(expiresAtMs)) },
    { title: "last used (UTC)", cell: ({ id }) => minute(lastUsedMs.get(id)) },
    { title: "id", cell: ({ id }) => id },
  ]);
}
