//! One node, asked about one payment.
//!
//! Its answers are read leniently, as nodes and the proxies before them spell them, and believed only where they fit
//! together: a spelling that is not understood leaves a payer who was charged without content.

use super::{
    Look, Word, logs, question,
    spelling::{bytes, number},
    transfer::{Eip3009, Transfer},
};
use crate::{
    Reason,
    facilitator::transport::{FacilitatorTransport, HttpRequest, TransportError},
};
use serde_json::{Value, json};
use x402_protocol::json;

/// Longest wait for one answer. Several are asked in a row, and a caller may be waiting for them.
const RPC_TIMEOUT_MS: u64 = 3_000;
/// Most of a node's own words that is told to an operator.
const MAX_SAID_CHARS: usize = 120;
/// How far ahead of our clock a node's final block may be. One that is further ahead is no clock to go by.
const CLOCK_TOLERANCE_S: u64 = 900;

/// A node that is asked.
pub(super) struct Node<'a, T> {
    pub url: &'a str,
    pub transport: &'a T,
}

/// Why a node was of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NodeError {
    #[error("{0}")]
    Transport(#[from] TransportError),
    #[error("its answer to {0} has another shape")]
    Shape(&'static str),
    #[error("it refuses {method}: {said}")]
    Refused { method: &'static str, said: String },
    #[error("it answers {method} with status {status}, and no JSON")]
    Http { method: &'static str, status: u16 },
    #[error("it is on another chain")]
    OtherChain,
    #[error("its final block is of the future")]
    Future,
    #[error("it has no event of a nonce that it calls used")]
    NoEvent,
    #[error("its transaction does not hold the transfer that it calls settled")]
    NoTransfer,
}

/// A node's word, and why it is not a better one.
pub(super) struct Told {
    pub word: Word,
    pub trouble: Option<NodeError>,
}

/// A block that cannot be taken back.
struct Final {
    number: u64,
    /// Unix seconds.
    time: u64,
}

impl From<Word> for Told {
    fn from(word: Word) -> Self {
        Self { word, trouble: None }
    }
}

impl<T: FacilitatorTransport> Node<'_, T> {
    pub(super) async fn read(&self, transfer: &Transfer, look: &Look<'_>) -> Result<Told, NodeError> {
        if number(&self.ask("eth_chainId", &json!([])).await?) != Some(transfer.chain_id) {
            return Err(NodeError::OtherChain);
        }
        if !self.is_used(transfer, "latest").await? {
            return self.unused(transfer, look).await.map(Told::from);
        }
        let Some(event) = transfer.searchable() else { return Ok(Word::Used.into()) };
        // It knows that the nonce is used up, whether or not it can show by what.
        Ok(match self.used(event, look).await {
            Ok(word) => word.into(),
            Err(why) => Told { word: Word::Used, trouble: Some(why) },
        })
    }

    /// The nonce is used up in the latest block that the node has.
    async fn used(&self, transfer: &Eip3009, look: &Look<'_>) -> Result<Word, NodeError> {
        let latest = self.latest().await?;
        match logs::find(self, transfer, logs::Range::of(latest, look), latest).await? {
            None => Err(NodeError::NoEvent),
            // A block that is not final can be taken back, and the cancellation with it.
            Some(logs::NonceEvent::Cancelled { block }) => {
                let last = self.latest_final(look).await?.number;
                let never = Word::Never(Reason::ours("authorization_cancelled"));
                Ok(if block.is_some_and(|block| block <= last) { never } else { Word::Used })
            }
            Some(logs::NonceEvent::Used(place)) => {
                let receipt = self.ask("eth_getTransactionReceipt", &json!([place.transaction])).await?;
                if transfer.stands_in(&receipt, &place) {
                    Ok(Word::Settled(place.transaction))
                } else {
                    Err(NodeError::NoTransfer)
                }
            }
        }
    }

    /// The nonce is unused in the latest block that the node has.
    async fn unused(&self, transfer: &Transfer, look: &Look<'_>) -> Result<Word, NodeError> {
        // A chain's time only grows: unused in a final block after the window, it can be used in no later one. A node that
        // lags has no such block. One that says so before our own clock does is asked again.
        if look.now >= look.claim.window.end() {
            let last = self.latest_final(look).await?;
            if last.time >= transfer.valid_before && !self.is_used(transfer, &format!("{:#x}", last.number)).await? {
                return Ok(Word::Never(Reason::ours("authorization_expired_unused")));
            }
        }
        let Some(call) = transfer.balance_call().filter(|_| look.with_funds) else {
            return Ok(Word::Unused { funded: None });
        };
        // Both in one block: it is the transfer itself that may have taken the funds, in a block that came in between.
        let block = format!("{:#x}", self.latest().await?);
        if self.is_used(transfer, &block).await? {
            return Ok(Word::Used);
        }
        let balance = bytes::<32>(&self.ask("eth_call", &json!([call, block])).await?);
        Ok(Word::Unused { funded: balance.map(|balance| balance >= transfer.value.0) })
    }

    async fn latest(&self) -> Result<u64, NodeError> {
        number(&self.ask("eth_blockNumber", &json!([])).await?).ok_or(NodeError::Shape("eth_blockNumber"))
    }

    async fn latest_final(&self, look: &Look<'_>) -> Result<Final, NodeError> {
        let block = self.ask("eth_getBlockByNumber", &json!(["finalized", false])).await?;
        let said = |member| block.get(member).and_then(number).ok_or(NodeError::Shape("eth_getBlockByNumber"));
        let last = Final { number: said("number")?, time: said("timestamp")? };
        let is_future = last.time > look.now.seconds().saturating_add(CLOCK_TOLERANCE_S);
        if is_future { Err(NodeError::Future) } else { Ok(last) }
    }

    async fn is_used(&self, transfer: &Transfer, block: &str) -> Result<bool, NodeError> {
        let state = self.ask("eth_call", &json!([transfer.state_call(), block])).await?;
        transfer.is_used(&state).ok_or(NodeError::Shape("eth_call"))
    }

    pub(super) async fn ask(&self, method: &'static str, params: &Value) -> Result<Value, NodeError> {
        let json = question(method, params);
        let request =
            HttpRequest { url: self.url, headers: &[], json: Some(&json), timeout_ms: RPC_TIMEOUT_MS, origin: None };
        let answer = self.transport.send(request).await?;
        let shape = || NodeError::Shape(method);
        let text = std::str::from_utf8(&answer.body).unwrap_or_default();
        let Ok(body) = json::read::<Value>(text.trim_start_matches('\u{feff}')) else {
            // A proxy that finds the question too large says so in its own way.
            return Err(match answer.status {
                400 | 413 | 422 => NodeError::Refused { method, said: format!("status {}", answer.status) },
                200..300 => shape(),
                status => NodeError::Http { method, status },
            });
        };
        let mut body = the_one(body);
        if let Some(error) = body.get("error").filter(|error| is_said(error)) {
            return Err(NodeError::Refused { method, said: said(error) });
        }
        let ours = body.get("id").is_some_and(|id| *id == json!(1) || *id == json!("1"));
        let result = body.get_mut("result").map(Value::take);
        result.filter(|result| ours && !result.is_null()).ok_or_else(shape)
    }
}

/// The one answer of a batch. What is no batch of one stays as it is.
fn the_one(body: Value) -> Value {
    match body {
        Value::Array(mut answers) if answers.len() == 1 => answers.remove(0),
        other => other,
    }
}

/// Whether there is an error. Some answer with an empty one beside a result.
fn is_said(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

/// The node's word on its refusal, as far as a log can hold it.
fn said(error: &Value) -> String {
    let message = error.get("message").or(Some(error)).and_then(Value::as_str).unwrap_or("no message");
    message.chars().filter(|c| !c.is_control()).take(MAX_SAID_CHARS).collect()
}
