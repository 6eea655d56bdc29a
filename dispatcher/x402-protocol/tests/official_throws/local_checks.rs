//! The dispatcher's checks of a payment before it asks a facilitator: its shape, its signature's shape, and the offer. Only a
//! facilitator can judge a signature that does not recover to the payer. There is no clock here, so a payment's window is not
//! looked at: an attacker signs one that is open.

use serde_json::Value;
use x402_protocol::{Offer, Version, v1, v1_request, v2, v2_request};

/// The request to a facilitator, or why the payment is refused.
pub fn forwarded(text: &str) -> Result<String, String> {
    let version = serde_json::from_str::<Value>(text).ok().and_then(|value| value["x402Version"].as_u64());
    let offer = offer();
    let resource = v2::ResourceInfo { url: "https://acme.example/quote".to_owned(), ..v2::ResourceInfo::default() };
    let (exact, version, question) = if version == Some(1) {
        let payment = v1::PaymentPayload::parse(text).map_err(|error| error.to_string())?;
        offer.matches_v1(&payment).map_err(|mismatch| mismatch.to_string())?;
        let requirements = v1::PaymentRequirements::of(&offer, &resource).ok_or("version 1 cannot say the offer")?;
        let question = v1_request(&payment, &requirements);
        (payment.exact, Version::V1, question)
    } else {
        let payment = v2::PaymentPayload::parse(text).map_err(|error| error.to_string())?;
        offer.matches(&payment.accepted).map_err(|mismatch| mismatch.to_string())?;
        let question = v2_request(&payment, &offer, &resource, None);
        (payment.exact, Version::V2, question)
    };
    offer.is_paid_by(&exact.transfer, version).map_err(|mismatch| mismatch.to_string())?;
    Ok(question.get().to_owned())
}

/// The offer that every payment in `testdata/throws` is for.
fn offer() -> Offer {
    let vector = v2::PaymentPayload::parse(include_str!("../../testdata/eip3009-vector.json")).expect("a good payment");
    Offer::from_requirements(&vector.accepted).expect("a good offer")
}
