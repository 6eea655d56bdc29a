//! Which fault a call gets. A fault is decided per request, never per connection: clients keep sockets open, and a fault
//! that starts later must hit those too.
//!
//! Surprising constraint: a person may switch faults while the double runs. Their places in the list are for good, because
//! calls under way name them: one that is over has a window that has ended.

use crate::{Call, Inject, Pick};
use reports::event::{FacilitatorEndpoint, FaultRef};
use sha3::{Digest, Keccak256};
use std::{
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// One fault on one facilitator.
#[derive(Clone, Debug)]
pub struct FaultSpec {
    pub fault: FaultRef,
    /// `Call::Any` is `/supported` too.
    pub call: Call,
    /// Microseconds since the run began.
    pub window: Range<u64>,
    /// Calls that an earlier fault took do not reach this one and do not count.
    pub pick: Pick,
    /// The run's: what odds are drawn from.
    pub seed: u64,
    pub inject: Inject,
}

/// A facilitator's faults in the order of the scenario, and what they have counted.
#[derive(Debug)]
pub struct Script {
    state: Mutex<State>,
    /// Told of every change, so that a door which waits for the next window looks again.
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct State {
    calls: [u64; 3],
    faults: Vec<Scripted>,
}

#[derive(Debug)]
struct Scripted {
    spec: Arc<FaultSpec>,
    /// Calls that reached it.
    reached: u64,
    /// Calls that it took.
    taken: u64,
}

/// A call as the script sees it.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// 1-based, per endpoint.
    pub nth: u64,
    /// The fault it gets, with the position in the double's own list.
    pub fault: Option<(usize, Arc<FaultSpec>)>,
}

/// A fault that is on, and how many calls it has taken.
#[derive(Clone, Debug)]
pub struct Switched {
    pub spec: Arc<FaultSpec>,
    pub taken: u64,
}

/// A window in which nobody listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub fault: FaultRef,
    pub until_us: u64,
}

impl Script {
    /// `refuse` closes the listener whatever its `call` and `pick`; the scenario language lets it have none.
    #[must_use]
    pub fn new(faults: Vec<FaultSpec>) -> Self {
        let faults = faults.into_iter().map(Scripted::new).collect();
        Self { state: Mutex::new(State { calls: [0; 3], faults }), changed: watch::Sender::new(()) }
    }

    /// The fault at that position.
    #[must_use]
    pub fn fault(&self, position: usize) -> Option<Arc<FaultSpec>> {
        self.state().faults.get(position).map(|fault| Arc::clone(&fault.spec))
    }

    /// Switches a fault on. Those that were on before it take their calls first.
    pub fn add(&self, spec: FaultSpec) {
        self.state().faults.push(Scripted::new(spec));
        self.changed.send_replace(());
    }

    /// Ends the faults that are on or to come, and returns them.
    pub fn clear(&self, now_us: u64) -> Vec<Switched> {
        let mut state = self.state();
        let cleared = state.faults.iter_mut().filter(|fault| fault.spec.window.end > now_us).map(|fault| {
            let spec = Arc::make_mut(&mut fault.spec);
            spec.window = spec.window.start.min(now_us)..now_us;
            Switched { spec: Arc::clone(&fault.spec), taken: fault.taken }
        });
        let cleared = cleared.collect();
        drop(state);
        self.changed.send_replace(());
        cleared
    }

    /// The faults that are on.
    #[must_use]
    pub fn on(&self, now_us: u64) -> Vec<Switched> {
        let state = self.state();
        let on = state.faults.iter().filter(|fault| fault.spec.window.contains(&now_us));
        on.map(|fault| Switched { spec: Arc::clone(&fault.spec), taken: fault.taken }).collect()
    }

    /// Hears of every change from now on.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Counts the call and names its fault: the first in the list that takes it.
    pub fn admit(&self, endpoint: FacilitatorEndpoint, now_us: u64) -> Admitted {
        let mut state = self.state();
        let calls = &mut state.calls[endpoint as usize];
        *calls += 1;
        let nth = *calls;
        let takes = |fault: &mut Scripted| {
            fault.spec.reaches(endpoint, now_us) && {
                fault.reached += 1;
                fault.spec.picks(fault.reached)
            }
        };
        let fault = state.faults.iter_mut().enumerate().find_map(|(position, fault)| {
            takes(fault).then(|| {
                fault.taken += 1;
                (position, Arc::clone(&fault.spec))
            })
        });
        Admitted { nth, fault }
    }

    /// Why nobody listens now, if so.
    #[must_use]
    pub fn refusal_at(&self, now_us: u64) -> Option<Refusal> {
        let refusals = self.refusals();
        let spec = refusals.iter().find(|spec| spec.window.contains(&now_us))?;
        Some(Refusal { fault: spec.fault.clone(), until_us: spec.window.end })
    }

    /// When the listener closes next.
    #[must_use]
    pub fn next_refusal_us(&self, now_us: u64) -> Option<u64> {
        self.refusals().iter().map(|spec| spec.window.start).filter(|start| *start > now_us).min()
    }

    fn refusals(&self) -> Vec<Arc<FaultSpec>> {
        let is_one = |spec: &&Arc<FaultSpec>| matches!(spec.inject, Inject::Refuse) && !spec.window.is_empty();
        self.state().faults.iter().map(|fault| &fault.spec).filter(is_one).cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scripted {
    fn new(spec: FaultSpec) -> Self {
        Self { spec: Arc::new(spec), reached: 0, taken: 0 }
    }
}

impl FaultSpec {
    fn reaches(&self, endpoint: FacilitatorEndpoint, now_us: u64) -> bool {
        let called = match self.call {
            Call::Verify => endpoint == FacilitatorEndpoint::Verify,
            Call::Settle => endpoint == FacilitatorEndpoint::Settle,
            Call::Any => true,
        };
        called && self.inject.applies(endpoint) && self.window.contains(&now_us)
    }

    /// Whether it takes the n-th call that reached it, 1-based.
    fn picks(&self, n: u64) -> bool {
        self.pick.takes(n, || draw(self.seed, self.fault.index, n))
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
    use crate::fault::reset::{Reset, ResetAfter};
    use FacilitatorEndpoint::{Settle, Supported, Verify};

    fn spec(index: usize, call: Call, window: Range<u64>, pick: Pick, inject: Inject) -> FaultSpec {
        FaultSpec {
            fault: FaultRef { index, on: "a".into(), inject: inject.name().into() },
            call,
            window,
            pick,
            seed: 1,
            inject,
        }
    }

    #[test]
    fn draws_come_out_even_and_alike_for_one_seed_and_fault() {
        let low = |seed, fault| (1..4_000).filter(|n| draw(seed, fault, *n) < 0.25).collect::<Vec<_>>();
        assert_eq!(low(1, 0), low(1, 0));
        assert_ne!(low(1, 0), low(2, 0));
        assert_ne!(low(1, 0), low(1, 1));
        assert!((850..1_150).contains(&low(1, 0).len()), "{}", low(1, 0).len());
    }

    #[test]
    fn the_first_fault_in_file_order_wins_and_each_counts_what_reaches_it() {
        let script = Script::new(vec![
            spec(0, Call::Settle, 0..10, Pick::First(1), Inject::Hang),
            spec(1, Call::Any, 0..10, Pick::First(2), Inject::Garbage),
        ]);
        let won = |endpoint| script.admit(endpoint, 5).fault.map(|(index, _)| index);
        assert_eq!([won(Settle), won(Verify), won(Settle), won(Settle)], [Some(0), Some(1), Some(1), None]);
    }

    #[test]
    fn a_fault_bites_in_its_window_only() {
        let script = Script::new(vec![spec(0, Call::Any, 5..7, Pick::All, Inject::Hang)]);
        let bites: Vec<_> = (4..9).filter(|now| script.admit(Supported, *now).fault.is_some()).collect();
        assert_eq!(bites, [5, 6]);
        assert_eq!(script.admit(Supported, 9).nth, 6);
    }

    #[test]
    fn a_fault_is_switched_on_and_off_while_calls_come() {
        let script = Script::new(Vec::new());
        let mut changes = script.changes();
        let bites = |now| script.admit(Settle, now).fault.is_some();
        assert!(!bites(5));
        script.add(spec(7, Call::Settle, 10..u64::MAX, Pick::All, Inject::Hang));
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        assert_eq!([9, 10, 99].map(bites), [false, true, true]);
        let on = script.on(99);
        assert_eq!((on.len(), on[0].taken, on[0].spec.fault.index), (1, 2, 7));
        assert_eq!(script.clear(100).len(), 1);
        assert!(changes.has_changed().unwrap() && script.on(100).is_empty() && !bites(100));
        assert!(script.clear(101).is_empty(), "it is over already");
    }

    #[test]
    fn what_only_a_settlement_can_suffer_leaves_verify_alone() {
        let script = Script::new(vec![spec(0, Call::Any, 0..10, Pick::All, Inject::SettleThenHang)]);
        assert!(script.admit(Verify, 5).fault.is_none());
        assert!(script.admit(Settle, 5).fault.is_some());
    }

    #[test]
    fn refusals_are_windows_of_the_listener() {
        let reset = Inject::Reset(Reset { after: ResetAfter::Head });
        let script = Script::new(vec![
            spec(0, Call::Any, 0..100, Pick::All, reset),
            spec(1, Call::Any, 20..30, Pick::All, Inject::Refuse),
        ]);
        assert_eq!(script.next_refusal_us(0), Some(20));
        assert_eq!(script.refusal_at(19), None);
        assert_eq!(script.refusal_at(20).map(|refusal| refusal.until_us), Some(30));
        assert_eq!((script.refusal_at(30), script.next_refusal_us(30)), (None, None));
    }
}
