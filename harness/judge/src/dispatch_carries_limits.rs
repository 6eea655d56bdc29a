//! COST-1: every dispatch carries its plan's limits, under the keys that the platform reads. Judged by what the namespace
//! was handed, not by what the dispatcher meant: a key that is misspelt arrives as none. Of a tenant that was put into
//! quarantine, a run may carry that one's instead; when it must, COST-6 says.

use super::{Finding, Hint, History, Rule, Source, Violation, quarantines::Quarantines};
use reports::level::Level;

pub const RULE: Rule = Rule {
    id: "COST-1",
    checker: "dispatch-carries-limits",
    says: "COST-1: every dispatch carries its plan's limits",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "Cloudflare, Workers for Platforms, custom limits",
            says: "limits: { cpuMs, subRequests } on get",
        },
        Source::Spec {
            document: "workerd, ResourceLimits",
            says: "other keys are ignored, so a key that is misspelt is no limit",
        },
    ],
    hint: Hint {
        cause: "the limits are left out, or under the names that a wrangler config has (cpu_ms, subrequests)",
        look_at: "dispatcher/worker/src/ports/namespace.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let mut violations = Vec::new();
    let mut dispatches = 0;
    let quarantines = Quarantines::of(history);
    for run in history.tenant_runs() {
        dispatches += 1;
        let request = run.request_id.as_deref().unwrap_or("unknown");
        let Some(tenant) = history.tenant_of_script(&run.script) else {
            let what = format!("request {request} ran script {}, which is no tenant's", run.script);
            violations.push(Violation::new(what, run.line));
            continue;
        };
        let (plans, put_away) = quarantines.limits_at(tenant, run.at_us);
        if put_away
            .is_some_and(|limits| (run.cpu_ms, run.sub_requests) == (Some(limits.cpu_ms), Some(limits.sub_requests)))
        {
            continue;
        }
        for (key, passed, wanted) in
            [("cpuMs", run.cpu_ms, plans.cpu_ms), ("subRequests", run.sub_requests, plans.sub_requests)]
        {
            if passed != Some(wanted) {
                let passed = passed.map_or_else(|| "no limit".to_owned(), |passed| passed.to_string());
                let what = format!("request {request} to {}: {key} is {passed}, the plan's {wanted}", tenant.id);
                violations.push(Violation::new(what, run.line));
            }
        }
    }
    Finding::of(dispatches, "dispatches", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn a_limit_that_is_missing_or_another_plans_is_seen() {
        assert_eq!(judge(&Story::new().ran(Some(50.0), Some(50.0)).history()).verdict, Verdict::Pass);
        assert_eq!(shown(&judge(&Story::new().ran(None, Some(50.0)).history())), [2]);
        let second = Story::new().ran(Some(50.0), Some(50.0)).ran(Some(50.0), Some(200.0));
        assert_eq!(shown(&judge(&second.history())), [3]);
        assert_eq!(judge(&Story::new().history()).verdict, Verdict::Unknown);
    }
}
