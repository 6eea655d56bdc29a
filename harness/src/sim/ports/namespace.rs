//! The dispatch namespace: runs tenant doubles under the limits that it is passed, and enforces both of them.

use super::inbound::SimRequest;
use crate::sim::{
    chance::Chance,
    internet,
    process::Life,
    tenant::{Content, Heard, Tenants, Used, Verdict},
};
use dispatcher_core::{
    hygiene::REQUEST_ID,
    plan,
    ports::{CollectError, Dispatch, Inbound, Namespace, Outbound},
    tenant_failure::TenantFailure,
};
use journal::Journal;
use namespace::{DEFAULT_MEMORY_MB, DispatchedLimits, EXCEEDED_CPU, EXCEEDED_MEMORY, Limits, Memory, NOT_FOUND};
use reports::event::{Event, TenantAnswer, TenantEnd, TenantOutcome, TenantRun};
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
            Content::Endless => Err(CollectError::TooLarge),
            Content::CutOffAfter(bytes) if bytes > limit => Err(CollectError::TooLarge),
            Content::CutOffAfter(_) => Err(CollectError::Broken),
            Content::Trickle(pause) => {
                for _ in 0..limit {
                    tokio::time::sleep(pause).await;
                }
                Err(CollectError::TooLarge)
            }
        }
    }
}

/// The options' limits: the platform looks for keys, and passes over those that it does not know.
fn as_the_platform_reads(limits: plan::Limits) -> DispatchedLimits {
    let limits = serde_json::to_value(limits).expect("limits have string keys and numbers");
    serde_json::from_value(limits).expect("what the platform does not know it passes over")
}

impl Namespace for SimNamespace {
    type Inbound = SimRequest;
    type Outbound = SimResponse;

    async fn run(&self, dispatch: Dispatch<'_>, request: &SimRequest) -> Result<SimResponse, TenantFailure> {
        self.chance.travel().await;
        self.life.alive().await;
        let query = request.query().map_or_else(String::new, |query| format!("?{query}"));
        let kept = request.headers().filter(|(name, value)| !(dispatch.strip)(name, value));
        let set = dispatch.set.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let outside = |url: &str| internet::ask(url, &dispatch, &self.journal);
        let heard = Heard {
            outside: &outside,
            method: request.method(),
            path: dispatch.path,
            query: &query,
            headers: kept.chain(set).map(|(name, value)| (name.to_owned(), value)).collect(),
        };
        let passed = as_the_platform_reads(dispatch.limits);
        let request_id = heard.headers.get(REQUEST_ID).cloned();
        let Some(Verdict { after_ms, told, used }) = self.tenants.run(dispatch.script, passed.into(), &heard) else {
            return Err(TenantFailure::from_message(NOT_FOUND));
        };
        self.journal.record(Event::TenantRan(TenantRun {
            script: dispatch.script.to_owned(),
            cpu_ms: passed.cpu_ms,
            sub_requests: passed.sub_requests,
            request_id: request_id.clone(),
        }));
        let ended = end(dispatch.script, request_id, passed.into(), &told, used);
        let running = Running { namespace: self, end: Some(ended) };
        tokio::time::sleep(Duration::from_millis(after_ms)).await;
        running.done();
        self.chance.travel().await;
        self.life.alive().await;
        told.map_err(|thrown| TenantFailure::from_message(&thrown))
    }
}

/// An invocation that has not come to its end. Dropped before, it was given up.
struct Running<'a> {
    namespace: &'a SimNamespace,
    end: Option<TenantEnd>,
}

impl Running<'_> {
    fn done(mut self) {
        self.namespace.journal.record(Event::TenantEnded(self.end.take().expect("it ends once")));
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // With its dispatcher's process it just stops, and so does what would be told of it.
        if let Some(end) = self.end.take().filter(|_| !self.namespace.life.is_over()) {
            let given_up = TenantEnd { outcome: TenantOutcome::Cancelled, answer: TenantAnswer::None, ..end };
            self.namespace.journal.record(Event::TenantEnded(given_up));
        }
    }
}

fn end(
    script: &str,
    request_id: Option<String>,
    limits: Limits,
    told: &Result<SimResponse, String>,
    used: Used,
) -> TenantEnd {
    let (outcome, answer) = match told {
        Err(thrown) if thrown == EXCEEDED_CPU => (TenantOutcome::ExceededCpu, TenantAnswer::None),
        Err(thrown) if thrown == EXCEEDED_MEMORY => (TenantOutcome::ExceededMemory, TenantAnswer::None),
        Err(_) => (TenantOutcome::Exception, TenantAnswer::None),
        Ok(SimResponse { content: Content::Whole(_), .. }) => (TenantOutcome::Ok, TenantAnswer::Whole),
        Ok(SimResponse { content: Content::CutOffAfter(_), .. }) => (TenantOutcome::Exception, TenantAnswer::Begun),
        // Whoever reads it gives up.
        Ok(SimResponse { content: Content::Endless | Content::Trickle(_), .. }) => {
            (TenantOutcome::Cancelled, TenantAnswer::Begun)
        }
    };
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    TenantEnd {
        script: script.to_owned(),
        request_id,
        outcome,
        answer,
        cpu_used_ms: Some(ms(used.cpu)),
        cpu_limit_ms: ms(limits.cpu),
        memory_mb: Some(used.memory.mb()),
        memory_limit_mb: Some(Memory::megabytes(DEFAULT_MEMORY_MB).mb()),
        subrequests: used.subrequests,
        subrequest_limit: limits.subrequests,
        subrequests_refused: used.refused,
    }
}
