//! COST-4: a facilitator that is up and down by turns is not taken back at every up, or callers would wait at every down.
//! The one rule that is judged by what the dispatcher says: its standings are what must not flap.

use super::{Finding, History};
use std::collections::BTreeMap;

pub fn judge(history: &History, at_most: usize) -> Finding {
    let mut changes: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for (at_us, change) in &history.standings {
        let told = format!("{} at {:.1} s ({})", change.to, *at_us as f64 / 1e6, change.reason);
        changes.entry((&change.facilitator, change.call)).or_default().push(told);
    }
    let often = changes.iter().filter(|(_, changes)| changes.len() > at_most);
    let violations = often
        .map(|((facilitator, call), changes)| {
            format!("{call:?} at {facilitator} changed {} times: {}", changes.len(), changes.join(", "))
        })
        .collect();
    let most = changes.values().map(Vec::len).max().unwrap_or_default();
    let finding = Finding::of(changes.len(), "standings that changed", violations);
    let detail = format!("{}; at most {most} changes of one", finding.detail);
    finding.with_detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn a_standing_that_flaps_is_seen_and_one_that_never_changed_says_nothing() {
        let story = || Story::new().standing("primary", "quarantined").standing("primary", "healthy");
        assert_eq!(judge(&story().history(), 2).verdict, Verdict::Pass);
        assert_eq!(judge(&story().standing("primary", "quarantined").history(), 2).verdict, Verdict::Fail);
        assert_eq!(judge(&story().standing("standby", "quarantined").history(), 2).verdict, Verdict::Pass);
        assert_eq!(judge(&Story::new().history(), 2).verdict, Verdict::Unknown);
    }
}
