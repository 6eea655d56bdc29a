//! Each fault as a caller sees it, over real sockets. Time bounds are generous: they tell a hang from an answer, no more.

use super::*;
use crate::{
    clock::SystemClock,
    facilitator::testing::{Payer, drain},
};
use reports::event::{FacilitatorAnswer, FacilitatorCall, FaultRef};
use serde_json::Value;
use std::{error::Error, ops::Range, time::Duration};

const ALWAYS: Range<u64> = 0..u64::MAX;
/// Longer than any healthy call takes, even on a busy machine; shorter than anybody waits for a test.
const PATIENCE: Duration = Duration::from_secs(30);
/// After this a call that hangs is taken to hang.
const IMPATIENCE: Duration = Duration::from_millis(300);

struct Bench {
    chain: Arc<Chain>,
    clock: Arc<SystemClock>,
    events: mpsc::UnboundedSender<Event>,
    seen: mpsc::UnboundedReceiver<Event>,
    client: reqwest::Client,
}

impl Bench {
    fn new() -> Self {
        let (events, seen) = mpsc::unbounded_channel();
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        let chain = Arc::new(Chain::new(events.clone()));
        Self { chain, clock: Arc::new(SystemClock::start()), events, seen, client }
    }

    async fn double(&self, faults: Vec<FaultSpec>) -> FacilitatorDouble {
        let (chain, clock) = (Arc::clone(&self.chain), Arc::clone(&self.clock));
        FacilitatorDouble::start("primary".into(), chain, faults, clock, self.events.clone()).await.unwrap()
    }

    async fn post(&self, double: &FacilitatorDouble, path: &str, nonce: u8) -> reqwest::Result<(u16, Value)> {
        self.post_body(double, path, Payer::new(1).body(nonce)).await
    }

    async fn post_body(&self, double: &FacilitatorDouble, path: &str, body: String) -> reqwest::Result<(u16, Value)> {
        let answer = self.client.post(format!("{}{path}", double.url())).body(body).send().await?;
        let (status, text) = (answer.status().as_u16(), answer.text().await?);
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// Stops the double and splits what was recorded into calls and the number of transfers.
    async fn stop(mut self, double: FacilitatorDouble) -> (Vec<FacilitatorCall>, usize) {
        double.stop().await.unwrap();
        let (mut calls, mut transfers) = (Vec::new(), 0);
        for event in drain(&mut self.seen) {
            match event {
                Event::FacilitatorCalled(call) => calls.push(call),
                Event::TransferMoved(_) => transfers += 1,
                other => panic!("unexpected event {other:?}"),
            }
        }
        (calls, transfers)
    }
}

fn fault(call: Call, window: Range<u64>, pick: Pick, inject: Inject) -> FaultSpec {
    let fault = FaultRef { index: 0, on: "primary".into(), inject: inject.name().into() };
    FaultSpec { fault, call, window, pick, inject }
}

fn always(inject: Inject) -> Vec<FaultSpec> {
    vec![fault(Call::Any, ALWAYS, Pick::Every, inject)]
}

fn once(inject: Inject) -> Vec<FaultSpec> {
    vec![fault(Call::Any, ALWAYS, Pick::First(1), inject)]
}

/// The deepest I/O error: reqwest wraps it in its own kinds.
fn io_kind(error: &reqwest::Error) -> Option<io::ErrorKind> {
    let mut kind = None;
    let mut cause = error.source();
    while let Some(error) = cause {
        kind = error.downcast_ref::<io::Error>().map(io::Error::kind).or(kind);
        cause = error.source();
    }
    kind
}

fn how(call: &FacilitatorCall) -> &str {
    match &call.answer {
        FacilitatorAnswer::None { how } => how,
        FacilitatorAnswer::Sent { .. } => "sent",
    }
}

#[tokio::test]
async fn the_honest_double_verifies_settles_and_says_what_it_supports() {
    let bench = Bench::new();
    let double = bench.double(vec![]).await;
    let supported = bench.client.get(format!("{}/supported", double.url())).send().await.unwrap();
    let supported: Value = serde_json::from_str(&supported.text().await.unwrap()).unwrap();
    assert_eq!(supported["kinds"][0]["scheme"], "exact");
    assert_eq!(bench.post(&double, "/verify", 1).await.unwrap().1["isValid"], true);
    let first = bench.post(&double, "/settle", 1).await.unwrap();
    assert_eq!((first.0, &first.1["success"]), (200, &Value::Bool(true)));
    assert_eq!(bench.post(&double, "/settle", 1).await.unwrap(), first, "a repeat gets the earlier answer");
    let forged = Payer::new(1).body(2).replace("\"value\":\"10000\"", "\"value\":\"10001\"");
    assert_eq!(bench.post_body(&double, "/verify", forged).await.unwrap().1["isValid"], false);

    let (calls, transfers) = bench.stop(double).await;
    assert_eq!(transfers, 1);
    let nths: Vec<_> = calls.iter().map(|call| (call.endpoint as usize, call.nth)).collect();
    assert_eq!(nths, [(2, 1), (0, 1), (1, 1), (1, 2), (0, 2)]);
    assert_eq!(calls[2].payload_hash, calls[3].payload_hash);
    assert_ne!(calls[2].payload_hash, calls[4].payload_hash);
    assert!(calls[2].payment.as_ref().unwrap().ends_with(&"01".repeat(32)));
    let FacilitatorAnswer::Sent { status: 200, ok: Some(true), transaction: Some(transaction), .. } = &calls[2].answer
    else {
        panic!("{:?}", calls[2].answer)
    };
    assert_eq!(first.1["transaction"], **transaction);
    assert!(calls.iter().all(|call| call.received_us <= call.ended_us && call.fault.is_none()));
}

#[tokio::test]
async fn a_reset_is_a_reset_and_moves_nothing() {
    for after in [After::Accept, After::Head] {
        let bench = Bench::new();
        let double = bench.double(once(Inject::Reset { after })).await;
        let error = bench.post(&double, "/settle", 1).await.unwrap_err();
        assert_eq!(io_kind(&error), Some(io::ErrorKind::ConnectionReset), "{error:?}");
        assert_eq!(bench.post(&double, "/settle", 1).await.unwrap().0, 200, "the second call is healthy");
        let (calls, transfers) = bench.stop(double).await;
        assert_eq!((how(&calls[0]), calls.len(), transfers), ("reset", 2, 1));
        assert_eq!(calls[0].payment.is_some(), after == After::Head);
        assert_eq!(calls[0].fault.as_ref().unwrap().inject, "reset");
    }
}

#[tokio::test]
async fn settle_then_reset_moves_the_money_once() {
    let bench = Bench::new();
    let double = bench.double(once(Inject::SettleThenReset)).await;
    assert_eq!(bench.post(&double, "/verify", 1).await.unwrap().1["isValid"], true, "verify is not its business");
    let error = bench.post(&double, "/settle", 1).await.unwrap_err();
    assert_eq!(io_kind(&error), Some(io::ErrorKind::ConnectionReset), "{error:?}");
    let again = bench.post(&double, "/settle", 1).await.unwrap();
    assert_eq!(again.1["success"], true);
    let (calls, transfers) = bench.stop(double).await;
    assert_eq!((how(&calls[1]), transfers), ("reset", 1));
}

#[tokio::test]
async fn hanging_calls_last_until_the_caller_gives_up() {
    for (inject, moved) in [(Inject::Hang, 0), (Inject::SettleThenHang, 1)] {
        let mut bench = Bench::new();
        let double = bench.double(always(inject)).await;
        for _ in 0..2 {
            let hung = tokio::time::timeout(IMPATIENCE, bench.post(&double, "/settle", 1)).await;
            assert!(hung.is_err(), "{hung:?}");
            // Recorded when the caller gave up, long before the double stops.
            let call = async {
                loop {
                    match bench.seen.recv().await.unwrap() {
                        Event::FacilitatorCalled(call) => break call,
                        Event::TransferMoved(transfer) => bench.events.send(Event::TransferMoved(transfer)).unwrap(),
                        other => panic!("unexpected event {other:?}"),
                    }
                }
            };
            let call = tokio::time::timeout(PATIENCE, call).await.expect("recorded");
            assert_eq!(how(&call), "hung");
        }
        let (_, transfers) = bench.stop(double).await;
        assert_eq!(transfers, moved);
    }
}

#[tokio::test]
async fn a_call_that_hangs_when_the_double_stops_is_recorded() {
    let bench = Bench::new();
    let double = bench.double(always(Inject::SettleThenHang)).await;
    let (client, url) = (bench.client.clone(), format!("{}/settle", double.url()));
    let hanging = tokio::spawn(async move { client.post(url).body(Payer::new(1).body(1)).send().await });
    let moved = async {
        while bench.chain.balance(x402_protocol::Network::BaseSepolia, Payer::new(1).address()) == AMPLE_BALANCE {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, moved).await.expect("the money moves");
    let (calls, transfers) = bench.stop(double).await;
    assert_eq!((calls.len(), how(&calls[0]), transfers), (1, "hung", 1));
    hanging.await.unwrap().expect_err("no answer came");
}

#[tokio::test]
async fn a_truncated_answer_ends_before_its_length() {
    let bench = Bench::new();
    let double = bench.double(always(Inject::Truncate)).await;
    let answer = bench.client.post(format!("{}/settle", double.url())).body(Payer::new(1).body(1)).send().await;
    let answer = answer.expect("the head comes whole");
    assert_eq!(answer.status(), 200);
    let error = answer.bytes().await.unwrap_err();
    assert!(!error.is_timeout(), "{error:?}");
    assert!(
        format!("{error:?}").contains("IncompleteMessage") || format!("{error:?}").contains("UnexpectedEof"),
        "{error:?}"
    );
    let (calls, transfers) = bench.stop(double).await;
    assert_eq!((how(&calls[0]), transfers), ("truncated", 1));
}

#[tokio::test]
async fn garbage_is_no_http() {
    let bench = Bench::new();
    let double = bench.double(always(Inject::Garbage)).await;
    let error = bench.post(&double, "/settle", 1).await.unwrap_err();
    assert!(format!("{error:?}").contains("Parse"), "{error:?}");
    let (calls, transfers) = bench.stop(double).await;
    assert_eq!((how(&calls[0]), transfers), ("garbage", 0));
}

#[tokio::test]
async fn a_dripped_answer_arrives_whole_for_who_waits() {
    let bench = Bench::new();
    let double = bench.double(always(Inject::Drip { every_ms: 1 })).await;
    assert_eq!(bench.post(&double, "/settle", 1).await.unwrap().1["success"], true);
    let head = bench.client.post(format!("{}/verify", double.url())).body(Payer::new(1).body(1)).send().await.unwrap();
    drop(head);
    let (calls, transfers) = bench.stop(double).await;
    assert_eq!((how(&calls[0]), how(&calls[1]), transfers), ("sent", "caller-gone", 1));
}

#[tokio::test]
async fn a_slow_settlement_happens_though_its_caller_has_gone() {
    let bench = Bench::new();
    let by_ms = 2 * u64::try_from(IMPATIENCE.as_millis()).unwrap();
    let double = bench.double(once(Inject::Slow { by_ms })).await;
    tokio::time::timeout(IMPATIENCE, bench.post(&double, "/settle", 1)).await.expect_err("slow");
    let moved = async {
        while bench.chain.balance(x402_protocol::Network::BaseSepolia, Payer::new(1).address()) == AMPLE_BALANCE {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, moved).await.expect("the money moves");
    assert_eq!(bench.post(&double, "/settle", 1).await.unwrap().1["success"], true);
    let (calls, transfers) = bench.stop(double).await;
    let hows: Vec<_> = calls.iter().map(how).collect();
    assert_eq!((hows, transfers), (vec!["caller-gone", "sent"], 1));
}

#[tokio::test]
async fn a_refusing_port_refuses_resets_pooled_connections_and_heals() {
    let bench = Bench::new();
    // The window is moved by the test: it begins once the pooled connection exists.
    let begins = bench.clock.now_us() + 500_000;
    let ends = begins + 1_000_000;
    let double = bench.double(vec![fault(Call::Any, begins..ends, Pick::Every, Inject::Refuse)]).await;
    assert_eq!(bench.post(&double, "/verify", 1).await.unwrap().0, 200);
    let mut pooled = tokio::net::TcpStream::connect(double.address).await.unwrap();
    let reset = tokio::time::timeout(PATIENCE, tokio::io::AsyncReadExt::read(&mut pooled, &mut [0; 1])).await.unwrap();
    assert_eq!(reset.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    let error = bench.post(&double, "/verify", 1).await.unwrap_err();
    assert_eq!(io_kind(&error), Some(io::ErrorKind::ConnectionRefused), "{error:?}");
    let healed = async {
        while bench.post(&double, "/settle", 1).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, healed).await.expect("heals on the same port");
    assert!(bench.clock.now_us() >= ends);
    let (calls, transfers) = bench.stop(double).await;
    assert_eq!((calls.len(), transfers), (2, 1), "refused calls never reached the double");
}

#[tokio::test]
async fn a_call_in_flight_when_refusal_begins_is_reset_and_recorded() {
    let bench = Bench::new();
    let begins = bench.clock.now_us() + 500_000;
    let double = bench
        .double(vec![
            fault(Call::Any, begins..u64::MAX, Pick::Every, Inject::Refuse),
            fault(Call::Any, ALWAYS, Pick::Every, Inject::Hang),
        ])
        .await;
    let error = bench.post(&double, "/settle", 1).await.unwrap_err();
    assert_eq!(io_kind(&error), Some(io::ErrorKind::ConnectionReset), "{error:?}");
    let (calls, _) = bench.stop(double).await;
    assert_eq!((how(&calls[0]), calls[0].fault.as_ref().unwrap().inject.as_str()), ("reset", "refuse"));
}

#[tokio::test]
async fn a_fault_that_starts_later_hits_a_kept_open_connection() {
    let bench = Bench::new();
    let faults = vec![fault(Call::Settle, ALWAYS, Pick::Nth(2), Inject::Reset { after: After::Head })];
    let double = bench.double(faults).await;
    let mut socket = tokio::net::TcpStream::connect(double.address).await.unwrap();
    let body = Payer::new(1).body(1);
    let request = format!("POST /settle HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let mut answer = [0; 4096];
    for wanted in [true, false] {
        tokio::io::AsyncWriteExt::write_all(&mut socket, request.as_bytes()).await.unwrap();
        let read = tokio::time::timeout(PATIENCE, tokio::io::AsyncReadExt::read(&mut socket, &mut answer)).await;
        match read.unwrap() {
            Ok(read) => assert!(wanted && answer[..read].starts_with(b"HTTP/1.1 200 OK\r\n")),
            Err(error) => assert!(!wanted && error.kind() == io::ErrorKind::ConnectionReset, "{error:?}"),
        }
    }
    assert_eq!(bench.stop(double).await.1, 1);
}

#[tokio::test]
async fn whole_answers_can_be_wrong_in_many_ways() {
    let decline = Inject::Decline { reason: "insufficient_funds".into() };
    for (inject, status, moved, judge) in [
        (
            Inject::Status { code: 502, body: StatusBody::Html },
            502,
            0,
            (|v| v.as_str().unwrap().starts_with("<html>")) as fn(&Value) -> bool,
        ),
        (Inject::Status { code: 429, body: StatusBody::Empty }, 429, 0, |v| v == ""),
        (Inject::Status { code: 500, body: StatusBody::Json }, 500, 0, |v| v["success"].is_null() && v.is_object()),
        (Inject::BadJson, 200, 1, |v| v.as_str().unwrap().starts_with(r#"{"success":true"#)),
        (Inject::WrongShape, 200, 1, |v| v["success"].is_null() && v["data"]["success"] == true),
        (Inject::Pending, 500, 1, |v| {
            v["success"] == false && v["errorReason"] == "settlement_pending" && v["transaction"] != ""
        }),
        (decline, 200, 0, |v| {
            v["success"] == false && v["errorReason"] == "insufficient_funds" && v["transaction"] == ""
        }),
    ] {
        let bench = Bench::new();
        let name = inject.name();
        let double = bench.double(once(inject)).await;
        let answer = bench.post(&double, "/settle", 1).await.unwrap();
        assert_eq!(answer.0, status, "{name}");
        assert!(judge(&answer.1), "{name}: {}", answer.1);
        let spent = bench.chain.balance(x402_protocol::Network::BaseSepolia, Payer::new(1).address()) != AMPLE_BALANCE;
        assert_eq!(usize::from(spent), moved, "{name}");
        assert_eq!(bench.post(&double, "/settle", 1).await.unwrap().1["success"], true, "{name} heals");
        let (calls, transfers) = bench.stop(double).await;
        assert_eq!((transfers, calls.len()), (1, 2), "{name}");
        assert_eq!(calls[0].fault.as_ref().unwrap().inject, name);
    }
}

#[tokio::test]
async fn a_decline_never_denies_money_that_moved() {
    let bench = Bench::new();
    let declined = fault(Call::Any, ALWAYS, Pick::Every, Inject::Decline { reason: "no".into() });
    let settled = fault(Call::Settle, ALWAYS, Pick::First(1), Inject::SettleThenReset);
    let double = bench.double(vec![settled, declined]).await;
    bench.post(&double, "/settle", 1).await.unwrap_err();
    assert_eq!(bench.post(&double, "/settle", 1).await.unwrap().1["success"], true);
    assert_eq!(bench.post(&double, "/settle", 2).await.unwrap().1["errorReason"], "no");
    assert_eq!(bench.post(&double, "/verify", 2).await.unwrap().1["invalidReason"], "no");
    assert_eq!(bench.stop(double).await.1, 1);
}

#[tokio::test]
async fn each_lie_is_told_with_and_without_the_money() {
    let payer = Payer::new(1).address().to_string();
    for money in [Money::Moved, Money::Kept] {
        for about in [About::Payer, About::Transaction, About::Network, About::Amount, About::Success] {
            let bench = Bench::new();
            let double = bench.double(always(Inject::Lie { about, money })).await;
            let (status, told) = bench.post(&double, "/settle", 1).await.unwrap();
            assert_eq!((status, &told["success"]), (200, &Value::Bool(true)), "{about:?}");
            assert_eq!(told["payer"] != payer, about == About::Payer, "{about:?}: {told}");
            assert_eq!(told["transaction"] == "", about == About::Transaction, "{about:?}: {told}");
            assert_eq!(told["network"] != "eip155:84532", about == About::Network, "{about:?}: {told}");
            assert_eq!(told["amount"] != "10000", about == About::Amount, "{about:?}: {told}");
            let (_, transfers) = bench.stop(double).await;
            assert_eq!(transfers, usize::from(money == Money::Moved), "{about:?} {money:?}");
        }
    }
}

#[tokio::test]
async fn a_lying_verify_passes_a_forged_payment_or_names_another_payer() {
    let forged = Payer::new(1).body(1).replace("\"value\":\"10000\"", "\"value\":\"1\"");
    let payer = Payer::new(1).address().to_string();
    for (about, another) in [(About::Success, false), (About::Payer, true)] {
        let bench = Bench::new();
        let double = bench.double(always(Inject::Lie { about, money: Money::Kept })).await;
        let (_, told) = bench.post_body(&double, "/verify", forged.clone()).await.unwrap();
        assert_eq!((&told["isValid"], told["payer"] != payer), (&Value::Bool(true), another), "{told}");
        bench.stop(double).await;
    }
}

#[tokio::test]
async fn what_is_no_call_is_answered_and_told() {
    let mut bench = Bench::new();
    let double = bench.double(vec![]).await;
    assert_eq!(bench.post(&double, "/metrics", 1).await.unwrap().0, 404);
    assert!(matches!(bench.seen.recv().await, Some(Event::Unreadable { .. })));
    let large = " ".repeat(caller::MAX_BODY_BYTES + 1);
    assert_eq!(bench.post_body(&double, "/settle", large).await.unwrap().0, 413);
    assert!(matches!(bench.seen.recv().await, Some(Event::Unreadable { .. })));
    let (calls, _) = bench.stop(double).await;
    assert!(matches!(calls[..], [FacilitatorCall { answer: FacilitatorAnswer::Sent { status: 413, .. }, .. }]));
}

#[tokio::test]
async fn a_chunked_request_is_read_like_any_other() {
    let bench = Bench::new();
    let double = bench.double(vec![]).await;
    let body = Payer::new(1).body(1);
    let (one, two) = body.split_at(100);
    let request = format!(
        "POST /settle HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n",
        one.len(),
        two.len()
    );
    let mut socket = tokio::net::TcpStream::connect(double.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut socket, request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut socket, &mut answer).await.unwrap();
    assert!(answer.contains(r#""success":true"#), "{answer}");
    assert_eq!(bench.stop(double).await.1, 1);
}
