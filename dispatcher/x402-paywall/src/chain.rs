//! What the chain itself says of a payment whose settlement nobody can tell: read over JSON-RPC, for EIP-3009 alone.
//!
//! A node may lie, hang or die like anybody else. Only what fits together is believed: the right chain, the nonce's state,
//! the one event that used it up, and the transfer of exactly this payment in that event's transaction. Anything else is no
//! news, and the payment stays unknown.

use crate::{
    Reason,
    ledger::Claim,
    ports::{FacilitatorTransport, HttpRequest},
};
use serde_json::{Value, json};
use sha3::{Digest, Keccak256};
use std::fmt;
use x402_protocol::{Address, Nonce, Uint256, hex, json};

/// Longest wait for one answer. Up to four are asked in a row, and a caller may be waiting for them.
const RPC_TIMEOUT_MS: u64 = 3_000;
/// How far back the event is looked for: a little over five hours of Base's blocks. Nodes refuse longer ranges, and an
/// unknown settlement is first looked for within seconds.
const LOOK_BACK_BLOCKS: u64 = 9_999;

/// Where the chain is read.
#[derive(Clone)]
pub struct ChainRpc {
    url: String,
}

/// Without the URL: such URLs carry keys.
impl fmt::Debug for ChainRpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChainRpc")
    }
}

/// What the chain says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// The payment stands on the chain, in this transaction.
    Settled(String),
    /// It never moved, and never can.
    Never(Reason),
    NoNews,
}

/// What an EIP-3009 payment looks like on the chain.
#[derive(Clone, Copy, Debug)]
struct Transfer {
    token: Address,
    from: Address,
    to: Address,
    value: Uint256,
    nonce: Nonce,
    chain_id: u64,
    /// Unix seconds.
    valid_before: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be https (http is for loopback only)")]
pub struct InsecureUrl;

impl ChainRpc {
    pub fn new(url: &str) -> Result<Self, InsecureUrl> {
        let safe = ["https://", "http://127.0.0.1:", "http://localhost:"];
        if safe.iter().any(|start| url.starts_with(start)) {
            Ok(Self { url: url.to_owned() })
        } else {
            Err(InsecureUrl)
        }
    }

    /// Looks the payment up.
    pub async fn look_up(&self, claim: &Claim, transport: &impl FacilitatorTransport) -> Word {
        match Transfer::of(claim) {
            Some(transfer) => self.read(&transfer, transport).await.unwrap_or(Word::NoNews),
            None => Word::NoNews,
        }
    }

    /// `None`: no usable answer.
    async fn read(&self, transfer: &Transfer, transport: &impl FacilitatorTransport) -> Option<Word> {
        let ask = async |method: &str, params: Value| {
            let json = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
            let request = HttpRequest { url: &self.url, headers: &[], json: Some(&json), timeout_ms: RPC_TIMEOUT_MS };
            result(&transport.send(request).await.ok()?.body)
        };
        if number(&ask("eth_chainId", json!([])).await?)? != transfer.chain_id {
            return None;
        }
        let state_at = |block: &str| json!([transfer.state_call(), block]);
        if !truth(&ask("eth_call", state_at("latest")).await?)? {
            // A chain's time only grows: unused in a final block after the window, it can be used in no later one.
            let block = ask("eth_getBlockByNumber", json!(["finalized", false])).await?;
            let (at, time) = (block.get("number")?.as_str()?, number(block.get("timestamp")?)?);
            let unused = time >= transfer.valid_before && !truth(&ask("eth_call", state_at(at)).await?)?;
            return unused.then(|| Word::Never(Reason::ours("authorization_expired_unused")));
        }
        let latest = number(&ask("eth_blockNumber", json!([])).await?)?;
        let from_block = format!("{:#x}", latest.saturating_sub(LOOK_BACK_BLOCKS));
        let logs = ask("eth_getLogs", json!([transfer.nonce_filter(&from_block)])).await?;
        match logs.as_array()?.iter().find_map(|log| transfer.nonce_event(log))? {
            NonceEvent::Cancelled => Some(Word::Never(Reason::ours("authorization_cancelled"))),
            NonceEvent::Used(transaction) => {
                let receipt = ask("eth_getTransactionReceipt", json!([transaction])).await?;
                transfer.stands_in(&receipt, &transaction).then_some(Word::Settled(transaction))
            }
        }
    }
}

enum NonceEvent {
    /// In this transaction.
    Used(String),
    Cancelled,
}

impl Transfer {
    fn of(claim: &Claim) -> Option<Self> {
        let authorized = claim.authorized.as_ref()?;
        Some(Self {
            token: authorized.token,
            from: claim.payer,
            to: authorized.to,
            value: claim.amount,
            nonce: authorized.nonce,
            chain_id: claim.network.chain_id(),
            valid_before: claim.window.valid_before,
        })
    }

    fn state_call(&self) -> Value {
        let selector = &hex::encode(&keccak("authorizationState(address,bytes32)"))[..10];
        let data = [selector, &word(&self.from)[2..], &self.nonce.to_string()[2..]].concat();
        json!({"to": self.token.lower(), "data": data})
    }

    /// Both ways in which a nonce can be used up.
    fn nonce_filter(&self, from_block: &str) -> Value {
        let events = [used_topic(), cancelled_topic()];
        let topics = json!([events, word(&self.from), self.nonce.to_string()]);
        json!({"address": self.token.lower(), "topics": topics, "fromBlock": from_block, "toBlock": "latest"})
    }

    fn nonce_event(&self, log: &Value) -> Option<NonceEvent> {
        let topics = self.topics_of(log)?;
        if topics.len() != 3 || topics[1] != word(&self.from) || topics[2] != self.nonce.to_string() {
            return None;
        }
        if topics[0] == cancelled_topic() {
            return Some(NonceEvent::Cancelled);
        }
        let hash: [u8; 32] = hex::decode(log.get("transactionHash")?.as_str()?).ok()?;
        (topics[0] == used_topic()).then(|| NonceEvent::Used(hex::encode(&hash)))
    }

    /// Whether the receipt is this transaction's, succeeded, and holds exactly this transfer.
    fn stands_in(&self, receipt: &Value, transaction: &str) -> bool {
        let says = |field: &str, wanted: &str| {
            receipt.get(field).and_then(Value::as_str).is_some_and(|text| text.eq_ignore_ascii_case(wanted))
        };
        let wanted = [topic("Transfer(address,address,uint256)"), word(&self.from), word(&self.to)];
        let moves = |log: &Value| {
            self.topics_of(log).is_some_and(|topics| topics == wanted)
                && log.get("data").and_then(Value::as_str) == Some(&hex::encode(&self.value.0))
        };
        let logs = receipt.get("logs").and_then(Value::as_array);
        says("transactionHash", transaction) && says("status", "0x1") && logs.is_some_and(|logs| logs.iter().any(moves))
    }

    /// The topics of a log of the token's, lower case. `None` for any other, and for one that a reorganisation took back.
    fn topics_of(&self, log: &Value) -> Option<Vec<String>> {
        let token: Address = log.get("address")?.as_str()?.parse().ok()?;
        let removed = log.get("removed").and_then(Value::as_bool) == Some(true);
        if token != self.token || removed {
            return None;
        }
        log.get("topics")?.as_array()?.iter().map(|topic| Some(topic.as_str()?.to_ascii_lowercase())).collect()
    }
}

/// The result of a JSON-RPC answer.
fn result(body: &[u8]) -> Option<Value> {
    let mut answer: Value = json::read(std::str::from_utf8(body).ok()?).ok()?;
    let ours = answer.get("id").and_then(Value::as_u64) == Some(1);
    let result = answer.get_mut("result")?.take();
    (ours && !result.is_null()).then_some(result)
}

fn number(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

/// An ABI-encoded `bool`: a whole word, so that an address without a contract says nothing.
fn truth(value: &Value) -> Option<bool> {
    match hex::decode::<32>(value.as_str()?).ok()? {
        [zeros @ .., last @ (0 | 1)] if zeros.iter().all(|byte| *byte == 0) => Some(last == 1),
        _ => None,
    }
}

fn used_topic() -> String {
    topic("AuthorizationUsed(address,bytes32)")
}

fn cancelled_topic() -> String {
    topic("AuthorizationCanceled(address,bytes32)")
}

fn topic(event: &str) -> String {
    hex::encode(&keccak(event))
}

fn word(address: &Address) -> String {
    let mut word = [0; 32];
    word[12..].copy_from_slice(&address.0);
    hex::encode(&word)
}

fn keccak(text: &str) -> [u8; 32] {
    Keccak256::digest(text).into()
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
