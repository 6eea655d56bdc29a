//! What payments do by a board, with time passed by hand.

use super::*;
use crate::{
    facilitator::Supported,
    health::{
        Known,
        testing::{claim, strangers},
    },
};
use x402_protocol::PaymentFlow;

fn board() -> Board {
    let json = r#"[{"id":"primary","url":"https://p","verifyTimeoutMs":2000,"settleTimeoutMs":2000},
        {"id":"standby","url":"https://s","verifyTimeoutMs":2000,"settleTimeoutMs":2000}]"#;
    Board::new(&Facilitators::from_json(json, &BTreeMap::new()).unwrap(), 7)
}

/// A call that began, of the `n`th of many independent payments.
fn begin_nth(board: &Board, id: &str, call: Call, errand: Errand, n: u32, at: u64) -> Begun {
    board.begin(id, &strangers(&["primary", "standby"], n), call, errand, UnixMillis(at)).unwrap()
}

fn begin(board: &Board, id: &str, call: Call, at: u64) -> Begun {
    begin_nth(board, id, call, Errand::Sale, 0, at)
}

fn timeout() -> Option<Outcome> {
    Some(Outcome::Failed("timeout".to_owned()))
}

fn end(board: &Board, begun: Begun, outcome: Option<Outcome>, at: u64) -> Option<Failed> {
    board.ended(begun, outcome, None, UnixMillis(at))
}

fn both() -> Claim {
    claim(&["primary", "standby"])
}

/// Three independent payments fail there, and are answered elsewhere.
fn fail(board: &Board, id: &str, call: Call, at: u64) {
    for n in 0..3_u32 {
        let at = at + u64::from(n);
        let mut claim = strangers(&["primary", "standby"], 1_000_000 + at as u32);
        claim.proven = false;
        let begun = board.begin(id, &claim, call, Errand::Sale, UnixMillis(at)).unwrap();
        let failed = end(board, begun, timeout(), at);
        if call == Call::Verify {
            board.proved(&claim, "elsewhere", failed.into_iter().collect(), UnixMillis(at));
        }
    }
}

fn answer(board: &Board, id: &str, call: Call, at: u64) {
    let begun = begin(board, id, call, at);
    end(board, begun, Some(Outcome::Answered), at);
}

/// Exchanges with a monitor that has nothing to add.
fn told(board: &Board, at: u64) {
    let inner = board.inner.borrow();
    let facilitators = inner.desks.iter().map(|desk| (desk.id.clone(), desk.known.clone())).collect();
    drop(inner);
    board.merge(Snapshot { facilitators, ..Snapshot::default() }, UnixMillis(at));
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
fn while_all_are_quarantined_a_few_payments_are_let_through_and_the_first_answer_ends_it() {
    let board = board();
    told(&board, 1_000);
    fail(&board, "primary", Call::Verify, 1_000);
    fail(&board, "standby", Call::Verify, 1_000);
    let tries = |n, at| asked(&board, &strangers(&["primary", "standby"], n), at).len();
    assert_eq!([1, 2, 3, 4].map(|n| tries(n, 5_000)), [2, 2, 0, 0], "two at each for strangers");
    assert_eq!(tries(5, 5_250), 2, "and more after a while");
    let begun = begin(&board, "standby", Call::Verify, 5_260);
    end(&board, begun, Some(Outcome::Answered), 5_300);
    assert_eq!(asked(&board, &both(), 5_301), ["standby"], "the only hope is taken back at once");
}

#[test]
fn while_all_are_quarantined_a_payer_who_is_known_finds_a_turn_whatever_strangers_do() {
    let board = board();
    told(&board, 1_000);
    let known = strangers(&["primary", "standby"], 77);
    board.settled(&known, UnixMillis(900));
    fail(&board, "primary", Call::Verify, 1_000);
    fail(&board, "standby", Call::Verify, 1_000);
    for at in (2_000..4_000).step_by(10) {
        let _ = asked(&board, &strangers(&["primary", "standby"], at as u32), at);
    }
    assert_eq!(asked(&board, &known, 4_000), ["primary", "standby"]);
}

#[test]
fn what_is_not_listed_is_not_asked_and_what_is_unknown_is() {
    let board = board();
    let kinds = r#"{"kinds":[{"x402Version":2,"scheme":"exact","network":"eip155:1"}]}"#;
    let known = Known { supported: Supported::parse(kinds.as_bytes(), UnixMillis(1)), ..Known::default() };
    board.merge(
        Snapshot { facilitators: BTreeMap::from([("primary".to_owned(), known)]), ..Snapshot::default() },
        UnixMillis(1),
    );
    let order = board.order(&both(), UnixMillis(2));
    assert_eq!(order.ask, ["standby"]);
    assert_eq!(order.left_out, [("primary".to_owned(), "cannot_serve")]);
    assert_eq!(board.settle_order(&both(), "primary", UnixMillis(2)), ["standby"]);
}

#[test]
fn a_slow_facilitator_is_asked_after_a_healthy_one_and_still_where_it_is_the_only_one() {
    let board = board();
    let begun = begin(&board, "primary", Call::Verify, 1_000);
    end(&board, begun, Some(Outcome::Answered), 2_900);
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
fn an_unclaimed_turn_goes_to_one_first_settle() {
    let board = board();
    told(&board, 1_000);
    fail(&board, "primary", Call::Settle, 1_000);
    assert!(board.may_ask_again_at("primary", UnixMillis(1_100)) > UnixMillis(1_100), "a debt waits");
    assert_eq!(board.settle_order(&both(), "standby", UnixMillis(1_700)), ["standby"], "lost ones go first");
    assert_eq!(board.settle_order(&both(), "standby", UnixMillis(3_000)), ["primary", "standby"]);
    let begun = begin(&board, "primary", Call::Settle, 3_000);
    assert_eq!(board.settle_order(&both(), "standby", UnixMillis(3_001)), ["standby"]);
    assert_eq!(board.settle_order(&both(), "standby", UnixMillis(5_499)), ["standby"], "its answer is awaited");
    end(&board, begun, Some(Outcome::Answered), 3_050);

    let alone = claim(&["primary"]);
    fail(&board, "primary", Call::Settle, 4_000);
    assert_eq!(asked(&board, &alone, 4_100), [""; 0]);
    assert_eq!(asked(&board, &alone, 8_000), ["primary"]);
    assert_eq!(asked(&board, &alone, 8_001), [""; 0], "one claim after the other");
    assert_eq!(board.settle_order(&alone, "primary", UnixMillis(8_100)), ["primary"]);
}

#[test]
fn three_payments_of_a_stranger_cost_a_facilitator_its_turn_and_nobody_a_sale() {
    let board = board();
    told(&board, 1_000);
    for n in 0..100 {
        let mut keyless = strangers(&["primary", "standby"], n);
        keyless.origin = strangers(&[], 7).origin;
        for id in ["primary", "standby"] {
            let begun = board.begin(id, &keyless, Call::Verify, Errand::Sale, UnixMillis(1_000)).unwrap();
            end(&board, begun, timeout(), 1_001);
        }
    }
    assert_eq!(asked(&board, &both(), 1_100), ["primary", "standby"]);
}

#[test]
fn who_fails_where_another_answers_has_failed_on_a_sound_payment() {
    let board = board();
    told(&board, 1_000);
    for n in 0..3 {
        let one_caller = Claim { payment: format!("payment {n}"), ..both() };
        let now = UnixMillis(1_000 + n);
        let begun = board.begin("primary", &one_caller, Call::Verify, Errand::Sale, now).unwrap();
        let failed = board.ended(begun, timeout(), None, now);
        board.proved(&one_caller, "standby", failed.into_iter().collect(), now);
    }
    assert_eq!(board.order(&both(), UnixMillis(1_100)).left_out, [("primary".to_owned(), "quarantined")]);
}

#[test]
fn strangers_of_one_network_find_two_places_and_a_known_payer_always_one() {
    let board = board();
    let of_one_network = |n| Claim { origin: strangers(&[], 7).origin, ..strangers(&["primary"], n) };
    let begin = |claim: &Claim| board.begin("primary", claim, Call::Verify, Errand::Sale, UnixMillis(1_000));
    let held: Vec<_> = (0..2).map(|n| begin(&of_one_network(n)).unwrap()).collect();
    assert_eq!(begin(&of_one_network(3)).unwrap_err(), Busy);
    let known = of_one_network(4);
    board.settled(&known, UnixMillis(1_000));
    assert!(begin(&known).is_ok() && begin(&strangers(&["primary"], 5)).is_ok());
    for begun in held {
        end(&board, begun, None, 1_001);
    }
    assert!(begin(&of_one_network(6)).is_ok());
}

#[test]
fn what_others_settled_makes_a_payer_known_here() {
    let (here, there) = (board(), board());
    let payer = strangers(&["primary"], 7);
    there.settled(&payer, UnixMillis(1_000));
    let news = there.due(UnixMillis(1_001)).unwrap();
    let mut regulars = Regulars::default();
    regulars.add(news.regulars[0], UnixMillis(1_001), 8);
    here.merge(Snapshot { regulars, ..Snapshot::default() }, UnixMillis(1_002));
    assert_eq!(here.inner.borrow().grade_of(&payer, Call::Verify, UnixMillis(1_003)), Grade::Regular);
    assert_eq!(here.inner.borrow().grade_of(&both(), Call::Verify, UnixMillis(1_003)), Grade::Stranger);
}

#[test]
fn a_first_settle_is_sound_unless_nobody_verified_it() {
    let board = board();
    let grade = |claim: &Claim| board.inner.borrow().grade_of(claim, Call::Settle, UnixMillis(1));
    let upfront = Claim { flow: PaymentFlow::Upfront, ..both() };
    assert_eq!((grade(&both()), grade(&upfront)), (Grade::Sound, Grade::Stranger));
    board.proved(&upfront, "primary", Vec::new(), UnixMillis(1));
    assert_eq!(grade(&upfront), Grade::Sound);
}

#[test]
fn an_offer_goes_out_unless_it_is_known_that_nobody_can_settle_it() {
    let board = board();
    let ids = both().facilitators;
    let can = |version, at| board.can_serve(&ids, Network::BaseSepolia, version, UnixMillis(at));
    assert_eq!(can(None, 1), Ok(()), "nothing is known yet");
    assert_eq!(board.can_serve(&[], Network::BaseSepolia, None, UnixMillis(1)), Err(CannotServe::Unlisted));

    let kinds = |network| format!(r#"{{"kinds":[{{"x402Version":2,"scheme":"exact","network":"{network}"}}]}}"#);
    let known =
        |network| Known { supported: Supported::parse(kinds(network).as_bytes(), UnixMillis(1)), ..Known::default() };
    let lists = |primary, standby| {
        let facilitators = [("primary".to_owned(), known(primary)), ("standby".to_owned(), known(standby))].into();
        board.merge(Snapshot { facilitators, ..Snapshot::default() }, UnixMillis(1_000));
    };
    lists("eip155:1", "eip155:1");
    assert_eq!(can(None, 1_001), Err(CannotServe::Unlisted));
    lists("eip155:1", "eip155:84532");
    assert_eq!((can(None, 1_001), can(Some(Version::V2), 1_001)), (Ok(()), Ok(())));
    assert_eq!(can(Some(Version::V1), 1_001), Err(CannotServe::Unlisted));

    fail(&board, "standby", Call::Verify, 1_010);
    let offered = (0..10).filter(|_| can(None, 1_100).is_ok()).count();
    assert_eq!((offered, can(None, 1_100)), (3, Err(CannotServe::Quarantined)), "a few callers may find out");
    assert_eq!(can(None, 11_000), Ok(()), "a view that is out of date keeps nobody away");
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
fn a_specimen_is_a_payment_that_was_answered_soundly() {
    let board = board();
    let _ = board.order(&both(), UnixMillis(1));
    fail(&board, "primary", Call::Verify, 10);
    fail(&board, "standby", Call::Verify, 10);
    assert!(board.due(UnixMillis(20)).unwrap().specimens.is_empty(), "nobody has answered this one");
    told(&board, 30);
    board.proved(&claim(&["standby"]), "standby", Vec::new(), UnixMillis(40));
    let news = board.due(UnixMillis(1_100)).unwrap();
    assert_eq!(news.specimens.keys().collect::<Vec<_>>(), ["standby"], "only those that its payment named");
    told(&board, 1_200);
    let smart = Claim { proven: false, ..strangers(&["primary", "standby"], 5) };
    board.proved(&smart, "standby", Vec::new(), UnixMillis(1_300));
    let wanted = |at| board.due(UnixMillis(at)).unwrap().specimens.into_keys().collect::<Vec<_>>();
    assert_eq!(wanted(2_300), ["standby"], "another facilitator may fail on a smart account");
    told(&board, 2_400);
    board.proved(&strangers(&["primary", "standby"], 6), "standby", Vec::new(), UnixMillis(2_500));
    assert_eq!(wanted(3_500), ["primary", "standby"]);
}

#[test]
fn what_happens_during_an_exchange_stays_on_top_of_its_answer() {
    let board = board();
    let _ = board.due(UnixMillis(1));
    fail(&board, "primary", Call::Verify, 10);
    board.merge(
        Snapshot { facilitators: BTreeMap::from([("primary".to_owned(), Known::default())]), ..Snapshot::default() },
        UnixMillis(20),
    );
    assert_eq!(asked(&board, &both(), 30), ["standby"]);
}
