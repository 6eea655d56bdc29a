//! A record outlives the dispatcher that stored it: it says who may have been charged. So `testdata/records` keeps one of each
//! kind as it was once stored, and nothing of it is ever changed; a dispatcher that stores them otherwise adds its own.

use super::{
    Authorized, Claim, Delivery, Record, State, machine,
    record::{Lost, Unsent},
};
use crate::{
    Reason, UnixMillis,
    binding::Binding,
    facilitator::verdict::Settlement,
    origin::{Fingerprint, Origin},
    response::ResponseHead,
    window::Window,
};
use serde_json::Value;
use std::{fs, path::PathBuf};
use x402_protocol::{Address, Network, Nonce, PaymentFlow, TransferMethod, Uint256, Version};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/records")
}

fn stored(name: &str) -> String {
    let path = folder().join(format!("{name}.json"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn lost_once(at: UnixMillis) -> Lost {
    let first_asked_at = Default::default();
    let ask_again_at = UnixMillis(at.0 + 4_000);
    Lost { asked: 2, asked_at: at, first_asked_at, ask_again_at, transaction: None }
}

/// With everything in it that a record may have.
fn record(state: State) -> Record {
    let head = (!matches!(state, State::Claimed | State::Verified { .. }))
        .then(|| ResponseHead { status: 200, headers: vec![("content-type".to_owned(), "text/csv".to_owned())] });
    let claim = Claim {
        payment: "eip155:84532:0xa:0xf:0x1".to_owned(),
        tenant_id: "acme".to_owned(),
        binding: Binding::of("acme", "GET", "/quote", Some("of=eth")),
        binding_to_place: Some(Binding::of("slug/acme", "GET", "/quote", Some("of=eth"))),
        version: Version::V2,
        flow: PaymentFlow::Authorization,
        request: serde_json::value::RawValue::from_string(r#"{"x402Version": 2}"#.to_owned()).unwrap(),
        payer: Address([1; 20]),
        network: Network::BaseSepolia,
        amount: Uint256::from(10_000),
        facilitators: vec!["primary".to_owned(), "standby".to_owned()],
        window: Window { method: TransferMethod::Eip3009, valid_after: 1_799_999_000, valid_before: 1_800_000_300 },
        signature: format!("0x{}1b", "cd".repeat(64)),
        proven: false,
        origin: None,
        content: None,
        proof_of_payer: None,
        authorized: Some(Authorized { token: Address([3; 20]), to: Address([2; 20]), nonce: Nonce([4; 32]) }),
        identifier: Some("order-of-monday-0001".parse().unwrap()),
        ignored_identifier: None,
        trace: None,
        request_id: None,
    };
    Record { claim: claim.into(), holder: "request-1".to_owned(), state, head, unsent: None }
}

/// A record as it is since it knows who presented the payment, and with what.
fn with_origin((name, record): (&'static str, Record)) -> (&'static str, Record) {
    let caller = Some(Fingerprint::of(["203.0.113.7"]));
    let origin = Some(Origin { caller, network: None, credentials: Fingerprint::of(["authorization", "Bearer x"]) });
    let claim = Claim { proven: true, origin, content: Some(Fingerprint::default()), ..record.claim.into_own() };
    (name, Record { claim: claim.into(), ..record })
}

fn every_kind() -> Vec<(&'static str, Record)> {
    let (facilitator, tried) = ("standby".to_owned(), vec!["primary".to_owned()]);
    let transaction = format!("0x{}", "ab".repeat(32));
    let at = UnixMillis(1_800_000_000_000);
    let lost = lost_once(at);
    let settled = |delivery| State::Settled {
        settlement: Settlement {
            transaction: transaction.clone(),
            payer: Address([1; 20]),
            network: Network::BaseSepolia,
            facilitator: "standby".to_owned(),
        },
        delivery,
        keep_until: UnixMillis(at.0 + 604_800_000),
    };
    let holder = || "request-1".to_owned();
    let states = [
        ("claimed", State::Claimed),
        ("verified", State::Verified { until: at, facilitator: facilitator.clone() }),
        ("settling", State::Settling { facilitator: facilitator.clone(), tried: tried.clone(), lost: None }),
        (
            "settling-again",
            State::Settling {
                facilitator: facilitator.clone(),
                tried: tried.clone(),
                lost: Some(Lost { transaction: Some(transaction.clone()), ..lost.clone() }),
            },
        ),
        ("unknown", State::Unknown { facilitator, tried, lost }),
        ("settled-owed", settled(Delivery::Owed)),
        ("settled-running", settled(Delivery::Running { holder: holder(), until: at })),
        ("settled-kept", settled(Delivery::Kept)),
        ("settled-leaving", settled(Delivery::Leaving { holder: holder(), until: at })),
        ("settled-handed-over", settled(Delivery::HandedOver)),
        ("refused", State::Refused { reason: Reason::ours("insufficient_funds"), keep_until: at }),
    ];
    let mut kinds: Vec<_> = states.map(|(name, state)| (name, record(state))).into();
    let since: Vec<_> = [
        ("claimed-naming", State::Naming { facilitator: "primary".to_owned() }),
        (
            "unknown-since",
            State::Unknown {
                facilitator: "primary".to_owned(),
                tried: Vec::new(),
                lost: Lost { first_asked_at: at, ..lost_once(at) },
            },
        ),
        ("settled-delivered", settled(Delivery::Delivered { again_until: at })),
        ("spent_elsewhere", State::SpentElsewhere { transaction: transaction.clone(), keep_until: at }),
        ("returned", State::Returned { keep_until: at }),
    ]
    .map(|(name, state)| with_origin((name, record(state))))
    .map(|(name, record)| {
        let unsent = Unsent { facilitator: "primary".to_owned(), since: at, is_doubted: false };
        let unsent = matches!(record.state, State::Returned { .. }).then_some(unsent);
        (name, Record { unsent, ..record })
    })
    .into();
    kinds.extend(since);
    let mut proven = record(State::Claimed);
    proven.claim = Claim { proven: true, ..proven.claim.into_own() }.into();
    kinds.push(("claimed-proven", proven));
    kinds
}

/// The fields that earlier dispatchers stored, and that no payment needs any more.
const NOT_KEPT: [&str; 1] = ["terms"];

/// The first thing of the one that the other has not, by its path.
fn lost(before: &Value, after: &Value, path: &str) -> Option<String> {
    match before {
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| !NOT_KEPT.contains(&name.as_str()))
            .find_map(|(name, before)| lost(before, &after[name], &format!("{path}.{name}"))),
        before => (before != after).then(|| path.to_owned()),
    }
}

#[test]
fn whatever_was_ever_stored_can_be_read_and_nothing_of_it_gets_lost() {
    let mut names = Vec::new();
    for file in fs::read_dir(folder()).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = stored(&name);
        let record: Record = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(name.starts_with(record.state.name()), "{name}");
        let before: Value = serde_json::from_str(&text).unwrap();
        let after: Value = serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
        assert_eq!(lost(&before, &after, ""), None, "{name}");
        names.push(name);
    }
    assert!(names.len() >= every_kind().len(), "{names:?}");
}

/// If this fails because a record has more in it, or is written in another way: leave these files, add the new ones
/// under names of their own, and see that the old ones are still read.
#[test]
fn what_is_stored_today_is_on_file() {
    for (name, record) in every_kind() {
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(&serde_json::to_string(&record).unwrap()), read(&stored(name)), "{name}");
    }
}

#[test]
fn a_settlement_is_open_from_when_its_loss_was_found_and_not_from_a_call_before() {
    let found = UnixMillis(1_000_000);
    let unknown = |asked_at, first_asked_at| {
        let lost = Lost { first_asked_at, ..lost_once(asked_at) };
        State::Unknown { facilitator: "primary".to_owned(), tried: Vec::new(), lost }.open_since()
    };
    let before = UnixMillis(found.0 - machine::CALL_LIMIT_MS);
    assert_eq!(unknown(found, before), Some(found));
    assert_eq!(unknown(found.plus(600_000), before), Some(found), "asked again, it is open for as long");
    assert_eq!(unknown(found, UnixMillis(0)), None, "it was stored before that was");
}
