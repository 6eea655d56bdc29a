//! Version 1 of the protocol, which clients in the field still speak: the offer is the 402's body, the payment comes in
//! `X-PAYMENT`, and networks have names (`x402-specification-v1.md`). What facilitators answer is as in version 2.

mod payment_payload;
mod payment_required;

pub use payment_payload::PaymentPayload;
pub use payment_required::{PaymentRequired, PaymentRequirements};
