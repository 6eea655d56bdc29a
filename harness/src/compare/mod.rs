//! Two sides of one scenario beside each other: one run of each, or several made in turns. What is compared is
//! how long requests waited, in each phase, from when they were due.

mod statistics;

use std::{
    collections::BTreeSet,
    fmt::Write,
    path::{Path, PathBuf},
};

use reports::{
    event::{Event, ExchangeOutcome, Recorded},
    level::Level,
    machine,
    report::{Check, Report},
    verdict::Verdict,
};
use serde::Serialize;

use crate::exit::Exit;
pub use statistics::{Outcome, Ratio, compare};

/// Version of the comparison's JSON. Raised when a field changes its meaning or goes away.
const COMPARISON_SCHEMA: u32 = 1;

const QUANTILES: [f64; 2] = [0.50, 0.95];

/// A phase with fewer requests in a round says nothing of its 95th percentile.
const ENOUGH: usize = 20;

/// Others that have so much of all cores, on average, make a comparison of two runs worthless.
const OTHERS_HAVE: f64 = 0.25;

/// One side: its rounds, in the order in which they ran.
#[derive(Clone, Debug, Default)]
pub struct Side {
    pub name: String,
    rounds: Vec<Vec<Recorded>>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    schema: u32,
    pub first: String,
    pub second: String,
    /// How many runs there are of each.
    pub rounds: [usize; 2],
    /// The most by which the second may be slower.
    pub allowed: f64,
    pub phases: Vec<Compared>,
    /// The load of the machine beside the runs of either, in cores, on average.
    pub others: [Option<f64>; 2],
    pub verdict: Verdict,
    pub exit_code: u8,
}

#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    pub phase: String,
    /// In percent.
    pub quantile: f64,
    /// Absent where either side has too few requests.
    pub ratio: Option<Ratio>,
}

impl Side {
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), rounds: Vec::new() }
    }

    pub fn add(&mut self, events: Vec<Recorded>) {
        self.rounds.push(events);
    }

    /// The waits of a phase's requests, for each round.
    fn waits(&self, phase: &str) -> Vec<Vec<f64>> {
        self.rounds.iter().map(|round| waits(round, phase)).collect()
    }

    fn phases(&self) -> impl Iterator<Item = &str> {
        self.rounds.iter().flatten().filter_map(|recorded| match &recorded.event {
            Event::PhaseStarted { phase } => Some(phase.as_str()),
            _ => None,
        })
    }

    fn others(&self) -> Option<(f64, u32)> {
        let machines: Vec<_> = self.rounds.iter().filter_map(|round| machine::throughout(round)).collect();
        let cores = machines.first()?.cores;
        Some((machines.iter().map(|machine| machine.others).sum::<f64>() / machines.len() as f64, cores))
    }
}

fn waits(events: &[Recorded], phase: &str) -> Vec<f64> {
    let waited = events.iter().filter_map(|recorded| match &recorded.event {
        Event::ExchangeEnded(exchange) if exchange.phase == phase && exchange.outcome != ExchangeOutcome::HungUp => {
            Some(exchange.ended_us.saturating_sub(exchange.due_us).max(1) as f64)
        }
        _ => None,
    });
    waited.collect()
}

impl Comparison {
    /// `allowed` is a share: 0.05 is 5 %.
    #[must_use]
    pub fn of(first: &Side, second: &Side, allowed: f64) -> Self {
        let mut seen = BTreeSet::new();
        let phases: Vec<&str> = first.phases().filter(|phase| seen.insert(*phase)).collect();
        let mut compared = Vec::new();
        for phase in phases {
            let (one, other) = (first.waits(phase), second.waits(phase));
            let enough = one.iter().chain(&other).all(|round| round.len() >= ENOUGH);
            for quantile in QUANTILES {
                let ratio = enough.then(|| compare(&one, &other, quantile, allowed)).flatten();
                compared.push(Compared { phase: phase.to_owned(), quantile: quantile * 100.0, ratio });
            }
        }
        let others = [first.others(), second.others()];
        let is_busy = others.iter().flatten().any(|(others, cores)| *others >= f64::from(*cores) * OTHERS_HAVE);
        let outcome = |ratio: &Ratio| match ratio.outcome {
            // Rounds in turns share what others did; single runs do not.
            Outcome::Slower if is_busy && first.rounds.len().min(second.rounds.len()) < 2 => Verdict::Unknown,
            Outcome::Slower => Verdict::Fail,
            Outcome::NotSlower => Verdict::Pass,
            Outcome::TooNoisy => Verdict::Unknown,
        };
        let verdict = Verdict::merge(compared.iter().filter_map(|one| one.ratio.as_ref()).map(outcome));
        let exit = match verdict {
            Verdict::Pass => Exit::Pass,
            Verdict::Fail => Exit::TooSlow,
            Verdict::Unknown => Exit::Unknown,
        };
        Self {
            schema: COMPARISON_SCHEMA,
            first: first.name.clone(),
            second: second.name.clone(),
            rounds: [first.rounds.len(), second.rounds.len()],
            allowed,
            phases: compared,
            others: others.map(|one| one.map(|(others, _)| others)),
            verdict,
            exit_code: exit.code(),
        }
    }

    #[must_use]
    pub fn exit(&self) -> Exit {
        match self.verdict {
            Verdict::Pass => Exit::Pass,
            Verdict::Fail => Exit::TooSlow,
            Verdict::Unknown => Exit::Unknown,
        }
    }

    /// As a report: a check a phase and quantile.
    #[must_use]
    pub fn report(&self) -> Report {
        let check = |one: &Compared| {
            let says = format!(
                "{}, p{:.0}: the second is at most {:.0} % slower",
                one.phase,
                one.quantile,
                self.allowed * 100.0
            );
            let Some(ratio) = &one.ratio else {
                return Check {
                    level: Level::Observe,
                    ..Check::of("COMPARE", "compare", &says, Verdict::Unknown, "too few requests")
                };
            };
            let verdict = match ratio.outcome {
                Outcome::Slower if self.verdict != Verdict::Fail => Verdict::Unknown,
                Outcome::Slower => Verdict::Fail,
                Outcome::NotSlower => Verdict::Pass,
                Outcome::TooNoisy => Verdict::Unknown,
            };
            let detail = format!("{:.2} times as slow, {:.2} to {:.2}", ratio.ratio, ratio.from, ratio.to);
            Check::of("COMPARE", "compare", &says, verdict, &detail)
        };
        let checks = self.phases.iter().map(check).collect();
        Report::of_checks("compare", &format!("{} beside {}", self.second, self.first), checks, self.exit_code)
    }

    #[must_use]
    pub fn table(&self) -> String {
        let mut out = String::new();
        self.write(&mut out).expect("writing to a string cannot fail");
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "first   {} ({} runs)", self.first, self.rounds[0])?;
        writeln!(
            out,
            "second  {} ({} runs), which may be {:.0} % slower\n",
            self.second,
            self.rounds[1],
            self.allowed * 100.0
        )?;
        let width = self.phases.iter().map(|one| one.phase.chars().count()).max().unwrap_or(0).max("phase".len());
        writeln!(out, "  {:width$}  {:>5}  {:>7}  {:>17}", "phase", "", "second", "95 % interval")?;
        for one in &self.phases {
            write!(out, "  {:width$}  {:>5}  ", one.phase, format!("p{:.0}", one.quantile))?;
            match &one.ratio {
                None => writeln!(out, "too few requests")?,
                Some(ratio) => {
                    let said = match ratio.outcome {
                        Outcome::Slower => "slower",
                        Outcome::NotSlower => "not slower",
                        Outcome::TooNoisy => "too noisy to say",
                    };
                    let interval = format!("{:.2} to {:.2}", ratio.from, ratio.to);
                    writeln!(out, "{:>6.2}x  {interval:>17}  {said}", ratio.ratio)?;
                }
            }
        }
        if self.rounds.contains(&1) {
            writeln!(
                out,
                "\nOne run of a side says nothing of what differs from run to run: the intervals are too narrow."
            )?;
        }
        for (name, others) in [&self.first, &self.second].into_iter().zip(self.others) {
            if let Some(others) = others {
                writeln!(out, "Others had {others:.1} cores on average beside {name}.")?;
            }
        }
        writeln!(out, "\n{}", self.verdict.as_str())
    }
}

/// The runs that a path names: itself, or those in it.
#[must_use]
pub fn runs_at(path: &Path) -> Vec<PathBuf> {
    if path.is_file() || path.join(crate::play::EVENTS).is_file() {
        return vec![path.to_owned()];
    }
    let inside = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut runs: Vec<PathBuf> = inside.filter(|folder| folder.join(crate::play::EVENTS).is_file()).collect();
    runs.sort();
    // What is no run is told as such by whoever reads it.
    if runs.is_empty() { vec![path.to_owned()] } else { runs }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run with so many requests in one phase, each of which waits so long, give or take a tenth.
    fn run(requests: u64, wait_us: u64, others: f64) -> Vec<Recorded> {
        let load = serde_json::json!({ "at_us": 1, "event": "machine_load", "cores": 2, "busy": others, "ours": 0.0 });
        let phase = serde_json::json!({ "at_us": 0, "event": "phase_started", "phase": "steady" });
        let exchange = |n: u64| {
            serde_json::json!({
                "at_us": n, "event": "exchange_ended", "exchange": n, "kind": "unpaid", "phase": "steady", "tenant": "acme",
                "method": "GET", "target": "/", "purchase": null, "payment": null, "due_us": 0, "sent_us": 0,
                "ended_us": wait_us + wait_us / 100 * (n % 10), "outcome": { "failed": { "what": "no matter" } },
            })
        };
        let all = [phase, load].into_iter().chain((0..requests).map(exchange));
        all.map(|event| serde_json::from_value(event).expect("it is an event")).collect()
    }

    fn side(runs: &[(u64, u64, f64)]) -> Side {
        let mut side = Side::new("a side");
        runs.iter().for_each(|(requests, wait_us, others)| side.add(run(*requests, *wait_us, *others)));
        side
    }

    #[test]
    fn a_slower_build_is_refused_and_the_same_one_is_not() {
        let (quick, slow) = (side(&[(40, 10_000, 0.0); 3]), side(&[(40, 13_000, 0.0); 3]));
        let refused = Comparison::of(&quick, &slow, 0.05);
        assert_eq!((refused.verdict, refused.exit()), (Verdict::Fail, Exit::TooSlow));
        assert!(refused.table().contains("1.30x") && refused.table().contains("slower"), "{}", refused.table());
        assert_eq!(Comparison::of(&quick, &quick, 0.05).exit(), Exit::Pass);
        assert_eq!(Comparison::of(&slow, &quick, 0.05).exit(), Exit::Pass, "faster is fine");
    }

    #[test]
    fn a_busy_machine_beside_single_runs_and_too_few_requests_are_unknown() {
        let (quick, slow) = (side(&[(40, 10_000, 0.0)]), side(&[(40, 13_000, 1.2)]));
        assert_eq!(Comparison::of(&quick, &slow, 0.05).exit(), Exit::Unknown);
        let few = side(&[(5, 10_000, 0.0)]);
        assert_eq!(Comparison::of(&few, &few, 0.05).exit(), Exit::Unknown);
    }
}
