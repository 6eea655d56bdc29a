//! A plan carried out, step by step, each told before and after.
//!
//! Surprising constraint: an answer can get lost after the work was done. So a step whose outcome is open is looked at before it
//! is done again, and what was found done counts.

use super::{
    account::{Account, resource_request},
    api::ApiError,
    config::Resource,
    steps::{Step, told},
    worker::Worker,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const TRIES: u32 = 3;

/// A rollout of one Worker.
pub struct Rollout<'a> {
    pub account: Account<'a>,
    pub worker: &'a Worker,
    pub ids: &'a mut BTreeMap<Resource, String>,
    /// Told to whoever looks at the Worker's versions.
    pub message: String,
    /// The version that this rollout has uploaded.
    pub uploaded: Option<String>,
}

/// A step that could not be done.
#[derive(Debug, thiserror::Error)]
#[error("{step}: {error}")]
pub struct Broken {
    pub step: String,
    pub error: ApiError,
    /// True where it may have been done all the same.
    pub is_open: bool,
}

impl Rollout<'_> {
    /// The path of the Worker, and what is below it.
    fn script(&self, rest: &str) -> String {
        self.account.api.path(&format!("workers/scripts/{}{rest}", self.worker.config.name))
    }

    /// The request that a step is, for a plan.
    #[must_use]
    pub fn request(&self, step: &Step) -> (Method, String) {
        match step {
            Step::Make(resource) => (Method::POST, self.account.api.path(resource_request(resource).0)),
            Step::Replace { .. } => (Method::PUT, self.script("")),
            Step::Version => (Method::POST, self.script("/versions")),
            Step::Deploy { .. } => (Method::POST, self.script("/deployments")),
            Step::Settings(_) => (Method::PATCH, self.script("/script-settings")),
            Step::Crons(_) => (Method::PUT, self.script("/schedules")),
            Step::Consume { queue, consumer, .. } => {
                let queue = self.ids.get(&Resource::Queue(queue.clone())).map_or("(new)", String::as_str);
                let consumers = self.account.api.path(&format!("queues/{queue}/consumers"));
                match consumer {
                    None => (Method::POST, consumers),
                    Some(id) => (Method::PUT, format!("{consumers}/{id}")),
                }
            }
        }
    }

    /// Does a step. Where its outcome stays open, it is looked at, and done again if it was not done.
    pub async fn carry_out(&mut self, step: &Step) -> Result<(), Broken> {
        let mut tried = 0;
        loop {
            tried += 1;
            let error = match self.act(step).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let broken = |error: ApiError, is_open| Broken { step: told(step), error, is_open };
            if !error.is_open() {
                return Err(broken(error, false));
            }
            match self.is_done(step).await {
                Ok(true) => return Ok(()),
                Ok(false) if tried < TRIES => tokio::time::sleep(self.account.api.pause).await,
                Ok(false) => return Err(broken(error, false)),
                Err(_) => return Err(broken(error, true)),
            }
        }
    }

    async fn act(&mut self, step: &Step) -> Result<(), ApiError> {
        let api = self.account.api;
        let (method, path) = self.request(step);
        match step {
            Step::Make(resource) => {
                let id = self.account.make(resource).await?;
                self.ids.insert(resource.clone(), id);
            }
            Step::Replace { migrations } => {
                let body = self.worker.multipart(self.ids, migrations.as_ref(), &self.message);
                // A migration counts once, so it is not asked for again before it was looked at.
                api.upload_once(method, &path, &body).await?;
            }
            Step::Version => {
                let body = self.worker.multipart(self.ids, None, &self.message);
                let made = api.upload_once(method, &path, &body).await?;
                let id = made["id"].as_str().ok_or_else(|| ApiError::Unreadable("a version has no id".to_owned()))?;
                self.uploaded = Some(id.to_owned());
            }
            Step::Deploy { version, percent, rest } => {
                let body = self.deployment(version.as_deref(), *percent, rest.as_deref())?;
                api.send(method, &path, &body).await?;
            }
            Step::Settings(settings) => drop(api.send(method, &path, settings).await?),
            Step::Crons(crons) => {
                let crons: Vec<Value> = crons.iter().map(|cron| json!({"cron": cron})).collect();
                api.send(method, &path, &json!(crons)).await?;
            }
            Step::Consume { body, .. } => drop(api.send(method, &path, body).await?),
        }
        Ok(())
    }

    fn deployment(&self, version: Option<&str>, percent: u32, rest: Option<&str>) -> Result<Value, ApiError> {
        let version = version.or(self.uploaded.as_deref());
        let version = version.ok_or_else(|| ApiError::Unreadable("no version was uploaded".to_owned()))?;
        Ok(deployment(version, percent, rest, &self.message))
    }

    async fn is_done(&mut self, step: &Step) -> Result<bool, ApiError> {
        if let Step::Make(resource) = step {
            return Ok(self.account.ids(std::slice::from_ref(resource)).await?.contains_key(resource));
        }
        let there = self.account.there(&self.worker.config.name).await?;
        let tag = Some(self.worker.tag());
        Ok(match step {
            // Of two with one tag the one that was there before has other secrets.
            Step::Version if !self.worker.secrets.is_empty() => false,
            // It was not there, or lacked a migration, or it would not be planned.
            Step::Replace { .. } => there.main().is_some_and(|(_, version)| version.tag == tag),
            Step::Version => {
                let found = there.known.into_iter().find(|(_, known)| *known == tag);
                self.uploaded = found.map(|(id, _)| id);
                self.uploaded.is_some()
            }
            Step::Deploy { version, percent, .. } => {
                let version = version.as_ref().or(self.uploaded.as_ref());
                let serves = there.serving().iter().find(|one| Some(&one.version) == version);
                serves.is_some_and(|one| (one.percent - f64::from(*percent)).abs() < 0.01)
            }
            // What replaces comes to the same when it is done again.
            Step::Make(_) | Step::Settings(_) | Step::Crons(_) => false,
            Step::Consume { queue, .. } => match self.ids.get(&Resource::Queue(queue.clone())) {
                Some(id) => self.account.consumer(id, &self.worker.config.name).await?.is_some(),
                None => false,
            },
        })
    }
}

/// The body of a deployment of one version, or of two.
#[must_use]
pub fn deployment(version: &str, percent: u32, rest: Option<&str>, message: &str) -> Value {
    let mut versions = vec![json!({"version_id": version, "percentage": percent})];
    versions.extend(rest.map(|rest| json!({"version_id": rest, "percentage": 100 - percent})));
    // Cloudflare keeps 100 bytes of it.
    let message: String = message.chars().filter(char::is_ascii).take(100).collect();
    json!({"strategy": "percentage", "versions": versions, "annotations": {"workers/message": message}})
}
