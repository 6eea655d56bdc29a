//! Tenants' Workers: their runs, their ends, and what they ask of the outside.

use super::{Story, TENANT, request_of};
use reports::event::{
    EgressLine, Event, ExchangeKind, Fetched, TenantAnswer, TenantEnd, TenantOutcome, TenantRun, TenantSaid,
};

impl Story {
    /// The namespace ran the tenant for the request that presented the payment.
    pub fn ran_for(self, payment: &str) -> Self {
        let request_id = Some(request_of(payment));
        let script = TENANT.to_owned();
        self.then(Event::TenantRan(TenantRun { script, cpu_ms: Some(50.0), sub_requests: Some(50.0), request_id }))
    }

    /// The tenant ran for the last exchange.
    pub fn ran_for_it(self) -> Self {
        self.ran_as(TENANT)
    }

    /// This script ran for the last exchange.
    pub fn ran_as(self, script: &str) -> Self {
        let request_id = Some(self.last_request());
        let script = script.to_owned();
        self.then(Event::TenantRan(TenantRun { script, cpu_ms: Some(50.0), sub_requests: Some(50.0), request_id }))
    }

    pub fn ran(self, cpu_ms: Option<f64>, sub_requests: Option<f64>) -> Self {
        let script = TENANT.to_owned();
        self.then(Event::TenantRan(TenantRun { script, cpu_ms, sub_requests, request_id: None }))
    }

    /// The namespace's word on the run for the last exchange: well within its limits, unless changed.
    pub fn ended_for_it(self, change: impl Fn(&mut TenantEnd)) -> Self {
        let mut end = TenantEnd {
            script: TENANT.to_owned(),
            request_id: Some(self.last_request()),
            outcome: TenantOutcome::Ok,
            answer: TenantAnswer::Whole,
            cpu_used_ms: Some(1.0),
            cpu_limit_ms: 50.0,
            memory_mb: Some(2.0),
            memory_limit_mb: Some(128.0),
            subrequests: 0,
            subrequest_limit: 50,
            subrequests_refused: 0,
        };
        change(&mut end);
        self.then(Event::TenantEnded(end))
    }

    /// The tenant asked a URL of the outside for an answer, and this came of it.
    pub fn fetched(self, url: &'static str, status: u16) -> Self {
        self.sent("p1", ExchangeKind::Payment, 200, move |_, answer| {
            let fetched = Some(Fetched { url: url.to_owned(), status });
            answer.tenant_said = Some(TenantSaid { fetched, ..TenantSaid::default() });
        })
    }

    pub fn outside_reached(self, url: &str) -> Self {
        self.then(Event::OutsideReached { url: url.to_owned(), script: Some(TENANT.to_owned()) })
    }

    /// The outbound Worker has a line about a request.
    pub fn egress_line(self) -> Self {
        let (tenant_id, host) = (TENANT.to_owned(), Some("data.example.org".to_owned()));
        self.then(Event::EgressDecided(EgressLine { tenant_id, host, refused: None }))
    }
}
