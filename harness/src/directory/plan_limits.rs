//! What each plan promises, as the documentation for sellers has it. The judges' own table, on purpose not the
//! dispatcher's: a wrong number there must show here.

use reports::event::LimitFacts;
use scenario::Plan;

/// CPU milliseconds and subrequests per invocation.
#[must_use]
pub fn plan_limits(plan: Plan) -> LimitFacts {
    let (cpu_ms, sub_requests) = match plan {
        Plan::Free => (10.0, 5.0),
        Plan::Pro => (50.0, 50.0),
        Plan::Business => (200.0, 200.0),
        Plan::Enterprise => (1_000.0, 1_000.0),
        Plan::Quarantine => (5.0, 1.0),
    };
    LimitFacts { cpu_ms, sub_requests }
}
