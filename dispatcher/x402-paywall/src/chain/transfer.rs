//! What a payment looks like on the chain: the questions that tell whether its nonce is spent, and what must stand in the
//! transaction that spent it.
//!
//! Surprising constraint: a permit's nonce is a bit in the Permit2 contract, which says that it is spent and not by what. So
//! the chain can prove that a permit never moved, and cannot prove that it did.

use super::{
    logs::{NonceEvent, Place},
    spelling::{bytes, number},
};
use crate::claim::Claim;
use serde_json::{Value, json};
use sha3::{Digest, Keccak256};
use x402_protocol::{Address, Nonce, TransferMethod, Uint256, hex, permit2::PERMIT2};

/// A payment, as far as a node can be asked about it.
pub(super) struct Transfer {
    pub chain_id: u64,
    /// Unix seconds.
    pub valid_before: u64,
    pub value: Uint256,
    from: Address,
    token: Option<Address>,
    nonce: Spending,
}

/// The place where its nonce is kept.
enum Spending {
    Eip3009(Eip3009),
    Permit2(Nonce),
}

/// An EIP-3009 transfer, whose event can be searched for.
pub(super) struct Eip3009 {
    token: Address,
    from: Address,
    to: Address,
    value: Uint256,
    nonce: Nonce,
}

impl Transfer {
    /// `None`: nothing on the chain tells of it.
    pub(super) fn of(claim: &Claim) -> Option<Self> {
        let (from, value) = (claim.payer, claim.amount);
        let nonce = match &claim.authorized {
            Some(authorized) => Spending::Eip3009(Eip3009 {
                token: authorized.token,
                from,
                to: authorized.to,
                value,
                nonce: authorized.nonce,
            }),
            None if claim.window.method == TransferMethod::Permit2 => {
                Spending::Permit2(claim.payment.rsplit(':').next()?.parse().ok()?)
            }
            None => return None,
        };
        Some(Self {
            chain_id: claim.network.chain_id(),
            valid_before: claim.window.valid_before,
            value,
            from,
            token: claim.authorized.as_ref().map(|authorized| authorized.token),
            nonce,
        })
    }

    /// The call that tells whether the nonce is spent.
    pub(super) fn state_call(&self) -> Value {
        let (to, data) = match &self.nonce {
            Spending::Eip3009(Eip3009 { token, nonce, .. }) => (
                token,
                [selector("authorizationState(address,bytes32)"), bare(&self.from), nonce.to_string()[2..].to_owned()],
            ),
            Spending::Permit2(nonce) => {
                // The last byte is the bit's place in the word that the others number.
                let place = hex::encode(&[&[0], &nonce.0[..31]].concat())[2..].to_owned();
                (&PERMIT2, [selector("nonceBitmap(address,uint256)"), bare(&self.from), place])
            }
        };
        json!({"to": to.lower(), "data": data.concat()})
    }

    /// Reads the answer to it. `None`: it says nothing.
    pub(super) fn is_used(&self, answer: &Value) -> Option<bool> {
        let word = bytes::<32>(answer)?;
        match &self.nonce {
            // A whole word, so that an address without a contract says nothing.
            Spending::Eip3009(_) => match word {
                [zeros @ .., last @ (0 | 1)] if zeros.iter().all(|byte| *byte == 0) => Some(last == 1),
                _ => None,
            },
            Spending::Permit2(nonce) => {
                let bit = usize::from(nonce.0[31]);
                Some(word[31 - bit / 8] >> (bit % 8) & 1 == 1)
            }
        }
    }

    /// The call that tells what the payer has of the token, where the token is known.
    pub(super) fn balance_call(&self) -> Option<Value> {
        let data = [selector("balanceOf(address)"), bare(&self.from)].concat();
        self.token.as_ref().map(|token| json!({"to": token.lower(), "data": data}))
    }

    /// The transfer whose event can be searched for, if it has one.
    pub(super) fn searchable(&self) -> Option<&Eip3009> {
        match &self.nonce {
            Spending::Eip3009(transfer) => Some(transfer),
            Spending::Permit2(_) => None,
        }
    }
}

impl Eip3009 {
    /// Both ways in which a nonce can be used up.
    pub(super) fn nonce_filter(&self, from_block: &str, to_block: &str) -> Value {
        let events = [used_topic(), cancelled_topic()].map(|topic| hex::encode(&topic));
        let topics = json!([events, hex::encode(&word(&self.from)), self.nonce.to_string()]);
        json!({"address": self.token.lower(), "topics": topics, "fromBlock": from_block, "toBlock": to_block})
    }

    pub(super) fn nonce_event(&self, log: &Value) -> Option<NonceEvent> {
        let [event, from, nonce] = self.topics_of(log)?[..] else { return None };
        if from != word(&self.from) || nonce != self.nonce.0 {
            return None;
        }
        if event == cancelled_topic() {
            return Some(NonceEvent::Cancelled { block: log.get("blockNumber").and_then(number) });
        }
        let transaction = hex::encode(&bytes::<32>(log.get("transactionHash")?)?);
        let block_hash = log.get("blockHash").and_then(bytes);
        (event == used_topic()).then_some(NonceEvent::Used(Place { transaction, block_hash }))
    }

    /// Whether the receipt is this transaction's in this place, succeeded, and holds exactly this transfer. A receipt from
    /// another block than the event's is of another fork.
    pub(super) fn stands_in(&self, receipt: &Value, place: &Place) -> bool {
        let wanted = [topic("Transfer(address,address,uint256)"), word(&self.from), word(&self.to)];
        let moves = |log: &Value| {
            self.topics_of(log).is_some_and(|topics| topics == wanted)
                && log.get("data").and_then(bytes) == Some(self.value.0)
        };
        // Another transfer of the payer's may be of the same amount to the same seller.
        let spent = [used_topic(), word(&self.from), self.nonce.0];
        let spends = |log: &Value| self.topics_of(log).is_some_and(|topics| topics == spent);
        let hash: Option<[u8; 32]> = receipt.get("transactionHash").and_then(bytes);
        let is_its = hash.is_some_and(|hash| hex::encode(&hash) == place.transaction);
        let block: Option<[u8; 32]> = receipt.get("blockHash").and_then(bytes);
        let is_there = block.is_none() || place.block_hash.is_none() || block == place.block_hash;
        let status = receipt.get("status");
        let succeeded = status.is_some_and(|status| *status == Value::Bool(true) || number(status) == Some(1));
        let logs = receipt.get("logs").and_then(Value::as_array);
        is_its && is_there && succeeded && logs.is_some_and(|logs| logs.iter().any(moves) && logs.iter().any(spends))
    }

    /// The topics of a log of the token's. `None` for any other, and for one that a reorganisation took back.
    fn topics_of(&self, log: &Value) -> Option<Vec<[u8; 32]>> {
        let token: [u8; 20] = bytes(log.get("address")?)?;
        let removed = log.get("removed").and_then(Value::as_bool) == Some(true);
        if token != self.token.0 || removed {
            return None;
        }
        log.get("topics")?.as_array()?.iter().map(bytes).collect()
    }
}

/// The first four bytes of a call's data, as hex with `0x`.
fn selector(signature: &str) -> String {
    hex::encode(&keccak(signature))[..10].to_owned()
}

/// An address as a word of a call's data.
fn bare(address: &Address) -> String {
    hex::encode(&word(address))[2..].to_owned()
}

fn used_topic() -> [u8; 32] {
    topic("AuthorizationUsed(address,bytes32)")
}

fn cancelled_topic() -> [u8; 32] {
    topic("AuthorizationCanceled(address,bytes32)")
}

fn topic(event: &str) -> [u8; 32] {
    keccak(event)
}

/// An address as it stands among topics.
fn word(address: &Address) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(&address.0);
    word
}

fn keccak(text: &str) -> [u8; 32] {
    Keccak256::digest(text).into()
}
