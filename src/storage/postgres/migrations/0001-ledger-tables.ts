/**
 * Records, ledger and its sums by hour. There are no `instances` and `holds`: those are in the journal of each machine.
 *
 * A ledger entry is never changed: a trigger refuses it. What reconciliation still has to ask about stands in a table of
 * its own, kept by triggers.
 */
import { text } from "./0001-text.ts";

/** Usage by bucket and its cost, as in every table that has them. */
const usageColumns = `
  input_tokens BIGINT NOT NULL,
  cache_read_tokens BIGINT NOT NULL,
  cache_write_5m_tokens BIGINT NOT NULL,
  cache_write_1h_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  reasoning_tokens BIGINT NOT NULL,
  audio_input_tokens BIGINT NOT NULL,
  audio_output_tokens BIGINT NOT NULL,
  image_input_tokens BIGINT NOT NULL,
  image_output_tokens BIGINT NOT NULL,
  tool_units BIGINT NOT NULL,
  search_units BIGINT NOT NULL,
  cost_nano_usd BIGINT NOT NULL`;

const ledger = `
CREATE TABLE ledger_entries (
  entry_id ${text} PRIMARY KEY,
  kind ${text} NOT NULL CHECK (kind IN ('charge', 'correction')),
  attempt_id ${text} NOT NULL,
  request_id ${text} NOT NULL,
  at_ms BIGINT NOT NULL,
  tenant_id ${text} NOT NULL,
  project_id ${text} NOT NULL,
  key_id ${text} NOT NULL,
  end_user ${text},
  operation ${text} NOT NULL,
  provider ${text} NOT NULL,
  credential ${text} NOT NULL,
  model_asked ${text} NOT NULL,
  model_target ${text} NOT NULL,
  model_served ${text} NOT NULL,
  provider_request_id ${text},
  price_version ${text},
  basis ${text} NOT NULL,
  unpriced BIGINT NOT NULL,
  estimated BIGINT NOT NULL,
  recovered BIGINT NOT NULL,
  last_of_request BIGINT NOT NULL,
  replaced_basis ${text},
  charged_at_ms BIGINT,
${usageColumns},
  CHECK ((kind = 'charge') = (entry_id = attempt_id)),
  CHECK ((kind = 'correction') = (replaced_basis IS NOT NULL AND charged_at_ms IS NOT NULL))
);
CREATE INDEX ledger_entries_at ON ledger_entries (at_ms);
CREATE INDEX ledger_entries_corrections ON ledger_entries (charged_at_ms) WHERE charged_at_ms IS NOT NULL;

CREATE TABLE unconfirmed_charges (
  provider ${text} NOT NULL,
  entry_id ${text} NOT NULL,
  PRIMARY KEY (provider, entry_id)
);

CREATE FUNCTION headgate_charge_awaits_confirmation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO unconfirmed_charges (provider, entry_id) VALUES (NEW.provider, NEW.entry_id);
  RETURN NULL;
END $$;
CREATE TRIGGER charge_awaits_confirmation AFTER INSERT ON ledger_entries
FOR EACH ROW WHEN (NEW.kind = 'charge' AND NEW.basis IN ('metered', 'worst-case'))
EXECUTE FUNCTION headgate_charge_awaits_confirmation();

CREATE FUNCTION headgate_charge_is_confirmed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM unconfirmed_charges WHERE provider = NEW.provider AND entry_id = NEW.attempt_id;
  RETURN NULL;
END $$;
CREATE TRIGGER charge_is_confirmed AFTER INSERT ON ledger_entries
FOR EACH ROW WHEN (NEW.kind = 'correction' AND NEW.basis NOT IN ('metered', 'worst-case'))
EXECUTE FUNCTION headgate_charge_is_confirmed();

CREATE FUNCTION headgate_ledger_entries_are_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a ledger entry is never changed: append a correction';
END $$;
CREATE TRIGGER ledger_entries_are_final BEFORE UPDATE ON ledger_entries
FOR EACH ROW EXECUTE FUNCTION headgate_ledger_entries_are_final();
`;

const usageHours = `
CREATE TABLE usage_hours (
  hour_ms BIGINT NOT NULL,
  tenant_id ${text} NOT NULL,
  project_id ${text} NOT NULL,
  key_id ${text} NOT NULL,
  provider ${text} NOT NULL,
  model_served ${text} NOT NULL,
  operation ${text} NOT NULL,
  requests BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  unpriced BIGINT NOT NULL,
  basis_reported BIGINT NOT NULL,
  basis_drained BIGINT NOT NULL,
  basis_metered BIGINT NOT NULL,
  basis_worst_case BIGINT NOT NULL,
  basis_none BIGINT NOT NULL,
${usageColumns},
  PRIMARY KEY (hour_ms, tenant_id, project_id, key_id, provider, model_served, operation)
) WITH (fillfactor = 80);
`;

const requests = `
CREATE TABLE requests (
  request_id ${text} PRIMARY KEY,
  started_at_ms BIGINT NOT NULL,
  tenant_id ${text},
  project_id ${text},
  key_id ${text},
  end_user ${text},
  operation ${text},
  method ${text} NOT NULL,
  path ${text} NOT NULL,
  dialect_in ${text},
  dialect_out ${text},
  stream BIGINT NOT NULL,
  model_asked ${text},
  model_served ${text},
  provider ${text},
  status BIGINT NOT NULL,
  ending ${text} NOT NULL,
  finish_reason ${text},
  error_code ${text},
  attempts BIGINT NOT NULL,
  trail ${text},
  deadline_us BIGINT,
  losses ${text},
  invalid_events BIGINT NOT NULL,
  reuse ${text},
  saved_nano_usd BIGINT NOT NULL,
  basis ${text} NOT NULL,
  bytes_in BIGINT NOT NULL,
  bytes_out BIGINT NOT NULL,
  queue_us BIGINT,
  connect_us BIGINT,
  first_token_us BIGINT,
  total_us BIGINT NOT NULL,
  output_tokens_per_second DOUBLE PRECISION,
  user_agent ${text},
${usageColumns}
);
CREATE INDEX requests_reuse ON requests (started_at_ms) WHERE reuse IS NOT NULL;
`;

export const ledgerTables: string = ledger + usageHours + requests;
