//! The body of `/verify` and `/settle`, which is the same envelope in both generations (specification 7.1, 7.2).

use crate::Version;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FacilitatorRequest<'a, R> {
    x402_version: Version,
    payment_payload: &'a RawValue,
    payment_requirements: &'a R,
}

/// The client's payment verbatim, beside the server's own requirements: to be sent byte for byte at every attempt.
#[must_use]
pub fn facilitator_request(version: Version, payment: &RawValue, requirements: &impl Serialize) -> Box<RawValue> {
    let request =
        FacilitatorRequest { x402_version: version, payment_payload: payment, payment_requirements: requirements };
    to_raw_value(&request).expect("wire types have string keys and no failing serializers")
}
