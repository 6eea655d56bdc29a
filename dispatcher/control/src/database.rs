//! Every statement that D1 is asked. A change is one batch, which D1 makes whole or not at all.
//!
//! Surprising constraint: a batch cannot branch. So each statement after the first one is about rows that carry the first one's
//! change id: if the first changed nothing, none of them does.

use crate::{permission::Within, token};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use wasm_bindgen::JsValue;
use worker::{D1Database, Result, d1::D1PreparedStatement};

pub struct Database(pub D1Database);

#[derive(Clone, Debug, Deserialize)]
pub struct TenantRow {
    pub id: String,
    pub version: f64,
    pub record: String,
    pub about: String,
    pub change_id: String,
}

/// A change of a tenant, and who makes it.
pub struct Change<'a> {
    pub id: &'a str,
    pub account: &'a str,
    pub change_id: &'a str,
    pub now_ms: f64,
    pub author: &'a str,
    pub what: &'a str,
    pub reason: Option<&'a str>,
}

/// A token as it is made.
pub struct NewToken<'a> {
    pub id: &'a str,
    pub account: &'a str,
    pub name: &'a str,
    pub role: &'a str,
    pub tenants: Option<String>,
    pub hash: &'a str,
    pub now_ms: f64,
    pub expires_ms: f64,
    pub author: &'a str,
}

/// The condition that leaves those rows alone, and its values. Looked at by the database, so that no page, and no place from which the
/// next one goes on, tells of any other.
fn within(rows: Within<'_>, column: &str) -> (String, Vec<JsValue>) {
    let account = JsValue::from(rows.account);
    match rows.tenants {
        None => ("AND account = ?".to_owned(), vec![account]),
        Some(tenants) => {
            let sql = format!("AND account = ? AND {column} IN (SELECT value FROM json_each(?))");
            (sql, vec![account, JsValue::from(Value::from(tenants).to_string())])
        }
    }
}

fn optional(text: Option<&str>) -> JsValue {
    text.map_or(JsValue::NULL, JsValue::from)
}

const MINE: &str = "EXISTS (SELECT 1 FROM tenants WHERE id = ? AND change_id = ?)";

impl Database {
    fn statement(&self, sql: &str, values: &[JsValue]) -> Result<D1PreparedStatement> {
        self.0.prepare(sql).bind(values)
    }

    async fn all<T: DeserializeOwned>(&self, sql: &str, values: &[JsValue]) -> Result<Vec<T>> {
        self.statement(sql, values)?.all().await?.results()
    }

    async fn first<T: DeserializeOwned>(&self, sql: &str, values: &[JsValue]) -> Result<Option<T>> {
        Ok(self.all(sql, values).await?.into_iter().next())
    }

    pub async fn token(&self, id: &str) -> Result<Option<token::Row>> {
        let sql = "SELECT id, account, role, tenants, hash, expires_ms, revoked_ms FROM tokens WHERE id = ?";
        self.first(sql, &[id.into()]).await
    }

    pub async fn tokens(&self, account: &str) -> Result<Vec<Value>> {
        let sql = "SELECT id, name, role, tenants, created_ms, expires_ms, revoked_ms FROM tokens WHERE account = ? \
            ORDER BY created_ms, id LIMIT 1000";
        self.all(sql, &[account.into()]).await
    }

    pub async fn make_token(&self, new: &NewToken<'_>) -> Result<()> {
        let sql = "INSERT INTO tokens (id, account, name, role, tenants, hash, created_ms, expires_ms, changed_by) \
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let values = [
            new.id.into(),
            new.account.into(),
            new.name.into(),
            new.role.into(),
            optional(new.tenants.as_deref()),
            new.hash.into(),
            new.now_ms.into(),
            new.expires_ms.into(),
            new.author.into(),
        ];
        self.statement(sql, &values)?.run().await.map(drop)
    }

    /// Whether the account has such a token; one that was revoked before stays as it was.
    pub async fn revoke_token(&self, account: &str, id: &str, now_ms: f64, author: &str) -> Result<bool> {
        let sql =
            "UPDATE tokens SET revoked_ms = ?, changed_by = ? WHERE id = ? AND account = ? AND revoked_ms IS NULL";
        let values = [now_ms.into(), author.into(), id.into(), account.into()];
        self.statement(sql, &values)?.run().await?;
        let sql = "SELECT id FROM tokens WHERE id = ? AND account = ?";
        Ok(self.first::<Value>(sql, &[id.into(), account.into()]).await?.is_some())
    }

    pub async fn accounts(&self) -> Result<Vec<Value>> {
        self.all("SELECT id, name, created_ms FROM accounts ORDER BY created_ms, id LIMIT 10000", &[]).await
    }

    pub async fn make_account(&self, id: &str, name: &str, now_ms: f64) -> Result<()> {
        let sql = "INSERT INTO accounts (id, name, created_ms) VALUES (?, ?, ?)";
        self.statement(sql, &[id.into(), name.into(), now_ms.into()])?.run().await.map(drop)
    }

    /// Gives a host to an account. Fails where it is given already, or there is no such account.
    pub async fn give_host(&self, host: &str, account: &str, now_ms: f64) -> Result<()> {
        let sql = "INSERT INTO hosts (host, account, given_ms) VALUES (?, ?, ?)";
        self.statement(sql, &[host.into(), account.into(), now_ms.into()])?.run().await.map(drop)
    }

    /// How many of these hosts, a JSON list, are the account's.
    pub async fn hosts_of(&self, account: &str, hosts: &str) -> Result<usize> {
        #[derive(Deserialize)]
        struct Row {
            count: f64,
        }
        let sql = "SELECT COUNT(*) AS count FROM hosts WHERE account = ? AND host IN (SELECT value FROM json_each(?))";
        let row: Option<Row> = self.first(sql, &[account.into(), hosts.into()]).await?;
        Ok(row.map_or(0, |row| row.count as usize))
    }

    /// The tenants after one, in order, of those that are in `of`; those of all accounts for the platform.
    pub async fn tenants(&self, of: Option<Within<'_>>, after: &str, limit: u32) -> Result<Vec<TenantRow>> {
        let (and, values) = of.map_or_else(Default::default, |of| within(of, "id"));
        let sql = format!(
            "SELECT id, version, record, about, change_id FROM tenants WHERE id > ? {and} ORDER BY id LIMIT {limit}"
        );
        let values: Vec<JsValue> = [JsValue::from(after)].into_iter().chain(values).collect();
        self.all(&sql, &values).await
    }

    /// A number that grows with each change: of an account's, or of all.
    pub async fn revision(&self, account: Option<&str>) -> Result<u64> {
        #[derive(Deserialize)]
        struct Row {
            last: Option<f64>,
        }
        let (filter, values) = match account {
            Some(account) => ("WHERE account = ?", vec![JsValue::from(account)]),
            None => ("", Vec::new()),
        };
        let row: Option<Row> = self.first(&format!("SELECT MAX(id) AS last FROM audit {filter}"), &values).await?;
        Ok(row.and_then(|row| row.last).unwrap_or_default() as u64)
    }

    pub async fn tenant(&self, account: &str, id: &str) -> Result<Option<TenantRow>> {
        let sql = "SELECT id, version, record, about, change_id FROM tenants WHERE id = ? AND account = ?";
        self.first(sql, &[id.into(), account.into()]).await
    }

    /// Makes a tenant. Fails where its id or one of its names is taken.
    pub async fn make_tenant(&self, change: &Change<'_>, record: &str, about: &str, names: &[String]) -> Result<()> {
        let sql = "INSERT INTO tenants (id, account, version, record, about, change_id, changed_ms, changed_by, what, reason) \
            VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?)";
        let values = [
            change.id.into(),
            change.account.into(),
            record.into(),
            about.into(),
            change.change_id.into(),
            change.now_ms.into(),
            change.author.into(),
            change.what.into(),
            optional(change.reason),
        ];
        let mut batch = vec![self.statement(sql, &values)?];
        batch.extend(self.take_names(change, names)?);
        self.0.batch(batch).await.map(drop)
    }

    /// Changes a tenant, if it has this version still. Whether it had, its change id says.
    pub async fn change_tenant(
        &self,
        change: &Change<'_>,
        version: u64,
        record: &str,
        about: &str,
        names: &[String],
    ) -> Result<()> {
        let sql = "UPDATE tenants SET version = version + 1, record = ?, about = ?, change_id = ?, changed_ms = ?, \
            changed_by = ?, what = ?, reason = ? WHERE id = ? AND account = ? AND version = ?";
        let values = [
            record.into(),
            about.into(),
            change.change_id.into(),
            change.now_ms.into(),
            change.author.into(),
            change.what.into(),
            optional(change.reason),
            change.id.into(),
            change.account.into(),
            (version as f64).into(),
        ];
        let mut batch = vec![self.statement(sql, &values)?, self.give_names_back(change)?];
        batch.extend(self.take_names(change, names)?);
        self.0.batch(batch).await.map(drop)
    }

    /// Removes a tenant, if it has this version still.
    pub async fn remove_tenant(&self, change: &Change<'_>, version: u64) -> Result<()> {
        let sql = "UPDATE tenants SET what = 'remove', change_id = ?, changed_ms = ?, changed_by = ?, reason = ? \
            WHERE id = ? AND account = ? AND version = ?";
        let values = [
            change.change_id.into(),
            change.now_ms.into(),
            change.author.into(),
            optional(change.reason),
            change.id.into(),
            change.account.into(),
            (version as f64).into(),
        ];
        let gone = "DELETE FROM tenants WHERE id = ? AND change_id = ?";
        let batch = vec![
            self.statement(sql, &values)?,
            self.give_names_back(change)?,
            self.statement(gone, &[change.id.into(), change.change_id.into()])?,
        ];
        self.0.batch(batch).await.map(drop)
    }

    fn give_names_back(&self, change: &Change<'_>) -> Result<D1PreparedStatement> {
        let sql = format!("DELETE FROM names WHERE tenant = ? AND {MINE}");
        self.statement(&sql, &[change.id.into(), change.id.into(), change.change_id.into()])
    }

    fn take_names(&self, change: &Change<'_>, names: &[String]) -> Result<Vec<D1PreparedStatement>> {
        let sql = format!("INSERT INTO names (name, tenant) SELECT ?, ? WHERE {MINE}");
        let take = |name: &String| {
            self.statement(&sql, &[name.into(), change.id.into(), change.id.into(), change.change_id.into()])
        };
        names.iter().map(take).collect()
    }

    /// An account's log after a line, in order, as far as it is about what is in `of`.
    pub async fn audit(&self, of: Within<'_>, after: u64, limit: u32) -> Result<Vec<Value>> {
        let (and, values) = within(of, "subject");
        let sql = format!(
            "SELECT id, at_ms, author, what, subject, reason, before, after FROM audit WHERE id > ? {and} \
             ORDER BY id LIMIT {limit}"
        );
        let values: Vec<JsValue> = [JsValue::from(after as f64)].into_iter().chain(values).collect();
        self.all(&sql, &values).await
    }
}

/// Whether a statement failed because it names what is not there.
pub fn is_missing(error: &worker::Error) -> bool {
    error.to_string().contains("FOREIGN KEY constraint failed")
}

/// Whether a statement failed because something is there already.
pub fn is_taken(error: &worker::Error, what: &str) -> bool {
    error.to_string().contains(&format!("UNIQUE constraint failed: {what}"))
}
