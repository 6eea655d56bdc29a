//! COST-2, the other side: a tenant that stays within its limits is not cut off, however close it comes.

use super::{Finding, Hint, History, Rule, Source, Violation, quarantines::Quarantines};
use reports::{
    event::{LimitFacts, TenantOutcome},
    level::Level,
};

pub const RULE: Rule = Rule {
    id: "COST-2",
    checker: "within-limits-runs",
    says: "COST-2: a tenant within its limits is not cut off",
    example: "{}",
    level: Level::Must,
    sources: &[Source::Promise {
        place: "README.md, Configuring the dispatcher",
        what: "what an invocation may use on each plan",
    }],
    hint: Hint {
        cause: "the limits of another plan are dispatched, or a quarantine or an override holds that should not",
        look_at: "dispatcher/core/src/quarantine/allowance.rs",
    },
};

/// A run that uses less than this share of its CPU limit, and none of its subrequests, says nothing.
const CLOSE: f64 = 0.5;

pub fn judge(history: &History) -> Finding {
    let quarantines = Quarantines::of(history);
    let (mut close, mut violations) = (0, Vec::new());
    for end in history.tenant_ends() {
        let Some(tenant) = history.tenant_with_script(&end.script) else { continue };
        let (plans, put_away) = quarantines.limits_at(tenant, end.at_us);
        let LimitFacts { cpu_ms, sub_requests } = put_away.unwrap_or(plans);
        let (used, sent) = (end.cpu_used_ms.unwrap_or_default(), f64::from(end.subrequests));
        let request = end.request_id.as_deref().unwrap_or("unknown");
        let early = if end.outcome == TenantOutcome::ExceededCpu && used < cpu_ms {
            Some(format!("cut off at {used:.1} ms of CPU, and it has {cpu_ms}"))
        } else if end.subrequests_refused > 0 && sent < sub_requests {
            Some(format!("refused after {sent} subrequests, and it has {sub_requests}"))
        } else {
            None
        };
        close += usize::from(early.is_some() || used >= cpu_ms * CLOSE || sent >= sub_requests * CLOSE);
        violations
            .extend(early.map(|what| Violation::new(format!("request {request} to {}: {what}", tenant.id), end.line)));
    }
    Finding::of(close, "runs that came close to a limit", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn a_run_that_came_close_and_went_on_is_a_pass_and_one_that_did_not_come_close_says_nothing() {
        let close = Story::new().served("p1").ended_for_it(|end| end.cpu_used_ms = Some(40.0));
        assert_eq!(judge(&close.history()).verdict, Verdict::Pass);
        let idle = Story::new().served("p1").ended_for_it(|end| end.cpu_used_ms = Some(1.0));
        assert_eq!(judge(&idle.history()).verdict, Verdict::Unknown);
    }

    #[test]
    fn a_run_that_was_cut_off_early_is_seen() {
        let cut = Story::new().served("p1").ended_for_it(|end| {
            (end.outcome, end.cpu_used_ms) = (TenantOutcome::ExceededCpu, Some(5.1));
        });
        assert_eq!(shown(&judge(&cut.history())), [3]);
        let refused = Story::new().served("p1").ended_for_it(|end| (end.subrequests, end.subrequests_refused) = (1, 1));
        assert_eq!(shown(&judge(&refused.history())), [3]);
    }
}
