/**
 * The bank's books: accounts, owners and their grants, the alerts that accounts have raised, what operators decided about
 * amounts in suspense; and the leases of background work. What the checks say must hold whatever a process does: nobody
 * holds less than nothing.
 */
export const bankTables: string = `
CREATE TABLE allowance_accounts (
  account_id TEXT PRIMARY KEY,
  allowance_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  window_start_ms INTEGER NOT NULL,
  window_end_ms INTEGER,
  limit_amount INTEGER NOT NULL CHECK (limit_amount >= 0),
  spent_amount INTEGER NOT NULL,
  granted_amount INTEGER NOT NULL CHECK (granted_amount >= 0),
  suspense_amount INTEGER NOT NULL CHECK (suspense_amount >= 0),
  drained_at_ms INTEGER NOT NULL,
  refusals INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX allowance_accounts_allowance ON allowance_accounts (allowance_id, window_start_ms);

CREATE TABLE allowance_owners (
  owner_id TEXT PRIMARY KEY,
  instance_id TEXT NOT NULL,
  lease_until_ms INTEGER NOT NULL,
  fenced INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX allowance_owners_instance ON allowance_owners (instance_id);
CREATE INDEX allowance_owners_lease ON allowance_owners (lease_until_ms) WHERE fenced = 0;

CREATE TABLE allowance_grants (
  owner_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount >= 0),
  sequence INTEGER NOT NULL,
  last_amount INTEGER NOT NULL,
  recalled INTEGER NOT NULL,
  suspended INTEGER NOT NULL,
  PRIMARY KEY (owner_id, account_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX allowance_grants_account ON allowance_grants (account_id);

CREATE TABLE allowance_alerts (
  account_id TEXT NOT NULL,
  percent INTEGER NOT NULL,
  id TEXT NOT NULL UNIQUE,
  allowance_id TEXT NOT NULL,
  spent_amount INTEGER NOT NULL,
  limit_amount INTEGER NOT NULL,
  raised_at_ms INTEGER NOT NULL,
  delivered_at_ms INTEGER,
  tries INTEGER NOT NULL,
  next_try_at_ms INTEGER,
  last_failure TEXT,
  PRIMARY KEY (account_id, percent)
) STRICT, WITHOUT ROWID;
CREATE INDEX allowance_alerts_due ON allowance_alerts (next_try_at_ms) WHERE next_try_at_ms IS NOT NULL;

CREATE TABLE suspense_decisions (
  id TEXT PRIMARY KEY,
  allowance_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  decision TEXT NOT NULL CHECK (decision IN ('release', 'spend')),
  reason TEXT NOT NULL,
  decided_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;
