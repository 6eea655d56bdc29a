-- Accounts, the tokens by which they are reached, their tenants, and who changed what.

CREATE TABLE accounts (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created_ms INTEGER NOT NULL
);

-- A token's secret is not here, only its SHA-256.
CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL REFERENCES accounts (id),
  name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('owner', 'operator', 'viewer')),
  -- A JSON list; NULL: all of the account's.
  tenants TEXT,
  hash TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  revoked_ms INTEGER,
  changed_by TEXT NOT NULL
);
CREATE INDEX tokens_by_account ON tokens (account);

CREATE TABLE tenants (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL REFERENCES accounts (id),
  version INTEGER NOT NULL,
  record TEXT NOT NULL,
  about TEXT NOT NULL,
  -- Names the request that changed it last.
  change_id TEXT NOT NULL,
  changed_ms INTEGER NOT NULL,
  changed_by TEXT NOT NULL,
  what TEXT NOT NULL,
  reason TEXT
);
CREATE INDEX tenants_by_account ON tenants (account, id);

-- Each host and each slug is one tenant's, whatever the account.
CREATE TABLE names (
  name TEXT PRIMARY KEY,
  tenant TEXT NOT NULL
);
CREATE INDEX names_by_tenant ON names (tenant);

CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL,
  account TEXT NOT NULL,
  author TEXT NOT NULL,
  what TEXT NOT NULL,
  subject TEXT NOT NULL,
  reason TEXT,
  before TEXT,
  after TEXT
);
CREATE INDEX audit_by_account ON audit (account, id);

-- The log is written by the tables themselves, so that no change goes without its line, and it only ever grows.
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE (ABORT, 'the audit log only grows'); END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
BEGIN SELECT RAISE (ABORT, 'the audit log only grows'); END;

CREATE TRIGGER account_made AFTER INSERT ON accounts
BEGIN
  INSERT INTO audit (at_ms, account, author, what, subject, after)
  VALUES (NEW.created_ms, NEW.id, 'platform', 'make account', NEW.id, json_object('name', NEW.name));
END;

CREATE TRIGGER token_made AFTER INSERT ON tokens
BEGIN
  INSERT INTO audit (at_ms, account, author, what, subject, after)
  VALUES (NEW.created_ms, NEW.account, NEW.changed_by, 'make token', NEW.id,
    json_object('name', NEW.name, 'role', NEW.role, 'tenants', json(NEW.tenants), 'expiresMs', NEW.expires_ms));
END;
CREATE TRIGGER token_revoked AFTER UPDATE ON tokens
BEGIN
  INSERT INTO audit (at_ms, account, author, what, subject, before, after)
  VALUES (COALESCE(NEW.revoked_ms, NEW.created_ms), NEW.account, NEW.changed_by, 'revoke token', NEW.id,
    json_object('name', OLD.name, 'role', OLD.role), NULL);
END;

CREATE TRIGGER tenant_made AFTER INSERT ON tenants
BEGIN
  INSERT INTO audit (at_ms, account, author, what, subject, reason, after)
  VALUES (NEW.changed_ms, NEW.account, NEW.changed_by, NEW.what, NEW.id, NEW.reason, NEW.record);
END;
CREATE TRIGGER tenant_changed AFTER UPDATE ON tenants WHEN NEW.what <> 'remove'
BEGIN
  INSERT INTO audit (at_ms, account, author, what, subject, reason, before, after)
  VALUES (NEW.changed_ms, NEW.account, NEW.changed_by, NEW.what, NEW.id, NEW.reason, OLD.record, NEW.record);
END;
CREATE TRIGGER tenant_removed AFTER DELETE ON tenants
BEGIN
  INSERT INTO audit (at_ms, account, author, what, subject, reason, before)
  VALUES (OLD.changed_ms, OLD.account, OLD.changed_by, OLD.what, OLD.id, OLD.reason, OLD.record);
END;
