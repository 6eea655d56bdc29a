//! From how a Worker stands to how it is to stand: the steps between, and what they change. Pure.
//!
//! Surprising constraint: a step is only planned where something differs. So a deploy that broke off is gone on with by the same
//! command, and one that is done does nothing.

use super::{
    config::{Consumer, Resource},
    worker::Worker,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A version that serves, and its share of the requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Serving {
    pub version: String,
    pub percent: f64,
}

/// A version as Cloudflare tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Version {
    pub tag: Option<String>,
    pub bindings: Vec<Value>,
    pub compatibility_date: String,
    pub migration_tag: Option<String>,
}

/// A Worker's state.
#[derive(Clone, Debug, Default)]
pub struct There {
    /// The latest first. Without any, the Worker is not there.
    pub deployments: Vec<Vec<Serving>>,
    /// Every version that can be deployed, and its tag; the latest first.
    pub known: Vec<(String, Option<String>)>,
    /// Those that serve.
    pub versions: BTreeMap<String, Version>,
    pub settings: Value,
    pub crons: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Make(Resource),
    /// Uploads it for all requests at once: the first time, or with a migration.
    Replace {
        migrations: Option<Value>,
    },
    /// Uploads a version that serves nobody yet.
    Version,
    /// Shares the requests between a version, the one that was just uploaded unless it is named, and another.
    Deploy {
        version: Option<String>,
        percent: u32,
        rest: Option<String>,
    },
    Settings(Value),
    Crons(Vec<String>),
    Consume {
        queue: String,
        consumer: Option<String>,
        body: Value,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub steps: Vec<Step>,
    /// Differences, a line each.
    pub diff: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{worker} is not there yet, so no version could serve the rest of the requests")]
    NothingBeside { worker: String },
    #[error("the migrations {tags} of Durable Objects count for all requests at once, and no share of them")]
    MigrationInParts { tags: String },
    #[error("{0}: what is deployed is newer than this")]
    UnknownMigration(String),
    #[error("two versions serve, and this is neither of them: finish that deployment first, or roll it back")]
    TwoServe,
    #[error("it serves all requests already; to go back, roll it back")]
    ServesAlone,
    #[error("these secrets are neither at Cloudflare nor given: {}", .0.join(", "))]
    SecretsMissing(Vec<String>),
}

/// A wish, and what was found beside it.
pub struct Wanted<'a> {
    pub worker: &'a Worker,
    /// Requests in a hundred that the new version is to serve.
    pub percent: u32,
    /// The consumers of the Worker's queues that are there, by their queues.
    pub consumers: &'a BTreeMap<String, (String, Value)>,
    pub ids: &'a BTreeMap<Resource, String>,
}

impl Serving {
    pub fn of(value: &Value) -> Option<Self> {
        Some(Self { version: value["version_id"].as_str()?.to_owned(), percent: value["percentage"].as_f64()? })
    }
}

impl Version {
    #[must_use]
    pub fn of(value: &Value) -> Self {
        let resources = &value["resources"];
        let word = |value: &Value| value.as_str().map(str::to_owned);
        Self {
            tag: word(&value["annotations"]["workers/tag"]),
            bindings: resources["bindings"].as_array().cloned().unwrap_or_default(),
            compatibility_date: word(&resources["script_runtime"]["compatibility_date"]).unwrap_or_default(),
            migration_tag: word(&resources["script_runtime"]["migration_tag"]),
        }
    }

    fn names_of(&self, kind: &str) -> BTreeSet<String> {
        let of = self.bindings.iter().filter(|one| one["type"] == kind);
        of.filter_map(|one| one["name"].as_str().map(str::to_owned)).collect()
    }
}

impl There {
    #[must_use]
    pub fn serving(&self) -> &[Serving] {
        self.deployments.first().map_or(&[], Vec::as_slice)
    }

    /// The version that serves the most.
    #[must_use]
    pub fn main(&self) -> Option<(&str, &Version)> {
        let most = self.serving().iter().max_by(|a, b| a.percent.total_cmp(&b.percent))?;
        Some((&most.version, self.versions.get(&most.version)?))
    }
}

/// The steps to what is wanted, and what they change.
pub fn plan(wanted: &Wanted<'_>, there: &There) -> Result<Plan, Refusal> {
    let Wanted { worker, percent, ids, .. } = wanted;
    let main = there.main();
    let none = Version::default();
    let version = main.map_or(&none, |(_, version)| version);
    secrets(worker, version)?;
    let make = worker.config.resources().into_iter().filter(|one| !ids.contains_key(one)).map(Step::Make);
    let mut steps: Vec<Step> = make.collect();
    let mut diff: Vec<String> = steps.iter().map(|step| format!("+ {}", told(step))).collect();
    // Of two versions that serve both have it: a migration never counts for a share of the requests.
    let applied = version.migration_tag.as_deref();
    let migrations = worker.config.migrations_after(applied).map_err(Refusal::UnknownMigration)?;
    let tag = worker.tag();
    let serving = there.serving();
    let of_tag = |id: &str| there.versions.get(id).is_some_and(|one| one.tag.as_ref() == Some(&tag));
    let is_whole = serving.len() == 1 && of_tag(&serving[0].version) && worker.secrets.is_empty();
    if main.is_none() || migrations.is_some() {
        if *percent < 100 {
            return Err(refused_in_parts(worker, migrations.filter(|_| main.is_some())));
        }
        diff.extend(differences(worker, version, migrations.as_ref(), ids));
        steps.push(Step::Replace { migrations });
    } else if !is_whole {
        let uploaded = there.known.iter().find(|(_, known)| known.as_ref() == Some(&tag)).map(|(id, _)| id.clone());
        let uploaded =
            uploaded.or_else(|| serving.iter().find(|one| of_tag(&one.version)).map(|one| one.version.clone()));
        let uploaded = uploaded.filter(|_| worker.secrets.is_empty());
        let rest = rest(serving, uploaded.as_deref(), *percent)?;
        let is_so = uploaded.is_some()
            && serving
                .iter()
                .any(|one| Some(&one.version) == uploaded.as_ref() && (one.percent - f64::from(*percent)).abs() < 0.01);
        if !is_so {
            diff.extend(differences(worker, version, None, ids));
            if uploaded.is_none() {
                steps.push(Step::Version);
            }
            diff.push(format!("~ {percent}% of the requests go to {tag}"));
            steps.push(Step::Deploy { version: uploaded, percent: *percent, rest });
        }
    }
    around(wanted, there, &mut steps, &mut diff);
    Ok(Plan { steps, diff })
}

fn refused_in_parts(worker: &Worker, migrations: Option<Value>) -> Refusal {
    match migrations {
        None => Refusal::NothingBeside { worker: worker.config.name.clone() },
        Some(migrations) => {
            let tags = format!("up to {}", migrations["new_tag"].as_str().unwrap_or_default());
            Refusal::MigrationInParts { tags }
        }
    }
}

/// The version that keeps the rest of the requests; none where there is no rest.
fn rest(serving: &[Serving], own: Option<&str>, percent: u32) -> Result<Option<String>, Refusal> {
    if percent == 100 {
        return Ok(None);
    }
    let others: Vec<&Serving> = serving.iter().filter(|one| Some(one.version.as_str()) != own).collect();
    match others[..] {
        [only] => Ok(Some(only.version.clone())),
        [] => Err(Refusal::ServesAlone),
        _ => Err(Refusal::TwoServe),
    }
}

fn secrets(worker: &Worker, version: &Version) -> Result<(), Refusal> {
    let there = version.names_of("secret_text");
    let missing: Vec<String> = worker
        .needed_secrets()
        .into_iter()
        .filter(|name| !there.contains(name) && !worker.secrets.contains_key(name))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(Refusal::SecretsMissing(missing)) }
}

/// Adds the steps that are about no version, and count for all of them.
fn around(wanted: &Wanted<'_>, there: &There, steps: &mut Vec<Step>, diff: &mut Vec<String>) {
    let config = &wanted.worker.config;
    let settings = wanted.worker.settings();
    let is_new = there.deployments.is_empty();
    let is_off = |value: &Value| value.is_null() || *value == json!({"enabled": false}) || *value == json!([]);
    let changed = ["observability", "tail_consumers"].into_iter().any(|key| {
        let (to_be, is) = (&settings[key], &there.settings[key]);
        !(holds(to_be, is) || is_off(to_be) && is_off(is))
    });
    if changed {
        diff.push(format!("~ settings {settings}"));
        steps.push(Step::Settings(settings));
    }
    let mut crons = config.triggers.crons.clone();
    crons.sort();
    if crons != there.crons && !(is_new && crons.is_empty()) {
        diff.push(format!("~ crons {:?} -> {crons:?}", there.crons));
        steps.push(Step::Crons(crons));
    }
    for consumer in &config.queues.consumers {
        let body = consumer_body(&config.name, consumer);
        let known = wanted.consumers.get(&consumer.queue);
        let is_so = known.is_some_and(|(_, is)| {
            holds(&body["settings"], &is["settings"]) && holds(&body["dead_letter_queue"], &is["dead_letter_queue"])
        });
        if !is_so {
            diff.push(format!("{} consumer of {}", if known.is_some() { '~' } else { '+' }, consumer.queue));
            let consumer_id = known.map(|(id, _)| id.clone());
            steps.push(Step::Consume { queue: consumer.queue.clone(), consumer: consumer_id, body });
        }
    }
}

fn consumer_body(worker: &str, consumer: &Consumer) -> Value {
    let mut settings = json!({});
    let figures = [
        ("batch_size", consumer.max_batch_size),
        ("max_retries", consumer.max_retries),
        ("max_wait_time_ms", consumer.max_batch_timeout.map(|seconds| seconds * 1_000)),
        ("max_concurrency", consumer.max_concurrency),
        ("retry_delay", consumer.retry_delay),
    ];
    for (name, figure) in figures {
        if let Some(figure) = figure {
            settings[name] = json!(figure);
        }
    }
    let mut body = json!({"type": "worker", "script_name": worker, "settings": settings});
    if let Some(queue) = &consumer.dead_letter_queue {
        body["dead_letter_queue"] = json!(queue);
    }
    body
}

/// Whether all that is wanted is so. What Cloudflare adds of its own does not count.
fn holds(wanted: &Value, is: &Value) -> bool {
    match (wanted, is) {
        (Value::Object(wanted), Value::Object(is)) => {
            wanted.iter().all(|(key, value)| is.get(key).is_some_and(|is| holds(value, is)))
        }
        (Value::Array(wanted), Value::Array(is)) => {
            wanted.len() == is.len() && wanted.iter().zip(is).all(|(wanted, is)| holds(wanted, is))
        }
        (Value::Number(wanted), Value::Number(is)) => wanted.as_f64() == is.as_f64(),
        _ => wanted == is,
    }
}

fn differences(
    worker: &Worker,
    version: &Version,
    migrations: Option<&Value>,
    ids: &BTreeMap<Resource, String>,
) -> Vec<String> {
    let mut lines = Vec::new();
    let tag = worker.tag();
    lines.push(format!("~ code and configuration {} -> {tag}", version.tag.as_deref().unwrap_or("none")));
    if worker.config.compatibility_date != version.compatibility_date {
        let before = if version.compatibility_date.is_empty() { "none" } else { &version.compatibility_date };
        lines.push(format!("~ compatibility date {before} -> {}", worker.config.compatibility_date));
    }
    let mut seen = BTreeSet::new();
    for wanted in worker.config.bindings(ids) {
        let name = wanted["name"].as_str().unwrap_or_default().to_owned();
        let kind = wanted["type"].as_str().unwrap_or_default();
        match version.bindings.iter().find(|one| one["name"] == name.as_str()) {
            None => lines.push(format!("+ binding {name} {}", short(&wanted))),
            Some(is) if !is_so(&wanted, is) => {
                lines.push(format!("~ binding {name} {} -> {}", short(is), short(&wanted)));
            }
            Some(_) => {}
        }
        seen.insert((name, kind.to_owned()));
    }
    for name in worker.secrets.keys() {
        let mark = if version.names_of("secret_text").contains(name) { '~' } else { '+' };
        lines.push(format!("{mark} secret {name}"));
    }
    let kept = ["secret_text", "secret_key"];
    for one in &version.bindings {
        let (name, kind) = (one["name"].as_str().unwrap_or_default(), one["type"].as_str().unwrap_or_default());
        if !seen.iter().any(|(known, _)| known == name) && !kept.contains(&kind) {
            lines.push(format!("- binding {name} {}", short(one)));
        }
    }
    if let Some(migrations) = migrations {
        lines.push(format!("+ migrations up to {}: {}", migrations["new_tag"], migrations["steps"]));
    }
    lines
}

/// Databases have had two names for their id.
fn is_so(wanted: &Value, is: &Value) -> bool {
    let mut is = is.clone();
    if is["type"] == "d1" && is["id"].is_null() {
        is["id"] = is["database_id"].clone();
    }
    holds(wanted, &is)
}

/// A binding without its name, on a line.
fn short(binding: &Value) -> String {
    let mut plain = binding.clone();
    if let Value::Object(plain) = &mut plain {
        plain.remove("name");
    }
    let text = crate::output::plain(&plain.to_string());
    if text.chars().count() > 100 { format!("{}…", text.chars().take(100).collect::<String>()) } else { text }
}

/// A step in words.
#[must_use]
pub fn told(step: &Step) -> String {
    match step {
        Step::Make(Resource::Namespace(name)) => format!("dispatch namespace {name}"),
        Step::Make(Resource::Kv(title)) => format!("KV namespace {title}"),
        Step::Make(Resource::Database(name)) => format!("D1 database {name}"),
        Step::Make(Resource::Queue(name)) => format!("queue {name}"),
        Step::Replace { migrations: None } => "upload, for all requests".to_owned(),
        Step::Replace { migrations: Some(told) } => format!("upload with migrations up to {}", told["new_tag"]),
        Step::Version => "upload a version, for no requests yet".to_owned(),
        Step::Deploy { percent, rest: None, .. } => format!("{percent}% of the requests to it"),
        Step::Deploy { percent, rest: Some(rest), .. } => {
            format!("{percent}% of the requests to it, and the rest to {rest}")
        }
        Step::Settings(_) => "settings that belong to no version".to_owned(),
        Step::Crons(crons) => format!("crons {crons:?}"),
        Step::Consume { queue, .. } => format!("consumer of {queue}"),
    }
}

#[cfg(test)]
#[path = "steps/tests.rs"]
mod tests;
