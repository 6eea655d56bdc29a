//! One payment's storage in its Durable Object. A write is either done or was never begun: the process may die before it
//! and after it.

use crate::{
    clock::Clock,
    sim::{
        alarms::{Alarms, Object},
        armed::Armed,
        clock::VirtualClock,
        disturbed::Disturbed,
        life::Life,
    },
};
use dispatcher_core::paywall::{
    UnixMillis,
    ledger::{Memory, MemoryStore, Record},
    ports::{LedgerError, RecordStore},
};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

pub struct SimStore {
    object: Object,
    payment: String,
    stored: MemoryStore,
    around: Around,
}

/// What all payments' stores share.
#[derive(Clone)]
pub struct Around {
    pub memory: Memory,
    pub life: Life,
    pub alarms: Alarms,
    pub disturbed: Rc<Disturbed>,
    pub armed: Rc<Armed>,
    pub written: Written,
    pub clock: VirtualClock,
}

/// What storage has of each payment.
pub type Written = Rc<RefCell<BTreeMap<String, LastWrite>>>;

pub struct LastWrite {
    pub at_us: u64,
    pub state: &'static str,
    pub bytes: u64,
}

impl SimStore {
    #[must_use]
    pub fn new(payment: &str, around: &Around) -> Self {
        let (object, stored) = (Object::Payment(payment.to_owned()), around.memory.store(payment));
        Self { object, payment: payment.to_owned(), stored, around: around.clone() }
    }
}

impl RecordStore for SimStore {
    async fn load(&self) -> Result<Option<Record>, LedgerError> {
        self.around.life.alive().await;
        self.stored.load().await
    }

    async fn save(&self, record: &Record, body: Option<&[u8]>) -> Result<(), LedgerError> {
        self.around.life.alive().await;
        if self.around.disturbed.refuses_write(&self.payment) {
            return Err(LedgerError("the storage refused".to_owned()));
        }
        let bytes = serde_json::to_vec(record).map_or(0, |json| json.len()) + body.map_or(0, <[u8]>::len);
        let last = LastWrite { at_us: self.around.clock.now_us(), state: record.state.name(), bytes: bytes as u64 };
        self.around.written.borrow_mut().insert(self.payment.clone(), last);
        self.stored.save(record, body).await?;
        if self.around.armed.is_hit_by_write(&self.payment, record.state.name(), self.around.clock.now_us()) {
            self.around.life.end();
        }
        Ok(())
    }

    async fn body(&self) -> Result<Vec<u8>, LedgerError> {
        self.around.life.alive().await;
        self.stored.body().await
    }

    async fn drop_body(&self) -> Result<(), LedgerError> {
        self.around.life.alive().await;
        self.stored.drop_body().await
    }

    async fn wake_at(&self, at: UnixMillis) -> Result<(), LedgerError> {
        self.around.life.alive().await;
        self.around.alarms.set(self.object.clone(), at);
        Ok(())
    }

    async fn forget(&self) -> Result<(), LedgerError> {
        self.around.life.alive().await;
        self.around.alarms.clear(&self.object);
        self.around.written.borrow_mut().remove(&self.payment);
        self.stored.forget().await
    }
}
