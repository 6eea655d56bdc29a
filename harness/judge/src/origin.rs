//! Who presents a payment, and for what: an address, credentials, and a request. A payment is public once it is on the chain,
//! so this is all that tells the payer from whoever has read it there. The judges' own reading, on purpose not the dispatcher's.

use super::history::{At, History};
use reports::event::{Exchange, ExchangeKind};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
};

/// Each payment's first presentation: where it was begun.
pub struct Beginnings<'a>(BTreeMap<&'a str, At<'a, Exchange>>);

impl<'a> Beginnings<'a> {
    #[must_use]
    pub fn of(history: &'a History) -> Self {
        let mut begun: BTreeMap<&str, At<'_, Exchange>> = BTreeMap::new();
        for exchange in history.exchanges().filter(|exchange| exchange.kind != ExchangeKind::Stolen) {
            let Some(payment) = exchange.what.payment.as_deref() else { continue };
            let first = begun.entry(payment).or_insert(exchange);
            if exchange.sent_us < first.sent_us {
                *first = exchange;
            }
        }
        Self(begun)
    }

    /// `None`: only others presented it.
    #[must_use]
    pub fn get(&self, payment: &str) -> Option<At<'a, Exchange>> {
        self.0.get(payment).copied()
    }
}

/// Whether they come from one caller. Under an identifier a caller may move, and is known by its credentials.
#[must_use]
pub fn is_same_caller(one: &Exchange, other: &Exchange) -> bool {
    let moves = one.identifier.is_some() && one.identifier == other.identifier;
    one.credentials == other.credentials && (moves || network(&one.address) == network(&other.address))
}

/// Whether they ask for the same thing. By host or by slug it is one request.
#[must_use]
pub fn is_same_request(one: &Exchange, other: &Exchange) -> bool {
    request(one) == request(other)
}

fn request(exchange: &Exchange) -> (&str, &str, &str, Option<&str>) {
    let slug = format!("/t/{}", exchange.tenant);
    let seen_by_tenant = exchange.target.strip_prefix(&slug).unwrap_or(&exchange.target);
    (&exchange.tenant, &exchange.method, seen_by_tenant, exchange.body.as_deref())
}

/// The first 64 bits of an address of version 6, of which a subscriber has one.
fn network(address: &str) -> Option<IpAddr> {
    match address.parse().ok()? {
        IpAddr::V6(address) => Some(Ipv6Addr::from(u128::from(address) >> 64 << 64).into()),
        address => Some(address),
    }
}
