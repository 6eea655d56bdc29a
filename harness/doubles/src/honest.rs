//! What an honest facilitator answers, as a function of the request, the chain and the time. No sockets, no faults.
//!
//! Judgement comes as a reason code; the HTTP status is 200 for every judged request, as the reference facilitator does.

pub use super::judgement::{Refused, nonce_used, succeeded};

use super::{
    chain::{Chain, Settled, Settlement},
    reason,
    repeat::Repeat,
    request::{Asked, FacilitatorRequest, Read, Unreadable},
    signers::Signers,
};
use serde_json::{Value, json};
use sha3::{Digest, Keccak256};
use x402_protocol::{
    Address, Mismatch, Network, Signature, TransferMethod, Version,
    offer::OfferError,
    v2::{SettleResponse, VerifyResponse},
};

/// A transaction needs this long to be mined: the reference facilitator refuses what expires sooner.
pub const MIN_WINDOW_LEFT_S: u64 = 6;

#[must_use]
pub fn verify(
    facilitator: &str,
    request: &FacilitatorRequest,
    chain: &Chain,
    unix_now: u64,
    repeats: Repeat,
) -> VerifyResponse {
    // One that remembers its yes stands by it.
    let remembers = |asked: &Asked| {
        let own = |settled: &Settled| settled.facilitator == facilitator && settled.transfer == asked.transfer;
        repeats == Repeat::Yes && chain.settled(&asked.key()).is_some_and(|settled| own(&settled))
    };
    let judged = |asked: Asked| {
        if remembers(&asked) { Ok(asked) } else { judge(&asked, chain, unix_now).map(|()| asked) }
    };
    match check(request, chain.signers()).and_then(judged) {
        Ok(asked) => valid(asked.transfer.from()),
        Err(refused) => VerifyResponse {
            is_valid: false,
            invalid_reason: Some(refused.reason.to_owned()),
            payer: refused.payer.map(|payer| payer.to_string()),
        },
    }
}

/// Moves the money if it may. A payment that this facilitator has settled before gets the answer that it gives to repeats.
#[must_use]
pub fn settle(
    facilitator: &str,
    request: &FacilitatorRequest,
    chain: &Chain,
    unix_now: u64,
    repeats: Repeat,
) -> SettleResponse {
    try_settle(facilitator, request, chain, unix_now, repeats).unwrap_or_else(|refused| failed(request, &refused))
}

fn try_settle(
    facilitator: &str,
    request: &FacilitatorRequest,
    chain: &Chain,
    unix_now: u64,
    repeats: Repeat,
) -> Result<SettleResponse, Refused> {
    let asked = check(request, chain.signers())?;
    let own = |settled: &Settled| settled.facilitator == facilitator && settled.transfer == asked.transfer;
    // Before the window is looked at: a settlement does not stop being true when the authorization expires.
    if let Some(earlier) = chain.settled(&asked.key()).filter(own) {
        return repeats.answer(&asked, &earlier.transaction);
    }
    judge(&asked, chain, unix_now)?;
    let refused = |reason| Refused { reason, payer: Some(asked.transfer.from()) };
    match chain.settle(facilitator, &asked.offer, &asked.transfer) {
        Settlement::Moved { transaction } => Ok(succeeded(&asked, &transaction)),
        // Two calls raced and the other one won.
        Settlement::NonceUsed(earlier) if own(&earlier) => repeats.answer(&asked, &earlier.transaction),
        Settlement::NonceUsed(_) => Err(refused(nonce_used(&asked.transfer))),
        Settlement::InsufficientFunds => Err(refused(reason::INSUFFICIENT_FUNDS)),
        Settlement::NotApproved => Err(refused(reason::PERMIT2_ALLOWANCE_REQUIRED)),
    }
}

#[must_use]
pub fn supported(facilitator: &str, only: Option<&str>) -> Value {
    let kind = |version: Version| {
        Network::ALL.map(
            |network| json!({"x402Version": version.number(), "scheme": "exact", "network": network.name_in(version)}),
        )
    };
    let kinds = match only {
        Some(network) => vec![json!({"x402Version": 2, "scheme": "exact", "network": network})],
        None => [kind(Version::V2), kind(Version::V1)].concat(),
    };
    let hash = Keccak256::digest(facilitator);
    let mut signer = [0; 20];
    signer.copy_from_slice(&hash[12..]);
    json!({
        "kinds": kinds,
        "extensions": [],
        "signers": {"eip155:*": [Address(signer)]},
    })
}

#[must_use]
pub fn valid(payer: Address) -> VerifyResponse {
    VerifyResponse { is_valid: true, invalid_reason: None, payer: Some(payer.to_string()) }
}

#[must_use]
pub fn failed(request: &FacilitatorRequest, refused: &Refused) -> SettleResponse {
    SettleResponse {
        success: false,
        error_reason: Some(refused.reason.to_owned()),
        payer: refused.payer.map(|payer| payer.to_string()),
        transaction: String::new(),
        network: request.network().to_owned(),
        amount: None,
    }
}

/// Everything that needs neither chain nor clock.
fn check(request: &FacilitatorRequest, signers: &Signers) -> Result<Asked, Refused> {
    let nameless = |reason| Refused { reason, payer: None };
    let Read { version, exact, offer, matches } = request.read().map_err(|unreadable| {
        nameless(match unreadable {
            Unreadable::Version => reason::INVALID_X402_VERSION,
            Unreadable::Shape => reason::INVALID_PAYLOAD,
        })
    })?;
    let transfer = &exact.transfer;
    let refused = |reason| Refused { reason, payer: Some(transfer.from()) };
    let offer = offer.as_ref().map_err(|error| {
        refused(match error {
            OfferError::Scheme(_) => reason::UNSUPPORTED_SCHEME,
            OfferError::Network(_) => reason::INVALID_NETWORK,
            OfferError::Extra(_) => reason::MISSING_EIP712_DOMAIN,
            OfferError::Amount(..) | OfferError::Address { .. } | OfferError::Method | OfferError::Flow(_) => {
                reason::INVALID_PAYMENT_REQUIREMENTS
            }
        })
    })?;
    let token = offer.network.usdc();
    let fits = |fits: bool, reason| if fits { Ok(()) } else { Err(refused(reason)) };
    fits(offer.asset == token.address, reason::ASSET_NOT_DEPLOYED)?;
    fits(offer.domain_name == token.domain_name, reason::TOKEN_NAME_MISMATCH)?;
    fits(offer.domain_version == token.domain_version, reason::TOKEN_VERSION_MISMATCH)?;
    matches
        .and_then(|()| offer.is_paid_by(transfer, *version))
        .map_err(|mismatch| refused(mismatched(mismatch, transfer.method())))?;
    match (&exact.signature, transfer.method()) {
        (Signature::Account(bytes), method) => {
            let signer = signers.signer(bytes, &transfer.digest(offer));
            fits(signer == Some(transfer.from()), forged(method))?;
        }
        // No smart account is deployed on the doubles' chain.
        (Signature::SmartAccount(_), TransferMethod::Eip3009) => {
            return Err(refused(reason::UNDEPLOYED_SMART_WALLET));
        }
        (Signature::SmartAccount(_), method) => return Err(refused(forged(method))),
    }
    Ok(Asked { version: *version, offer: offer.clone(), transfer: transfer.clone() })
}

fn mismatched(mismatch: Mismatch, method: TransferMethod) -> &'static str {
    match (mismatch, method) {
        (Mismatch::Scheme, _) => reason::INVALID_SCHEME,
        (Mismatch::Network, _) => reason::NETWORK_MISMATCH,
        (Mismatch::Method, _) => reason::UNSUPPORTED_PAYLOAD_TYPE,
        (Mismatch::Recipient, TransferMethod::Eip3009) => reason::RECIPIENT_MISMATCH,
        (Mismatch::Recipient, TransferMethod::Permit2) => reason::PERMIT2_RECIPIENT_MISMATCH,
        (Mismatch::Value, TransferMethod::Eip3009) => reason::VALUE_MISMATCH,
        (Mismatch::Value, TransferMethod::Permit2) => reason::PERMIT2_AMOUNT_MISMATCH,
        (Mismatch::Token, _) => reason::PERMIT2_TOKEN_MISMATCH,
        (Mismatch::Spender, _) => reason::PERMIT2_SPENDER,
        _ => reason::INVALID_PAYMENT_REQUIREMENTS,
    }
}

fn forged(method: TransferMethod) -> &'static str {
    match method {
        TransferMethod::Eip3009 => reason::INVALID_SIGNATURE,
        TransferMethod::Permit2 => reason::PERMIT2_SIGNATURE,
    }
}

/// Judges what only the chain and the clock know.
fn judge(asked: &Asked, chain: &Chain, unix_now: u64) -> Result<(), Refused> {
    let Asked { offer, transfer, .. } = asked;
    let fits = |fits: bool, reason| {
        if fits { Ok(()) } else { Err(Refused { reason, payer: Some(transfer.from()) }) }
    };
    let (valid_after, valid_before) =
        (transfer.valid_after().saturating_u64(), transfer.valid_before().saturating_u64());
    match transfer.method() {
        TransferMethod::Eip3009 => {
            fits(valid_after < unix_now, reason::VALID_AFTER)?;
            fits(valid_before >= unix_now + MIN_WINDOW_LEFT_S, reason::VALID_BEFORE)?;
        }
        TransferMethod::Permit2 => {
            fits(valid_after <= unix_now, reason::PERMIT2_NOT_YET_VALID)?;
            fits(valid_before >= unix_now + MIN_WINDOW_LEFT_S, reason::PERMIT2_DEADLINE)?;
        }
    }
    fits(chain.settled(&asked.key()).is_none(), nonce_used(transfer))?;
    let amount = transfer.amount().saturating_u64();
    if transfer.method() == TransferMethod::Permit2 {
        fits(chain.allowance(offer.network, transfer.from()) >= amount, reason::PERMIT2_ALLOWANCE_REQUIRED)?;
    }
    fits(chain.balance(offer.network, transfer.from()) >= amount, reason::INSUFFICIENT_FUNDS)
}

#[cfg(test)]
#[path = "honest_tests.rs"]
mod tests;
