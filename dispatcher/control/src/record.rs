//! A tenant's record as it is put: checked as the dispatcher checks it, and the names that it takes. Pure.

use dispatcher_core::{
    dispatch_key::DispatchKey,
    tenant::{Available, TenantRecord},
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

fn change() -> String {
    "change".to_owned()
}

/// A body that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// `slug:rain`, `host:rain.example`.
    pub names: Vec<String>,
}

/// Checks the record of a tenant as the dispatcher would.
pub fn check(put: &Put, tenant: &str, network: Network) -> Result<Checked, String> {
    let read: TenantRecord = serde_json::from_value(put.record.clone()).map_err(|error| error.to_string())?;
    if read.id != tenant {
        return Err(format!("the record is of {:?}, and was put to {tenant:?}", read.id));
    }
    if put.what == "remove" {
        return Err("a put removes nothing".to_owned());
    }
    if let Some(host) = read.hosts.iter().find(|host| DispatchKey::host(host).is_none()) {
        return Err(format!("{host:?} is not a host: lower-case letters, digits, dots and inner hyphens"));
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
    read.check(&Available { network, facilitators }).map_err(|error| error.to_string())?;
    Ok(Checked { names })
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
        assert!(check(&Put { what: "remove".to_owned(), ..good }, "rain", Network::BaseSepolia).is_err());
    }
}
