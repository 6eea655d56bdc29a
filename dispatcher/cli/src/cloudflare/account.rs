//! The account at Cloudflare as it is: resources by their names, and which versions of a Worker serve.

use super::{
    api::{Api, ApiError},
    config::Resource,
    steps::{Serving, There, Version},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PAGE: usize = 100;
const MOST_PAGES: usize = 100;

#[derive(Clone, Copy)]
pub struct Account<'a> {
    pub api: &'a Api,
}

impl Account<'_> {
    /// The ids of those resources that are there.
    pub async fn ids(&self, resources: &[Resource]) -> Result<BTreeMap<Resource, String>, ApiError> {
        let mut ids = BTreeMap::new();
        for resource in resources {
            if let Some(id) = self.id(resource).await? {
                ids.insert(resource.clone(), id);
            }
        }
        Ok(ids)
    }

    async fn id(&self, resource: &Resource) -> Result<Option<String>, ApiError> {
        let found = |list: Value, name_key: &str, name: &str, id_key: &str| {
            let named = list.as_array().into_iter().flatten().find(|one| one[name_key] == name).cloned();
            named.and_then(|one| one[id_key].as_str().map(str::to_owned))
        };
        match resource {
            Resource::Namespace(name) => {
                let there = self.api.look(&self.api.path(&format!("workers/dispatch/namespaces/{name}"))).await?;
                Ok(there.map(|_| name.clone()))
            }
            Resource::Kv(title) => Ok(found(self.pages("storage/kv/namespaces").await?, "title", title, "id")),
            Resource::Database(name) => {
                let list = self.api.get(&self.api.path(&format!("d1/database?name={name}&per_page={PAGE}"))).await?;
                Ok(found(list, "name", name, "uuid"))
            }
            Resource::Queue(name) => {
                let list = self.api.get(&self.api.path(&format!("queues?name={name}"))).await?;
                Ok(found(list, "queue_name", name, "queue_id"))
            }
        }
    }

    async fn pages(&self, rest: &str) -> Result<Value, ApiError> {
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let path = self.api.path(&format!("{rest}?per_page={PAGE}&page={page}"));
            let list = self.api.get(&path).await?;
            let list = list.as_array().cloned().ok_or_else(|| ApiError::Unreadable(format!("{rest} is no list")))?;
            let is_last = list.len() < PAGE;
            all.extend(list);
            if is_last {
                break;
            }
        }
        Ok(Value::Array(all))
    }

    /// Makes a resource, unless it is there by now: an answer may have got lost after the work was done.
    pub async fn make(&self, resource: &Resource) -> Result<String, ApiError> {
        if let Some(id) = self.id(resource).await? {
            return Ok(id);
        }
        let (path, body) = resource_request(resource);
        let made = self.api.send(Method::POST, &self.api.path(path), &body).await;
        match (made, self.id(resource).await?) {
            (_, Some(id)) => Ok(id),
            (Err(error), None) => Err(error),
            (Ok(_), None) => Err(ApiError::Unreadable(format!("{path}: it was made, and is not there"))),
        }
    }

    /// Reads a Worker's state. Without any version it is not there at all.
    pub async fn there(&self, worker: &str) -> Result<There, ApiError> {
        let script = self.api.path(&format!("workers/scripts/{worker}"));
        let Some(deployments) = self.api.look(&format!("{script}/deployments")).await? else {
            return Ok(There::default());
        };
        let deployments: Vec<Vec<Serving>> = deployments["deployments"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| one["versions"].as_array().into_iter().flatten().filter_map(Serving::of).collect())
            .collect();
        let listed = self.api.get(&format!("{script}/versions?deployable=true")).await?;
        let known = listed["items"].as_array().into_iter().flatten().filter_map(|one| {
            Some((one["id"].as_str()?.to_owned(), one["annotations"]["workers/tag"].as_str().map(str::to_owned)))
        });
        let known: Vec<(String, Option<String>)> = known.collect();
        let mut versions = BTreeMap::new();
        for serving in deployments.first().into_iter().flatten() {
            let version = self.version(worker, &serving.version).await?;
            versions.insert(serving.version.clone(), version);
        }
        let settings = self.api.look(&format!("{script}/script-settings")).await?.unwrap_or_default();
        let schedules = self.api.look(&format!("{script}/schedules")).await?.unwrap_or_default();
        let crons = schedules["schedules"].as_array().into_iter().flatten();
        let mut crons: Vec<String> = crons.filter_map(|one| one["cron"].as_str().map(str::to_owned)).collect();
        crons.sort();
        Ok(There { deployments, known, versions, settings, crons })
    }

    pub async fn version(&self, worker: &str, version: &str) -> Result<Version, ApiError> {
        let path = self.api.path(&format!("workers/scripts/{worker}/versions/{version}"));
        Ok(Version::of(&self.api.get(&path).await?))
    }

    /// The consumer of a queue that this Worker is: its id, and its settings.
    pub async fn consumer(&self, queue_id: &str, worker: &str) -> Result<Option<(String, Value)>, ApiError> {
        let list = self.api.get(&self.api.path(&format!("queues/{queue_id}/consumers"))).await?;
        let of = |one: &&Value| ["script", "script_name", "service"].iter().any(|key| one[*key] == worker);
        let own = list.as_array().into_iter().flatten().find(of);
        Ok(own.and_then(|one| Some((one["consumer_id"].as_str()?.to_owned(), one.clone()))))
    }
}

/// The path and the body that make a resource.
pub fn resource_request(resource: &Resource) -> (&'static str, Value) {
    match resource {
        Resource::Namespace(name) => ("workers/dispatch/namespaces", json!({"name": name})),
        Resource::Kv(title) => ("storage/kv/namespaces", json!({"title": title})),
        Resource::Database(name) => ("d1/database", json!({"name": name})),
        Resource::Queue(name) => ("queues", json!({"queue_name": name})),
    }
}
