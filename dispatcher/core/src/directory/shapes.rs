//! The two shapes in which a directory comes: maps keyed by host and slug, and a registry that lists tenants with theirs.

use super::{Directory, DirectoryError};
use crate::{
    dispatch_key::DispatchKey,
    tenant::{Available, Tenant, TenantRecord},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, value::RawValue};
use std::rc::Rc;
use x402_protocol::json;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Records stay text at first, so that each can be wrong alone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Shapes {
    #[serde(default)]
    by_host: Option<Map<String, Value>>,
    #[serde(default)]
    by_slug: Option<Map<String, Value>>,
    #[serde(default)]
    tenants: Option<Vec<Box<RawValue>>>,
}

/// The part of a record that can be read where the rest is wrong.
#[derive(Deserialize)]
struct Named {
    id: String,
}

pub(super) fn parse(json: &str, available: &Available) -> Result<Directory, DirectoryError> {
    let shapes: Shapes = read(json)?;
    let mut directory = Directory::default();
    match shapes {
        Shapes { tenants: Some(tenants), by_host: None, by_slug: None } => {
            for (index, record) in tenants.iter().enumerate() {
                directory.list(record.get(), || format!("tenants[{index}]"), available, |_| true);
            }
        }
        Shapes { tenants: None, by_host, by_slug } if by_host.is_some() || by_slug.is_some() => {
            for (host, record) in by_host.unwrap_or_default() {
                directory.map("host", DispatchKey::host(&host), &host, &record, available);
            }
            for (slug, record) in by_slug.unwrap_or_default() {
                directory.map("slug", DispatchKey::slug(&slug), &slug, &record, available);
            }
        }
        _ => return Err(DirectoryError::Shape),
    }
    Ok(directory)
}

/// Reads what a person wrote: a byte order mark before it is none of the text, and an error says where it is.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, DirectoryError> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    if text.trim().is_empty() {
        return Err(DirectoryError::Empty);
    }
    json::read(text).map_err(|error| {
        let place = format!(" at line {} column {}", error.line(), error.column());
        let what = error.to_string();
        // The place is told once, and before what is wrong there.
        let what = what.strip_suffix(&place).unwrap_or(&what).to_owned();
        // What is wrong as a whole is at no column for the parser.
        let (line, column) = (error.line().max(1), error.column().max(1));
        DirectoryError::Json { line, column, what }
    })
}

/// The id of a record, whatever else is wrong with it.
pub(super) fn id_of(record: &str) -> Option<String> {
    json::read(record).ok().map(|Named { id }| id)
}

impl Directory {
    /// Adds a tenant under those of its own names that `holds` takes.
    pub(super) fn list(
        &mut self,
        record: &str,
        place: impl Fn() -> String,
        available: &Available,
        holds: impl Fn(&DispatchKey) -> bool,
    ) {
        let Some((tenant, hosts, slug)) = self.read(record, place, available) else { return };
        let hosts = hosts.into_iter().map(|host| ("host", DispatchKey::host(&host), host));
        let slug = slug.into_iter().map(|slug| ("slug", DispatchKey::slug(&slug), slug));
        for (n, (kind, key, name)) in hosts.chain(slug).enumerate() {
            if key.as_ref().is_none_or(&holds) {
                self.firsts.extend(key.clone().filter(|_| n == 0));
                self.add(kind, key, &name, &tenant);
            }
        }
    }

    /// Adds a tenant under the name at which it stands.
    fn map(&mut self, kind: &'static str, key: Option<DispatchKey>, name: &str, record: &Value, available: &Available) {
        let place = || format!("{kind} {name:?}");
        match self.read(&record.to_string(), place, available) {
            Some((tenant, hosts, None)) if hosts.is_empty() => {
                // It may stand in both maps: a host comes before a slug.
                if !self.has_id(&tenant.id) {
                    self.firsts.extend(key.clone());
                }
                self.add(kind, key, name, &tenant);
            }
            Some(_) => {
                let what = "`hosts` and `slug` belong to `tenants`: here the key is the name".to_owned();
                self.left_out.push(DirectoryError::Record { place: place(), what });
            }
            None => {}
        }
    }

    fn read(
        &mut self,
        record: &str,
        place: impl Fn() -> String,
        available: &Available,
    ) -> Option<(Rc<Tenant>, Vec<String>, Option<String>)> {
        let mut record: TenantRecord = json::read(record)
            .map_err(|error| {
                // Whoever reads the log knows tenants and not places.
                let of = id_of(record).map_or_else(String::new, |id| format!(" ({id:?})"));
                self.left_out.push(DirectoryError::Record { place: place() + &of, what: error.to_string() });
            })
            .ok()?;
        let (hosts, slug) = (std::mem::take(&mut record.hosts), record.slug.take());
        let tenant = record.check(available).map_err(|error| self.left_out.push(error.into())).ok()?;
        Some((Rc::new(tenant), hosts, slug))
    }

    /// A name that two tenants claim is neither's: one of the entries is wrong, and nobody can say which.
    fn add(&mut self, kind: &'static str, key: Option<DispatchKey>, name: &str, tenant: &Rc<Tenant>) {
        let why = match key {
            None => "is not one that a request can have",
            Some(key) => match self.by_key.binary_search_by(|(other, _)| other.cmp(&key)) {
                Err(at) => {
                    self.by_key.insert(at, (key, Some(Rc::clone(tenant))));
                    return;
                }
                Ok(taken) => {
                    self.by_key[taken].1 = None;
                    "is listed twice, so it is nobody's"
                }
            },
        };
        let (tenant, name) = (tenant.id.clone(), name.to_owned());
        self.left_out.push(DirectoryError::Key { tenant, kind, name, why });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
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
            let directory = directory(&json).unwrap();
            let left_out = directory.left_out().iter().map(ToString::to_string).collect::<String>();
            by_slug(&directory, "a").map(|tenant| tenant.facilitators.to_vec()).ok_or(left_out)
        };
        assert_eq!(list("").unwrap(), ["cdp", "x402-rs"]);
        assert_eq!(list(r#","facilitators":["x402-rs","cdp"]"#).unwrap(), ["x402-rs", "cdp"]);
        for (wrong, why) in [(r#"["cpd"]"#, "cpd"), ("[]", "empty"), (r#"["cdp","cdp"]"#, "twice")] {
            let error = list(&format!(r#","facilitators":{wrong}"#)).unwrap_err();
            assert!(error.contains("tenant \"a\": facilitators") && error.contains(why), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_as_a_whole() {
        let error = |json| directory(json).unwrap_err().to_string();
        assert!(error("{}").contains("neither") && error(r#"{"tenants":[],"byHost":{}}"#).contains("neither"));
        assert!(error("{").contains("line 1") && error(r#"{"tenant":[]}"#).contains("unknown field `tenant`"));
        assert!(error(r#"{"tenants":[{"id":"a""#).contains("line 1"));
    }

    #[test]
    fn what_is_wrong_with_a_text_is_told_with_its_place() {
        let mark = '\u{feff}';
        assert!(directory(&format!("{mark}{{\"tenants\":[]}}")).is_ok());
        let error = |json: &str| directory(json).unwrap_err().to_string();
        for empty in ["", " \n", &mark.to_string()] {
            assert!(error(empty).starts_with("is empty"), "{empty:?}");
        }
        assert_eq!(error("{\n  \"tenants\": [],\n}"), "line 3, column 1: trailing comma");
        assert_eq!(error("{\"tenants\": [] } x"), "line 1, column 18: trailing characters");
        assert!(error("[]").starts_with("line 1, column 1: invalid type"), "{}", error("[]"));
    }

    #[test]
    fn a_wrong_record_is_left_out_alone_and_named() {
        let good = r#"{"id":"good","plan":"pro","slug":"good"}"#;
        for (record, said) in [
            (r#"{"id":"a","plan":"gold","slug":"a"}"#, "tenants[0] (\"a\"): unknown variant `gold`"),
            (r#"{"id":"a","plan":"pro","slugs":"a"}"#, "tenants[0] (\"a\"): unknown field `slugs`"),
            (r#"{"id":"a","plan":"pro","script":"good"}"#, "tenant \"a\": script is \"good\""),
            (r#"{"id":"a","plan":"pro","hosts":["Acme.example"]}"#, "host \"Acme.example\" is not one"),
            ("7", "tenants[0]: invalid type"),
        ] {
            let directory = directory(&format!(r#"{{"tenants":[{record},{good}]}}"#)).unwrap();
            assert_eq!(by_slug(&directory, "good").unwrap().id, "good");
            assert!(by_slug(&directory, "a").is_none());
            let [left_out] = directory.left_out() else { panic!("{:?}", directory.left_out()) };
            assert!(left_out.to_string().contains(said), "{left_out}");
        }
    }

    #[test]
    fn a_name_that_two_claim_is_nobodys() {
        let json = r#"{"tenants":[{"id":"a","plan":"pro","slug":"x","hosts":["a.example"]},{"id":"b","plan":"pro","slug":"x"}]}"#;
        let directory = directory(json).unwrap();
        assert!(by_slug(&directory, "x").is_none());
        assert_eq!(directory.find(&DispatchKey::host("a.example").unwrap()).unwrap().id, "a");
        assert!(directory.left_out()[0].to_string().contains("tenant \"b\": slug \"x\" is listed twice"));
    }
}
