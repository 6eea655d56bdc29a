//! How each facilitator did at each kind of call, out of all that the log says of it: attempts of request lines, payments that an
//! alarm took up, and changes of standing. Pure.

use super::evidence::{Evidence, What};
use reports::event::{DispatcherRequest, FacilitatorEndpoint};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Failures that successes interrupt are one fault by chance if they are no further apart.
const APART_MS: u64 = 15_000;
/// A success that took so long is an illness, if the others took a fifth of that.
const SLOW_MS: u64 = 1_000;
/// A fault begins before the first call that it took, and ends before the first that it did not: at most so long.
const LEAD_MS: u64 = 500;

/// One call, as the log tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub start_ms: u64,
    pub end_ms: u64,
    pub result: String,
    pub payment: Option<String>,
    /// Not told by the request that waited for it.
    pub beside: bool,
    /// It said that an earlier call of its payment had settled it.
    pub confirms: bool,
}

/// The calls that a fault took, of those in its time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    All,
    /// Each so-manyth.
    Every(u64),
    /// A share of them.
    Share(f64),
}

/// A stretch in which a facilitator failed in one way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Illness {
    pub facilitator: String,
    pub call: FacilitatorEndpoint,
    /// The reason code of the dispatcher's log, or `slow`.
    pub result: String,
    pub from_ms: u64,
    pub to_ms: u64,
    /// Whether a call was answered well afterwards.
    pub healed: bool,
    pub failed: u64,
    /// The number of calls in that time.
    pub of: u64,
    pub pattern: Pattern,
    /// Whether a payment in whose settlement it happened turned out to be settled; `None`: none was ever cleared up.
    pub money_moved: Option<bool>,
    /// How late its answers were.
    pub slow_ms: Option<u64>,
    /// Payments that it met.
    pub payments: u64,
}

/// Calls by facilitator and kind.
pub type Calls = BTreeMap<(String, FacilitatorEndpoint), Vec<Call>>;

/// Every call that the log tells of, in the order of time.
pub fn of(evidence: &[Evidence]) -> Calls {
    let mut calls = Calls::new();
    let mut last_failure: BTreeMap<(String, FacilitatorEndpoint), String> = BTreeMap::new();
    // A line about a call in vain comes when its time is over.
    let waited_ms = timeouts(evidence);
    let began = |at_ms: u64, key: &(String, FacilitatorEndpoint), result: &str| match result {
        "timeout" => at_ms.saturating_sub(waited_ms.get(&key.1).copied().unwrap_or_default()),
        _ => at_ms,
    };
    // When an alarm last set out to settle each payment: it waits longer each time.
    let mut set_out: BTreeMap<&str, u64> = BTreeMap::new();
    for Evidence { at_ms, what } in evidence {
        match what {
            What::Request { line, .. } => {
                for (key, call) in attempts(*at_ms, line) {
                    if !is_well(&call.result) {
                        last_failure.insert(key.clone(), call.result.clone());
                    }
                    calls.entry(key).or_default().push(call);
                }
            }
            // What an alarm did. A request's own are among its attempts.
            What::Payment(line) if line.request_id.is_none() => {
                if line.stage == "settling" {
                    set_out.insert(&line.payment, *at_ms);
                }
                let Some(facilitator) = &line.facilitator else { continue };
                let key = (facilitator.clone(), FacilitatorEndpoint::Settle);
                let result = match line.stage.as_str() {
                    "settled" => "ok".to_owned(),
                    "unknown" => line
                        .reason
                        .clone()
                        .filter(|reason| reason != "settlement_pending")
                        .or_else(|| last_failure.get(&key).cloned())
                        .unwrap_or_else(|| "timeout".to_owned()),
                    _ => continue,
                };
                let payment = Some(line.payment.clone());
                let start_ms = set_out.remove(line.payment.as_str()).unwrap_or_else(|| began(*at_ms, &key, &result));
                let call = Call { start_ms, end_ms: *at_ms, result, payment, beside: true, confirms: false };
                calls.entry(key).or_default().push(call);
            }
            What::Standing(line) => {
                let result = match (line.to.as_str(), line.reason.as_str()) {
                    // It is about to be asked.
                    ("probing", _) => continue,
                    (_, "answered") => "ok".to_owned(),
                    (_, reason) => reason.to_owned(),
                };
                let key = (line.facilitator.clone(), line.call);
                let start_ms = began(*at_ms, &key, &result);
                let call = Call { start_ms, end_ms: *at_ms, result, payment: None, beside: true, confirms: false };
                calls.entry(key).or_default().push(call);
            }
            _ => {}
        }
    }
    for calls in calls.values_mut() {
        calls.sort_by_key(|call| (call.start_ms, call.end_ms));
        hear_repeats(calls);
        leave_out_what_others_contradict(calls);
    }
    calls
}

/// An alarm's line does not say why its payment is still unknown. Where others were answered well at that time, it was not a silence.
fn leave_out_what_others_contradict(calls: &mut Vec<Call>) {
    let well: Vec<u64> =
        calls.iter().filter(|call| !call.beside && is_well(&call.result)).map(|call| call.start_ms).collect();
    calls.retain(|call| {
        let is_guess = call.beside && call.payment.is_some() && !is_well(&call.result);
        !(is_guess && well.iter().any(|at_ms| (call.start_ms..=call.end_ms).contains(at_ms)))
    });
}

/// How long a call is waited for in vain, as configured: most calls are first ones, and a payment that is asked about again is
/// waited for longer each time.
pub fn timeouts(evidence: &[Evidence]) -> BTreeMap<FacilitatorEndpoint, u64> {
    let mut waited: BTreeMap<FacilitatorEndpoint, BTreeMap<u64, u64>> = BTreeMap::new();
    for it in evidence {
        let What::Request { line, .. } = &it.what else { continue };
        for attempt in line.attempts.iter().filter(|attempt| attempt.result == "timeout") {
            *waited.entry(attempt.call).or_default().entry(attempt.ms / 100 * 100).or_default() += 1;
        }
    }
    // Of those that are as frequent the shortest.
    let usual = |times: BTreeMap<u64, u64>| times.into_iter().rev().max_by_key(|(_, count)| *count).map(|(ms, _)| ms);
    waited.into_iter().filter_map(|(call, times)| Some((call, usual(times)?))).collect()
}

/// Tells whether a facilitator says so when asked again to settle what it has settled. It answers, and so it is well.
pub fn is_repeats(result: &str) -> bool {
    result == "invalid_transaction_state" || result.ends_with("nonce_already_used")
}

fn hear_repeats(calls: &mut [Call]) {
    let mut asked: BTreeSet<String> = BTreeSet::new();
    for call in calls {
        let Some(payment) = &call.payment else { continue };
        if !asked.insert(payment.clone()) && is_repeats(&call.result) {
            call.result = "ok".to_owned();
            call.confirms = true;
        }
    }
}

/// The calls of a request that were made and came to nothing.
pub fn failed(line: &DispatcherRequest) -> impl Iterator<Item = FacilitatorEndpoint> {
    let made = line.attempts.iter().filter(|attempt| is_made(&attempt.result));
    made.filter(|attempt| !is_well(&attempt.result) && !is_repeats(&attempt.result)).map(|attempt| attempt.call)
}

/// Tells whether a call was made at all.
fn is_made(result: &str) -> bool {
    !["quarantined", "cannot_serve", "no_time_left", "busy"].contains(&result)
}

/// The times of a request's attempts: verifications from its beginning on, settlements up to its end.
fn attempts(at_ms: u64, line: &DispatcherRequest) -> Vec<((String, FacilitatorEndpoint), Call)> {
    let mut made = Vec::new();
    let mut place = |attempt: &reports::event::FacilitatorAttempt, start_ms: u64| {
        let call = Call {
            start_ms,
            end_ms: start_ms + attempt.ms,
            result: attempt.result.clone(),
            payment: line.payment.clone(),
            beside: false,
            confirms: false,
        };
        made.push(((attempt.facilitator.clone(), attempt.call), call));
    };
    let mut forward_ms = at_ms.saturating_sub(line.ms);
    let is_settle = |attempt: &&reports::event::FacilitatorAttempt| attempt.call == FacilitatorEndpoint::Settle;
    for attempt in line.attempts.iter().filter(|attempt| !is_settle(attempt) && is_made(&attempt.result)) {
        place(attempt, forward_ms);
        forward_ms += attempt.ms;
    }
    let mut backward_ms = at_ms;
    for attempt in line.attempts.iter().rev().filter(|attempt| is_settle(attempt) && is_made(&attempt.result)) {
        backward_ms = backward_ms.saturating_sub(attempt.ms).max(forward_ms.min(backward_ms));
        place(attempt, backward_ms);
    }
    made
}

fn is_well(result: &str) -> bool {
    result == "ok"
}

/// The illnesses of one facilitator at one kind of call. `settled` are payments that were settled in the end, `refused` those that
/// were not. `ended_ms` is the log's end.
pub fn illnesses(
    key: &(String, FacilitatorEndpoint),
    calls: &[Call],
    settled: &BTreeSet<&str>,
    refused: &BTreeSet<&str>,
    ended_ms: u64,
) -> Vec<Illness> {
    let failed: Vec<usize> = (0..calls.len()).filter(|n| !is_well(&calls[*n].result)).collect();
    let mut found: Vec<Illness> = stretches(calls, &failed)
        .into_iter()
        .flat_map(|stretch| by_result(calls, stretch))
        .map(|stretch| illness(key, calls, &stretch, settled, refused, ended_ms))
        .collect();
    found.extend(slow(key, calls, ended_ms));
    found.sort_by_key(|illness| illness.from_ms);
    found
}

/// Positions of failures that belong together: without a success between them, or so near to each other that the successes between
/// are the pattern.
fn stretches(calls: &[Call], failed: &[usize]) -> Vec<Vec<usize>> {
    let mut runs: Vec<Vec<usize>> = Vec::new();
    for &n in failed {
        match runs.last_mut() {
            // A call that began before the last failure had ended says nothing of what came between.
            Some(run) if calls[run[run.len() - 1] + 1..n].iter().all(|call| !is_well(&call.result)) => run.push(n),
            _ => runs.push(vec![n]),
        }
    }
    let mut joined: Vec<Vec<usize>> = Vec::new();
    for run in runs {
        match joined.last_mut() {
            Some(before) if calls[run[0]].start_ms <= calls[before[before.len() - 1]].end_ms + APART_MS => {
                before.extend(run)
            }
            _ => joined.push(run),
        }
    }
    joined
}

/// Parts a stretch where the way of failing changes for good; one that changes to and fro is of the way that is most frequent.
fn by_result(calls: &[Call], stretch: Vec<usize>) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for n in &stretch {
        match parts.last_mut() {
            Some(part) if calls[part[0]].result == calls[*n].result => part.push(*n),
            _ => parts.push(vec![*n]),
        }
    }
    let kinds: BTreeSet<&str> = stretch.iter().map(|n| calls[*n].result.as_str()).collect();
    if parts.len() == kinds.len() { parts } else { vec![stretch] }
}

fn illness(
    key: &(String, FacilitatorEndpoint),
    calls: &[Call],
    stretch: &[usize],
    settled: &BTreeSet<&str>,
    refused: &BTreeSet<&str>,
    ended_ms: u64,
) -> Illness {
    let (first, last) = (stretch[0], stretch[stretch.len() - 1]);
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    stretch.iter().for_each(|n| *counts.entry(&calls[*n].result).or_default() += 1);
    let result =
        counts.iter().max_by_key(|(_, count)| **count).map(|(result, _)| (*result).to_owned()).unwrap_or_default();
    let within = &calls[first..=last];
    let direct = |calls: &[Call]| calls.iter().filter(|call| !call.beside).count() as u64;
    let failed = stretch.iter().filter(|n| !calls[**n].beside).count() as u64;
    let pattern = pattern(calls, stretch);
    let before = calls[..first].iter().rev().find(|call| is_well(&call.result));
    let earliest = match pattern {
        // The calls before the first that it took count as well.
        Pattern::Every(step) => {
            let counted: Vec<&Call> = calls[..first].iter().rev().filter(|call| !call.beside).collect();
            counted.get(step.saturating_sub(2) as usize).map_or(calls[first].start_ms, |call| call.start_ms)
        }
        _ => calls[first].start_ms,
    };
    let lead =
        before.filter(|before| before.start_ms < earliest).map_or(LEAD_MS, |before| (earliest - before.start_ms) / 2);
    let after = calls[last + 1..].iter().find(|call| is_well(&call.result));
    // A failure in another way begins another fault.
    let next_other = calls.get(last + 1).filter(|call| !is_well(&call.result));
    let last_start = calls[last].start_ms;
    let to_ms = match (next_other, after) {
        (Some(other), _) => last_start + (other.start_ms - last_start).div_ceil(2),
        (None, Some(well)) => well.start_ms - ((well.start_ms - last_start) / 2).min(LEAD_MS),
        (None, None) => ended_ms.max(calls[last].end_ms),
    };
    let payments: BTreeSet<&str> = stretch.iter().filter_map(|n| calls[*n].payment.as_deref()).collect();
    // One that was asked again and said yes may have settled it only then.
    let was_settled_then = |payment: &&str| {
        let of_it = |call: &&Call| call.payment.as_deref() == Some(*payment) && is_well(&call.result);
        let later: Vec<&Call> = calls[first..].iter().filter(of_it).collect();
        later.iter().any(|call| call.confirms) || (later.is_empty() && settled.contains(payment))
    };
    let money_moved = if payments.iter().any(was_settled_then) {
        Some(true)
    } else if payments.iter().any(|payment| refused.contains(payment)) {
        Some(false)
    } else {
        None
    };
    Illness {
        facilitator: key.0.clone(),
        call: key.1,
        result,
        from_ms: earliest.saturating_sub(lead.min(LEAD_MS)),
        to_ms: to_ms.max(calls[last].start_ms + 1),
        healed: after.is_some(),
        failed,
        of: direct(within).max(failed),
        pattern,
        money_moved,
        slow_ms: None,
        payments: payments.len() as u64,
    }
}

/// All, if no success lies between; else each so-manyth if they lie evenly, else a share.
fn pattern(calls: &[Call], stretch: &[usize]) -> Pattern {
    let (first, last) = (stretch[0], stretch[stretch.len() - 1]);
    let direct: Vec<usize> = (first..=last).filter(|n| !calls[*n].beside).collect();
    if calls[first..=last].iter().all(|call| !is_well(&call.result)) || direct.is_empty() {
        return Pattern::All;
    }
    let places: Vec<usize> = (0..direct.len()).filter(|n| stretch.contains(&direct[*n])).collect();
    let steps: BTreeSet<usize> = places.windows(2).map(|pair| pair[1] - pair[0]).collect();
    match (steps.first(), steps.len()) {
        (Some(step), 1) if *step > 1 && places.len() >= 3 => Pattern::Every(*step as u64),
        _ => Pattern::Share((places.len() as f64 / direct.len() as f64).clamp(0.01, 0.99)),
    }
}

/// Stretches in which answers were good and late.
fn slow(key: &(String, FacilitatorEndpoint), calls: &[Call], ended_ms: u64) -> Vec<Illness> {
    let well: Vec<&Call> = calls.iter().filter(|call| is_well(&call.result) && !call.beside).collect();
    let took = |call: &Call| call.end_ms - call.start_ms;
    let mut times: Vec<u64> = well.iter().map(|call| took(call)).collect();
    times.sort_unstable();
    let usual = times.get(times.len() / 4).copied().unwrap_or_default();
    let is_late = |call: &Call| took(call) >= SLOW_MS.max(usual * 5);
    let late: Vec<usize> = (0..well.len()).filter(|n| is_late(well[*n])).collect();
    if late.len() < 3 {
        return Vec::new();
    }
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for n in late {
        match groups.last_mut() {
            Some(group) if well[n].start_ms <= well[group[group.len() - 1]].end_ms + APART_MS => group.push(n),
            _ => groups.push(vec![n]),
        }
    }
    let made = groups.into_iter().map(|group| {
        let (first, last) = (group[0], group[group.len() - 1]);
        let mut times: Vec<u64> = group.iter().map(|n| took(well[*n])).collect();
        times.sort_unstable();
        let of = (last - first + 1) as u64;
        let places: BTreeSet<usize> = group.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let pattern = match (group.len() as u64 == of, places.first(), places.len()) {
            (true, ..) => Pattern::All,
            (_, Some(step), 1) if group.len() >= 3 => Pattern::Every(*step as u64),
            _ => Pattern::Share((group.len() as f64 / of as f64).clamp(0.01, 0.99)),
        };
        let back = match pattern {
            Pattern::Every(step) => first.saturating_sub(step.saturating_sub(1) as usize),
            _ => first,
        };
        let after = well.get(last + 1);
        let last_start = well[last].start_ms;
        Illness {
            facilitator: key.0.clone(),
            call: key.1,
            result: "slow".to_owned(),
            from_ms: well[back].start_ms.saturating_sub(1),
            to_ms: after
                .map_or(ended_ms, |next| last_start + (next.start_ms.saturating_sub(last_start)).div_ceil(2))
                .max(last_start + 1),
            healed: after.is_some(),
            failed: group.len() as u64,
            of,
            pattern,
            money_moved: Some(true),
            slow_ms: times.get(times.len() / 2).copied(),
            payments: group.len() as u64,
        }
    });
    made.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> (String, FacilitatorEndpoint) {
        ("primary".to_owned(), FacilitatorEndpoint::Settle)
    }

    /// One call a second.
    fn calls(results: &[&str]) -> Vec<Call> {
        let call = |(n, result): (usize, &&str)| Call {
            start_ms: n as u64 * 1_000,
            end_ms: n as u64 * 1_000 + 10,
            result: (*result).to_owned(),
            payment: Some(format!("p{n}")),
            beside: false,
            confirms: false,
        };
        results.iter().enumerate().map(call).collect()
    }

    fn found(calls: &[Call]) -> Vec<Illness> {
        illnesses(&key(), calls, &BTreeSet::from(["p3"]), &BTreeSet::new(), calls.len() as u64 * 1_000)
    }

    #[test]
    fn failures_without_a_success_between_are_one_fault_of_every_call() {
        let ill = found(&calls(&["ok", "ok", "timeout", "timeout", "timeout", "ok", "ok"]));
        assert_eq!(ill.len(), 1);
        let Illness { from_ms, to_ms, failed, of, pattern, healed, money_moved, .. } = ill[0].clone();
        assert_eq!((failed, of, pattern, healed, money_moved), (3, 3, Pattern::All, true, Some(true)));
        assert!((1_001..=2_000).contains(&from_ms) && (4_001..=5_000).contains(&to_ms), "{from_ms} to {to_ms}");
    }

    #[test]
    fn one_that_never_heals_lasts_to_the_logs_end() {
        let ill = found(&calls(&["ok", "timeout", "timeout"]));
        assert_eq!((ill[0].to_ms, ill[0].healed, ill[0].money_moved), (3_000, false, None));
    }

    #[test]
    fn the_way_of_failing_may_change_and_a_pattern_is_seen() {
        let changed = found(&calls(&["timeout", "timeout", "http_503", "http_503", "ok"]));
        let told: Vec<_> = changed.iter().map(|it| (it.result.as_str(), it.failed, it.from_ms < it.to_ms)).collect();
        assert_eq!(told, [("timeout", 2, true), ("http_503", 2, true)]);
        assert!(changed[0].to_ms <= changed[1].from_ms + LEAD_MS);
        let third = found(&calls(&["ok", "ok", "http_500", "ok", "ok", "http_500", "ok", "ok", "http_500"]));
        assert_eq!((third.len(), third[0].pattern), (1, Pattern::Every(3)));
        assert!(third[0].from_ms <= 1, "the two before the first count as well: {}", third[0].from_ms);
        let odd = found(&calls(&["http_500", "ok", "http_500", "http_500", "ok", "http_500"]));
        assert!(matches!(odd[..], [Illness { pattern: Pattern::Share(share), .. }] if share > 0.6));
    }

    #[test]
    fn what_an_alarm_saw_and_how_it_stood_join_what_requests_saw() {
        let mut all = calls(&["ok", "timeout", "ok"]);
        // The last one comes half a minute later; in between there are only an alarm's failure and a probe's.
        all[2].start_ms = 31_000;
        all[2].end_ms = 31_010;
        for start_ms in [12_000, 25_000] {
            let result = "timeout".to_owned();
            all.push(Call { start_ms, end_ms: start_ms, result, payment: None, beside: true, confirms: false });
        }
        all.sort_by_key(|call| call.start_ms);
        let ill = found(&all);
        assert_eq!((ill.len(), ill[0].failed, ill[0].pattern), (1, 1, Pattern::All));
        assert!(ill[0].to_ms > 30_000, "{}", ill[0].to_ms);
    }

    #[test]
    fn the_answer_to_a_repeat_is_no_failure() {
        let mut all = calls(&["timeout", "timeout", "invalid_transaction_state", "ok"]);
        all[2].payment = Some("p0".to_owned());
        hear_repeats(&mut all);
        let ill = found(&all);
        assert_eq!((ill.len(), ill[0].failed, ill[0].pattern), (1, 2, Pattern::All));
        assert_eq!(ill[0].money_moved, Some(true), "it says that it had settled it");
    }

    #[test]
    fn a_settlement_that_was_asked_for_twice_says_nothing_of_the_first_time() {
        let mut all = calls(&["timeout", "timeout", "ok"]);
        all[2].payment = Some("p1".to_owned());
        let found = |settled: &[&str]| {
            let settled = settled.iter().copied().collect();
            illnesses(&key(), &all, &settled, &BTreeSet::new(), 9_000)[0].money_moved
        };
        assert_eq!(found(&["p1"]), None);
        assert_eq!(found(&["p0", "p1"]), Some(true), "nobody asked again about the first");
    }

    #[test]
    fn a_time_out_is_as_long_as_most_are_and_an_alarms_call_began_when_it_set_out() {
        use crate::incident::evidence::{Evidence, What};
        use reports::event::{DispatcherPayment, FacilitatorAttempt};
        let attempt = |ms| FacilitatorAttempt {
            facilitator: "primary".to_owned(),
            call: FacilitatorEndpoint::Settle,
            result: "timeout".to_owned(),
            ms,
        };
        let request = |at_ms, ms| {
            let line = DispatcherRequest {
                request_id: format!("r{at_ms}"),
                tenant_id: Some("acme".to_owned()),
                route: "GET /".to_owned(),
                status: 503,
                code: Some("settlement_pending".to_owned()),
                payment: Some(format!("p{at_ms}")),
                transaction: None,
                attempts: vec![attempt(ms)],
                ms,
            };
            Evidence { at_ms, what: What::Request { line, limits: None } }
        };
        let stage = |at_ms, stage: &str| {
            let line = DispatcherPayment {
                request_id: None,
                tenant_id: "acme".to_owned(),
                payment: "p20000".to_owned(),
                stage: stage.to_owned(),
                reason: None,
                facilitator: Some("primary".to_owned()),
                transaction: None,
            };
            Evidence { at_ms, what: What::Payment(line) }
        };
        let log = [
            request(20_000, 5_003),
            request(21_000, 5_001),
            request(30_000, 20_000),
            stage(32_000, "settling"),
            stage(42_000, "unknown"),
        ];
        assert_eq!(timeouts(&log)[&FacilitatorEndpoint::Settle], 5_000);
        let calls = of(&log);
        let alarm = calls[&key()].iter().find(|call| call.beside).expect("an alarm asked");
        assert_eq!((alarm.start_ms, alarm.end_ms), (32_000, 42_000));
    }

    #[test]
    fn good_answers_that_come_late_are_an_illness() {
        let mut all = calls(&["ok"; 9]);
        for n in [3, 4, 5] {
            all[n].end_ms = all[n].start_ms + 3_000;
        }
        let ill = found(&all);
        assert_eq!(
            (ill.len(), ill[0].result.as_str(), ill[0].slow_ms, ill[0].pattern),
            (1, "slow", Some(3_000), Pattern::All)
        );
    }
}
