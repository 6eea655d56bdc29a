//! COVER-2: requests were answered in every phase, and purchases were served. Rules that held without traffic show nothing.

use super::{Finding, History};
use reports::{event::PurchaseOutcome, summary};

pub fn judge(history: &History) -> Finding {
    let phases = summary::phases(&history.events);
    let mut violations: Vec<_> = phases
        .iter()
        .filter(|phase| phase.requests == phase.failed)
        .map(|phase| format!("no request was answered in {}", phase.name))
        .collect();
    let served = history.purchases.iter().filter(|purchase| purchase.outcome == PurchaseOutcome::Served).count();
    if served == 0 {
        violations.push("no purchase was served".to_owned());
    }
    let finding = Finding::of(phases.len(), "phases", violations);
    let detail = format!("{}; {served} of {} purchases were served", finding.detail, history.purchases.len());
    finding.with_detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn a_phase_without_an_answer_is_seen() {
        let flowing = Story::new().phase("steady").served("p1").purchase(&["p1"]);
        assert_eq!(judge(&flowing.history()).verdict, Verdict::Pass);
        let dry = Story::new().phase("steady").served("p1").purchase(&["p1"]).phase("outage");
        assert_eq!(judge(&dry.history()).verdict, Verdict::Fail);
    }
}
