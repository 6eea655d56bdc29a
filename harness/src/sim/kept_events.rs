//! The queue of events and the database behind it. They are the platform's and not the process's: what was sent before a kill
//! arrives after it. The database is SQLite, which D1 is, too, and what it is asked is what the telemetry Worker asks it.
//!
//! Surprising: nothing here draws from the run's chance. So a run has the same history with it as it had before it.

use super::clock::VirtualClock;
use dispatcher_core::{
    operations::question::{Asked, DeskError, Question, Told},
    paywall::{UnixMillis, ports::Clock},
    telemetry::outbox::{Outbox, Parcel},
};
use fastrand::Rng;
use journal::Journal;
use reports::event::{Books, Event};
use scenario::{Misdelivers, Misdelivery};
use serde::Deserialize;
use serde_json::Value;
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};
use telemetry::{
    answer::answer,
    ingest::{Ingested, ingest, put_aside},
    schema,
    sqlite::Sqlite,
    store::{DatabaseError, Statement, ask},
};

/// The time that a batch is on its way, and that the queue waits before it tries again.
const ON_ITS_WAY: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_secs(3);
/// Tries after which a batch lies with the dead letters, as in the telemetry Worker's configuration.
const MOST_TRIES: u32 = 60;
/// The time by which everything that is on its way has arrived: the books are read as if it had passed.
const AFTERWARDS_MS: u64 = 3 * 60_000;

/// Rows of a kind of event in the counts of all time, and rows of events.
const COUNTED: &str = "SELECT json_object('kept', (SELECT count(*) FROM event), 'counted', (SELECT coalesce(sum(count), 0) FROM rollup \
    WHERE span = 1000000000000000 AND kind NOT IN ('verify', 'settle', 'received', 'dispatch')), \
    'lost', (SELECT coalesce(sum(lost), 0) FROM batch))";

pub struct KeptEvents {
    database: Sqlite,
    disturbances: Vec<Misdelivery>,
    /// How many batches reached each disturbance, and the chance of those that pick by it.
    state: RefCell<(Vec<u64>, Rng)>,
    /// The batches that are not stored.
    waiting: RefCell<VecDeque<Batch>>,
    sent: Cell<u64>,
    /// Events that lie with the dead letters.
    put_aside: Cell<u64>,
    /// Events that died in an isolate's memory.
    unsent: Cell<u64>,
    is_afterwards: Cell<bool>,
    clock: VirtualClock,
    journal: Journal,
}

#[derive(Clone)]
struct Batch {
    id: String,
    message: String,
    events: u64,
    tries: u32,
}

impl KeptEvents {
    pub async fn open(disturbances: &[Misdelivery], seed: u64, clock: VirtualClock, journal: Journal) -> Rc<Self> {
        let database = Sqlite::in_memory();
        schema::migrate(&database).await.expect("the tables can be made in memory");
        let state = RefCell::new((vec![0; disturbances.len()], Rng::with_seed(seed)));
        let disturbances = disturbances.to_vec();
        Rc::new(Self {
            database,
            disturbances,
            state,
            waiting: RefCell::default(),
            sent: Cell::default(),
            put_aside: Cell::default(),
            unsent: Cell::default(),
            is_afterwards: Cell::default(),
            clock,
            journal,
        })
    }

    /// Takes a batch, as the platform's queue does.
    pub fn send(self: &Rc<Self>, parcel: &Parcel) -> Result<(), String> {
        self.sent.set(self.sent.get() + 1);
        let id = format!("batch-{}", self.sent.get());
        if self.meets(Misdelivers::RefuseBatches {}, &id) {
            return Err("the queue is away".to_owned());
        }
        let mut message = parcel.message(&id, "test", "eip155:84532");
        if self.meets(Misdelivers::CutBatches {}, &id) {
            message.truncate(message.len() / 2);
        }
        let twice = self.meets(Misdelivers::DeliverTwice {}, &id);
        let batch = Batch { id, message, events: parcel.len() as u64, tries: 0 };
        if twice {
            self.queue(batch.clone(), AGAIN);
        }
        self.queue(batch, ON_ITS_WAY);
        Ok(())
    }

    /// Delivers what waits in front, a while from now.
    fn queue(self: &Rc<Self>, batch: Batch, after: Duration) {
        let kept = Rc::clone(self);
        kept.waiting.borrow_mut().push_back(batch);
        tokio::task::spawn_local(async move {
            tokio::time::sleep(after).await;
            let next = kept.waiting.borrow_mut().pop_front();
            if let Some(batch) = next
                && let Err(again) = kept.store(batch).await
            {
                kept.queue(again, AGAIN);
            }
        });
    }

    /// Stores a batch as the telemetry Worker does. The error is the batch, to be tried again.
    async fn store(&self, mut batch: Batch) -> Result<(), Batch> {
        let is_away = self.meets(Misdelivers::RefuseStores {}, &batch.id);
        self.database.is_down.set(is_away);
        let stored = ingest(&self.database, &batch.id, &batch.message, None, self.clock.now()).await;
        self.database.is_down.set(false);
        match stored {
            Ok(Ingested::Stored { .. }) => Ok(()),
            Ok(Ingested::PutAside(_)) => {
                self.put_aside.set(self.put_aside.get() + batch.events);
                Ok(())
            }
            Err(DatabaseError(_)) if batch.tries < MOST_TRIES => {
                batch.tries += 1;
                Err(batch)
            }
            Err(DatabaseError(why)) => {
                self.put_aside.set(self.put_aside.get() + batch.events);
                let aside = put_aside(&self.database, &batch.id, &batch.message, &why, self.clock.now()).await;
                aside.expect("a database in memory takes a row");
                Ok(())
            }
        }
    }

    /// Takes note of what dies with a process.
    pub fn died_with(&self, outbox: &Outbox) {
        let waits: u64 = std::iter::from_fn(|| outbox.take()).map(|parcel| parcel.len() as u64 + parcel.lost()).sum();
        self.unsent.set(self.unsent.get() + waits + outbox.lost());
    }

    /// Answers as the telemetry Worker does.
    pub async fn ask(&self, asked: &Asked) -> Result<Told, DeskError> {
        let question = match asked {
            Asked::Kept(kept) => {
                kept.question().map_err(|refusal| DeskError::Refused(refusal.message().into_owned()))?
            }
            Asked::Reconcile(books) => Question::Reconcile(books.clone()),
            Asked::Uptime(tenants) => Question::Uptime(tenants.clone()),
        };
        let later = if self.is_afterwards.get() { AFTERWARDS_MS } else { 0 };
        let told = answer(&self.database, &question, None, self.clock.now().plus(later)).await;
        told.map_err(|error| DeskError::Unavailable(error.to_string()))
    }

    /// Has everything arrive that is on its way, at the end of a run. From now on the desk answers as if it were later.
    pub async fn arrive(self: &Rc<Self>, outbox: &Outbox) {
        while let Some(parcel) = outbox.take() {
            if self.send(&parcel).is_err() {
                outbox.failed(&parcel);
                break;
            }
        }
        self.is_afterwards.set(true);
        let waiting = std::mem::take(&mut *self.waiting.borrow_mut());
        for batch in waiting {
            if let Err(batch) = self.store(batch).await {
                self.put_aside.set(self.put_aside.get() + batch.events);
            }
        }
    }

    /// The books as an operator was told them, with what was kept.
    pub async fn books(&self, told: &str, outbox: &Outbox) -> Result<Books, String> {
        #[derive(Deserialize)]
        struct Counted {
            kept: u64,
            counted: u64,
            lost: u64,
        }
        let counted: Vec<Counted> =
            ask(&self.database, Statement::new(COUNTED, [])).await.map_err(|error| error.to_string())?;
        let Counted { kept, counted, lost } = counted.into_iter().next().ok_or("the database counts nothing")?;
        let told: Value = serde_json::from_str(told).map_err(|error| format!("the books are no JSON: {error}"))?;
        let named = |member: &str| -> Vec<String> {
            let payments = told[member]["payments"].as_array().into_iter().flatten();
            payments.filter_map(|payment| payment.as_str().map(str::to_owned)).collect()
        };
        Ok(Books {
            matched: told["matched"].as_u64().ok_or("the books have no member `matched`")?,
            missing_in_telemetry: named("missing_in_telemetry"),
            missing_in_ledger: named("missing_in_ledger"),
            differing: named("differing"),
            kept,
            counted,
            lost: lost + outbox.lost(),
            put_aside: self.put_aside.get(),
            unsent: self.unsent.get(),
        })
    }

    fn meets(&self, does: Misdelivers, batch: &str) -> bool {
        let now = Duration::from_micros(self.journal.clock().now_us());
        let taken = {
            let (reached, rng) = &mut *self.state.borrow_mut();
            let mut hit = |one: &&Misdelivery| {
                one.does() == does && one.window().contains(now) && {
                    let nth = &mut reached[one.index()];
                    *nth += 1;
                    one.pick().takes(*nth, || rng.f64())
                }
            };
            self.disturbances.iter().find(&mut hit).map(Misdelivery::reference)
        };
        let Some(fault) = taken else { return false };
        self.journal.record(Event::TelemetryDisturbed { fault, batch: batch.to_owned() });
        true
    }
}

/// The days that the books of a run are of: the ledger remembers seven.
pub fn span(now: UnixMillis) -> String {
    const DAY_MS: u64 = 24 * 3_600_000;
    format!("from={}&to={}", now.0.saturating_sub(7 * DAY_MS - 3_600_000), now.0 + 3_600_000)
}
