//! What a facilitator says of a payment once it is judged: a yes, or a no with its reason.

use super::{reason, request::Asked};
use x402_protocol::{Address, Transfer, TransferMethod, Version, v2::SettleResponse};

/// A refusal, with the payer where one could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub reason: &'static str,
    pub payer: Option<Address>,
}

/// Version 1 has no amount in its answer.
#[must_use]
pub fn succeeded(asked: &Asked, transaction: &str) -> SettleResponse {
    SettleResponse {
        success: true,
        error_reason: None,
        payer: Some(asked.transfer.from().to_string()),
        transaction: transaction.to_owned(),
        network: asked.offer.network.name_in(asked.version).to_owned(),
        amount: (asked.version == Version::V2).then(|| asked.transfer.amount().to_string()),
    }
}

/// The chain's word on a transfer whose nonce is spent.
#[must_use]
pub fn nonce_used(transfer: &Transfer) -> &'static str {
    match transfer.method() {
        TransferMethod::Eip3009 => reason::NONCE_ALREADY_USED,
        TransferMethod::Permit2 => reason::PERMIT2_NONCE,
    }
}
