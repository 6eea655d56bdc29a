//! `harness bench`: what a request costs at the dispatcher, beside the official server library as a Worker.
//!
//! Both run under plain `workerd serve`, one at a time, with the same flags, before the same facilitator that answers at
//! once, and sell the same content. The surprising constraint: on two cores the load generator competes with the server,
//! so only the comparison within one run says anything.

mod case;
pub mod facilitator;
mod growth;
pub mod load;
mod report;

pub use case::Extent;
pub use growth::{GrowthReport, growth};
pub use report::BenchReport;

use crate::{
    exit::Exit,
    world::{
        TenantDouble,
        test_offer::{HOST, TENANT, Till},
        workerd::{
            DispatcherWorker, DurableObject, LocalNamespace, ModuleWorker, Production, ProductionError, Recording,
            Workerd, WorkerdError, WorkerdOptions,
        },
    },
};
use case::{Case, Kind};
use facilitator::InstantFacilitator;
use hyper::{Uri, header::HeaderValue};
use load::{Load, LoadError, Requests, Seen, Target};
use report::{Compared, Rounds};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use system::{
    clock::{Clock as _, SystemClock},
    guard::Guard,
};
use traffic::{Invoice, PayError, Payers};
use x402_protocol::header::PAYMENT_REQUIRED;

const PATH: &str = "/quote";
const FLOOR_LEDGER: DurableObject = DurableObject { binding: "LEDGER", class: "Ledger" };
/// As many as the dispatcher has by itself.
const FLOOR_SHARDS: &str = "16";

/// The tools that the bench runs: found or built by the set-up.
#[derive(Clone, Debug)]
pub struct BenchTools {
    pub workerd: PathBuf,
    pub bundle_index_js: PathBuf,
    pub wrangler_jsonc: PathBuf,
    pub reference_module: PathBuf,
    pub reference_library: String,
    pub floor_module: PathBuf,
    /// For `--growth`, which fills databases with a script.
    pub node: PathBuf,
    pub kept_script: PathBuf,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum BenchError {
    #[error("the instant facilitator cannot listen")]
    Facilitator(#[source] io::Error),
    #[error(transparent)]
    Production(#[from] ProductionError),
    #[error("{server}")]
    Workerd { server: &'static str, source: WorkerdError },
    #[error("{server}: {case}")]
    Load { server: &'static str, case: &'static str, source: LoadError },
    #[error("{server} offers nothing that can be paid")]
    Offer { server: &'static str, source: Option<PayError> },
    #[error("starting node")]
    Node(#[source] io::Error),
    #[error("the shards could not be filled; node says: {said}")]
    Fill { said: String },
}

impl BenchError {
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Workerd { .. } | Self::Offer { .. } => Exit::DidNotStart,
            Self::Facilitator(_) | Self::Production(_) | Self::Load { .. } | Self::Node(_) | Self::Fill { .. } => {
                Exit::Internal
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    Dispatcher,
    Reference,
    /// A Worker that does nothing: what no server under this runtime can be faster than.
    Floor,
    /// The same with a row for each payment in a few warm objects, in place of an object for each.
    WarmFloor,
}

impl Server {
    const ALL: [Self; 4] = [Self::Dispatcher, Self::Reference, Self::Floor, Self::WarmFloor];

    fn name(self) -> &'static str {
        match self {
            Self::Dispatcher => "the dispatcher",
            Self::Reference => "the reference",
            Self::Floor => "the floor",
            Self::WarmFloor => "the floor with warm shards",
        }
    }
}

/// Measures both servers in turns. `dir` is absolute and gets their files.
pub async fn bench(
    tools: &BenchTools,
    extent: Extent,
    v8_flags: &[String],
    dir: &Path,
    say: &dyn Fn(&str),
) -> Result<BenchReport, BenchError> {
    let facilitator = InstantFacilitator::listen().await.map_err(BenchError::Facilitator)?;
    let bench = Bench {
        tools,
        extent,
        v8_flags,
        till: Till { facilitator_url: facilitator.url(), timeout_ms: None },
        storage: dir,
        clock: SystemClock::start(),
    };
    let mut rounds = Server::ALL.map(|_| <[Rounds; Case::ALL.len()]>::default());
    for round in 0..extent.rounds {
        // Who goes first changes, so that being last is nobody's lot.
        for turn in 0..Server::ALL.len() {
            let index = (turn + round as usize) % Server::ALL.len();
            let server = Server::ALL[index];
            say(&format!("round {} of {}: {}", round + 1, extent.rounds, server.name()));
            let files = dir.join(format!("{}-{index}", round + 1));
            let seen = bench.round(server, u64::from(round), &files).await?;
            for (rounds, seen) in rounds[index].iter_mut().zip(seen) {
                rounds.0.push(seen);
            }
        }
    }
    let [dispatcher, reference, floor, warm] = &rounds;
    let cases = Case::ALL
        .iter()
        .enumerate()
        .map(|(n, case)| Compared::new(case, [dispatcher, reference, floor, warm].map(|rounds| rounds[n].measured())));
    let servers = ["402claw dispatcher".to_owned(), tools.reference_library.clone()];
    Ok(BenchReport::new(servers, bench.conditions(), extent.rounds, cases.collect()))
}

struct Bench<'a> {
    tools: &'a BenchTools,
    extent: Extent,
    v8_flags: &'a [String],
    till: Till,
    storage: &'a Path,
    clock: SystemClock,
}

impl Bench<'_> {
    /// Starts the server, warms it up, measures every case, stops it.
    async fn round(&self, server: Server, round: u64, dir: &Path) -> Result<Vec<Seen>, BenchError> {
        let failed = |source| BenchError::Workerd { server: server.name(), source };
        let running = self.start(server, dir).await.map_err(failed)?;
        let seen = self.measure(server, round, &running).await;
        running.stop().await.map_err(failed)?;
        seen
    }

    async fn start(&self, server: Server, dir: &Path) -> Result<Workerd, WorkerdError> {
        let production = Production::read(&self.tools.wrangler_jsonc)?;
        let options = WorkerdOptions {
            guard: Guard::this_program(),
            workerd: self.tools.workerd.clone(),
            dir: dir.to_owned(),
            v8_flags: self.v8_flags.to_vec(),
            ready_path: "/__platform/ready".to_owned(),
        };
        match server {
            Server::Dispatcher => {
                let worker = DispatcherWorker {
                    production,
                    index_js: self.tools.bundle_index_js.clone(),
                    vars: self.till.dispatcher_vars(),
                    namespace: LocalNamespace {
                        tenants: vec![TenantDouble { script: TENANT.to_owned(), canary: TENANT.to_owned() }],
                        limits: BTreeMap::new(),
                        recording: Recording::Nowhere,
                    },
                };
                Workerd::start(&worker, &options).await
            }
            Server::Reference | Server::Floor | Server::WarmFloor => {
                let (module, mut vars, object) = if server == Server::Reference {
                    (self.tools.reference_module.clone(), self.till.reference_vars(), None)
                } else {
                    (self.tools.floor_module.clone(), self.till.floor_vars(), Some(FLOOR_LEDGER))
                };
                if server == Server::WarmFloor {
                    vars.insert("SHARDS".to_owned(), FLOOR_SHARDS.to_owned());
                }
                let Production { compatibility_date, compatibility_flags, .. } = production;
                let worker =
                    ModuleWorker { module, compatibility_date, compatibility_flags, vars, recorder: None, object };
                Workerd::start(&worker, &options).await
            }
        }
    }

    async fn measure(&self, server: Server, round: u64, running: &Workerd) -> Result<Vec<Seen>, BenchError> {
        let target = Target { port: running.port, host: HeaderValue::from_static(HOST), path: Uri::from_static(PATH) };
        let unpayable = |source| BenchError::Offer { server: server.name(), source };
        let asked = load::one_header(&target, PAYMENT_REQUIRED).await;
        let case = "asking for the offer";
        let offer = asked.map_err(|source| BenchError::Load { server: server.name(), case, source })?;
        let offer = offer.ok_or_else(|| unpayable(None))?;
        // No nonce twice: not in a round, not between rounds, and a server never sees the other's.
        let payers = Payers::from_seed(Server::ALL.len() as u64 * round + server as u64);
        let cases = Case::WARM_UP.iter().map(|case| (false, case)).chain(Case::ALL.iter().map(|case| (true, case)));
        let mut signed = 0;
        let mut all = Vec::new();
        for (measured, case) in cases {
            let requests = match case.kind {
                Kind::Unpaid => Requests::Unpaid(case.requests),
                Kind::Paid => {
                    let invoice = Invoice::read_header(&offer).map_err(|source| unpayable(Some(source)))?;
                    // Before the clock starts, and as late as that allows: they expire.
                    let payments = self.sign(&payers, &invoice, signed, case.requests);
                    signed += case.requests as u64;
                    Requests::Paid(Arc::new(payments))
                }
            };
            let load = Load { concurrency: case.concurrency, requests, within: self.extent.within };
            let before = running.cpu_used();
            let seen = load::run(&target, &load).await;
            let mut seen =
                seen.map_err(|source| BenchError::Load { server: server.name(), case: case.name, source })?;
            seen.cpu = before.zip(running.cpu_used()).map(|(before, after)| after - before);
            if measured {
                all.push(seen);
            }
        }
        Ok(all)
    }

    fn sign(&self, payers: &Payers, invoice: &Invoice, from: u64, count: usize) -> Vec<HeaderValue> {
        let sign = |number| payers.pay(invoice, from + number, 0, self.clock.unix_now()).header;
        (0..count as u64).map(sign).collect()
    }

    fn conditions(&self) -> Vec<String> {
        let generator = if cfg!(debug_assertions) {
            "unoptimised (for less of it in the numbers: cargo run --profile load -p harness -- bench)"
        } else {
            "optimised"
        };
        let flags = if self.v8_flags.is_empty() { "none".to_owned() } else { self.v8_flags.join(" ") };
        vec![
            "workerd serve, one server at a time, in turns; same workerd, compatibility date and flags".to_owned(),
            format!("V8 flags: {flags}"),
            "facilitator: a double that says yes at once; payments: really signed, each used once".to_owned(),
            format!(
                "dispatcher: settlement ledger in SQLite under {}, tenant as a service of the same process, logs",
                self.storage.display()
            ),
            "reference: content from its own handler, no ledger, no logs".to_owned(),
            "floor: a Worker that answers a constant 402, and takes a payment unseen through a Durable Object of its own".to_owned(),
            format!("warm floor: the same with {FLOOR_SHARDS} objects, asked by RPC, and for each payment a row written three times and its content"),
            format!("load generator on the same machine, {generator}"),
        ]
    }
}
