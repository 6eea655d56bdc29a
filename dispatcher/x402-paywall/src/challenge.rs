//! The bill as a 402 carries it: in both generations of the protocol at once, so that a client of either can pay. Clients
//! of version 2 read the header alone, clients of version 1 the body alone.

use serde_json::{Map, Value, json};
use x402_protocol::{
    Offer, PaymentFlow, Version, header, v1,
    v2::{IdentifierRule, PaymentRequired, ResourceInfo},
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
            x402_version: Version::V2,
            error: Some(error.to_owned()),
            resource: self.resource.clone(),
            accepts: vec![self.offer.to_requirements()],
            extensions: self.extensions(),
        })
    }

    /// What the offer declares, for clients to echo.
    #[must_use]
    pub fn extensions(&self) -> Option<Map<String, Value>> {
        self.identifier.declaration().map(|declaration| [declaration].into_iter().collect())
    }

    /// The offer in version 1. `None` where version 1 cannot say it: it has no permits, no identifiers and no payment flow.
    #[must_use]
    pub fn v1_requirements(&self) -> Option<v1::PaymentRequirements> {
        match (self.identifier, self.offer.flow) {
            (IdentifierRule::Required, _) | (_, PaymentFlow::Upfront) => None,
            _ => v1::PaymentRequirements::of(self.offer, self.resource),
        }
    }

    /// The body of a 402 for version 1, with what every error of ours says added to it. `error` is a string here and not
    /// an object, because clients parse it so.
    #[must_use]
    pub fn v1_body(&self, code: &str, message: &str, request_id: &str) -> Value {
        json!({
            "x402Version": Version::V1,
            "error": code,
            "accepts": Vec::from_iter(self.v1_requirements()),
            "code": code,
            "message": message,
            "request_id": request_id,
        })
    }
}
