//! Who is let in by one isolate, request after request.

use super::*;
use crate::{directory::Directory, dispatch_key::DispatchKey, tenant::Available};
use std::rc::Rc;
use x402_protocol::Network;

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
const RATES: Rates = Rates { tenant: 10, payer: 5, address: 100 };

fn tenant(id: &str) -> Rc<Tenant> {
    let json = format!(r#"{{"tenants":[{{"id":"{id}","plan":"pro","slug":"{id}"}}]}}"#);
    let available = Available { network: Network::BaseSepolia, facilitators: [].into() };
    Directory::from_json(&json, &available).unwrap().find(&DispatchKey::slug(id).unwrap()).unwrap()
}

fn visit<'a>(tenant: &'a Tenant, header: &'a str) -> Visit<'a> {
    Visit { source: None, tenant_id: &tenant.id, rates: RATES, brings: Brings::Payment(header), at: NOW }
}

fn is_let_in(gate: &Gate, visit: &Visit<'_>, payer: &str) -> bool {
    gate.enter(visit).and_then(|()| gate.pay(visit, Some(payer))).is_ok()
}

/// New payments, each bought, by payers of their own: how many of so many were let in.
fn buy(gate: &Gate, tenant: &Tenant, count: usize) -> usize {
    let name = |n| format!("other-{n}");
    (0..count).filter(|n| is_let_in(gate, &visit(tenant, &name(*n)), &name(*n))).count()
}

#[test]
fn who_has_paid_comes_back_past_a_rate_that_is_used_up_and_only_at_the_tenant_that_was_paid() {
    let (gate, acme, birch) = (Gate::new(1), tenant("acme"), tenant("birch"));
    assert!(is_let_in(&gate, &visit(&acme, "mine"), "me"));
    gate.paid(&visit(&acme, "mine"), Some("me"), Came::Kept);
    assert_eq!(buy(&gate, &acme, 20), 9);
    assert_eq!(buy(&gate, &birch, 20), 10);
    assert!(is_let_in(&gate, &visit(&acme, "mine"), "me"));
    assert!(!is_let_in(&gate, &visit(&acme, "another"), "me"));
    assert!(!is_let_in(&gate, &visit(&birch, "mine"), "me"));
    let again = (0..100).filter(|_| is_let_in(&gate, &visit(&acme, "mine"), "me")).count();
    assert!((1..20).contains(&again), "its own rate: {again}");
}

#[test]
fn worthless_payments_use_up_neither_their_signers_rate_nor_the_tenants() {
    let (gate, acme) = (Gate::new(1), tenant("acme"));
    for came in [Came::Worthless, Came::Spent] {
        for n in 0..100 {
            let header = format!("{came:?}-{n}");
            assert!(is_let_in(&gate, &visit(&acme, &header), "victim"), "{header}");
            gate.paid(&visit(&acme, &header), Some("victim"), came);
        }
    }
    assert_eq!((0..20).filter(|n| is_let_in(&gate, &visit(&acme, &n.to_string()), "victim")).count(), 5);
    assert_eq!(buy(&gate, &acme, 20), 5);
}
