/**
 * PostgreSQL for tests. The first database that a test process asks for starts its server (half a second), which goes
 * with the process. `HEADGATE_TEST_POSTGRES_URL` names a running server to use instead, by a database in which others
 * may be made; they are removed again.
 */
import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { type Binaries, findBinaries } from "./postgres/binaries.ts";
import { type PostgresServer, startServer } from "./postgres/server.ts";

export interface TestPostgres extends AsyncDisposable {
  /** Of an empty database. */
  readonly url: string;
}

const givenUrl = process.env["HEADGATE_TEST_POSTGRES_URL"] ?? null;
const binaries: Binaries | null = givenUrl === null ? findBinaries() : null;

/** Why tests that need PostgreSQL are skipped; `false`: they are not. */
export const postgresMissing: string | false = binaries !== null && "missing" in binaries ? binaries.missing : false;

let shared: Promise<(database: string) => string> | null = null;

/** A new database, removed when it is disposed of. */
export async function openTestPostgres(): Promise<TestPostgres> {
  shared ??= findServer();
  const urlOf = await shared;
  const name = `test_${randomBytes(8).toString("hex")}`;
  const administer = async (statement: string): Promise<void> => {
    const client = new Client(givenUrl ?? urlOf("postgres"));
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  };
  await administer(`create database ${name}`);
  return {
    url: urlOf(name),
    [Symbol.asyncDispose]: () => administer(`drop database ${name} with (force)`),
  };
}

/** A server of one test's own, to be ended and started in its midst. */
export function startTestServer(): Promise<PostgresServer> {
  const found = binaries ?? findBinaries();
  if ("missing" in found) throw new Error(`There is ${found.missing}.`);
  return startServer(found.folder);
}

async function findServer(): Promise<(database: string) => string> {
  if (givenUrl === null) return (await startTestServer()).urlOf;
  return (database) => {
    const url = new URL(givenUrl);
    url.pathname = database;
    return url.href;
  };
}
