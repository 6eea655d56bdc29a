//! Batches as a dispatcher sends them, into a database and out of it again by every question.

mod growth;

use dispatcher_core::{
    operations::question::{EventsAsked, Form, LedgerBooks, Question, SettlementsAsked, SloWindow, Window},
    paywall::{
        UnixMillis,
        ledger::books::{Entry, Served, Span},
    },
};
use serde_json::{Value, json};
use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};
use telemetry::{PayerKey, alerts, answer::answer, ingest, ingest::Ingested, retention, schema, sqlite::Sqlite};

/// A day at noon, and some.
pub const NOW: UnixMillis = UnixMillis(1_795_867_212_345);
const PAYER: &str = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
const PAY_TO: &str = "0x209693bc6afc0c5328ba36faf03c514ef312287c";

/// The database never waits.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(told) => told,
        Poll::Pending => panic!("the database waits"),
    }
}

pub fn opened() -> Sqlite {
    let database = Sqlite::in_memory();
    now(schema::migrate(&database)).unwrap();
    database
}

fn payment(n: u64) -> String {
    format!("eip155:84532:0x036cbd53842c5426634e7929541ec2318f3dcf7e:{PAYER}:0x{n:064x}")
}

fn batch(id: &str, events: &[Value]) -> String {
    let batch =
        json!({"v": 1, "id": id, "environment": "test", "network": "eip155:84532", "lost": 0, "events": events});
    batch.to_string()
}

/// The lines of a purchase that ends well.
fn sale(n: u64, at: u64, pay_to: &str) -> Vec<Value> {
    let line = |stage: &str| {
        json!({"at": at, "log": "payment", "request_id": format!("r{n}"), "tenant_id": "acme", "payment": payment(n),
            "stage": stage, "facilitator": "primary", "transaction": format!("0x{n}")})
    };
    let mut settled = line("settled");
    settled["amount"] = json!("10000");
    settled["pay_to"] = json!(pay_to);
    settled["settled_at_ms"] = json!(at);
    let request = json!({"at": at, "log": "request", "request_id": format!("r{n}"), "tenant_id": "acme", "route": "GET /quote",
        "status": 200, "code": null, "payment": payment(n), "transaction": format!("0x{n}"), "attempts": [
            {"facilitator": "primary", "call": "verify", "result": "ok", "ms": 20},
            {"facilitator": "primary", "call": "settle", "result": "ok", "ms": 400}], "ms": 450});
    vec![line("claimed"), line("verified"), settled, request, line("handed_over")]
}

fn store(database: &Sqlite, id: &str, events: &[Value]) {
    let stored = now(ingest(database, "m", &batch(id, events), None, NOW)).unwrap();
    assert_eq!(stored, Ingested::Stored { events: events.len() });
}

fn asked(database: &Sqlite, question: &Question) -> Value {
    let told = now(answer(database, question, None, NOW)).unwrap();
    serde_json::from_str(&told.text).unwrap()
}

fn events_asked() -> EventsAsked {
    EventsAsked { limit: 100, tenant: None, kind: None, since: None, until: None, after: None }
}

#[test]
fn a_batch_counts_once_however_often_it_comes() {
    let database = opened();
    let events = sale(1, NOW.0 - 5, PAY_TO);
    for _ in 0..3 {
        store(&database, "b", &events);
    }
    // A part of it, as if its first delivery had been cut off.
    store(&database, "b", &events[..2]);
    for window in [Window::Today, Window::Week, Window::Overall] {
        let told = asked(&database, &Question::Analytics { window, top: 5 });
        assert_eq!(told["revenue"], json!({"amount": "10000", "by_itself": "0", "settled": 1}), "{window:?}");
        assert_eq!(told["events"]["sold"], 1);
        assert_eq!(told["funnel"], json!({"received": 1, "offered": 0, "paid": 1, "settled": 1, "handed_over": 1}));
        assert_eq!(told["facilitators"]["primary"]["settle"]["answered"], json!({"count": 1, "mean_ms": 400}));
        assert_eq!(told["tenants"][0]["requests"], 1);
    }
}

#[test]
fn an_uptime_counts_what_the_worker_did_and_failed_at_and_nothing_that_never_reached_it() {
    let database = opened();
    let request = |n: u64, status: u16, code: Option<&str>| {
        json!({"at": NOW.0 - n, "log": "request", "request_id": format!("q{n}"), "tenant_id": "acme", "route": "GET /",
            "status": status, "code": code, "payment": null, "transaction": null, "attempts": [], "ms": 4})
    };
    let never_reached = [request(1, 402, Some("payment_required")), request(2, 429, Some("rate_limited"))];
    let failed = [request(3, 500, None), request(4, 503, Some("tenant_cpu_limit_exceeded"))];
    let events = [&never_reached[..], &failed, &[request(5, 200, None)], &sale(1, NOW.0, PAY_TO)].concat();
    store(&database, "b", &events);
    let told = asked(&database, &Question::Uptime(vec!["acme".to_owned(), "nobody".to_owned()]));
    assert_eq!(told, json!({"acme": {"good": 2, "bad": 2}}));
}

#[test]
fn a_sellers_own_purchases_stand_apart() {
    let database = opened();
    store(
        &database,
        "b",
        &[sale(1, NOW.0, PAY_TO), sale(2, NOW.0, &PAYER.to_uppercase().replace("0X", "0x"))].concat(),
    );
    let told = asked(&database, &Question::Analytics { window: Window::Today, top: 5 });
    assert_eq!(told["revenue"], json!({"amount": "10000", "by_itself": "10000", "settled": 2}));
    let told = asked(&database, &Question::Tenant { id: "acme".to_owned() });
    assert_eq!((&told["week"]["revenue"], &told["week"]["by_itself"]), (&json!("10000"), &json!("10000")));
}

#[test]
fn events_are_told_newest_first_a_page_at_a_time_and_each_once() {
    let database = opened();
    for n in 0..7 {
        store(&database, &format!("b{n}"), &sale(n, NOW.0 - n, PAY_TO));
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let told = asked(&database, &Question::Events(EventsAsked { limit: 4, after, ..events_asked() }));
        let page = told["events"].as_array().unwrap();
        seen.extend(
            page.iter().map(|event| (event["at_ms"].as_u64().unwrap(), event["id"].as_str().unwrap().to_owned())),
        );
        let Some(next) = told["next"].as_str() else { break };
        let (at, id) = next.split_once('~').unwrap();
        after = Some((UnixMillis(at.parse().unwrap()), id.to_owned()));
    }
    assert_eq!(seen.len(), 35);
    assert!(seen.is_sorted_by(|one, other| one > other), "{seen:?}");
    let of = |tenant: Option<&str>, kind: Option<&str>| {
        let (tenant, kind) = (tenant.map(str::to_owned), kind.map(str::to_owned));
        let told = asked(&database, &Question::Events(EventsAsked { tenant, kind, ..events_asked() }));
        told["events"].as_array().unwrap().len()
    };
    assert_eq!((of(None, Some("sold")), of(Some("acme"), Some("sold")), of(Some("acme"), None)), (7, 7, 35));
    assert_eq!(of(Some("globex"), None), 0);
    let since = Some(UnixMillis(NOW.0 - 1));
    let told = asked(&database, &Question::Events(EventsAsked { since, ..events_asked() }));
    assert_eq!(told["events"].as_array().unwrap().len(), 10);
    assert_eq!(told["events"][0]["event"]["log"], "payment");
}

#[test]
fn what_nobody_can_read_is_put_aside_and_what_cannot_be_stored_is_left_to_the_queue() {
    let database = opened();
    for (n, poison) in ["{", r#"{"v":9}"#, &batch("p", &[json!({"at": 1, "log": "request"})])].iter().enumerate() {
        let told = now(ingest(&database, &format!("m{n}"), poison, None, NOW)).unwrap();
        assert!(matches!(told, Ingested::PutAside(_)), "{told:?}");
    }
    assert!(database.all_text().contains("version 9"));
    database.is_down.set(true);
    assert!(now(ingest(&database, "m", &batch("b", &sale(1, NOW.0, PAY_TO)), None, NOW)).is_err());
    database.is_down.set(false);
    store(&database, "b", &sale(1, NOW.0, PAY_TO));
}

#[test]
fn a_clock_that_is_wrong_counts_at_the_time_of_its_arrival_and_is_told_as_it_was() {
    let database = opened();
    let hour = 3_600_000;
    store(&database, "b", &[sale(1, NOW.0 + 48 * hour, PAY_TO), sale(2, 5, PAY_TO)].concat());
    let told = asked(&database, &Question::Events(events_asked()));
    let events = told["events"].as_array().unwrap();
    assert!(events.iter().all(|event| event["at_ms"].as_u64().unwrap() <= NOW.0 + 60_000), "{told}");
    assert!(events.iter().any(|event| event["event"]["at"] == NOW.0 + 48 * hour), "{told}");
    assert_eq!(asked(&database, &Question::Slo { window: SloWindow::Hour })["all"]["settle"]["good"], 1);
}

#[test]
fn an_unknown_that_was_resolved_is_open_no_more() {
    let database = opened();
    let line = |stage: &str, at: u64| json!({"at": at, "log": "payment", "request_id": null, "tenant_id": "acme", "payment": payment(1), "stage": stage});
    let pending = json!({"at": NOW.0, "log": "request", "request_id": "r", "tenant_id": "acme", "route": "GET /", "status": 503,
        "code": "settlement_pending", "payment": payment(1), "transaction": null, "attempts": [], "ms": 2_000});
    store(&database, "b1", &[line("unknown", NOW.0 - 9_000), pending]);
    let slo = asked(&database, &Question::Slo { window: SloWindow::Day });
    assert_eq!(slo["open"], json!({"count": 1, "oldest_age_ms": 9_000}));
    assert_eq!((&slo["all"]["settle"]["bad"], &slo["all"]["settle"]["burn"]), (&json!(1), &json!(1.0 / (1.0 - 0.995))));
    store(&database, "b2", &[line("settled", NOW.0)]);
    assert_eq!(asked(&database, &Question::Slo { window: SloWindow::Day })["open"]["count"], 0);
}

#[test]
fn the_books_balance_and_name_what_one_side_does_not_have() {
    let database = opened();
    let at = NOW.0 - 600_000;
    store(&database, "b", &(1..=3).flat_map(|n| sale(n, at + n, PAY_TO)).collect::<Vec<_>>());
    let entry = |n: u64| Entry {
        payment: payment(n),
        tenant_id: "acme".to_owned(),
        state: "settled".to_owned(),
        amount: "10000".to_owned(),
        pay_to: Some(PAY_TO.to_owned()),
        facilitator: Some("primary".to_owned()),
        transaction: Some(format!("0x{n}")),
        settled_at_ms: Some(UnixMillis(at + n)),
        open_since_ms: None,
        served: Served::HandedOver,
    };
    let books = |settled: Vec<Entry>| {
        let (from, to) = (UnixMillis(at), NOW);
        Question::Reconcile(LedgerBooks {
            from,
            to,
            settled,
            open: Vec::new(),
            is_cut: false,
            chain: None,
            is_scheduled: true,
        })
    };
    let told = asked(&database, &books((1..=3).map(entry).collect()));
    assert_eq!((&told["balanced"], &told["matched"]), (&json!(true), &json!(3)));
    assert_eq!(told["tenants"]["acme"]["ledger"], told["tenants"]["acme"]["telemetry"]);
    let told = asked(&database, &books(vec![entry(1), entry(2), entry(4)]));
    assert_eq!((&told["balanced"], &told["matched"]), (&json!(false), &json!(2)));
    assert_eq!(told["missing_in_telemetry"]["payments"], json!([payment(4)]));
    assert_eq!(told["missing_in_ledger"]["payments"], json!([payment(3)]));
}

#[test]
fn a_settlement_has_a_line_with_the_same_id_for_ever_and_a_credit_note_once_nobody_can_collect() {
    let database = opened();
    let week = 7 * 24 * 3_600_000;
    let mut lost = sale(1, NOW.0 - week - 1, PAY_TO);
    lost.truncate(3);
    let mut waiting = sale(2, NOW.0 - week + 1, PAY_TO);
    waiting.truncate(3);
    store(&database, "b", &[lost, waiting, sale(3, NOW.0, PAY_TO)].concat());
    let span = Span { from: UnixMillis(0), to: NOW.plus(1), after: None };
    let of = |form| Question::Settlements(SettlementsAsked { span: span.clone(), limit: 100, tenant: None, form });
    let told = asked(&database, &of(Form::Json));
    let lines = told["settlements"].as_array().unwrap();
    let ids: Vec<_> = lines.iter().map(|line| line["id"].as_str().unwrap()[..2].to_owned()).collect();
    assert_eq!(ids, ["S-", "C-", "S-", "S-"]);
    assert_eq!((&lines[1]["amount"], &lines[1]["refers_to"]), (&json!("-10000"), &lines[0]["id"]));
    let served: Vec<_> = lines.iter().map(|line| line["served"].as_str().unwrap()).collect();
    assert_eq!(served, ["never", "never", "waiting", "handed_over"]);
    let csv = now(answer(&database, &of(Form::Csv), None, NOW)).unwrap();
    assert_eq!((csv.content_type.as_str(), csv.text.lines().count()), ("text/csv; charset=utf-8", 5));
    assert!(csv.text.lines().all(|line| line.matches(',').count() == 13), "{}", csv.text);
}

#[test]
fn with_a_key_no_payer_is_kept_in_clear_and_the_books_balance_all_the_same() {
    let database = opened();
    let key = PayerKey::of(Some("a key".to_owned()));
    let mut events = sale(1, NOW.0 - 600_000, PAYER);
    events.push(json!({"at": NOW.0, "log": "trouble", "payment": payment(1), "why": format!("{} said no", PAYER.to_uppercase())}));
    now(ingest(&database, "m", &batch("b", &events), key.as_ref(), NOW)).unwrap();
    let text = database.all_text().to_ascii_lowercase();
    assert!(!text.contains(&PAYER[2..]), "{text}");
    let entry = Entry {
        payment: payment(1),
        tenant_id: "acme".to_owned(),
        state: "settled".to_owned(),
        amount: "10000".to_owned(),
        pay_to: None,
        facilitator: None,
        transaction: Some("0x1".to_owned()),
        settled_at_ms: Some(UnixMillis(NOW.0 - 600_000)),
        open_since_ms: None,
        served: Served::HandedOver,
    };
    let ledger = LedgerBooks {
        from: UnixMillis(0),
        to: NOW,
        settled: vec![entry],
        open: Vec::new(),
        is_cut: false,
        chain: None,
        is_scheduled: false,
    };
    let told = now(answer(&database, &Question::Reconcile(ledger), key.as_ref(), NOW)).unwrap();
    assert!(told.text.contains(r#""balanced":true"#), "{}", told.text);
    let told = now(answer(&database, &Question::Analytics { window: Window::Today, top: 1 }, None, NOW)).unwrap();
    assert!(told.text.contains(r#""by_itself":"10000""#), "the seller is told apart before names are hidden");
}

#[test]
fn what_is_old_is_forgotten_and_the_counts_of_days_stay() {
    let database = opened();
    store(&database, "b", &sale(1, NOW.0, PAY_TO));
    let days = |days: u64| NOW.plus(days * 24 * 3_600_000);
    now(retention::forget(&database, days(retention::EVENT_DAYS - 1))).unwrap();
    assert_eq!(asked(&database, &Question::Events(events_asked()))["events"].as_array().unwrap().len(), 5);
    now(retention::forget(&database, days(retention::EVENT_DAYS + 1))).unwrap();
    assert_eq!(asked(&database, &Question::Events(events_asked()))["events"].as_array().unwrap().len(), 0);
    now(retention::forget(&database, days(retention::PAYMENT_DAYS - 1))).unwrap();
    let told = asked(&database, &Question::Analytics { window: Window::Overall, top: 5 });
    assert_eq!(told["revenue"]["amount"], "10000");
}

#[test]
fn an_outage_is_told_once_remembered_and_over_when_it_is() {
    let database = opened();
    let pending = |n: u64| {
        json!({"at": NOW.0, "log": "request", "request_id": format!("r{n}"), "tenant_id": "acme",
        "route": "GET /", "status": 503, "code": "settlement_pending", "payment": payment(n), "transaction": null,
        "attempts": [], "ms": 2_000})
    };
    let stuck = json!({"at": NOW.0, "log": "alert", "alert": "payment_stuck", "payment": payment(1), "why": "x"});
    store(&database, "b", &[pending(1), pending(2), pending(3), stuck]);
    let look = |at: UnixMillis, works: bool| {
        let mut episodes = now(alerts::look(&database, at)).unwrap();
        let due = episodes.iter_mut().filter(|episode| episode.due.is_some_and(|due| due <= at));
        let told: Vec<_> = due
            .map(|episode| {
                let notice = episode.notice();
                episode.tried(works, at);
                (notice.alert, notice.state)
            })
            .collect();
        now(alerts::remember(&database, &episodes, at)).unwrap();
        told
    };
    let minutes = |minutes: u64| NOW.plus(minutes * 60_000);
    let firing = [("payment_stuck".to_owned(), "firing"), ("settle_burn".to_owned(), "firing")];
    assert_eq!(look(NOW, false), firing, "nobody answers");
    assert_eq!(look(minutes(1), true), firing, "and is told again");
    assert_eq!(look(minutes(2), true), []);
    let resolved = firing.map(|(name, _)| (name, "resolved"));
    let told: Vec<_> = (3..180).flat_map(|minute| look(minutes(minute), true)).collect();
    assert_eq!(told, resolved);
}

#[test]
fn tables_are_made_once_and_again_without_harm() {
    let database = opened();
    store(&database, "b", &sale(1, NOW.0, PAY_TO));
    now(schema::migrate(&database)).unwrap();
    assert_eq!(asked(&database, &Question::Events(events_asked()))["events"].as_array().unwrap().len(), 5);
}
