//! `loadtests peers`: a Worker that only dispatches, the dispatcher, and the official library's Worker, in one go and in turns. Same
//! runtime, flags, tenant and facilitator; the table is Markdown, for `docs/performance.md`.

use std::{fmt::Write, path::Path, time::Duration};

use gate::{Interval, ratio_of_pairs};
use harness::{
    bench::{
        facilitator::InstantFacilitator,
        load::{self, Load},
    },
    exit::Exit,
};
use reports::{
    report::{Check, Report},
    verdict::Verdict,
};
use serde::Serialize;

use crate::{
    budgets::MeasureError,
    extent::Extent,
    route::Route,
    server::{Kind, Server, Till, Tools, requests},
    shop::ACME,
};

const AT_ONCE: usize = 8;
const BURST_WITHIN: Duration = Duration::from_secs(60);
/// After a paid burst, for what a server does a second later.
const HAND_OVER: Duration = Duration::from_millis(1_300);
const WARM_UP: usize = 3;
/// The first of the servers is what the others are compared with.
const BARE: usize = 0;

#[derive(Clone, Debug, Serialize)]
pub struct PeerReport {
    pub schema: u32,
    pub rows: Vec<Row>,
    pub conditions: Vec<String>,
}

/// One server on one route.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub route: &'static str,
    pub server: String,
    /// Medians of all turns.
    pub cpu_ms: f64,
    pub per_second: f64,
    pub p95_ms: f64,
    /// How many times the bare Worker's CPU time, and the interval; absent for itself.
    pub times: Option<[f64; 3]>,
    pub wrong: usize,
}

/// The result of one burst.
#[derive(Clone, Copy, Default)]
struct Burst {
    cpu_ms: f64,
    per_second: f64,
    p95_ms: f64,
}

pub async fn run(
    tools: &Tools,
    kinds: &[(Kind, String); 3],
    extent: Extent,
    dir: &Path,
    say: &dyn Fn(&str),
) -> Result<PeerReport, MeasureError> {
    let facilitator = InstantFacilitator::listen().await.map_err(MeasureError::Facilitator)?;
    let mut servers = Vec::new();
    for (n, (kind, _)) in kinds.iter().enumerate() {
        servers.push(Server::start(kind, tools, &facilitator, &dir.join(n.to_string())).await?);
    }
    let measured = measure(&servers, kinds, extent, say).await;
    for server in servers {
        server.stop().await?;
    }
    Ok(PeerReport { schema: 1, rows: measured?, conditions: conditions(extent) })
}

fn conditions(extent: Extent) -> Vec<String> {
    vec![
        format!(
            "plain `workerd serve`, all three up at once, {} turns of a burst each, {AT_ONCE} at a time",
            extent.least_pairs
        ),
        "same workerd, compatibility date and flags; a facilitator double that says yes at once".to_owned(),
        "the official library runs its content inside its own Worker, keeps no ledger and has no tenant that is free"
            .to_owned(),
    ]
}

async fn measure(
    servers: &[Server],
    kinds: &[(Kind, String); 3],
    extent: Extent,
    say: &dyn Fn(&str),
) -> Result<Vec<Row>, MeasureError> {
    let mut tills: Vec<Till> = (0..servers.len() as u64).map(|n| Till::new(10 + n)).collect();
    let mut rows = Vec::new();
    for route in Route::ALL {
        // What sells for one tenant has none that is free.
        let takes_part = |n: usize| route != Route::PassThrough || !matches!(kinds[n].0, Kind::Reference(_));
        let taking_part: Vec<usize> = (0..servers.len()).filter(|n| takes_part(*n)).collect();
        say(&format!("{}: {} turns", route.name(), extent.least_pairs));
        let (mut bursts, mut wrong) = (vec![Vec::new(); servers.len()], vec![0; servers.len()]);
        for turn in 0..extent.least_pairs + WARM_UP {
            for at in 0..taking_part.len() {
                let n = taking_part[(at + turn) % taking_part.len()];
                let (burst, failed) = burst(&servers[n], route, extent, &mut tills[n]).await?;
                wrong[n] += failed;
                if turn >= WARM_UP {
                    bursts[n].push(burst);
                }
            }
        }
        for n in taking_part {
            let pairs: Vec<_> =
                bursts[n].iter().zip(&bursts[BARE]).map(|(own, bare)| (own.cpu_ms, bare.cpu_ms)).collect();
            let times = (n != BARE).then(|| ratio_of_pairs(&pairs)).flatten();
            let middle = |of: fn(&Burst) -> f64| {
                let mut values: Vec<f64> = bursts[n].iter().map(of).collect();
                values.sort_by(f64::total_cmp);
                values.get(values.len() / 2).copied().unwrap_or_default()
            };
            rows.push(Row {
                route: route.name(),
                server: kinds[n].1.clone(),
                cpu_ms: middle(|burst| burst.cpu_ms),
                per_second: middle(|burst| burst.per_second),
                p95_ms: middle(|burst| burst.p95_ms),
                times: times.map(|Interval { low, middle, high }| [low, middle, high]),
                wrong: wrong[n],
            });
        }
    }
    Ok(rows)
}

async fn burst(server: &Server, route: Route, extent: Extent, till: &mut Till) -> Result<(Burst, usize), MeasureError> {
    let gone = MeasureError::Gone(server.name);
    let count = if route == Route::Paid { extent.paid_burst } else { extent.burst };
    let invoice = server.invoice(ACME).await?;
    let requests = requests(route, count, till, &invoice, &mut Vec::new());
    let load = Load { concurrency: AT_ONCE, requests, within: BURST_WITHIN };
    let Some(before) = server.cpu() else { return Err(gone) };
    let seen = load::run(&server.target(route.tenant()), &load).await;
    let failed = |source| MeasureError::Load { server: server.name, route: route.name(), source };
    let mut seen = seen.map_err(failed)?;
    if route == Route::Paid {
        tokio::time::sleep(HAND_OVER).await;
    }
    let Some(after) = server.cpu() else { return Err(gone) };
    seen.took.sort();
    let answered = seen.took.len().max(1);
    let p95 = seen.took.get(answered * 95 / 100).or(seen.took.last()).copied().unwrap_or_default();
    let burst = Burst {
        cpu_ms: (after - before).as_secs_f64() * 1e3 / answered as f64,
        per_second: answered as f64 / seen.elapsed.as_secs_f64().max(1e-9),
        p95_ms: p95.as_secs_f64() * 1e3,
    };
    Ok((burst, seen.wrong))
}

impl PeerReport {
    /// A server that answered anything else was not measured.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|row| row.wrong == 0)
    }

    /// In the form that all judgements share: a check a server and route.
    #[must_use]
    pub fn report(&self) -> Report {
        let checks = self.rows.iter().map(|row| {
            let verdict = if row.wrong == 0 { Verdict::Pass } else { Verdict::Unknown };
            let says = format!("{}, {}: it answers as it should", row.server, row.route);
            let detail = format!("{:.3} ms of CPU a request, {} wrong answers", row.cpu_ms, row.wrong);
            Check::of("PEER", row.route, &says, verdict, &detail)
        });
        let exit = if self.is_sound() { Exit::Pass } else { Exit::Unknown };
        let report = Report::of_checks("load-peers", "servers beside each other", checks.collect(), exit.code());
        Report { fidelity: self.conditions.clone(), ..report }
    }

    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        let mut line = |text: String| writeln!(out, "{text}").expect("writing to a string cannot fail");
        line("| route | server | CPU ms a request | times the bare Worker's | requests a second | p95 ms |".to_owned());
        line("|---|---|---|---|---|---|".to_owned());
        for Row { route, server, cpu_ms, per_second, p95_ms, times, wrong } in &self.rows {
            let times = times
                .map_or_else(|| "1".to_owned(), |[low, middle, high]| format!("{middle:.2} ({low:.2} to {high:.2})"));
            let wrong = if *wrong > 0 { format!(", {wrong} wrong answers") } else { String::new() };
            line(format!("| {route} | {server}{wrong} | {cpu_ms:.3} | {times} | {per_second:.0} | {p95_ms:.1} |"));
        }
        line(String::new());
        self.conditions.iter().for_each(|condition| line(format!("- {condition}")));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_markdown_and_a_wrong_answer_shows() {
        let row = |server: &str, times, wrong| Row {
            route: "unpaid",
            server: server.to_owned(),
            cpu_ms: 0.2,
            per_second: 1_000.4,
            p95_ms: 12.34,
            times,
            wrong,
        };
        let rows = vec![row("bare", None, 0), row("ours", Some([2.5, 2.75, 3.0]), 2)];
        let report = PeerReport { schema: 1, rows, conditions: vec!["x".to_owned()] };
        let text = report.markdown();
        assert!(text.contains("| unpaid | bare | 0.200 | 1 | 1000 | 12.3 |"), "{text}");
        assert!(text.contains("| unpaid | ours, 2 wrong answers | 0.200 | 2.75 (2.50 to 3.00) |"), "{text}");
        assert!(!report.is_sound());
    }
}
