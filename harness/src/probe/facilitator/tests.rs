//! Each check is seen to pass at an honest facilitator and to fail at one that breaks its rule.

use super::*;
use crate::probe::{check::Outcome, target::Reach};
use doubles::{Chain, FacilitatorRequest, Repeat, honest};
use journal::Journal;
use serde_json::json;
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use system::clock::{Clock, SystemClock};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

/// A fault of a facilitator: the request, how many came before, the status and the answer.
type Spoil = fn(&Request, u64, &mut u16, &mut Value);

struct Facilitator {
    chain: Chain,
    asked: AtomicU64,
    spoil: Spoil,
}

impl Respond for Facilitator {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let now = SystemClock::new().unix_now();
        let read = FacilitatorRequest::parse(&request.body);
        let (mut status, mut said) = match request.url.path() {
            "/supported" => (200, honest::supported("honest", None)),
            "/verify" => (200, json!(honest::verify("honest", &read, &self.chain, now, Repeat::NonceUsed))),
            "/settle" => (200, json!(honest::settle("honest", &read, &self.chain, now, Repeat::Yes))),
            _ => (404, json!({})),
        };
        (self.spoil)(request, self.asked.fetch_add(1, Ordering::Relaxed), &mut status, &mut said);
        ResponseTemplate::new(status).set_body_json(said)
    }
}

async fn checks(spoil: Spoil, settling: Settling) -> Vec<Check> {
    let server = MockServer::builder().disable_request_recording().start().await;
    let facilitator = Facilitator {
        chain: Chain::new(Journal::channel(Arc::new(SystemClock::start())).0),
        asked: AtomicU64::new(0),
        spoil,
    };
    Mock::given(any()).respond_with(facilitator).mount(&server).await;
    let target = Target::parse(&server.uri(), Reach::Loopback).unwrap();
    check(&BoundedHttp::new().unwrap(), &target, &HeaderMap::new(), settling).await.unwrap()
}

fn is(request: &Request, path: &str) -> bool {
    request.url.path() == path
}

#[tokio::test]
async fn an_honest_facilitator_passes_every_check() {
    let checks = checks(|_, _, _, _| {}, Settling::Allowed).await;
    assert_eq!(checks.len(), 14);
    for check in checks {
        assert_eq!(check.outcome, Outcome::Pass, "{check:?}");
    }
}

#[tokio::test]
async fn nothing_is_settled_unless_asked_for() {
    let settles: Spoil = |request, _, status, _| assert!(!is(request, "/settle") || *status == 0, "it was asked");
    let checks = checks(settles, Settling::Never).await;
    let applies: Vec<&str> =
        checks.iter().filter(|check| check.outcome == Outcome::DoesNotApply).map(|check| check.id.as_str()).collect();
    assert_eq!(applies, ["SETTLE-1", "SETTLE-2", "SETTLE-3", "SETTLE-4"]);
}

#[tokio::test]
async fn each_check_fails_at_a_facilitator_that_breaks_its_rule() {
    let cases: &[(&str, Spoil)] = &[
        ("SUPPORT-1", |request, _, _, said| {
            if is(request, "/supported") {
                said["kinds"] = json!([])
            }
        }),
        ("SUPPORT-2", |request, _, _, said| {
            if is(request, "/supported") {
                said["kinds"][0]["network"] = json!("base");
            }
        }),
        ("SUPPORT-3", |request, _, _, said| {
            if is(request, "/supported") {
                said["signers"] = Value::Null
            }
        }),
        ("VERIFY-1", |request, _, _, said| {
            if is(request, "/verify") {
                *said = json!({})
            }
        }),
        ("VERIFY-2", |request, _, _, said| {
            if is(request, "/verify") {
                said["isValid"] = json!(true)
            }
        }),
        ("VERIFY-3", |request, _, status, said| {
            if is(request, "/verify") && said["isValid"] == false {
                (*status, *said) = (500, json!({}));
            }
        }),
        ("VERIFY-4", |request, _, _, said| {
            if is(request, "/verify") {
                said["invalidReason"] = Value::Null
            }
        }),
        ("VERIFY-5", |request, _, status, said| {
            if request.body.len() < 100 && is(request, "/verify") {
                (*status, *said) = (500, json!({}));
            }
        }),
        ("VERIFY-6", |request, before, _, said| {
            if is(request, "/verify") && before > 10 {
                *said = json!({"isValid": false, "invalidReason": "seen"});
            }
        }),
        ("VERIFY-7", |request, _, _, said| {
            if is(request, "/verify") && String::from_utf8_lossy(&request.body).contains("\"eip155:1\"") {
                said["isValid"] = json!(true);
            }
        }),
        ("SETTLE-1", |request, _, _, said| {
            if is(request, "/settle") {
                said["transaction"] = json!("")
            }
        }),
        ("SETTLE-2", |request, before, _, said| {
            if is(request, "/settle") {
                said["transaction"] = json!(format!("0x{before}"));
            }
        }),
        ("SETTLE-3", |request, _, _, said| {
            if is(request, "/settle") {
                said["success"] = json!(true)
            }
        }),
        ("SETTLE-4", |request, _, _, said| {
            if is(request, "/verify") {
                said["isValid"] = json!(true)
            }
        }),
    ];
    let mut seen = BTreeSet::new();
    for (id, spoil) in cases {
        let found = checks(*spoil, Settling::Allowed).await;
        let check = found.iter().find(|check| check.id == *id).expect("it is one of the checks");
        assert_eq!(check.outcome, Outcome::Fail, "{check:?}");
        seen.insert((*id).to_owned());
    }
    let all: BTreeSet<String> =
        checks(|_, _, _, _| {}, Settling::Allowed).await.into_iter().map(|check| check.id).collect();
    assert_eq!(seen, all);
}

/// A wallet without money is refused for that, and so may be everything that it signs: that proves nothing.
#[tokio::test]
async fn a_facilitator_that_refuses_all_alike_is_not_found_sound() {
    let poor: Spoil = |request, _, _, said| {
        if is(request, "/verify") {
            *said = json!({"isValid": false, "invalidReason": "insufficient_funds"});
        }
    };
    let checks = checks(poor, Settling::Never).await;
    let outcome = |id: &str| checks.iter().find(|check| check.id == id).unwrap().outcome;
    assert_eq!((outcome("VERIFY-1"), outcome("VERIFY-2")), (Outcome::Pass, Outcome::NotJudged));
}

fn outcomes(checks: &[Check]) -> Vec<(&str, Outcome)> {
    checks.iter().map(|check| (check.id.as_str(), check.outcome)).collect()
}

/// These facilitators have not been asked anything, whatever they answer.
#[tokio::test]
async fn a_facilitator_that_lets_nobody_in_is_not_judged_in_anything() {
    let closed: &[Spoil] = &[
        |_, _, status, said| (*status, *said) = (401, json!({"error": "unauthorized"})),
        |_, _, status, said| (*status, *said) = (403, json!({"message": "no key"})),
        |_, _, status, said| (*status, *said) = (404, json!({})),
        |_, _, status, said| (*status, *said) = (405, json!({})),
        |_, _, status, said| (*status, *said) = (301, json!({})),
    ];
    for (n, spoil) in closed.iter().enumerate() {
        for (id, outcome) in outcomes(&checks(*spoil, Settling::Allowed).await) {
            assert_eq!(outcome, Outcome::NotJudged, "case {n}, {id}");
        }
    }
}

#[tokio::test]
async fn one_that_tells_all_what_it_supports_and_lets_nobody_in_is_judged_in_that_alone() {
    let keyed: Spoil = |request, _, status, said| {
        if !is(request, "/supported") {
            (*status, *said) = (401, json!({"error": "unauthorized"}));
        }
    };
    let found = checks(keyed, Settling::Allowed).await;
    for (id, outcome) in outcomes(&found) {
        let right = if id.starts_with("SUPPORT") { Outcome::Pass } else { Outcome::NotJudged };
        assert_eq!(outcome, right, "{id}");
    }
    let verify = found.iter().find(|check| check.id == "VERIFY-1").unwrap();
    assert_eq!(verify.detail, "401: it needs credentials (give --facilitator-header)");
}

#[tokio::test]
async fn one_that_wants_a_key_is_judged_with_it() {
    let keyed: Spoil = |request, _, status, said| {
        if request.headers.get("x-api-key").is_none_or(|key| key != "open sesame") {
            (*status, *said) = (401, json!({}));
        }
    };
    let server = MockServer::builder().disable_request_recording().start().await;
    let facilitator = Facilitator {
        chain: Chain::new(Journal::channel(Arc::new(SystemClock::start())).0),
        asked: AtomicU64::new(0),
        spoil: keyed,
    };
    Mock::given(any()).respond_with(facilitator).mount(&server).await;
    let target = Target::parse(&server.uri(), Reach::Loopback).unwrap();
    let key =
        crate::http::request_form::header_map(&[crate::http::request_form::header("X-Api-Key: open sesame").unwrap()]);
    let found = check(&BoundedHttp::new().unwrap(), &target, &key, Settling::Allowed).await.unwrap();
    assert!(found.iter().all(|check| check.outcome == Outcome::Pass), "{found:?}");
}

/// A 4xx to what is broken is a refusal; to what is sound it is no answer, and then it tells nothing of what is broken.
#[tokio::test]
async fn one_that_answers_400_to_everything_passes_nothing_that_it_did_not_read() {
    let dumb: Spoil = |request, _, status, said| {
        if !is(request, "/supported") {
            (*status, *said) = (400, json!({}));
        }
    };
    let found = checks(dumb, Settling::Allowed).await;
    let outcome = |id: &str| found.iter().find(|check| check.id == id).unwrap().outcome;
    assert_eq!(outcome("VERIFY-1"), Outcome::Fail);
    for id in ["VERIFY-2", "VERIFY-6", "SETTLE-1", "SETTLE-2", "SETTLE-4"] {
        assert_eq!(outcome(id), Outcome::NotJudged, "{id}");
    }
}

#[tokio::test]
async fn a_settlement_of_which_nothing_was_heard_is_not_called_refused() {
    let ill: Spoil = |request, _, status, said| {
        if is(request, "/settle") {
            (*status, *said) = (502, json!({}));
        }
    };
    let found = checks(ill, Settling::Allowed).await;
    let outcome = |id: &str| found.iter().find(|check| check.id == id).unwrap().outcome;
    assert_eq!((outcome("SETTLE-3"), outcome("SETTLE-1")), (Outcome::NotJudged, Outcome::Fail));
    assert_eq!((outcome("SETTLE-2"), outcome("SETTLE-4")), (Outcome::NotJudged, Outcome::NotJudged));
}
