//! COVER-1: every fault took at least one call. A fault that never bit has shown nothing, so the run is not a pass.

use super::{Finding, History};
use reports::summary;

pub fn judge(history: &History) -> Finding {
    let faults = summary::faults(&history.events);
    let idle = faults.iter().filter(|summary| summary.hits == 0);
    let violations = idle
        .map(|summary| {
            let fault = &summary.fault;
            format!("{} on {} (fault {}) took no call", fault.inject, fault.on, fault.index + 1)
        })
        .collect();
    let hits: Vec<_> = faults.iter().map(|summary| format!("{} {}", summary.fault.inject, summary.hits)).collect();
    let finding = Finding::of(faults.len(), "faults", violations);
    let detail = format!("{}; calls taken: {}", finding.detail, hits.join(", "));
    finding.with_detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn a_fault_that_took_no_call_is_seen() {
        let bit =
            Story::new().fault("hang").settle_with("p1", "primary", NOTHING, |call| call.fault = Some(fault("hang")));
        assert_eq!(judge(&bit.history()).verdict, Verdict::Pass);
        assert_eq!(judge(&Story::new().fault("hang").history()).verdict, Verdict::Fail);
    }
}
