//! Version 2 of the protocol, one file per wire object (specification section 5).

mod payment_identifier;
mod payment_payload;
mod payment_required;
mod said;
mod settle_response;
mod verify_response;

/// Key of the extension by which facilitators list what sellers offer.
pub const BAZAAR: &str = "bazaar";

pub use payment_identifier::{IdentifierError, IdentifierRule, PAYMENT_IDENTIFIER, PaymentIdentifier};
pub use payment_payload::PaymentPayload;
pub use payment_required::{PaymentRequired, PaymentRequirements, ResourceInfo};
pub use settle_response::SettleResponse;
pub use verify_response::VerifyResponse;
