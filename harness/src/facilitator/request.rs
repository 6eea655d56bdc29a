//! The body of `/verify` and `/settle` as a double reads it, in either generation. The payment's JSON text is kept as
//! received: whether a retry was identical is decided on the bytes, not on what they parse to.

use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use sha3::{Digest, Keccak256};
use x402_protocol::{
    ExactEvmPayload, Mismatch, Offer, PayloadError, PaymentKey, Transfer, Version, hex, offer::OfferError, v1, v2,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FacilitatorRequest<'a> {
    pub x402_version: Value,
    #[serde(borrow)]
    pub payment_payload: &'a RawValue,
    #[serde(borrow)]
    pub payment_requirements: &'a RawValue,
}

/// A payment that can be read, and the offer it was sent for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub version: Version,
    pub offer: Offer,
    pub transfer: Transfer,
}

/// Everything of a request that can be read, before any of it is judged.
pub struct Read {
    pub version: Version,
    pub exact: ExactEvmPayload,
    pub offer: Result<Offer, OfferError>,
    /// Whether the payment says that it is for the offer.
    pub matches: Result<(), Mismatch>,
}

/// Why a request cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    Version,
    Shape,
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

    pub fn read(&self) -> Result<Read, Unreadable> {
        let version = self.x402_version.as_u64().and_then(|number| Version::try_from(number).ok());
        let (payment, requirements) = (self.payment_payload.get(), self.payment_requirements.get());
        let (version, exact, offer, matches) = match version.ok_or(Unreadable::Version)? {
            Version::V1 => {
                let payment = v1::PaymentPayload::parse(payment)?;
                let requirements: v1::PaymentRequirements = serde_json::from_str(requirements)?;
                let offer = Offer::from_requirements(&requirements.to_v2());
                let matches = offer.as_ref().map_or(Ok(()), |offer| offer.matches_v1(&payment));
                (Version::V1, payment.exact, offer, matches)
            }
            Version::V2 => {
                let payment = v2::PaymentPayload::parse(payment)?;
                let offer = Offer::from_requirements(&serde_json::from_str(requirements)?);
                let matches = offer.as_ref().map_or(Ok(()), |offer| offer.matches(&payment.accepted));
                (Version::V2, payment.exact, offer, matches)
            }
        };
        Ok(Read { version, exact, offer, matches })
    }

    /// The payment, however bad: nothing but its shape is checked.
    #[must_use]
    pub fn payment(&self) -> Option<Asked> {
        let read = self.read().ok()?;
        Some(Asked { version: read.version, offer: read.offer.ok()?, transfer: read.exact.transfer })
    }

    /// What the requirements call their network; empty where they call it nothing.
    #[must_use]
    pub fn network(&self) -> String {
        let requirements: Value = serde_json::from_str(self.payment_requirements.get()).unwrap_or_default();
        requirements["network"].as_str().unwrap_or_default().to_owned()
    }
}

impl Asked {
    #[must_use]
    pub fn key(&self) -> PaymentKey {
        self.transfer.key(&self.offer)
    }
}

impl From<PayloadError> for Unreadable {
    fn from(error: PayloadError) -> Self {
        if matches!(error, PayloadError::Version) { Self::Version } else { Self::Shape }
    }
}

impl From<serde_json::Error> for Unreadable {
    fn from(_: serde_json::Error) -> Self {
        Self::Shape
    }
}

impl PaymentSeen {
    #[must_use]
    pub fn in_body(body: &[u8]) -> Self {
        let Ok(request) = FacilitatorRequest::parse(body) else {
            return Self::default();
        };
        let key = request.payment().map(|asked| asked.key().to_string());
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
