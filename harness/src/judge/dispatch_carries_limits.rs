//! COST-1: every dispatch carries its plan's limits, under the keys that the platform reads. Judged by what the namespace
//! was handed, not by what the dispatcher meant: a key that is misspelt arrives as none.

use super::{Finding, History};
use std::collections::BTreeMap;

pub fn judge(history: &History) -> Finding {
    let by_script: BTreeMap<_, _> = history.tenants.values().map(|tenant| (tenant.script.as_str(), tenant)).collect();
    let mut violations = Vec::new();
    for run in &history.tenant_runs {
        let request = run.request_id.as_deref().unwrap_or("unknown");
        let Some(tenant) = by_script.get(run.script.as_str()) else {
            violations.push(format!("request {request} ran script {}, which is no tenant's", run.script));
            continue;
        };
        for (key, passed, wanted) in
            [("cpuMs", run.cpu_ms, tenant.cpu_ms), ("subRequests", run.sub_requests, tenant.sub_requests)]
        {
            if passed != Some(wanted) {
                let passed = passed.map_or_else(|| "no limit".to_owned(), |passed| passed.to_string());
                violations.push(format!("request {request} to {}: {key} is {passed}, the plan's {wanted}", tenant.id));
            }
        }
    }
    Finding::of(history.tenant_runs.len(), "dispatches", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn a_limit_that_is_missing_or_another_plans_is_seen() {
        assert_eq!(judge(&Story::new().ran(Some(50.0), Some(50.0)).history()).verdict, Verdict::Pass);
        assert_eq!(judge(&Story::new().ran(None, Some(50.0)).history()).verdict, Verdict::Fail);
        assert_eq!(judge(&Story::new().ran(Some(50.0), Some(200.0)).history()).verdict, Verdict::Fail);
        assert_eq!(judge(&Story::new().history()).verdict, Verdict::Unknown);
    }
}
