//! COST-2: what one tenant burns is not taken from the others: each of them is answered in a phase as it was in another of the
//! same run. Who burns is read off what the namespace measured, so a scenario cannot name the wrong tenant.
//!
//! Of a neighbour's answers one in twenty is slower than its quiet p95, by what that is; it is moved where more than one in four
//! are. With a hundred answers in each phase chance does that to one neighbour in ten thousand (with sixty to one in four hundred),
//! whatever their distribution; and a stutter that would lift p95 itself, which hangs on the slowest few, does not. What somebody
//! else's processes do to the machine stands in the history beside: where it may be what moved them, nothing is known.

use super::{
    Finding, Hint, History, Rule, Source, Violation,
    about::{self, About},
    describe::ms,
    history::At,
};
use grammar::{
    Name, Problems, show,
    text::{NameText, TimeText},
};
use reports::{
    event::{Event, Exchange, ExchangeOutcome, TenantOutcome},
    level::Level,
    verdict::Verdict,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use toml::Spanned;

pub const RULE: Rule = Rule {
    id: "COST-2",
    checker: "neighbours-unmoved",
    says: "COST-2: beside tenants that burn, each other one is as fast as in a quiet phase",
    example: "{ phase = \"outage\", against = \"steady\", within = \"50ms\" }",
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

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawNeighboursUnmoved {
    #[schemars(with = "NameText")]
    phase: Spanned<String>,
    /// The phase that it is compared with.
    #[schemars(with = "NameText")]
    against: Spanned<String>,
    /// The difference that noise alone makes.
    #[schemars(with = "TimeText")]
    within: Spanned<String>,
}

/// The parameters as they are judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct NeighboursUnmoved {
    phase: Name,
    /// The phase that it is compared with.
    against: Name,
    /// The difference that noise alone makes.
    within: Duration,
}

impl RawNeighboursUnmoved {
    pub fn check(self, about: &impl About, problems: &mut Problems) -> Option<NeighboursUnmoved> {
        Some(NeighboursUnmoved {
            phase: about::phase(&self.phase, about, problems)?,
            against: about::phase(&self.against, about, problems)?,
            within: about::bound(&self.within, about, problems)?,
        })
    }
}

impl NeighboursUnmoved {
    /// The expectation in a report.
    pub fn expects(&self) -> String {
        let (within, Self { phase, against, .. }) = (show(self.within), self);
        format!(
            "beside tenants that burn, three in four of each other's answers of {phase} are within {within} of its p95 of {against}"
        )
    }

    pub fn judge(&self, history: &History) -> Finding {
        judge(history, self.phase.as_str(), self.against.as_str(), self.within)
    }
}

/// A tenant burns if one of its runs used up so much of its plan's CPU, or all of its subrequests, or was ended for its memory.
const MUCH: f64 = 0.5;
/// The fewest requests of each neighbour in either phase.
const ENOUGH: usize = 60;
const QUANTILE: f64 = 0.95;
/// The share of its answers that may be slower than that.
const SLOWER: f64 = 0.25;
/// The share of all cores that others may have used more in the louder phase before they may be what moved the
/// neighbours.
const OTHERS_ROSE: f64 = 0.25;
/// And so much less, before neighbours that are as slow as they were say nothing.
const OTHERS_FELL: f64 = 0.5;
/// The share of the machine at which others move whoever else is there,
const OTHERS_HAVE: f64 = 0.5;
/// unless those who burn had so much of it themselves: then they are what moved their neighbours.
const BURNT: f64 = 0.1;
/// The number of answers in a witness, the slowest first.
const SHOWN: usize = 3;

/// `within`: what noise alone moves.
fn judge(history: &History, phase: &str, against: &str, within: Duration) -> Finding {
    let burning = burning(history);
    if burning.is_empty() {
        return Finding::unknown("no tenant used much of what it may");
    }
    let (quiet, loud) = (by_neighbour(history, against, &burning), by_neighbour(history, phase, &burning));
    let both = |tenant: &&str| [&quiet, &loud].map(|phase| phase.get(tenant).map_or(0, Vec::len));
    let tenants: BTreeSet<&str> = quiet.keys().chain(loud.keys()).copied().collect();
    if let Some(tenant) = tenants.iter().find(|tenant| both(tenant).into_iter().min() < Some(ENOUGH)) {
        let [quiet, loud] = both(tenant);
        return Finding::unknown(format!("only {quiet} and {loud} runs of {tenant} in {against} and {phase}"));
    }
    if tenants.is_empty() {
        return Finding::unknown(format!("nobody but who burns was asked in {against} or {phase}"));
    }
    let compared = tenants.iter().map(|tenant| Compared::of(tenant, &quiet[tenant], &loud[tenant], within));
    let (mut told, mut violations) = (Vec::new(), Vec::new());
    for neighbour in compared {
        let what = neighbour.tell(phase, against);
        if neighbour.is_moved() {
            violations.push(neighbour.violation(&what));
        }
        told.push(what);
    }
    let verdict = if violations.is_empty() { Verdict::Pass } else { Verdict::Fail };
    let machine = Machine::of(history, against, phase, &burning);
    let detail = format!(
        "beside {}: {}{}",
        Vec::from_iter(burning).join(", "),
        told.join("; "),
        machine.map_or_else(String::new, |machine| machine.tell(against, phase))
    );
    if let Some(machine) = machine
        && machine.may_explain(verdict)
    {
        return Finding::unknown(format!("that may be what else the machine did; {detail}"));
    }
    Finding { verdict, detail, violations, is_idle: false }
}

fn burning(history: &History) -> BTreeSet<&str> {
    let burns = history.tenant_ends().filter_map(|end| {
        let tenant = history.tenant_with_script(&end.what.script)?;
        let cpu = end.cpu_used_ms.is_some_and(|used| used >= tenant.cpu_ms * MUCH);
        let memory = end.outcome == TenantOutcome::ExceededMemory;
        (cpu || memory || f64::from(end.subrequests) >= tenant.sub_requests).then_some(tenant.id.as_str())
    });
    burns.collect()
}

/// The exchanges of a phase for which a neighbour's Worker ran, by tenant, the fastest first: what is answered without it shares
/// nothing with who burns.
fn by_neighbour<'a>(
    history: &'a History,
    phase: &str,
    burning: &BTreeSet<&str>,
) -> BTreeMap<&'a str, Vec<At<'a, Exchange>>> {
    let ran: BTreeSet<&str> = history.tenant_runs().filter_map(|run| run.what.request_id.as_deref()).collect();
    let mut exchanges: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for exchange in history.exchanges() {
        let tenant = exchange.what.tenant.as_str();
        let has_run = match &exchange.outcome {
            ExchangeOutcome::Answered(answer) => answer.request_id.as_deref().is_some_and(|id| ran.contains(id)),
            // Whoever got no answer waited for one all the same.
            ExchangeOutcome::Failed { .. } => true,
            ExchangeOutcome::HungUp => false,
        };
        if has_run && exchange.phase == phase && !burning.contains(tenant) {
            exchanges.entry(tenant).or_default().push(exchange);
        }
    }
    exchanges.values_mut().for_each(|exchanges| exchanges.sort_by_key(took));
    exchanges
}

/// A neighbour beside its quiet self.
struct Compared<'a> {
    tenant: &'a str,
    was_us: u64,
    is_us: u64,
    loud: &'a [At<'a, Exchange>],
    /// Slower than it may be, the slowest last.
    slower: &'a [At<'a, Exchange>],
}

impl<'a> Compared<'a> {
    fn of(tenant: &'a str, quiet: &[At<'_, Exchange>], loud: &'a [At<'a, Exchange>], within: Duration) -> Self {
        let p95 = |exchanges: &[At<'_, Exchange>]| took(&exchanges[slowest_but(exchanges.len())]);
        let (was_us, is_us) = (p95(quiet), p95(loud));
        let may = was_us.saturating_add(within.as_micros() as u64);
        let slower = &loud[loud.partition_point(|exchange| took(exchange) <= may)..];
        Self { tenant, was_us, is_us, loud, slower }
    }

    fn is_moved(&self) -> bool {
        self.slower.len() as f64 > self.loud.len() as f64 * SLOWER
    }

    fn tell(&self, phase: &str, against: &str) -> String {
        let (slower, all) = (self.slower.len(), self.loud.len());
        format!(
            "{} has a p95 of {} ms in {phase} and {} ms in {against}, and {slower} of {all} were slower than may be",
            self.tenant,
            ms(self.is_us),
            ms(self.was_us)
        )
    }

    fn violation(&self, what: &str) -> Violation {
        let mut slowest = self.slower.iter().rev().take(SHOWN).map(|exchange| exchange.line);
        let first = slowest.next().expect("whoever moved has slower answers");
        Violation::new(what, first).and(slowest)
    }
}

/// The users of the machine in a phase, in cores on average.
#[derive(Clone, Copy)]
struct Used {
    ours: f64,
    others: f64,
}

/// The load of the machine beside the run.
#[derive(Clone, Copy)]
struct Machine {
    quiet: Used,
    loud: Used,
    /// The cores of those who burn.
    burnt: f64,
    cores: f64,
}

impl Machine {
    /// `None` where the history does not tell it: in virtual time nobody else is there.
    fn of(history: &History, against: &str, phase: &str, burning: &BTreeSet<&str>) -> Option<Self> {
        let loads = history.lines().filter_map(|(_, recorded)| match &recorded.event {
            Event::MachineLoad(load) => Some((recorded.at_us, load)),
            _ => None,
        });
        let mean = |phase: &str| {
            let (from, to) = history.phase_us(phase)?;
            // Each tells of the second before it.
            let within = loads.clone().filter(|(at, _)| (from + SECOND_US..to).contains(at));
            let used: Vec<_> = within.map(|(_, load)| (load.ours, (load.busy - load.ours).max(0.0))).collect();
            let mean = |of: fn(&(f64, f64)) -> f64| used.iter().map(of).sum::<f64>() / used.len() as f64;
            (!used.is_empty()).then(|| Used { ours: mean(|used| used.0), others: mean(|used| used.1) })
        };
        let cores = f64::from(loads.clone().next()?.1.cores);
        Some(Self { quiet: mean(against)?, loud: mean(phase)?, burnt: burnt(history, phase, burning)?, cores })
    }

    fn may_explain(self, verdict: Verdict) -> bool {
        let Self { quiet, loud, burnt, cores } = self;
        match verdict {
            Verdict::Fail => {
                let is_full = loud.others > cores * OTHERS_HAVE && burnt < cores * BURNT;
                is_full || loud.others > quiet.others + cores * OTHERS_ROSE
            }
            Verdict::Pass => quiet.others > loud.others + cores * OTHERS_FELL,
            Verdict::Unknown => false,
        }
    }

    fn tell(self, against: &str, phase: &str) -> String {
        let Self { quiet, loud, burnt, cores } = self;
        let told = |Used { ours, others }| format!("{others:.1} and the run {ours:.1}");
        let (quiet, loud) = (told(quiet), told(loud));
        format!("; of {cores} cores others had {quiet} in {against}, {loud} in {phase}, those who burn {burnt:.2}")
    }
}

/// The use of the runs of those who burn, if they ended after the phase began, in cores until the last of them ended.
fn burnt(history: &History, phase: &str, burning: &BTreeSet<&str>) -> Option<f64> {
    let (from, _) = history.phase_us(phase)?;
    let (mut used_ms, mut until) = (0.0, from);
    for end in history.tenant_ends().filter(|end| end.at_us >= from) {
        if history.tenant_with_script(&end.script).is_some_and(|tenant| burning.contains(tenant.id.as_str())) {
            used_ms += end.cpu_used_ms.unwrap_or_default();
            until = until.max(end.at_us);
        }
    }
    Some(used_ms * 1e3 / until.saturating_sub(from).max(SECOND_US) as f64)
}

const SECOND_US: u64 = 1_000_000;

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
    use crate::testing::*;

    const NOISE: Duration = Duration::from_millis(50);

    /// Tells of `count` requests of each tenant in both phases. One in `slow` of the second is slower by nearly a second;
    /// and what of two cores the run and others had in either.
    fn story(count: usize, slow: usize, who: &str, machine: Option<[(f64, f64); 2]>) -> Story {
        let asked = |story: Story, tenant: &str, slower_us: u64| {
            let (tenant, kind) = (tenant.to_owned(), reports::event::ExchangeKind::Payment);
            let story = story.sent("p", kind, 200, move |exchange, _| {
                exchange.tenant.clone_from(&tenant);
                exchange.ended_us += slower_us;
            });
            story.ran_as(TENANT)
        };
        let phase = |story: Story, name: &str, slow: usize, nth: usize| {
            let slower_us = |n: usize| if slow > 0 && n.is_multiple_of(slow) { 900_000 } else { 0 };
            let story =
                (0..count).fold(story.phase(name), |story, n| asked(asked(story, TENANT, 0), who, slower_us(n)));
            match machine {
                Some(used) => story.machine(used[nth].0, used[nth].1),
                None => story,
            }
        };
        phase(phase(Story::new(), "quiet", 0, 0), "burn", slow, 1)
    }

    fn judged(story: Story) -> Finding {
        judged_with(50.1, story)
    }

    fn judged_with(cpu_ms: f64, story: Story) -> Finding {
        let burnt = story.ended_for_it(|end| end.cpu_used_ms = Some(cpu_ms));
        judge(&burnt.history(), "burn", "quiet", NOISE)
    }

    #[test]
    fn neighbours_that_are_as_fast_as_they_were_are_a_pass() {
        assert_eq!(judged(story(60, 0, "globex", None)).verdict, Verdict::Pass);
    }

    #[test]
    fn a_few_slow_answers_are_noise_and_one_in_two_is_not() {
        let finding = judged(story(60, 8, "globex", None));
        assert_eq!(finding.verdict, Verdict::Pass, "{}", finding.detail);
        let finding = judged(story(60, 2, "globex", None));
        assert_eq!(finding.verdict, Verdict::Fail, "{}", finding.detail);
        assert!(finding.detail.contains("beside acme"), "{}", finding.detail);
        assert_eq!(finding.clearest().map(|violation| violation.lines().len()), Some(SHOWN));
    }

    #[test]
    fn what_others_may_have_done_is_held_against_nobody() {
        let verdict = |slow, quiet, loud| judged(story(60, slow, "globex", Some([quiet, loud]))).verdict;
        assert_eq!(verdict(1, (0.4, 0.1), (0.4, 0.1)), Verdict::Fail, "the machine had room");
        assert_eq!(verdict(1, (0.4, 0.1), (0.4, 0.9)), Verdict::Unknown, "others came");
        assert_eq!(verdict(1, (0.4, 1.5), (0.4, 1.5)), Verdict::Unknown, "others filled it throughout");
        let full = || story(60, 1, "globex", Some([(0.4, 1.5), (0.9, 1.1)]));
        assert_eq!(judged_with(90_000.0, full()).verdict, Verdict::Fail, "and who burns had its share all the same");
        assert_eq!(verdict(0, (0.4, 1.5), (0.4, 1.5)), Verdict::Pass, "nobody was moved");
        assert_eq!(verdict(0, (0.4, 1.5), (0.4, 0.1)), Verdict::Unknown, "the quiet phase was not");
    }

    #[test]
    fn who_burns_is_no_neighbour_of_its_own() {
        assert_eq!(judged(story(60, 1, TENANT, None)).verdict, Verdict::Unknown);
    }

    #[test]
    fn who_is_ended_for_its_memory_burns() {
        let hoarded = story(60, 1, "globex", None).ended_for_it(|end| end.outcome = TenantOutcome::ExceededMemory);
        assert_eq!(judge(&hoarded.history(), "burn", "quiet", NOISE).verdict, Verdict::Fail);
    }

    #[test]
    fn without_a_burn_or_enough_requests_nothing_is_known() {
        let unburnt = story(60, 0, "globex", None).history();
        assert_eq!(judge(&unburnt, "burn", "quiet", NOISE).verdict, Verdict::Unknown);
        assert_eq!(judged(story(5, 0, "globex", None)).verdict, Verdict::Unknown);
    }
}
