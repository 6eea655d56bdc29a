//! The body of `/verify` and `/settle` (specification 7.1, 7.2).

use super::{PaymentRequirements, VERSION};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FacilitatorRequest<'a> {
    x402_version: u64,
    payment_payload: &'a RawValue,
    payment_requirements: &'a PaymentRequirements,
}

impl<'a> FacilitatorRequest<'a> {
    /// The client's payment verbatim, beside the server's own requirements.
    #[must_use]
    pub fn new(payment_payload: &'a RawValue, payment_requirements: &'a PaymentRequirements) -> Self {
        Self { x402_version: VERSION, payment_payload, payment_requirements }
    }

    /// The whole body, to be sent byte for byte at every attempt.
    #[must_use]
    pub fn to_json(&self) -> Box<RawValue> {
        to_raw_value(self).expect("wire types have string keys and no failing serializers")
    }
}
