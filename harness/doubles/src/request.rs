//! The body of `/verify` and `/settle` as a double reads it, in either generation. The payment's JSON text is kept as
//! received: whether a retry was identical is decided on the bytes, not on what they parse to.

use super::signers::Signers;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use sha3::{Digest, Keccak256};
use x402_protocol::{
    ExactEvmPayload, Mismatch, Offer, PayloadError, PaymentKey, Signature, Transfer, Version, hex, offer::OfferError,
    v1, v2,
};

/// A call's body, read once for all that look at it: the record, the count of repeats, the fault and the honest part.
pub struct FacilitatorRequest {
    read: Result<Read, Unreadable>,
    /// The network's name in the requirements; empty where they call it nothing.
    network: String,
    payload_hash: Option<String>,
    /// Whether its payload has both kinds of authorization, be one of them null.
    is_odd: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    x402_version: Value,
    #[serde(borrow)]
    payment_payload: &'a RawValue,
    #[serde(borrow)]
    payment_requirements: &'a RawValue,
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

/// The part of a call's record about its payment, as far as the body lets it be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentSeen {
    pub payment: Option<String>,
    pub payload_hash: Option<String>,
    /// It came with an API key that is not this facilitator's.
    pub stray_key: bool,
}

impl FacilitatorRequest {
    /// Reads any bytes: what cannot be read is part of what a double answers.
    #[must_use]
    pub fn parse(body: &[u8]) -> Self {
        let Ok(body) = serde_json::from_slice::<Body>(body) else {
            return Self { read: Err(Unreadable::Shape), network: String::new(), payload_hash: None, is_odd: false };
        };
        Self {
            read: body.read(),
            network: network_in(body.payment_requirements),
            payload_hash: Some(hex::encode(&Keccak256::digest(body.payment_payload.get()))),
            is_odd: has_both_kinds(body.payment_payload),
        }
    }

    pub fn read(&self) -> Result<&Read, Unreadable> {
        self.read.as_ref().map_err(|unreadable| *unreadable)
    }

    /// The payment, however bad: nothing but its shape is checked.
    #[must_use]
    pub fn payment(&self) -> Option<Asked> {
        let Read { version, exact, offer, .. } = self.read().ok()?;
        Some(Asked { version: *version, offer: offer.as_ref().ok()?.clone(), transfer: exact.transfer.clone() })
    }

    /// Whether the payment is of a common shape, and its signature its payer's by the key alone: what needs no contract to be
    /// asked, and surprises no library.
    #[must_use]
    pub fn is_proven(&self, signers: &Signers) -> bool {
        let Ok(Read { exact, offer: Ok(offer), .. }) = self.read() else { return false };
        let Signature::Account(bytes) = &exact.signature else { return false };
        !self.is_odd && signers.signer(bytes, &exact.transfer.digest(offer)) == Some(exact.transfer.from())
    }

    #[must_use]
    pub fn network(&self) -> &str {
        &self.network
    }

    #[must_use]
    pub fn seen(&self) -> PaymentSeen {
        let payment = self.payment().map(|asked| asked.key().to_string());
        PaymentSeen { payment, payload_hash: self.payload_hash.clone(), stray_key: false }
    }
}

fn has_both_kinds(payment: &RawValue) -> bool {
    let payment: Value = serde_json::from_str(payment.get()).unwrap_or_default();
    let has = |kind: &str| payment["payload"].get(kind).is_some();
    has("authorization") && has("permit2Authorization")
}

fn network_in(requirements: &RawValue) -> String {
    #[derive(Default, Deserialize)]
    struct Requirements {
        #[serde(default)]
        network: Value,
    }
    let Requirements { network } = serde_json::from_str(requirements.get()).unwrap_or_default();
    network.as_str().unwrap_or_default().to_owned()
}

impl Body<'_> {
    fn read(&self) -> Result<Read, Unreadable> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Payer;

    #[test]
    fn the_hash_tells_apart_what_parses_alike() {
        let body = Payer::new(1).body(1);
        let seen = FacilitatorRequest::parse(body.as_bytes()).seen();
        assert!(seen.payment.as_ref().unwrap().starts_with("eip155:84532:0x036cbd"));
        let spaced = body.replacen(r#""signature":"#, r#""signature": "#, 1);
        let spaced = FacilitatorRequest::parse(spaced.as_bytes()).seen();
        assert_eq!(spaced.payment, seen.payment);
        assert_ne!(spaced.payload_hash, seen.payload_hash);
        assert_eq!(FacilitatorRequest::parse(b"{").seen(), PaymentSeen::default());
    }
}
