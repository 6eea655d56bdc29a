//! A tenant's record as it is put: checked as the dispatcher checks it, and the names that it takes. Pure.

use dispatcher_core::{
    dispatch_key::DispatchKey,
    log_text::is_plain_text,
    tenant::{Available, SharedOrigin, TenantRecord},
};
use serde::Deserialize;
use serde_json::Value;
use x402_protocol::Network;

/// The body of a put.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Put {
    pub record: Value,
    /// Facts that the seller's program finds again: owner, source, rows.
    #[serde(default)]
    pub about: Value,
    #[serde(default = "change")]
    pub what: String,
    #[serde(default)]
    pub reason: Option<String>,
}

const MOST_WHAT: usize = 40;
const MOST_REASON: usize = 500;
/// The words that the log's triggers have for other changes than a put.
const OF_THE_TABLES: [&str; 5] = ["remove", "make account", "make token", "revoke token", "give host"];

fn change() -> String {
    "change".to_owned()
}

/// A body that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// `slug:rain`, `host:rain.example`.
    pub names: Vec<String>,
    pub hosts: Vec<String>,
}

/// Checks the record of a tenant as the dispatcher would.
pub fn check(put: &Put, tenant: &str, network: Network) -> Result<Checked, String> {
    let read: TenantRecord = serde_json::from_value(put.record.clone()).map_err(|error| error.to_string())?;
    if read.id != tenant {
        return Err(format!("the record is of {:?}, and was put to {tenant:?}", read.id));
    }
    said(put)?;
    read.hosts.iter().try_for_each(|name| host(name))?;
    if read.shared_origin == SharedOrigin::Trusted {
        // Its pages could ask for everything below `/t/` with a visitor's cookies, and other sellers are there.
        return Err("sharedOrigin is trusted, which no seller is where several share a host".to_owned());
    }
    let slugs = read.slug.iter().map(|slug| format!("slug:{slug}"));
    let mut names: Vec<String> = slugs.chain(read.hosts.iter().map(|host| format!("host:{host}"))).collect();
    names.sort();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err("it names a host twice".to_owned());
    }
    if read.slug.as_ref().is_some_and(|slug| DispatchKey::slug(slug).is_none()) {
        return Err(format!("{:?} is not a slug", read.slug.unwrap_or_default()));
    }
    // Which facilitators there are, only the dispatcher knows.
    let facilitators = read.facilitators.clone().unwrap_or_default().into();
    let hosts = read.hosts.clone();
    read.check(&Available { network, facilitators }).map_err(|error| error.to_string())?;
    Ok(Checked { names, hosts })
}

/// Fails at what can be no host.
pub fn host(name: &str) -> Result<(), String> {
    let what = || format!("{name:?} is not a host: lower-case letters, digits, dots and inner hyphens");
    DispatchKey::host(name).map(drop).ok_or_else(what)
}

/// Checks what the log will say. It is read by people, line by line, so nothing in it may look like another line, nor like what the
/// tables write by themselves.
fn said(put: &Put) -> Result<(), String> {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b' ' || byte == b'-';
    if !(1..=MOST_WHAT).contains(&put.what.len()) || !put.what.bytes().all(is_word) {
        return Err(format!("what was done has 1 to {MOST_WHAT} lower-case letters"));
    }
    if OF_THE_TABLES.contains(&put.what.trim()) {
        return Err(format!("a put does not {}", put.what.trim()));
    }
    let reason = put.reason.as_deref().unwrap_or_default();
    if reason.len() > MOST_REASON || !is_plain_text(reason) {
        return Err(format!("a reason has at most {MOST_REASON} bytes, in one line"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn put(record: Value) -> Put {
        Put { record, about: Value::Null, what: change(), reason: None }
    }

    #[test]
    fn a_record_is_checked_as_the_dispatcher_does() {
        let good = put(json!({"id": "rain", "plan": "pro", "slug": "rain", "hosts": ["rain.example"]}));
        let names = check(&good, "rain", Network::BaseSepolia).unwrap().names;
        assert_eq!(names, ["host:rain.example", "slug:rain"]);
        for (record, said) in [
            (json!({"id": "snow", "plan": "pro"}), "was put to"),
            (json!({"id": "rain", "plan": "gold"}), "gold"),
            (json!({"id": "rain", "plan": "pro", "hosts": ["Rain.example"]}), "is not a host"),
            (json!({"id": "rain", "plan": "pro", "hosts": ["a.example", "a.example"]}), "twice"),
            (json!({"id": "rain", "plan": "pro", "script": "snow"}), "script"),
        ] {
            let why = check(&put(record), "rain", Network::BaseSepolia).unwrap_err();
            assert!(why.contains(said), "{why}");
        }
        let trusted = put(json!({"id": "rain", "plan": "pro", "slug": "rain", "sharedOrigin": "trusted"}));
        assert!(check(&trusted, "rain", Network::BaseSepolia).unwrap_err().contains("sharedOrigin"));
    }

    #[test]
    fn no_line_of_the_log_is_another_than_it_seems() {
        let good = put(json!({"id": "rain", "plan": "pro"}));
        let say = |what: &str, reason: &str| {
            let put = Put { what: what.to_owned(), reason: Some(reason.to_owned()), ..good.clone() };
            check(&put, "rain", Network::BaseSepolia)
        };
        assert!(say("lift override", "größer, \u{1f642} and all").is_ok());
        for what in ["", "remove", " remove", "remove ", "revoke token", "make account", "give host", "Remove", "x\ny"]
        {
            assert!(say(what, "").is_err(), "{what:?}");
        }
        let long = "x".repeat(501);
        for reason in ["a\n2026-11-29T00:00:00Z  platform  make account", "\u{1b}[2J", "\u{9b}2J", "\u{202e}x", &long] {
            assert!(say("change", reason).is_err(), "{reason:?}");
        }
    }
}
