/**
 * Kept answers on SQLite: a file of their own beside the store. They are large and can be lost without harm to the
 * books, so they share neither the write lock nor the log of the journal. The file is opened by the first use: a gateway
 * whose callers send no `Idempotency-Key` and which caches nothing never makes it.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Kysely, sql } from "kysely";
import type { Clock } from "../../kernel/clock.ts";
import type { AnswerStore } from "./answers.ts";
import type { AnswerTables } from "./answer-tables.ts";
import { createSqliteDialect } from "../sqlite/dialect.ts";
import { storageUnavailable } from "../sqlite/failures.ts";
import { openMigrated } from "../sqlite/journal-file.ts";
import { createSqlAnswers } from "./sql-answers.ts";

export interface AnswersFileOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly instanceId: string;
  /**
   * Processes of this data directory that may be alive: claims of others were left by dead ones, and are dropped when the
   * file is opened. `null`: nobody's are.
   */
  readonly instances: (() => Promise<readonly string[]>) | null;
}

export interface AnswersFile extends AsyncDisposable {
  readonly answers: AnswerStore;
}

/** The body last, so that what is before it is read without it. */
function answerColumns(required: "NOT NULL" | ""): string {
  return `
  request_id TEXT ${required},
  kind TEXT ${required},
  answered_at_ms INTEGER ${required},
  headers TEXT ${required},
  model_served TEXT,
  provider TEXT,
  cost_nano_usd INTEGER ${required},
  body BLOB ${required}`;
}

const tables = `
CREATE TABLE idempotency_keys (
  key_hash TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  claim_id TEXT NOT NULL,
  instance_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'answered')),
  until_ms INTEGER NOT NULL,
${answerColumns("")}
) STRICT;
CREATE INDEX idempotency_keys_until ON idempotency_keys (until_ms);
CREATE INDEX idempotency_keys_claim ON idempotency_keys (claim_id) WHERE state = 'running';

CREATE TABLE cached_answers (
  cache_key TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  model_asked TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  partition_key TEXT,
  vector BLOB,
${answerColumns("NOT NULL")},
  CHECK ((partition_key IS NULL) = (vector IS NULL))
) STRICT;
CREATE INDEX cached_answers_expires ON cached_answers (expires_at_ms);
CREATE INDEX cached_answers_age ON cached_answers (answered_at_ms, cache_key, size_bytes);
CREATE INDEX cached_answers_meaning ON cached_answers (partition_key, answered_at_ms, cache_key, expires_at_ms) WHERE partition_key IS NOT NULL;
`;

/** In order; the position is the version. Never edited or reordered after a release: append. */
export const answersMigrations: readonly string[] = [tables];

async function dropClaimsBut(db: Kysely<AnswerTables>, instanceIds: readonly string[]): Promise<void> {
  await db
    .deleteFrom("idempotency_keys")
    .where("state", "=", "running")
    .where("instance_id", "not in", instanceIds)
    .execute();
}

/** Opens nothing yet. */
export function createAnswersFile({ dataDir, clock, instanceId, instances }: AnswersFileOptions): AnswersFile {
  const file = join(dataDir, "answers.db");
  let opening: Promise<Kysely<AnswerTables>> | null = null;

  async function open(): Promise<Kysely<AnswerTables>> {
    const living = await instances?.();
    const connection = openMigrated(file, { durability: "process", checkpoints: true }, answersMigrations);
    const events = { onWrite: () => {}, onOutOfRange: () => {} };
    const db = new Kysely<AnswerTables>({ dialect: createSqliteDialect(connection, events) });
    if (living !== undefined) await dropClaimsBut(db, [instanceId, ...living]);
    return db;
  }
  const answers = createSqlAnswers({
    async db() {
      opening ??= open();
      try {
        return await opening;
      } catch (error) {
        opening = null;
        throw error;
      }
    },
    instanceId,
    now: () => sql<number>`${clock.wallMs()}`,
    unavailable: storageUnavailable,
  });
  const isThere = (): boolean => opening !== null || existsSync(file);
  return {
    answers: {
      ...answers,
      findMeanings: async (query) => (isThere() ? answers.findMeanings(query) : []),
      sumCached: async () => (isThere() ? answers.sumCached() : []),
      dropCached: async (scope) => (isThere() ? answers.dropCached(scope) : 0),
      sweep: async (cachedBytesMax) => (isThere() ? answers.sweep(cachedBytesMax) : undefined),
    },
    async [Symbol.asyncDispose]() {
      await (await opening?.catch(() => null))?.destroy();
    },
  };
}
