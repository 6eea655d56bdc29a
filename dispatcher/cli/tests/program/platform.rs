//! A double of Cloudflare's API, as far as Workers are deployed with it. It holds each request to what the API's published
//! description asks of method, path, parts and metadata, keeps what it is told, and fails on script.

use crate::multipart::parts;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};
use wiremock::{Request, Respond, ResponseTemplate};

pub const TOKEN: &str = "token-1";
const ACCOUNT: &str = "/accounts/acc1/";

/// An outcome of a request that changes something, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done, and it is said so.
    Refused,
    /// Nothing is done, and the answer is the one of a server that is in trouble.
    Down,
    Slow,
    /// It is done, and the answer gets lost.
    AnswerLost,
}

#[derive(Clone, Default)]
pub struct Platform(Arc<Mutex<State>>);

#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub namespaces: Vec<String>,
    pub kv: BTreeMap<String, String>,
    pub databases: BTreeMap<String, String>,
    pub queues: BTreeMap<String, Queue>,
    pub workers: BTreeMap<String, Hosted>,
    /// Requests that change something, each with what it answered.
    pub changes: Vec<(String, u16)>,
    /// The numbers of such requests, from 0, and what becomes of them.
    pub faults: BTreeMap<usize, Fault>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    pub id: String,
    pub consumers: Vec<Value>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hosted {
    /// The latest last.
    pub versions: Vec<Value>,
    /// The latest first.
    pub deployments: Vec<Value>,
    pub secrets: BTreeMap<String, String>,
    pub settings: Value,
    pub crons: Vec<Value>,
}

type Answer = Result<Value, (u16, u32, String)>;

fn refused(code: u32, what: impl Into<String>) -> Answer {
    Err((400, code, what.into()))
}

fn response(answer: Answer) -> ResponseTemplate {
    match answer {
        Ok(result) => ResponseTemplate::new(200)
            .set_body_json(json!({"success": true, "errors": [], "messages": [], "result": result})),
        Err((status, code, message)) => ResponseTemplate::new(status)
            .set_body_json(json!({"success": false, "errors": [{"code": code, "message": message}], "result": null})),
    }
}

impl Platform {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl Respond for Platform {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.state();
        if request.headers.get("authorization").is_none_or(|told| told != &format!("Bearer {TOKEN}")) {
            return response(Err((403, 10_000, "Authentication error".to_owned())));
        }
        let method = request.method.as_str();
        let Some(path) = request.url.path().strip_prefix(ACCOUNT) else {
            return response(Err((404, 7_003, "could not route".to_owned())));
        };
        if method == "GET" {
            return response(state.read(path, &request.url.query_pairs().into_owned().collect()));
        }
        let n = state.changes.len();
        let line = format!("{method} {path}");
        let fault = state.faults.get(&n).copied();
        let answer = match fault {
            Some(Fault::Refused) => response(refused(10_021, "refused on script")),
            Some(Fault::Down) => ResponseTemplate::new(503),
            Some(Fault::Slow) => response(Err((429, 10_429, "slow down".to_owned()))).insert_header("retry-after", "1"),
            Some(Fault::AnswerLost) => {
                let done = state.change(method, path, request);
                assert!(done.is_ok(), "{line}: {done:?}");
                ResponseTemplate::new(502)
            }
            None => response(state.change(method, path, request)),
        };
        let status = if fault.is_some() { 0 } else { answer_status(&answer) };
        state.changes.push((line, status));
        answer
    }
}

/// A template does not tell its status, but shows it.
fn answer_status(answer: &ResponseTemplate) -> u16 {
    let shown = format!("{answer:?}");
    let digits = shown.split("status_code: ").nth(1).unwrap_or_default();
    digits.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
}

impl State {
    fn read(&self, path: &str, query: &BTreeMap<String, String>) -> Answer {
        let named = |list: Vec<Value>, key: &str| {
            let name = query.get("name");
            Ok(Value::Array(list.into_iter().filter(|one| name.is_none_or(|name| one[key] == name.as_str())).collect()))
        };
        match path.split('/').collect::<Vec<_>>()[..] {
            ["workers", "dispatch", "namespaces", name] => match self.namespaces.iter().any(|known| known == name) {
                true => Ok(json!({"namespace_name": name})),
                false => Err((404, 100_119, "dispatch namespace not found".to_owned())),
            },
            ["storage", "kv", "namespaces"] => {
                assert!(query.contains_key("per_page") && query.contains_key("page"));
                Ok(self.kv.iter().map(|(title, id)| json!({"title": title, "id": id})).collect())
            }
            ["d1", "database"] => {
                named(self.databases.iter().map(|(name, id)| json!({"name": name, "uuid": id})).collect(), "name")
            }
            ["queues"] => {
                let told = |(name, queue): (&String, &Queue)| json!({"queue_name": name, "queue_id": queue.id});
                named(self.queues.iter().map(told).collect(), "queue_name")
            }
            ["queues", id, "consumers"] => {
                let queue = self.queues.values().find(|queue| queue.id == id);
                queue.map(|queue| json!(queue.consumers)).ok_or((404, 11_000, "no queue".to_owned()))
            }
            ["workers", "scripts", name, ref rest @ ..] => {
                let gone = (404, 10_007, "This Worker does not exist on your account.".to_owned());
                let worker = self.workers.get(name).ok_or(gone)?;
                match rest {
                    ["deployments"] => Ok(json!({"deployments": worker.deployments})),
                    ["versions"] => Ok(json!({"items": worker.versions.iter().rev().collect::<Vec<_>>()})),
                    ["versions", id] => {
                        let version = worker.versions.iter().find(|one| one["id"] == *id);
                        version.cloned().ok_or((404, 10_222, "version not found".to_owned()))
                    }
                    ["script-settings"] => Ok(worker.settings.clone()),
                    ["schedules"] => Ok(json!({"schedules": worker.crons})),
                    _ => Err((404, 7_003, format!("no route for GET {path}"))),
                }
            }
            _ => Err((404, 7_003, format!("no route for GET {path}"))),
        }
    }

    fn change(&mut self, method: &str, path: &str, request: &Request) -> Answer {
        let json = || serde_json::from_slice::<Value>(&request.body).map_err(|error| (400, 7_001, error.to_string()));
        let is_json = request.headers.get("content-type").is_some_and(|told| told == "application/json");
        match (method, &path.split('/').collect::<Vec<_>>()[..]) {
            ("POST", ["workers", "dispatch", "namespaces"]) if is_json => {
                let name = text(&json()?, "name")?;
                if self.namespaces.contains(&name) {
                    return refused(100_120, "it is there already");
                }
                self.namespaces.push(name.clone());
                Ok(json!({"namespace_name": name}))
            }
            ("POST", ["storage", "kv", "namespaces"]) if is_json => {
                let title = text(&json()?, "title")?;
                if self.kv.contains_key(&title) {
                    return refused(10_014, "a namespace with this title exists already");
                }
                let id = format!("kv-{title}");
                self.kv.insert(title, id.clone());
                Ok(json!({"id": id}))
            }
            ("POST", ["d1", "database"]) if is_json => {
                let name = text(&json()?, "name")?;
                if self.databases.contains_key(&name) {
                    return refused(7_502, "a database with that name exists already");
                }
                let id = format!("d1-{name}");
                self.databases.insert(name, id.clone());
                Ok(json!({"uuid": id}))
            }
            ("POST", ["queues"]) if is_json => {
                let name = text(&json()?, "queue_name")?;
                if self.queues.contains_key(&name) {
                    return refused(11_009, "queue name is taken");
                }
                let queue = Queue { id: format!("queue-{name}"), consumers: Vec::new() };
                self.queues.insert(name.clone(), queue);
                Ok(json!({"queue_id": format!("queue-{name}")}))
            }
            ("POST", ["queues", id, "consumers"]) if is_json => {
                let mut body = json()?;
                let script = text(&body, "script_name")?;
                if !self.workers.contains_key(&script) {
                    return refused(11_004, "the consumer's Worker is not there");
                }
                let queue = self.queues.values_mut().find(|queue| queue.id == *id);
                let queue = queue.ok_or((404, 11_000, "no queue".to_owned()))?;
                if queue.consumers.iter().any(|one| one["script_name"] == script.as_str()) {
                    return refused(11_005, "it is a consumer already");
                }
                body["consumer_id"] = json!(format!("consumer-{script}"));
                queue.consumers.push(body.clone());
                Ok(body)
            }
            ("PUT", ["queues", id, "consumers", consumer]) if is_json => {
                let mut body = json()?;
                let queue = self.queues.values_mut().find(|queue| queue.id == *id);
                let queue = queue.ok_or((404, 11_000, "no queue".to_owned()))?;
                let known = queue.consumers.iter_mut().find(|one| one["consumer_id"] == *consumer);
                body["consumer_id"] = json!(consumer);
                *known.ok_or((404, 11_006, "no consumer".to_owned()))? = body.clone();
                Ok(body)
            }
            (_, ["workers", "scripts", name, rest @ ..]) => self.script(method, name, rest, request),
            _ => Err((404, 7_003, format!("no route for {method} {path}"))),
        }
    }

    fn script(&mut self, method: &str, name: &str, rest: &[&str], request: &Request) -> Answer {
        let json = || serde_json::from_slice::<Value>(&request.body).map_err(|error| (400, 7_001, error.to_string()));
        let gone = (404, 10_007, "This Worker does not exist on your account.".to_owned());
        match (method, rest) {
            ("PUT", []) => {
                let (metadata, modules) = upload(request)?;
                self.hold(&metadata)?;
                let mut worker = self.workers.get(name).cloned().unwrap_or_default();
                let id = worker.add(name, &metadata, &modules, true)?;
                worker.deployments.insert(0, json!({"versions": [{"version_id": id, "percentage": 100}]}));
                self.workers.insert(name.to_owned(), worker);
                Ok(json!({"id": name}))
            }
            ("POST", ["versions"]) => {
                let (metadata, modules) = upload(request)?;
                self.hold(&metadata)?;
                let mut worker = self.workers.get(name).cloned().ok_or(gone)?;
                let id = worker.add(name, &metadata, &modules, false)?;
                self.workers.insert(name.to_owned(), worker);
                Ok(json!({"id": id}))
            }
            ("POST", ["deployments"]) => {
                let body = json()?;
                let worker = self.workers.get_mut(name).ok_or(gone)?;
                worker.deploy(&body, request.url.query() == Some("force=true"))?;
                Ok(body)
            }
            ("PATCH", ["script-settings"]) => {
                let body = json()?;
                self.workers.get_mut(name).ok_or(gone)?.settings = body.clone();
                Ok(body)
            }
            ("PUT", ["schedules"]) => {
                let body = json()?;
                let crons = body.as_array().cloned().ok_or((400, 10_100, "crons are a list".to_owned()))?;
                self.workers.get_mut(name).ok_or(gone)?.crons = crons;
                Ok(body)
            }
            _ => Err((404, 7_003, format!("no route for {method} {rest:?}"))),
        }
    }

    /// Fails at a binding that leads nowhere, or has not what its kind asks for.
    fn hold(&self, metadata: &Value) -> Result<(), (u16, u32, String)> {
        let bindings = metadata["bindings"].as_array().ok_or((400, 10_021, "bindings are a list".to_owned()))?;
        for binding in bindings {
            let has = |keys: &[&str]| keys.iter().all(|key| binding[*key].is_string());
            let leads = match binding["type"].as_str().unwrap_or_default() {
                "plain_text" | "secret_text" => has(&["name", "text"]),
                "json" => has(&["name"]) && !binding["json"].is_null(),
                "kv_namespace" => self.kv.values().any(|id| binding["namespace_id"] == id.as_str()),
                "d1" => self.databases.values().any(|id| binding["id"] == id.as_str()),
                "queue" => binding["queue_name"].as_str().is_some_and(|name| self.queues.contains_key(name)),
                "durable_object_namespace" => has(&["name", "class_name"]),
                "analytics_engine" => has(&["name", "dataset"]),
                "version_metadata" => has(&["name"]),
                "service" => binding["service"].as_str().is_some_and(|name| self.workers.contains_key(name)),
                "ratelimit" => {
                    let period = binding["simple"]["period"].as_u64();
                    has(&["name", "namespace_id"])
                        && binding["simple"]["limit"].is_u64()
                        && matches!(period, Some(10 | 60))
                }
                "dispatch_namespace" => {
                    let outbound = binding["outbound"]["worker"]["service"].as_str();
                    let params = binding["outbound"]["params"].as_array();
                    self.namespaces.iter().any(|name| binding["namespace"] == name.as_str())
                        && outbound.is_none_or(|name| self.workers.contains_key(name))
                        && params.is_none_or(|params| params.iter().all(|param| param["name"].is_string()))
                }
                _ => false,
            };
            if !leads {
                return Err((400, 10_021, format!("this binding leads nowhere: {binding}")));
            }
        }
        Ok(())
    }
}

impl Hosted {
    fn add(
        &mut self,
        name: &str,
        metadata: &Value,
        modules: &[String],
        takes_migrations: bool,
    ) -> Result<String, (u16, u32, String)> {
        let main = metadata["main_module"].as_str().unwrap_or_default();
        if !modules.iter().any(|module| module == main) {
            return Err((400, 10_021, format!("no module is called {main:?}")));
        }
        if metadata["compatibility_date"].as_str().is_none_or(|date| date.len() != 10) {
            return Err((400, 10_021, "compatibility_date is missing".to_owned()));
        }
        let migrations = &metadata["migrations"];
        if !migrations.is_null() && !takes_migrations {
            return Err((400, 10_211, "migrations cannot be part of a version".to_owned()));
        }
        let applied =
            self.versions.last().map_or(Value::Null, |one| one["resources"]["script_runtime"]["migration_tag"].clone());
        if !migrations.is_null() && migrations["old_tag"] != applied {
            return Err((400, 10_079, format!("the migration tag is {applied}, and not {}", migrations["old_tag"])));
        }
        let tag = if migrations.is_null() { applied } else { migrations["new_tag"].clone() };
        let keeps = metadata["keep_bindings"].as_array().is_some_and(|kinds| kinds.contains(&json!("secret_text")));
        if !keeps {
            self.secrets.clear();
        }
        let mut bindings: Vec<Value> = Vec::new();
        for binding in metadata["bindings"].as_array().into_iter().flatten() {
            let name = binding["name"].as_str().unwrap_or_default().to_owned();
            match (binding["type"].as_str(), binding["text"].as_str()) {
                (Some("secret_text"), Some(text)) => drop(self.secrets.insert(name, text.to_owned())),
                _ => bindings.push(binding.clone()),
            }
        }
        bindings.extend(self.secrets.keys().map(|name| json!({"type": "secret_text", "name": name})));
        let id = format!("{name}-v{}", self.versions.len() + 1);
        self.versions.push(json!({
            "id": id,
            "annotations": metadata["annotations"],
            "secrets": self.secrets,
            "resources": {
                "bindings": bindings,
                "script_runtime": {"compatibility_date": metadata["compatibility_date"], "migration_tag": tag},
            },
        }));
        Ok(id)
    }

    fn deploy(&mut self, body: &Value, is_forced: bool) -> Result<(), (u16, u32, String)> {
        let versions = body["versions"].as_array().cloned().unwrap_or_default();
        let sum: u64 = versions.iter().filter_map(|one| one["percentage"].as_u64()).sum();
        let known = |one: &Value| self.versions.iter().find(|version| version["id"] == one["version_id"]).cloned();
        let message = body["annotations"]["workers/message"].as_str().unwrap_or_default();
        if body["strategy"] != "percentage" || sum != 100 || !(1..=2).contains(&versions.len()) || message.len() > 100 {
            return Err((400, 10_210, format!("this is no deployment: {body}")));
        }
        for one in &versions {
            let Some(version) = known(one) else { return Err((404, 10_222, "version not found".to_owned())) };
            if version["secrets"] != json!(self.secrets) && !is_forced {
                return Err((400, 10_220, "secrets have changed since this version".to_owned()));
            }
        }
        self.deployments.insert(0, json!({"versions": versions}));
        Ok(())
    }
}

fn text(body: &Value, key: &str) -> Result<String, (u16, u32, String)> {
    body[key].as_str().map(str::to_owned).ok_or((400, 7_001, format!("{key} is missing")))
}

/// The metadata of an upload, and the names of its modules.
fn upload(request: &Request) -> Result<(Value, Vec<String>), (u16, u32, String)> {
    let media_type = request.headers["content-type"].to_str().unwrap();
    let parts = parts(media_type, &request.body);
    let Some((first, modules)) = parts.split_first() else { return Err((400, 10_021, "no parts".to_owned())) };
    assert_eq!((first.0.as_str(), first.1.as_str()), ("metadata", "application/json"));
    for (name, media_type, content) in modules {
        let wanted = if name.ends_with(".wasm") { "application/wasm" } else { "application/javascript+module" };
        assert_eq!(media_type, wanted, "{name}");
        assert!(!content.is_empty(), "{name}");
    }
    let metadata = serde_json::from_slice(&first.2).map_err(|error| (400, 10_021, error.to_string()))?;
    Ok((metadata, modules.iter().map(|(name, ..)| name.clone()).collect()))
}
