/** Answers that are kept to be given again. What is written once and read by its key keeps no room for changes. */
import { text } from "./0001-text.ts";

function answerColumns(required: "NOT NULL" | ""): string {
  return `
  request_id ${text} ${required},
  kind ${text} ${required},
  answered_at_ms BIGINT ${required},
  headers ${text} ${required},
  model_served ${text},
  provider ${text},
  cost_nano_usd BIGINT ${required},
  body BYTEA ${required}`;
}

export const answerTables: string = `
CREATE TABLE idempotency_keys (
  key_hash ${text} PRIMARY KEY,
  tenant_id ${text} NOT NULL,
  fingerprint ${text} NOT NULL,
  claim_id ${text} NOT NULL,
  instance_id ${text} NOT NULL,
  state ${text} NOT NULL CHECK (state IN ('running', 'answered')),
  until_ms BIGINT NOT NULL,
${answerColumns("")}
);
CREATE INDEX idempotency_keys_until ON idempotency_keys (until_ms);
CREATE INDEX idempotency_keys_claim ON idempotency_keys (claim_id) WHERE state = 'running';

CREATE TABLE cached_answers (
  cache_key ${text} PRIMARY KEY,
  tenant_id ${text} NOT NULL,
  model_asked ${text} NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  size_bytes BIGINT NOT NULL,
  partition_key ${text},
  vector BYTEA,
${answerColumns("NOT NULL")},
  CHECK ((partition_key IS NULL) = (vector IS NULL))
);
CREATE INDEX cached_answers_expires ON cached_answers (expires_at_ms);
CREATE INDEX cached_answers_age ON cached_answers (answered_at_ms);
CREATE INDEX cached_answers_meaning ON cached_answers (partition_key, answered_at_ms, cache_key, expires_at_ms) WHERE partition_key IS NOT NULL;
`;
