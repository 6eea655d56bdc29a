//! Tenants, wherever they are kept: in files of this folder, or at a control plane. Every command goes through this.
//!
//! Surprising constraint: a change is made from what was read. A file is locked meanwhile; a control plane is told the version, and
//! refuses where it has another by now.

use crate::{
    control::{Control, If},
    failure::Failure,
    home::{Home, Lock},
    registry::{Change, Registry},
};
use dispatcher_core::{
    dispatch_key::DispatchKey,
    tenant::{Available, is_id},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs};

/// The key, beside a record, of the plan that a tenant in quarantine had before.
pub const FORMER_PLAN: &str = "formerPlan";

/// All tenants that can be seen, as they are now.
#[derive(Clone, Debug, Default)]
pub struct Tenants {
    pub registry: Registry,
    /// Versions at a control plane, by tenant.
    versions: BTreeMap<String, u64>,
    abouts: BTreeMap<String, Value>,
}

pub enum Store<'a> {
    Files(&'a Home),
    Control(Control),
}

/// A change that has begun.
pub struct Edit<'a> {
    store: &'a Store<'a>,
    lock: Option<Lock>,
    pub tenants: Tenants,
}

impl Tenants {
    /// Facts about a tenant beside its record: owner, source, rows.
    #[must_use]
    pub fn about(&self, id: &str) -> Value {
        self.abouts.get(id).cloned().unwrap_or_default()
    }
}

impl<'a> Store<'a> {
    pub fn open(home: &'a Home) -> Result<Self, Failure> {
        Ok(match Control::of(home)? {
            None => Self::Files(home),
            Some(control) => Self::Control(control),
        })
    }

    pub fn load(&self) -> Result<Tenants, Failure> {
        match self {
            Self::Files(home) => {
                let registry = Registry::load(home)?;
                let ids: Vec<String> = registry.ids().map(str::to_owned).collect();
                let about = |id: String| {
                    let text = home.read(&about_file(&id))?;
                    Ok((id, text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()))
                };
                let abouts: Result<_, Failure> = ids.into_iter().map(about).collect();
                Ok(Tenants { registry, versions: BTreeMap::new(), abouts: abouts? })
            }
            Self::Control(control) => {
                let me = control.get("/v1/me")?;
                let path = if me["role"] == "platform" { "/v1/directory" } else { "/v1/tenants" };
                let (rows, last) = control.pages(path, "tenants")?;
                let mut tenants = Tenants::default();
                tenants.registry.version = last["revision"].as_u64().unwrap_or_default();
                for row in rows {
                    let id = id_of(&row).ok_or_else(|| {
                        let what = format!("{}: it sends a record that is no tenant's", control.url);
                        Failure::invalid(what).help("is this the control plane, and of this version?")
                    })?;
                    tenants.versions.insert(id.clone(), row["version"].as_u64().unwrap_or_default());
                    tenants.abouts.insert(id, row["about"].clone());
                    tenants.registry.put(row["record"].clone());
                }
                Ok(tenants)
            }
        }
    }

    pub fn begin(&'a self) -> Result<Edit<'a>, Failure> {
        let lock = match self {
            Self::Files(home) => Some(home.lock()?),
            Self::Control(..) => None,
        };
        Ok(Edit { store: self, lock, tenants: self.load()? })
    }

    /// The log of changes, a line each.
    pub fn audit(&self) -> Result<Vec<Value>, Failure> {
        match self {
            Self::Files(home) => {
                let text = home.read(crate::registry::AUDIT)?.unwrap_or_default();
                Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
            }
            Self::Control(control) => {
                let (lines, _) = control.pages("/v1/audit", "lines")?;
                Ok(lines.into_iter().map(as_line).collect())
            }
        }
    }
}

/// The id of a tenant as a control plane sends it. Its id and hosts stand in paths and in commands to paste, so nobody's word is
/// taken for them.
fn id_of(row: &Value) -> Option<String> {
    let id = row["id"].as_str().filter(|id| is_id(id) && row["record"]["id"] == *id)?;
    let is_host = |host: &Value| host.as_str().is_some_and(|host| DispatchKey::host(host).is_some());
    let are_hosts = row["record"]["hosts"].as_array().is_none_or(|hosts| hosts.iter().all(is_host));
    let slug = &row["record"]["slug"];
    let is_slug = slug.is_null() || slug.as_str().is_some_and(|slug| DispatchKey::slug(slug).is_some());
    (are_hosts && is_slug).then(|| id.to_owned())
}

/// A line of a control plane's log, as a file's log has it.
fn as_line(row: Value) -> Value {
    let json = |value: &Value| value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    json!({
        "at": crate::clock::rfc3339(row["at_ms"].as_f64().unwrap_or_default() as u64),
        "version": row["id"],
        "author": row["author"],
        "what": row["what"],
        "tenant": row["subject"],
        "reason": row["reason"],
        "before": json(&row["before"]),
        "after": json(&row["after"]),
    })
}

fn about_file(id: &str) -> String {
    format!("deployments/{id}.json")
}

impl Edit<'_> {
    /// Puts a record, and what is known about it, in the place of what was read.
    pub fn put(
        mut self,
        record: Value,
        about: &Value,
        available: &Available,
        change: &Change<'_>,
    ) -> Result<Tenants, Failure> {
        let id = record["id"].as_str().unwrap_or_default().to_owned();
        self.tenants.registry.put(record.clone());
        match self.store {
            Store::Files(home) => {
                self.tenants.registry.check(available)?;
                home.write(&about_file(&id), about.to_string().as_bytes())?;
                self.save(home, available, change)?;
            }
            Store::Control(control) => {
                self.tenants.registry.check(available)?;
                let body = json!({"record": record, "about": about, "what": change.what, "reason": change.reason});
                let path = format!("/v1/tenants/{id}");
                let when = self.tenants.versions.get(&id).map_or(If::New, |version| If::Version(*version));
                let put = control.change(Method::PUT, &path, when, Some(&body))?;
                self.tenants.versions.insert(id.clone(), put["version"].as_u64().unwrap_or_default());
            }
        }
        self.tenants.abouts.insert(id, about.clone());
        Ok(self.tenants)
    }

    pub fn remove(mut self, id: &str, available: &Available, change: &Change<'_>) -> Result<Tenants, Failure> {
        self.tenants.registry.expect(id)?;
        self.tenants.registry.tenants.retain(|record| record["id"] != id);
        match self.store {
            Store::Files(home) => {
                self.save(home, available, change)?;
                let path = home.path(&about_file(id));
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(Failure::file("taking away", &path, &error));
                    }
                    _ => {}
                }
            }
            Store::Control(control) => {
                let version = self.tenants.versions.remove(id).unwrap_or_default();
                control.change(Method::DELETE, &format!("/v1/tenants/{id}"), If::Version(version), None)?;
            }
        }
        Ok(self.tenants)
    }

    fn save(&mut self, home: &Home, available: &Available, change: &Change<'_>) -> Result<(), Failure> {
        let lock = self.lock.as_ref().expect("files are locked before they are changed");
        self.tenants.registry.save(home, lock, available, change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_planes_word_is_no_path_and_no_command() {
        let good = json!({"id": "rain", "record": {"id": "rain", "slug": "rain", "hosts": ["rain.example"]}});
        assert_eq!(id_of(&good).as_deref(), Some("rain"));
        for (place, wrong) in [
            ("/id", json!("../../rain")),
            ("/id", json!("/etc")),
            ("/id", json!("")),
            ("/record/id", json!("snow")),
            ("/record/hosts/0", json!("x'; rm -rf ~; '")),
            ("/record/hosts", json!(["rain.example", 7])),
            ("/record/slug", json!("$(id)")),
        ] {
            let mut row = good.clone();
            *row.pointer_mut(place).unwrap() = wrong.clone();
            assert_eq!(id_of(&row), None, "{place} {wrong}");
        }
    }
}
