//! What keepers store, in this process's memory: for tests, examples, and whoever writes an own store.
//!
//! Not for real money: a process that dies takes its unknown settlements with it. Grows with the payments that are
//! remembered; each operation costs a look-up.

use super::{
    Record,
    books::Span,
    identifier::{self, Bound, Owner, ScopedIdentifier},
};
use crate::{
    UnixMillis,
    ledger::port::{Identifiers, RecordStore},
    ledger_error::LedgerError,
};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

/// All payments' records, and whose each identifier is. A clone is the same memory.
#[derive(Clone, Default)]
pub struct Memory(Rc<Stored>);

#[derive(Default)]
struct Stored {
    payments: RefCell<BTreeMap<String, Payment>>,
    /// The alarms of all payments, the earliest first.
    due: RefCell<BTreeSet<(UnixMillis, String)>>,
    raised_to: Cell<u16>,
    identifiers: RefCell<BTreeMap<ScopedIdentifier, Owner>>,
    /// Payments by transaction: one a payer.
    transactions: RefCell<BTreeMap<String, Vec<Owner>>>,
}

#[derive(Clone, Default)]
struct Payment {
    record: Option<Record>,
    body: Vec<u8>,
    alarm: Option<UnixMillis>,
}

/// One payment's place in the memory.
pub struct MemoryStore {
    memory: Memory,
    payment: String,
}

impl Memory {
    /// The store of the payment with this key.
    #[must_use]
    pub fn store(&self, payment: &str) -> MemoryStore {
        MemoryStore { memory: self.clone(), payment: payment.to_owned() }
    }

    /// The payments whose keepers wanted to be woken by `now`. Each is told once.
    #[must_use]
    pub fn due(&self, now: UnixMillis) -> Vec<String> {
        let due = self.due_by(now, usize::MAX);
        due.iter().for_each(|payment| self.set_alarm_of(payment, None));
        due
    }

    /// Tells whether anything of a payment is stored.
    #[must_use]
    pub fn knows(&self, payment: &str) -> bool {
        self.0.payments.borrow().get(payment).is_some_and(|stored| stored.record.is_some())
    }

    /// The payments that were to wake by `by`, the longest due first, and `limit` at most.
    #[must_use]
    pub fn due_by(&self, by: UnixMillis, limit: usize) -> Vec<String> {
        let due = self.0.due.borrow();
        due.iter().take_while(|(at, _)| *at <= by).take(limit).map(|(_, payment)| payment.clone()).collect()
    }

    /// The time at which the next payment is due.
    #[must_use]
    pub fn least_due(&self) -> Option<UnixMillis> {
        self.0.due.borrow().first().map(|(at, _)| *at)
    }

    /// Has a stored payment wake at `until`.
    pub fn postpone(&self, payment: &str, until: UnixMillis) {
        if self.0.payments.borrow().contains_key(payment) {
            self.set_alarm_of(payment, Some(until));
        }
    }

    /// The number of shards that was noted, or zero.
    #[must_use]
    pub fn raised_to(&self) -> u16 {
        self.0.raised_to.get()
    }

    /// Notes a number of shards.
    pub fn raise_to(&self, shards: u16) {
        self.0.raised_to.set(shards);
    }

    fn set_alarm_of(&self, payment: &str, at: Option<UnixMillis>) {
        let mut payments = self.0.payments.borrow_mut();
        let mut due = self.0.due.borrow_mut();
        let stored = payments.entry(payment.to_owned()).or_default();
        if let Some(before) = std::mem::replace(&mut stored.alarm, at) {
            due.remove(&(before, payment.to_owned()));
        }
        due.extend(at.map(|at| (at, payment.to_owned())));
    }

    /// The payments that were settled in a span of time, by time and key, and `limit` at most.
    #[must_use]
    pub fn settled(&self, span: &Span, limit: usize) -> Vec<Record> {
        self.first(limit, |record| {
            let at = record.settled_at()?;
            span.has(at, &record.claim.payment).then_some(at)
        })
    }

    /// The payments whose settlement is open, the longest open first, and `limit` at most.
    #[must_use]
    pub fn open(&self, limit: usize) -> Vec<Record> {
        self.first(limit, |record| record.state.first_asked_at())
    }

    /// The records that have a time, by time and key. Costs a look at every record.
    fn first(&self, limit: usize, time: impl Fn(&Record) -> Option<UnixMillis>) -> Vec<Record> {
        let payments = self.0.payments.borrow();
        let records = payments.values().filter_map(|payment| payment.record.as_ref());
        let mut found: Vec<_> = records.filter_map(|record| Some((time(record)?, record))).collect();
        found.sort_by(|(at, one), (other_at, other)| (at, &one.claim.payment).cmp(&(other_at, &other.claim.payment)));
        found.into_iter().take(limit).map(|(_, record)| record.clone()).collect()
    }

    /// The payments that are remembered.
    #[must_use]
    pub fn payments(&self) -> Vec<String> {
        self.0.payments.borrow().keys().cloned().collect()
    }
}

impl MemoryStore {
    fn read<T>(&self, what: impl FnOnce(&Payment) -> T) -> T {
        what(self.memory.0.payments.borrow().get(&self.payment).unwrap_or(&Payment::default()))
    }

    fn change(&self, how: impl FnOnce(&mut Payment)) {
        how(self.memory.0.payments.borrow_mut().entry(self.payment.clone()).or_default());
    }
}

impl RecordStore for MemoryStore {
    async fn load(&self) -> Result<Option<Record>, LedgerError> {
        Ok(self.read(|stored| stored.record.clone()))
    }

    async fn save(&self, record: &Record, body: Option<&[u8]>) -> Result<(), LedgerError> {
        self.change(|stored| {
            stored.record = Some(record.clone());
            if let Some(body) = body {
                stored.body = body.to_vec();
            }
        });
        Ok(())
    }

    async fn body(&self) -> Result<Vec<u8>, LedgerError> {
        Ok(self.read(|stored| stored.body.clone()))
    }

    async fn drop_body(&self) -> Result<(), LedgerError> {
        self.change(|stored| stored.body = Vec::new());
        Ok(())
    }

    async fn wake_at(&self, at: UnixMillis) -> Result<(), LedgerError> {
        self.memory.set_alarm_of(&self.payment, Some(at));
        Ok(())
    }

    async fn forget(&self) -> Result<(), LedgerError> {
        self.memory.set_alarm_of(&self.payment, None);
        self.memory.0.payments.borrow_mut().remove(&self.payment);
        Ok(())
    }
}

impl Identifiers for Memory {
    async fn bind(&self, identifier: &ScopedIdentifier, owner: &Owner) -> Result<Bound, LedgerError> {
        let mut identifiers = self.0.identifiers.borrow_mut();
        let (owner, bound) = identifier::bind(identifiers.remove(identifier), owner.clone());
        identifiers.insert(identifier.clone(), owner);
        Ok(bound)
    }

    async fn unbind(&self, identifier: &ScopedIdentifier, owner: &Owner) -> Result<(), LedgerError> {
        let mut identifiers = self.0.identifiers.borrow_mut();
        if let Some(owner) = identifier::unbind(identifiers.remove(identifier), owner) {
            identifiers.insert(identifier.clone(), owner);
        }
        Ok(())
    }

    async fn bind_transaction(&self, transaction: &str, owner: &Owner) -> Result<Bound, LedgerError> {
        let mut transactions = self.0.transactions.borrow_mut();
        Ok(identifier::bind_transaction(transactions.entry(transaction.to_owned()).or_default(), owner))
    }

    async fn transaction_of(&self, payment: &str) -> Result<Option<String>, LedgerError> {
        let record = self.store(payment).load().await?;
        Ok(record.and_then(|record| record.state.transaction().map(str::to_owned)))
    }
}
