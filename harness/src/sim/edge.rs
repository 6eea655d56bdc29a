//! The dispatchers' isolates and the Durable Objects behind them, as one process that can die and start again on what was
//! stored.

use super::{
    alarms::Alarms,
    armed_kills::Armed,
    chance::Chance,
    clock::VirtualClock,
    disturbed::Disturbed,
    kept_events::{self, KeptEvents},
    objects::{Objects, Parts},
    operator::{books_request, operator_request},
    platform::Simulation,
    ports::{
        desk::SimDesk,
        event_queue::SimQueue,
        facilitator_transport::PipeTransport,
        health_object::SimHealth,
        health_store::SimHealthStore,
        inbound::SimRequest,
        log::SimLog,
        namespace::{SimNamespace, SimResponse},
        quarantine_object::SimQuarantines,
        rate_limiter::SimLimiter,
        record_store::{LastWrite, Written},
        secrets::SimSecrets,
        settlement_ledger::SimLedger,
        snapshot_store::SimSnapshots,
    },
    process::Life,
    stored::StoredLedger,
    tenant::{Content, Tenants},
    wire::Incoming,
};
use crate::{directory::KvStore, play::LocationCounter};
use dispatcher_core::{
    Config,
    admission::Gate,
    answer::{Answer, Body},
    directory::{cache::Cache, stored::Stored},
    paywall::{
        health::Snapshot,
        ledger::layout::Layout,
        ports::{Clock, RecordStore},
    },
    platform::{IsolateMemory, Ports, Surroundings},
    platform_api,
    ports::Inbound,
    quarantine::{Quarantines, Warden},
    serving::Server,
    telemetry::outbox::Outbox,
};
use doubles::{NodeDouble, PipedDouble};
use journal::Journal;
use reports::event::{Event, LedgerState, StoredRecord};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use scenario::OperatorAction;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    sync::Arc,
};
use traffic::{Broken, PATIENCE, WireAnswer};

/// The parts that outlive a process, and the process that runs now.
pub struct Edge {
    pub config: Rc<Config>,
    /// As the version that is started next has it.
    pub layout: Cell<Layout>,
    pub dispatchers: usize,
    pub clock: VirtualClock,
    pub chance: Chance,
    pub journal: Journal,
    pub armed: Rc<Armed>,
    /// Tenants by the token that only they know.
    pub canaries: Rc<BTreeMap<String, String>>,
    pub doubles: Rc<BTreeMap<String, Arc<PipedDouble>>>,
    /// In the order in which they are asked.
    pub nodes: Rc<[NodeDouble]>,
    pub tenants: Rc<Tenants>,
    /// `None`: the configuration lists all tenants.
    pub directory: Option<KvStore>,
    pub disturbed: Rc<Disturbed>,
    pub kept: Rc<KeptEvents>,
    pub written: Written,
    pub stored: StoredLedger,
    pub alarms: Alarms,
    pub health: Rc<RefCell<Option<Snapshot>>>,
    pub location: Rc<RefCell<LocationCounter>>,
    /// The list that the one object has.
    pub quarantines: Rc<RefCell<Quarantines>>,
    /// `None` while it is down.
    pub process: RefCell<Option<Process>>,
}

pub struct Process {
    life: Life,
    outbox: Rc<Outbox>,
    isolates: Vec<Rc<Server<Simulation>>>,
}

impl Edge {
    pub fn start(&self) {
        let life = Life::default();
        let (journal, armed, canaries) = (self.journal.clone(), Rc::clone(&self.armed), Rc::clone(&self.canaries));
        let (outbox, queue) = (Rc::<Outbox>::default(), SimQueue(Rc::clone(&self.kept)));
        let (clock, events) = (self.clock, queue.clone());
        let log = SimLog { clock, outbox: Rc::clone(&outbox), queue, life: life.clone(), journal, armed, canaries };
        let objects = Objects::new(Parts {
            config: Rc::clone(&self.config),
            layout: self.layout.get(),
            stored: self.stored.clone(),
            disturbed: Rc::clone(&self.disturbed),
            written: Rc::clone(&self.written),
            health: SimHealthStore { life: life.clone(), alarms: self.alarms.clone(), stored: Rc::clone(&self.health) },
            transport: PipeTransport {
                life: life.clone(),
                chance: self.chance.clone(),
                clock: self.clock,
                doubles: Rc::clone(&self.doubles),
                nodes: Rc::clone(&self.nodes),
            },
            log: log.clone(),
            clock: self.clock,
        });
        life.spawn(Rc::clone(&objects).answer_alarms());
        let isolate = |n: usize| {
            let (config, chance) = (Rc::clone(&self.config), self.chance.clone());
            let namespace = SimNamespace {
                life: life.clone(),
                chance: chance.clone(),
                journal: self.journal.clone(),
                tenants: Rc::clone(&self.tenants),
            };
            let tenants = Stored {
                listed: Rc::clone(&config.directory),
                cache: Rc::new(Cache::new(config.available.clone())),
                store: SimSnapshots { life: life.clone(), chance: chance.clone(), stored: self.directory.clone() },
                clock: self.clock,
                log: log.clone(),
            };
            let quarantines = SimQuarantines {
                life: life.clone(),
                chance: chance.clone(),
                clock: self.clock,
                stored: Rc::clone(&self.quarantines),
            };
            let memory = IsolateMemory {
                warden: Rc::new(Warden::new(config.cpu_policy)),
                gate: Rc::new(Gate::new(n as u64)),
                board: Some(objects.board()),
                token_guard: Rc::default(),
                departures: Rc::default(),
                shelf: Rc::default(),
                outbox: Some(Rc::clone(&outbox)),
                dashboard_host: config.dashboard_host.clone(),
            };
            let (objects, disturbed) = (Rc::clone(&objects), Rc::clone(&self.disturbed));
            let ledger = SimLedger { objects: Rc::clone(&objects), disturbed, layout: self.layout.get() };
            let (clock, randomness, log) = (self.clock, chance, log.clone());
            let ports = Ports { namespace, ledger, clock, randomness, log, tenants };
            let location = Rc::clone(&self.location);
            let surroundings = Surroundings {
                limiter: SimLimiter { life: life.clone(), clock: self.clock, location },
                quarantines,
                health: SimHealth(Rc::clone(&objects)),
                secrets: SimSecrets,
                events: events.clone(),
                desk: SimDesk(Rc::clone(&self.kept)),
                later: life.clone(),
            };
            Server::new(ports, surroundings, memory)
        };
        let isolates = (0..self.dispatchers).map(isolate).collect();
        self.process.replace(Some(Process { life, outbox, isolates }));
    }

    /// Everything that was under way is lost; what was stored stays.
    pub fn kill(&self) {
        if let Some(process) = self.process.take() {
            self.kept.died_with(&process.outbox);
            for panic in process.life.bury() {
                self.journal.record(Event::Unreadable { source: "dispatcher".to_owned(), text: panic });
            }
        }
    }

    /// Takes a client's request in.
    pub fn accept(&self, incoming: Incoming) {
        let Incoming { dispatcher, request, answer: to } = incoming;
        let process = self.process.borrow();
        let Some(process) = process.as_ref() else {
            // A client that is gone has nobody to tell.
            let _ = to.send(Err(Broken("connection refused".to_owned())));
            return;
        };
        let (life, chance) = (process.life.clone(), self.chance.clone());
        let server = Rc::clone(&process.isolates[dispatcher]);
        process.life.spawn(async move {
            chance.travel().await;
            let request = SimRequest::from(request);
            let served = server.serve(&request).await;
            life.alive().await;
            chance.travel().await;
            let has_left = to.send(to_wire(&request, served.answer)).is_ok();
            if let Some(departure) = served.departure {
                departure.confirm(move || has_left);
            }
        });
    }

    /// Puts an operator's action to the first dispatcher, and returns the status of its answer; `None` while it is down.
    pub async fn operate(&self, action: &OperatorAction) -> Option<u16> {
        let (server, life) = {
            let process = self.process.borrow();
            let process = process.as_ref()?;
            (Rc::clone(&process.isolates[0]), process.life.clone())
        };
        let request = SimRequest::from(operator_request(action, self.clock.now()));
        let asked = async {
            let status = server.serve(&request).await.answer.status;
            life.alive().await;
            status
        };
        // What asks a process that dies meanwhile hears nothing.
        tokio::time::timeout(PATIENCE, asked).await.ok()
    }

    /// Has an operator read the books, once everything has arrived. Nobody reads them while the process is down.
    pub async fn read_books(&self) {
        let (server, outbox) = {
            let process = self.process.borrow();
            let Some(process) = process.as_ref() else { return };
            (Rc::clone(&process.isolates[0]), Rc::clone(&process.outbox))
        };
        self.kept.arrive(&outbox).await;
        let request = SimRequest::from(books_request(&kept_events::span(self.clock.now())));
        let Answer { status, body, .. } = server.serve(&request).await.answer;
        let text = match body {
            Body::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Body::Tenant(_) => "a tenant's answer".to_owned(),
        };
        // What was written meanwhile is in it, too.
        self.kept.arrive(&outbox).await;
        let books = match status {
            200 => self.kept.books(&text, &outbox).await,
            status => Err(format!("the books were refused with {status}: {text}")),
        };
        let unreadable = |text| Event::Unreadable { source: "books".to_owned(), text };
        self.journal.record(books.map_or_else(unreadable, Event::BooksRead));
    }

    /// Tells of every record that is left.
    pub async fn tell_of_storage(&self) {
        let left = |(payment, written): (&String, &LastWrite)| StoredRecord {
            payment: payment.clone(),
            state: written.state.to_owned(),
            since_us: written.at_us,
            bytes: written.bytes,
            body_bytes: 0,
        };
        let all: Vec<_> = self.written.borrow().iter().map(left).collect();
        for left in all {
            let body = self.stored.of(&left.payment).store(&left.payment).body().await;
            let body_bytes = body.map_or(0, |body| body.len() as u64);
            self.journal.record(Event::StorageLeft(StoredRecord { body_bytes, ..left }));
        }
    }

    /// The settlement ledger's answer about a payment.
    pub async fn ledger_state(&self, payment: &str) -> Result<LedgerState, Event> {
        let unreadable = |why: String| Event::Unreadable { source: "settlement ledger".to_owned(), text: why };
        let record =
            self.stored.of(payment).store(payment).load().await.map_err(|error| unreadable(error.to_string()))?;
        let described = platform_api::describe(payment, record.as_ref());
        let text = |name: &str| described[name].as_str().map(str::to_owned);
        let state = text("state").ok_or_else(|| unreadable(format!("{payment}: no state")))?;
        Ok(LedgerState { payment: payment.to_owned(), state, transaction: text("transaction") })
    }
}

/// An answer as the Worker's adapter and a client's HTTP stack have it.
fn to_wire(request: &SimRequest, answer: Answer<SimResponse>) -> Result<WireAnswer, Broken> {
    let Answer { status, body, set, strip } = answer;
    let (mut headers, content) = match body {
        Body::Bytes(bytes) => (Vec::new(), Content::Whole(bytes)),
        Body::Tenant(passed) => {
            let response = passed.into_inner();
            (response.headers, response.content)
        }
    };
    headers.retain(|(name, _)| !strip.contains(name) && set.iter().all(|(other, _)| other != name));
    headers.extend(set);
    let bare = request.method() == "HEAD" || matches!(status, 204 | 205 | 304);
    let body = match content {
        _ if bare => Vec::new(),
        Content::Whole(body) => body,
        Content::CutOffAfter(_) | Content::Endless | Content::Trickle(_) => {
            return Err(Broken("connection closed before the body was whole".to_owned()));
        }
    };
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::try_from(&name).map_err(|_| Broken(format!("header name {name:?}")))?;
        let value = HeaderValue::try_from(&value).map_err(|_| Broken(format!("value of header {name}")))?;
        map.append(name, value);
    }
    Ok(WireAnswer { status, headers: map, body })
}
