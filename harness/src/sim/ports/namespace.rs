//! The dispatch namespace: runs tenant doubles under the limits that it is passed, and enforces both of them.

use super::inbound::SimRequest;
use crate::{
    journal::Journal,
    sim::{
        chance::Chance,
        life::Life,
        tenant::{Content, Heard, Tenants, Verdict},
    },
};
use dispatcher_core::{
    paywall::seeded::{self, Bug},
    plan::Limits,
    ports::{CollectError, Dispatch, Inbound, Namespace, Outbound},
    tenant_failure::TenantFailure,
};
use reports::event::{Event, TenantRun};
use serde_json::Value;
use std::{rc::Rc, time::Duration};

#[derive(Clone)]
pub struct SimNamespace {
    pub life: Life,
    pub chance: Chance,
    pub journal: Journal,
    pub tenants: Rc<Tenants>,
}

#[derive(Debug)]
pub struct SimResponse {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub content: Content,
}

impl Outbound for SimResponse {
    fn status(&self) -> u16 {
        self.status
    }

    fn headers(&self) -> Vec<(String, String)> {
        self.headers.clone()
    }

    async fn collect(self, limit: usize) -> Result<Vec<u8>, CollectError> {
        match self.content {
            Content::Whole(body) if body.len() > limit => Err(CollectError::TooLarge),
            Content::Whole(body) => Ok(body),
            Content::CutOffAfter(bytes) if bytes > limit => Err(CollectError::TooLarge),
            Content::CutOffAfter(_) => Err(CollectError::Broken),
        }
    }
}

/// The options' limits: the platform looks for keys, and passes over those that it does not know.
fn as_the_platform_reads(limits: Limits) -> Value {
    let mut limits = serde_json::to_value(limits).expect("limits have string keys and numbers");
    if seeded::has(Bug::LimitsKeyMisspelt) {
        limits["cpu_ms"] = limits["cpuMs"].take();
    }
    limits
}

impl Namespace for SimNamespace {
    type Inbound = SimRequest;
    type Outbound = SimResponse;

    async fn run(&self, dispatch: Dispatch<'_>, request: &SimRequest) -> Result<SimResponse, TenantFailure> {
        self.chance.travel().await;
        self.life.alive().await;
        let query = request.query().map_or_else(String::new, |query| format!("?{query}"));
        let kept = request.headers().filter(|(name, _)| !(dispatch.strip)(name));
        let set = dispatch.set.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let heard = Heard {
            method: request.method(),
            path: dispatch.path,
            query: &query,
            headers: kept.chain(set).map(|(name, value)| (name.to_owned(), value)).collect(),
        };
        let limits = as_the_platform_reads(dispatch.limits);
        self.journal.record(Event::TenantRan(TenantRun {
            script: dispatch.script.to_owned(),
            cpu_ms: limits["cpuMs"].as_f64(),
            sub_requests: limits["subRequests"].as_f64(),
            request_id: heard.headers.get("x-request-id").cloned(),
        }));
        let Verdict { after_ms, told } = self.tenants.run(dispatch.script, dispatch.limits, &heard);
        tokio::time::sleep(Duration::from_millis(after_ms)).await;
        self.chance.travel().await;
        self.life.alive().await;
        told.map_err(|thrown| TenantFailure::from_message(&thrown))
    }
}
