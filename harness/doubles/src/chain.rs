//! The one simulated USDC chain that all facilitator doubles settle on: the truth that every MONEY rule is judged by.
//!
//! The transfer and its event happen under one lock, so that the order of `TransferMoved` events is the chain's order.

use super::signers::Signers;
use journal::Journal;
use reports::event::{self, Event};
use sha3::{Digest, Keccak256};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use x402_protocol::{Address, Network, Offer, PaymentKey, Transfer, TransferMethod, Uint256, hex};

/// The balance of a payer that nobody set one for: more than any run can spend.
pub const AMPLE_BALANCE: u64 = 1_000_000_000_000_000;

pub struct Chain {
    state: Mutex<State>,
    signers: Arc<Signers>,
    journal: Journal,
}

/// A transfer that stands on the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub facilitator: String,
    pub transfer: Transfer,
    pub transaction: String,
    /// When it was settled, in Unix seconds.
    pub unix_s: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The money moved just now.
    Moved {
        transaction: String,
    },
    /// The nonce was spent before: by this transfer.
    NonceUsed(Box<Settled>),
    InsufficientFunds,
    /// The payer has not allowed the Permit2 contract to move so much.
    NotApproved,
}

/// The number of transfers up to which all are kept: more than a judged run has. Beyond it, a transfer is forgotten once its
/// window is over, because a world that stays for days has no end of them.
const KEPT: usize = 50_000;

#[derive(Default)]
struct State {
    settled: BTreeMap<PaymentKey, Settled>,
    /// The number of transfers that there ever were.
    moved: usize,
    /// The number of kept transfers at which to look for some to forget.
    full_at: usize,
    balances: BTreeMap<(Network, Address), u64>,
    /// The amount that the Permit2 contract may move for an account.
    allowances: BTreeMap<(Network, Address), u64>,
    /// The same for whoever is not listed.
    usual_allowance: u64,
}

impl Chain {
    #[must_use]
    pub fn new(journal: Journal) -> Self {
        Self { state: Mutex::default(), signers: Arc::default(), journal }
    }

    #[must_use]
    pub fn signers(&self) -> &Arc<Signers> {
        &self.signers
    }

    /// In atomic units of USDC.
    pub fn set_balance(&self, network: Network, payer: Address, balance: u64) {
        self.state().balances.insert((network, payer), balance);
    }

    #[must_use]
    pub fn balance(&self, network: Network, account: Address) -> u64 {
        self.state().balance(network, account)
    }

    /// Approves the Permit2 contract, as its owner does on chain. Nobody has done so by default.
    pub fn set_allowance(&self, network: Network, owner: Address, allowance: u64) {
        self.state().allowances.insert((network, owner), allowance);
    }

    /// Approves it for everybody who has not said otherwise.
    pub fn approve_by_all(&self) {
        self.state().usual_allowance = AMPLE_BALANCE;
    }

    #[must_use]
    pub fn allowance(&self, network: Network, owner: Address) -> u64 {
        self.state().allowance(network, owner)
    }

    /// The transfer that spent this payment's nonce, if one did.
    #[must_use]
    pub fn settled(&self, payment: &PaymentKey) -> Option<Settled> {
        self.state().settled.get(payment).cloned()
    }

    /// The account's balance before these transfers were there.
    #[must_use]
    pub fn balance_before(&self, network: Network, account: Address, later: impl Fn(&Settled) -> bool) -> u64 {
        let state = self.state();
        let of_network =
            state.settled.iter().filter(|(payment, _)| payment.network == network).map(|(_, settled)| settled);
        of_network.filter(|settled| later(settled)).fold(state.balance(network, account), |balance, settled| {
            let amount = atomic(&settled.transfer.amount());
            let paid = if settled.transfer.from() == account { amount } else { 0 };
            let received = if settled.transfer.to() == account { amount } else { 0 };
            balance.saturating_add(paid).saturating_sub(received)
        })
    }

    /// The first transfer that is wanted.
    #[must_use]
    pub fn find(&self, wanted: impl Fn(&Settled) -> bool) -> Option<Settled> {
        self.state().settled.values().find(|settled| wanted(settled)).cloned()
    }

    /// How many transfers stand on it.
    #[must_use]
    pub fn transfers(&self) -> usize {
        self.state().moved
    }

    /// Moves the money, once per payment key. The caller has checked signature and window.
    pub fn settle(&self, facilitator: &str, offer: &Offer, transfer: &Transfer) -> Settlement {
        let payment = transfer.key(offer);
        let (from, to, amount) = (transfer.from(), transfer.to(), atomic(&transfer.amount()));
        let mut state = self.state();
        if let Some(settled) = state.settled.get(&payment) {
            return Settlement::NonceUsed(Box::new(settled.clone()));
        }
        let approved = match transfer.method() {
            TransferMethod::Eip3009 => None,
            TransferMethod::Permit2 => match state.allowance(offer.network, from).checked_sub(amount) {
                None => return Settlement::NotApproved,
                left => left,
            },
        };
        let Some(left) = state.balance(offer.network, from).checked_sub(amount) else {
            return Settlement::InsufficientFunds;
        };
        if let Some(left) = approved {
            state.allowances.insert((offer.network, from), left);
        }
        state.balances.insert((offer.network, from), left);
        let received = state.balance(offer.network, to).saturating_add(amount);
        state.balances.insert((offer.network, to), received);
        let transaction = transaction_hash(facilitator, &payment);
        state.moved += 1;
        state.forget_what_is_over(self.journal.clock().unix_now());
        state.settled.insert(
            payment,
            Settled {
                facilitator: facilitator.to_owned(),
                transfer: transfer.clone(),
                transaction: transaction.clone(),
                unix_s: self.journal.clock().unix_now(),
            },
        );
        self.journal.record(Event::TransferMoved(event::Transfer {
            facilitator: facilitator.to_owned(),
            payment: payment.to_string(),
            network: offer.network.to_string(),
            asset: offer.asset.lower(),
            from: from.lower(),
            to: to.lower(),
            value: transfer.amount().to_string(),
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
    /// Looks again only once there are twice as many, so that looking costs little however many must stay.
    fn forget_what_is_over(&mut self, unix_now: u64) {
        if self.settled.len() < self.full_at.max(KEPT) {
            return;
        }
        self.settled.retain(|_, settled| settled.transfer.valid_before().saturating_u64() >= unix_now);
        self.full_at = 2 * self.settled.len();
    }

    fn allowance(&self, network: Network, owner: Address) -> u64 {
        self.allowances.get(&(network, owner)).copied().unwrap_or(self.usual_allowance)
    }

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
    use crate::testing::{Payer, drain, journal};
    use std::sync::Arc;

    #[test]
    fn a_nonce_moves_money_once_whoever_races() {
        let (journal, mut seen) = journal();
        let chain = Arc::new(Chain::new(journal));
        let payer = Payer::new(1);
        let paid = payer.transfer(1);
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
        assert_eq!(chain.balance(Network::BaseSepolia, paid.from()), AMPLE_BALANCE - 10_000);
    }

    #[test]
    fn of_what_no_window_lets_be_asked_for_again_no_more_is_kept_than_there_is_room_for() {
        let payer = Payer::new(1);
        let (alive, over) = (payer.transfer(1), payer.transfer(2));
        let settled = |transfer: &Transfer| Settled {
            facilitator: "primary".to_owned(),
            transfer: transfer.clone(),
            transaction: "0x1".to_owned(),
            unix_s: 0,
        };
        let mut state = State::default();
        let end = over.valid_before().saturating_u64();
        for n in 0..KEPT as u64 {
            let mut nonce = [0; 32];
            nonce[..8].copy_from_slice(&n.to_be_bytes());
            let key = PaymentKey { nonce: x402_protocol::Nonce(nonce), ..alive.key(&payer.offer()) };
            state.settled.insert(key, settled(&alive));
        }
        state.forget_what_is_over(end);
        assert_eq!((state.settled.len(), state.full_at), (KEPT, 2 * KEPT), "they can still be asked for");
        state.full_at = 0;
        state.forget_what_is_over(end + 1);
        assert_eq!(state.settled.len(), 0);
    }

    #[test]
    fn a_payer_without_the_money_moves_none() {
        let (journal, mut seen) = journal();
        let chain = Chain::new(journal);
        let payer = Payer::new(1);
        chain.set_balance(Network::BaseSepolia, payer.address(), 9_999);
        let settle = |nonce| chain.settle("primary", &payer.offer(), &payer.transfer(nonce));
        assert_eq!(settle(1), Settlement::InsufficientFunds);
        assert!(drain(&mut seen).is_empty());
        chain.set_balance(Network::BaseSepolia, payer.address(), 10_000);
        assert!(matches!(settle(1), Settlement::Moved { .. }));
        assert_eq!(settle(2), Settlement::InsufficientFunds);
    }
}
