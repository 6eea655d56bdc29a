//! Which fault a call gets. A fault is decided per request, never per connection: clients keep sockets open, and a fault
//! that starts later must hit those too.

use super::fault::Inject;
use reports::event::{FacilitatorEndpoint, FaultRef};
use sha3::{Digest, Keccak256};
use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
};

/// One fault on one facilitator.
#[derive(Clone, Debug)]
pub struct FaultSpec {
    pub fault: FaultRef,
    pub call: Call,
    /// Microseconds since the run began.
    pub window: Range<u64>,
    pub pick: Pick,
    pub inject: Inject,
}

/// Which endpoint's calls a fault is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Verify,
    Settle,
    /// `/supported` too.
    Any,
}

/// Which of the calls that reach a fault it takes. Calls that an earlier fault took do not reach it and do not count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pick {
    Every,
    /// The first n calls.
    First(u64),
    /// The n-th call, 1-based, and no other.
    Nth(u64),
    /// Every n-th call.
    EveryNth(u64),
    /// Each call with this probability, drawn from the seed and the call's number: the same in every run.
    Odds {
        share: f64,
        seed: u64,
    },
}

/// What is wrong with a script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    #[error("fault {0}: `refuse` closes the listener, so it takes no `call` and no `pick`")]
    RefuseIsPerListener(usize),
}

/// A facilitator's faults in the order of the scenario, and what they have counted.
#[derive(Debug)]
pub struct Script {
    faults: Vec<FaultSpec>,
    counts: Mutex<Counts>,
}

#[derive(Debug)]
struct Counts {
    calls: [u64; 3],
    /// Calls that reached each fault.
    reached: Vec<u64>,
}

/// A call as the script sees it.
#[derive(Clone, Copy, Debug)]
pub struct Admitted<'a> {
    /// 1-based, per endpoint.
    pub nth: u64,
    /// The fault it gets, with the position in the double's own list.
    pub fault: Option<(usize, &'a FaultSpec)>,
}

/// A window in which nobody listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub fault: FaultRef,
    pub until_us: u64,
}

impl Script {
    pub fn new(faults: Vec<FaultSpec>) -> Result<Self, ScriptError> {
        let per_call = |spec: &&FaultSpec| {
            matches!(spec.inject, Inject::Refuse) && (spec.call != Call::Any || spec.pick != Pick::Every)
        };
        if let Some(spec) = faults.iter().find(per_call) {
            return Err(ScriptError::RefuseIsPerListener(spec.fault.index));
        }
        let counts = Mutex::new(Counts { calls: [0; 3], reached: vec![0; faults.len()] });
        Ok(Self { faults, counts })
    }

    #[must_use]
    pub fn faults(&self) -> &[FaultSpec] {
        &self.faults
    }

    /// Counts the call and names its fault: the first in file order that takes it.
    pub fn admit(&self, endpoint: FacilitatorEndpoint, now_us: u64) -> Admitted<'_> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = &mut counts.calls[endpoint as usize];
        *calls += 1;
        let nth = *calls;
        let takes = |(index, spec): &(usize, &FaultSpec)| {
            spec.reaches(endpoint, now_us) && {
                counts.reached[*index] += 1;
                spec.pick.takes(counts.reached[*index], spec.fault.index)
            }
        };
        let fault = self.faults.iter().enumerate().find(takes);
        Admitted { nth, fault }
    }

    /// Why nobody listens now, if so.
    #[must_use]
    pub fn refusal_at(&self, now_us: u64) -> Option<Refusal> {
        let spec = self.refusals().find(|spec| spec.window.contains(&now_us))?;
        Some(Refusal { fault: spec.fault.clone(), until_us: spec.window.end })
    }

    /// When the listener closes next.
    #[must_use]
    pub fn next_refusal_us(&self, now_us: u64) -> Option<u64> {
        self.refusals().map(|spec| spec.window.start).filter(|start| *start > now_us).min()
    }

    fn refusals(&self) -> impl Iterator<Item = &FaultSpec> {
        self.faults.iter().filter(|spec| matches!(spec.inject, Inject::Refuse) && !spec.window.is_empty())
    }
}

impl FaultSpec {
    fn reaches(&self, endpoint: FacilitatorEndpoint, now_us: u64) -> bool {
        let called = match self.call {
            Call::Verify => endpoint == FacilitatorEndpoint::Verify,
            Call::Settle => endpoint == FacilitatorEndpoint::Settle,
            Call::Any => true,
        };
        called && self.inject.applies_to(endpoint) && self.window.contains(&now_us)
    }
}

impl Pick {
    /// Whether it takes the n-th call, 1-based.
    fn takes(self, n: u64, fault: usize) -> bool {
        match self {
            Self::Every => true,
            Self::First(first) => n <= first,
            Self::Nth(nth) => n == nth,
            Self::EveryNth(step) => step != 0 && n.is_multiple_of(step),
            Self::Odds { share, seed } => draw(seed, fault, n) < share,
        }
    }
}

/// A number in 0..1 that depends on its arguments only, so that calls in flight at once cannot change each other's luck.
fn draw(seed: u64, fault: usize, n: u64) -> f64 {
    let hash = Keccak256::digest([seed.to_be_bytes(), (fault as u64).to_be_bytes(), n.to_be_bytes()].concat());
    let top = hash[..8].iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
    // 53 bits are what an f64 holds exactly.
    (top >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facilitator::fault::After;
    use FacilitatorEndpoint::{Settle, Supported, Verify};

    fn spec(index: usize, call: Call, window: Range<u64>, pick: Pick, inject: Inject) -> FaultSpec {
        FaultSpec {
            fault: FaultRef { index, on: "a".into(), inject: inject.name().into() },
            call,
            window,
            pick,
            inject,
        }
    }

    fn taken(script: &Script, endpoint: FacilitatorEndpoint, calls: u64) -> Vec<u64> {
        (1..=calls).filter(|_| script.admit(endpoint, 5).fault.is_some()).collect()
    }

    #[test]
    fn each_pick_takes_its_calls() {
        for (pick, wanted) in [
            (Pick::Every, vec![1, 2, 3, 4, 5, 6]),
            (Pick::First(2), vec![1, 2]),
            (Pick::Nth(3), vec![3]),
            (Pick::EveryNth(2), vec![2, 4, 6]),
            (Pick::Odds { share: 0.0, seed: 1 }, vec![]),
            (Pick::Odds { share: 1.0, seed: 1 }, vec![1, 2, 3, 4, 5, 6]),
        ] {
            let script = Script::new(vec![spec(0, Call::Any, 0..10, pick, Inject::Hang)]).unwrap();
            assert_eq!(taken(&script, Verify, 6), wanted, "{pick:?}");
        }
    }

    #[test]
    fn odds_come_out_near_their_share_and_alike_for_one_seed() {
        let run = |seed| {
            let pick = Pick::Odds { share: 0.25, seed };
            taken(&Script::new(vec![spec(0, Call::Any, 0..10, pick, Inject::Hang)]).unwrap(), Verify, 4_000)
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        assert!((850..1_150).contains(&run(1).len()), "{}", run(1).len());
    }

    #[test]
    fn the_first_fault_in_file_order_wins_and_each_counts_what_reaches_it() {
        let script = Script::new(vec![
            spec(0, Call::Settle, 0..10, Pick::First(1), Inject::Hang),
            spec(1, Call::Any, 0..10, Pick::First(2), Inject::Garbage),
        ])
        .unwrap();
        let won = |endpoint| script.admit(endpoint, 5).fault.map(|(index, _)| index);
        assert_eq!([won(Settle), won(Verify), won(Settle), won(Settle)], [Some(0), Some(1), Some(1), None]);
    }

    #[test]
    fn a_fault_bites_in_its_window_only() {
        let script = Script::new(vec![spec(0, Call::Any, 5..7, Pick::Every, Inject::Hang)]).unwrap();
        let bites: Vec<_> = (4..9).filter(|now| script.admit(Supported, *now).fault.is_some()).collect();
        assert_eq!(bites, [5, 6]);
        assert_eq!(script.admit(Supported, 9).nth, 6);
    }

    #[test]
    fn what_only_a_settlement_can_suffer_leaves_verify_alone() {
        let script = Script::new(vec![spec(0, Call::Any, 0..10, Pick::Every, Inject::SettleThenHang)]).unwrap();
        assert!(script.admit(Verify, 5).fault.is_none());
        assert!(script.admit(Settle, 5).fault.is_some());
    }

    #[test]
    fn refusals_are_windows_of_the_listener() {
        let reset = Inject::Reset { after: After::Head };
        let script = Script::new(vec![
            spec(0, Call::Any, 0..100, Pick::Every, reset),
            spec(1, Call::Any, 20..30, Pick::Every, Inject::Refuse),
        ])
        .unwrap();
        assert_eq!(script.next_refusal_us(0), Some(20));
        assert_eq!(script.refusal_at(19), None);
        assert_eq!(script.refusal_at(20).map(|refusal| refusal.until_us), Some(30));
        assert_eq!((script.refusal_at(30), script.next_refusal_us(30)), (None, None));
        // The earlier fault takes the call; `refuse` never takes one by itself.
        let picky = spec(4, Call::Settle, 0..10, Pick::Every, Inject::Refuse);
        assert_eq!(Script::new(vec![picky]).unwrap_err(), ScriptError::RefuseIsPerListener(4));
    }
}
