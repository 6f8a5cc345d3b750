/**
 * The control tables: what operators decide. Each row says in `generation` which change wrote it last. Things are disabled
 * or revoked, never deleted.
 */
export const controlTables: string = `
CREATE TABLE control_version (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  generation INTEGER NOT NULL
) STRICT;
INSERT INTO control_version (id, generation) VALUES (1, 1);

CREATE TABLE tenants (
  id TEXT PRIMARY KEY,
  generation INTEGER NOT NULL,
  name TEXT NOT NULL UNIQUE,
  created_at_ms INTEGER NOT NULL,
  disabled_at_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE projects (
  id TEXT PRIMARY KEY,
  generation INTEGER NOT NULL,
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  name TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  disabled_at_ms INTEGER,
  UNIQUE (tenant_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  generation INTEGER NOT NULL,
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

CREATE TABLE allowances (
  id TEXT PRIMARY KEY,
  generation INTEGER NOT NULL,
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  name TEXT NOT NULL,
  scope TEXT NOT NULL CHECK (scope IN ('tenant', 'project', 'key', 'end-user')),
  project_id TEXT REFERENCES projects (id),
  key_id TEXT REFERENCES api_keys (id),
  end_user TEXT,
  meter TEXT NOT NULL CHECK (meter IN ('money', 'tokens', 'requests', 'slots')),
  limit_amount INTEGER NOT NULL CHECK (limit_amount >= 0),
  window_kind TEXT NOT NULL CHECK (window_kind IN ('minute', 'hour', 'day', 'week', 'month', 'lifetime')),
  time_zone TEXT NOT NULL,
  burst_amount INTEGER CHECK (burst_amount >= 0),
  models TEXT,
  operation TEXT,
  mode TEXT NOT NULL CHECK (mode IN ('enforce', 'soft', 'shadow')),
  policy TEXT NOT NULL CHECK (policy IN ('expected', 'strict')),
  alert_percents TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  disabled_at_ms INTEGER,
  UNIQUE (tenant_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE allowance_overrides (
  id TEXT PRIMARY KEY,
  generation INTEGER NOT NULL,
  allowance_id TEXT NOT NULL REFERENCES allowances (id),
  from_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL CHECK (until_ms > from_ms),
  limit_amount INTEGER NOT NULL CHECK (limit_amount >= 0),
  created_at_ms INTEGER NOT NULL,
  revoked_at_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX allowance_overrides_allowance ON allowance_overrides (allowance_id, from_ms);

CREATE TABLE cache_purges (
  id TEXT PRIMARY KEY,
  generation INTEGER NOT NULL,
  tenant_id TEXT,
  model TEXT,
  purged_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;
