//! What a run is held to beyond its scenario: how weak a rule may be and still count, and which failures are known. Both
//! belong to whoever judges, today, and not to the history that is judged.

pub mod known_failures;

use crate::{
    acceptance::known_failures::{KnownError, KnownFailures},
    exit::Exit,
};
use reports::{level::Level, report::Report, verdict::Verdict};
use scenario::Library;
use system::clock::{Clock, SystemClock};

pub struct Bar {
    gate: Level,
    known: KnownFailures,
    clock: Box<dyn Clock>,
}

impl Bar {
    /// With the known failures that stand beside the library, as of today.
    pub fn of(library: &Library, gate: Level) -> Result<Self, KnownError> {
        Ok(Self { gate, known: KnownFailures::of(library)?, clock: Box::new(SystemClock::new()) })
    }

    /// Judges the report's checks by it.
    #[must_use]
    pub fn hold(&self, mut report: Report) -> Report {
        for check in &mut report.checks {
            check.known = self.known.about(&report.scenario, &report.tier, check, self.clock.as_ref());
        }
        report.gate = self.gate;
        report.verdict = Report::verdict_of(&report.checks, self.gate, &report.phases);
        report.exit_code = Exit::of_report(&report).code();
        report
    }

    /// As `hold`, of a judgement that has no traffic of its own, such as a self-test's.
    #[must_use]
    pub fn hold_judgement(&self, mut report: Report) -> Report {
        for check in &mut report.checks {
            check.known = self.known.about(&report.scenario, &report.tier, check, self.clock.as_ref());
        }
        report.verdict = Verdict::merge(report.checks.iter().filter_map(|check| check.counts_as(report.gate)));
        report
    }
}
