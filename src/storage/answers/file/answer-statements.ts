/**
 * Kept answers on SQLite, as far as requests wait for them: statements that are prepared once, run synchronously and throw
 * what SQLite throws. Those that write run in the caller's transaction.
 */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { assert } from "../../../kernel/assert.ts";
import { narrowIntegers } from "../../sqlite/integers.ts";
import {
  type CachedAnswer,
  type ClaimRequest,
  type ClaimResult,
  type KeptAnswer,
  type KeyClaim,
  type Meaning,
  sizeOfCached,
} from "../answers.ts";
import { type AnswerTables, noAnswer, toAnswerColumns, toKeptAnswer, toMeaningColumns } from "../answer-tables.ts";

export interface AnswerStatements {
  find(cacheKey: string, nowMs: number): CachedAnswer | null;
  claim(request: ClaimRequest, nowMs: number): ClaimResult;
  /** `false`: the claim was lost. */
  keep(claim: KeyClaim, answer: KeptAnswer | null, untilMs: number): boolean;
  release(claim: KeyClaim): void;
  cache(cached: CachedAnswer, meaning: Meaning | null): void;
}

/** In the order in which their values are bound. */
const answerColumns = Object.keys(noAnswer) as readonly (keyof typeof noAnswer)[];
const cachedColumns = [
  ...(["cache_key", "tenant_id", "model_asked", "expires_at_ms", "size_bytes", "partition_key", "vector"] as const),
  ...answerColumns,
];

/** A claim overwrites what is over. */
const claimKey = `
INSERT INTO idempotency_keys (key_hash, tenant_id, fingerprint, claim_id, instance_id, state, until_ms)
VALUES (?, ?, ?, ?, ?, 'running', ?)
ON CONFLICT (key_hash) DO UPDATE SET tenant_id = excluded.tenant_id, fingerprint = excluded.fingerprint,
  claim_id = excluded.claim_id, instance_id = excluded.instance_id, state = 'running', until_ms = excluded.until_ms,
  ${answerColumns.map((name) => `${name} = NULL`).join(", ")}
WHERE until_ms <= ?`;
const readKey = `SELECT fingerprint, state, ${answerColumns.join(", ")} FROM idempotency_keys WHERE key_hash = ?`;
const keepKey = `
UPDATE idempotency_keys SET state = 'answered', until_ms = ?, ${answerColumns.map((name) => `${name} = ?`).join(", ")}
WHERE key_hash = ? AND claim_id = ?`;
const releaseKey = "DELETE FROM idempotency_keys WHERE key_hash = ? AND claim_id = ? AND state = 'running'";
const findAnswer = `
SELECT tenant_id, model_asked, expires_at_ms, ${answerColumns.join(", ")}
FROM cached_answers WHERE cache_key = ? AND expires_at_ms > ?`;
const cacheAnswer = `
INSERT INTO cached_answers (${cachedColumns.join(", ")}) VALUES (${cachedColumns.map(() => "?").join(", ")})
ON CONFLICT (cache_key) DO UPDATE SET ${cachedColumns.map((name) => `${name} = excluded.${name}`).join(", ")}`;

type KeyRow = AnswerTables["idempotency_keys"];
type CachedRow = AnswerTables["cached_answers"];

/** `instanceId`: whose claims are made. */
export function prepareAnswerStatements(connection: DatabaseSync, instanceId: string): AnswerStatements {
  const claim = connection.prepare(claimKey);
  const read = connection.prepare(readKey, { readBigInts: true });
  const keep = connection.prepare(keepKey);
  const release = connection.prepare(releaseKey);
  const find = connection.prepare(findAnswer, { readBigInts: true });
  const cache = connection.prepare(cacheAnswer);
  return {
    find(cacheKey, nowMs) {
      const row = narrowed<CachedRow>(find.get(cacheKey, nowMs));
      const answer = row === null ? null : toKeptAnswer(row);
      if (row === null || answer === null) return null;
      const { tenant_id: tenantId, model_asked: modelAsked, expires_at_ms: expiresAtMs } = row;
      return { cacheKey, tenantId, modelAsked, expiresAtMs, answer };
    },
    claim({ keyHash, claimId, tenantId, fingerprint, leaseMs }, nowMs) {
      const { changes } = claim.run(keyHash, tenantId, fingerprint, claimId, instanceId, nowMs + leaseMs, nowMs);
      if (changes > 0) return { state: "claimed" };
      const row = narrowed<KeyRow>(read.get(keyHash));
      assert(row !== null, "a key that cannot be claimed is there, since nobody else writes during this transaction");
      if (row.state === "running") return { state: "running", fingerprint: row.fingerprint };
      return { state: "answered", fingerprint: row.fingerprint, answer: toKeptAnswer(row) };
    },
    keep({ keyHash, claimId }, answer, untilMs) {
      return keep.run(untilMs, ...answerValues(answer), keyHash, claimId).changes > 0;
    },
    release: ({ keyHash, claimId }) => void release.run(keyHash, claimId),
    cache(cached, meaning) {
      const { cacheKey, tenantId, modelAsked, expiresAtMs, answer } = cached;
      const { partition_key: partition, vector } = toMeaningColumns(meaning);
      const about = [cacheKey, tenantId, modelAsked, expiresAtMs, sizeOfCached(cached, meaning), partition, vector];
      cache.run(...about, ...answerValues(answer));
    },
  };
}

function answerValues(answer: KeptAnswer | null): readonly SQLInputValue[] {
  const columns = answer === null ? noAnswer : toAnswerColumns(answer);
  return answerColumns.map((name) => columns[name]);
}

/** Times and sizes are within a number's exact range: this program writes them from numbers. */
function narrowed<Row>(row: Record<string, unknown> | undefined): Row | null {
  return row === undefined ? null : (narrowIntegers(row, () => {}) as Row);
}
