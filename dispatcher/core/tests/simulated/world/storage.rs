//! A ledger that can crash between any two writes, and the storage of a facilitator's health.

use super::ports::Ports;
use dispatcher_core::{
    Config,
    paywall::{
        PaidResponse, UnixMillis,
        health::{Board, Monitor, Snapshot},
        ledger::{
            Claim, ClaimReply, Collection, Record, SettleReply,
            identifier::{self, Bound, Owner, ScopedIdentifier},
        },
        ports::{HealthStore, Identifiers, Ledger, LedgerError, RecordStore},
    },
    ports::Randomness,
};
use std::{cell::RefCell, rc::Rc};

#[derive(Clone, Default)]
pub struct Stored {
    pub record: Option<String>,
    pub body: Vec<u8>,
    pub alarm: Option<UnixMillis>,
}

impl Identifiers for Ports {
    async fn bind(&self, identifier: &ScopedIdentifier, owner: &Owner) -> Result<Bound, LedgerError> {
        self.0.write()?;
        let mut owners = self.0.identifiers.borrow_mut();
        let (owner, bound) = identifier::bind(owners.remove(&identifier.to_string()), owner.clone());
        owners.insert(identifier.to_string(), owner);
        Ok(bound)
    }
    async fn unbind(&self, identifier: &ScopedIdentifier, owner: &Owner) -> Result<(), LedgerError> {
        self.0.write()?;
        let mut owners = self.0.identifiers.borrow_mut();
        if let Some(owner) = identifier::unbind(owners.remove(&identifier.to_string()), owner) {
            owners.insert(identifier.to_string(), owner);
        }
        Ok(())
    }
    async fn bind_transaction(&self, transaction: &str, owner: &Owner) -> Result<Bound, LedgerError> {
        self.0.write()?;
        let mut transactions = self.0.transactions.borrow_mut();
        Ok(identifier::bind_transaction(transactions.entry(transaction.to_owned()).or_default(), owner))
    }
    async fn transaction_of(&self, payment: &str) -> Result<Option<String>, LedgerError> {
        let record = self.keeper(payment).record().await?;
        Ok(record.and_then(|record| record.state.transaction().map(str::to_owned)))
    }
}

impl Ledger for Ports {
    async fn claim(&self, claim: Claim, holder: &str) -> Result<ClaimReply, LedgerError> {
        self.keeper(&claim.payment.clone()).claim(claim, holder).await
    }
    async fn collect(&self, collection: Collection, holder: &str) -> Result<ClaimReply, LedgerError> {
        self.keeper(&collection.payment.clone()).collect(collection, holder).await
    }
    async fn settle(&self, payment: &str, holder: &str, response: &PaidResponse) -> Result<SettleReply, LedgerError> {
        self.keeper(payment).settle(holder, response).await
    }
    async fn release(&self, payment: &str, holder: &str) -> Result<(), LedgerError> {
        self.keeper(payment).release(holder).await
    }
    async fn handed_over(&self, payment: &str, holder: &str, delivered: bool) -> Result<(), LedgerError> {
        self.keeper(payment).handed_over(holder, delivered).await
    }
}

/// One payment's storage. A crash is a write that never happens, and every one after it.
pub struct Store {
    pub ports: Ports,
    pub payment: String,
}

impl Store {
    fn write(&self, change: impl FnOnce(&mut Stored)) -> Result<(), LedgerError> {
        self.ports.0.write()?;
        change(self.ports.0.records.borrow_mut().entry(self.payment.clone()).or_default());
        Ok(())
    }

    fn stored(&self) -> Stored {
        self.ports.0.records.borrow().get(&self.payment).cloned().unwrap_or_default()
    }
}

impl RecordStore for Store {
    async fn load(&self) -> Result<Option<Record>, LedgerError> {
        Ok(self.stored().record.map(|text| serde_json::from_str(&text).unwrap()))
    }
    async fn save(&self, record: &Record, body: Option<&[u8]>) -> Result<(), LedgerError> {
        self.write(|stored| {
            stored.record = Some(serde_json::to_string(record).unwrap());
            if let Some(body) = body {
                stored.body = body.to_vec();
            }
        })
    }
    async fn body(&self) -> Result<Vec<u8>, LedgerError> {
        Ok(self.stored().body)
    }
    async fn drop_body(&self) -> Result<(), LedgerError> {
        self.write(|stored| stored.body.clear())
    }
    async fn wake_at(&self, at: UnixMillis) -> Result<(), LedgerError> {
        self.write(|stored| stored.alarm = Some(at))
    }
    async fn forget(&self) -> Result<(), LedgerError> {
        self.write(|stored| *stored = Stored::default())
    }
}

/// The isolate's board, and the one monitor behind it.
pub struct Health {
    pub board: Rc<Board>,
    pub monitor: Rc<Monitor<HealthStorage, Ports, Ports, Ports>>,
}

impl Health {
    pub fn new(config: &Config, ports: &Ports) -> Self {
        let facilitators = config.facilitators.clone();
        let board = Rc::new(Board::new(&facilitators, ports.seed()));
        let (log, clock, transport) = (ports.clone(), ports.clone(), ports.clone());
        let monitor = Monitor::new(HealthStorage::default(), transport, clock, log, facilitators, ports.seed());
        Self { board, monitor: Rc::new(monitor) }
    }
}

#[derive(Default)]
pub struct HealthStorage(RefCell<Option<Snapshot>>);

impl HealthStore for HealthStorage {
    async fn load(&self) -> Result<Option<Snapshot>, LedgerError> {
        Ok(self.0.borrow().clone())
    }
    async fn save(&self, snapshot: &Snapshot) -> Result<(), LedgerError> {
        self.0.replace(Some(snapshot.clone()));
        Ok(())
    }
    async fn wake_at(&self, _at: UnixMillis) -> Result<(), LedgerError> {
        Ok(())
    }
}
