//! `harness bench --growth`: what a paid request costs beside few kept payments, and beside a million.
//!
//! Surprising: kept payments are not sold here. Some are, and the rest are copies of one in each shard, since a million sales would
//! take an hour. Nothing that a sale does looks at another payment's row; this shows it.

use super::{
    Bench, BenchError, BenchTools, HOST, InstantFacilitator, PATH, Server,
    case::Extent,
    load::{self, Load, Requests, Seen, Target},
};
use crate::{
    exit::Exit,
    world::{test_offer::Till, workerd::Workerd},
};
use hyper::{Uri, header::HeaderValue};
use reports::{
    report::{Check, Report},
    verdict::Verdict,
};
use serde::Serialize;
use std::{fmt::Write, path::Path, process::Command, sync::Arc, time::Duration};
use system::clock::SystemClock;
use traffic::{Invoice, Payers};
use x402_protocol::header::PAYMENT_REQUIRED;

/// Kept payments in all shards as a measurement begins.
const KEPT: [u64; 3] = [100, 10_000, 1_000_000];
/// The most that a request may cost, in costs of one beside the fewest.
const MOST: f64 = 1.1;
/// Payments that are sold before any are copied: some for each shard, and no more than are wanted at first.
const SOLD_FIRST: usize = 100;
const WARM_UP: usize = 300;
const MEASURED: usize = 1_200;
const CONCURRENCY: usize = 16;
/// The folder of the shards' databases in that of a server.
const SHARDS: &str = "storage/LedgerShard";

#[derive(Clone, Debug, Serialize)]
pub struct GrowthReport {
    pub rounds: u32,
    pub levels: Vec<Level>,
    pub exit_code: u8,
}

#[derive(Clone, Debug, Serialize)]
pub struct Level {
    pub kept: u64,
    pub requests: usize,
    pub wrong: usize,
    /// The least of all rounds, which others on the machine disturb least.
    pub cpu_ms: Option<f64>,
    pub per_second: f64,
    /// The share of the first level's CPU time.
    pub ratio: Option<f64>,
}

/// Measures a paid request beside each number of kept payments, in turns.
pub async fn growth(
    tools: &BenchTools,
    extent: Extent,
    v8_flags: &[String],
    dir: &Path,
    say: &dyn Fn(&str),
) -> Result<GrowthReport, BenchError> {
    let facilitator = InstantFacilitator::listen().await.map_err(BenchError::Facilitator)?;
    let till = Till { facilitator_url: facilitator.url(), timeout_ms: None };
    let bench = Bench { tools, extent, v8_flags, till, storage: dir, clock: SystemClock::start() };
    let folder = |kept: u64| dir.join(format!("kept-{kept}"));
    let mut levels = Vec::new();
    for (number, kept) in (0..).zip(KEPT) {
        say(&format!("filling the shards with {kept} payments"));
        let running = start(&bench, &folder(kept)).await?;
        let sold = pay(&bench, &running, SOLD_FIRST, number).await;
        running.stop().await.map_err(failed)?;
        sold?;
        let kept = bench.fill(&folder(kept).join(SHARDS), kept)?;
        levels.push((kept, Vec::new()));
    }
    for round in 1..=extent.rounds {
        for (number, (kept, (there, seen))) in (0..).zip(KEPT.into_iter().zip(&mut levels)) {
            say(&format!("round {round} of {}: beside {there} kept payments", extent.rounds));
            let running = start(&bench, &folder(kept)).await?;
            let seed = u64::from(round) * 100 + number * 10;
            let warmed_up = pay(&bench, &running, WARM_UP, seed).await;
            let measured = pay(&bench, &running, MEASURED, seed + 1).await;
            running.stop().await.map_err(failed)?;
            warmed_up?;
            seen.push(measured?);
        }
    }
    Ok(GrowthReport::new(extent.rounds, levels))
}

async fn start(bench: &Bench<'_>, dir: &Path) -> Result<Workerd, BenchError> {
    bench.start(Server::Dispatcher, dir).await.map_err(failed)
}

fn failed(source: crate::world::workerd::WorkerdError) -> BenchError {
    BenchError::Workerd { server: Server::Dispatcher.name(), source }
}

/// Pays so often, with payments that no other seed makes.
async fn pay(bench: &Bench<'_>, running: &Workerd, count: usize, seed: u64) -> Result<Seen, BenchError> {
    let server = Server::Dispatcher.name();
    let load_failed = |source| BenchError::Load { server, case: "growth", source };
    let target = Target { port: running.port, host: HeaderValue::from_static(HOST), path: Uri::from_static(PATH) };
    let offer = load::one_header(&target, PAYMENT_REQUIRED).await.map_err(load_failed)?;
    let offer = offer.ok_or(BenchError::Offer { server, source: None })?;
    let unpayable = |source| BenchError::Offer { server, source: Some(source) };
    let invoice = Invoice::read_header(&offer).map_err(unpayable)?;
    let payments = bench.sign(&Payers::from_seed(1_000_000 + seed), &invoice, 0, count);
    let requests = Requests::Paid(Arc::new(payments));
    let load = Load { concurrency: CONCURRENCY, requests, within: Duration::from_secs(60) };
    let before = running.cpu_used();
    let seen = load::run(&target, &load).await.map_err(load_failed)?;
    Ok(Seen { cpu: before.zip(running.cpu_used()).map(|(before, after)| after - before), ..seen })
}

impl Bench<'_> {
    /// Fills the shards, and gives the number of payments that they have then.
    fn fill(&self, shards: &Path, wanted: u64) -> Result<u64, BenchError> {
        let filled =
            Command::new(&self.tools.node).arg(&self.tools.kept_script).arg(shards).arg(wanted.to_string()).output();
        let filled = filled.map_err(BenchError::Node)?;
        let said = String::from_utf8_lossy(&filled.stdout);
        let said = said.trim().parse().ok().filter(|_| filled.status.success());
        said.ok_or_else(|| BenchError::Fill { said: String::from_utf8_lossy(&filled.stderr).into_owned() })
    }
}

impl GrowthReport {
    fn new(rounds: u32, levels: Vec<(u64, Vec<Seen>)>) -> Self {
        let mut all: Vec<Level> = levels.into_iter().map(|(kept, seen)| Level::new(kept, &seen)).collect();
        let first = all.first().and_then(|level| level.cpu_ms);
        for level in &mut all {
            level.ratio = level.cpu_ms.zip(first).map(|(cpu, first)| cpu / first);
        }
        let exit_code = exit(&all).code();
        Self { rounds, levels: all, exit_code }
    }

    #[must_use]
    pub fn exit(&self) -> Exit {
        exit(&self.levels)
    }

    /// As a report: a check a level.
    #[must_use]
    pub fn report(&self) -> Report {
        let check = |level: &Level| {
            let verdict = match (level.wrong, level.ratio) {
                (0, Some(ratio)) if ratio <= MOST => Verdict::Pass,
                (0, Some(_)) => Verdict::Fail,
                _ => Verdict::Unknown,
            };
            let says = format!("beside {} kept payments a request costs at most {MOST:.1} times the first", level.kept);
            let detail = match (level.wrong, level.ratio) {
                (0, Some(ratio)) => format!("{ratio:.2} times"),
                (0, None) => "not measured".to_owned(),
                (wrong, _) => format!("{wrong} of {} answers were wrong", level.requests),
            };
            Check::of("BENCH", "growth", &says, verdict, &detail)
        };
        let checks = self.levels.iter().map(check).collect();
        Report::of_checks("bench --growth", "a paid request beside kept payments", checks, self.exit_code)
    }

    #[must_use]
    pub fn table(&self) -> String {
        let mut out = String::from("a paid request, 16 at a time, the least CPU time of the rounds\n");
        out.push_str("   kept payments   CPU ms    to the first   requests/s   requests   wrong\n");
        for level in &self.levels {
            let figure = |figure: Option<f64>| figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.3}"));
            let (cpu, ratio) = (figure(level.cpu_ms), figure(level.ratio));
            let Level { kept, per_second, requests, wrong, .. } = level;
            let row = writeln!(out, "{kept:>16}{cpu:>9}{ratio:>16}{per_second:>13.0}{requests:>11}{wrong:>8}");
            row.expect("writing to a string cannot fail");
        }
        out
    }
}

impl Level {
    fn new(kept: u64, seen: &[Seen]) -> Self {
        let cpu_of = |seen: &Seen| {
            let cpu = seen.cpu.filter(|_| !seen.took.is_empty())?;
            Some(cpu.as_secs_f64() * 1_000.0 / seen.took.len() as f64)
        };
        let requests = seen.iter().map(|seen| seen.took.len()).sum();
        let elapsed: Duration = seen.iter().map(|seen| seen.elapsed).sum();
        Self {
            kept,
            requests,
            wrong: seen.iter().map(|seen| seen.wrong).sum(),
            cpu_ms: seen.iter().filter_map(cpu_of).min_by(f64::total_cmp),
            per_second: if elapsed.is_zero() { 0.0 } else { requests as f64 / elapsed.as_secs_f64() },
            ratio: None,
        }
    }
}

fn exit(levels: &[Level]) -> Exit {
    if levels.iter().any(|level| level.wrong > 0 || level.ratio.is_none()) {
        return Exit::Unknown;
    }
    if levels.iter().filter_map(|level| level.ratio).all(|ratio| ratio <= MOST) { Exit::Pass } else { Exit::TooSlow }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(ms: u64, wrong: usize) -> Seen {
        let took = vec![Duration::from_millis(1); 10];
        Seen {
            took,
            elapsed: Duration::from_secs(1),
            cpu: Some(Duration::from_millis(10 * ms)),
            wrong,
            first_wrong: None,
        }
    }

    #[test]
    fn a_request_that_costs_more_beside_more_is_too_slow_and_the_least_of_the_rounds_counts() {
        let of = |first: u64, rest: [u64; 2]| {
            let level = |kept, costs: &[u64]| (kept, costs.iter().map(|ms| seen(*ms, 0)).collect());
            GrowthReport::new(2, vec![level(100, &[first]), level(1_000_000, &rest)]).exit()
        };
        assert_eq!(of(100, [300, 110]), Exit::Pass);
        assert_eq!(of(100, [111, 300]), Exit::TooSlow);
    }

    #[test]
    fn an_answer_that_is_wrong_was_not_measured() {
        let report = GrowthReport::new(1, vec![(100, vec![seen(1, 0)]), (1_000, vec![seen(1, 1)])]);
        assert_eq!(report.exit(), Exit::Unknown);
    }
}
