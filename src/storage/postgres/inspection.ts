/** Looks a shared database and a machine's own file over without changing them: for a person who asks what is wrong. */
import { DatabaseSync } from "node:sqlite";
import { Client } from "pg";
import { inspectStore, type StoreInspection } from "../sqlite/inspection.ts";
import { localFile, localMigrations } from "./local-tables.ts";
import { readSchema, schemaVersion } from "./migrations.ts";
import { connectionSettings } from "./pool.ts";

export interface SharedInspection {
  /** Of the server, as it says it: `17.4`. */
  readonly serverVersion: string;
  /** Without user and password. */
  readonly address: string;
  /** A standby: it can be read only. */
  readonly readOnly: boolean;
  /** Of the tables, and the one that this program writes. 0: no gateway has used the database yet. */
  readonly version: number;
  readonly versionOfProgram: number;
}

/** Rejects with what the driver says if the database cannot be used. */
export async function inspectSharedDatabase(url: string): Promise<SharedInspection> {
  const client = new Client(connectionSettings(url));
  await client.connect();
  try {
    const { rows } = await client.query<{ server: string; recovering: boolean }>(
      "select current_setting('server_version') as server, pg_is_in_recovery() as recovering",
    );
    const { version } = await readSchema(client);
    return {
      serverVersion: rows[0]?.server.split(" ")[0] ?? "",
      address: `${client.host}:${client.port}/${client.database ?? ""}`,
      readOnly: rows[0]?.recovering ?? false,
      version,
      versionOfProgram: schemaVersion,
    };
  } finally {
    await client.end();
  }
}

export interface OutboxInspection {
  /** Records that wait for the shared database. */
  readonly undelivered: number;
  /** Records that it refused for what is in them. */
  readonly refused: number;
}

/** Throws what SQLite throws if the file is not a database or cannot be read. */
export function inspectJournal(dataDir: string): StoreInspection {
  return inspectStore(dataDir, { file: localFile(dataDir), versionOfProgram: localMigrations.length });
}

/** Of a file that `inspectJournal` finds sound. */
export function inspectOutbox(dataDir: string): OutboxInspection {
  using connection = new DatabaseSync(localFile(dataDir), { readOnly: true, timeout: 1000 });
  const count = (table: string): number =>
    Number(connection.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.["count"] ?? 0);
  return { undelivered: count("outbox"), refused: count("refused_deliveries") };
}
