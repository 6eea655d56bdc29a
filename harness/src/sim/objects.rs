//! The Durable Objects: a keeper per payment, and the one that knows how all facilitators do. They die with the process and
//! come back from what they stored.

use super::{
    alarms::{Alarms, Object},
    chance::Chance,
    clock::VirtualClock,
    disturbed::Disturbed,
    ports::{
        facilitator_transport::PipeTransport,
        health_object::SimHealth,
        health_store::SimHealthStore,
        identifiers::SimIdentifiers,
        log::SimLog,
        record_store::{Weather, Written},
        shard_store::SimShardStore,
    },
    process::Life,
    shards::Shards,
    stored::StoredLedger,
};
use dispatcher_core::{
    Config,
    paywall::{
        facilitator::Facilitators,
        health::{Board, Monitor, News, Snapshot},
        ledger::{
            layout::{Layout, Place},
            shard::{FormerLedger, KeeperParts, Shard},
        },
        ports::{Clock, LedgerError, PaymentLog},
    },
    platform_api,
    ports::Randomness,
    serving::exchange_health,
};
use serde_json::Value;
use std::rc::{Rc, Weak};

pub type SimShard = Shard<SimShardStore, PipeTransport, VirtualClock, SimLog, SimIdentifiers, FormerShards>;
type HealthMonitor = Monitor<SimHealthStore, PipeTransport, VirtualClock, SimLog>;

pub struct Objects {
    shards: Shards,
    monitor: Rc<HealthMonitor>,
    board: Rc<Board>,
    clock: VirtualClock,
    chance: Chance,
    alarms: Alarms,
    life: Life,
    log: SimLog,
    facilitators: Facilitators,
}

/// The parts that the objects are made from.
pub struct Parts {
    pub config: Rc<Config>,
    pub layout: Layout,
    pub stored: StoredLedger,
    pub disturbed: Rc<Disturbed>,
    pub written: Written,
    pub health: SimHealthStore,
    pub transport: PipeTransport,
    pub log: SimLog,
    pub clock: VirtualClock,
}

impl Objects {
    #[must_use]
    pub fn new(parts: Parts) -> Rc<Self> {
        let Parts { config, layout, stored, disturbed, written, health, transport, log, clock } = parts;
        let (chance, alarms, life) = (transport.chance.clone(), health.alarms.clone(), health.life.clone());
        let board = Rc::new(Board::new(&config.facilitators, chance.seed()));
        let facilitators = config.facilitators.clone();
        let listed = facilitators.clone();
        let (monitor_chance, monitor_life) = (chance.clone(), life.clone());
        let monitor = Monitor::new(health, transport.clone(), clock, log.clone(), facilitators, chance.seed());
        let parts = KeeperParts {
            transport,
            clock,
            log: log.clone(),
            identifiers: SimIdentifiers { life: life.clone(), chance: chance.clone(), stored: stored.clone() },
            facilitators: config.facilitators.clone(),
            board: Rc::clone(&board),
            chain: config.chain.clone(),
        };
        let shards = {
            let (alarms, life) = (alarms.clone(), life.clone());
            let weather = Weather { disturbed, armed: Rc::clone(&log.armed), written };
            move |objects: Weak<Self>| {
                let open = move |name: &str| {
                    let (name, memory) = (name.to_owned(), stored.shard(name));
                    let (alarms, life, weather) = (alarms.clone(), life.clone(), weather.clone());
                    let store = SimShardStore { name, memory, alarms, life, weather, clock };
                    Shard::new(store, parts.clone(), FormerShards(objects.clone()), layout)
                };
                Shards::new(open, chance.clone(), clock)
            }
        };
        let (chance, life) = (monitor_chance, monitor_life);
        Rc::new_cyclic(|objects| Self {
            shards: shards(objects.clone()),
            monitor: Rc::new(monitor),
            board,
            clock,
            chance,
            alarms,
            life,
            log,
            facilitators: listed,
        })
    }

    /// A call to a shard: a way there, and a way back.
    pub async fn call<R>(self: &Rc<Self>, shard: &str, ask: impl AsyncFnOnce(&SimShard) -> R) -> R {
        self.chance.travel().await;
        self.life.alive().await;
        let answer = self.shards.with(shard, ask).await;
        self.exchange_health();
        self.chance.travel().await;
        self.life.alive().await;
        answer
    }

    /// Answers alarms for as long as the process lives.
    pub async fn answer_alarms(self: Rc<Self>) {
        self.alarms.ring_again(self.clock.now());
        loop {
            let object = self.alarms.next(&self.clock).await;
            self.life.alive().await;
            let objects = Rc::clone(&self);
            self.life.spawn(async move { objects.answer(object).await });
        }
    }

    async fn answer(self: Rc<Self>, object: Object) {
        let answered = match &object {
            // As the Worker does: what fails is told, and left to the ring that was set first, or to the platform if none could be.
            Object::Shard(name) => {
                let rang = self.shards.with(name, async |shard| shard.ring().await).await;
                rang.inspect_err(|error| self.log.stuck("", error))
            }
            Object::Health => self.monitor.woke().await.map(|jobs| self.start(jobs)),
        };
        self.exchange_health();
        self.life.alive().await;
        match answered {
            Ok(()) => self.alarms.answered(&object),
            Err(LedgerError(_)) => self.alarms.failed(object, self.clock.now()),
        }
    }

    /// How this process's isolates see facilitators.
    #[must_use]
    pub fn board(&self) -> Rc<Board> {
        Rc::clone(&self.board)
    }

    /// Tells the health object what the board saw, if that is due: as each payment's object does beside each of its calls.
    pub fn exchange_health(self: &Rc<Self>) {
        if let Some(news) = self.board.due(self.clock.now()) {
            let objects = Rc::clone(self);
            self.life.spawn(async move {
                let Self { board, clock, log, .. } = &*objects;
                exchange_health(board, news, &SimHealth(Rc::clone(&objects)), clock, log).await;
            });
        }
    }

    /// A call to the health object: a way there, and a way back.
    pub async fn exchange(&self, news: News) -> Result<Snapshot, LedgerError> {
        self.chance.travel().await;
        let (snapshot, jobs) = self.monitor.exchange(news).await?;
        self.start(jobs);
        self.chance.travel().await;
        Ok(snapshot)
    }

    /// The health of all facilitators, as JSON for operators.
    pub async fn describe_health(&self) -> Result<Value, LedgerError> {
        self.chance.travel().await;
        let known = self.monitor.known().await?;
        self.chance.travel().await;
        Ok(platform_api::describe_facilitators(&self.facilitators, &known, self.clock.now()))
    }

    fn start(&self, jobs: Vec<dispatcher_core::paywall::health::Job>) {
        for job in jobs {
            let monitor = Rc::clone(&self.monitor);
            // A probe that could not be noted is asked for again by the next exchange.
            self.life.spawn(async move { drop(monitor.run(job).await) });
        }
    }
}

/// The shards that payments lived in before their number was raised.
pub struct FormerShards(Weak<Objects>);

impl FormerLedger for FormerShards {
    async fn has(&self, place: &Place, payment: &str, shards: u16) -> Result<bool, LedgerError> {
        let objects = self.0.upgrade().ok_or_else(|| LedgerError("the process is gone".to_owned()))?;
        match place {
            Place::Shard(name) => objects.call(name, async |shard| shard.has(payment, shards).await).await,
            Place::Object => Err(LedgerError("the simulation never had an object a payment".to_owned())),
        }
    }
}
