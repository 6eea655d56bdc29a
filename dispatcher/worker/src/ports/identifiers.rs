//! `payment-identifier`s as a payment's object calls them: the Durable Object of the tenant's identifier, and for a rival's
//! transaction the place of that payment.

use crate::{
    call_object::{Objects, call_object},
    ports::settlement_ledger::ask_place,
    wire::{Answer, Call, IdentifierAnswer, IdentifierCall, TransactionCall},
};
use dispatcher_core::paywall::{
    ledger::{
        identifier::{Bound, Owner, ScopedIdentifier},
        layout::Layout,
    },
    ports::{Identifiers, LedgerError},
};
use worker::Env;

#[derive(Clone)]
pub struct DurableIdentifiers {
    env: Env,
    layout: Layout,
}

impl DurableIdentifiers {
    pub fn new(env: &Env, layout: Layout) -> Self {
        Self { env: env.clone(), layout }
    }

    async fn call(&self, name: &ScopedIdentifier, call: IdentifierCall) -> Result<IdentifierAnswer, LedgerError> {
        let name = name.to_string();
        call_object(&self.env, Objects::PaymentIdentifier, &name, &call, &[]).await.map(|(answer, _)| answer)
    }
}

impl Identifiers for DurableIdentifiers {
    async fn bind(&self, identifier: &ScopedIdentifier, owner: &Owner) -> Result<Bound, LedgerError> {
        match self.call(identifier, IdentifierCall::Bind(owner.clone())).await? {
            IdentifierAnswer::Bound(bound) => Ok(bound),
            IdentifierAnswer::Noted => Err(LedgerError::another_question()),
        }
    }

    async fn unbind(&self, identifier: &ScopedIdentifier, owner: &Owner) -> Result<(), LedgerError> {
        self.call(identifier, IdentifierCall::Unbind(owner.clone())).await.map(drop)
    }

    async fn bind_transaction(&self, transaction: &str, owner: &Owner) -> Result<Bound, LedgerError> {
        let call = TransactionCall { transaction: transaction.to_owned(), owner: owner.clone() };
        let (answer, _) = call_object(&self.env, Objects::SettledTransactions, &call.object(), &call, &[]).await?;
        match answer {
            IdentifierAnswer::Bound(bound) => Ok(bound),
            IdentifierAnswer::Noted => Err(LedgerError::another_question()),
        }
    }

    async fn transaction_of(&self, payment: &str) -> Result<Option<String>, LedgerError> {
        match ask_place(&self.env, &self.layout, payment, &Call::Transaction, &[]).await? {
            (Answer::Transaction(transaction), _) => Ok(transaction),
            _ => Err(LedgerError::another_question()),
        }
    }
}
