//! A payer that has moved to another address proves its key, and collects what its payment bought.
//!
//! What makes a proof good for one use: it is for this very URL, it names this payment, it is at most five minutes old, and
//! it is newer than the last one that the ledger took for this payment.

use crate::message::Inbound;
use x402_paywall::UnixMillis;
use x402_protocol::{
    Address, Network,
    siwx::{self, SignedIn},
};

/// The header that carries a proof, as both generations name it.
pub const SIGN_IN: &str = "sign-in-with-x";
/// How old a proof may be.
const FRESH_MS: u64 = 300_000;
/// How far a wallet's clock may be ahead of ours.
const AHEAD_MS: u64 = 60_000;

/// The payment that a proof is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub payer: Address,
    pub network: Network,
    /// `network:asset:from:nonce`.
    pub payment: &'a str,
    /// The URL that the bill names, without its query.
    pub url: &'a str,
    /// The host that the caller addressed. It is one of a tenant's, or the dispatcher's own.
    pub host: &'a str,
}

/// When the request's proof was made, if it carries a good one.
#[must_use]
pub fn proof_of(request: &impl Inbound, asked: &Asked<'_>, now: UnixMillis) -> Option<UnixMillis> {
    // A proof that does not hold is none: its sender is a stranger, and hears so.
    let signed = SignedIn::from_header(&request.header(SIGN_IN)?).ok()?;
    let issued_at = UnixMillis(signed.issued_at);
    let is_fresh = now.since(issued_at) <= FRESH_MS
        && issued_at.since(now) <= AHEAD_MS
        && signed.expiration.is_none_or(|at| now < UnixMillis(at))
        && signed.not_before.is_none_or(|at| UnixMillis(at) <= now);
    let is_ours = signed.domain == asked.host
        && signed.uri == asked.url
        && signed.chain_id == asked.network.chain_id()
        && signed.resources.iter().any(|resource| *resource == siwx::payment_resource(asked.payment));
    (is_fresh && is_ours && signed.address == asked.payer).then_some(issued_at)
}
