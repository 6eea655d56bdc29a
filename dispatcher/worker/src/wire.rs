//! How a request's side and its ledger object talk: one line of JSON, then the response body's bytes, if any. Compact JSON
//! has no newline inside, so the first one is the border.

use dispatcher_core::{
    paywall::{
        health::{News, Snapshot},
        ledger::{
            Collection, Departed, Reply, SharedClaim,
            books::{Entry, OnChain, Span},
            identifier::{Bound, Owner},
            layout::Place,
        },
        ports::LedgerError,
        response::ResponseHead,
        telemetry::Attempt,
    },
    protocol::json,
};
use js_sys::Uint8Array;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::borrow::Cow;
use wasm_bindgen::JsValue;

/// To a shard of the ledger, about one payment.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShardCall<'a> {
    pub payment: Cow<'a, str>,
    /// The number of shards that the caller knows of.
    pub shards: u16,
    /// Tells whether the payment's own shard sent the caller here.
    pub is_sent_on: bool,
    pub call: Cow<'a, Call>,
}

/// To the place of a payment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    Claim {
        claim: SharedClaim,
        holder: String,
    },
    Collect {
        collection: Collection,
        holder: String,
    },
    /// The body's bytes follow.
    Settle {
        holder: String,
        head: ResponseHead,
    },
    Release {
        holder: String,
    },
    HandedOver {
        holder: String,
        delivered: bool,
    },
    /// Of one shard, whichever payment the call is about.
    AllHandedOver {
        departed: Vec<Departed>,
    },
    Describe {
        payment: String,
    },
    /// For a rival of this payment.
    Transaction,
    /// From the payment's new shard: is it here?
    Has,
    /// The chain's word on the payment.
    OnChain,
    /// To a shard, about no payment: what it settled in a span of time.
    SettledIn {
        span: Span,
        limit: usize,
    },
    /// To a shard, about no payment: what is open.
    Open {
        limit: usize,
    },
}

/// To an identifier's object.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierCall {
    Bind(Owner),
    Unbind(Owner),
}

/// To an object that knows which payments transactions were shown for.
#[derive(Debug, Serialize, Deserialize)]
pub struct TransactionCall {
    /// The transaction's hash.
    pub transaction: String,
    pub owner: Owner,
}

impl TransactionCall {
    /// The name of the object that knows the transaction.
    pub fn object(&self) -> String {
        self.transaction.chars().take(3).collect()
    }
}

/// From an identifier's object.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierAnswer {
    Bound(Bound),
    Noted,
}

/// How a call to any object went.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome<A> {
    Done(A),
    Failed(String),
}

/// From the place of a payment.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To a claim or a collection. With a head, the body's bytes follow.
    Claimed {
        reply: Reply,
        head: Option<ResponseHead>,
        attempts: Vec<Attempt>,
    },
    Settled {
        reply: Reply,
        attempts: Vec<Attempt>,
    },
    Noted,
    /// All of them, but these.
    AllNoted {
        but: Vec<(String, NotNoted)>,
    },
    Described(Value),
    Transaction(Option<String>),
    Has(bool),
    Entries(Vec<Entry>),
    OnChain(OnChain),
    /// The payment is not here, but there.
    At(Place),
}

/// Why a payment's hand-over was not noted.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotNoted {
    /// The payment is not here, but there.
    At(Place),
    Failed(String),
}

/// To the facilitators' health object.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthCall {
    Exchange(News),
    Describe,
}

/// From it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthAnswer {
    Exchanged(Snapshot),
    Described(Value),
}

/// How a call went, framed, as bytes of the runtime's.
pub fn answer<A: Serialize>(told: Result<(A, Vec<u8>), LedgerError>) -> JsValue {
    let (outcome, body) = match told {
        Ok((answer, body)) => (Outcome::Done(answer), body),
        Err(error) => (Outcome::Failed(error.0), Vec::new()),
    };
    Uint8Array::from(frame(&outcome, &body).as_slice()).into()
}

pub fn frame(line: &impl Serialize, body: &[u8]) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(line).expect("calls and answers have string keys and plain values");
    bytes.push(b'\n');
    bytes.extend_from_slice(body);
    bytes
}

pub fn unframe<T: DeserializeOwned>(mut bytes: Vec<u8>) -> Result<(T, Vec<u8>), String> {
    let border = bytes.iter().position(|byte| *byte == b'\n').ok_or("no line")?;
    let line = std::str::from_utf8(&bytes[..border]).map_err(|error| error.to_string())?;
    let line = json::read(line).map_err(|error| error.to_string())?;
    bytes.drain(..=border);
    Ok((line, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_carries_any_bytes_behind_its_line() {
        let body = b"line one\n{\"not\": \"ours\"}\n\0\xff";
        let call = Call::HandedOver { holder: "a\nb".to_owned(), delivered: true };
        let (back, bytes) = unframe::<Call>(frame(&call, body)).unwrap();
        assert!(matches!(back, Call::HandedOver { holder, delivered: true } if holder == "a\nb"));
        assert_eq!(bytes, body);
    }

    #[test]
    fn what_is_no_frame_is_an_error_and_no_panic() {
        for bytes in [&b""[..], b"{}", b"\n", b"{\"claim\":{}}\n"] {
            assert!(unframe::<Call>(bytes.to_vec()).is_err(), "{bytes:?}");
        }
    }
}
