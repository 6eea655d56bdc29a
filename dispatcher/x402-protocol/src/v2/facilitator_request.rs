//! The body of `/verify` and `/settle` (specification 7.1, 7.2).

use super::{PaymentRequirements, VERSION};
use serde::Serialize;
use serde_json::value::RawValue;

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

    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("wire types have string keys and no failing serializers")
    }
}
