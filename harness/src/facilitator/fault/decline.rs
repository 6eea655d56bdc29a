//! `decline`: a well-formed no, for the scenario's reason. The money stays.
//!
//! A payment whose money has moved already gets the honest answer: to deny that would be a lie, and `lie` is another fault.

use crate::facilitator::{answers::Ask, reply::Reply, request::FacilitatorRequest};
use reports::event::FacilitatorEndpoint;
use x402_protocol::v2::{SettleResponse, VerifyResponse};

pub fn reply(reason: &str, ask: &Ask<'_>) -> Reply {
    let request = FacilitatorRequest::parse(ask.body).ok();
    let payment = request.as_ref().and_then(FacilitatorRequest::payment);
    let moved = |(offer, paid): &(x402_protocol::Offer, x402_protocol::Authorization)| {
        ask.chain.settled(&offer.payment_key(paid)).is_some()
    };
    if payment.as_ref().is_some_and(moved) {
        return ask.honest();
    }
    let reason = Some(reason.to_owned());
    let payer = payment.map(|(_, paid)| paid.from.to_string());
    if ask.endpoint == FacilitatorEndpoint::Verify {
        return Reply::json(200, &VerifyResponse { is_valid: false, invalid_reason: reason, payer });
    }
    let network = request.map(|request| request.payment_requirements.network).unwrap_or_default();
    let (transaction, amount) = (String::new(), None);
    Reply::json(200, &SettleResponse { success: false, error_reason: reason, payer, transaction, network, amount })
}
