//! COST-4: a facilitator that fails every call is soon left alone but for probes. When it failed is read off what the
//! doubles did, not off what the dispatcher says of it; questions about settlements whose answer was lost are probes too.
//!
//! Where nobody listens (`refuse`) nothing arrives at the double, so there is nothing to judge by.

use super::{Finding, History};
use reports::event::{FacilitatorAnswer, FacilitatorCall, FacilitatorEndpoint};
use std::{collections::BTreeMap, time::Duration};

/// After so many failures in a row a dispatcher has seen enough.
const ENOUGH: usize = 3;
/// Probes that may come close together, while the pauses between them are still short.
const BURST: f64 = 4.0;
/// And so many more for every second.
const PROBES_PER_SECOND: f64 = 1.0;

/// `grace` is for what is under way, and for other isolates to hear of it.
pub fn judge(history: &History, grace: Duration) -> Finding {
    let mut calls: BTreeMap<(&str, FacilitatorEndpoint), Vec<&FacilitatorCall>> = BTreeMap::new();
    for call in &history.calls {
        calls.entry((&call.facilitator, call.endpoint)).or_default().push(call);
    }
    let (mut bad_times, mut probes, mut violations) = (0, 0, Vec::new());
    for ((facilitator, endpoint), mut calls) in calls {
        calls.sort_by_key(|call| call.received_us);
        for failing in runs_of_failures(&calls).into_iter().filter(|failing| failing.len() >= ENOUGH) {
            bad_times += 1;
            let mut ends: Vec<_> = failing.iter().map(|call| call.ended_us).collect();
            ends.sort_unstable();
            let known_us = ends[ENOUGH - 1] + grace.as_micros() as u64;
            let after: Vec<_> = failing.iter().filter(|call| call.received_us >= known_us).collect();
            let Some(last) = after.last() else { continue };
            probes += after.len();
            let seconds = (last.received_us - known_us) as f64 / 1e6;
            if after.len() as f64 > BURST + seconds * PROBES_PER_SECOND {
                violations.push(format!(
                    "{endpoint:?} at {facilitator} had failed {ENOUGH} times by {:.1} s, and got {} more calls within {seconds:.1} s",
                    ends[ENOUGH - 1] as f64 / 1e6,
                    after.len(),
                ));
            }
        }
    }
    let finding = Finding::of(bad_times, "times at which every call failed", violations);
    let detail = format!("{}; {probes} probes", finding.detail);
    finding.with_detail(detail)
}

/// What a call says of its facilitator.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Answers,
    Fails,
    /// A bad request, or a lie that one may or may not see through.
    Nothing,
}

fn says(call: &FacilitatorCall) -> Says {
    let lied = call.fault.as_ref().is_some_and(|fault| fault.inject == "lie");
    match &call.answer {
        _ if lied => Says::Nothing,
        FacilitatorAnswer::None { .. } => Says::Fails,
        FacilitatorAnswer::Sent { ok: Some(_), .. } => Says::Answers,
        FacilitatorAnswer::Sent { status: 400 | 413 | 422, .. } => Says::Nothing,
        FacilitatorAnswer::Sent { ok: None, .. } => Says::Fails,
    }
}

fn runs_of_failures<'a>(calls: &[&'a FacilitatorCall]) -> Vec<Vec<&'a FacilitatorCall>> {
    let mut runs = vec![Vec::new()];
    for call in calls {
        match says(call) {
            Says::Fails => runs.last_mut().expect("it begins with one").push(*call),
            Says::Answers => runs.push(Vec::new()),
            Says::Nothing => {}
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;
    use reports::verdict::Verdict;

    const GRACE: Duration = Duration::from_secs(1);

    /// Every step of a story takes a second.
    fn failures(count: usize, pause: u64) -> Story {
        (0..count).fold(Story::new(), |story, _| story.settle("p1", "primary", NOTHING).pause(pause))
    }

    #[test]
    fn probes_now_and_then_are_a_pass() {
        assert_eq!(judge(&failures(10, 3).history(), GRACE).verdict, Verdict::Pass);
    }

    #[test]
    fn a_dead_facilitator_that_is_asked_on_and_on_is_seen() {
        let mut story = failures(3, 0);
        for second in 0..5 {
            for _ in 0..4 {
                story = story.settle("p1", "primary", GARBLED);
            }
            let _ = second;
        }
        // Twenty calls in the twenty seconds that they take are one a second; at ten times the speed they are not.
        let mut history = story.history();
        assert_eq!(judge(&history, GRACE).verdict, Verdict::Pass);
        for call in &mut history.calls {
            (call.received_us, call.ended_us) = (call.received_us / 10, call.ended_us / 10);
        }
        assert_eq!(judge(&history, Duration::ZERO).verdict, Verdict::Fail);
    }

    #[test]
    fn an_answer_in_between_is_another_beginning_and_refusals_are_answers() {
        let story = failures(2, 0).settle("p1", "primary", NO).settle("p1", "primary", NOTHING);
        assert_eq!(judge(&story.history(), GRACE).verdict, Verdict::Unknown);
    }
}
