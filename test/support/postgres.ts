/**
 * PostgreSQL for tests. The first database that a test process asks for starts its server (half a second), which goes
 * with the process. `HEADGATE_TEST_POSTGRES_URL` names a running server to use instead, by a database of a user who may
 * make others; they are removed again.
 */
import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { openDatabase } from "../../src/storage/storage.ts";
import { type Binaries, findBinaries } from "./postgres/binaries.ts";
import { type PostgresServer, startServer } from "./postgres/server.ts";

export interface TestPostgres extends AsyncDisposable {
  readonly url: string;
}

interface Server {
  urlOf(database: string): string;
  /** Where databases are made. */
  readonly home: string;
  /** Of a database with the tables and nothing in them. */
  readonly template: string;
}

const givenUrl = process.env["HEADGATE_TEST_POSTGRES_URL"] ?? null;
const binaries: Binaries | null = givenUrl === null ? findBinaries() : null;

/** Why tests that need PostgreSQL cannot run; `false`: they can. */
export const postgresMissing: string | false = binaries !== null && "missing" in binaries ? binaries.missing : false;

let shared: Promise<Server> | null = null;

/** A new database, removed when it is disposed of. `bare`: without tables, as an operator makes it. */
export async function openTestPostgres(content: "tables" | "bare" = "tables"): Promise<TestPostgres> {
  shared ??= findServer();
  const server = await shared;
  const name = `test_${randomBytes(8).toString("hex")}`;
  const template = content === "tables" ? server.template : "template0";
  await administer(server, `create database ${name} template ${template} strategy file_copy`);
  return {
    url: server.urlOf(name),
    [Symbol.asyncDispose]: () => administer(server, `drop database ${name} with (force)`),
  };
}

/** A server of one test's own, to be ended and started in its midst. */
export function startTestServer(): Promise<PostgresServer> {
  const found = binaries ?? findBinaries();
  if ("missing" in found) throw new Error(`There is ${found.missing}.`);
  return startServer(found.folder);
}

async function findServer(): Promise<Server> {
  const template = `headgate_${randomBytes(8).toString("hex")}`;
  const urlOf = givenUrl === null ? (await startTestServer()).urlOf : (name: string) => besides(givenUrl, name);
  const server = { urlOf, home: givenUrl ?? urlOf("postgres"), template };
  await administer(server, `create database ${template} template template0`);
  const db = openDatabase({ dataDir: "", durability: "process", postgres: { url: urlOf(template) } });
  await db.selectFrom("control_version").selectAll().execute();
  await db.destroy();
  if (givenUrl !== null) process.once("beforeExit", () => void administer(server, `drop database ${template}`));
  return server;
}

async function administer({ home }: Server, statement: string): Promise<void> {
  const client = new Client(home);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function besides(url: string, database: string): string {
  const beside = new URL(url);
  beside.pathname = database;
  return beside.href;
}
