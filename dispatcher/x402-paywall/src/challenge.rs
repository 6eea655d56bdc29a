//! The bill as a 402 carries it.

use x402_protocol::{
    Offer, header,
    v2::{IdentifierRule, PaymentRequired, ResourceInfo, VERSION},
};

/// What is asked for which resource.
#[derive(Clone, Copy, Debug)]
pub struct Bill<'a> {
    pub offer: &'a Offer,
    pub identifier: IdentifierRule,
    pub resource: &'a ResourceInfo,
}

impl Bill<'_> {
    /// Value of the `PAYMENT-REQUIRED` header.
    #[must_use]
    pub fn header(&self, error: &str) -> String {
        header::encode(&PaymentRequired {
            x402_version: VERSION,
            error: Some(error.to_owned()),
            resource: self.resource.clone(),
            accepts: vec![self.offer.to_requirements()],
            extensions: self.identifier.declaration().map(|declaration| [declaration].into_iter().collect()),
        })
    }
}
