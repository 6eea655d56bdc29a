//! Answers to `/settle` as the field gives them, each with and without a node that can tell what became of the money.
//!
//! One rule is held throughout: whoever was charged hears 200, or that it is not known yet. Nobody who was charged hears a
//! refusal or gets a bill.

use crate::world::{Facilitator, Node, Said, World};

const QUOTE: &str = "/t/acme/quote";

/// The answer to a caller in the end, after it has come back for a while.
fn heard_in_the_end(world: &World, nonce: u8) -> (u16, String) {
    let payment = world.sign(nonce);
    for _ in 0..8 {
        let told = world.get(QUOTE, Some(&payment));
        let moved = world.moved() > 0;
        assert!(told.status == 200 || !moved || told.status == 503, "{} {} after it moved", told.status, told.code());
        assert!(told.offer().is_none() || !moved, "a bill after it moved");
        if told.status != 503 {
            return (told.status, told.code().to_owned());
        }
        world.pass_seconds(3);
    }
    (503, world.get(QUOTE, Some(&payment)).code().to_owned())
}

fn after(facilitator: Facilitator, node: Option<Node>) -> (u16, String) {
    let world = if node.is_some() { World::with_chain() } else { World::new() };
    world.node(node.unwrap_or_default());
    world.primary(facilitator);
    heard_in_the_end(&world, 1)
}

const AGAIN: Said =
    (200, Some(r#"{"success":false,"errorReason":"invalid_exact_evm_nonce_already_used","transaction":""}"#));

/// Each after the money had moved.
const NO_ANSWERS: [Said; 34] = [
    (200, None),
    (200, Some("")),
    (202, Some("")),
    (204, Some("")),
    (400, Some("")),
    (400, Some(r#"{"errorType":"invalid_request"}"#)),
    (404, Some("not found")),
    (409, Some(r#"{"error":"conflict"}"#)),
    (413, Some("")),
    (422, Some(r#"{"detail":"no"}"#)),
    (429, Some(r#"{"error":"slow down"}"#)),
    (500, Some("oops")),
    (502, Some("<html>Bad gateway</html>")),
    (503, Some(r#"{"success":true,"transaction":"$transaction","network":"eip155:84532"}"#)),
    (200, Some("null")),
    (200, Some("[]")),
    (200, Some("true")),
    (200, Some("{}")),
    (200, Some(r#"{"success":null}"#)),
    (200, Some(r#"{"success":0}"#)),
    (200, Some(r#"{"success":"false"}"#)),
    (200, Some(r#"{"success":true}"#)),
    (200, Some(r#"{"success":true,"transaction":null}"#)),
    (200, Some(r#"{"success":true,"transaction":""}"#)),
    (200, Some(r#"{"success":true,"success":false,"transaction":"$transaction"}"#)),
    (200, Some(r#"{"success":true,"transaction":"$transaction","network":"eip155:8453"}"#)),
    (200, Some(r#"{"success":true,"transaction":"$transaction","amount":"1"}"#)),
    (200, Some(r#"{"success":false}"#)),
    (200, Some(r#"{"success":false,"errorReason":""}"#)),
    (200, Some(r#"{"success":false,"errorReason":["a"]}"#)),
    (200, Some(r#"{"success":false,"errorReason":"settlement_pending","transaction":"$transaction"}"#)),
    (200, Some(r#"{"success":false,"errorReason":"unsupported_scheme","transaction":"$transaction"}"#)),
    (500, Some(r#"{"success":false,"errorReason":"unsupported_scheme","transaction":""}"#)),
    (200, Some(r#"{"success":false,"errorReason":"permit2_allowance_required","transaction":""}"#)),
];

#[test]
fn what_is_no_answer_is_pending_for_as_long_as_nobody_can_tell() {
    for said in NO_ANSWERS {
        let answers: &'static [Said] = Box::leak(Box::new([said, AGAIN]));
        for node in [None, Some(Node::Refuses), Some(Node::Lags)] {
            let heard = after(Facilitator::MovesAndAnswers(answers), node);
            assert_eq!(heard, (503, "settlement_pending".to_owned()), "{said:?} {node:?}");
        }
        assert_eq!(after(Facilitator::MovesAndAnswers(answers), Some(Node::Honest)).0, 200, "{said:?}");
    }
}

/// A facilitator that answers so for good, long after the payment's window is over.
#[test]
fn no_number_of_answers_without_a_word_makes_a_refusal() {
    for said in NO_ANSWERS {
        let world = World::new();
        world.primary(Facilitator::MovesAndAnswers(Box::leak(Box::new([said]))));
        let payment = world.sign(1);
        for _ in 0..12 {
            assert_eq!(world.get(QUOTE, Some(&payment)).code(), "settlement_pending", "{said:?}");
            world.pass_seconds(120);
            world.ring();
        }
    }
}

#[test]
fn refused_credentials_are_looked_up_before_another_is_asked() {
    for status in [401, 403] {
        for body in [
            "denied",
            r#"{"error":"unauthorized"}"#,
            r#"{"success":false,"errorReason":"unauthorized","transaction":""}"#,
        ] {
            let answers: &'static [Said] = Box::leak(Box::new([(status, Some(body)), AGAIN]));
            let heard = after(Facilitator::MovesAndAnswers(answers), Some(Node::Honest));
            assert_eq!(heard.0, 200, "{status} {body}");
            let world = World::with_chain();
            world.primary(Facilitator::KeepsAndAnswers(answers));
            assert_eq!(heard_in_the_end(&world, 1).0, 200, "{status} {body}: the standby settles");
            assert_eq!(world.settled(), [("standby", 1)]);
        }
    }
}

const DENIALS: [Said; 3] = [
    (401, Some("denied")),
    (403, Some(r#"{"error":"forbidden"}"#)),
    (401, Some(r#"{"success":false,"errorReason":"unauthorized","transaction":""}"#)),
];

/// Whoever refuses our credentials may stand in front of what moves the money, and no node tells.
#[test]
fn refused_credentials_after_the_money_moved_are_never_a_bill() {
    const SUCCESS: Said = (200, Some(r#"{"success":true,"transaction":"$transaction","network":"eip155:84532"}"#));
    for denial in DENIALS {
        for then in [SUCCESS, AGAIN, denial] {
            let world = World::new();
            world.primary(Facilitator::MovesAndAnswers(Box::leak(Box::new([denial, then]))));
            world.standby(Facilitator::KeepsAndAnswers(Box::leak(Box::new([denial]))));
            let (status, code) = heard_in_the_end(&world, 1);
            if then == SUCCESS {
                assert_eq!((status, world.settled()), (200, vec![("primary", 1)]), "{denial:?} {code}");
                continue;
            }
            assert_eq!((status, code.as_str()), (503, "settlement_pending"), "{denial:?} {then:?}");
            // Long after its window is over, and with an alarm that rings all the while.
            for _ in 0..12 {
                world.pass_seconds(120);
                world.ring();
                let told = world.get(QUOTE, Some(&world.sign(1)));
                assert_eq!(told.code(), "settlement_pending", "{denial:?} {then:?}");
            }
        }
    }
}

#[test]
fn refused_credentials_that_moved_nothing_block_nothing() {
    for denial in DENIALS {
        let world = World::new();
        let denies: &'static [Said] = Box::leak(Box::new([denial]));
        world.primary(Facilitator::KeepsAndAnswers(denies));
        world.standby(Facilitator::KeepsAndAnswers(denies));
        let payment = world.sign(1);
        assert_eq!(world.get(QUOTE, Some(&payment)).code(), "facilitators_unavailable", "{denial:?}");
        assert!(world.record(&payment)["state"]["returned"].is_object(), "{denial:?}");
        world.primary(Facilitator::Honest);
        world.pass_seconds(60);
        assert_eq!(world.get(QUOTE, Some(&payment)).status, 200, "{denial:?}");
        assert_eq!(world.settled(), [("primary", 1)]);
    }
}

/// A node that knows the nonce as used, and cannot show by what, is no word that nothing was sent.
#[test]
fn a_used_nonce_refutes_that_nobody_looked() {
    for denial in DENIALS {
        let answers: &'static [Said] = Box::leak(Box::new([denial]));
        let heard = after(Facilitator::MovesAndAnswers(answers), Some(Node::HasNoEvents));
        assert_eq!(heard, (503, "settlement_pending".to_owned()), "{denial:?}");
    }
}

/// The first moves the money and says that it did not, where its word counts; the standby finds the nonce used.
#[test]
fn what_an_earlier_facilitator_moved_was_not_spent_elsewhere() {
    for said in [(401, Some("denied")), (200, Some(r#"{"success":false,"errorReason":"unsupported_scheme"}"#))] {
        // The node sees it while the standby is asked, or later.
        for looks in [1, 2] {
            let world = World::with_chain();
            world.primary(Facilitator::MovesAndAnswers(Box::leak(Box::new([said]))));
            world.node(Node::LagsFor(looks));
            assert_eq!(heard_in_the_end(&world, 1).0, 200, "{said:?} {looks}");
        }
    }
}

#[test]
fn a_clock_that_is_set_back_makes_nobody_who_paid_an_unpaid_one() {
    let world = World::new();
    world.pass_seconds(100);
    let payment = world.sign_from(1, 95);
    assert_eq!(world.get(QUOTE, Some(&payment)).status, 200);
    world.set_back_seconds(90);
    assert_eq!(world.get(QUOTE, Some(&payment)).status, 200, "it is collected again");
    let early = world.get(QUOTE, Some(&world.sign_from(2, 95)));
    assert_eq!((early.status, early.code()), (402, "invalid_exact_evm_payload_authorization_valid_after"));
    assert_eq!((world.moved(), world.tenant_runs()), (1, 1));
}

#[test]
fn a_clock_that_is_set_back_leaves_no_settlement_waiting_for_it() {
    let world = World::new();
    world.pass_seconds(200);
    let payment = world.sign(1);
    world.primary(Facilitator::SettlesSilently);
    assert_eq!(world.get(QUOTE, Some(&payment)).code(), "settlement_pending");
    world.primary(Facilitator::Honest);
    world.set_back_seconds(150);
    assert_eq!(world.get(QUOTE, Some(&payment)).status, 200);
}

#[test]
fn a_clock_that_is_set_back_keeps_nobody_in_quarantine() {
    let world = World::new();
    world.pass_seconds(200);
    // What was sold is what they are probed with, and a quiet while is what strangers count after.
    assert_eq!(world.get(QUOTE, Some(&world.sign(1))).status, 200);
    world.tell();
    world.pass_seconds(6);
    world.primary(Facilitator::Dead);
    world.standby(Facilitator::Dead);
    for n in 1..=3 {
        world.get_from(&format!("203.0.113.{n}"), QUOTE, Some(&world.sign_by(n, n)));
    }
    for _ in 0..9 {
        world.tell();
    }
    assert_eq!(world.changes()[2..], ["primary Verify quarantined", "standby Verify quarantined"]);
    world.set_back_seconds(150);
    world.primary(Facilitator::Honest);
    let sells = |n: &u8| {
        world.pass_seconds(1);
        world.get_from(&format!("203.0.113.{n}"), QUOTE, Some(&world.sign_by(*n, *n))).status == 200
    };
    let sold = (50..60).filter(sells).count();
    assert!(sold >= 9, "{sold} of 10");
}
