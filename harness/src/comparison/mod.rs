//! `harness conformance`: the same faults at the official server library and at the dispatcher, side by side, as a table that is
//! generated from a run (`docs/conformance.md`).
//!
//! The surprising constraint: the file must come out the same twice, so nothing in it may depend on how fast a machine is.

mod client;
mod document;
mod observed;
mod row;

use crate::{
    exit::Exit,
    http::request_form::RequestForm,
    world::{
        TenantDouble,
        recorder::Recorder,
        test_offer::{HOST, TENANT, Till},
        workerd::{
            DispatcherWorker, LocalNamespace, ModuleWorker, Production, Recording, Workerd, WorkerdError,
            WorkerdOptions,
        },
    },
};
use document::Compared;
use doubles::{Chain, FacilitatorDouble, Terms};
use journal::Journal;
use reports::event::{Event, FacilitatorEndpoint};
use serde::{Serialize, de::IgnoredAny};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use system::{
    clock::{Clock, SystemClock},
    guard::Guard,
};
use traffic::{PayError, Payers};

pub(crate) use client::{Client, http};
#[cfg(test)]
pub(crate) use observed::Answer;
pub(crate) use observed::{Observed, Step, Verdict};
pub(crate) use row::{Deed, Method, QUOTE, Row, rows};

/// Name of the only double.
const FACILITATOR: &str = "primary";
/// How long either server waits for it: longer than any honest answer takes, on a busy machine too.
const TIMEOUT_MS: u64 = 2_000;

/// The tools that the table is made with: found or built by the set-up.
#[derive(Clone, Debug)]
pub struct ConformanceTools {
    pub workerd: PathBuf,
    pub bundle_index_js: PathBuf,
    pub wrangler_jsonc: PathBuf,
    pub reference_module: PathBuf,
    pub reference_library: String,
}

/// The document, and whether the dispatcher was sound in every row.
pub struct Conformance {
    pub document: String,
    /// The rows that were played.
    pub rows: Vec<PlayedRow>,
    pub sound: bool,
}

/// A row that was played, and whether nobody lost anything at either server.
#[derive(Clone, Debug, Serialize)]
pub struct PlayedRow {
    pub name: &'static str,
    pub dispatcher_is_sound: bool,
    pub reference_is_sound: bool,
    /// At the dispatcher.
    pub verdicts: Vec<String>,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ConformanceError {
    #[error("{row}, {server}")]
    Row { row: &'static str, server: &'static str, source: Box<Self> },
    #[error(transparent)]
    Workerd(#[from] WorkerdError),
    #[error("a double on loopback")]
    Double(#[source] io::Error),
    #[error("the HTTP client")]
    Http(#[source] reqwest::Error),
    #[error("the server offers nothing to an unpaid request")]
    NoOffer,
    #[error("the server's offer cannot be paid")]
    Offer(#[source] PayError),
}

impl ConformanceError {
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Row { source, .. } => source.exit(),
            Self::Workerd(_) | Self::NoOffer | Self::Offer(_) => Exit::DidNotStart,
            Self::Double(_) | Self::Http(_) => Exit::Internal,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    Reference,
    Dispatcher,
}

impl Server {
    fn name(self) -> &'static str {
        match self {
            Self::Reference => "the reference",
            Self::Dispatcher => "the dispatcher",
        }
    }
}

/// Plays every row at both servers. `dir` is absolute and gets their files.
pub async fn conformance(
    tools: &ConformanceTools,
    dir: &Path,
    say: &dyn Fn(&str),
) -> Result<Conformance, ConformanceError> {
    let rows = row::rows();
    let count = rows.len();
    let mut compared = Vec::new();
    for (n, row) in rows.into_iter().enumerate() {
        say(&format!("[{}/{count}] {}", n + 1, row.name));
        let play = async |server: Server| {
            let dir = dir.join(format!("{}-{server:?}", n + 1));
            let failed =
                |source| ConformanceError::Row { row: row.name, server: server.name(), source: Box::new(source) };
            play(tools, server, &row, &dir).await.map_err(failed)
        };
        let (reference, dispatcher) = tokio::try_join!(play(Server::Reference), play(Server::Dispatcher))?;
        compared.push(Compared { name: row.name, deed: row.deed, specified: row.specified, reference, dispatcher });
    }
    let played = |row: &Compared| PlayedRow {
        name: row.name,
        dispatcher_is_sound: row.dispatcher.is_sound(row.deed, row.specified),
        reference_is_sound: row.reference.is_sound(row.deed, row.specified),
        verdicts: row.dispatcher.verdicts(row.deed, row.specified).iter().map(ToString::to_string).collect(),
    };
    let rows: Vec<PlayedRow> = compared.iter().map(played).collect();
    let sound = rows.iter().all(|row| row.dispatcher_is_sound);
    Ok(Conformance { rows, document: document::render(&tools.reference_library, &compared), sound })
}

async fn play(tools: &ConformanceTools, server: Server, row: &Row, dir: &Path) -> Result<Observed, ConformanceError> {
    let clock = Arc::new(SystemClock::start());
    let (journal, mut seen) = Journal::channel(Arc::clone(&clock) as Arc<dyn Clock>);
    let chain = Arc::new(Chain::new(journal.clone()));
    let double = FacilitatorDouble::start(
        FACILITATOR.to_owned(),
        Terms::default(),
        Arc::clone(&chain),
        row.faults.clone(),
        journal.clone(),
    )
    .await
    .map_err(ConformanceError::Double)?;
    let ran = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&ran);
    let count = Arc::new(move |_: IgnoredAny| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let recorder = Recorder::listen("handler", count).await.map_err(ConformanceError::Double)?;
    let till = Till { facilitator_url: double.url(), timeout_ms: Some(TIMEOUT_MS) };
    let running = start(tools, server, &till, &recorder, dir).await?;

    let payers = Payers::from_seed(0);
    let moved = || chain.transfers();
    let http = client::http().map_err(ConformanceError::Http)?;
    let client = Client {
        http,
        url: &running.url,
        host: Some(HOST),
        quote: QUOTE,
        another: "/another",
        form: &RequestForm::default(),
        clock: clock.as_ref(),
        payers: &payers,
        moved: &moved,
    };
    let story = client.act(row.deed).await;

    running.stop().await?;
    double.stop().await.map_err(ConformanceError::Double)?;
    recorder.stop().await;
    let story = story?;
    let (mut verify_calls, mut settle_calls) = (0, 0);
    while let Ok(recorded) = seen.try_recv() {
        match recorded.event {
            Event::FacilitatorCalled(call) if call.received_us <= story.first_answered_us => match call.endpoint {
                FacilitatorEndpoint::Verify => verify_calls += 1,
                FacilitatorEndpoint::Settle => settle_calls += 1,
                FacilitatorEndpoint::Supported => {}
            },
            _ => {}
        }
    }
    let handler_runs = ran.load(Ordering::Relaxed);
    let moved = chain.transfers();
    Ok(Observed { answers: story.answers, next: story.next, handler_runs, verify_calls, settle_calls, moved })
}

async fn start(
    tools: &ConformanceTools,
    server: Server,
    till: &Till,
    recorder: &Recorder,
    dir: &Path,
) -> Result<Workerd, WorkerdError> {
    let production = Production::read(&tools.wrangler_jsonc)?;
    let options = WorkerdOptions {
        guard: Guard::this_program(),
        workerd: tools.workerd.clone(),
        dir: dir.to_owned(),
        v8_flags: Vec::new(),
        ready_path: "/__platform/ready".to_owned(),
    };
    match server {
        Server::Dispatcher => {
            let worker = DispatcherWorker {
                production,
                index_js: tools.bundle_index_js.clone(),
                vars: till.dispatcher_vars(),
                namespace: LocalNamespace {
                    tenants: vec![TenantDouble { script: TENANT.to_owned(), canary: TENANT.to_owned() }],
                    limits: BTreeMap::new(),
                    recording: Recording::To { address: recorder.address(), path: recorder.path().to_owned() },
                },
            };
            Workerd::start(&worker, &options).await
        }
        Server::Reference => {
            let mut vars = till.reference_vars();
            vars.insert("RECORDER_PATH".to_owned(), recorder.path().to_owned());
            let worker = ModuleWorker {
                module: tools.reference_module.clone(),
                compatibility_date: production.compatibility_date,
                compatibility_flags: production.compatibility_flags,
                vars,
                recorder: Some(recorder.address()),
                object: None,
            };
            Workerd::start(&worker, &options).await
        }
    }
}
