//! One node, asked about one payment.

use super::{Look, Word, logs, question, transfer::Transfer};
use crate::{
    Reason,
    ports::{FacilitatorTransport, HttpRequest, TransportError},
};
use serde_json::{Value, json};
use x402_protocol::{hex, json};

/// Longest wait for one answer. Several are asked in a row, and a caller may be waiting for them.
const RPC_TIMEOUT_MS: u64 = 3_000;
/// Most of a node's own words that is told to an operator.
const MAX_SAID_CHARS: usize = 120;

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
    #[error("it is on another chain")]
    OtherChain,
    #[error("it has no event of a nonce that it calls used")]
    NoEvent,
    #[error("its transaction does not hold the transfer that it calls settled")]
    NoTransfer,
}

impl<T: FacilitatorTransport> Node<'_, T> {
    pub(super) async fn read(&self, transfer: &Transfer, look: &Look<'_>) -> Result<Word, NodeError> {
        let shape = NodeError::Shape;
        if number(&self.ask("eth_chainId", &json!([])).await?) != Some(transfer.chain_id) {
            return Err(NodeError::OtherChain);
        }
        if !self.is_used(transfer, "latest").await? {
            return self.unused(transfer, look).await;
        }
        let Some(event) = transfer.searchable() else { return Ok(Word::NoNews) };
        let latest = number(&self.ask("eth_blockNumber", &json!([])).await?).ok_or(shape("eth_blockNumber"))?;
        match logs::find(self, event, logs::Range::of(latest, look), latest).await? {
            None => Err(NodeError::NoEvent),
            Some(logs::NonceEvent::Cancelled) => Ok(Word::Never(Reason::ours("authorization_cancelled"))),
            Some(logs::NonceEvent::Used(transaction)) => {
                let receipt = self.ask("eth_getTransactionReceipt", &json!([transaction])).await?;
                if event.stands_in(&receipt, &transaction) {
                    Ok(Word::Settled(transaction))
                } else {
                    Err(NodeError::NoTransfer)
                }
            }
        }
    }

    /// The nonce is unused in the latest block that the node has.
    async fn unused(&self, transfer: &Transfer, look: &Look<'_>) -> Result<Word, NodeError> {
        let shape = NodeError::Shape("eth_getBlockByNumber");
        // A chain's time only grows: unused in a final block after the window, it can be used in no later one. A node that
        // lags has no such block.
        let block = self.ask("eth_getBlockByNumber", &json!(["finalized", false])).await?;
        let at = block.get("number").and_then(Value::as_str).ok_or(shape.clone())?;
        let time = block.get("timestamp").and_then(number).ok_or(shape)?;
        if time >= transfer.valid_before && !self.is_used(transfer, at).await? {
            return Ok(Word::Never(Reason::ours("authorization_expired_unused")));
        }
        let Some(call) = transfer.balance_call().filter(|_| look.with_funds) else {
            return Ok(Word::Unused { funded: None });
        };
        let balance = self.ask("eth_call", &json!([call, "latest"])).await?;
        let balance = balance.as_str().and_then(|text| hex::decode::<32>(text).ok());
        Ok(Word::Unused { funded: balance.map(|balance| balance >= transfer.value.0) })
    }

    async fn is_used(&self, transfer: &Transfer, block: &str) -> Result<bool, NodeError> {
        let state = self.ask("eth_call", &json!([transfer.state_call(), block])).await?;
        transfer.is_used(&state).ok_or(NodeError::Shape("eth_call"))
    }

    pub(super) async fn ask(&self, method: &'static str, params: &Value) -> Result<Value, NodeError> {
        let json = question(method, params);
        let request = HttpRequest { url: self.url, headers: &[], json: Some(&json), timeout_ms: RPC_TIMEOUT_MS };
        let answer = self.transport.send(request).await?;
        let shape = || NodeError::Shape(method);
        let text = std::str::from_utf8(&answer.body).map_err(|_| shape())?;
        let mut body: Value = json::read(text).map_err(|_| shape())?;
        if let Some(error) = body.get("error").filter(|error| !error.is_null()) {
            return Err(NodeError::Refused { method, said: said(error) });
        }
        let ours = body.get("id").and_then(Value::as_u64) == Some(1);
        let result = body.get_mut("result").map(Value::take);
        result.filter(|result| ours && !result.is_null()).ok_or_else(shape)
    }
}

/// What a node says of its refusal, as far as a log can hold it.
fn said(error: &Value) -> String {
    let message = error.get("message").and_then(Value::as_str).unwrap_or("no message");
    message.chars().filter(|c| !c.is_control()).take(MAX_SAID_CHARS).collect()
}

pub(super) fn number(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}
