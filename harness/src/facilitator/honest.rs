//! What an honest facilitator answers, as a function of the request, the chain and the time. No sockets, no faults.
//!
//! Judgement comes as a reason code; the HTTP status is 200 for every judged request, as the reference facilitator does.

use super::{
    chain::{Chain, Settlement},
    reason,
    request::FacilitatorRequest,
};
use serde_json::{Value, json};
use sha3::{Digest, Keccak256};
use x402_protocol::{
    Address, Authorization, Mismatch, Network, Offer, Signature,
    offer::OfferError,
    signature,
    v2::{PayloadError, PaymentPayload, SettleResponse, VERSION, VerifyResponse},
};

/// A transaction needs this long to be mined: the reference facilitator refuses what expires sooner.
pub const MIN_WINDOW_LEFT_S: u64 = 6;

/// A payment that is good but for what the chain and the clock say.
pub struct Checked {
    pub offer: Offer,
    pub authorization: Authorization,
}

/// A refusal, with the payer where one could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub reason: &'static str,
    pub payer: Option<Address>,
}

#[must_use]
pub fn verify(body: &[u8], chain: &Chain, unix_now: u64) -> VerifyResponse {
    match check(body).and_then(|checked| judge(checked, chain, unix_now)) {
        Ok(checked) => valid(checked.authorization.from),
        Err(refused) => VerifyResponse {
            is_valid: false,
            invalid_reason: Some(refused.reason.to_owned()),
            payer: refused.payer.map(|payer| payer.to_string()),
        },
    }
}

/// Moves the money if it may, and answers a payment that this facilitator has settled before as it did then.
#[must_use]
pub fn settle(facilitator: &str, body: &[u8], chain: &Chain, unix_now: u64) -> SettleResponse {
    try_settle(facilitator, body, chain, unix_now).unwrap_or_else(|refused| failed(body, &refused))
}

fn try_settle(facilitator: &str, body: &[u8], chain: &Chain, unix_now: u64) -> Result<SettleResponse, Refused> {
    let checked = check(body)?;
    let Checked { offer, authorization } = &checked;
    let own =
        |settled: &super::chain::Settled| settled.facilitator == facilitator && settled.authorization == *authorization;
    // Before the window is looked at: a settlement does not stop being true when the authorization expires.
    if let Some(earlier) = chain.settled(&offer.payment_key(authorization)).filter(own) {
        return Ok(succeeded(offer, authorization, &earlier.transaction));
    }
    let Checked { offer, authorization } = judge(checked, chain, unix_now)?;
    let refused = |reason| Refused { reason, payer: Some(authorization.from) };
    match chain.settle(facilitator, &offer, &authorization) {
        Settlement::Moved { transaction } => Ok(succeeded(&offer, &authorization, &transaction)),
        // Two calls raced and the other one won.
        Settlement::NonceUsed(earlier)
            if earlier.facilitator == facilitator && earlier.authorization == authorization =>
        {
            Ok(succeeded(&offer, &authorization, &earlier.transaction))
        }
        Settlement::NonceUsed(_) => Err(refused(reason::NONCE_ALREADY_USED)),
        Settlement::InsufficientFunds => Err(refused(reason::INSUFFICIENT_FUNDS)),
    }
}

#[must_use]
pub fn supported(facilitator: &str) -> Value {
    let kind = |network: Network| json!({"x402Version": VERSION, "scheme": "exact", "network": network.caip2()});
    let hash = Keccak256::digest(facilitator);
    let mut signer = [0; 20];
    signer.copy_from_slice(&hash[12..]);
    json!({
        "kinds": Network::ALL.map(kind),
        "extensions": [],
        "signers": {"eip155:*": [Address(signer)]},
    })
}

#[must_use]
pub fn valid(payer: Address) -> VerifyResponse {
    VerifyResponse { is_valid: true, invalid_reason: None, payer: Some(payer.to_string()) }
}

#[must_use]
pub fn succeeded(offer: &Offer, authorization: &Authorization, transaction: &str) -> SettleResponse {
    SettleResponse {
        success: true,
        error_reason: None,
        payer: Some(authorization.from.to_string()),
        transaction: transaction.to_owned(),
        network: offer.network.to_string(),
        amount: Some(authorization.value.to_string()),
    }
}

#[must_use]
pub fn failed(body: &[u8], refused: &Refused) -> SettleResponse {
    SettleResponse {
        success: false,
        error_reason: Some(refused.reason.to_owned()),
        payer: refused.payer.map(|payer| payer.to_string()),
        transaction: String::new(),
        network: FacilitatorRequest::parse(body).map(|r| r.payment_requirements.network).unwrap_or_default(),
        amount: None,
    }
}

/// Everything that needs neither chain nor clock.
pub fn check(body: &[u8]) -> Result<Checked, Refused> {
    let nameless = |reason| Refused { reason, payer: None };
    let request = FacilitatorRequest::parse(body).map_err(|_| nameless(reason::INVALID_PAYLOAD))?;
    if request.x402_version.as_u64() != Some(VERSION) {
        return Err(nameless(reason::INVALID_X402_VERSION));
    }
    let payment = PaymentPayload::parse(request.payment_payload.get()).map_err(|error| {
        nameless(match error {
            PayloadError::Version(_) | PayloadError::NoVersion => reason::INVALID_X402_VERSION,
            _ => reason::INVALID_PAYLOAD,
        })
    })?;
    let authorization = payment.exact.authorization;
    let refused = |reason| Refused { reason, payer: Some(authorization.from) };
    let offer = Offer::from_requirements(&request.payment_requirements).map_err(|error| {
        refused(match error {
            OfferError::Scheme(_) => reason::UNSUPPORTED_SCHEME,
            OfferError::Network(_) => reason::INVALID_NETWORK,
            OfferError::Extra(_) => reason::MISSING_EIP712_DOMAIN,
            OfferError::Amount(..) | OfferError::Address { .. } => reason::INVALID_PAYMENT_REQUIREMENTS,
        })
    })?;
    let token = offer.network.usdc();
    let fits = |fits: bool, reason| if fits { Ok(()) } else { Err(refused(reason)) };
    fits(offer.asset == token.address, reason::ASSET_NOT_DEPLOYED)?;
    fits(offer.domain_name == token.domain_name, reason::TOKEN_NAME_MISMATCH)?;
    fits(offer.domain_version == token.domain_version, reason::TOKEN_VERSION_MISMATCH)?;
    offer.matches(&payment.accepted).and_then(|()| offer.is_paid_by(&authorization)).map_err(|mismatch| {
        refused(match mismatch {
            Mismatch::Scheme => reason::INVALID_SCHEME,
            Mismatch::Network => reason::NETWORK_MISMATCH,
            Mismatch::Recipient => reason::RECIPIENT_MISMATCH,
            Mismatch::Value => reason::VALUE_MISMATCH,
            _ => reason::INVALID_PAYMENT_REQUIREMENTS,
        })
    })?;
    match Signature::parse(&payment.exact.signature) {
        Ok(Signature::Account(bytes)) => {
            let signer = signature::recover(&bytes, &authorization.digest(&offer));
            fits(signer == Ok(authorization.from), reason::INVALID_SIGNATURE)?;
        }
        // No smart account is deployed on the doubles' chain.
        Ok(Signature::SmartAccount(_)) => return Err(refused(reason::UNDEPLOYED_SMART_WALLET)),
        Err(_) => return Err(refused(reason::INVALID_SIGNATURE)),
    }
    Ok(Checked { offer, authorization })
}

/// What only the chain and the clock know.
fn judge(checked: Checked, chain: &Chain, unix_now: u64) -> Result<Checked, Refused> {
    let Checked { offer, authorization } = &checked;
    let fits = |fits: bool, reason| {
        if fits { Ok(()) } else { Err(Refused { reason, payer: Some(authorization.from) }) }
    };
    fits(authorization.valid_after.saturating_u64() < unix_now, reason::VALID_AFTER)?;
    fits(authorization.valid_before.saturating_u64() >= unix_now + MIN_WINDOW_LEFT_S, reason::VALID_BEFORE)?;
    fits(chain.settled(&offer.payment_key(authorization)).is_none(), reason::NONCE_ALREADY_USED)?;
    let owned = chain.balance(offer.network, authorization.from);
    fits(owned >= authorization.value.saturating_u64(), reason::INSUFFICIENT_FUNDS)?;
    Ok(checked)
}

#[cfg(test)]
#[path = "honest_tests.rs"]
mod tests;
