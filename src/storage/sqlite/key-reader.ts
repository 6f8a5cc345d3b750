/** Reads keys on the event loop by a prepared statement. */
import type { DatabaseSync } from "node:sqlite";
import type { Kysely } from "kysely";
import { parseModelAllowList, parseMetadata } from "../json-columns.ts";
import type { KeyReader, StoredKey } from "../key-reader.ts";
import type { Database } from "../schema.ts";
import { reading } from "./failures.ts";
import type { GenerationWatch } from "./generation.ts";

export function createSqliteKeyReader(
  connection: DatabaseSync,
  db: Kysely<Database>,
  watch: GenerationWatch,
): KeyReader {
  const select = connection.prepare(findKeyQuery(db).compile().sql);
  return {
    generation: () => watch.generation(),
    find: (hash) =>
      reading(() => {
        const row = select.get(hash);
        return row === undefined ? null : toStoredKey(row as unknown as KeyRow);
      }),
  };
}

type KeyRow = Awaited<ReturnType<ReturnType<typeof findKeyQuery>["executeTakeFirstOrThrow"]>>;

function findKeyQuery(db: Kysely<Database>) {
  return db
    .selectFrom("api_keys")
    .innerJoin("tenants", "tenants.id", "api_keys.tenant_id")
    .innerJoin("projects", "projects.id", "api_keys.project_id")
    .where("api_keys.hash", "=", "")
    .select([
      "api_keys.id",
      "api_keys.name",
      "api_keys.tenant_id",
      "api_keys.project_id",
      "api_keys.expires_at_ms",
      "api_keys.revoked_at_ms",
      "api_keys.model_allow_list",
      "api_keys.metadata",
      "tenants.name as tenant_name",
      "tenants.disabled_at_ms as tenant_disabled_at_ms",
      "projects.disabled_at_ms as project_disabled_at_ms",
    ]);
}

function toStoredKey(row: KeyRow): StoredKey {
  return {
    keyId: row.id,
    keyName: row.name,
    tenantId: row.tenant_id,
    tenantName: row.tenant_name,
    projectId: row.project_id,
    expiresAtMs: row.expires_at_ms,
    revokedAtMs: row.revoked_at_ms,
    tenantDisabledAtMs: row.tenant_disabled_at_ms,
    projectDisabledAtMs: row.project_disabled_at_ms,
    modelAllowList: parseModelAllowList(row.model_allow_list),
    metadata: parseMetadata(row.metadata),
  };
}
