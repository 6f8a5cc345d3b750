/**
 * Tenancy, instances, holds, ledger and request records.
 *
 * Ids begin with their time, so the tables clustered on them (`WITHOUT ROWID`) grow at one end and a request's id
 * order is its time order. A ledger entry is never changed: a trigger refuses it. Every index is paid for by every
 * request, so there is one by time. What reconciliation still has to ask about stands in a table of its own, kept by
 * triggers: an index would hold every charge that was ever confirmed, and each pass would go through them all.
 */
const usage = `
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

const tenancy = `
CREATE TABLE control_version (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  generation INTEGER NOT NULL
) STRICT;
INSERT INTO control_version (id, generation) VALUES (1, 1);

CREATE TABLE tenants (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created_at_ms INTEGER NOT NULL,
  disabled_at_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE projects (
  id TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  name TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  disabled_at_ms INTEGER,
  UNIQUE (tenant_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  project_id TEXT NOT NULL REFERENCES projects (id),
  name TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  prefix TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER,
  revoked_at_ms INTEGER,
  model_allow_list TEXT,
  metadata TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_project ON api_keys (project_id, id);
`;

const journal = `
CREATE TABLE instances (
  id TEXT PRIMARY KEY,
  started_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

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
${usage}
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_entries (
  entry_id TEXT PRIMARY KEY,
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
  model_served TEXT NOT NULL,
  provider_request_id TEXT,
  price_version TEXT,
  basis TEXT NOT NULL,
  unpriced INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  recovered INTEGER NOT NULL,
${usage},
  CHECK ((kind = 'charge') = (entry_id = attempt_id))
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_entries_at ON ledger_entries (at_ms);

CREATE TABLE unconfirmed_charges (
  provider TEXT NOT NULL,
  entry_id TEXT NOT NULL,
  PRIMARY KEY (provider, entry_id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER charge_awaits_confirmation AFTER INSERT ON ledger_entries
WHEN NEW.kind = 'charge' AND NEW.basis IN ('metered', 'worst-case')
BEGIN INSERT INTO unconfirmed_charges (provider, entry_id) VALUES (NEW.provider, NEW.entry_id); END;
CREATE TRIGGER charge_is_confirmed AFTER INSERT ON ledger_entries
WHEN NEW.kind = 'correction'
BEGIN DELETE FROM unconfirmed_charges WHERE provider = NEW.provider AND entry_id = NEW.attempt_id; END;
CREATE TRIGGER ledger_entries_are_final BEFORE UPDATE ON ledger_entries
BEGIN SELECT RAISE(ABORT, 'a ledger entry is never changed: append a correction'); END;
`;

const requests = `
CREATE TABLE requests (
  request_id TEXT PRIMARY KEY,
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
  losses TEXT,
  invalid_events INTEGER NOT NULL,
  basis TEXT NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL,
  queue_us INTEGER,
  connect_us INTEGER,
  first_token_us INTEGER,
  total_us INTEGER NOT NULL,
  output_tokens_per_second REAL,
  user_agent TEXT,
${usage}
) STRICT, WITHOUT ROWID;
`;

export const foundation: string = tenancy + journal + requests;
