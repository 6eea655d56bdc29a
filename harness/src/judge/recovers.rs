//! LIVE-1: once a fault has healed, success is back at its steady level within the bound. The steady level is what the
//! first phase had, before anything was injected. Resent payments are left to the money rules: they began earlier.

use super::{Finding, History, history::tell};
use reports::{
    event::{Exchange, ExchangeKind, ExchangeOutcome},
    summary,
};
use std::time::Duration;

pub fn judge(history: &History, after: &str, within: Duration) -> Finding {
    let phases = summary::phases(&history.events);
    let Some(healed_us) = phases.iter().find(|phase| phase.name == after).map(|phase| phase.to_ms * 1000) else {
        return Finding::unknown(format!("phase {after} never was"));
    };
    let Some(first) = phases.first() else { return Finding::unknown("no phase began") };
    let begun: Vec<_> = history.exchanges.iter().filter(|exchange| exchange.kind != ExchangeKind::Resend).collect();
    let steady: Vec<_> = begun.iter().copied().filter(|exchange| exchange.phase == first.name).collect();
    let bound_us = healed_us + within.as_micros() as u64;
    let late: Vec<_> = begun.iter().copied().filter(|exchange| exchange.due_us >= bound_us).collect();
    if steady.is_empty() || late.is_empty() {
        return Finding::unknown("no traffic in the first phase, or none after the bound");
    }
    let (steady_bad, late_bad) = (bad(&steady), bad(&late));
    // Shares, crosswise, so that nothing is rounded.
    let worse = late_bad.len() * steady.len() > steady_bad.len() * late.len();
    let violations = if worse { late_bad.iter().map(|exchange| tell(exchange)).collect() } else { Vec::new() };
    let healing: Vec<_> =
        begun.iter().copied().filter(|exchange| (healed_us..bound_us).contains(&exchange.due_us)).collect();
    let last_bad_us = bad(&healing).iter().map(|exchange| exchange.due_us).max();
    let took = last_bad_us
        .map_or_else(|| "at once".to_owned(), |last| format!("{:.1} s after", (last - healed_us) as f64 / 1e6));
    let finding = Finding::of(late.len(), "requests due after the bound", violations);
    let detail = format!(
        "{}; steady success {:.1} %, back {took}",
        finding.detail,
        100.0 * (steady.len() - steady_bad.len()) as f64 / steady.len() as f64
    );
    finding.with_detail(detail)
}

/// Requests that did not get what their sender came for.
fn bad<'a>(exchanges: &[&'a Exchange]) -> Vec<&'a Exchange> {
    let good = |exchange: &Exchange| match (&exchange.outcome, exchange.kind) {
        (ExchangeOutcome::Answered(_), _) if exchange.flaw.is_some() => true,
        (ExchangeOutcome::Answered(answer), ExchangeKind::Unpaid | ExchangeKind::Challenge) => {
            (200..300).contains(&answer.status) || (answer.status == 402 && answer.offered)
        }
        (ExchangeOutcome::Answered(answer), ExchangeKind::Payment | ExchangeKind::Resend) => {
            (200..300).contains(&answer.status)
        }
        // They came to be refused, or did not wait for more.
        (ExchangeOutcome::Answered(_), ExchangeKind::Duplicate | ExchangeKind::Elsewhere | ExchangeKind::Preflight)
        | (ExchangeOutcome::HungUp, _) => true,
        (ExchangeOutcome::Failed { .. }, _) => false,
    };
    exchanges.iter().filter(|exchange| !good(exchange)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;
    use reports::verdict::Verdict;

    fn story() -> Story {
        Story::new().phase("steady").served("p1").served("p2").phase("outage").phase("recovery")
    }

    #[test]
    fn success_that_comes_back_is_a_pass() {
        let history = story().served("p3").history();
        assert_eq!(judge(&history, "outage", Duration::ZERO).verdict, Verdict::Pass);
    }

    #[test]
    fn success_that_stays_away_is_seen() {
        let history = story().served("p3").answered(Some("p4"), 503, |_| {}).history();
        assert_eq!(judge(&history, "outage", Duration::ZERO).verdict, Verdict::Fail);
    }

    #[test]
    fn no_traffic_afterwards_is_unknown() {
        assert_eq!(judge(&story().history(), "outage", Duration::ZERO).verdict, Verdict::Unknown);
    }
}
