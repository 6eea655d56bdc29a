//! COST-2: what one tenant burns is not taken from the others: their p95 in a phase stays beside what it was in another of
//! the same run. Who burns is read off what the namespace measured, so a scenario cannot name the wrong tenant.
//!
//! Machine and minute are the same for both phases, and nothing else is. So more than noise is what is both beyond the
//! scenario's bound and more than twice as slow; and where something else was busy for a part of the run, run it again.

use super::{Finding, Hint, History, Rule, Source, Violation, history::At, tell::ms};
use reports::{
    event::{Exchange, ExchangeOutcome},
    level::Level,
    verdict::Verdict,
};
use std::{collections::BTreeSet, time::Duration};

pub const RULE: Rule = Rule {
    id: "COST-2",
    checker: "neighbours-unmoved",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "Cloudflare, Workers for Platforms, custom limits",
            says: "limits keep a user Worker from consuming more than its share",
        },
        Source::Promise {
            place: "README.md, Configuring the dispatcher",
            what: "what an invocation may use on each plan",
        },
    ],
    hint: Hint {
        cause: "limits are not dispatched, or tenants wait for each other in the dispatcher",
        look_at: "dispatcher/worker/src/ports/namespace.rs",
    },
};

/// A tenant burns if one of its runs used up so much of its plan's CPU, or all of its subrequests.
const MUCH: f64 = 0.5;
/// p95 of fewer is the slowest of them.
const ENOUGH: usize = 20;
const QUANTILE: f64 = 0.95;
/// On a machine that is busy anyhow, p95 alone moves by as much as it is.
const TIMES: u64 = 2;

/// `within`: what noise alone moves.
pub fn judge(history: &History, phase: &str, against: &str, within: Duration) -> Finding {
    let burning = burning(history);
    if burning.is_empty() {
        return Finding::unknown("no tenant used much of what it may");
    }
    let neighbours = |phase: &str| {
        let is_one = |exchange: &At<'_, Exchange>| {
            exchange.phase == phase
                && exchange.outcome != ExchangeOutcome::HungUp
                && !burning.contains(exchange.tenant.as_str())
        };
        let mut exchanges: Vec<_> = history.exchanges().filter(is_one).collect();
        exchanges.sort_by_key(took);
        exchanges
    };
    let (quiet, loud) = (neighbours(against), neighbours(phase));
    if quiet.len() < ENOUGH || loud.len() < ENOUGH {
        let what = format!("only {} and {} requests of neighbours in {against} and {phase}", quiet.len(), loud.len());
        return Finding::unknown(what);
    }
    let (was, is) = (took(&quiet[slowest_but(quiet.len())]), took(&loud[slowest_but(loud.len())]));
    let names = Vec::from_iter(burning).join(", ");
    let detail = format!(
        "beside {names} the others' p95 is {} ms in {phase}, and was {} ms in {against}; {} ms more, or twice that, are noise",
        ms(is),
        ms(was),
        within.as_millis()
    );
    if is <= (was + within.as_micros() as u64).max(was * TIMES) {
        return Finding { verdict: Verdict::Pass, detail, violations: Vec::new() };
    }
    let worse = &loud[slowest_but(loud.len())..];
    let violation = Violation::new(detail.as_str(), worse[0].line).and(worse.iter().map(|exchange| exchange.line));
    Finding { verdict: Verdict::Fail, detail, violations: vec![violation] }
}

fn burning(history: &History) -> BTreeSet<&str> {
    let burns = history.tenant_ends().filter_map(|end| {
        let tenant = history.tenant_with_script(&end.what.script)?;
        let cpu = end.cpu_used_ms.is_some_and(|used| used >= tenant.cpu_ms * MUCH);
        (cpu || f64::from(end.subrequests) >= tenant.sub_requests).then_some(tenant.id.as_str())
    });
    burns.collect()
}

fn took(exchange: &At<'_, Exchange>) -> u64 {
    exchange.ended_us.saturating_sub(exchange.due_us)
}

/// By nearest rank.
fn slowest_but(count: usize) -> usize {
    ((count as f64 * QUANTILE).ceil() as usize).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;

    const NOISE: Duration = Duration::from_millis(50);

    /// So many requests of each tenant in both phases, those of the second phase slower by so much.
    fn story(count: usize, slower_us: u64, who: &str) -> Story {
        let asked = |story: Story, tenant: &str, slower_us: u64| {
            let (tenant, kind) = (tenant.to_owned(), reports::event::ExchangeKind::Payment);
            story.sent("p", kind, 200, move |exchange, _| {
                exchange.tenant.clone_from(&tenant);
                exchange.ended_us += slower_us;
            })
        };
        let phase = |story: Story, name: &str, slower_us: u64| {
            (0..count).fold(story.phase(name), |story, _| asked(asked(story, TENANT, 0), who, slower_us))
        };
        phase(phase(Story::new(), "quiet", 0), "burn", slower_us)
    }

    fn burnt(story: Story) -> History {
        story.ended_for_it(|end| end.cpu_used_ms = Some(50.1)).history()
    }

    #[test]
    fn neighbours_that_are_as_fast_as_they_were_are_a_pass() {
        assert_eq!(judge(&burnt(story(20, 40_000, "globex")), "burn", "quiet", NOISE).verdict, Verdict::Pass);
    }

    #[test]
    fn neighbours_that_became_slower_are_seen() {
        let finding = judge(&burnt(story(20, 900_000, "globex")), "burn", "quiet", NOISE);
        assert_eq!(finding.verdict, Verdict::Fail, "{}", finding.detail);
        assert!(finding.detail.contains("beside acme"), "{}", finding.detail);
    }

    #[test]
    fn who_burns_is_no_neighbour_of_its_own() {
        assert_eq!(judge(&burnt(story(20, 900_000, TENANT)), "burn", "quiet", NOISE).verdict, Verdict::Unknown);
    }

    #[test]
    fn without_a_burn_or_enough_requests_nothing_is_known() {
        assert_eq!(judge(&story(20, 0, "globex").history(), "burn", "quiet", NOISE).verdict, Verdict::Unknown);
        assert_eq!(judge(&burnt(story(5, 0, "globex")), "burn", "quiet", NOISE).verdict, Verdict::Unknown);
    }
}
