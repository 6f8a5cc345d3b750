/**
 * What a gateway process writes of its requests: itself, what it holds, what it charged, how each request ended.
 *
 * Ids begin with their time, so the order of ids is the order of time and an index on them grows at one end. Wide rows
 * that are kept stand in tables with row numbers, which append. Clustered on their ids (`WITHOUT ROWID`), inner pages would
 * hold whole rows too, and each transaction would write more pages (https://www.sqlite.org/withoutrowid.html).
 */

/** Usage by bucket and its cost, as in every table that has them. */
export const usageColumnsDdl: string = `
  input_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  cache_write_5m_tokens INTEGER NOT NULL,
  cache_write_1h_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  audio_input_tokens INTEGER NOT NULL,
  audio_output_tokens INTEGER NOT NULL,
  image_input_tokens INTEGER NOT NULL,
  image_output_tokens INTEGER NOT NULL,
  tool_units INTEGER NOT NULL,
  search_units INTEGER NOT NULL,
  cost_nano_usd INTEGER NOT NULL`;

export const journalTables: string = `
CREATE TABLE instances (
  id TEXT PRIMARY KEY,
  started_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE held_accounts (
  number INTEGER PRIMARY KEY,
  instance_id TEXT NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
  owner_id TEXT NOT NULL,
  account_id TEXT NOT NULL
) STRICT;

CREATE TABLE holds (
  attempt_id TEXT PRIMARY KEY,
  request_id TEXT NOT NULL,
  instance_id TEXT NOT NULL,
  started_at_ms INTEGER NOT NULL,
  tenant_id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  end_user TEXT,
  operation TEXT NOT NULL,
  provider TEXT NOT NULL,
  credential TEXT NOT NULL,
  model_asked TEXT NOT NULL,
  model_target TEXT NOT NULL,
  price_version TEXT,
  held_numbers TEXT,
${usageColumnsDdl}
) STRICT, WITHOUT ROWID;

CREATE VIEW open_holds AS SELECT holds.*,
  (SELECT json_group_array(json_array(owner_id, account_id, held.value))
    FROM json_each(held_numbers) AS held JOIN held_accounts ON number = CAST(held.key AS INTEGER)) AS held_amounts
FROM holds;

CREATE TABLE ledger_entries (
  entry_id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('charge', 'correction')),
  attempt_id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  tenant_id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  end_user TEXT,
  operation TEXT NOT NULL,
  provider TEXT NOT NULL,
  credential TEXT NOT NULL,
  model_asked TEXT NOT NULL,
  model_target TEXT NOT NULL,
  model_served TEXT NOT NULL,
  provider_request_id TEXT,
  price_version TEXT,
  basis TEXT NOT NULL,
  unpriced INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  recovered INTEGER NOT NULL,
  last_of_request INTEGER NOT NULL,
  replaced_basis TEXT,
  charged_at_ms INTEGER,
${usageColumnsDdl},
  CHECK ((kind = 'charge') = (entry_id = attempt_id)),
  CHECK ((kind = 'correction') = (replaced_basis IS NOT NULL AND charged_at_ms IS NOT NULL))
) STRICT;

CREATE TABLE requests (
  request_id TEXT NOT NULL PRIMARY KEY,
  started_at_ms INTEGER NOT NULL,
  tenant_id TEXT,
  project_id TEXT,
  key_id TEXT,
  end_user TEXT,
  operation TEXT,
  method TEXT NOT NULL,
  path TEXT NOT NULL,
  dialect_in TEXT,
  dialect_out TEXT,
  stream INTEGER NOT NULL,
  model_asked TEXT,
  model_served TEXT,
  provider TEXT,
  status INTEGER NOT NULL,
  ending TEXT NOT NULL,
  finish_reason TEXT,
  error_code TEXT,
  attempts INTEGER NOT NULL,
  trail TEXT,
  deadline_us INTEGER,
  losses TEXT,
  invalid_events INTEGER NOT NULL,
  reuse TEXT,
  saved_nano_usd INTEGER NOT NULL,
  basis TEXT NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL,
  queue_us INTEGER,
  connect_us INTEGER,
  first_token_us INTEGER,
  total_us INTEGER NOT NULL,
  output_tokens_per_second REAL,
  user_agent TEXT,
${usageColumnsDdl}
) STRICT;
`;
