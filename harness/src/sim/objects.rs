//! The Durable Objects: a keeper per payment, and the one that knows how all facilitators do. They die with the process and
//! come back from what they stored.

use super::{
    alarms::{Alarms, Object},
    chance::Chance,
    clock::VirtualClock,
    disturbed::Disturbed,
    keepers::Keepers,
    ports::{
        facilitator_transport::PipeTransport,
        health_object::SimHealth,
        health_store::SimHealthStore,
        identifiers::SimIdentifiers,
        log::SimLog,
        record_store::{SimStore, Weather, Written},
    },
    process::Life,
};
use dispatcher_core::{
    Config,
    paywall::{
        facilitator::Facilitators,
        health::{Board, Monitor, News, Snapshot},
        ledger::{Keeper, Memory, machine::RING_AGAIN_MS},
        ports::{Clock, LedgerError},
    },
    platform_api,
    ports::Randomness,
    serving::exchange_health,
};
use serde_json::Value;
use std::rc::Rc;

pub type SimKeeper = Keeper<SimStore, PipeTransport, VirtualClock, SimLog, SimIdentifiers>;
type HealthMonitor = Monitor<SimHealthStore, PipeTransport, VirtualClock, SimLog>;

pub struct Objects {
    payments: Keepers,
    monitor: Rc<HealthMonitor>,
    board: Rc<Board>,
    clock: VirtualClock,
    chance: Chance,
    alarms: Alarms,
    life: Life,
    log: SimLog,
    facilitators: Facilitators,
}

/// What the objects are made from.
pub struct Parts {
    pub config: Rc<Config>,
    pub memory: Memory,
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
        let Parts { config, memory, disturbed, written, health, transport, log, clock } = parts;
        let (chance, alarms, life) = (transport.chance.clone(), health.alarms.clone(), health.life.clone());
        let board = Rc::new(Board::new(&config.facilitators, chance.seed()));
        let facilitators = config.facilitators.clone();
        let (listed, told) = (facilitators.clone(), log.clone());
        let monitor = Monitor::new(health, transport.clone(), clock, log.clone(), facilitators, chance.seed());
        let open = {
            let (alarms, life, board) = (alarms.clone(), life.clone(), Rc::clone(&board));
            let identifiers = SimIdentifiers { life: life.clone(), chance: chance.clone(), memory: memory.clone() };
            move |payment: &str| {
                let (disturbed, armed) = (Rc::clone(&disturbed), Rc::clone(&log.armed));
                let weather = Weather { disturbed, armed, written: Rc::clone(&written) };
                let store = SimStore::new(payment, &memory, alarms.clone(), life.clone(), weather, clock);
                let (transport, log, board) = (transport.clone(), log.clone(), Rc::clone(&board));
                let facilitators = config.facilitators.clone();
                Keeper::new(store, transport, clock, log, identifiers.clone(), facilitators, board)
                    .with_chain(config.chain.clone())
            }
        };
        let payments = Keepers::new(open, chance.clone(), clock);
        let monitor = Rc::new(monitor);
        Rc::new(Self { payments, monitor, board, clock, chance, alarms, life, log: told, facilitators: listed })
    }

    /// A call from a request: a way there, and a way back.
    pub async fn call<R>(self: &Rc<Self>, payment: &str, ask: impl AsyncFnOnce(&SimKeeper) -> R) -> R {
        self.chance.travel().await;
        self.life.alive().await;
        let answer = self.payments.with(payment, ask).await;
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
            // As the Worker does: an alarm that fails ends on the platform, so the next ring is set first.
            Object::Payment(payment) => {
                let ring_after = |pause| self.alarms.set(object.clone(), self.clock.now().plus(pause));
                ring_after(RING_AGAIN_MS);
                let (woke, pause) = self.payments.wake(payment).await;
                if woke.is_err() {
                    ring_after(pause);
                }
                woke
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
