//! LATENCY: a quantile of a phase's latency, measured from when a request was due.

use super::{Finding, History};
use reports::{latency::Latencies, verdict::Verdict};
use std::time::Duration;

pub fn judge(history: &History, phase: &str, quantile: f64, at_most: Duration) -> Finding {
    let latencies = Latencies::of(&history.events);
    let Some(seen) = latencies.quantile(phase, quantile) else {
        return Finding::unknown(format!("no request was due in {phase}"));
    };
    let detail =
        format!("p{quantile} of {phase} is {} ms, at most {} ms wanted", seen.as_millis(), at_most.as_millis());
    let verdict = if seen <= at_most { Verdict::Pass } else { Verdict::Fail };
    Finding { verdict, detail, witness: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;

    #[test]
    fn a_phase_over_its_bound_is_seen() {
        let history = Story::new().phase("steady").served("p1").history();
        let verdict = |phase, millis| judge(&history, phase, 95.0, Duration::from_millis(millis)).verdict;
        assert_eq!(verdict("steady", 60_000), Verdict::Pass);
        assert_eq!(verdict("steady", 0), Verdict::Fail);
        assert_eq!(verdict("outage", 60_000), Verdict::Unknown);
    }
}
