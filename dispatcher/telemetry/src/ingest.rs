//! A batch's way into the tables: what each event counts for, and the statements that count it once.
//!
//! Surprising: a queue may deliver a batch again, whole or after another has begun with it. So each statement leaves out the events
//! that are there already, all of them run in one transaction, and the events themselves come last.

use crate::{
    histogram::bucket,
    payer::{PayerKey, hidden, payer_of},
    store::{Database, DatabaseError, Statement},
};
use dispatcher_core::{
    paywall::{
        UnixMillis,
        telemetry::{Attempt, Call, PaymentEvent, Stage},
    },
    telemetry::{
        RequestLine,
        event::{AnyAlert, Batch, BatchError, Dated, Event},
    },
};
use serde_json::{Value, json};

/// The longest that a clock may be ahead of ours. What is later is counted at our own time.
const AHEAD_MS: u64 = 60_000;
/// The oldest that an event may be: a queue keeps it four days at most.
const BEHIND_MS: u64 = 14 * 24 * 3_600_000;
/// The longest text that counts are told apart by.
const MAX_CODE_CHARS: usize = 64;

const ROLLUP: &str = "INSERT INTO rollup (span, at, tenant, kind, code, facilitator, count, amount, own, ms) \
    SELECT s.column1, (f.value ->> 1) - (f.value ->> 1) % s.column1, f.value ->> 2, f.value ->> 3, f.value ->> 4, \
    f.value ->> 5, count(*), sum(f.value ->> 6), sum(f.value ->> 7), sum(f.value ->> 8) \
    FROM json_each(?1) AS f, (VALUES (60000), (3600000), (86400000), (1000000000000000)) AS s \
    WHERE NOT EXISTS (SELECT 1 FROM event WHERE event.id = f.value ->> 0) GROUP BY 1, 2, 3, 4, 5, 6 \
    ON CONFLICT (span, at, tenant, kind, code, facilitator) DO UPDATE SET count = count + excluded.count, \
    amount = amount + excluded.amount, own = own + excluded.own, ms = ms + excluded.ms";
const LATENCY: &str = "INSERT INTO latency (span, at, tenant, series, bucket, count) \
    SELECT s.column1, (f.value ->> 1) - (f.value ->> 1) % s.column1, f.value ->> 2, f.value ->> 3, f.value ->> 4, count(*) \
    FROM json_each(?1) AS f, (VALUES (60000), (3600000), (86400000), (1000000000000000)) AS s \
    WHERE NOT EXISTS (SELECT 1 FROM event WHERE event.id = f.value ->> 0) GROUP BY 1, 2, 3, 4, 5 \
    ON CONFLICT (span, at, tenant, series, bucket) DO UPDATE SET count = count + excluded.count";
const PAYMENT: &str = "INSERT INTO payment (payment, tenant, payer, pay_to, amount, tx, facilitator, unknown_at, settled_at, \
    refused_at, spent_at, handed_at) SELECT p.value ->> 0, p.value ->> 1, p.value ->> 2, p.value ->> 3, p.value ->> 4, \
    p.value ->> 5, p.value ->> 6, p.value ->> 7, p.value ->> 8, p.value ->> 9, p.value ->> 10, p.value ->> 11 \
    FROM json_each(?1) AS p WHERE true ON CONFLICT (payment) DO UPDATE SET tenant = excluded.tenant, \
    pay_to = coalesce(excluded.pay_to, pay_to), amount = coalesce(excluded.amount, amount), \
    tx = coalesce(excluded.tx, tx), facilitator = coalesce(excluded.facilitator, facilitator), \
    unknown_at = coalesce(unknown_at, excluded.unknown_at), settled_at = coalesce(settled_at, excluded.settled_at), \
    refused_at = coalesce(refused_at, excluded.refused_at), spent_at = coalesce(spent_at, excluded.spent_at), \
    handed_at = coalesce(handed_at, excluded.handed_at)";
const EVENT: &str = "INSERT OR IGNORE INTO event (id, at, kind, tenant, environment, request_id, payment, code, line) \
    SELECT e.value ->> 0, e.value ->> 1, e.value ->> 2, e.value ->> 3, ?2, e.value ->> 4, e.value ->> 5, e.value ->> 6, \
    e.value ->> 7 FROM json_each(?1) AS e";
const BATCH: &str = "INSERT OR IGNORE INTO batch (id, at, events, lost) VALUES (?1, ?2, ?3, ?4)";
const DEAD_LETTER: &str = "INSERT OR IGNORE INTO dead_letter (id, at, why, body) VALUES (?1, ?2, ?3, ?4)";

/// The fate of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ingested {
    Stored {
        events: usize,
    },
    /// Nobody can read it. It lies with the dead letters.
    PutAside(BatchError),
}

/// Stores a message, and returns once it is safe. `id` is the queue's own.
pub async fn ingest(
    database: &impl Database,
    id: &str,
    message: &str,
    key: Option<&PayerKey>,
    now: UnixMillis,
) -> Result<Ingested, DatabaseError> {
    match Batch::read(message) {
        Ok(batch) => {
            database.run(statements(&batch, key, now)).await?;
            Ok(Ingested::Stored { events: batch.events.len() })
        }
        Err(error) => {
            put_aside(database, id, message, &error.to_string(), now).await?;
            Ok(Ingested::PutAside(error))
        }
    }
}

/// Keeps a message that cannot be stored as what it is.
pub async fn put_aside(
    database: &impl Database,
    id: &str,
    message: &str,
    why: &str,
    now: UnixMillis,
) -> Result<(), DatabaseError> {
    let values = [id.into(), now.0.into(), why.into(), message.into()];
    database.run(vec![Statement::new(DEAD_LETTER, values)]).await.map(drop)
}

fn statements(batch: &Batch, key: Option<&PayerKey>, now: UnixMillis) -> Vec<Statement> {
    let mut rows = Rows::default();
    for (n, dated) in batch.events.iter().enumerate() {
        let at = dated.at.0.clamp(now.0.saturating_sub(BEHIND_MS), now.plus(AHEAD_MS).0);
        rows.add(&format!("{}-{n}", batch.id), at, dated, key);
    }
    let Rows { facts, latencies, payments, events } = rows;
    let text = |rows: Vec<Value>| crate::store::Value::Text(Value::Array(rows).to_string());
    let counted = (batch.events.len() as u64).into();
    vec![
        Statement::new(ROLLUP, [text(facts)]),
        Statement::new(LATENCY, [text(latencies)]),
        Statement::new(PAYMENT, [text(payments)]),
        Statement::new(EVENT, [text(events), batch.environment.as_str().into()]),
        Statement::new(BATCH, [batch.id.as_str().into(), now.0.into(), counted, batch.lost.into()]),
    ]
}

/// The rows of a batch, as lists of their columns.
#[derive(Default)]
struct Rows {
    facts: Vec<Value>,
    latencies: Vec<Value>,
    payments: Vec<Value>,
    events: Vec<Value>,
}

/// What one event counts for, beside its kind.
#[derive(Default)]
struct About<'a> {
    tenant: &'a str,
    request_id: Option<&'a str>,
    payment: Option<&'a str>,
    code: &'a str,
    facilitator: &'a str,
    /// Atomic units, and whether the seller paid itself.
    money: Option<(i64, bool)>,
}

impl Rows {
    fn add(&mut self, id: &str, at: u64, dated: &Dated, key: Option<&PayerKey>) {
        let (event, kind) = (&dated.event, dated.event.kind());
        let about = about(event);
        let (amount, own) = match about.money {
            Some((amount, true)) => (0, amount),
            Some((amount, false)) => (amount, 0),
            None => (0, 0),
        };
        let ms = if let Event::Request(line) = event { line.ms } else { 0 };
        let code = short(about.code);
        self.facts.push(json!([id, at, about.tenant, kind, code, about.facilitator, amount, own, ms]));
        if let Event::Request(line) = event {
            self.latencies.push(json!([id, at, about.tenant, format!("request:{kind}"), bucket(line.ms)]));
            self.add_attempts(id, at, line);
            self.add_begin_and_run(id, at, line);
        }
        if let Event::Payment(event) = event {
            self.payments.extend(payment_row(at, event, key));
        }
        let payment = about.payment.map(|payment| hidden(payment, Some(payment), key));
        let line = hidden(&dated.line, about.payment, key);
        self.events.push(json!([id, at, kind, about.tenant, about.request_id, payment, about.code, line]));
    }

    fn add_begin_and_run(&mut self, id: &str, at: u64, line: &RequestLine) {
        let tenant = line.tenant_id.as_deref().unwrap_or_default();
        self.facts.push(json!([id, at.saturating_sub(line.ms), tenant, "received", "", "", 0, 0, 0]));
        if let Some(run) = &line.run {
            let ms = run.ms.unwrap_or_default();
            let outcome = if run.is_good() { "success" } else { "failure" };
            self.facts.push(json!([id, at, tenant, "dispatch", outcome, "", 0, 0, ms]));
            if run.ms.is_some() {
                self.latencies.push(json!([id, at, tenant, "dispatch", bucket(ms)]));
            }
        }
    }

    fn add_attempts(&mut self, id: &str, at: u64, line: &RequestLine) {
        let tenant = line.tenant_id.as_deref().unwrap_or_default();
        for attempt in line.attempts.iter().filter(|attempt| attempt.was_made()) {
            let Attempt { facilitator, call, ms, .. } = attempt;
            let call = name(*call);
            self.facts.push(json!([id, at, tenant, call, attempt.outcome().name(), facilitator, 0, 0, ms]));
            self.latencies.push(json!([id, at, tenant, format!("{call}:{facilitator}"), bucket(*ms)]));
        }
    }
}

fn name(call: Call) -> &'static str {
    match call {
        Call::Verify => "verify",
        Call::Settle => "settle",
    }
}

fn short(text: &str) -> String {
    text.chars().take(MAX_CODE_CHARS).collect()
}

fn about(event: &Event) -> About<'_> {
    match event {
        Event::Request(line) => About {
            tenant: line.tenant_id.as_deref().unwrap_or_default(),
            request_id: Some(&line.request_id),
            payment: line.payment.as_deref(),
            code: line.code.as_deref().unwrap_or_default(),
            ..About::default()
        },
        Event::Payment(event) => About {
            tenant: &event.tenant_id,
            request_id: event.request_id.as_deref(),
            payment: Some(&event.payment),
            facilitator: event.facilitator.as_deref().unwrap_or_default(),
            money: money_of(event),
            ..About::default()
        },
        Event::Facilitator(change) => {
            About { code: &change.reason, facilitator: &change.facilitator, ..About::default() }
        }
        Event::Directory(event) => About { code: &event.event, ..About::default() },
        Event::Alert(alert) => match alert {
            AnyAlert::Facilitator(it) => About { code: &it.alert, facilitator: &it.facilitator, ..About::default() },
            AnyAlert::Stuck(it) => {
                let payment = Some(it.payment.as_str()).filter(|payment| !payment.is_empty());
                About { code: &it.alert, payment, ..About::default() }
            }
            AnyAlert::Other(it) => {
                About { code: &it.alert, tenant: it.tenant_id.as_deref().unwrap_or_default(), ..About::default() }
            }
        },
        Event::Trouble(line) => About {
            code: line.what.as_deref().unwrap_or_default(),
            payment: line.payment.as_deref(),
            ..About::default()
        },
        Event::Operator(line) => About {
            request_id: Some(&line.request_id),
            code: line.code.as_deref().unwrap_or_default(),
            ..About::default()
        },
        Event::Unknown => About::default(),
    }
}

/// An amount that no sum could hold is kept with its payment, and is in no sum.
fn money_of(event: &PaymentEvent<'_>) -> Option<(i64, bool)> {
    const MOST: i64 = 1 << 53;
    let amount = event.amount.as_deref()?.parse().ok().filter(|amount| (0..=MOST).contains(amount))?;
    let by_itself = event.pay_to.as_deref().is_some_and(|to| to.eq_ignore_ascii_case(payer_of(&event.payment)));
    Some((amount, by_itself))
}

/// The row of a payment's books, for the stages that they know.
fn payment_row(at: u64, event: &PaymentEvent<'_>, key: Option<&PayerKey>) -> Option<Value> {
    let settled_at = event.settled_at_ms.map_or(at, |settled| settled.0);
    let [unknown, settled, refused, spent, handed] = match event.stage {
        Stage::Unknown => [Some(at), None, None, None, None],
        Stage::Settled => [None, Some(settled_at), None, None, None],
        Stage::Refused => [None, None, Some(at), None, None],
        Stage::SpentElsewhere => [None, None, None, Some(at), None],
        Stage::HandedOver => [None, None, None, None, Some(at)],
        Stage::Claimed | Stage::Verified | Stage::Released | Stage::Executed | Stage::Settling => return None,
    };
    let payment = hidden(&event.payment, Some(&event.payment), key);
    // A seller that pays itself would name the payer in clear.
    let pay_to = event.pay_to.as_deref().map(|to| hidden(to, Some(&event.payment), key));
    Some(json!([
        payment,
        event.tenant_id,
        payer_of(&payment),
        pay_to,
        event.amount,
        event.transaction,
        event.facilitator,
        unknown,
        settled,
        refused,
        spent,
        handed,
    ]))
}
