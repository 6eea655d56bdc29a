//! A client without a wallet that reads the chain: as soon as somebody's transfer is in a block, it rebuilds the payment from
//! the calldata and presents it for what that caller bought, in both generations of the protocol, with and without that
//! caller's credentials, and from behind that caller's own address. A transfer that failed stands in a block as well, and its payment is
//! not spent. A facilitator may wait for its receipt for seconds meanwhile, and so may the payer.

use super::{
    Visit,
    about::{AN_ATTACK, About, ClientRole},
};
use crate::{
    caller::Sending,
    payer::{Payment, plain},
    presented::Sale,
};
use grammar::Listed;
use reports::event::{Event, ExchangeKind, FacilitatorAnswer, FacilitatorCall, FacilitatorEndpoint};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use x402_protocol::{Version, header};

/// The kind as the lists, the swarm and every traffic block have it.
pub const ABOUT: About = About {
    role: ClientRole::Attacker,
    ..About::buyer(
        Listed::new(
            "chain-observer",
            "presents a payment that it has read off the chain, in both versions, with and without its payer's credentials",
            "1",
        ),
        AN_ATTACK,
    )
};

/// How long it watches for a transfer.
const WATCHES: Duration = Duration::from_secs(10);
/// It comes at once, while the payer still waits, and again when the payer has its answer, and later.
const COMES_AFTER: [Duration; 3] = [Duration::ZERO, Duration::from_secs(2), Duration::from_secs(6)];

pub async fn act(visit: &Visit<'_>) -> Vec<String> {
    let Some((key, sale)) = tokio::time::timeout(WATCHES, next_sale(visit)).await.ok().flatten() else {
        return Vec::new();
    };
    // The terms are anybody's to ask for.
    let Ok(invoice) = visit.challenge(&sale.ask).await else { return Vec::new() };
    let Some(calldata) = sale.calldata() else { return Vec::new() };
    for pause in COMES_AFTER {
        tokio::time::sleep(pause).await;
        for version in [Version::V2, Version::V1] {
            let payment = Payment {
                key: Some(key.clone()),
                identifier: None,
                version,
                header: plain(header::encode(&rebuilt(version, invoice.raw(), &invoice.offer, &calldata))),
            };
            let sending = || Sending::new(&sale.ask, ExchangeKind::Stolen).with(&payment);
            visit.send(sending()).await;
            if let Some(credentials) = &sale.credentials {
                visit.send(sending().with_credentials_of(credentials)).await;
                // Behind one address there may be a whole office.
                visit.send(sending().from(sale.address)).await;
            }
        }
    }
    Vec::new()
}

/// The next transfer, be it one that failed, whose payment somebody else presented.
async fn next_sale(visit: &Visit<'_>) -> Option<(String, Sale)> {
    let mut events = visit.caller.journal().follow();
    loop {
        let payment = match events.recv().await {
            Ok(Event::TransferMoved(transfer)) => transfer.payment,
            Ok(Event::FacilitatorCalled(call)) if is_refused(&call) => call.payment.unwrap_or_default(),
            Ok(_) | Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return None,
        };
        if let Some(sale) = visit.caller.presented().sale(&payment) {
            return Some((payment, sale));
        }
    }
}

fn is_refused(call: &FacilitatorCall) -> bool {
    call.endpoint == FacilitatorEndpoint::Settle
        && matches!(call.answer, FacilitatorAnswer::Sent { ok: Some(false), .. })
}

fn rebuilt(version: Version, bill: &Value, offer: &x402_protocol::Offer, calldata: &Value) -> Value {
    let accepted = &bill["accepts"][0];
    match version {
        Version::V1 => json!({
            "x402Version": version,
            "scheme": accepted["scheme"],
            "network": offer.network.name_in(version),
            "payload": calldata,
        }),
        Version::V2 => {
            json!({"x402Version": version, "resource": bill["resource"], "accepted": accepted, "payload": calldata})
        }
    }
}
