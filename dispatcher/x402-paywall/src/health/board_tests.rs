//! What payments do by a board, with time passed by hand.

use super::*;
use crate::{binding::Binding, facilitator::Supported, window::Window};
use std::collections::BTreeMap;
use x402_protocol::{Address, Network, TransferMethod, Uint256, Version};

fn board() -> Board {
    let json = r#"[{"id":"primary","url":"https://p","verifyTimeoutMs":2000,"settleTimeoutMs":2000},
        {"id":"standby","url":"https://s","verifyTimeoutMs":2000,"settleTimeoutMs":2000}]"#;
    Board::new(&Facilitators::from_json(json, &BTreeMap::new()).unwrap(), 7)
}

fn claim(facilitators: &[&str]) -> Claim {
    Claim {
        payment: "eip155:84532:0xa:0xf:0x1".to_owned(),
        tenant_id: "acme".to_owned(),
        binding: Binding::of("acme", "GET", "/", None),
        binding_to_place: Some(Binding::of("acme.example", "GET", "/", None)),
        version: Version::V2,
        flow: x402_protocol::PaymentFlow::Authorization,
        request: RawValue::from_string("{}".to_owned()).unwrap(),
        payer: Address([1; 20]),
        network: Network::BaseSepolia,
        amount: Uint256::from(1),
        facilitators: facilitators.iter().map(|id| (*id).to_owned()).collect(),
        window: Window { method: TransferMethod::Eip3009, valid_after: 0, valid_before: 2_000_000_000 },
        signature: "0x01".to_owned(),
        proven: false,
        origin: None,
        content: None,
        authorized: None,
        identifier: None,
        ignored_identifier: None,
    }
}

fn both() -> Claim {
    claim(&["primary", "standby"])
}

fn fail(board: &Board, id: &str, call: Call, at: u64) {
    for n in 0..3 {
        let begun = board.begin(id, call, UnixMillis(at + n));
        board.ended(begun, Some(Outcome::Failed("timeout".to_owned())), UnixMillis(at + n));
    }
}

fn answer(board: &Board, id: &str, call: Call, at: u64) {
    let begun = board.begin(id, call, UnixMillis(at));
    board.ended(begun, Some(Outcome::Answered), UnixMillis(at));
}

/// Exchanges with a monitor that has nothing to add.
fn told(board: &Board, at: u64) {
    let inner = board.inner.borrow();
    let facilitators = inner.desks.iter().map(|desk| (desk.id.clone(), desk.known.clone())).collect();
    drop(inner);
    board.merge(Snapshot { facilitators }, UnixMillis(at));
}

fn asked(board: &Board, claim: &Claim, at: u64) -> Vec<String> {
    board.order(claim, UnixMillis(at)).ask
}

#[test]
fn a_quarantined_facilitator_is_left_out_with_its_reason() {
    for call in [Call::Verify, Call::Settle] {
        let board = board();
        assert_eq!(asked(&board, &both(), 1_000), ["primary", "standby"]);
        fail(&board, "primary", call, 1_000);
        let order = board.order(&both(), UnixMillis(1_010));
        assert_eq!(order.ask, ["standby"], "{call:?}");
        assert_eq!(order.left_out, [("primary".to_owned(), "quarantined")]);
    }
}

#[test]
fn when_all_are_quarantined_nobody_is_asked_and_a_stale_view_lets_one_payment_try() {
    let board = board();
    told(&board, 1_000);
    fail(&board, "primary", Call::Verify, 1_000);
    fail(&board, "standby", Call::Verify, 1_000);
    assert_eq!(asked(&board, &both(), 5_000), [""; 0]);
    assert_eq!(asked(&board, &both(), 11_001), ["primary"]);
    let begun = board.begin("primary", Call::Verify, UnixMillis(11_001));
    assert_eq!(asked(&board, &both(), 11_002), ["standby"], "one at each");
    board.ended(begun, Some(Outcome::Answered), UnixMillis(11_010));
    assert_eq!(asked(&board, &both(), 11_011), ["primary"], "the only hope is taken back at once");
}

#[test]
fn what_is_not_listed_is_not_asked_and_what_is_unknown_is() {
    let board = board();
    let kinds = r#"{"kinds":[{"x402Version":2,"scheme":"exact","network":"eip155:1"}]}"#;
    let known = Known { supported: Supported::parse(kinds.as_bytes(), UnixMillis(1)), ..Known::default() };
    board.merge(Snapshot { facilitators: BTreeMap::from([("primary".to_owned(), known)]) }, UnixMillis(1));
    let order = board.order(&both(), UnixMillis(2));
    assert_eq!(order.ask, ["standby"]);
    assert_eq!(order.left_out, [("primary".to_owned(), "cannot_serve")]);
    assert_eq!(board.settle_order(&both(), "primary", UnixMillis(2)), ["standby"]);
}

#[test]
fn a_slow_facilitator_is_asked_after_a_healthy_one_and_still_where_it_is_the_only_one() {
    let board = board();
    let begun = board.begin("primary", Call::Verify, UnixMillis(1_000));
    board.ended(begun, Some(Outcome::Answered), UnixMillis(2_900));
    assert_eq!(asked(&board, &both(), 3_000), ["standby", "primary"]);
    assert_eq!(asked(&board, &claim(&["primary"]), 3_000), ["primary"]);
}

#[test]
fn a_first_settle_passes_over_who_was_quarantined_meanwhile() {
    let board = board();
    told(&board, 1_000);
    assert_eq!(board.settle_order(&both(), "standby", UnixMillis(1_000)), ["standby", "primary"]);
    fail(&board, "standby", Call::Settle, 1_000);
    assert_eq!(board.settle_order(&both(), "standby", UnixMillis(1_010)), ["primary"]);
    assert_eq!(board.settle_order(&claim(&["standby"]), "standby", UnixMillis(1_010)), [""; 0]);
}

#[test]
fn lost_settlements_probe_one_at_a_time_and_the_rest_wait_for_the_next_turn() {
    let board = board();
    fail(&board, "primary", Call::Settle, 1_000);
    let (early, late) = (UnixMillis(1_100), UnixMillis(1_700));
    assert!(board.may_ask_again_at("primary", early) > early);
    assert_eq!(board.may_ask_again_at("primary", late), late);
    let begun = board.begin("primary", Call::Settle, late);
    assert!(
        board.may_ask_again_at("primary", late) >= UnixMillis(4_200),
        "one that hangs is waited for, and not for ever"
    );
    assert_eq!(board.may_ask_again_at("primary", UnixMillis(4_200)), UnixMillis(4_200));
    board.ended(begun, Some(Outcome::Answered), UnixMillis(1_750));
    assert_eq!(board.may_ask_again_at("primary", UnixMillis(1_760)), UnixMillis(1_760), "healthy again");
}

#[test]
fn an_unclaimed_turn_goes_to_one_first_settle() {
    let board = board();
    told(&board, 1_000);
    fail(&board, "primary", Call::Settle, 1_000);
    assert_eq!(board.settle_order(&both(), "standby", UnixMillis(1_700)), ["standby"], "lost ones go first");
    assert_eq!(board.settle_order(&both(), "standby", UnixMillis(3_000)), ["primary", "standby"]);
    let begun = board.begin("primary", Call::Settle, UnixMillis(3_000));
    assert_eq!(board.settle_order(&both(), "standby", UnixMillis(3_001)), ["standby"]);
    assert_eq!(board.settle_order(&both(), "standby", UnixMillis(5_499)), ["standby"], "its answer is awaited");
    board.ended(begun, Some(Outcome::Answered), UnixMillis(3_050));

    let alone = claim(&["primary"]);
    fail(&board, "primary", Call::Settle, 4_000);
    assert_eq!(asked(&board, &alone, 4_100), [""; 0]);
    assert_eq!(asked(&board, &alone, 8_000), ["primary"]);
    assert_eq!(asked(&board, &alone, 8_001), [""; 0], "one claim a back-off");
    assert_eq!(board.settle_order(&alone, "primary", UnixMillis(8_100)), ["primary"]);
}

#[test]
fn an_exchange_is_due_at_once_then_seldom_while_calm_and_each_second_while_something_is_wrong() {
    let board = board();
    assert!(board.due(UnixMillis(1)).is_some());
    assert!(board.due(UnixMillis(2)).is_none(), "one at a time");
    told(&board, 50);
    assert!(board.due(UnixMillis(1_100)).is_some(), "a new board has much to learn");
    for at in [60, 80, 100] {
        told(&board, at);
    }
    answer(&board, "primary", Call::Verify, 200);
    assert!(board.due(UnixMillis(5_000)).is_none());
    fail(&board, "standby", Call::Settle, 5_000);
    let news = board.due(UnixMillis(5_003)).unwrap();
    assert_eq!(news.observations.len(), 4);
    assert!(news.specimens.is_empty(), "only /verify is probed");
    board.failed(UnixMillis(5_100));
    assert!(board.due(UnixMillis(5_200)).is_none());
    assert_eq!(board.due(UnixMillis(6_100)).unwrap().observations.len(), 4, "nothing was lost");
    told(&board, 6_200);
    answer(&board, "standby", Call::Settle, 7_000);
    assert_eq!(asked(&board, &both(), 7_001), ["primary", "standby"]);
    assert!(board.due(UnixMillis(7_300)).is_some(), "that it is back is news for all others");
}

#[test]
fn a_specimen_goes_only_for_a_facilitator_that_its_payment_named() {
    let board = board();
    let _ = board.order(&claim(&["standby"]), UnixMillis(1));
    fail(&board, "primary", Call::Verify, 10);
    fail(&board, "standby", Call::Verify, 10);
    let news = board.due(UnixMillis(20)).unwrap();
    assert_eq!(news.specimens.keys().collect::<Vec<_>>(), ["standby"]);
}

#[test]
fn what_happens_during_an_exchange_stays_on_top_of_its_answer() {
    let board = board();
    let _ = board.due(UnixMillis(1));
    fail(&board, "primary", Call::Verify, 10);
    board.merge(Snapshot { facilitators: BTreeMap::from([("primary".to_owned(), Known::default())]) }, UnixMillis(20));
    assert_eq!(asked(&board, &both(), 30), ["standby"]);
}
