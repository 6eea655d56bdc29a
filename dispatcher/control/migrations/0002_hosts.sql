-- Hosts that the platform has given to an account. Nobody's tenant stands at another: at a host that all tenants share it would
-- take the requests of all of them, and at a seller's own, that seller's.

CREATE TABLE hosts (
  host TEXT PRIMARY KEY,
  account TEXT NOT NULL REFERENCES accounts (id),
  given_ms INTEGER NOT NULL
);
CREATE INDEX hosts_by_account ON hosts (account);

CREATE TRIGGER host_given AFTER INSERT ON hosts
BEGIN
  INSERT INTO audit (at_ms, account, author, what, subject)
  VALUES (NEW.given_ms, NEW.account, 'platform', 'give host', NEW.host);
END;
