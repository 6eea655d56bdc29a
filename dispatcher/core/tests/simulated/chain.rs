//! Settlements that no facilitator can tell of, looked up on the chain.

use crate::world::{Facilitator, World};

const QUOTE: &str = "/t/acme/quote";

#[test]
fn a_settlement_that_its_facilitator_never_tells_of_is_found_on_the_chain() {
    let world = World::with_chain();
    let payment = world.sign(1);
    world.primary(Facilitator::SettlesSilently);
    let collected = world.get(QUOTE, Some(&payment));
    assert_eq!((collected.status, collected.text()), (200, "content of /quote"));
    assert_eq!(collected.payment_response().unwrap().transaction, world.transaction(&payment));
    assert_eq!((world.moved(), world.tenant_runs()), (1, 1));
}

#[test]
fn a_payment_that_never_moved_is_given_up_once_its_window_has_passed_on_the_chain() {
    let world = World::with_chain();
    let payment = world.sign_as("pay_0123456789abcdef", 1);
    world.primary(Facilitator::HangsAtSettle);
    assert_eq!(world.get(QUOTE, Some(&payment)).code(), "settlement_pending");
    world.pass_seconds(100);
    world.ring();
    assert_eq!(world.bound().len(), 1, "it may still be settled");
    world.pass_seconds(300);
    world.ring();
    assert_eq!((world.bound().len(), world.moved()), (0, 0));
}
