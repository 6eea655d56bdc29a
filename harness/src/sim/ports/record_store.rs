//! One payment's storage in its Durable Object. A write is either done or was never begun: the process may die before it
//! and after it.

use crate::sim::{
    alarms::{Alarms, Object},
    armed_kills::Armed,
    clock::VirtualClock,
    disturbed::Disturbed,
    process::Life,
};
use dispatcher_core::paywall::{
    UnixMillis,
    ledger::{Memory, MemoryStore, Record},
    ports::{LedgerError, RecordStore},
};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};
use system::clock::Clock;

pub struct SimStore {
    life: Life,
    alarms: Alarms,
    object: Object,
    payment: String,
    stored: MemoryStore,
    disturbed: Rc<Disturbed>,
    armed: Rc<Armed>,
    written: Written,
    clock: VirtualClock,
}

/// The latest write of each payment.
pub type Written = Rc<RefCell<BTreeMap<String, LastWrite>>>;

pub struct LastWrite {
    pub at_us: u64,
    pub state: &'static str,
    pub bytes: u64,
}

/// The troubles of storage, and the record of it for the judges.
pub struct Weather {
    pub disturbed: Rc<Disturbed>,
    pub armed: Rc<Armed>,
    pub written: Written,
}

impl SimStore {
    #[must_use]
    pub fn new(
        payment: &str,
        memory: &Memory,
        alarms: Alarms,
        life: Life,
        weather: Weather,
        clock: VirtualClock,
    ) -> Self {
        let (object, stored) = (Object::Payment(payment.to_owned()), memory.store(payment));
        let (payment, Weather { disturbed, armed, written }) = (payment.to_owned(), weather);
        Self { life, alarms, object, payment, stored, disturbed, armed, written, clock }
    }
}

impl RecordStore for SimStore {
    async fn load(&self) -> Result<Option<Record>, LedgerError> {
        self.life.alive().await;
        self.stored.load().await
    }

    async fn save(&self, record: &Record, body: Option<&[u8]>) -> Result<(), LedgerError> {
        self.life.alive().await;
        if self.disturbed.refuses_write(&self.payment) {
            return Err(LedgerError("the storage refused".to_owned()));
        }
        let bytes = serde_json::to_vec(record).map_or(0, |json| json.len()) + body.map_or(0, <[u8]>::len);
        let last = LastWrite { at_us: self.clock.now_us(), state: record.state.name(), bytes: bytes as u64 };
        self.written.borrow_mut().insert(self.payment.clone(), last);
        self.stored.save(record, body).await?;
        if self.armed.is_hit_by_write(&self.payment, record.state.name(), self.clock.now_us()) {
            self.life.end();
        }
        Ok(())
    }

    async fn body(&self) -> Result<Vec<u8>, LedgerError> {
        self.life.alive().await;
        self.stored.body().await
    }

    async fn drop_body(&self) -> Result<(), LedgerError> {
        self.life.alive().await;
        self.stored.drop_body().await
    }

    async fn wake_at(&self, at: UnixMillis) -> Result<(), LedgerError> {
        self.life.alive().await;
        self.alarms.set(self.object.clone(), at);
        Ok(())
    }

    async fn forget(&self) -> Result<(), LedgerError> {
        self.life.alive().await;
        self.alarms.clear(&self.object);
        self.written.borrow_mut().remove(&self.payment);
        self.stored.forget().await
    }
}
