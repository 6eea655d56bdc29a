//! A Worker of the platform's own, ready to be uploaded: its configuration, its modules, and the secrets that go along.

use super::{
    config::{Resource, WorkerConfig},
    module::{Module, Sum, multipart},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Stands for a secret's value wherever it is shown.
const HIDDEN: &str = "(not shown)";

#[derive(Clone, Debug)]
pub struct Worker {
    pub config: WorkerConfig,
    pub modules: Vec<Module>,
    /// Names and values. Those that are not here stay as they are at Cloudflare.
    pub secrets: BTreeMap<String, String>,
}

impl Worker {
    /// Names what would be uploaded: equal only if all of it is. Secrets are not in it, and neither are ids that Cloudflare gives.
    #[must_use]
    pub fn digest(&self) -> String {
        let without = Self { secrets: BTreeMap::new(), ..self.clone() };
        let mut sum = Sum::default();
        sum.add(without.metadata(&BTreeMap::new(), None, false).to_string().as_bytes());
        sum.add_modules(&self.modules);
        sum.text()
    }

    /// The tag by which a version is known again.
    #[must_use]
    pub fn tag(&self) -> String {
        format!("digest-{}", self.digest())
    }

    /// An upload's metadata. Secrets that are at Cloudflare already are kept.
    #[must_use]
    pub fn metadata(&self, ids: &BTreeMap<Resource, String>, migrations: Option<&Value>, with_secrets: bool) -> Value {
        let config = &self.config;
        let secret = |(name, value): (&String, &String)| json!({"type": "secret_text", "name": name, "text": if with_secrets { value } else { HIDDEN }});
        let bindings: Vec<Value> = config.bindings(ids).into_iter().chain(self.secrets.iter().map(secret)).collect();
        let main = self.modules.first().map_or("index.js", |module| module.name.as_str());
        let mut metadata = json!({
            "main_module": main,
            "compatibility_date": config.compatibility_date,
            "compatibility_flags": config.compatibility_flags,
            "bindings": bindings,
            "keep_bindings": ["secret_text", "secret_key"],
        });
        if let Some(limits) = &config.limits {
            metadata["limits"] = limits.clone();
        }
        if !config.tail_consumers.is_empty() {
            metadata["tail_consumers"] = json!(config.tail_consumers);
        }
        if let Some(migrations) = migrations {
            metadata["migrations"] = migrations.clone();
        }
        metadata
    }

    /// The body of an upload, tagged so that it is known again.
    #[must_use]
    pub fn multipart(
        &self,
        ids: &BTreeMap<Resource, String>,
        migrations: Option<&Value>,
        message: &str,
    ) -> (String, Vec<u8>) {
        let mut metadata = self.metadata(ids, migrations, true);
        metadata["annotations"] = json!({"workers/tag": self.tag(), "workers/message": message});
        multipart(&metadata.to_string(), &self.modules)
    }

    /// Settings that belong to no version, as they are to be.
    #[must_use]
    pub fn settings(&self) -> Value {
        let off = json!({"enabled": false});
        json!({
            "observability": self.config.observability.clone().unwrap_or(off),
            "tail_consumers": self.config.tail_consumers,
        })
    }

    /// Secrets that the Worker cannot do without: the platform's token, and those that its facilitators name.
    #[must_use]
    pub fn needed_secrets(&self) -> BTreeSet<String> {
        let mut needed = BTreeSet::new();
        let Some(text) = self.config.vars.get("FACILITATORS").and_then(Value::as_str) else { return needed };
        needed.insert("PLATFORM_TOKEN".to_owned());
        let facilitators: Value = serde_json::from_str(text).unwrap_or_default();
        let headers = facilitators.as_array().into_iter().flatten().filter_map(|one| one["headers"].as_array());
        for header in headers.flatten() {
            let name = header["secret"].as_str().or(header["jwt"]["secret"].as_str());
            needed.extend(name.map(str::to_owned));
        }
        needed
    }
}

#[cfg(test)]
pub mod fixture {
    use super::*;

    pub fn worker(config: &str) -> Worker {
        let module = |name: &str, content: &[u8]| Module { name: name.to_owned(), content: content.to_vec() };
        Worker {
            config: WorkerConfig::parse(config).unwrap(),
            modules: vec![module("index.js", b"export default {}"), module("index_bg.wasm", b"\0asm")],
            secrets: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{fixture::worker, *};

    const CONFIG: &str = r#"{"name": "d", "main": "build/index.js", "compatibility_date": "2026-10-01",
        "kv_namespaces": [{"binding": "DIRECTORY"}], "vars": {"FACILITATORS":
        "[{\"id\": \"a\", \"url\": \"https://a\", \"headers\": [{\"name\": \"x\", \"secret\": \"A_KEY\"}, {\"name\": \"y\", \"jwt\": {\"secret\": \"B_KEY\"}}]}]"}}"#;

    #[test]
    fn a_digest_changes_with_what_is_uploaded_and_with_no_id() {
        let one = worker(CONFIG);
        let ids = BTreeMap::from([(Resource::Kv("d-directory".to_owned()), "id-1".to_owned())]);
        assert_eq!(one.metadata(&ids, None, true)["bindings"][1]["namespace_id"], "id-1");
        let mut other = one.clone();
        other.modules[1].content.push(1);
        assert_ne!(one.digest(), other.digest());
        let later = worker(&CONFIG.replace("2026-10-01", "2026-10-02"));
        assert_ne!(one.digest(), later.digest());
    }

    #[test]
    fn secrets_are_in_the_upload_and_in_nothing_that_is_printed() {
        let mut worker = worker(CONFIG);
        let without = worker.digest();
        worker.secrets.insert("A_KEY".to_owned(), "hidden".to_owned());
        assert!(!worker.metadata(&BTreeMap::new(), None, false).to_string().contains("hidden"));
        let (_, body) = worker.multipart(&BTreeMap::new(), None, "a test");
        assert!(String::from_utf8_lossy(&body).contains("hidden"));
        assert_eq!(worker.digest(), without);
    }

    #[test]
    fn the_secrets_that_facilitators_name_are_needed() {
        let needed = worker(CONFIG).needed_secrets();
        assert_eq!(needed.into_iter().collect::<Vec<_>>(), ["A_KEY", "B_KEY", "PLATFORM_TOKEN"]);
    }
}
