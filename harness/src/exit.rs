//! What the harness's exit status means. A CI job branches on it, so a number never changes its meaning, and 1, which
//! a panic-happy wrapper or `make` returns for anything, means nothing here.

use reports::{
    report::{Check, KnownStanding, Report},
    verdict::Verdict,
};
use std::process::{ExitCode, ExitStatus};
use system::interrupt::INTERRUPTED;

/// Why the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    Pass = 0,
    /// The command line itself is wrong; clap's own number.
    Usage = 2,
    RuleBroken = 10,
    Unknown = 11,
    /// Only latency or a baseline was missed; every other rule held.
    TooSlow = 12,
    NothingRan = 13,
    BadScenario = 14,
    DidNotStart = 15,
    DeterminismLost = 16,
    SeededBugUnseen = 17,
    /// A rule that known.toml says is broken held.
    KnownIsOver = 18,
    /// `pay` did not get what it pays for.
    NotServed = 19,
    Internal = 70,
    /// A report or a run could not be written, as on a full disk. The number is that of `sysexits.h`.
    NotWritten = 74,
    Interrupted = INTERRUPTED,
}

impl Exit {
    pub const ALL: [Self; 15] = [
        Self::Pass,
        Self::Usage,
        Self::RuleBroken,
        Self::Unknown,
        Self::TooSlow,
        Self::NothingRan,
        Self::BadScenario,
        Self::DidNotStart,
        Self::DeterminismLost,
        Self::SeededBugUnseen,
        Self::KnownIsOver,
        Self::NotServed,
        Self::Internal,
        Self::NotWritten,
        Self::Interrupted,
    ];

    pub fn code(self) -> u8 {
        self as u8
    }

    pub fn meaning(self) -> &'static str {
        match self {
            Self::Pass => "every rule held",
            Self::Usage => "the command line is wrong",
            Self::RuleBroken => "a rule broke",
            Self::Unknown => "a rule could not be judged",
            Self::TooSlow => "latency or a baseline was missed, every other rule held",
            Self::NothingRan => "nothing ran: no check, or no traffic",
            Self::BadScenario => "a scenario file, known.toml or a recorded run is wrong or not there",
            Self::DidNotStart => "the system under test did not start, or ended by itself",
            Self::DeterminismLost => "one seed gave two different runs",
            Self::SeededBugUnseen => "a bug seeded into the dispatcher went unseen",
            Self::KnownIsOver => "every rule held, a known failure among them: its entry is to be deleted",
            Self::NotServed => "a payment was refused, and nothing was served for it",
            Self::Internal => "the harness itself failed",
            Self::NotWritten => "a report or a run could not be written, as on a full disk",
            Self::Interrupted => "interrupted",
        }
    }

    /// The exit code of a finished run.
    pub fn of_report(report: &Report) -> Self {
        let broken: Vec<_> =
            report.checks.iter().filter(|check| check.counts_as(report.gate) == Some(Verdict::Fail)).collect();
        let over = |check: &Check| check.known.as_ref().is_some_and(|known| known.standing == KnownStanding::Over);
        match report.verdict {
            _ if report.checks.is_empty() || report.requests() == 0 => Self::NothingRan,
            Verdict::Pass => Self::Pass,
            Verdict::Unknown => Self::Unknown,
            Verdict::Fail if broken.iter().all(|check| over(check)) => Self::KnownIsOver,
            Verdict::Fail if broken.iter().all(|check| over(check) || check.name == "latency") => Self::TooSlow,
            Verdict::Fail => Self::RuleBroken,
        }
    }

    /// The exit code of several runs: a broken rule outweighs all else, else the first that did not pass decides.
    pub fn of_several(exits: &[Self]) -> Self {
        if exits.contains(&Self::RuleBroken) {
            return Self::RuleBroken;
        }
        let first = exits.iter().find(|exit| **exit != Self::Pass).copied();
        first.unwrap_or(if exits.is_empty() { Self::NothingRan } else { Self::Pass })
    }

    /// The meaning of a child's exit code, where the child is this program too.
    pub fn of_status(status: ExitStatus) -> Self {
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Self::ALL.into_iter().find(|exit| Some(exit.code()) == code).unwrap_or(Self::Internal)
    }

    /// The table that `--help` ends with.
    pub fn table() -> String {
        let rows = Self::ALL.iter().map(|exit| format!("  {:>3}  {}\n", exit.code(), exit.meaning()));
        format!("Exit codes:\n{}", rows.collect::<String>())
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reports::{
        level::Level,
        report::{Hint, KnownFailure, PhaseSummary},
    };

    fn report(verdicts: &[(&str, Verdict)], requests: u64) -> Report {
        let check = |(name, verdict): &(&str, Verdict)| Check {
            id: "X-1".to_owned(),
            name: (*name).to_owned(),
            expected: String::new(),
            level: Level::Must,
            class: reports::class::Class::Normative,
            line: None,
            verdict: *verdict,
            detail: String::new(),
            witness: None,
            sources: Vec::new(),
            hint: Hint { cause: String::new(), look_at: String::new() },
            known: None,
        };
        let phase = PhaseSummary {
            name: "steady".to_owned(),
            from_ms: 0,
            to_ms: 1,
            requests,
            served: requests,
            offered: 0,
            refused: 0,
            pending: 0,
            failed: 0,
            left: 0,
            latency: None,
        };
        let checks: Vec<Check> = verdicts.iter().map(check).collect();
        Report {
            schema: 2,
            scenario: String::new(),
            title: String::new(),
            tier: String::new(),
            seed: 0,
            file: None,
            verdict: Report::verdict_of(&checks, Level::Must, std::slice::from_ref(&phase)),
            gate: Level::Must,
            checks,
            phases: vec![phase],
            faults: Vec::new(),
            machine: None,
            fidelity: Vec::new(),
            run_dir: String::new(),
            replay: String::new(),
            exit_code: 0,
        }
    }

    #[test]
    fn a_report_ends_in_the_worst_that_it_says() {
        use Verdict::{Fail, Pass, Unknown};
        let cases: [(&[(&str, Verdict)], Exit); 6] = [
            (&[("latency", Pass), ("recovers", Pass)], Exit::Pass),
            (&[("latency", Fail), ("recovers", Pass)], Exit::TooSlow),
            (&[("latency", Fail), ("recovers", Fail)], Exit::RuleBroken),
            (&[("latency", Unknown), ("recovers", Fail)], Exit::RuleBroken),
            (&[("latency", Unknown), ("recovers", Pass)], Exit::Unknown),
            (&[], Exit::NothingRan),
        ];
        for (verdicts, exit) in cases {
            assert_eq!(Exit::of_report(&report(verdicts, 1)), exit, "{verdicts:?}");
        }
    }

    #[test]
    fn checks_that_held_without_traffic_are_not_a_pass() {
        let idle = report(&[("recovers", Verdict::Pass)], 0);
        assert_eq!(idle.verdict, Verdict::Unknown);
        assert_eq!(Exit::of_report(&idle), Exit::NothingRan);
    }

    #[test]
    fn an_unexpected_pass_ends_in_its_own_code_unless_a_rule_broke_as_well() {
        let known = |standing| {
            let [owner, until, why] = ["ada", "2026-12-31", "soon"].map(str::to_owned);
            Some(KnownFailure { standing, owner, until, why })
        };
        let exit = |verdicts: &[(&str, Verdict)], standing| {
            let mut report = report(verdicts, 1);
            report.checks[0].known = known(standing);
            report.verdict = Report::verdict_of(&report.checks, report.gate, &report.phases);
            Exit::of_report(&report)
        };
        assert_eq!(exit(&[("recovers", Verdict::Pass)], KnownStanding::Over), Exit::KnownIsOver);
        let both = [("recovers", Verdict::Pass), ("books-balance", Verdict::Fail)];
        assert_eq!(exit(&both, KnownStanding::Over), Exit::RuleBroken);
        assert_eq!(exit(&[("recovers", Verdict::Fail)], KnownStanding::Listed), Exit::Pass);
        assert_eq!(exit(&[("recovers", Verdict::Fail)], KnownStanding::Expired), Exit::RuleBroken);
    }

    #[test]
    fn several_runs_end_in_a_broken_rule_if_there_is_one() {
        assert_eq!(Exit::of_several(&[Exit::Pass, Exit::Pass]), Exit::Pass);
        assert_eq!(Exit::of_several(&[Exit::Pass, Exit::DidNotStart, Exit::RuleBroken]), Exit::RuleBroken);
        assert_eq!(Exit::of_several(&[Exit::Pass, Exit::DidNotStart, Exit::Unknown]), Exit::DidNotStart);
        assert_eq!(Exit::of_several(&[]), Exit::NothingRan);
    }

    #[test]
    fn no_two_reasons_share_a_code() {
        assert!(Exit::ALL.windows(2).all(|pair| pair[0].code() < pair[1].code()));
    }
}
