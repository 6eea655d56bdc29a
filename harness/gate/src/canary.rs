//! A gradual deployment: a flat JSON of metrics of the old version and the new one, judged by the budgets of the gate and told in
//! the words of Argo Rollouts.
//!
//! Surprising constraint: a name that is misspelt must not pass for a metric that is fine. So whatever is missing, unknown, or no
//! number is an error, and an error is no success.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::CanaryBudgets;

/// Standard deviations of the normal distribution that 99 % lie within.
const DEVIATIONS: f64 = 2.576;

/// The figures that are told of both versions.
const OF_EACH: [&str; 7] = ["requests", "errors", "p95_ms", "p99_ms", "cpu_ms", "paid", "settled"];
/// The events that the new version must have none of.
const NEVER: [(&str, &str); 4] = [
    ("new.refused_after_unknown", "payments of unknown outcome that were answered with 402"),
    ("new.settled_twice", "payments that were settled twice"),
    ("new.dispatches_without_limits", "dispatches without their limits"),
    ("new.foreign_bytes", "answers with another tenant's bytes"),
];
const VERSIONS: [&str; 2] = ["old", "new"];

/// The words of Argo Rollouts for the result of an analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Phase {
    Successful,
    /// A person decides.
    Inconclusive,
    Failed,
    /// The metrics could not be read.
    Error,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Analysis {
    pub phase: Phase,
    pub message: String,
    pub measurements: Vec<Measurement>,
}

/// One metric, judged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measurement {
    pub metric: String,
    pub phase: Phase,
    pub value: String,
    pub budget: String,
}

type Metrics = BTreeMap<String, f64>;

/// Judges the text of a metrics file.
#[must_use]
pub fn judge(text: &str, budgets: &CanaryBudgets) -> Analysis {
    match read(text) {
        Err(message) => Analysis { phase: Phase::Error, message, measurements: Vec::new() },
        Ok(metrics) => analysed(&metrics, budgets),
    }
}

fn analysed(metrics: &Metrics, budgets: &CanaryBudgets) -> Analysis {
    let of = |version: &str, name: &str| metrics[&format!("{version}.{name}")];
    let mut measurements: Vec<Measurement> = NEVER.iter().map(|(key, says)| never(metrics[*key], says)).collect();
    measurements.push(errors(metrics, budgets.error_share));
    for (name, most) in [("p95_ms", budgets.p95), ("p99_ms", budgets.p99), ("cpu_ms", budgets.cpu)] {
        measurements.push(ratio(name, of("new", name), of("old", name), most));
    }
    measurements.push(books(of("new", "paid"), of("new", "settled")));
    let requests = of("new", "requests");
    let enough = requests >= budgets.least_requests as f64 && of("old", "requests") >= budgets.least_requests as f64;
    if !enough {
        measurements.push(Measurement {
            metric: "requests".to_owned(),
            phase: Phase::Inconclusive,
            value: format!("{requests}"),
            budget: format!("at least {} at each version", budgets.least_requests),
        });
        // What only many requests can tell is not told by few. What must never be is seen in one.
        for measured in measurements.iter_mut().skip(NEVER.len()) {
            measured.phase = Phase::Inconclusive;
        }
    }
    let phase = measurements.iter().map(|measured| measured.phase).max().unwrap_or(Phase::Error);
    let short: Vec<_> = measurements.iter().filter(|measured| measured.phase != Phase::Successful).collect();
    let message = match short.first() {
        None => "the new version keeps every budget".to_owned(),
        Some(_) => short
            .iter()
            .map(|one| format!("{}: {}, {}", one.metric, one.value, one.budget))
            .collect::<Vec<_>>()
            .join("; "),
    };
    Analysis { phase, message, measurements }
}

fn never(count: f64, says: &str) -> Measurement {
    let phase = if count > 0.0 { Phase::Failed } else { Phase::Successful };
    Measurement { metric: says.to_owned(), phase, value: format!("{count}"), budget: "none".to_owned() }
}

/// The difference of two shares, and the interval that it lies in.
fn errors(metrics: &Metrics, most: f64) -> Measurement {
    let share = |version: &str| {
        let count = metrics[&format!("{version}.requests")].max(1.0);
        (metrics[&format!("{version}.errors")] / count, count)
    };
    let ((new, n), (old, m)) = (share("new"), share("old"));
    // With one more of each, or none at all would seem certain.
    let variance = |share: f64, count: f64| {
        let share = (share * count + 1.0) / (count + 2.0);
        share * (1.0 - share) / (count + 2.0)
    };
    let (difference, half) = (new - old, DEVIATIONS * (variance(new, n) + variance(old, m)).sqrt());
    let phase = match () {
        () if difference - half > most => Phase::Failed,
        () if difference + half <= most || new <= old => Phase::Successful,
        () => Phase::Inconclusive,
    };
    Measurement {
        metric: "errors".to_owned(),
        phase,
        value: format!(
            "{:.3} % new, {:.3} % old, the difference known to {:.3} %",
            new * 100.0,
            old * 100.0,
            half * 100.0
        ),
        budget: format!("at most {:.3} % more", most * 100.0),
    }
}

fn ratio(name: &str, new: f64, old: f64, most: f64) -> Measurement {
    let ratio = new / old;
    let phase = match () {
        () if !ratio.is_finite() => Phase::Inconclusive,
        () if ratio > most => Phase::Failed,
        () => Phase::Successful,
    };
    let value = format!("{new} new, {old} old: {ratio:.2} times");
    Measurement { metric: name.to_owned(), phase, value, budget: format!("at most {most} times") }
}

/// Money that moved and requests that were paid for.
fn books(paid: f64, settled: f64) -> Measurement {
    let phase = if (paid - settled).abs() < 0.5 { Phase::Successful } else { Phase::Inconclusive };
    let value = format!("{paid} served for money, {settled} settled");
    Measurement { metric: "books".to_owned(), phase, value, budget: "equal, once nothing is under way".to_owned() }
}

fn read(text: &str) -> Result<Metrics, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("the metrics are no JSON: {error}"))?;
    let Value::Object(members) = value else { return Err("the metrics are no JSON object".to_owned()) };
    let wanted: BTreeSet<String> = VERSIONS
        .iter()
        .flat_map(|version| OF_EACH.iter().map(move |name| format!("{version}.{name}")))
        .chain(NEVER.iter().map(|(key, _)| (*key).to_owned()))
        .collect();
    let mut metrics = Metrics::new();
    for (key, value) in members {
        if !wanted.contains(&key) {
            let near = wanted.iter().min_by_key(|known| strsim::levenshtein(known, &key)).expect("some are wanted");
            return Err(format!("there is no metric `{key}`; the nearest is `{near}`"));
        }
        let number = value.as_f64().filter(|number| number.is_finite() && *number >= 0.0);
        metrics.insert(key.clone(), number.ok_or_else(|| format!("`{key}` is no number from 0 upwards: {value}"))?);
    }
    let missing: Vec<&str> = wanted.iter().map(String::as_str).filter(|key| !metrics.contains_key(*key)).collect();
    if missing.is_empty() { Ok(metrics) } else { Err(format!("missing: {}", missing.join(", "))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const BUDGETS: CanaryBudgets =
        CanaryBudgets { least_requests: 1_000, error_share: 0.002, p95: 1.25, p99: 1.5, cpu: 1.2 };

    fn metrics(change: impl FnOnce(&mut Value)) -> String {
        let mut metrics = json!({
            "old.requests": 200_000, "old.errors": 40, "old.p95_ms": 20.0, "old.p99_ms": 40.0, "old.cpu_ms": 0.5,
            "old.paid": 9_000, "old.settled": 9_000,
            "new.requests": 20_000, "new.errors": 4, "new.p95_ms": 21.0, "new.p99_ms": 41.0, "new.cpu_ms": 0.5,
            "new.paid": 900, "new.settled": 900,
            "new.refused_after_unknown": 0, "new.settled_twice": 0, "new.dispatches_without_limits": 0,
            "new.foreign_bytes": 0,
        });
        change(&mut metrics);
        metrics.to_string()
    }

    fn phase(change: impl FnOnce(&mut Value)) -> Phase {
        judge(&metrics(change), &BUDGETS).phase
    }

    #[test]
    fn a_version_that_does_as_well_goes_on_and_one_that_does_not_goes_back() {
        assert_eq!(phase(|_| {}), Phase::Successful);
        assert_eq!(phase(|all| all["new.p95_ms"] = json!(26.0)), Phase::Failed);
        assert_eq!(phase(|all| all["new.cpu_ms"] = json!(0.65)), Phase::Failed, "a third slower");
        assert_eq!(phase(|all| all["new.errors"] = json!(400)), Phase::Failed);
        assert_eq!(phase(|all| all["new.paid"] = json!(901)), Phase::Inconclusive);
    }

    #[test]
    fn one_case_of_what_must_never_be_is_enough_however_few_requests_there_were() {
        for (key, _) in NEVER {
            let found = phase(|all| {
                all[key] = json!(1);
                all["new.requests"] = json!(10);
            });
            assert_eq!(found, Phase::Failed, "{key}");
        }
    }

    #[test]
    fn few_requests_decide_nothing() {
        assert_eq!(phase(|all| all["new.requests"] = json!(999)), Phase::Inconclusive);
        let few_and_slow = phase(|all| {
            all["new.requests"] = json!(10);
            all["new.p95_ms"] = json!(900.0);
        });
        assert_eq!(few_and_slow, Phase::Inconclusive);
        // Between 0 and 0.4 %: it may be more than is let through, or not.
        assert_eq!(
            phase(|all| (all["new.requests"], all["new.errors"]) = (json!(2_000), json!(5))),
            Phase::Inconclusive
        );
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_never_a_success() {
        let missing = phase(|all| drop(all.as_object_mut().and_then(|all| all.remove("new.errors"))));
        assert_eq!(missing, Phase::Error);
        let misspelt = judge(&metrics(|all| all["new.eror"] = json!(1)), &BUDGETS);
        assert_eq!(misspelt.message, "there is no metric `new.eror`; the nearest is `new.errors`");
        for wrong in [json!("4"), json!(-1), json!(null)] {
            assert_eq!(phase(|all| all["new.errors"] = wrong), Phase::Error);
        }
        assert_eq!(judge("[]", &BUDGETS).phase, Phase::Error);
        assert_eq!(judge("", &BUDGETS).phase, Phase::Error);
    }
}
