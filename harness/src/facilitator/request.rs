//! The body of `/verify` and `/settle` as a double reads it. The payment's JSON text is kept as received: whether a retry
//! was identical is decided on the bytes, not on what they parse to.

use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use sha3::{Digest, Keccak256};
use x402_protocol::{
    Authorization, Offer, hex,
    v2::{PaymentPayload, PaymentRequirements},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FacilitatorRequest<'a> {
    pub x402_version: Value,
    #[serde(borrow)]
    pub payment_payload: &'a RawValue,
    pub payment_requirements: PaymentRequirements,
}

/// What the record of a call says of its payment, as far as the body lets it be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentSeen {
    pub payment: Option<String>,
    pub payload_hash: Option<String>,
}

impl<'a> FacilitatorRequest<'a> {
    pub fn parse(body: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }

    /// The payment, however bad: nothing but its shape is checked.
    #[must_use]
    pub fn payment(&self) -> Option<(Offer, Authorization)> {
        let offer = Offer::from_requirements(&self.payment_requirements).ok()?;
        let payment = PaymentPayload::parse(self.payment_payload.get()).ok()?;
        Some((offer, payment.exact.authorization))
    }
}

impl PaymentSeen {
    #[must_use]
    pub fn in_body(body: &[u8]) -> Self {
        let Ok(request) = FacilitatorRequest::parse(body) else {
            return Self::default();
        };
        let key = request.payment().map(|(offer, authorization)| offer.payment_key(&authorization).to_string());
        let hash = hex::encode(&Keccak256::digest(request.payment_payload.get()));
        Self { payment: key, payload_hash: Some(hash) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facilitator::testing::Payer;

    #[test]
    fn the_hash_tells_apart_what_parses_alike() {
        let body = Payer::new(1).body(1);
        let seen = PaymentSeen::in_body(body.as_bytes());
        assert!(seen.payment.as_ref().unwrap().starts_with("eip155:84532:0x036cbd"));
        let spaced = PaymentSeen::in_body(body.replacen(r#""signature":"#, r#""signature": "#, 1).as_bytes());
        assert_eq!(spaced.payment, seen.payment);
        assert_ne!(spaced.payload_hash, seen.payload_hash);
        assert_eq!(PaymentSeen::in_body(b"{"), PaymentSeen::default());
    }
}
