//! One request's names on its way, and how far its tenant's run has come.

use crate::{refusal::Refusal, telemetry::RunLine, tenant_failure::TenantFailure};
use std::{borrow::Cow, cell::RefCell};
use x402_paywall::{UnixMillis, trace::Trace};

/// The name of a run among a request's spans.
const RUN: &str = "run";

/// The code of a failure, as its caller is told.
fn code(failure: TenantFailure) -> Cow<'static, str> {
    Refusal::from(failure).code().to_owned().into()
}

/// One request's.
pub(crate) struct Course {
    pub request_id: String,
    pub trace: Trace,
    run: RefCell<Option<RunLine>>,
}

impl Course {
    pub fn begin(request_id: String, traceparent: Option<&str>) -> Self {
        let trace = Trace::begin(traceparent, &request_id);
        Self { request_id, trace, run: RefCell::default() }
    }

    /// The tenant's Worker is about to run. Returns the `traceparent` that it is to have.
    pub fn runs(&self, at: UnixMillis) -> String {
        let span = self.trace.child(RUN, at);
        let header = self.trace.header(&span);
        // Until something else is known, it was cut off.
        let ended = code(TenantFailure::TimeLimit);
        self.run.replace(Some(RunLine { at_ms: at, ms: None, ended, span }));
        header
    }

    /// The Worker answered with a status, or failed.
    pub fn ran(&self, ended: Result<u16, TenantFailure>, now: UnixMillis) {
        if let Some(run) = &mut *self.run.borrow_mut() {
            run.ms = Some(now.since(run.at_ms));
            run.ended = ended.map_or_else(code, |status| status.to_string().into());
        }
    }

    /// The run, for the request's line.
    pub fn run(&self) -> Option<RunLine> {
        self.run.borrow().clone()
    }
}
