//! Alerts: what is on ([`rules`]), what of it somebody has to be told ([`episodes`]), and the signature of a notice ([`sign`]). Here is
//! what the two first need of the database.

pub mod episodes;
pub mod rules;
pub mod sign;

use crate::{
    answer::{HOUR_MS, MINUTE_MS, Sli},
    store::{Database, DatabaseError, Rows, Statement, read},
};
use dispatcher_core::paywall::UnixMillis;
use episodes::Episode;
use rules::{On, SPANS_MS, Seen, Tally};
use serde::Deserialize;
use serde_json::Value;

/// The time for which an alert of the dispatcher counts as on.
const TOLD_FOR_MS: u64 = 15 * MINUTE_MS;

const KINDS: &str = "SELECT json_object('kind', kind, 'code', code, 'count', sum(count)) FROM rollup \
    WHERE span = ?1 AND at >= ?2 AND kind IN ('sold', 'settlement_failed', 'settlement_unknown', 'verify_failed', \
    'unavailable') GROUP BY kind, code";
const OPENINGS: &str = "SELECT json_object('name', facilitator, 'count', sum(count)) FROM rollup \
    WHERE span = 60000 AND at >= ?1 AND kind = 'breaker_opened' GROUP BY facilitator";
const TOLD: &str = "SELECT json_object('name', code, 'about', iif(facilitator <> '', facilitator, tenant)) FROM rollup \
    WHERE span = 60000 AND at >= ?1 AND kind = 'alert' GROUP BY code, facilitator, tenant";
const OLDEST: &str = "SELECT json_object('at', min(unknown_at)) FROM payment WHERE unknown_at IS NOT NULL \
    AND settled_at IS NULL AND refused_at IS NULL AND spent_at IS NULL";
const STATE: &str = "SELECT json_object('at', at, 'text', text) FROM state WHERE name = ?1";
const REMEMBER: &str = "INSERT INTO state (name, at, text) VALUES ('alerts', ?1, ?2) \
    ON CONFLICT (name) DO UPDATE SET at = excluded.at, text = excluded.text";

#[derive(Deserialize)]
struct Count {
    kind: String,
    code: String,
    count: u64,
}

#[derive(Deserialize)]
struct Openings {
    name: String,
    count: u64,
}

#[derive(Deserialize)]
struct Oldest {
    at: Option<u64>,
}

#[derive(Deserialize)]
struct State {
    at: u64,
    text: String,
}

/// Looks at what was counted, and returns all episodes that are not closed. Whoever tells of those that are due notes it with
/// [`remember`].
pub async fn look(database: &impl Database, now: UnixMillis) -> Result<Vec<Episode>, DatabaseError> {
    let since = |ms: u64| now.0.saturating_sub(ms);
    let tally = |span: &u64| {
        // The longer ones by hours: a day of minutes is many rows.
        let row = if *span > 2 * HOUR_MS { HOUR_MS } else { MINUTE_MS };
        Statement::new(KINDS, [row.into(), since(*span).into()])
    };
    let rest = [
        Statement::new(OPENINGS, [since(HOUR_MS).into()]),
        Statement::new(TOLD, [since(TOLD_FOR_MS).into()]),
        Statement::new(OLDEST, []),
        Statement::new(STATE, ["books".into()]),
        Statement::new(STATE, ["alerts".into()]),
    ];
    let rows = database.run(SPANS_MS.iter().map(tally).chain(rest).collect()).await?;
    let [tallies @ .., openings, told, oldest, books, alerts] = &rows[..] else {
        return Err(DatabaseError("some statements have no answers".to_owned()));
    };
    let mut seen = Seen { told: read::<On>(told)?, ..Seen::default() };
    for (at, rows) in tallies.iter().enumerate().take(SPANS_MS.len()) {
        let sli = sli(rows)?;
        seen.verify[at] = Tally { good: sli.verify_good, bad: sli.verify_bad };
        seen.settle[at] = Tally { good: sli.settle_good, bad: sli.settle_bad };
    }
    seen.openings = read::<Openings>(openings)?.into_iter().map(|it| (it.name, it.count)).collect();
    let oldest = read::<Oldest>(oldest)?.pop().and_then(|oldest| oldest.at);
    seen.oldest_open_ms = oldest.map(|at| now.0.saturating_sub(at));
    seen.books = read::<State>(books)?.pop().map(|it| {
        let balanced = serde_json::from_str::<Value>(&it.text).is_ok_and(|told| told["balanced"] == true);
        (now.0.saturating_sub(it.at), balanced)
    });
    // What cannot be read is of another version: its alerts begin again.
    let before = read::<State>(alerts)?.pop().and_then(|it| serde_json::from_str(&it.text).ok()).unwrap_or_default();
    Ok(episodes::step(before, &rules::on(&seen), now))
}

fn sli(rows: &Rows) -> Result<Sli, DatabaseError> {
    let mut sli = Sli::default();
    for Count { kind, code, count } in read(rows)? {
        sli.add(&kind, &code, count);
    }
    Ok(sli)
}

/// Keeps the episodes until the next look.
pub async fn remember(database: &impl Database, episodes: &[Episode], now: UnixMillis) -> Result<(), DatabaseError> {
    let text = serde_json::to_string(episodes).expect("episodes have string keys and plain values");
    database.run(vec![Statement::new(REMEMBER, [now.0.into(), text.into()])]).await.map(drop)
}
