/**
 * Connections to the shared database. No wait on them is without bound: not for a free one, not for the server to
 * answer, and a peer that has vanished is noticed.
 */
import { type ClientBase, type ClientConfig, Pool, type PoolConfig, types } from "pg";
import type { PostgresOptions } from "../storage.ts";

const CONNECTIONS_MAX = 10;
/** To dial, or for a connection that others use. */
const CONNECT_TIMEOUT_MS = 5000;
const IDLE_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_AFTER_MS = 10_000;
/** The server itself ends a statement after this, whoever has stopped waiting for it. */
const STATEMENT_TIMEOUT_MS = 60_000;
/** A transaction of a process that stopped in its midst must not keep others from its rows. */
const IDLE_TRANSACTION_TIMEOUT_MS = 30_000;

/**
 * What is committed must survive a crash of the server: grants are held for it, and outboxes let go. An operator who has
 * chosen a stronger kind keeps it.
 */
const KEEP_COMMITS =
  "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'";

/** Of any connection. The URL's own parameters win. */
export function connectionSettings(url: string): ClientConfig {
  return {
    fallback_application_name: "headgate",
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_TIMEOUT_MS,
    types: { getTypeParser: parserOf as typeof types.getTypeParser },
  };
}

/** `onConnect` is waited for, though the driver's types do not say so. If it fails, so does who asked for the connection. */
interface PoolSettings extends Omit<PoolConfig, "onConnect"> {
  readonly onConnect: (client: ClientBase) => Promise<void>;
}

/** Opens no connection yet. */
export function createPool({ url, connectionsMax = CONNECTIONS_MAX }: PostgresOptions): Pool {
  const settings: PoolSettings = {
    ...connectionSettings(url),
    max: connectionsMax,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    allowExitOnIdle: true,
    onConnect: keepCommits,
  };
  const pool = new Pool(settings);
  // A connection may break while nobody asks anything on it. The pool drops an idle one, and whoever has been lent one
  // is told by the next question.
  const ignore = (): void => {};
  pool.on("error", ignore);
  pool.on("connect", (client) => client.on("error", ignore));
  return pool;
}

async function keepCommits(client: ClientBase): Promise<void> {
  await client.query(KEEP_COMMITS);
}

const { INT8, NUMERIC } = types.builtins;

/** Integers of eight bytes, and sums of them, are read whole; the dialect narrows what is no amount. */
function parserOf(oid: number, format: "text" | "binary"): (value: string) => unknown {
  if (format !== "binary" && (oid === INT8 || oid === NUMERIC)) return parseInteger;
  return types.getTypeParser(oid, format) as (value: string) => unknown;
}

function parseInteger(text: string): bigint | number {
  return text.includes(".") ? Number(text) : BigInt(text);
}
