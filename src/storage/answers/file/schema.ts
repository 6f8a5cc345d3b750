/** The tables of the file of kept answers. What they mean is in answer-tables.ts. */

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
