//! What an incident looked like: who was there, how many came when, and how each facilitator behaved. Pure.

use super::{
    lines::{Logged, What},
    names,
};
use reports::event::{DispatcherRequest, FacilitatorAttempt, FacilitatorEndpoint};
use scenario::MAX_BLOCKS;
use std::collections::{BTreeMap, BTreeSet};

/// Traffic is counted in stretches of so many seconds at least, and in as many stretches as a scenario may have blocks.
const STRETCH_S: u64 = 5;
/// Failures of one kind that are no further apart are one fault; where they make more faults than a scenario may have, twice
/// that, and so on.
const APART_S: u64 = 3;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Incident {
    /// In order of being asked first.
    pub facilitators: Vec<String>,
    /// By id: whether its callers pay.
    pub tenants: BTreeMap<String, bool>,
    pub seconds: u64,
    /// How long a stretch of traffic is.
    pub stretch_s: u64,
    /// Arrivals in each stretch: those who pay, and those who only ask.
    pub traffic: Vec<(u64, u64)>,
    pub faults: Vec<Fault>,
    /// What the log calls otherwise.
    pub renamed: Vec<Renamed>,
}

/// An id of the log that is no name, and the name that stands for it everywhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// `facilitator` or `tenant`.
    pub kind: &'static str,
    pub name: String,
    pub logged: String,
}

/// Calls of one facilitator that failed alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub facilitator: String,
    pub call: FacilitatorEndpoint,
    /// As the dispatcher's log calls it.
    pub result: String,
    /// Whether a payment in whose settlement it happened turned out to be settled.
    pub money_moved: bool,
    /// Seconds since the incident began, the last one over.
    pub from_s: u64,
    pub to_s: u64,
    /// Of the calls in that time.
    pub failed: u64,
    pub of: u64,
}

impl Incident {
    /// `None` where nothing was logged.
    #[must_use]
    pub fn of(logged: &[Logged]) -> Option<Self> {
        let requests: Vec<_> = logged.iter().filter_map(|line| Some((line.at_ms, request(line)?))).collect();
        let began_ms = requests.iter().map(|(at_ms, line)| at_ms.saturating_sub(line.ms)).min()?;
        let ended_ms = requests.iter().map(|(at_ms, _)| *at_ms).max()?;
        let second = |at_ms: u64| at_ms.saturating_sub(began_ms) / 1_000;
        let settled: BTreeSet<_> = logged.iter().filter_map(settled).collect();
        let seconds = second(ended_ms) + 1;
        let stretch_s = seconds.div_ceil(MAX_BLOCKS as u64).max(STRETCH_S);
        let traffic = vec![(0, 0); seconds.div_ceil(stretch_s) as usize];
        let mut incident = Self { seconds, stretch_s, traffic, ..Self::default() };
        let mut seen = BTreeSet::new();
        let mut attempts = Vec::new();
        for (at_ms, line) in &requests {
            let began_s = second(at_ms.saturating_sub(line.ms));
            incident.take(line, began_s, &mut seen);
            attempts.extend(line.attempts.iter().map(|attempt| Attempted {
                attempt,
                at_s: began_s,
                moved: line.payment.as_deref().is_some_and(|payment| settled.contains(payment)),
            }));
        }
        // Lines come in the order in which requests ended, and one that hung began before others that ended earlier. In
        // the order of beginning, a fault's first call is its earliest one, and no two faults of a kind overlap.
        attempts.sort_by_key(|tried| tried.at_s);
        let mut apart_s = APART_S;
        incident.faults = faults(&attempts, apart_s);
        while incident.faults.len() > MAX_BLOCKS && apart_s < incident.seconds {
            apart_s *= 2;
            incident.faults = faults(&attempts, apart_s);
        }
        incident.rename();
        Some(incident)
    }

    /// Whatever the platform's operators call them, a scenario has names.
    fn rename(&mut self) {
        let facilitators = names::of(&self.facilitators, "facilitator");
        let tenants = names::of(&self.tenants.keys().cloned().collect::<Vec<_>>(), "tenant");
        self.facilitators = self.facilitators.iter().map(|id| facilitators[id].clone()).collect();
        self.tenants = self.tenants.iter().map(|(id, pays)| (tenants[id].clone(), *pays)).collect();
        for fault in &mut self.faults {
            fault.facilitator = facilitators[&fault.facilitator].clone();
        }
        for (kind, names) in [("facilitator", facilitators), ("tenant", tenants)] {
            let changed = names.into_iter().filter(|(logged, name)| logged != name);
            self.renamed.extend(changed.map(|(logged, name)| Renamed { kind, name, logged }));
        }
    }

    fn take<'a>(&mut self, line: &'a DispatcherRequest, began_s: u64, seen: &mut BTreeSet<&'a str>) {
        // Whoever was asked, for a fault may be on it.
        for attempt in &line.attempts {
            if !self.facilitators.contains(&attempt.facilitator) {
                self.facilitators.push(attempt.facilitator.clone());
            }
        }
        let Some(tenant) = &line.tenant_id else { return };
        let pays = line.payment.is_some() || line.code.as_deref() == Some("payment_required");
        *self.tenants.entry(tenant.clone()).or_default() |= pays;
        let (paid, unpaid) = &mut self.traffic[(began_s / self.stretch_s) as usize];
        match &line.payment {
            // A payment that comes again is the same purchase; its bill was one of those who only asked.
            Some(payment) if seen.insert(payment) => {
                *paid += 1;
                *unpaid = unpaid.saturating_sub(1);
            }
            Some(_) => {}
            None => *unpaid += 1,
        }
    }
}

struct Attempted<'a> {
    attempt: &'a FacilitatorAttempt,
    at_s: u64,
    moved: bool,
}

/// Of attempts in the order in which their requests began.
fn faults(attempts: &[Attempted<'_>], apart_s: u64) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    for Attempted { attempt, at_s, moved } in attempts.iter().filter(|tried| is_failure(&tried.attempt.result)) {
        let same = faults.iter_mut().rev().find(|fault| {
            (&fault.facilitator, fault.call, &fault.result) == (&attempt.facilitator, attempt.call, &attempt.result)
                && *at_s <= fault.to_s + apart_s
        });
        match same {
            Some(fault) => {
                fault.to_s = fault.to_s.max(at_s + 1);
                fault.failed += 1;
                fault.money_moved |= moved;
            }
            None => faults.push(Fault {
                facilitator: attempt.facilitator.clone(),
                call: attempt.call,
                result: attempt.result.clone(),
                money_moved: *moved,
                from_s: *at_s,
                to_s: at_s + 1,
                failed: 1,
                of: 0,
            }),
        }
    }
    for fault in &mut faults {
        let asked = |tried: &&Attempted<'_>| {
            tried.attempt.facilitator == fault.facilitator
                && tried.attempt.call == fault.call
                && (fault.from_s..fault.to_s).contains(&tried.at_s)
                && !is_unasked(&tried.attempt.result)
        };
        fault.of = attempts.iter().filter(asked).count() as u64;
    }
    faults.sort_by_key(|fault| (fault.from_s, fault.facilitator.clone()));
    faults
}

fn is_failure(result: &str) -> bool {
    result != "ok" && !is_unasked(result)
}

/// What the dispatcher says where it did not ask.
fn is_unasked(result: &str) -> bool {
    ["quarantined", "cannot_serve", "no_time_left"].contains(&result)
}

fn request(line: &Logged) -> Option<&DispatcherRequest> {
    match &line.what {
        What::Request(line) => Some(line),
        What::Payment(_) => None,
    }
}

fn settled(line: &Logged) -> Option<&str> {
    match &line.what {
        What::Payment(line) if line.stage == "settled" => Some(&line.payment),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(at_ms: u64, ms: u64) -> Logged {
        let attempt = FacilitatorAttempt {
            facilitator: "primary".to_owned(),
            call: FacilitatorEndpoint::Settle,
            result: "timeout".to_owned(),
            ms,
        };
        let line = DispatcherRequest {
            request_id: "r".to_owned(),
            tenant_id: Some("acme".to_owned()),
            route: "GET /".to_owned(),
            status: 502,
            code: None,
            payment: None,
            transaction: None,
            attempts: vec![attempt],
            ms,
        };
        Logged { at_ms, what: What::Request(line) }
    }

    #[test]
    fn a_fault_begins_with_its_earliest_call_whichever_ended_first() {
        // Began at 0, 12, 10 and 40 s, in the order of their ends.
        let logged = [failed(1_000, 1_000), failed(13_000, 1_000), failed(14_000, 4_000), failed(41_000, 1_000)];
        let incident = Incident::of(&logged).expect("there are requests");
        let found: Vec<_> = incident.faults.iter().map(|it| (it.from_s, it.to_s, it.failed, it.of)).collect();
        assert_eq!(found, [(0, 1, 1, 1), (10, 13, 2, 2), (40, 41, 1, 1)]);
    }
}
