//! The namespace's front door: HTTP on loopback, a dispatch per request. Surprising constraint: a dispatch is told by a
//! header that no web page can send without asking first, because the port is open to every browser on the machine.

use super::{
    cut_off::{CutOff, Priority},
    deploys::{Change, Deploys, Upload},
    dispatch::{Dispatch, DispatchError},
    exception::Exception,
    invocation::Runtime,
    memory::Memory,
    policy::Policy,
    pool::Pool,
    process::Workshop,
    record::{Records, Told},
    script::Script,
    stream::{self, Body, full},
};
use hyper::{Request, Response, StatusCode, body::Incoming};
use serde_json::json;
use std::{
    collections::BTreeSet,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};
use system::output::errln;
use tokio::{net::TcpListener, sync::mpsc, task::JoinSet};

/// Whoever sends random keys is told no more of them.
const MAX_TOLD_LIMITS: usize = 20;

#[derive(Clone, Debug)]
pub struct Options {
    pub tenants: PathBuf,
    /// Any free one where 0.
    pub port: u16,
    pub policy: Policy,
    /// The memory that each isolate may hold.
    pub memory: Memory,
    pub workerd: PathBuf,
    /// Empty, and nobody else's.
    pub scratch: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("reading the tenants' folder {folder}")]
    Tenants { folder: PathBuf, source: io::Error },
    #[error("listening on port {port} of loopback")]
    Listen { port: u16, source: io::Error },
    #[error("starting the CPU cut-off's thread")]
    CutOff(#[source] io::Error),
}

/// A running namespace. Dropping it kills every process.
#[derive(Debug)]
pub struct Supervisor {
    address: SocketAddr,
    watcher: Priority,
    namespace: Arc<Namespace>,
    tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Namespace {
    deploys: Arc<Deploys>,
    runtime: Runtime,
    /// Keys that limit nothing, of which the developer was told.
    told_limits: Mutex<BTreeSet<String>>,
}

impl Supervisor {
    pub async fn start(options: Options) -> Result<(Supervisor, mpsc::UnboundedReceiver<Told>), StartError> {
        let tenants = |source| StartError::Tenants { folder: options.tenants.clone(), source };
        let deploys = Arc::new(Deploys::of(&options.tenants).map_err(tenants)?);
        let listen = |source| StartError::Listen { port: options.port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let pool = Pool::new(Workshop::new(options.workerd, options.scratch, options.policy, options.memory));
        let (records, told) = Records::new();
        let cut_off = CutOff::start().map_err(StartError::CutOff)?;
        let watcher = cut_off.priority();
        let mut tasks = JoinSet::new();
        tasks.spawn(pool.clone().sweep());
        let trials = pool.clone();
        let namespace = Arc::new(Namespace {
            deploys: Arc::clone(&deploys),
            runtime: Runtime { pool, cut_off, memory: options.memory, records },
            told_limits: Mutex::default(),
        });
        let uploads = Arc::clone(&deploys);
        tasks.spawn(deploys.watch(move |change| changed(change, Arc::clone(&uploads), trials.clone())));
        tasks.spawn(serve(listener, Arc::clone(&namespace)));
        Ok((Supervisor { address, watcher, namespace, tasks }, told))
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How the scheduler treats the thread that cuts off.
    pub fn watcher(&self) -> Priority {
        self.watcher
    }

    /// The memory that each isolate may hold.
    pub fn memory(&self) -> Memory {
        self.namespace.runtime.memory
    }

    pub fn scripts(&self) -> Vec<String> {
        self.namespace.deploys.names()
    }

    /// Says of each script that cannot be read why, before its first caller is told.
    pub fn tell_unreadable(&self) {
        for name in self.scripts() {
            if let Some(Err(error)) = self.namespace.deploys.get(&name) {
                errln!("`{name}` cannot run: {error}");
            }
        }
    }

    /// Comes back when every script has a process, so that none of their callers waits for a start.
    pub async fn warm(&self) {
        for name in self.scripts() {
            let script = match self.namespace.deploys.get(&name) {
                Some(Ok(script)) => script,
                Some(Err(error)) => {
                    errln!("`{name}` cannot run: {error}");
                    continue;
                }
                None => continue,
            };
            // Its first caller is told.
            if let Err(error) = self.namespace.runtime.pool.warm(&script).await {
                errln!("`{name}` cannot run: {error}");
            }
        }
    }

    /// Comes back when no request is answered any more.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn changed(change: Change, deploys: Arc<Deploys>, pool: Pool) {
    match change {
        Change::Deployed(name) => match first_start(&name, &deploys, &pool).await {
            Ok(()) => errln!("deployed {name}"),
            Err(error) => errln!("deployed {name}, which cannot run: {error}"),
        },
        Change::Removed(name) => errln!("removed {name}"),
        Change::Uploaded(upload) => match tried_out(&upload, &pool).await {
            Ok(script) => {
                deploys.deployed(script);
                errln!("deployed {}", upload.name);
            }
            Err(error) => {
                errln!("not deployed: {error}\nthe version of `{}` before goes on", upload.name);
            }
        },
    }
}

/// Nobody should learn from a caller that a script does not start.
async fn first_start(
    name: &str,
    deploys: &Deploys,
    pool: &Pool,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    match deploys.get(name) {
        Some(script) => Ok(pool.warm(&script?).await?),
        // It is gone again.
        None => Ok(()),
    }
}

async fn tried_out(upload: &Upload, pool: &Pool) -> Result<Arc<Script>, Box<dyn std::error::Error + Send + Sync>> {
    let script = Arc::new(upload.load()?);
    pool.try_out(&script).await?;
    Ok(script)
}

async fn serve(listener: TcpListener, namespace: Arc<Namespace>) {
    // Aborted with this task, as the set is dropped.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // An accept fails when the caller hung up first; the next one may be well.
            Ok((stream, _)) = listener.accept() => {
                let namespace = Arc::clone(&namespace);
                connections.spawn(async move {
                    // A caller that went away has ended its invocation with this future.
                    stream::serve(stream, |request| answer(request, &namespace)).await;
                });
            }
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn answer(request: Request<Incoming>, namespace: &Namespace) -> Response<Body> {
    match Dispatch::of(&request) {
        Ok(dispatch) => namespace.run(&dispatch, request).await.unwrap_or_else(Exception::into_response),
        Err(error @ DispatchError::Missing) => bad_request(&error, &namespace.deploys),
        // A dispatcher must not take this for its tenant's answer.
        Err(error) => Exception::local(error).into_response(),
    }
}

impl Namespace {
    /// Once each: a dispatcher that misspells a limit does so in every dispatch, and the platform would say nothing.
    fn tell_unknown_limits(&self, dispatch: &Dispatch) {
        let mut told = self.told_limits.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &dispatch.unknown_limits {
            if told.len() < MAX_TOLD_LIMITS && told.insert(key.clone()) {
                errln!(
                    "`limits.{}` limits nothing, here and on the platform: it has `cpuMs` and `subRequests`",
                    key.escape_debug()
                );
            }
        }
    }

    async fn run(&self, dispatch: &Dispatch, request: Request<Incoming>) -> Result<Response<Body>, Exception> {
        self.tell_unknown_limits(dispatch);
        let script = self.deploys.get(&dispatch.script).ok_or_else(Exception::not_found)?.map_err(Exception::local)?;
        self.runtime.run(&script, dispatch, request).await
    }
}

/// For somebody who tries the port with a browser or curl.
fn bad_request(error: &DispatchError, deploys: &Deploys) -> Response<Body> {
    let body = json!({ "error": error.to_string(), "scripts": deploys.names() });
    let mut response = Response::new(full(format!("{body:#}\n")));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}
