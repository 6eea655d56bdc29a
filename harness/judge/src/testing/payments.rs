//! A payment in the dispatcher's words, the ledger's and the storage's.

use super::{Story, TENANT, request_of, transaction};
use reports::event::{Books, DispatcherPayment, Event, LedgerState, StoredRecord};

fn stage(payment: &str, stage: &str) -> DispatcherPayment {
    DispatcherPayment {
        request_id: None,
        tenant_id: TENANT.to_owned(),
        payment: payment.to_owned(),
        stage: stage.to_owned(),
        reason: None,
        facilitator: None,
        transaction: None,
    }
}

impl Story {
    /// The dispatcher's word on which request presented the payment.
    pub fn claimed(self, payment: &str) -> Self {
        let mut line = stage(payment, "claimed");
        line.request_id = Some(request_of(payment));
        self.then(Event::DispatcherPayment(line))
    }

    /// The ledger was asked for the last exchange.
    pub fn claimed_for_it(self, payment: &str) -> Self {
        let mut line = stage(payment, "claimed");
        line.request_id = Some(self.last_request());
        self.then(Event::DispatcherPayment(line))
    }

    pub fn told(self, payment: &str) -> Self {
        let line = DispatcherPayment { transaction: Some(transaction(payment)), ..stage(payment, "settled") };
        self.then(Event::DispatcherPayment(line))
    }

    pub fn ledger(self, payment: &str, state: &str) -> Self {
        let transaction = (state == "settled").then(|| transaction(payment));
        let (payment, state) = (payment.to_owned(), state.to_owned());
        self.then(Event::LedgerState(LedgerState { payment, state, transaction }))
    }

    pub fn books(self, books: Books) -> Self {
        self.then(Event::BooksRead(books))
    }

    /// The payment's record is left in storage, as it was when it was told of last.
    pub fn stored(self, payment: &str, state: &str) -> Self {
        self.stored_with(payment, state, 0)
    }

    pub fn stored_with(self, payment: &str, state: &str, body_bytes: u64) -> Self {
        let (payment, state) = (payment.to_owned(), state.to_owned());
        self.then(Event::StorageLeft(StoredRecord { payment, state, since_us: 0, bytes: 1, body_bytes }))
    }
}
