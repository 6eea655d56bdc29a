//! The processes of all tenants: at most one invocation in each, as many as a tenant needs at once within bounds, and one
//! more than that kept warm.
//!
//! Surprising constraint: how many tenants there are costs nothing, only how many run. A tenant's first process is started
//! by its first dispatch; one that idles is stopped after a while, or at once when another tenant needs its place.

use super::{
    process::{Process, StartError, Workshop},
    script::Script,
    shelves::{Past, Shelves, Version},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use system::output::errln;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout},
};

/// Invocations of one tenant at a time; further ones wait their turn. An isolate of the platform takes more at once, but
/// then nobody could say whose the CPU time was.
const PROCESSES_PER_TENANT: usize = 4;
/// The most processes of all tenants together: each takes some 50 MB.
const MAX_PROCESSES: usize = 32;
/// How long a process may idle.
const IDLE_LIMIT: Duration = Duration::from_secs(60);
/// How long an invocation waits for its turn before it is told.
const TURN_LIMIT: Duration = Duration::from_secs(30);
/// Between two looks for what has idled too long.
const SWEEP: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    #[error("`{script}` had no free process for {} s: a tenant has {PROCESSES_PER_TENANT}, all together {MAX_PROCESSES}", TURN_LIMIT.as_secs())]
    Busy { script: String },
    #[error(transparent)]
    Start(#[from] StartError),
}

#[derive(Clone, Debug)]
pub struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    workshop: Workshop,
    shelves: Mutex<Shelves<Process>>,
    queues: Mutex<BTreeMap<String, Arc<Queue>>>,
    /// One permit for each process that runs an invocation or is being started. What idles holds none.
    places: Arc<Semaphore>,
}

/// One tenant's.
#[derive(Debug)]
struct Queue {
    turns: Arc<Semaphore>,
    /// Held while a process is being started: one at a time, so that whoever waits gets the next one.
    starting: tokio::sync::Mutex<()>,
}

/// A process for one invocation. Dropped without `release`, the process is killed.
#[derive(Debug)]
pub struct Lease {
    process: Option<Process>,
    pool: Pool,
    _turn: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl Pool {
    pub fn new(workshop: Workshop) -> Pool {
        Pool(Arc::new(Shared {
            workshop,
            shelves: Mutex::new(Shelves::new(MAX_PROCESSES)),
            queues: Mutex::default(),
            places: Arc::new(Semaphore::new(MAX_PROCESSES)),
        }))
    }

    /// A process of this very version of the script, when it is this caller's turn.
    pub async fn lease(&self, script: &Arc<Script>) -> Result<Lease, LeaseError> {
        let queue = self.queue(&script.name);
        let permits = async { (permit(&queue.turns).await, permit(&self.0.places).await) };
        let (turn, place) =
            timeout(TURN_LIMIT, permits).await.map_err(|_| LeaseError::Busy { script: script.name.clone() })?;
        let process = match self.take(script) {
            Some(process) => process,
            None => {
                let _one_at_a_time = queue.starting.lock().await;
                match self.take(script) {
                    Some(process) => process,
                    None => self.start(script).await?,
                }
            }
        };
        let lease = Lease { process: Some(process), pool: self.clone(), _turn: turn, _place: place };
        tokio::spawn(self.clone().keep_spare(Arc::clone(script), queue));
        Ok(lease)
    }

    /// Starts a process to see whether one does start, beside the ones that are counted.
    pub async fn try_out(&self, script: &Arc<Script>) -> Result<(), StartError> {
        self.0.workshop.start(Arc::clone(script)).await.map(drop)
    }

    /// Starts a process that the script's first invocation finds warm, and a spare beside it.
    pub async fn warm(&self, script: &Arc<Script>) -> Result<(), LeaseError> {
        self.lease(script).await.map(Lease::release)
    }

    /// Stops what has idled too long, for ever.
    pub async fn sweep(self) {
        loop {
            sleep(SWEEP).await;
            let idle = self.shelves().take_idle_longer_than(IDLE_LIMIT, Instant::now());
            drop(idle);
            self.queues().retain(|_, queue| Arc::strong_count(queue) > 1 || queue.is_busy());
        }
    }

    /// Starts a process more, so that the next invocation finds it warm, unless there is no place for it.
    async fn keep_spare(self, script: Arc<Script>, queue: Arc<Queue>) {
        let Ok(_one_at_a_time) = queue.starting.try_lock() else { return };
        if queue.turns.available_permits() == 0 || !self.shelves().wants_spare(version(&script)) {
            return;
        }
        let Ok(_place) = self.0.places.try_acquire() else { return };
        match self.start(&script).await {
            Ok(spare) => self.put(spare, Past::Spare),
            // The next invocation tries again, and is told.
            Err(error) => errln!("a spare process: {error}"),
        }
    }

    fn take(&self, script: &Script) -> Option<Process> {
        let (taken, outdated) = self.shelves().take(version(script));
        drop(outdated);
        taken
    }

    fn put(&self, process: Process, past: Past) {
        let script = Arc::clone(process.script());
        let outdated = self.shelves().put(version(&script), process, past, Instant::now());
        drop(outdated);
    }

    async fn start(&self, script: &Arc<Script>) -> Result<Process, StartError> {
        let evicted = self.shelves().starting();
        drop(evicted);
        // The caller may go away in the middle of this, and its process with it.
        let counted = Counted(Some(self));
        let process = self.0.workshop.start(Arc::clone(script)).await?;
        counted.stays();
        Ok(process)
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves<Process>> {
        self.0.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queues(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Queue>>> {
        self.0.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self, script: &str) -> Arc<Queue> {
        let mut queues = self.queues();
        Arc::clone(queues.entry(script.to_owned()).or_insert_with(|| {
            let turns = Arc::new(Semaphore::new(PROCESSES_PER_TENANT));
            Arc::new(Queue { turns, starting: tokio::sync::Mutex::default() })
        }))
    }
}

/// A process that is being started.
struct Counted<'a>(Option<&'a Pool>);

impl Counted<'_> {
    fn stays(mut self) {
        self.0 = None;
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if let Some(pool) = self.0 {
            pool.shelves().ended();
        }
    }
}

impl Queue {
    fn is_busy(&self) -> bool {
        self.turns.available_permits() < PROCESSES_PER_TENANT
    }
}

impl Lease {
    pub fn process(&self) -> &Process {
        self.process.as_ref().expect("a lease has its process until it is released")
    }

    /// The process is free for another invocation.
    pub fn release(mut self) {
        if let Some(process) = self.process.take() {
            self.pool.put(process, Past::Ran);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            drop(process);
            self.pool.shelves().ended();
        }
    }
}

fn version(script: &Script) -> Version<'_> {
    Version { script: &script.name, generation: script.generation }
}

async fn permit(semaphore: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    Arc::clone(semaphore).acquire_owned().await.expect("nobody closes a semaphore of the pool")
}
