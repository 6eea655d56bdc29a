//! `loadtests budgets`: what the dispatcher costs beside a Worker that only dispatches, in turns, and what must hold whatever it
//! costs. The gate's load test.
//!
//! Surprising constraint: on two cores the load generator and whatever else runs compete with the servers, so CPU time of the
//! servers' own processes decides, in pairs of bursts that were disturbed alike; latencies are told beside it.

use std::{collections::BTreeSet, path::Path, time::Duration};

use gate::{Budgets, CheckRecord, Outcome, RouteBudgets};
use harness::bench::{
    facilitator::InstantFacilitator,
    load::{self, Load, LoadError, Requests, Target},
};
use hdrhistogram::Histogram;
use traffic::Invoice;

use crate::{
    doubt,
    extent::{Extent, Parts},
    judge::{self, Compared},
    open,
    report::{Latency, LoadReport, Ratio},
    route::Route,
    server::{Kind, Server, ServerError, Till, Tools, requests},
    shop::{ACME, MILL, Tenant},
};

/// Connections of a burst, each with one request at a time.
const AT_ONCE: usize = 8;
/// No burst takes longer, whatever else the machine does.
const BURST_WITHIN: Duration = Duration::from_secs(60);
/// Pairs between two looks at what they come to.
const LOOK_EVERY: usize = 10;
/// After the last paid burst: the dispatcher confirms a hand-over a second after the answer.
const HAND_OVER: Duration = Duration::from_millis(1_300);
/// Requests a second in the steady phase: well below what either server can do.
const STEADY: f64 = 150.0;
const STEADY_PAID: f64 = 40.0;
const SLICE: Duration = Duration::from_millis(1_200);
/// How many times as much comes in a rush.
const RUSH: f64 = 3.0;
/// The answer of the double in the tenant's place.
const WITHOUT_LIMITS: &str = "dispatched without its limits";

/// The cases that are measured.
pub struct Measured<'a> {
    pub tools: &'a Tools,
    /// Entry of the dispatcher's bundle.
    pub bundle: &'a Path,
    pub budgets: &'a Budgets,
    pub extent: Extent,
    pub parts: Parts,
    /// Absolute; gets the servers' files.
    pub dir: &'a Path,
}

#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    #[error("the facilitator double cannot listen")]
    Facilitator(#[source] std::io::Error),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("{server}, {route}")]
    Load { server: &'static str, route: &'static str, source: LoadError },
    #[error("{0} has ended by itself")]
    Gone(&'static str),
}

/// Both servers, and what was seen of them so far.
struct Turns<'a> {
    servers: [Server; 2],
    invoices: [Invoice; 2],
    tills: [Till; 2],
    facilitator: InstantFacilitator,
    extent: Extent,
    say: &'a dyn Fn(&str),
    seen: Tally,
    ratios: Vec<Ratio>,
}

/// The results of all requests to the dispatcher.
#[derive(Default)]
struct Tally {
    requests: usize,
    wrong: usize,
    first_wrong: Option<String>,
    /// A dispatch without its limits, as its caller saw it.
    without_limits: Option<String>,
    /// Payments that were answered with what they paid for.
    served: usize,
    bare_wrong: usize,
    nonces: Vec<String>,
}

const OURS: usize = 0;
const BARE: usize = 1;

/// Measures, and holds the result to the budgets.
pub async fn run(measured: &Measured<'_>, say: &dyn Fn(&str)) -> Result<LoadReport, MeasureError> {
    let Measured { tools, bundle, budgets, extent, parts, dir } = *measured;
    let facilitator = InstantFacilitator::listen().await.map_err(MeasureError::Facilitator)?;
    let kinds = [Kind::Dispatcher(bundle.to_owned()), Kind::Bare];
    let ours = Server::start(&kinds[OURS], tools, &facilitator, &dir.join("dispatcher")).await?;
    let bare = Server::start(&kinds[BARE], tools, &facilitator, &dir.join("bare")).await?;
    let invoices = [ours.invoice(ACME).await?, bare.invoice(ACME).await?];
    let servers = [ours, bare];
    let tills = [Till::new(1), Till::new(2)];
    let mut turns =
        Turns { servers, invoices, tills, facilitator, extent, say, seen: Tally::default(), ratios: Vec::new() };
    let measured = turns.measure(budgets, parts).await;
    let Turns { servers, .. } = turns;
    for server in servers {
        server.stop().await?;
    }
    measured
}

impl Turns<'_> {
    async fn measure(&mut self, budgets: &Budgets, parts: Parts) -> Result<LoadReport, MeasureError> {
        (self.say)("warming up both servers");
        for route in Route::ALL {
            for server in [OURS, BARE] {
                self.burst(server, route).await?;
                self.burst(server, route).await?;
            }
        }
        let mut checks = Vec::new();
        for &route in parts.cpu {
            checks.push(self.cpu(route, &budgets.route[route.name()]).await?);
        }
        let mut latencies = Vec::new();
        if parts.latency {
            for route in Route::ALL {
                checks.push(self.latency(route, &budgets.route[route.name()], &mut latencies).await?);
            }
            self.rush(&mut latencies).await?;
        }
        if parts.memory {
            checks.push(self.memory(budgets.memory.bytes_a_request).await?);
        }
        if parts.doubt {
            checks.push(self.doubt().await?);
        }
        let moved = self.moved();
        let Tally { requests, wrong, first_wrong, without_limits, served, bare_wrong, .. } = &self.seen;
        checks.push(judge::limits(without_limits.as_deref(), *served));
        let wrong = judge::Wrong { wrong: *wrong, of: *requests, first: first_wrong.as_deref(), at_bare: *bare_wrong };
        checks.push(judge::errors(&wrong, budgets.errors.wrong));
        checks.push(judge::books(moved, *served));
        let conditions = vec![
            "both under plain `workerd serve`, without wrangler's proxy, which would be the bottleneck of both"
                .to_owned(),
            "bare: a JavaScript Worker that finds the tenant and dispatches, checks nothing and keeps nothing"
                .to_owned(),
            "double: the dispatch namespace, which cuts nobody off here, and refuses a dispatch without its limits"
                .to_owned(),
            "double: the facilitator, which says yes at once; real: payments, signed and used once".to_owned(),
            format!("CPU time of each server's process, in bursts of {AT_ONCE} at a time, in turns"),
        ];
        let report = LoadReport::new("budgets", checks, latencies, conditions, self.seen.requests as u64);
        Ok(report.with_ratios(std::mem::take(&mut self.ratios)))
    }

    /// How many payments that were signed here moved money.
    fn moved(&self) -> usize {
        let signed: BTreeSet<&str> = self.seen.nonces.iter().map(String::as_str).collect();
        self.facilitator.moved().keys().filter(|nonce| signed.contains(nonce.as_str())).count()
    }

    fn target(&self, server: usize, tenant: Tenant) -> Target {
        self.servers[server].target(tenant)
    }

    fn requests(&mut self, server: usize, route: Route, count: usize) -> Requests {
        let mut nonces = Vec::new();
        let made = requests(route, count, &mut self.tills[server], &self.invoices[server], &mut nonces);
        if server == OURS {
            self.seen.nonces.extend(nonces);
        }
        made
    }

    fn failed(&self, server: usize, route: Route) -> impl FnOnce(LoadError) -> MeasureError + use<> {
        let (server, route) = (self.servers[server].name, route.name());
        move |source| MeasureError::Load { server, route, source }
    }

    /// Gives how many were answered as they should be.
    async fn burst(&mut self, server: usize, route: Route) -> Result<usize, MeasureError> {
        let count = if route == Route::Paid { self.extent.paid_burst } else { self.extent.burst };
        let requests = self.requests(server, route, count);
        let load = Load { concurrency: AT_ONCE, requests, within: BURST_WITHIN };
        let seen = load::run(&self.target(server, route.tenant()), &load).await.map_err(self.failed(server, route))?;
        self.seen.add(server, route, seen.took.len(), seen.wrong, seen.first_wrong);
        Ok(seen.took.len())
    }

    fn cpu_now(&self) -> Result<[f64; 2], MeasureError> {
        let of =
            |server: &Server| server.cpu().map(|used| used.as_secs_f64() * 1e3).ok_or(MeasureError::Gone(server.name));
        Ok([of(&self.servers[OURS])?, of(&self.servers[BARE])?])
    }

    /// In milliseconds a request, of each pair of bursts. What a server does a second later counts to the pair in which it does.
    async fn cpu(&mut self, route: Route, budgets: &RouteBudgets) -> Result<CheckRecord, MeasureError> {
        let mut pairs: Vec<(f64, f64)> = Vec::new();
        let mut before = self.cpu_now()?;
        loop {
            let mut answered = [0; 2];
            // Who goes first changes, so that being last is nobody's lot.
            for turn in 0..2 {
                let server = (turn + pairs.len()) % 2;
                answered[server] = self.burst(server, route).await?;
            }
            if route == Route::Paid && (pairs.len() + 1).is_multiple_of(LOOK_EVERY) {
                tokio::time::sleep(HAND_OVER).await;
            }
            let now = self.cpu_now()?;
            let of = |server: usize| (now[server] - before[server]) / answered[server] as f64;
            pairs.push((of(OURS), of(BARE)));
            before = now;
            let is_time_to_look = pairs.len() >= self.extent.least_pairs && pairs.len().is_multiple_of(LOOK_EVERY);
            if !is_time_to_look {
                continue;
            }
            let compared = Compared {
                rule: "LOAD-CPU",
                what: "CPU time a request",
                route: route.name(),
                budget: budgets.cpu,
                pairs: &pairs,
            };
            let (check, ratio) = compared.judge();
            if check.outcome != Outcome::Unknown || ratio.is_none() || pairs.len() >= self.extent.most_pairs {
                (self.say)(&format!("{}: {}", check.name, check.detail));
                self.ratios.extend(ratio);
                return Ok(check);
            }
        }
    }

    async fn latency(
        &mut self,
        route: Route,
        budgets: &RouteBudgets,
        latencies: &mut Vec<Latency>,
    ) -> Result<CheckRecord, MeasureError> {
        let rate = if route == Route::Paid { STEADY_PAID } else { STEADY };
        let mut all = [open::histogram(), open::histogram()];
        let mut pairs = Vec::new();
        for slice in 0..self.extent.slices {
            let mut p95 = [0.0; 2];
            for turn in 0..2 {
                let server = (turn + slice) % 2;
                let took = self.slice(server, route, route.tenant(), rate, SLICE).await?;
                p95[server] = took.value_at_quantile(0.95) as f64 / 1e3;
                all[server].add(took).expect("the bounds are the same");
            }
            pairs.push((p95[OURS], p95[BARE]));
        }
        for (server, took) in self.servers.iter().zip(&all) {
            latencies.extend(latency(server.name, route, route.tenant(), "steady", took));
        }
        let compared = Compared {
            rule: "LOAD-LATENCY",
            what: "95th percentile",
            route: route.name(),
            budget: budgets.p95,
            pairs: &pairs,
        };
        let (check, ratio) = compared.judge();
        (self.say)(&format!("{}, at {rate} requests a second: {}", check.name, check.detail));
        self.ratios.extend(ratio);
        Ok(check)
    }

    async fn slice(
        &mut self,
        server: usize,
        route: Route,
        tenant: Tenant,
        rate: f64,
        lasts: Duration,
    ) -> Result<Histogram<u64>, MeasureError> {
        let requests = self.requests(server, route, (rate * lasts.as_secs_f64()) as usize);
        let plan = open::Plan { rate, connections: 2 * AT_ONCE, requests };
        let seen = open::drive(&self.target(server, tenant), &plan).await.map_err(self.failed(server, route))?;
        self.seen.add(server, route, seen.took.len() as usize, seen.wrong, seen.first_wrong);
        Ok(seen.took)
    }

    /// All tenants at once, and three times as much of each.
    async fn rush(&mut self, latencies: &mut Vec<Latency>) -> Result<(), MeasureError> {
        let mill = self.servers[OURS].invoice(MILL).await?;
        let count = |rate: f64| (RUSH * rate * SLICE.as_secs_f64()) as usize;
        let mut nonces = Vec::new();
        let mut plans = Vec::new();
        for (route, tenant, rate) in [
            (Route::PassThrough, Route::PassThrough.tenant(), STEADY),
            (Route::Unpaid, ACME, STEADY),
            (Route::Paid, ACME, STEADY_PAID),
            (Route::Paid, MILL, STEADY_PAID),
        ] {
            let invoice = if tenant == MILL { &mill } else { &self.invoices[OURS] };
            let requests = requests(route, count(rate), &mut self.tills[OURS], invoice, &mut nonces);
            let plan = open::Plan { rate: RUSH * rate, connections: 2 * AT_ONCE, requests };
            plans.push((route, tenant, self.target(OURS, tenant), plan));
        }
        self.seen.nonces.extend(nonces);
        let [a, b, c, d] = &plans[..] else { unreachable!("there are four") };
        let drive = |of: &(Route, Tenant, Target, open::Plan)| {
            let (target, plan) = (of.2.clone(), of.3.clone());
            async move { open::drive(&target, &plan).await }
        };
        let (a, b, c, d) = tokio::join!(drive(a), drive(b), drive(c), drive(d));
        for ((route, tenant, ..), seen) in plans.into_iter().zip([a, b, c, d]) {
            let seen = seen.map_err(self.failed(OURS, route))?;
            latencies.extend(latency(self.servers[OURS].name, route, tenant, "rush", &seen.took));
            self.seen.add(OURS, route, seen.took.len() as usize, seen.wrong, seen.first_wrong);
        }
        Ok(())
    }

    /// Measures the bytes that requests leave behind in each server's memory, once it is warm.
    async fn memory(&mut self, most: f64) -> Result<CheckRecord, MeasureError> {
        let mut grown = [0.0; 2];
        let count = self.extent.remembered;
        for server in [OURS, BARE] {
            self.many(server, count / 2).await?;
            let before = self.resident(server)?;
            self.many(server, count).await?;
            grown[server] = (self.resident(server)? - before) / count as f64;
        }
        let check = judge::memory(grown[OURS], grown[BARE], count, most);
        (self.say)(&format!("memory: {}", check.detail));
        Ok(check)
    }

    async fn many(&mut self, server: usize, count: usize) -> Result<(), MeasureError> {
        let load = Load { concurrency: 2 * AT_ONCE, requests: Requests::Unpaid(count), within: BURST_WITHIN };
        let seen = load::run(&self.target(server, ACME), &load).await.map_err(self.failed(server, Route::Unpaid))?;
        self.seen.add(server, Route::Unpaid, seen.took.len(), seen.wrong, seen.first_wrong);
        Ok(())
    }

    fn resident(&self, server: usize) -> Result<f64, MeasureError> {
        let server = &self.servers[server];
        Ok(server.resident_bytes().ok_or(MeasureError::Gone(server.name))? as f64)
    }

    /// Last: the facilitator may be left out for a while afterwards.
    async fn doubt(&mut self) -> Result<CheckRecord, MeasureError> {
        (self.say)("payments whose settlement's answer gets lost");
        let count = self.extent.doubts;
        let payments = self.tills[OURS].sign(&self.invoices[OURS], count);
        self.seen.nonces.extend(payments.iter().map(|(nonce, _)| nonce.clone()));
        let payments: Vec<_> = payments.into_iter().map(|(_, payment)| payment).collect();
        self.facilitator.lose_answers(true);
        let target = self.target(OURS, ACME);
        let first = doubt::ask(&target, &payments).await.map_err(self.failed(OURS, Route::Paid))?;
        self.facilitator.lose_answers(false);
        let last = doubt::collect(&target, &payments).await.map_err(self.failed(OURS, Route::Paid))?;
        self.seen.requests += first.len() + last.len();
        self.seen.served += last.iter().filter(|status| **status == 200).count();
        Ok(doubt::judge(&first, &last))
    }
}

impl Tally {
    fn add(&mut self, server: usize, route: Route, right: usize, wrong: usize, first_wrong: Option<String>) {
        if server == BARE {
            self.bare_wrong += wrong;
            return;
        }
        self.requests += right + wrong;
        self.wrong += wrong;
        if route == Route::Paid {
            self.served += right;
        }
        let first_wrong = first_wrong.map(|first| format!("{}: {first}", route.name()));
        if let Some(first) = first_wrong.as_ref().filter(|first| first.contains(WITHOUT_LIMITS)) {
            self.without_limits.get_or_insert_with(|| first.clone());
        }
        self.first_wrong = self.first_wrong.take().or(first_wrong);
    }
}

fn latency(server: &str, route: Route, tenant: Tenant, phase: &str, took: &Histogram<u64>) -> Option<Latency> {
    let at = open::quantiles(took)?;
    let [server, route, tenant, phase] = [server, route.name(), tenant.id, phase].map(str::to_owned);
    Some(Latency { server, route, tenant, phase, count: took.len(), at })
}
