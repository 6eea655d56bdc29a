//! What a bench found, side by side, and whether it is what is wanted.

use std::fmt::Write;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use reports::latency::Latencies;
use reports::report::{Check, Quantiles, Report};
use reports::verdict::Verdict;
use serde::Serialize;

use super::case::{Case, Kind};
use super::load::Seen;
use crate::exit::Exit;

const BENCH_SCHEMA: u32 = 1;

#[derive(Clone, Debug, Serialize)]
pub struct BenchReport {
    pub schema: u32,
    /// The two servers that were compared.
    pub servers: [String; 2],
    pub conditions: Vec<String>,
    pub rounds: u32,
    pub cases: Vec<Compared>,
    pub exit_code: u8,
}

/// One case, the dispatcher beside the reference.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    pub name: &'static str,
    pub dispatcher: Measured,
    pub reference: Measured,
    /// A Worker that does nothing but what the runtime asks of any.
    pub floor: Measured,
    pub targets: Vec<Target>,
}

/// The results of one server in one case, over all rounds.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    pub requests: usize,
    /// Answers that were not what the case asks for. One is enough to make the rest meaningless.
    pub wrong: usize,
    pub first_wrong: Option<String>,
    pub per_second: f64,
    /// The figure of each round, to tell a difference from noise.
    pub per_second_by_round: Vec<f64>,
    /// CPU time of the server, a request: the number that others on the machine disturb least.
    pub cpu_ms: Option<f64>,
    /// Absent where nothing was answered rightly.
    pub latency: Option<Quantiles>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Target {
    pub what: &'static str,
    pub wanted: String,
    /// The dispatcher's share of the reference's number.
    pub ratio: Option<f64>,
    pub met: bool,
}

/// All rounds of one server in one case.
#[derive(Debug, Default)]
pub struct Rounds(pub Vec<Seen>);

impl Rounds {
    pub fn measured(&self) -> Measured {
        // One name: these are the latencies of one case alone.
        const CASE: &str = "case";
        let mut latencies = Latencies::default();
        for took in self.0.iter().flat_map(|seen| &seen.took) {
            latencies.record(CASE, *took);
        }
        let rate = |requests: usize, elapsed: Duration| {
            if elapsed.is_zero() { 0.0 } else { requests as f64 / elapsed.as_secs_f64() }
        };
        let requests = self.0.iter().map(|seen| seen.took.len()).sum();
        let cpu: Option<Duration> = self.0.iter().map(|seen| seen.cpu).sum();
        Measured {
            requests,
            wrong: self.0.iter().map(|seen| seen.wrong).sum(),
            first_wrong: self.0.iter().find_map(|seen| seen.first_wrong.clone()),
            per_second: rate(requests, self.0.iter().map(|seen| seen.elapsed).sum()),
            per_second_by_round: self.0.iter().map(|seen| rate(seen.took.len(), seen.elapsed)).collect(),
            cpu_ms: cpu.filter(|_| requests > 0).map(|cpu| cpu.as_secs_f64() * 1_000.0 / requests as f64),
            latency: latencies.quantiles(CASE),
        }
    }
}

impl Compared {
    pub fn new(case: &Case, [dispatcher, reference, floor]: [Measured; 3]) -> Self {
        let targets = targets(case.kind, &dispatcher, &reference);
        Self { name: case.name, dispatcher, reference, floor, targets }
    }

    fn is_sound(&self) -> bool {
        [&self.dispatcher, &self.reference, &self.floor]
            .iter()
            .all(|measured| measured.wrong == 0 && measured.latency.is_some())
    }
}

fn targets(kind: Kind, dispatcher: &Measured, reference: &Measured) -> Vec<Target> {
    let rate = (reference.per_second > 0.0).then(|| dispatcher.per_second / reference.per_second);
    let p95 = dispatcher.latency.zip(reference.latency).map(|(ours, theirs)| ours.p95_ms / theirs.p95_ms);
    vec![
        Target {
            what: "requests/s",
            wanted: format!(">= {:.2}x", kind.least_rate()),
            ratio: rate,
            met: rate.is_some_and(|ratio| ratio >= kind.least_rate()),
        },
        Target {
            what: "p95",
            wanted: format!("<= {:.2}x", kind.most_p95()),
            ratio: p95,
            met: p95.is_some_and(|ratio| ratio <= kind.most_p95()),
        },
    ]
}

impl BenchReport {
    pub fn new(servers: [String; 2], conditions: Vec<String>, rounds: u32, cases: Vec<Compared>) -> Self {
        let exit_code = exit(&cases).code();
        Self { schema: BENCH_SCHEMA, servers, conditions, rounds, cases, exit_code }
    }

    #[must_use]
    pub fn exit(&self) -> Exit {
        exit(&self.cases)
    }

    /// As a report: a check a target.
    #[must_use]
    pub fn report(&self) -> Report {
        let of_case = |case: &Compared| {
            let wrong = [&case.dispatcher, &case.reference, &case.floor].iter().map(|seen| seen.wrong).sum::<usize>();
            let is_sound = case.is_sound();
            let target = move |name: &'static str, target: &Target| {
                let verdict = match (is_sound, target.met) {
                    (false, _) => Verdict::Unknown,
                    (true, true) => Verdict::Pass,
                    (true, false) => Verdict::Fail,
                };
                let ratio = target.ratio.map_or_else(|| "not measured".to_owned(), |ratio| format!("{ratio:.2}x"));
                let says = format!("{name}: {} is {} of the reference's", target.what, target.wanted);
                let detail = if wrong > 0 { format!("{ratio}, with {wrong} wrong answers") } else { ratio };
                Check::of("BENCH", target.what, &says, verdict, &detail)
            };
            case.targets.iter().map(|one| target(case.name, one)).collect::<Vec<_>>()
        };
        let checks = self.cases.iter().flat_map(of_case).collect();
        let report = Report::of_checks("bench", &self.servers.join(" beside "), checks, self.exit_code);
        Report { fidelity: self.conditions.clone(), ..report }
    }

    /// For a terminal of 100 columns; print it through `anstream`.
    pub fn table(&self) -> String {
        let heading = Style::new().bold();
        let mut out = String::new();
        let mut line = |text: &str| writeln!(out, "{text}").expect("writing to a string cannot fail");
        line(&format!("{heading}{} beside {}{heading:#}", self.servers[0], self.servers[1]));
        for condition in &self.conditions {
            line(&format!("  {condition}"));
        }
        for case in &self.cases {
            line(&format!("\n{heading}{}{heading:#}", case.name));
            line("                requests/s    p50 ms    p95 ms    p99 ms    CPU ms   requests");
            line(&row("dispatcher", &case.dispatcher));
            line(&row("reference", &case.reference));
            line(&row("floor", &case.floor));
            for target in &case.targets {
                let (colour, word) = if target.met { (AnsiColor::Green, "met") } else { (AnsiColor::Red, "missed") };
                let style = colour.on_default();
                let ratio = target.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}x"));
                line(&format!("  {:<12}  {ratio:>8}  wanted {}  {style}{word}{style:#}", target.what, target.wanted));
            }
        }
        out
    }
}

fn exit(cases: &[Compared]) -> Exit {
    if cases.iter().any(|case| !case.is_sound()) {
        return Exit::Unknown;
    }
    let met = cases.iter().flat_map(|case| &case.targets).all(|target| target.met);
    if met { Exit::Pass } else { Exit::TooSlow }
}

fn row(name: &str, measured: &Measured) -> String {
    let latency = measured
        .latency
        .map_or_else(String::new, |at| format!("{:>10.2}{:>10.2}{:>10.2}", at.p50_ms, at.p95_ms, at.p99_ms));
    let cpu = measured.cpu_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.3}"));
    let wrong = measured.first_wrong.as_ref().map_or_else(String::new, |first| {
        let first: String = first.chars().filter(|character| !character.is_control()).take(120).collect();
        format!("\n              {} wrong answers, the first: {first}", measured.wrong)
    });
    format!("  {name:<12}{:>12.0}{latency}{cpu:>10}{:>11}{wrong}", measured.per_second, measured.requests)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(per_second: f64, p95_ms: f64) -> Measured {
        let latency = Some(Quantiles { p50_ms: 1.0, p95_ms, p99_ms: p95_ms, max_ms: p95_ms });
        let per_second_by_round = vec![per_second];
        Measured { requests: 1, wrong: 0, first_wrong: None, per_second, per_second_by_round, cpu_ms: None, latency }
    }

    fn compared(kind: Kind, dispatcher: Measured, reference: Measured) -> Compared {
        let case = Case { name: "a case", kind, concurrency: 1, requests: 1 };
        Compared::new(&case, [dispatcher, reference, measured(1_000.0, 0.1)])
    }

    #[test]
    fn an_unpaid_answer_must_be_twice_as_fast_and_a_paid_one_no_slower() {
        let ends = |kind, ours, theirs| exit(&[compared(kind, ours, theirs)]);
        assert_eq!(ends(Kind::Unpaid, measured(200.0, 1.0), measured(100.0, 2.0)), Exit::Pass);
        assert_eq!(ends(Kind::Unpaid, measured(199.0, 1.0), measured(100.0, 2.0)), Exit::TooSlow);
        assert_eq!(ends(Kind::Unpaid, measured(200.0, 1.1), measured(100.0, 2.0)), Exit::TooSlow);
        assert_eq!(ends(Kind::Paid, measured(100.0, 2.0), measured(100.0, 2.0)), Exit::Pass);
        assert_eq!(ends(Kind::Paid, measured(99.0, 2.0), measured(100.0, 2.0)), Exit::TooSlow);
    }

    #[test]
    fn a_server_that_answered_anything_else_was_not_measured() {
        let broken = Measured { wrong: 1, first_wrong: Some("500".to_owned()), ..measured(500.0, 1.0) };
        assert_eq!(exit(&[compared(Kind::Unpaid, broken, measured(100.0, 2.0))]), Exit::Unknown);
        let idle = Rounds::default().measured();
        assert_eq!(exit(&[compared(Kind::Paid, measured(1.0, 1.0), idle)]), Exit::Unknown);
    }

    #[test]
    fn rounds_are_one_measurement() {
        let seen = |ms: u64, count: usize| Seen {
            took: vec![Duration::from_millis(ms); count],
            elapsed: Duration::from_secs(1),
            ..Seen::default()
        };
        let all = Rounds(vec![seen(1, 100), seen(9, 300)]).measured();
        assert_eq!((all.requests, all.per_second, all.per_second_by_round), (400, 200.0, vec![100.0, 300.0]));
        assert!(all.latency.unwrap().p95_ms >= 9.0);
    }
}
