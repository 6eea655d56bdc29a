//! `loadtests soak`: one dispatcher under a steady mix for as long as asked, and what its memory does meanwhile.
//!
//! Surprising constraint: a garbage collector's heap goes up and down by tens of megabytes. So the trend over all looks counts.
//! A server keeps each paid response for ten minutes, so it grows for that long. Looks from then do not count.

use std::{path::Path, time::Duration};

use gate::{Budgets, CheckRecord, Outcome};
use harness::bench::facilitator::InstantFacilitator;
use system::clock::{Clock, SystemClock};

use crate::{
    budgets::MeasureError,
    open,
    report::{Latency, LoadReport},
    route::Route,
    server::{Kind, Server, Till, Tools, check, requests},
    shop::ACME,
};

const RATES: [(Route, f64); 3] = [(Route::PassThrough, 60.0), (Route::Unpaid, 60.0), (Route::Paid, 10.0)];
/// Between two looks at the memory.
const EVERY: Duration = Duration::from_secs(10);
const CONNECTIONS: usize = 16;
/// The time in which a server warms up: paid responses are kept for ten minutes, and taken away in batches after that.
const WARM_UP: Duration = Duration::from_secs(12 * 60);
/// Fewer looks are no trend.
const LEAST_LOOKS: usize = 6;
const MEGABYTE: f64 = 1e6;

/// A look at the memory.
#[derive(Clone, Copy, Debug)]
struct Look {
    at: Duration,
    /// Requests that had been sent by then.
    sent: f64,
    bytes: f64,
}

pub async fn run(
    tools: &Tools,
    bundle: &Path,
    budgets: &Budgets,
    lasts: Duration,
    dir: &Path,
    say: &dyn Fn(&str),
) -> Result<LoadReport, MeasureError> {
    let facilitator = InstantFacilitator::listen().await.map_err(MeasureError::Facilitator)?;
    let server = Server::start(&Kind::Dispatcher(bundle.to_owned()), tools, &facilitator, dir).await?;
    let soaked = soak(&server, budgets, lasts, say).await;
    server.stop().await?;
    soaked
}

async fn soak(
    server: &Server,
    budgets: &Budgets,
    lasts: Duration,
    say: &dyn Fn(&str),
) -> Result<LoadReport, MeasureError> {
    let (mut till, clock) = (Till::new(3), SystemClock::start());
    let mut all = RATES.map(|_| open::Seen::default());
    let (mut looks, mut sent): (Vec<Look>, usize) = (Vec::new(), 0);
    while Duration::from_micros(clock.now_us()) < lasts {
        // Anew each time: an offer's terms may change, and a payment expires.
        let invoice = server.invoice(ACME).await?;
        let mut nonces = Vec::new();
        let plans = RATES.map(|(route, rate)| {
            let count = (rate * EVERY.as_secs_f64()) as usize;
            let requests = requests(route, count, &mut till, &invoice, &mut nonces);
            (route, open::Plan { rate, connections: CONNECTIONS, requests })
        });
        let drive = |(route, plan): &(Route, open::Plan)| {
            let (route, plan, target) = (*route, plan.clone(), server.target(route.tenant()));
            let name = server.name;
            async move {
                let failed = |source| MeasureError::Load { server: name, route: route.name(), source };
                open::drive(&target, &plan).await.map_err(failed)
            }
        };
        let [a, b, c] = &plans;
        let (a, b, c) = tokio::try_join!(drive(a), drive(b), drive(c))?;
        for (so_far, seen) in all.iter_mut().zip([a, b, c]) {
            sent += seen.took.len() as usize + seen.wrong;
            so_far.add(seen);
        }
        let resident = server.resident_bytes().ok_or(MeasureError::Gone(server.name))? as f64;
        let at = Duration::from_micros(clock.now_us());
        looks.push(Look { at, sent: sent as f64, bytes: resident });
        let left = lasts.saturating_sub(at);
        say(&format!("{sent} requests, {:.0} MB, {} s to go", resident / MEGABYTE, left.as_secs()));
    }
    let wrong: usize = all.iter().map(|seen| seen.wrong).sum();
    let first = all.iter().find_map(|seen| seen.first_wrong.clone()).unwrap_or_default();
    let share = wrong as f64 / sent.max(1) as f64;
    let outcome = if share > budgets.errors.wrong { Outcome::Fail } else { Outcome::Pass };
    let checks = vec![
        trend(&looks, budgets.memory.soaked_bytes_a_request),
        check(
            "LOAD-ERRORS",
            "the share of wrong answers is within its budget",
            outcome,
            format!("{wrong} of {sent} {first}"),
        ),
    ];
    let latencies = RATES.iter().zip(&all).filter_map(|((route, _), seen)| {
        let at = open::quantiles(&seen.took)?;
        let [server, route, tenant, phase] = [server.name, route.name(), route.tenant().id, "soak"].map(str::to_owned);
        Some(Latency { server, route, tenant, phase, count: seen.took.len(), at })
    });
    let conditions = vec![format!("one dispatcher under plain `workerd serve`, {} s", lasts.as_secs())];
    Ok(LoadReport::new("soak", checks, latencies.collect(), conditions, sent as u64))
}

/// The slope of the memory over the requests, in bytes a request.
fn trend(looks: &[Look], most: f64) -> CheckRecord {
    let name = "memory does not grow with requests";
    let warm: Vec<&Look> = looks.iter().filter(|look| look.at >= WARM_UP).collect();
    if warm.len() < LEAST_LOOKS {
        let needed = WARM_UP.as_secs() / 60 + 1;
        let detail = format!("{} looks once warm are no trend: soak for {needed} minutes and more", warm.len());
        return check("LOAD-MEMORY", name, Outcome::Unknown, detail);
    }
    let count = warm.len() as f64;
    let mean = |of: fn(&Look) -> f64| warm.iter().map(|look| of(look)).sum::<f64>() / count;
    let (sent, bytes) = (mean(|look| look.sent), mean(|look| look.bytes));
    let covariance: f64 = warm.iter().map(|look| (look.sent - sent) * (look.bytes - bytes)).sum();
    let variance: f64 = warm.iter().map(|look| (look.sent - sent).powi(2)).sum();
    let slope = if variance > 0.0 { covariance / variance } else { 0.0 };
    let outcome = if slope > most { Outcome::Fail } else { Outcome::Pass };
    let (first, last) = (warm[0].bytes / MEGABYTE, warm[warm.len() - 1].bytes / MEGABYTE);
    let detail =
        format!("{slope:.0} bytes a request, at most {most}; {first:.0} MB once warm, {last:.0} MB at the end");
    check("LOAD-MEMORY", name, outcome, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leak_shows_through_a_collectors_ups_and_downs_once_the_server_is_warm() {
        let looks = |left: f64| -> Vec<Look> {
            let look = |n: u32| Look {
                at: EVERY * n,
                sent: f64::from(n) * 1_000.0,
                bytes: 9e7 + left * f64::from(n) * 1_000.0 + f64::from(n % 3) * 1e7,
            };
            (0..120).map(look).collect()
        };
        assert_eq!(trend(&looks(0.0), 2_000.0).outcome, Outcome::Pass);
        assert_eq!(trend(&looks(4_000.0), 2_000.0).outcome, Outcome::Fail);
        assert_eq!(trend(&looks(0.0)[..76], 2_000.0).outcome, Outcome::Unknown);
        // A server that only fills what it keeps for ten minutes, and then stands still.
        let mut filling = looks(4_000.0);
        let full = filling[70].bytes;
        filling[70..].iter_mut().for_each(|look| look.bytes = full);
        assert_eq!(trend(&filling, 2_000.0).outcome, Outcome::Pass);
    }
}
