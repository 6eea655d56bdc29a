//! `loadtests selftest`: plants faults in the dispatcher that ships, and sees that the budgets refuse each; and that they do not
//! refuse the same dispatcher without one.

use std::path::Path;

use gate::{Budgets, CheckRecord, Outcome};

use crate::{
    budgets::{self, MeasureError, Measured},
    extent::{Extent, Parts},
    planted::{Fault, PlantError, plant},
    report::LoadReport,
    route::Route,
    server::{Tools, check},
};

/// The work that `slower` adds to an unpaid request.
const SLOWER_BY: f64 = 0.3;
/// Rounds of the planted work in a millisecond, on a machine of the year 2024. How much slower a dispatcher became is measured.
const STEPS_A_MS: f64 = 800_000.0;
const LEAKED_BYTES: u64 = 16_384;

#[derive(Debug, thiserror::Error)]
pub enum SelftestError {
    #[error(transparent)]
    Measure(#[from] MeasureError),
    #[error(transparent)]
    Plant(#[from] PlantError),
}

/// The means of the self-test.
pub struct Suite<'a> {
    pub tools: &'a Tools,
    pub bundle: &'a Path,
    pub budgets: &'a Budgets,
    pub extent: Extent,
    pub dir: &'a Path,
}

impl Suite<'_> {
    pub async fn run(&self, faults: &[Fault], say: &dyn Fn(&str)) -> Result<LoadReport, SelftestError> {
        say("control: the dispatcher as it ships");
        let control = self.measure(self.bundle, Parts::ALL, "control", say).await?;
        let outcome = control.outcome;
        let not_held = not_held(&control);
        let mut checks = vec![check("SELF-CONTROL", "the dispatcher as it ships is not refused", outcome, not_held)];
        let mut requests = control.requests;
        for fault in faults {
            say(&format!("planted: {}", fault.name()));
            let into = self.dir.join(fault.name());
            let planted = plant(*fault, amount(*fault, &control), self.bundle, &into.join("bundle"))?;
            let report = self.measure(&planted, parts(*fault), fault.name(), say).await?;
            requests += report.requests;
            checks.push(judge(*fault, &report));
        }
        let conditions = vec!["the bundle that ships, with a fault around its entry".to_owned()];
        Ok(LoadReport::new("selftest", checks, Vec::new(), conditions, requests))
    }

    async fn measure(
        &self,
        bundle: &Path,
        parts: Parts,
        name: &str,
        say: &dyn Fn(&str),
    ) -> Result<LoadReport, MeasureError> {
        let Self { tools, budgets, extent, .. } = *self;
        budgets::run(&Measured { tools, bundle, budgets, extent, parts, dir: &self.dir.join(name) }, say).await
    }
}

/// The measurement that shows the fault.
fn parts(fault: Fault) -> Parts {
    match fault {
        Fault::Slower => Parts { cpu: &[Route::Unpaid], ..Parts::NONE },
        // The warm-up dispatches, too.
        Fault::DropsLimits => Parts::NONE,
        Fault::Leaks => Parts { memory: true, ..Parts::NONE },
        Fault::RefusesUnknown => Parts { doubt: true, ..Parts::NONE },
    }
}

/// The amount that the fault needs.
fn amount(fault: Fault, control: &LoadReport) -> u64 {
    match fault {
        Fault::Slower => (SLOWER_BY * unpaid_ms(control) * STEPS_A_MS) as u64,
        Fault::Leaks => LEAKED_BYTES,
        Fault::DropsLimits | Fault::RefusesUnknown => 0,
    }
}

/// The cost of an unpaid request. If it was not measured nothing is made slower, and the fault goes unseen.
fn unpaid_ms(control: &LoadReport) -> f64 {
    let cost = control.ratios.iter().find(|ratio| ratio.rule == "LOAD-CPU" && ratio.route == "unpaid");
    cost.map_or(0.0, |cost| cost.dispatcher_ms)
}

/// Seen, where the rule that names it did not hold.
fn judge(fault: Fault, report: &LoadReport) -> CheckRecord {
    let named: Vec<&CheckRecord> = report.checks.iter().filter(|check| check.rule == fault.seen_by()).collect();
    let broken = named.iter().find(|check| check.outcome == Outcome::Fail);
    let outcome = match broken {
        Some(_) => Outcome::Pass,
        None if report.outcome == Outcome::Pass => Outcome::Fail,
        // It was refused, and not for what it does.
        None => Outcome::Unknown,
    };
    let detail = match broken {
        Some(check) => format!("{}: {}", check.rule, check.detail),
        None => {
            format!("{} held; the whole came to {}: {}", fault.seen_by(), report.outcome.as_str(), not_held(report))
        }
    };
    check("SELF-PLANTED", &format!("{} is refused", fault.name()), outcome, detail)
}

fn not_held(report: &LoadReport) -> String {
    let not_held = report.checks.iter().filter(|check| check.outcome != Outcome::Pass);
    let lines: Vec<String> = not_held.map(|check| format!("{} {}: {}", check.rule, check.name, check.detail)).collect();
    if lines.is_empty() { "every check held".to_owned() } else { lines.join("; ") }
}
