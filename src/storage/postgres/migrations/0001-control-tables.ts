/**
 * The control tables, as in the local replica. Whoever raises the control version wakes every gateway that listens.
 * Text is compared byte by byte, as SQLite does.
 */
import { text } from "./0001-text.ts";

export const controlTables: string = `
CREATE TABLE control_version (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  generation BIGINT NOT NULL
) WITH (fillfactor = 50);
INSERT INTO control_version (id, generation) VALUES (1, 1);

CREATE TABLE tenants (
  id ${text} PRIMARY KEY,
  generation BIGINT NOT NULL,
  name ${text} NOT NULL UNIQUE,
  created_at_ms BIGINT NOT NULL,
  disabled_at_ms BIGINT
);
CREATE INDEX tenants_generation ON tenants (generation);

CREATE TABLE projects (
  id ${text} PRIMARY KEY,
  generation BIGINT NOT NULL,
  tenant_id ${text} NOT NULL REFERENCES tenants (id),
  name ${text} NOT NULL,
  created_at_ms BIGINT NOT NULL,
  disabled_at_ms BIGINT,
  UNIQUE (tenant_id, name)
);
CREATE INDEX projects_generation ON projects (generation);

CREATE TABLE api_keys (
  id ${text} PRIMARY KEY,
  generation BIGINT NOT NULL,
  tenant_id ${text} NOT NULL REFERENCES tenants (id),
  project_id ${text} NOT NULL REFERENCES projects (id),
  name ${text} NOT NULL,
  hash ${text} NOT NULL UNIQUE,
  prefix ${text} NOT NULL,
  created_at_ms BIGINT NOT NULL,
  expires_at_ms BIGINT,
  revoked_at_ms BIGINT,
  model_allow_list ${text},
  metadata ${text}
);
CREATE INDEX api_keys_project ON api_keys (project_id, id);
CREATE INDEX api_keys_generation ON api_keys (generation);

CREATE TABLE allowances (
  id ${text} PRIMARY KEY,
  generation BIGINT NOT NULL,
  tenant_id ${text} NOT NULL REFERENCES tenants (id),
  name ${text} NOT NULL,
  scope ${text} NOT NULL CHECK (scope IN ('tenant', 'project', 'key', 'end-user')),
  project_id ${text} REFERENCES projects (id),
  key_id ${text} REFERENCES api_keys (id),
  end_user ${text},
  meter ${text} NOT NULL CHECK (meter IN ('money', 'tokens', 'requests', 'slots')),
  limit_amount BIGINT NOT NULL CHECK (limit_amount >= 0),
  window_kind ${text} NOT NULL CHECK (window_kind IN ('minute', 'hour', 'day', 'week', 'month', 'lifetime')),
  time_zone ${text} NOT NULL,
  burst_amount BIGINT CHECK (burst_amount >= 0),
  models ${text},
  operation ${text},
  mode ${text} NOT NULL CHECK (mode IN ('enforce', 'soft', 'shadow')),
  policy ${text} NOT NULL CHECK (policy IN ('expected', 'strict')),
  alert_percents ${text} NOT NULL,
  created_at_ms BIGINT NOT NULL,
  disabled_at_ms BIGINT,
  UNIQUE (tenant_id, name)
);
CREATE INDEX allowances_generation ON allowances (generation);

CREATE TABLE allowance_overrides (
  id ${text} PRIMARY KEY,
  generation BIGINT NOT NULL,
  allowance_id ${text} NOT NULL REFERENCES allowances (id),
  from_ms BIGINT NOT NULL,
  until_ms BIGINT NOT NULL CHECK (until_ms > from_ms),
  limit_amount BIGINT NOT NULL CHECK (limit_amount >= 0),
  created_at_ms BIGINT NOT NULL,
  revoked_at_ms BIGINT
);
CREATE INDEX allowance_overrides_allowance ON allowance_overrides (allowance_id, from_ms);
CREATE INDEX allowance_overrides_generation ON allowance_overrides (generation);

CREATE TABLE cache_purges (
  id ${text} PRIMARY KEY,
  generation BIGINT NOT NULL,
  tenant_id ${text},
  model ${text},
  purged_at_ms BIGINT NOT NULL
);
CREATE INDEX cache_purges_generation ON cache_purges (generation);

CREATE FUNCTION headgate_tell_control_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('headgate_control', NEW.generation::text);
  RETURN NULL;
END $$;
CREATE TRIGGER control_version_is_told AFTER UPDATE ON control_version
FOR EACH ROW EXECUTE FUNCTION headgate_tell_control_change();
`;
