//! The servers of a comparison under plain `workerd serve`: same runtime, date, flags, tenants and facilitator. wrangler's own
//! proxy would be the bottleneck of all of them.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use gate::CheckRecord;
use harness::{
    bench::{
        facilitator::InstantFacilitator,
        load::{self, LoadError, Target},
    },
    world::workerd::{
        BareDispatcher, DispatcherWorker, ModuleWorker, Production, ProductionError, Workerd, WorkerdError,
        WorkerdOptions,
    },
};
use hyper::{Uri, header::HeaderValue};
use nix::{time::ClockId, unistd::Pid};
use system::{
    clock::{Clock, SystemClock},
    guard::Guard,
};
use traffic::{Invoice, PayError, Payers};
use x402_protocol::header::PAYMENT_REQUIRED;

use crate::{
    route::Route,
    shop::{self, Tenant},
};

const BARE: &str = include_str!("../assets/bare.mjs");
const READY_PATH: &str = "/__platform/ready";

/// The tools that servers are run with.
#[derive(Clone, Debug)]
pub struct Tools {
    pub guard: Guard,
    pub workerd: PathBuf,
    pub wrangler_jsonc: PathBuf,
}

#[derive(Clone, Debug)]
pub enum Kind {
    /// The entry of a built bundle.
    Dispatcher(PathBuf),
    Bare,
    /// The official library's Worker.
    Reference(PathBuf),
}

/// A running server.
pub struct Server {
    pub name: &'static str,
    workerd: Workerd,
    process: Process,
}

#[derive(Clone, Copy)]
struct Process {
    pid: u32,
    cpu: ClockId,
}

#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error(transparent)]
    Production(#[from] ProductionError),
    #[error("{name}")]
    Workerd { name: &'static str, source: WorkerdError },
    #[error("{0} runs in no process that can be looked at")]
    NoProcess(&'static str),
    #[error("asking {name} for its offer")]
    Ask { name: &'static str, source: LoadError },
    #[error("{name} offers nothing that can be paid")]
    NoOffer { name: &'static str, source: Option<PayError> },
}

impl Kind {
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Dispatcher(_) => "dispatcher",
            Self::Bare => "bare",
            Self::Reference(_) => "@x402/hono",
        }
    }
}

impl Server {
    /// `dir` is absolute and gets its files.
    pub async fn start(
        kind: &Kind,
        tools: &Tools,
        facilitator: &InstantFacilitator,
        dir: &Path,
    ) -> Result<Self, ServerError> {
        let name = kind.name();
        let production = Production::read(&tools.wrangler_jsonc)?;
        let options = WorkerdOptions {
            guard: tools.guard.clone(),
            workerd: tools.workerd.clone(),
            dir: dir.to_owned(),
            v8_flags: Vec::new(),
            ready_path: READY_PATH.to_owned(),
        };
        let (namespace, url) = (shop::namespace(), facilitator.url());
        let started = match kind {
            Kind::Dispatcher(index_js) => {
                let (index_js, vars) = (index_js.clone(), shop::dispatcher_vars(&url));
                Workerd::start(&DispatcherWorker { production, index_js, vars, namespace }, &options).await
            }
            Kind::Bare => {
                let vars = shop::bare_vars(&url);
                Workerd::start(&BareDispatcher { production, module: BARE, vars, namespace }, &options).await
            }
            Kind::Reference(module) => {
                let Production { compatibility_date, compatibility_flags, .. } = production;
                let (module, vars) = (module.clone(), shop::reference_vars(&url));
                let (recorder, object) = (None, None);
                let worker = ModuleWorker { module, compatibility_date, compatibility_flags, vars, recorder, object };
                Workerd::start(&worker, &options).await
            }
        };
        let workerd = started.map_err(|source| ServerError::Workerd { name, source })?;
        let process = workerd.pid().and_then(Process::of).ok_or(ServerError::NoProcess(name))?;
        Ok(Self { name, workerd, process })
    }

    #[must_use]
    pub fn target(&self, tenant: Tenant) -> Target {
        let (host, path) = (HeaderValue::from_static(tenant.host), Uri::from_static("/quote"));
        Target { port: self.workerd.port, host, path }
    }

    /// The offer of a tenant that sells.
    pub async fn invoice(&self, tenant: Tenant) -> Result<Invoice, ServerError> {
        let name = self.name;
        let offer = load::one_header(&self.target(tenant), PAYMENT_REQUIRED).await;
        let offer = offer.map_err(|source| ServerError::Ask { name, source })?;
        let offer = offer.ok_or(ServerError::NoOffer { name, source: None })?;
        Invoice::read_header(&offer).map_err(|source| ServerError::NoOffer { name, source: Some(source) })
    }

    /// The CPU time that its process has used, to the nanosecond; `None` once it has ended.
    #[must_use]
    pub fn cpu(&self) -> Option<Duration> {
        self.process.cpu.now().ok().map(Duration::from)
    }

    /// The bytes that it has in memory; `None` once it has ended.
    #[must_use]
    pub fn resident_bytes(&self) -> Option<u64> {
        const FIELD: &str = "VmRSS:";
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.pid)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(FIELD))?;
        Some(1_024 * line.trim().trim_end_matches(" kB").parse::<u64>().ok()?)
    }

    pub async fn stop(self) -> Result<(), ServerError> {
        let name = self.name;
        self.workerd.stop().await.map_err(|source| ServerError::Workerd { name, source })
    }
}

impl Process {
    fn of(pid: u32) -> Option<Self> {
        let cpu = ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(pid).ok()?)).ok()?;
        Some(Self { pid, cpu })
    }
}

/// Wallets that sign one payment after another, none twice.
pub struct Till {
    payers: Payers,
    clock: SystemClock,
    next: u64,
}

impl Till {
    /// Payments of another `seed` are others.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { payers: Payers::from_seed(seed), clock: SystemClock::start(), next: 0 }
    }

    /// Signs so many payments, as late as that can be done: they expire. Gives the nonce of each, too.
    pub fn sign(&mut self, invoice: &Invoice, count: usize) -> Vec<(String, HeaderValue)> {
        let now = self.clock.unix_now();
        let from = self.next;
        self.next += count as u64;
        (from..self.next)
            .map(|number| {
                let payment = self.payers.pay(invoice, number, 0, now);
                let key = payment.key.expect("an honest payment has a key");
                let nonce = key.rsplit(':').next().unwrap_or(&key).to_owned();
                (nonce, payment.header)
            })
            .collect()
    }
}

/// A check of the load tests, by its rule.
#[must_use]
pub fn check(rule: &str, name: &str, outcome: gate::Outcome, detail: String) -> CheckRecord {
    CheckRecord { rule: rule.to_owned(), name: name.to_owned(), outcome, detail }
}

/// How a route is asked.
pub fn requests(
    route: Route,
    count: usize,
    till: &mut Till,
    invoice: &Invoice,
    nonces: &mut Vec<String>,
) -> load::Requests {
    match route {
        Route::PassThrough => load::Requests::Free(count),
        Route::Unpaid => load::Requests::Unpaid(count),
        Route::Paid => {
            let (signed, payments): (Vec<_>, Vec<_>) = till.sign(invoice, count).into_iter().unzip();
            nonces.extend(signed);
            load::Requests::Paid(payments.into())
        }
    }
}
