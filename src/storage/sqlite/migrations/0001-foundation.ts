/**
 * Tenancy, allowances, the journal, the ledger and what is derived from it, the bank.
 *
 * A ledger entry is never changed: a trigger refuses it. Every index on it is paid for by every request, so there is one
 * by time, and one of corrections only. What reconciliation still has to ask about stands in a table of its own, kept by triggers: an index would
 * hold every charge that was ever confirmed, and each pass would go through them all. Reports over longer times read
 * the sums by hour instead of the entries.
 */
import { bankTables } from "./0001-bank-tables.ts";
import { controlTables } from "./0001-control-tables.ts";
import { journalTables, usageColumnsDdl } from "./0001-journal-tables.ts";

const ledgerRules = `
CREATE INDEX ledger_entries_at ON ledger_entries (at_ms);
CREATE INDEX requests_reuse ON requests (started_at_ms) WHERE reuse IS NOT NULL;
CREATE INDEX ledger_entries_corrections ON ledger_entries (charged_at_ms) WHERE charged_at_ms IS NOT NULL;

CREATE TABLE unconfirmed_charges (
  provider TEXT NOT NULL,
  entry_id TEXT NOT NULL,
  PRIMARY KEY (provider, entry_id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER charge_awaits_confirmation AFTER INSERT ON ledger_entries
WHEN NEW.kind = 'charge' AND NEW.basis IN ('metered', 'worst-case')
BEGIN INSERT INTO unconfirmed_charges (provider, entry_id) VALUES (NEW.provider, NEW.entry_id); END;
CREATE TRIGGER charge_is_confirmed AFTER INSERT ON ledger_entries
WHEN NEW.kind = 'correction' AND NEW.basis NOT IN ('metered', 'worst-case')
BEGIN DELETE FROM unconfirmed_charges WHERE provider = NEW.provider AND entry_id = NEW.attempt_id; END;
CREATE TRIGGER ledger_entries_are_final BEFORE UPDATE ON ledger_entries
BEGIN SELECT RAISE(ABORT, 'a ledger entry is never changed: append a correction'); END;
`;

const usageHours = `
CREATE TABLE usage_hours (
  hour_ms INTEGER NOT NULL,
  tenant_id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  model_served TEXT NOT NULL,
  operation TEXT NOT NULL,
  requests INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  unpriced INTEGER NOT NULL,
  basis_reported INTEGER NOT NULL,
  basis_drained INTEGER NOT NULL,
  basis_metered INTEGER NOT NULL,
  basis_worst_case INTEGER NOT NULL,
  basis_none INTEGER NOT NULL,
${usageColumnsDdl},
  PRIMARY KEY (hour_ms, tenant_id, project_id, key_id, provider, model_served, operation)
) STRICT, WITHOUT ROWID;
`;

export const foundation: string = controlTables + journalTables + ledgerRules + usageHours + bankTables;
