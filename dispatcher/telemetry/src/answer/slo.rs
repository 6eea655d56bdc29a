//! Objectives, and how they are met. A request that a facilitator answered is good, whatever it said of the payment; one that
//! nobody could answer is not.

use super::{DAY_MS, HOUR_MS, MINUTE_MS};
use crate::{
    histogram::percentile,
    store::{Database, DatabaseError, Statement, read},
};
use dispatcher_core::{operations::question::SloWindow, paywall::UnixMillis};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The share of requests that is to be good, for verify and for settle, in a thousandth.
pub const OBJECTIVE_PER_MILLE: u64 = 995;

/// Good and bad requests of both objectives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sli {
    pub verify_good: u64,
    pub verify_bad: u64,
    pub settle_good: u64,
    pub settle_bad: u64,
}

// A bound number has a fraction in D1, and so would what is computed with it.
const KINDS: &str = "SELECT json_object('at', at - at % CAST(?3 AS INTEGER), 'kind', kind, 'code', code, 'count', sum(count)) FROM rollup \
    WHERE span = ?1 AND at >= ?2 AND kind IN ('sold', 'settlement_failed', 'settlement_unknown', 'verify_failed', \
    'unavailable') GROUP BY at - at % CAST(?3 AS INTEGER), kind, code";
const LATENCY: &str = "SELECT json_object('at', at - at % CAST(?3 AS INTEGER), 'bucket', bucket, 'count', sum(count)) FROM latency \
    WHERE span = ?1 AND at >= ?2 AND series = 'request:sold' GROUP BY at - at % CAST(?3 AS INTEGER), bucket";
/// What is open by what was told; the ledger's own word is `/__platform/open`.
const OPEN: &str = "SELECT json_object('count', count(*), 'oldest', min(unknown_at)) FROM payment WHERE unknown_at IS NOT NULL \
    AND settled_at IS NULL AND refused_at IS NULL AND spent_at IS NULL";

#[derive(Deserialize)]
struct Count {
    at: u64,
    kind: String,
    code: String,
    count: u64,
}

#[derive(Deserialize)]
struct Bucket {
    at: u64,
    bucket: u32,
    count: u64,
}

#[derive(Deserialize)]
struct Open {
    count: u64,
    oldest: Option<u64>,
}

impl Sli {
    /// Counts requests of a kind.
    pub fn add(&mut self, kind: &str, code: &str, count: u64) {
        match kind {
            "sold" => {
                self.verify_good += count;
                self.settle_good += count;
            }
            "settlement_failed" | "verify_failed" => self.verify_good += count,
            "settlement_unknown" => {
                self.verify_good += count;
                self.settle_bad += count;
            }
            "unavailable" if code == "facilitators_unavailable" => self.verify_bad += count,
            _ => {}
        }
    }

    fn told(self) -> Value {
        json!({"verify": of(self.verify_good, self.verify_bad), "settle": of(self.settle_good, self.settle_bad)})
    }
}

/// An objective's figures: the burn is 1 where the budget lasts exactly as long as the time it is for.
fn of(good: u64, bad: u64) -> Value {
    let all = good + bad;
    let share = |part: u64| (all > 0).then(|| part as f64 / all as f64);
    let allowed = 1.0 - OBJECTIVE_PER_MILLE as f64 / 1_000.0;
    let burn = share(bad).map(|bad| bad / allowed);
    json!({"good": good, "bad": bad, "success": share(good), "burn": burn, "budget_left": burn.map(|burn| 1.0 - burn)})
}

pub async fn slo(database: &impl Database, window: SloWindow, now: UnixMillis) -> Result<Value, DatabaseError> {
    let (span, lasts, step) = match window {
        SloWindow::Hour => (MINUTE_MS, HOUR_MS, MINUTE_MS),
        SloWindow::Day => (MINUTE_MS, DAY_MS, 15 * MINUTE_MS),
        SloWindow::Week => (HOUR_MS, 7 * DAY_MS, HOUR_MS),
    };
    let from = now.0.saturating_sub(lasts);
    let from = from - from % step;
    let of_window = |sql| Statement::new(sql, [span.into(), from.into(), step.into()]);
    let rows = database.run(vec![of_window(KINDS), of_window(LATENCY), Statement::new(OPEN, [])]).await?;
    let [counts, latency, open] = &rows[..] else {
        return Err(DatabaseError("three statements have another number of answers".to_owned()));
    };
    let (mut all, mut steps) = (Sli::default(), BTreeMap::<u64, (Sli, Vec<(u32, u64)>)>::new());
    for Count { at, kind, code, count } in read(counts)? {
        all.add(&kind, &code, count);
        steps.entry(at).or_default().0.add(&kind, &code, count);
    }
    let mut buckets = Vec::new();
    for Bucket { at, bucket, count } in read(latency)? {
        buckets.push((bucket, count));
        steps.entry(at).or_default().1.push((bucket, count));
    }
    let percentiles = |buckets: &[(u32, u64)]| {
        let [p50, p95, p99] = [50, 95, 99].map(|hundredth| percentile(buckets, hundredth));
        json!({"p50": p50, "p95": p95, "p99": p99})
    };
    let series = steps.iter().map(|(at, (sli, buckets))| {
        let mut told = sli.told();
        told["at_ms"] = json!(at);
        told["latency_ms"] = percentiles(buckets);
        told
    });
    let open: Option<Open> = read(open)?.pop();
    Ok(json!({
        "from_ms": from,
        "to_ms": now,
        "step_ms": step,
        "objective": OBJECTIVE_PER_MILLE as f64 / 1_000.0,
        "all": all.told(),
        "latency_ms": percentiles(&buckets),
        "open": open.map(|it| json!({"count": it.count, "oldest_age_ms": it.oldest.map(|since| now.0.saturating_sub(since))})),
        "series": series.collect::<Vec<_>>(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burn_of_one_uses_up_the_budget_and_no_requests_use_up_nothing() {
        let told = of(995, 5);
        assert!(
            (told["burn"].as_f64().unwrap() - 1.0).abs() < 1e-9 && told["budget_left"].as_f64().unwrap().abs() < 1e-9
        );
        assert_eq!(of(0, 0)["success"], Value::Null);
    }

    #[test]
    fn a_no_is_a_good_answer_and_a_tenants_trouble_is_no_facilitators() {
        let mut sli = Sli::default();
        sli.add("verify_failed", "insufficient_funds", 2);
        sli.add("unavailable", "settlement_ledger_unavailable", 3);
        sli.add("unavailable", "facilitators_unavailable", 1);
        assert_eq!(sli, Sli { verify_good: 2, verify_bad: 1, ..Sli::default() });
    }
}
