//! `loadtests selftest`: plants faults in the dispatcher that ships, and sees that the budgets refuse each; and that they do not
//! refuse the same dispatcher without one.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

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

/// Something else that wants a core: a loop on a thread of its own, for as long as this lives.
struct BusyLoop(Arc<AtomicBool>);

impl BusyLoop {
    fn start() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_over);
        std::thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        });
        Self(is_over)
    }
}

impl Drop for BusyLoop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Suite<'_> {
    /// `busy` is how often the dispatcher as it ships is measured beside a busy loop as well.
    pub async fn run(&self, faults: &[Fault], busy: usize, say: &dyn Fn(&str)) -> Result<LoadReport, SelftestError> {
        say("control: the dispatcher as it ships");
        let control = self.measure(self.bundle, Parts::ALL, "control", say).await?;
        let outcome = control.outcome;
        let not_held = not_held(&control);
        let mut checks = vec![check("SELF-CONTROL", "the dispatcher as it ships is not refused", outcome, not_held)];
        let mut requests = control.requests;
        if busy > 0 {
            let (check, more) = self.beside_a_busy_loop(busy, say).await?;
            checks.push(check);
            requests += more;
        }
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

    /// Refusing what did nothing wrong is the one mistake here. Not knowing is none.
    async fn beside_a_busy_loop(&self, times: usize, say: &dyn Fn(&str)) -> Result<(CheckRecord, u64), MeasureError> {
        let _busy = BusyLoop::start();
        let (mut outcomes, mut requests, mut refused) = (Vec::new(), 0, Vec::new());
        for n in 1..=times {
            say(&format!("beside a busy loop, {n} of {times}"));
            let report = self.measure(self.bundle, Parts::ALL, &format!("busy-{n}"), say).await?;
            outcomes.push(report.outcome);
            requests += report.requests;
            if report.outcome == Outcome::Fail {
                refused.push(not_held(&report));
            }
        }
        let count = |wanted: Outcome| outcomes.iter().filter(|outcome| **outcome == wanted).count();
        let outcome = if refused.is_empty() { Outcome::Pass } else { Outcome::Fail };
        let why: String = refused.iter().map(|why| format!("; {why}")).collect();
        let detail = format!(
            "{} passed, {} unknown, {} refused{why}",
            count(Outcome::Pass),
            count(Outcome::Unknown),
            refused.len()
        );
        let name = format!("the dispatcher as it ships, {times} times beside a busy loop, is never refused");
        Ok((check("SELF-BUSY", &name, outcome, detail), requests))
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
