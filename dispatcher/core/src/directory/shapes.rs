//! The two shapes in which a directory comes: maps keyed by host and slug, and a registry that lists tenants with theirs.

use super::{Directory, DirectoryError};
use crate::{
    dispatch_key::DispatchKey,
    plan::Plan,
    tenant::{Available, PriceRecord, Tenant, TenantRecord},
};
use serde::Deserialize;
use std::{collections::BTreeMap, rc::Rc};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Maps {
    #[serde(default)]
    by_host: BTreeMap<String, TenantRecord>,
    #[serde(default)]
    by_slug: BTreeMap<String, TenantRecord>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registry {
    tenants: Vec<Listed>,
}

/// Spelt out and not flattened: `flatten` would lose `deny_unknown_fields` and the place of an error.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Listed {
    id: String,
    #[serde(default)]
    script: Option<String>,
    plan: Plan,
    #[serde(default)]
    price: Option<PriceRecord>,
    #[serde(default)]
    facilitators: Option<Vec<String>>,
    #[serde(default)]
    hosts: Vec<String>,
    #[serde(default)]
    slug: Option<String>,
}

pub(super) fn parse(json: &str, available: &Available) -> Result<Directory, DirectoryError> {
    let at = |error: serde_json::Error| DirectoryError::Json {
        line: error.line(),
        column: error.column(),
        what: error.to_string(),
    };
    let value: serde_json::Value = serde_json::from_str(json).map_err(at)?;
    let has = |key| value.get(key).is_some();
    let mut directory = Directory::default();
    if has("tenants") {
        let registry: Registry = serde_json::from_str(json).map_err(at)?;
        for listed in registry.tenants {
            let Listed { id, script, plan, price, facilitators, hosts, slug } = listed;
            let tenant = Rc::new(TenantRecord { id, script, plan, price, facilitators }.check(available)?);
            for host in hosts {
                add_host(&mut directory, host, tenant.clone())?;
            }
            if let Some(slug) = slug {
                add_slug(&mut directory, slug, tenant)?;
            }
        }
    } else if has("byHost") || has("bySlug") {
        let maps: Maps = serde_json::from_str(json).map_err(at)?;
        for (host, record) in maps.by_host {
            add_host(&mut directory, host, Rc::new(record.check(available)?))?;
        }
        for (slug, record) in maps.by_slug {
            add_slug(&mut directory, slug, Rc::new(record.check(available)?))?;
        }
    } else {
        return Err(DirectoryError::Shape);
    }
    Ok(directory)
}

fn add_host(directory: &mut Directory, host: String, tenant: Rc<Tenant>) -> Result<(), DirectoryError> {
    add(directory, "host", DispatchKey::host(&host), host, tenant)
}

fn add_slug(directory: &mut Directory, slug: String, tenant: Rc<Tenant>) -> Result<(), DirectoryError> {
    add(directory, "slug", DispatchKey::slug(&slug), slug, tenant)
}

fn add(
    directory: &mut Directory,
    kind: &'static str,
    key: Option<DispatchKey>,
    name: String,
    tenant: Rc<Tenant>,
) -> Result<(), DirectoryError> {
    let Some(key) = key else {
        return Err(DirectoryError::Key { kind, name, why: "is not one that a request can have" });
    };
    match directory.by_key.insert(key, tenant) {
        None => Ok(()),
        Some(_) => Err(DirectoryError::Key { kind, name, why: "is listed twice" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use x402_protocol::Network;

    fn directory(json: &str) -> Result<Directory, DirectoryError> {
        let facilitators = ["cdp".to_owned(), "x402-rs".to_owned()].into();
        Directory::from_json(json, &Available { network: Network::BaseSepolia, facilitators })
    }

    fn by_slug(directory: &Directory, slug: &str) -> Option<Rc<Tenant>> {
        directory.find(&DispatchKey::slug(slug).unwrap())
    }

    #[test]
    fn both_shapes_say_the_same() {
        let maps =
            r#"{"byHost":{"acme.example":{"id":"acme","plan":"pro"}},"bySlug":{"acme":{"id":"acme","plan":"pro"}}}"#;
        let registry = r#"{"tenants":[{"id":"acme","plan":"pro","hosts":["acme.example"],"slug":"acme"}]}"#;
        for json in [maps, registry] {
            let directory = directory(json).unwrap();
            let host = DispatchKey::host("acme.example").unwrap();
            assert_eq!(directory.find(&host).unwrap().id, "acme");
            assert_eq!(by_slug(&directory, "acme").unwrap().plan, Plan::Pro);
            assert!(by_slug(&directory, "globex").is_none());
        }
    }

    #[test]
    fn a_tenant_without_a_list_of_its_own_has_every_facilitator() {
        let list = |own: &str| {
            let json = format!(r#"{{"tenants":[{{"id":"a","plan":"pro","slug":"a"{own}}}]}}"#);
            directory(&json).map(|directory| by_slug(&directory, "a").unwrap().facilitators.to_vec())
        };
        assert_eq!(list("").unwrap(), ["cdp", "x402-rs"]);
        assert_eq!(list(r#","facilitators":["x402-rs","cdp"]"#).unwrap(), ["x402-rs", "cdp"]);
        for (wrong, why) in [(r#"["cpd"]"#, "cpd"), ("[]", "empty"), (r#"["cdp","cdp"]"#, "twice")] {
            let error = list(&format!(r#","facilitators":{wrong}"#)).unwrap_err().to_string();
            assert!(error.contains("tenant \"a\": facilitators") && error.contains(why), "{error}");
        }
    }

    #[test]
    fn refuses_what_is_ambiguous_or_can_never_match() {
        let error = |json| directory(json).unwrap_err().to_string();
        assert!(
            error(r#"{"tenants":[{"id":"a","plan":"pro","slug":"a"},{"id":"b","plan":"pro","slug":"a"}]}"#)
                .contains("twice")
        );
        assert!(error(r#"{"tenants":[{"id":"a","plan":"pro","hosts":["Acme.example"]}]}"#).contains("Acme.example"));
        assert!(error(r#"{"tenants":[{"id":"a","plan":"gold"}]}"#).contains("unknown variant `gold`"));
        assert!(error("{}").contains("neither"));
        assert!(error("{").contains("line 1"));
    }
}
