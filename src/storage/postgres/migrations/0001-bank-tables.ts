/**
 * The bank's books. Accounts, owners and grants are updated all the time and never move in an index, so their pages
 * keep room for new versions of their rows.
 */
import { text } from "./0001-text.ts";

const books = `
CREATE TABLE allowance_accounts (
  account_id ${text} PRIMARY KEY,
  allowance_id ${text} NOT NULL,
  subject ${text} NOT NULL,
  window_start_ms BIGINT NOT NULL,
  window_end_ms BIGINT,
  limit_amount BIGINT NOT NULL CHECK (limit_amount >= 0),
  spent_amount BIGINT NOT NULL,
  granted_amount BIGINT NOT NULL CHECK (granted_amount >= 0),
  suspense_amount BIGINT NOT NULL CHECK (suspense_amount >= 0),
  drained_at_ms BIGINT NOT NULL,
  refusals BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX allowance_accounts_allowance ON allowance_accounts (allowance_id, window_start_ms);

CREATE TABLE allowance_owners (
  owner_id ${text} PRIMARY KEY,
  instance_id ${text} NOT NULL,
  lease_until_ms BIGINT NOT NULL,
  fenced BIGINT NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX allowance_owners_instance ON allowance_owners (instance_id);
CREATE INDEX allowance_owners_open ON allowance_owners (owner_id) WHERE fenced = 0;

CREATE TABLE allowance_grants (
  owner_id ${text} NOT NULL,
  account_id ${text} NOT NULL,
  amount BIGINT NOT NULL CHECK (amount >= 0),
  sequence BIGINT NOT NULL,
  last_amount BIGINT NOT NULL,
  recalled BIGINT NOT NULL,
  suspended BIGINT NOT NULL,
  PRIMARY KEY (owner_id, account_id)
) WITH (fillfactor = 50);
CREATE INDEX allowance_grants_account ON allowance_grants (account_id);
`;

const around = `
CREATE TABLE allowance_alerts (
  account_id ${text} NOT NULL,
  percent BIGINT NOT NULL,
  id ${text} NOT NULL UNIQUE,
  allowance_id ${text} NOT NULL,
  spent_amount BIGINT NOT NULL,
  limit_amount BIGINT NOT NULL,
  raised_at_ms BIGINT NOT NULL,
  delivered_at_ms BIGINT,
  tries BIGINT NOT NULL,
  next_try_at_ms BIGINT,
  last_failure ${text},
  PRIMARY KEY (account_id, percent)
);
CREATE INDEX allowance_alerts_due ON allowance_alerts (next_try_at_ms) WHERE next_try_at_ms IS NOT NULL;

CREATE TABLE suspense_decisions (
  id ${text} PRIMARY KEY,
  allowance_id ${text} NOT NULL,
  account_id ${text} NOT NULL,
  owner_id ${text} NOT NULL,
  amount BIGINT NOT NULL CHECK (amount > 0),
  decision ${text} NOT NULL CHECK (decision IN ('release', 'spend')),
  reason ${text} NOT NULL,
  decided_at_ms BIGINT NOT NULL
);

CREATE TABLE leases (
  name ${text} PRIMARY KEY,
  holder ${text} NOT NULL,
  until_ms BIGINT NOT NULL
);
`;

export const bankTables: string = books + around;
