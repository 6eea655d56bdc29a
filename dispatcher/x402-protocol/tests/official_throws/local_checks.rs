//! The dispatcher's checks of a payment before it asks a facilitator: its shape, its signature's shape, and the offer. Only a
//! facilitator can judge a signature that does not recover to the payer. There is no clock here, so a payment's window is not
//! looked at: an attacker signs one that is open.

use serde_json::Value;
use x402_protocol::{Offer, Version, v1, v2};

/// Whether the payment would be forwarded, or why it is refused.
pub fn forwarded(text: &str) -> Result<(), String> {
    let version = serde_json::from_str::<Value>(text).ok().and_then(|value| value["x402Version"].as_u64());
    let offer = offer();
    let (exact, version) = if version == Some(1) {
        let payment = v1::PaymentPayload::parse(text).map_err(|error| error.to_string())?;
        offer.matches_v1(&payment).map_err(|mismatch| mismatch.to_string())?;
        (payment.exact, Version::V1)
    } else {
        let payment = v2::PaymentPayload::parse(text).map_err(|error| error.to_string())?;
        offer.matches(&payment.accepted).map_err(|mismatch| mismatch.to_string())?;
        (payment.exact, Version::V2)
    };
    offer.is_paid_by(&exact.transfer, version).map_err(|mismatch| mismatch.to_string())?;
    Ok(())
}

/// The offer that every payment in `testdata/throws` is for.
fn offer() -> Offer {
    let vector = v2::PaymentPayload::parse(include_str!("../../testdata/eip3009-vector.json")).expect("a good payment");
    Offer::from_requirements(&vector.accepted).expect("a good offer")
}
