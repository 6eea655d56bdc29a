//! The Durable Objects that know which payment has a `payment-identifier`.

use crate::sim::{chance::Chance, process::Life};
use dispatcher_core::paywall::{
    ledger::{
        Memory,
        identifier::{Bound, Owner, ScopedIdentifier},
    },
    ports::{Identifiers, LedgerError},
};

#[derive(Clone)]
pub struct SimIdentifiers {
    pub life: Life,
    pub chance: Chance,
    pub memory: Memory,
}

impl SimIdentifiers {
    /// On the way to another object, or back from it.
    async fn travel(&self) {
        self.chance.travel().await;
        self.life.alive().await;
    }
}

impl Identifiers for SimIdentifiers {
    async fn bind(&self, identifier: &ScopedIdentifier, owner: &Owner) -> Result<Bound, LedgerError> {
        self.travel().await;
        let bound = self.memory.bind(identifier, owner).await;
        self.travel().await;
        bound
    }

    async fn unbind(&self, identifier: &ScopedIdentifier, owner: &Owner) -> Result<(), LedgerError> {
        self.travel().await;
        let unbound = self.memory.unbind(identifier, owner).await;
        self.travel().await;
        unbound
    }

    async fn bind_transaction(&self, transaction: &str, owner: &Owner) -> Result<Bound, LedgerError> {
        self.travel().await;
        let bound = self.memory.bind_transaction(transaction, owner).await;
        self.travel().await;
        bound
    }

    async fn transaction_of(&self, payment: &str) -> Result<Option<String>, LedgerError> {
        self.travel().await;
        let transaction = self.memory.transaction_of(payment).await;
        self.travel().await;
        transaction
    }
}
