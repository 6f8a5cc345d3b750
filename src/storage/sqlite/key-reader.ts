/**
 * Reads keys on the event loop by prepared statements, and notices changes by `PRAGMA data_version`, which moves when
 * another connection, of this process or another, commits. It is asked once per turn of the event loop; only
 * when it moved is the control version read. `recheck` makes the next question a real one within the same turn.
 *
 * Invariant: the connection must not be the one that changes keys, whose own commits its data version does not show.
 */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { Kysely } from "kysely";
import { parseModelAllowList, parseMetadata } from "../json-columns.ts";
import type { KeyReader, StoredKey } from "../key-reader.ts";
import type { Database } from "../schema.ts";
import { storageUnavailable } from "./failures.ts";

export interface SqliteKeyReader extends KeyReader {
  /** To be called when this process has changed something through another connection. */
  recheck(): void;
}

export function createSqliteKeyReader(connection: DatabaseSync, db: Kysely<Database>): SqliteKeyReader {
  const dataVersionStatement = connection.prepare("PRAGMA data_version");
  const generationStatement = connection.prepare(db.selectFrom("control_version").select("generation").compile().sql);
  const findStatement = connection.prepare(findKeyQuery(db).compile().sql);
  let dataVersion: SQLOutputValue | undefined;
  let generation = 0;
  let checkedThisTurn = false;
  const endTurn = (): void => {
    checkedThisTurn = false;
  };
  return {
    generation: () =>
      reading(() => {
        if (checkedThisTurn) return generation;
        const current = dataVersionStatement.get()?.["data_version"];
        if (current !== dataVersion) {
          generation = Number(generationStatement.get()?.["generation"]);
          dataVersion = current;
        }
        checkedThisTurn = true;
        setImmediate(endTurn);
        return generation;
      }),
    find: (hash) =>
      reading(() => {
        const row = findStatement.get(hash);
        return row === undefined ? null : toStoredKey(row as unknown as KeyRow);
      }),
    recheck: endTurn,
  };
}

function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw storageUnavailable(error);
  }
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
