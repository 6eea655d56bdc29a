//! The registry: every tenant's record, in the very form that the dispatcher reads. A change is checked as the dispatcher checks
//! it, kept as a version, and told in an audit log.

use crate::{
    clock,
    exit::Exit,
    failure::Failure,
    home::{Home, Lock},
};
use dispatcher_core::{
    directory::snapshot,
    dispatch_key::DispatchKey,
    tenant::{Available, TenantRecord},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const FILE: &str = "registry.json";
pub const AUDIT: &str = "audit.jsonl";

/// Tenants by their records; each has an `id`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// Grows with each change.
    #[serde(default)]
    pub version: u64,
    pub tenants: Vec<Value>,
}

/// The person and the reason of a change, for the audit log.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    pub what: &'a str,
    pub tenant: &'a str,
    pub author: &'a str,
    pub reason: Option<&'a str>,
}

impl Registry {
    pub fn load(home: &Home) -> Result<Self, Failure> {
        match home.read(FILE)? {
            None => Ok(Self::default()),
            Some(text) => serde_json::from_str(&text).map_err(|error| {
                let path = home.path(FILE);
                Failure::invalid(format!("{} cannot be read: {error}", path.display()))
                    .help(format!("the versions before are in {}", home.path("history").display()))
            }),
        }
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.tenants.iter().filter_map(|record| record["id"].as_str())
    }

    #[must_use]
    pub fn tenant(&self, id: &str) -> Option<&Value> {
        self.tenants.iter().find(|record| record["id"] == id)
    }

    /// The record of a tenant that must be there.
    pub fn expect(&self, id: &str) -> Result<&Value, Failure> {
        self.tenant(id).ok_or_else(|| {
            let known: Vec<&str> = self.ids().collect();
            let failure = Failure::invalid(format!("there is no tenant {id:?}"));
            match nearest(id, &known) {
                Some(meant) => failure.help(format!("did you mean {meant:?}?")),
                None if known.is_empty() => failure.help("`402claw deploy` makes one"),
                None => failure.help(format!("there are {}", known.join(", "))),
            }
        })
    }

    /// Puts a record in the place of the one of its id, or behind all others.
    pub fn put(&mut self, record: Value) {
        match self.tenants.iter_mut().find(|known| known["id"] == record["id"]) {
            Some(known) => *known = record,
            None => self.tenants.push(record),
        }
    }

    /// The record that the dispatcher takes: without what is ours alone.
    #[must_use]
    pub fn directory(&self) -> Value {
        json!({ "tenants": self.tenants })
    }

    /// Checks every record as the dispatcher does, and that no name is two tenants'.
    pub fn check(&self, available: &Available) -> Result<(), Failure> {
        for record in &self.tenants {
            let id = record["id"].as_str().unwrap_or_default();
            let read: TenantRecord = serde_json::from_value(record.clone())
                .map_err(|error| Failure::invalid(format!("the record of {id:?} is wrong: {error}")))?;
            for host in &read.hosts {
                if DispatchKey::host(host).is_none() {
                    let what = format!("{host:?} is not a host: lower-case letters, digits, dots and inner hyphens");
                    return Err(Failure::invalid(what));
                }
            }
            read.check(available).map_err(|error| Failure::invalid(error.to_string()))?;
        }
        let directory = self.directory().to_string();
        snapshot::publish(self.version.max(1), &directory, available)
            .map_err(|error| Failure::invalid(error.to_string()))?;
        Ok(())
    }

    /// Writes a change: the version before is kept, and the log says who made it. Under the lock, because what was read must
    /// still be so.
    pub fn save(&mut self, home: &Home, _: &Lock, available: &Available, change: &Change<'_>) -> Result<(), Failure> {
        let before = Self::load(home)?;
        if before.version != self.version {
            let what =
                format!("the registry has changed meanwhile: it has version {}, not {}", before.version, self.version);
            return Err(Failure::new(Exit::Busy, what).help("run the same command again"));
        }
        self.version += 1;
        self.check(available)?;
        if before.version > 0 {
            home.write(&format!("history/{:08}.json", before.version), text(&before).as_bytes())?;
        }
        let Change { what, tenant, author, reason } = change;
        let line = json!({
            "at": clock::rfc3339(clock::unix_ms()),
            "version": self.version,
            "author": author,
            "what": what,
            "tenant": tenant,
            "reason": reason,
            "before": before.tenant(tenant),
            "after": self.tenant(tenant),
        });
        // Before it is done: a line about a change that failed is better than a change that nobody finds.
        home.append(AUDIT, &line.to_string())?;
        home.write(FILE, text(self).as_bytes())
    }
}

fn text(registry: &Registry) -> String {
    let mut text = serde_json::to_string_pretty(registry).expect("a registry has string keys and plain values");
    text.push('\n');
    text
}

/// The known name that is spelt most alike.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let alike = |known: &&str| dataset::alike(name, known);
    known.iter().copied().filter(alike).min_by_key(|known| known.len().abs_diff(name.len()))
}

/// The person who types the command.
#[must_use]
pub fn author(told: Option<&str>) -> String {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    told.map(str::to_owned)
        .or_else(|| variable("USER"))
        .or_else(|| variable("LOGNAME"))
        .unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{home::Environment, testing::Folder};
    use x402_protocol::Network;

    fn available() -> Available {
        Available { network: Network::BaseSepolia, facilitators: [].into() }
    }

    const CHANGE: Change<'_> = Change { what: "deploy", tenant: "acme", author: "ann", reason: None };

    #[test]
    fn a_change_is_checked_kept_and_told() {
        let folder = Folder::new();
        let home = Home::at(folder.path(), Environment::Test);
        let lock = home.lock().unwrap();
        let mut registry = Registry::load(&home).unwrap();
        registry.put(json!({"id": "acme", "slug": "acme", "plan": "pro"}));
        registry.save(&home, &lock, &available(), &CHANGE).unwrap();
        let mut second = Registry::load(&home).unwrap();
        assert_eq!(second.version, 1);
        second.put(json!({"id": "acme", "slug": "acme", "plan": "business"}));
        second.save(&home, &lock, &available(), &CHANGE).unwrap();
        assert_eq!(registry.save(&home, &lock, &available(), &CHANGE).unwrap_err().exit, Exit::Busy);
        let kept: Registry = serde_json::from_str(&home.read("history/00000001.json").unwrap().unwrap()).unwrap();
        assert_eq!(kept.tenants[0]["plan"], "pro");
        let audit = home.read(AUDIT).unwrap().unwrap();
        let lines: Vec<Value> = audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!((&lines[1]["before"]["plan"], &lines[1]["after"]["plan"]), (&json!("pro"), &json!("business")));
    }

    #[test]
    fn what_the_dispatcher_would_refuse_is_not_written() {
        let folder = Folder::new();
        let home = Home::at(folder.path(), Environment::Test);
        let lock = home.lock().unwrap();
        for (records, said) in [
            (vec![json!({"id": "a", "plan": "gold"})], "unknown variant `gold`"),
            (vec![json!({"id": "a", "plan": "pro", "hosts": ["A.example"]})], "is not a host"),
            (
                vec![json!({"id": "a", "plan": "pro", "slug": "x"}), json!({"id": "b", "plan": "pro", "slug": "x"})],
                "twice",
            ),
        ] {
            let mut registry = Registry { version: 0, tenants: records };
            let failure = registry.save(&home, &lock, &available(), &CHANGE).unwrap_err();
            assert!(failure.to_string().contains(said), "{failure}");
        }
        assert_eq!(home.read(FILE).unwrap(), None);
    }
}
