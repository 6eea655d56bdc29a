//! The offer as a 402 carries it.

use x402_protocol::{
    Offer, header,
    v2::{PaymentRequired, ResourceInfo, VERSION},
};

/// Value of the `PAYMENT-REQUIRED` header.
#[must_use]
pub fn payment_required_header(offer: &Offer, resource: &ResourceInfo, error: &str) -> String {
    header::encode(&PaymentRequired {
        x402_version: VERSION,
        error: Some(error.to_owned()),
        resource: resource.clone(),
        accepts: vec![offer.to_requirements()],
        extensions: None,
    })
}
