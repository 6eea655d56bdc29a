//! A Worker's `wrangler.jsonc`, as far as this program deploys it, and the bindings that it comes to.
//!
//! Surprising constraint: a key that is not known here is refused and not passed over. What is left out of a deploy by mistake is
//! missed at the first request and no sooner.

use crate::failure::Failure;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fs, path::Path};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerConfig {
    pub name: String,
    pub main: String,
    pub compatibility_date: String,
    #[serde(default)]
    pub compatibility_flags: Vec<String>,
    /// Reserved for wrangler: the bundle that is deployed here is built already.
    #[serde(default, rename = "build")]
    _build: Value,
    #[serde(default, rename = "$schema")]
    _schema: Value,
    /// No address of its own is ever made here, so all that may be said is that there is none.
    #[serde(default, rename = "workers_dev", deserialize_with = "none")]
    _workers_dev: (),
    #[serde(default)]
    pub dispatch_namespaces: Vec<DispatchNamespace>,
    #[serde(default)]
    pub kv_namespaces: Vec<Kv>,
    #[serde(default)]
    pub d1_databases: Vec<D1>,
    #[serde(default)]
    pub r2_buckets: Vec<Bucket>,
    #[serde(default)]
    pub queues: Queues,
    #[serde(default)]
    pub ratelimits: Vec<Value>,
    #[serde(default)]
    pub durable_objects: DurableObjects,
    #[serde(default)]
    pub migrations: Vec<Migration>,
    #[serde(default)]
    pub analytics_engine_datasets: Vec<Dataset>,
    #[serde(default)]
    pub services: Vec<Service>,
    #[serde(default)]
    pub version_metadata: Option<Named>,
    #[serde(default)]
    pub vars: BTreeMap<String, Value>,
    #[serde(default)]
    pub triggers: Triggers,
    #[serde(default)]
    pub tail_consumers: Vec<Value>,
    #[serde(default)]
    pub limits: Option<Value>,
    #[serde(default)]
    pub observability: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DispatchNamespace {
    pub binding: String,
    pub namespace: String,
    #[serde(default)]
    pub outbound: Option<Outbound>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbound {
    pub service: String,
    #[serde(default)]
    pub parameters: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kv {
    pub binding: String,
    #[serde(default)]
    pub id: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct D1 {
    pub binding: String,
    #[serde(default)]
    pub database_name: Option<String>,
    #[serde(default)]
    pub database_id: Option<String>,
    /// Folder of the database's own migrations, which wrangler applies.
    #[serde(default)]
    pub migrations_dir: Option<String>,
    #[serde(default, rename = "migrations_table")]
    _migrations_table: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    pub binding: String,
    pub bucket_name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queues {
    #[serde(default)]
    pub producers: Vec<Producer>,
    #[serde(default)]
    pub consumers: Vec<Consumer>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Producer {
    pub binding: String,
    pub queue: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consumer {
    pub queue: String,
    #[serde(default)]
    pub dead_letter_queue: Option<String>,
    #[serde(default)]
    pub max_batch_size: Option<u32>,
    /// Seconds.
    #[serde(default)]
    pub max_batch_timeout: Option<u32>,
    #[serde(default)]
    pub max_retries: Option<u32>,
    #[serde(default)]
    pub max_concurrency: Option<u32>,
    #[serde(default)]
    pub retry_delay: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DurableObjects {
    #[serde(default)]
    pub bindings: Vec<DurableObject>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DurableObject {
    pub name: String,
    pub class_name: String,
}

/// One step of what happens to the classes of Durable Objects.
#[derive(Clone, Debug, Deserialize)]
pub struct Migration {
    pub tag: String,
    /// `new_sqlite_classes`, `deleted_classes` and the like, as Cloudflare has them.
    #[serde(flatten)]
    pub step: Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    pub binding: String,
    #[serde(default)]
    pub dataset: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    pub binding: String,
    pub service: String,
    #[serde(default)]
    pub entrypoint: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    pub binding: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    #[serde(default)]
    pub crons: Vec<String>,
}

fn none<'de, D: serde::Deserializer<'de>>(from: D) -> Result<(), D::Error> {
    match bool::deserialize(from)? {
        false => Ok(()),
        true => Err(serde::de::Error::custom("workers_dev: true is set at Cloudflare, and not here")),
    }
}

/// The id of a database that is to be made.
const TO_BE_SET: &str = "to-be-set";

impl D1 {
    fn id(&self) -> Option<&String> {
        self.database_id.as_ref().filter(|id| *id != TO_BE_SET)
    }
}

/// Something at Cloudflare that a binding leads to, by the name that people gave it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    Namespace(String),
    Kv(String),
    Database(String),
    Queue(String),
}

impl WorkerConfig {
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|error| Failure::file("reading", path, &error))?;
        Self::parse(&text).map_err(|why| {
            Failure::invalid(format!("{}: {why}", path.display()))
                .help("a key that is not known here is deployed by `npx wrangler deploy`; see docs/deploy.md")
        })
    }

    pub fn parse(text: &str) -> Result<Self, String> {
        let value: Value =
            jsonc_parser::parse_to_serde_value(text, &Default::default()).map_err(|error| error.to_string())?;
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    /// Everything that must be there before the Worker is.
    #[must_use]
    pub fn resources(&self) -> Vec<Resource> {
        let namespaces = self.dispatch_namespaces.iter().map(|one| Resource::Namespace(one.namespace.clone()));
        let kv = self.kv_namespaces.iter().filter(|one| one.id.is_none());
        let databases = self.d1_databases.iter().filter(|one| one.id().is_none());
        let queues = self.queues.producers.iter().map(|one| &one.queue);
        let consumed = self.queues.consumers.iter().flat_map(|one| [Some(&one.queue), one.dead_letter_queue.as_ref()]);
        let mut all: Vec<Resource> = namespaces
            .chain(kv.map(|one| Resource::Kv(self.made(&one.binding))))
            .chain(databases.map(|one| Resource::Database(self.database(one))))
            .chain(queues.chain(consumed.flatten()).cloned().map(Resource::Queue))
            .collect();
        all.sort();
        all.dedup();
        all
    }

    /// The name of a resource that has none, as wrangler gives it.
    fn made(&self, binding: &str) -> String {
        format!("{}-{}", self.name, binding.to_lowercase().replace('_', "-"))
    }

    fn database(&self, one: &D1) -> String {
        one.database_name.clone().unwrap_or_else(|| self.made(&one.binding))
    }

    /// The bindings as the API has them. `ids` has the ids of resources; one that is not there yet is told by its name.
    #[must_use]
    pub fn bindings(&self, ids: &BTreeMap<Resource, String>) -> Vec<Value> {
        let id = |resource: Resource| {
            let (Resource::Namespace(name) | Resource::Kv(name) | Resource::Database(name) | Resource::Queue(name)) =
                &resource;
            ids.get(&resource).cloned().unwrap_or_else(|| format!("(of {name})"))
        };
        let mut all: Vec<Value> = Vec::new();
        for (name, value) in &self.vars {
            all.push(match value {
                Value::String(text) => json!({"type": "plain_text", "name": name, "text": text}),
                other => json!({"type": "json", "name": name, "json": other}),
            });
        }
        for one in &self.kv_namespaces {
            let id = one.id.clone().unwrap_or_else(|| id(Resource::Kv(self.made(&one.binding))));
            all.push(json!({"type": "kv_namespace", "name": one.binding, "namespace_id": id}));
        }
        for one in &self.durable_objects.bindings {
            all.push(json!({"type": "durable_object_namespace", "name": one.name, "class_name": one.class_name}));
        }
        for one in &self.queues.producers {
            all.push(json!({"type": "queue", "name": one.binding, "queue_name": one.queue}));
        }
        for one in &self.r2_buckets {
            all.push(json!({"type": "r2_bucket", "name": one.binding, "bucket_name": one.bucket_name}));
        }
        for one in &self.d1_databases {
            let id = one.id().cloned().unwrap_or_else(|| id(Resource::Database(self.database(one))));
            all.push(json!({"type": "d1", "name": one.binding, "id": id}));
        }
        for one in &self.ratelimits {
            let mut binding = one.clone();
            binding["type"] = json!("ratelimit");
            all.push(binding);
        }
        for one in &self.services {
            let mut binding = json!({"type": "service", "name": one.binding, "service": one.service});
            if let Some(entrypoint) = &one.entrypoint {
                binding["entrypoint"] = json!(entrypoint);
            }
            all.push(binding);
        }
        for one in &self.analytics_engine_datasets {
            let dataset = one.dataset.as_ref().unwrap_or(&one.binding);
            all.push(json!({"type": "analytics_engine", "name": one.binding, "dataset": dataset}));
        }
        for one in &self.dispatch_namespaces {
            let mut binding = json!({"type": "dispatch_namespace", "name": one.binding, "namespace": one.namespace});
            if let Some(outbound) = &one.outbound {
                let params: Vec<Value> = outbound.parameters.iter().map(|name| json!({"name": name})).collect();
                binding["outbound"] = json!({"worker": {"service": outbound.service}, "params": params});
            }
            all.push(binding);
        }
        if let Some(one) = &self.version_metadata {
            all.push(json!({"type": "version_metadata", "name": one.binding}));
        }
        all
    }

    /// The steps after the one with this tag, in the API's form; `None` where there are none. Fails at a tag that is not known.
    pub fn migrations_after(&self, applied: Option<&str>) -> Result<Option<Value>, String> {
        let Some(last) = self.migrations.last() else { return Ok(None) };
        let from = match applied {
            None => 0,
            Some(tag) => {
                let at = self.migrations.iter().position(|one| one.tag == tag);
                at.ok_or_else(|| format!("the migration {tag:?} was applied, and this configuration does not know it"))?
                    + 1
            }
        };
        let steps: Vec<Value> = self.migrations[from..].iter().map(|one| json!(one.step)).collect();
        if steps.is_empty() {
            return Ok(None);
        }
        let mut told = json!({"new_tag": last.tag, "steps": steps});
        if let Some(tag) = applied {
            told["old_tag"] = json!(tag);
        }
        Ok(Some(told))
    }

    /// The Worker between tenants and the internet.
    #[must_use]
    pub fn outbound(&self) -> Option<&str> {
        self.dispatch_namespaces.iter().find_map(|one| Some(one.outbound.as_ref()?.service.as_str()))
    }

    /// Every other Worker that must be there before this one is.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let services = self.services.iter().map(|one| one.service.as_str());
        let tails = self.tail_consumers.iter().filter_map(|one| one["service"].as_str());
        let mut all: Vec<&str> = self.outbound().into_iter().chain(services).chain(tails).collect();
        all.retain(|name| *name != self.name);
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configurations_that_ship_are_read() {
        let dispatcher = WorkerConfig::parse(include_str!("../../../worker/wrangler.jsonc")).unwrap();
        let outbound = WorkerConfig::parse(include_str!("../../../outbound/wrangler.jsonc")).unwrap();
        assert_eq!(dispatcher.outbound(), Some(outbound.name.as_str()));
        assert!(dispatcher.resources().contains(&Resource::Namespace("tenants".to_owned())));
        assert!(dispatcher.resources().contains(&Resource::Kv("402claw-dispatcher-directory".to_owned())));
    }

    #[test]
    fn a_key_that_is_not_known_is_refused() {
        let known = r#"{"name": "a", "main": "m.js", "compatibility_date": "2026-10-01" /* so far */}"#;
        assert!(WorkerConfig::parse(known).is_ok());
        let routes = known.replace("\"name\"", "\"routes\": [], \"name\"");
        assert!(WorkerConfig::parse(&routes).unwrap_err().contains("routes"));
    }

    #[test]
    fn only_migrations_that_are_new_are_applied() {
        let text = r#"{"name": "a", "main": "m", "compatibility_date": "d", "migrations": [
            {"tag": "v1", "new_sqlite_classes": ["A"]}, {"tag": "v2", "new_sqlite_classes": ["B"]}]}"#;
        let config = WorkerConfig::parse(text).unwrap();
        let all = config.migrations_after(None).unwrap().unwrap();
        assert_eq!((&all["new_tag"], all["steps"].as_array().unwrap().len()), (&json!("v2"), 2));
        assert_eq!(
            config.migrations_after(Some("v1")).unwrap(),
            Some(json!({"old_tag": "v1", "new_tag": "v2", "steps": [{"new_sqlite_classes": ["B"]}]}))
        );
        assert_eq!(config.migrations_after(Some("v2")).unwrap(), None);
        assert!(config.migrations_after(Some("v9")).is_err());
    }
}
