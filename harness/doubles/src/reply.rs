//! A whole HTTP answer, before it goes to a socket. What the record says of an answer is read off the bytes that left,
//! not off what the double meant to say.

use reports::event::FacilitatorAnswer;
use serde::Serialize;
use serde_json::Value;

pub const JSON: &str = "application/json";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub content_type: String,
    pub body: Vec<u8>,
}

impl Reply {
    #[must_use]
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("wire types have string keys and no failing serializers");
        Self { status, content_type: JSON.to_owned(), body }
    }

    #[must_use]
    pub fn text(status: u16, content_type: &str, body: &str) -> Self {
        Self { status, content_type: content_type.to_owned(), body: body.as_bytes().to_vec() }
    }

    /// Status line and headers, with the length of the whole body whether or not all of it will be sent.
    #[must_use]
    pub fn head(&self) -> Vec<u8> {
        let reason = reqwest::StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        format!(
            "HTTP/1.1 {} {}\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n",
            self.status,
            reason.unwrap_or("Unknown"),
            self.content_type,
            self.body.len()
        )
        .into_bytes()
    }

    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }

    /// The answer in the record once all of it has left.
    #[must_use]
    pub fn sent(&self) -> FacilitatorAnswer {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let text = |names: &[&str]| names.iter().find_map(|name| body.get(name)?.as_str()).map(str::to_owned);
        FacilitatorAnswer::Sent {
            status: self.status,
            ok: ["isValid", "success"].iter().find_map(|name| body.get(name)?.as_bool()),
            reason: text(&["invalidReason", "errorReason"]),
            transaction: text(&["transaction"]).filter(|transaction| !transaction.is_empty()),
            payer: text(&["payer"]),
        }
    }
}
