//! The answer of each route, for somebody who may have it.

use crate::{
    answer::Answer,
    database::{Change, Database, NewToken, TenantRow, is_missing, is_taken},
    permission::{Principal, Role},
    record::{self, Put},
    routes::{Action, Found, listed},
    token,
};
use serde::Deserialize;
use serde_json::{Value, json};
use x402_protocol::Network;

const PAGE: u32 = 500;
const DAY_MS: f64 = 86_400_000.0;
const DEFAULT_DAYS: u64 = 90;
const MOST_NAME: usize = 80;

/// A request that was read, and the world around it.
pub struct Asked<'a> {
    pub found: Found<'a>,
    pub principal: Option<&'a Principal>,
    pub query: &'a dyn Fn(&str) -> Option<String>,
    pub if_match: Option<String>,
    pub if_none_match: Option<String>,
    pub body: &'a [u8],
    pub network: Network,
    pub now_ms: f64,
    pub random: [u8; 38],
}

/// The state of a tenant that a change was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Nothing,
    Version(u64),
}

pub async fn answer(asked: &Asked<'_>, database: &Database) -> Result<Answer, Answer> {
    match (asked.found.route.action, asked.principal) {
        (Action::Health, _) => Ok(Answer::ok(json!({"ok": true}))),
        (Action::Routes, _) => Ok(Answer::ok(json!({"routes": listed()}))),
        (Action::Me, Some(principal)) => Ok(Answer::ok(me(principal, asked.network))),
        (Action::ListAccounts, Some(Principal::Platform)) => {
            Ok(Answer::ok(json!({"accounts": database.accounts().await?})))
        }
        (Action::MakeAccount, Some(Principal::Platform)) => make_account(asked, database).await,
        (Action::GiveHost, Some(Principal::Platform)) => give_host(asked, database).await,
        (Action::Directory, Some(principal @ Principal::Platform)) => list_tenants(asked, database, principal).await,
        (action, Some(principal @ Principal::Account { account, .. })) => {
            let own = Own { asked, database, principal, account };
            match action {
                Action::ListTenants => list_tenants(asked, database, principal).await,
                Action::GetTenant => own.get_tenant().await,
                Action::PutTenant => own.put_tenant().await,
                Action::DeleteTenant => own.delete_tenant().await,
                Action::ListTokens => Ok(Answer::ok(json!({"tokens": database.tokens(account).await?}))),
                Action::MakeToken => own.make_token().await,
                Action::RevokeToken => own.revoke_token().await,
                Action::Audit => own.audit().await,
                _ => Err(forbidden()),
            }
        }
        // Who got here was admitted: a route that is in the table and has no answer is refused.
        _ => Err(forbidden()),
    }
}

pub fn forbidden() -> Answer {
    Answer::error(403, "forbidden", "this token may not do that")
}

fn me(principal: &Principal, network: Network) -> Value {
    let environment = if network == Network::Base { "prod" } else { "test" };
    match principal {
        Principal::Platform => json!({"role": "platform", "environment": environment}),
        Principal::Account { account, token, role, tenants } => {
            json!({"account": account, "token": token, "role": role, "tenants": tenants, "environment": environment})
        }
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Answer> {
    serde_json::from_slice(body).map_err(|error| Answer::error(400, "invalid_body", error.to_string()))
}

fn name(text: &str) -> Result<(), Answer> {
    let is_plain = !text.trim().is_empty() && text.len() <= MOST_NAME && !text.chars().any(char::is_control);
    if is_plain {
        Ok(())
    } else {
        Err(Answer::error(400, "invalid_name", format!("a name has 1 to {MOST_NAME} characters")))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    name: String,
}

/// Makes an account, and the first token of its owner, which is told this once.
async fn make_account(asked: &Asked<'_>, database: &Database) -> Result<Answer, Answer> {
    let new: NewAccount = read(asked.body)?;
    name(&new.name)?;
    let (id, text, hash) = token::make(&asked.random);
    let account = format!("a{id}");
    database.make_account(&account, &new.name, asked.now_ms).await.map_err(|error| {
        if is_taken(&error, "accounts.name") {
            return Answer::error(409, "name_taken", format!("there is an account {:?}", new.name));
        }
        error.into()
    })?;
    let expires_ms = asked.now_ms + DEFAULT_DAYS as f64 * DAY_MS;
    let first = NewToken {
        id: &id,
        account: &account,
        name: "first",
        role: Role::Owner.as_str(),
        tenants: None,
        hash: &hash,
        now_ms: asked.now_ms,
        expires_ms,
        author: "platform",
    };
    database.make_token(&first).await?;
    Ok(Answer::ok(json!({"account": account, "token": text, "expiresMs": expires_ms})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenHost {
    host: String,
    account: String,
}

/// Gives a host to an account, whose tenants may stand there from then on.
async fn give_host(asked: &Asked<'_>, database: &Database) -> Result<Answer, Answer> {
    let GivenHost { host, account } = read(asked.body)?;
    record::host(&host).map_err(|why| Answer::error(400, "invalid_host", why))?;
    match database.give_host(&host, &account, asked.now_ms).await {
        Ok(()) => Ok(Answer::ok(json!({"host": host, "account": account}))),
        Err(error) if is_taken(&error, "hosts.host") => {
            Err(Answer::error(409, "host_taken", format!("{host:?} was given to an account")))
        }
        Err(error) if is_missing(&error) => {
            Err(Answer::error(404, "account_not_found", format!("there is no account {account:?}")))
        }
        Err(error) => Err(error.into()),
    }
}

/// A page of tenants: an account's, or everybody's for the platform.
async fn list_tenants(asked: &Asked<'_>, database: &Database, of: &Principal) -> Result<Answer, Answer> {
    let after = (asked.query)("after").unwrap_or_default();
    let within = of.within();
    // Before the rows: whoever publishes them under it publishes no change that it does not count.
    let revision = database.revision(within.map(|within| within.account)).await?;
    let rows = database.tenants(within, &after, PAGE).await?;
    let next = (rows.len() == PAGE as usize).then(|| rows.last().map(|row| row.id.clone())).flatten();
    let tenants: Vec<Value> = rows.iter().map(told).collect();
    Ok(Answer::ok(json!({"tenants": tenants, "next": next, "revision": revision})))
}

fn told(row: &TenantRow) -> Value {
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    json!({"id": row.id, "version": row.version as u64, "record": json(&row.record), "about": json(&row.about)})
}

/// An entity tag as this API makes them.
fn version_of(tag: &str) -> Option<u64> {
    tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

/// A request for what is an account's own.
struct Own<'a> {
    asked: &'a Asked<'a>,
    database: &'a Database,
    principal: &'a Principal,
    account: &'a str,
}

impl Own<'_> {
    /// The tenant that the path names, if it is the account's and the token reaches it.
    async fn tenant(&self) -> Result<Option<TenantRow>, Answer> {
        let id = self.asked.found.segment;
        if !self.principal.reaches(id) {
            return Err(Answer::no_tenant(id));
        }
        Ok(self.database.tenant(self.account, id).await?)
    }

    async fn get_tenant(&self) -> Result<Answer, Answer> {
        let row = self.tenant().await?.ok_or_else(|| Answer::no_tenant(self.asked.found.segment))?;
        Ok(Answer::versioned(told(&row), row.version as u64))
    }

    fn before(&self) -> Result<Before, Answer> {
        let wrong = |what: &str| Answer::error(400, "invalid_precondition", what);
        match (&self.asked.if_match, &self.asked.if_none_match) {
            (Some(tag), None) => {
                version_of(tag).map(Before::Version).ok_or_else(|| wrong("If-Match takes the ETag of a tenant"))
            }
            (None, Some(star)) if star == "*" => Ok(Before::Nothing),
            (None, None) => Err(Answer::error(
                428,
                "precondition_required",
                "say what is changed: If-Match with the tenant's ETag, or If-None-Match: * for a new one",
            )),
            _ => Err(wrong("one of If-Match and If-None-Match: *")),
        }
    }

    fn change<'b>(&'b self, what: &'b str, reason: Option<&'b str>, author: &'b str, change_id: &'b str) -> Change<'b> {
        Change {
            id: self.asked.found.segment,
            account: self.account,
            change_id,
            now_ms: self.asked.now_ms,
            author,
            what,
            reason,
        }
    }

    async fn put_tenant(&self) -> Result<Answer, Answer> {
        let id = self.asked.found.segment;
        let known = self.tenant().await?;
        let before = self.before()?;
        let put: Put = read(self.asked.body)?;
        let checked =
            record::check(&put, id, self.asked.network).map_err(|why| Answer::error(422, "invalid_record", why))?;
        let hosts = json!(checked.hosts).to_string();
        if self.database.hosts_of(self.account, &hosts).await? < checked.hosts.len() {
            let what = "one of its hosts was not given to this account: whoever runs the platform gives them";
            return Err(Answer::error(403, "host_not_given", what));
        }
        let (text, about) = (put.record.to_string(), put.about.to_string());
        let (author, change_id) = (self.principal.author(), token::make(&self.asked.random).0);
        let change = self.change(&put.what, put.reason.as_deref(), &author, &change_id);
        let done = match before {
            Before::Nothing => self.database.make_tenant(&change, &text, &about, &checked.names).await,
            Before::Version(version) => {
                self.database.change_tenant(&change, version, &text, &about, &checked.names).await
            }
        };
        match done {
            Err(error) if is_taken(&error, "tenants.id") && known.is_none() => {
                return Err(Answer::error(409, "tenant_taken", format!("{id:?} is taken")));
            }
            Err(error) if is_taken(&error, "tenants.id") => return Err(self.changed_meanwhile(known)),
            Err(error) if is_taken(&error, "names.name") => {
                return Err(Answer::error(409, "name_taken", "its slug or one of its hosts is taken"));
            }
            Err(error) => return Err(error.into()),
            Ok(()) => {}
        }
        let row = self.tenant().await?.ok_or_else(|| Answer::no_tenant(id))?;
        if row.change_id != change_id {
            return Err(self.changed_meanwhile(Some(row)));
        }
        Ok(Answer::versioned(told(&row), row.version as u64))
    }

    fn changed_meanwhile(&self, row: Option<TenantRow>) -> Answer {
        let version = row.map(|row| row.version as u64);
        let what = "the tenant has changed meanwhile: read it again";
        Answer { version, ..Answer::error(412, "version_mismatch", what) }
    }

    async fn delete_tenant(&self) -> Result<Answer, Answer> {
        let id = self.asked.found.segment;
        let row = self.tenant().await?.ok_or_else(|| Answer::no_tenant(id))?;
        let Before::Version(version) = self.before()? else {
            return Err(Answer::error(400, "invalid_precondition", "If-Match takes the ETag of a tenant"));
        };
        // What is looked at here is what is removed, or nothing is.
        if version != row.version as u64 {
            return Err(self.changed_meanwhile(Some(row)));
        }
        let record: Value = serde_json::from_str(&row.record).unwrap_or_default();
        if record["price"]["paymentFlow"] == "upfront" && record["plan"] != "quarantine" {
            let what = "it is paid upfront, so its callers may be owed what they have paid for: quarantine it first";
            return Err(Answer::error(409, "owes_callers", what));
        }
        let (author, change_id) = (self.principal.author(), token::make(&self.asked.random).0);
        let change = self.change("remove", None, &author, &change_id);
        self.database.remove_tenant(&change, version).await?;
        match self.tenant().await? {
            None => Ok(Answer::ok(json!({"removed": id}))),
            left => Err(self.changed_meanwhile(left)),
        }
    }

    async fn make_token(&self) -> Result<Answer, Answer> {
        let new: NewTokenBody = read(self.asked.body)?;
        name(&new.name)?;
        let days = new.days.unwrap_or(DEFAULT_DAYS);
        if !(1..=token::MOST_DAYS).contains(&days) {
            return Err(Answer::error(400, "invalid_days", format!("a token counts 1 to {} days", token::MOST_DAYS)));
        }
        let tenants = new.tenants.map(|list| json!(list).to_string());
        let (id, text, hash) = token::make(&self.asked.random);
        let expires_ms = self.asked.now_ms + days as f64 * DAY_MS;
        let author = self.principal.author();
        let row = NewToken {
            id: &id,
            account: self.account,
            name: &new.name,
            role: new.role.as_str(),
            tenants,
            hash: &hash,
            now_ms: self.asked.now_ms,
            expires_ms,
            author: &author,
        };
        self.database.make_token(&row).await?;
        Ok(Answer::ok(json!({"id": id, "token": text, "expiresMs": expires_ms})))
    }

    async fn revoke_token(&self) -> Result<Answer, Answer> {
        let id = self.asked.found.segment;
        let author = self.principal.author();
        if self.database.revoke_token(self.account, id, self.asked.now_ms, &author).await? {
            Ok(Answer::ok(json!({"revoked": id})))
        } else {
            Err(Answer::error(404, "token_not_found", format!("there is no token {id:?}")))
        }
    }

    async fn audit(&self) -> Result<Answer, Answer> {
        let after = (self.asked.query)("after").unwrap_or_else(|| "0".to_owned());
        let after = after.parse().map_err(|_| Answer::error(400, "invalid_query", "after is a line's id"))?;
        let within = self.principal.within().ok_or_else(forbidden)?;
        let lines = self.database.audit(within, after, PAGE).await?;
        // The database gives its numbers as JavaScript's, which would be written with a fraction.
        let id = |line: &Value| line["id"].as_f64().map(|id| id as u64);
        let next = lines.last().filter(|_| lines.len() == PAGE as usize).and_then(id);
        Ok(Answer::ok(json!({"lines": lines, "next": next})))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTokenBody {
    name: String,
    role: Role,
    #[serde(default)]
    tenants: Option<Vec<String>>,
    #[serde(default)]
    days: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_an_entity_tag_and_from_nothing_else() {
        assert_eq!(version_of("\"12\""), Some(12));
        for odd in ["12", "W/\"12\"", "\"\"", "*", "\"-1\"", "\"1\", \"2\""] {
            assert_eq!(version_of(odd), None, "{odd}");
        }
    }
}
