/**
 * One connection while it is lent. A connection on which a statement was not answered is closed when it comes back:
 * what the server still does on it is unknown, and its transaction ends with it.
 */
import type { CompiledQuery, DatabaseConnection, QueryResult } from "kysely";
import { DatabaseError } from "pg";
import type { PoolClient, QueryConfig, QueryResult as Answer } from "pg";
import { type OutOfRange, narrowIntegers } from "../sqlite/integers.ts";
import { isUnavailable, toStorageError } from "./failures.ts";

type Row = Record<string, unknown>;

/** What is written to say that a control table changed; see control-version.ts. */
const CONTROL_CHANGE = 'update "control_version"';
const CURSOR = "headgate_stream";

export class PostgresConnection implements DatabaseConnection {
  readonly #client: PoolClient;
  readonly #timeoutMs: number;
  readonly #onOutOfRange: OutOfRange;
  #broken = false;
  #inTransaction = false;
  #changesControl = false;
  #changedControl = false;

  constructor(client: PoolClient, timeoutMs: number, onOutOfRange: OutOfRange) {
    this.#client = client;
    this.#timeoutMs = timeoutMs;
    this.#onOutOfRange = onOutOfRange;
  }

  /** Whether a transaction that raised the control version was committed on it. */
  get changedControl(): boolean {
    return this.#changedControl;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#inTransaction && sql.startsWith(CONTROL_CHANGE)) this.#changesControl = true;
    const { command, rowCount, rows } = await this.#ask(sql, parameters);
    for (const row of rows) narrowIntegers(row, this.#onOutOfRange);
    const changes = command === "INSERT" || command === "UPDATE" || command === "DELETE";
    return changes ? { rows: rows as R[], numAffectedRows: BigInt(rowCount ?? 0) } : { rows: rows as R[] };
  }

  /** By a cursor of the server's, in the transaction that is open or in one of its own. */
  async *streamQuery<R>({ sql, parameters }: CompiledQuery, chunkSize: number): AsyncGenerator<QueryResult<R>> {
    const alone = !this.#inTransaction;
    if (alone) await this.begin("begin read only");
    try {
      await this.#ask(`declare ${CURSOR} no scroll cursor for ${sql}`, parameters);
      for (;;) {
        const { rows } = await this.#ask(`fetch ${chunkSize} from ${CURSOR}`, []);
        if (rows.length === 0) break;
        for (const row of rows) narrowIntegers(row, this.#onOutOfRange);
        yield { rows: rows as R[] };
      }
    } finally {
      if (alone) await this.rollBack();
      else await this.#ask(`close ${CURSOR}`, []);
    }
  }

  async begin(statement: string): Promise<void> {
    this.#changesControl = false;
    await this.#ask(statement, []);
    this.#inTransaction = true;
  }

  async commit(): Promise<void> {
    const { command } = await this.#ask("commit", []);
    this.#inTransaction = false;
    // The server answers so when a statement had failed before, whose error somebody has passed over.
    if (command === "ROLLBACK") throw new Error("The transaction was rolled back: one of its statements had failed.");
    this.#changedControl ||= this.#changesControl;
  }

  async rollBack(): Promise<void> {
    this.#inTransaction = false;
    if (this.#broken) return;
    try {
      await this.#ask("rollback", []);
    } catch {
      // What led here is told by whoever asked for it; the connection is closed, which rolls back as well.
      this.#broken = true;
    }
  }

  release(): void {
    this.#client.release(this.#broken);
  }

  async #ask(text: string, values: readonly unknown[]): Promise<Answer<Row>> {
    const query: QueryConfig & { query_timeout: number } = {
      text,
      values: values as unknown[],
      query_timeout: this.#timeoutMs,
    };
    try {
      return await this.#client.query<Row>(query);
    } catch (error) {
      if (isUnavailable(error) && !(error instanceof DatabaseError)) this.#broken = true;
      throw toStorageError(error);
    }
  }
}
