//! A million events, and how long each question takes then. Not part of every run: the events take a minute to store.

use super::{NOW, Value, answer, events_asked, ingest, json, now, opened, sale};
use dispatcher_core::{
    operations::question::{EventsAsked, Form, Question, SettlementsAsked, SloWindow, Window},
    paywall::{UnixMillis, ledger::books::Span},
};
use std::time::Duration;

/// Five events each, so a million.
const SALES: u64 = 200_000;
const TENANTS: u64 = 50;
const WITHIN: Duration = Duration::from_millis(100);

#[test]
#[ignore = "stores a million events, which takes a minute or more"]
fn a_million_events_are_answered_within_a_tenth_of_a_second() {
    let database = opened();
    let month = 30 * 24 * 3_600_000;
    for (n, sales) in (0..SALES).collect::<Vec<_>>().chunks(200).enumerate() {
        let of = |n: &u64| {
            let mut events =
                sale(*n, NOW.0 - month / SALES * (SALES - n), "0x209693bc6afc0c5328ba36faf03c514ef312287c");
            events.iter_mut().for_each(|event| event["tenant_id"] = json!(format!("tenant-{}", n % TENANTS)));
            events
        };
        let events: Vec<Value> = sales.iter().flat_map(of).collect();
        now(ingest(&database, "m", &super::batch(&format!("b{n}"), &events), None, NOW)).unwrap();
    }
    let tenant = Some("tenant-7".to_owned());
    let span = Span { from: UnixMillis(NOW.0 - 3_600_000), to: NOW, after: None };
    for question in [
        Question::Events(events_asked()),
        Question::Events(EventsAsked { tenant: tenant.clone(), kind: Some("sold".to_owned()), ..events_asked() }),
        Question::Analytics { window: Window::Today, top: 10 },
        Question::Analytics { window: Window::Week, top: 10 },
        Question::Analytics { window: Window::Overall, top: 10 },
        Question::Slo { window: SloWindow::Hour },
        Question::Slo { window: SloWindow::Day },
        Question::Slo { window: SloWindow::Week },
        Question::Tenant { id: "tenant-7".to_owned() },
        Question::Settlements(SettlementsAsked { span, limit: 1_000, tenant, form: Form::Csv }),
    ] {
        let took = stopwatch(|| now(answer(&database, &question, None, NOW)).unwrap());
        println!("{took:>12?}  {question:?}");
        assert!(took < WITHIN, "{question:?} took {took:?}");
    }
}

/// The wall's time: what a person waits.
#[expect(clippy::disallowed_methods, reason = "a measurement is of real time")]
fn stopwatch<T>(work: impl FnOnce() -> T) -> Duration {
    let began = std::time::Instant::now();
    work();
    began.elapsed()
}
