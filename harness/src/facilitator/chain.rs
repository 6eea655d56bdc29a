//! The one simulated USDC chain that all facilitator doubles settle on: the truth that every MONEY rule is judged by.
//!
//! The transfer and its event happen under one lock, so that the order of `TransferMoved` events is the chain's order.

use crate::journal::Journal;
use reports::event::{Event, Transfer};
use sha3::{Digest, Keccak256};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use x402_protocol::{Address, Authorization, Network, Offer, PaymentKey, Uint256, hex};

/// What a payer that nobody set a balance for owns: more than any run can spend.
pub const AMPLE_BALANCE: u64 = 1_000_000_000_000_000;

pub struct Chain {
    state: Mutex<State>,
    journal: Journal,
}

/// A transfer that stands on the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub facilitator: String,
    pub authorization: Authorization,
    pub transaction: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The money moved just now.
    Moved {
        transaction: String,
    },
    /// The nonce was spent before: by this transfer.
    NonceUsed(Settled),
    InsufficientFunds,
}

#[derive(Default)]
struct State {
    settled: BTreeMap<PaymentKey, Settled>,
    balances: BTreeMap<(Network, Address), u64>,
}

impl Chain {
    #[must_use]
    pub fn new(journal: Journal) -> Self {
        Self { state: Mutex::default(), journal }
    }

    /// In atomic units of USDC.
    pub fn set_balance(&self, network: Network, payer: Address, balance: u64) {
        self.state().balances.insert((network, payer), balance);
    }

    #[must_use]
    pub fn balance(&self, network: Network, account: Address) -> u64 {
        self.state().balance(network, account)
    }

    /// The transfer that spent this payment's nonce, if one did.
    #[must_use]
    pub fn settled(&self, payment: &PaymentKey) -> Option<Settled> {
        self.state().settled.get(payment).cloned()
    }

    /// Moves the money, once per payment key. The caller has checked signature and window.
    pub fn settle(&self, facilitator: &str, offer: &Offer, authorization: &Authorization) -> Settlement {
        let payment = offer.payment_key(authorization);
        let mut state = self.state();
        if let Some(settled) = state.settled.get(&payment) {
            return Settlement::NonceUsed(settled.clone());
        }
        let Some(left) = state.balance(offer.network, authorization.from).checked_sub(atomic(&authorization.value))
        else {
            return Settlement::InsufficientFunds;
        };
        state.balances.insert((offer.network, authorization.from), left);
        let received = state.balance(offer.network, authorization.to).saturating_add(atomic(&authorization.value));
        state.balances.insert((offer.network, authorization.to), received);
        let transaction = transaction_hash(facilitator, &payment);
        state.settled.insert(
            payment,
            Settled {
                facilitator: facilitator.to_owned(),
                authorization: authorization.clone(),
                transaction: transaction.clone(),
            },
        );
        self.journal.record(Event::TransferMoved(Transfer {
            facilitator: facilitator.to_owned(),
            payment: payment.to_string(),
            network: offer.network.to_string(),
            asset: offer.asset.lower(),
            from: authorization.from.lower(),
            to: authorization.to.lower(),
            value: authorization.value.to_string(),
            transaction: transaction.clone(),
        }));
        Settlement::Moved { transaction }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code under the lock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn balance(&self, network: Network, account: Address) -> u64 {
        self.balances.get(&(network, account)).copied().unwrap_or(AMPLE_BALANCE)
    }
}

/// Deterministic, and another one per facilitator: a payment that two facilitators claimed would show two hashes.
#[must_use]
pub fn transaction_hash(facilitator: &str, payment: &PaymentKey) -> String {
    hex::encode(&Keccak256::digest(format!("{payment}/{facilitator}")))
}

/// Balances are 64 bits; a value beyond them is more than anyone owns.
fn atomic(value: &Uint256) -> u64 {
    value.saturating_u64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facilitator::testing::{Payer, drain, journal};
    use std::sync::Arc;

    #[test]
    fn a_nonce_moves_money_once_whoever_races() {
        let (journal, mut seen) = journal();
        let chain = Arc::new(Chain::new(journal));
        let payer = Payer::new(1);
        let paid = payer.authorization(1);
        let racers: Vec<_> = (0..8)
            .map(|racer| {
                let (chain, offer, paid) = (Arc::clone(&chain), payer.offer(), paid.clone());
                std::thread::spawn(move || chain.settle(&format!("f{racer}"), &offer, &paid))
            })
            .collect();
        let outcomes: Vec<_> = racers.into_iter().map(|racer| racer.join().unwrap()).collect();
        let moved = outcomes.iter().filter(|outcome| matches!(outcome, Settlement::Moved { .. })).count();
        assert_eq!(moved, 1, "{outcomes:?}");
        assert_eq!(drain(&mut seen).len(), 1);
        assert_eq!(chain.balance(Network::BaseSepolia, paid.from), AMPLE_BALANCE - 10_000);
    }

    #[test]
    fn a_payer_without_the_money_moves_none() {
        let (journal, mut seen) = journal();
        let chain = Chain::new(journal);
        let payer = Payer::new(1);
        chain.set_balance(Network::BaseSepolia, payer.address(), 9_999);
        let settle = |nonce| chain.settle("primary", &payer.offer(), &payer.authorization(nonce));
        assert_eq!(settle(1), Settlement::InsufficientFunds);
        assert!(drain(&mut seen).is_empty());
        chain.set_balance(Network::BaseSepolia, payer.address(), 10_000);
        assert!(matches!(settle(1), Settlement::Moved { .. }));
        assert_eq!(settle(2), Settlement::InsufficientFunds);
    }
}
