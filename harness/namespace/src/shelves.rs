//! Which processes idle, and which of them have to go: the pool's decisions, without its processes.
//!
//! Surprising constraint: a process is of one version of a script, so one that comes back after a deploy is not kept.

use std::collections::BTreeMap;
use tokio::time::{Duration, Instant};

#[derive(Debug)]
pub struct Shelves<P> {
    room: usize,
    shelves: BTreeMap<String, Shelf<P>>,
    /// Idle, busy and starting.
    live: usize,
}

#[derive(Debug)]
struct Shelf<P> {
    /// The newest version that was asked for.
    generation: u64,
    /// Spares that never ran first, then those that ran, the latest last.
    idle: Vec<Idle<P>>,
}

#[derive(Debug)]
struct Idle<P> {
    process: P,
    since: Instant,
}

/// The past of a process that idles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Past {
    /// It was started to be at hand.
    Spare,
    Ran,
}

/// One version of one script.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a> {
    pub script: &'a str,
    pub generation: u64,
}

impl<P> Shelves<P> {
    /// For at most `room` processes.
    pub fn new(room: usize) -> Shelves<P> {
        Shelves { room, shelves: BTreeMap::new(), live: 0 }
    }

    /// The one of this very version that ran last, which is the warmest; and what a newer version has outdated.
    pub fn take(&mut self, version: Version<'_>) -> (Option<P>, Vec<P>) {
        let Some(shelf) = self.shelves.get_mut(version.script) else {
            let shelf = Shelf { generation: version.generation, idle: Vec::new() };
            self.shelves.insert(version.script.to_owned(), shelf);
            return (None, Vec::new());
        };
        let mut outdated = Vec::new();
        if version.generation > shelf.generation {
            shelf.generation = version.generation;
            outdated.extend(shelf.idle.drain(..).map(|idle| idle.process));
            self.live -= outdated.len();
        }
        // An invocation of an older version than that gets none of these.
        let taken = (version.generation == shelf.generation).then(|| shelf.idle.pop()).flatten();
        (taken.map(|idle| idle.process), outdated)
    }

    /// Keeps a process for the next invocation, or gives it back because it is outdated.
    pub fn put(&mut self, version: Version<'_>, process: P, past: Past, now: Instant) -> Option<P> {
        match self.shelves.get_mut(version.script) {
            Some(shelf) if shelf.generation == version.generation => {
                // A spare that is ready late is still colder than the process whose first run it was started beside.
                let place = match past {
                    Past::Spare => 0,
                    Past::Ran => shelf.idle.len(),
                };
                shelf.idle.insert(place, Idle { process, since: now });
                None
            }
            _ => {
                self.live -= 1;
                Some(process)
            }
        }
    }

    /// Counts a process that is about to be started. Where there is no room, the one that idled longest has to go.
    pub fn starting(&mut self) -> Option<P> {
        self.live += 1;
        if self.live <= self.room {
            return None;
        }
        let oldest = self.shelves.values_mut().filter_map(|shelf| Some((shelf.oldest()?, shelf)));
        let (place, shelf) = oldest.min_by_key(|(place, shelf)| shelf.idle[*place].since)?;
        self.live -= 1;
        Some(shelf.idle.remove(place).process)
    }

    /// A process that did not idle has ended, or did not start.
    pub fn ended(&mut self) {
        self.live -= 1;
    }

    /// A spare is worth a free place, but not another tenant's warm process.
    pub fn wants_spare(&self, version: Version<'_>) -> bool {
        let has_none = |shelf: &Shelf<P>| shelf.generation == version.generation && shelf.idle.is_empty();
        self.live < self.room && self.shelves.get(version.script).is_some_and(has_none)
    }

    /// Takes the processes that have idled for longer than `limit`.
    pub fn take_idle_longer_than(&mut self, limit: Duration, now: Instant) -> Vec<P> {
        let mut taken = Vec::new();
        for shelf in self.shelves.values_mut() {
            taken.extend(shelf.idle.extract_if(.., |idle| now - idle.since > limit).map(|idle| idle.process));
        }
        self.live -= taken.len();
        taken
    }
}

impl<P> Shelf<P> {
    /// The place of the one that has idled longest.
    fn oldest(&self) -> Option<usize> {
        (0..self.idle.len()).min_by_key(|&place| self.idle[place].since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALPHA: Version<'_> = Version { script: "alpha", generation: 1 };
    const ALPHA_AGAIN: Version<'_> = Version { script: "alpha", generation: 3 };
    const BETA: Version<'_> = Version { script: "beta", generation: 2 };

    struct Bench {
        shelves: Shelves<&'static str>,
        began: Instant,
    }

    impl Bench {
        /// With room for two processes.
        fn new() -> Bench {
            Bench { shelves: Shelves::new(2), began: Instant::now() }
        }

        fn at(&self, seconds: u64) -> Instant {
            self.began + Duration::from_secs(seconds)
        }

        /// Starts, runs and idles from that second on.
        fn idle(&mut self, version: Version<'_>, process: &'static str, second: u64) -> Option<&'static str> {
            assert_eq!(self.shelves.take(version).0, None);
            let evicted = self.shelves.starting();
            assert_eq!(self.shelves.put(version, process, Past::Ran, self.at(second)), None);
            evicted
        }
    }

    #[test]
    fn the_warmest_process_of_the_version_is_taken() {
        let mut bench = Bench::new();
        assert_eq!(bench.idle(ALPHA, "first", 0), None);
        assert_eq!(bench.shelves.starting(), None);
        assert_eq!(bench.shelves.put(ALPHA, "second", Past::Ran, bench.at(1)), None);
        assert_eq!(bench.shelves.take(BETA), (None, vec![]));
        assert_eq!(bench.shelves.take(ALPHA), (Some("second"), vec![]));
        assert_eq!(bench.shelves.take(ALPHA), (Some("first"), vec![]));
        assert_eq!(bench.shelves.take(ALPHA), (None, vec![]));
    }

    #[test]
    fn a_spare_is_taken_after_what_has_run_however_late_it_is_ready() {
        let mut bench = Bench::new();
        bench.idle(ALPHA, "ran", 0);
        bench.shelves.starting();
        assert_eq!(bench.shelves.put(ALPHA, "spare", Past::Spare, bench.at(1)), None);
        assert_eq!(bench.shelves.take(ALPHA), (Some("ran"), vec![]));
        assert_eq!(bench.shelves.take(ALPHA), (Some("spare"), vec![]));
    }

    #[test]
    fn a_spare_that_idled_less_than_what_ran_stays_when_one_has_to_go() {
        let mut bench = Bench::new();
        bench.idle(ALPHA, "ran", 0);
        bench.shelves.starting();
        assert_eq!(bench.shelves.put(ALPHA, "spare", Past::Spare, bench.at(1)), None);
        assert_eq!(bench.idle(BETA, "beta", 2), Some("ran"));
    }

    #[test]
    fn a_deploy_outdates_what_idles_and_what_comes_back() {
        let mut bench = Bench::new();
        bench.idle(ALPHA, "idle", 0);
        bench.shelves.starting();
        assert_eq!(bench.shelves.take(ALPHA_AGAIN), (None, vec!["idle"]));
        assert_eq!(bench.shelves.put(ALPHA, "was busy", Past::Ran, bench.at(1)), Some("was busy"));
        assert_eq!(bench.shelves.live, 0);
        assert!(bench.shelves.wants_spare(ALPHA_AGAIN));
        assert!(!bench.shelves.wants_spare(ALPHA));
    }

    #[test]
    fn an_invocation_dispatched_before_a_deploy_gets_no_process_of_the_new_version() {
        let mut bench = Bench::new();
        bench.idle(ALPHA_AGAIN, "new", 0);
        assert_eq!(bench.shelves.take(ALPHA), (None, vec![]));
        assert_eq!(bench.shelves.take(ALPHA_AGAIN), (Some("new"), vec![]));
    }

    #[test]
    fn without_room_the_one_that_idled_longest_goes() {
        let mut bench = Bench::new();
        bench.idle(ALPHA, "alpha", 0);
        bench.idle(BETA, "beta", 1);
        let gamma = Version { script: "gamma", generation: 4 };
        assert_eq!(bench.idle(gamma, "gamma", 2), Some("alpha"));
        assert_eq!(bench.shelves.live, 2);
        assert!(!bench.shelves.wants_spare(ALPHA), "nobody is put out for a spare");
        bench.shelves.take(BETA);
        bench.shelves.ended();
        assert_eq!(bench.shelves.starting(), None, "an ended process makes room");
    }

    #[test]
    fn what_idles_too_long_is_stopped() {
        let mut bench = Bench::new();
        bench.idle(ALPHA, "alpha", 0);
        bench.idle(BETA, "beta", 50);
        let now = bench.at(61);
        assert_eq!(bench.shelves.take_idle_longer_than(Duration::from_secs(60), now), ["alpha"]);
        assert_eq!(bench.shelves.live, 1);
        assert!(bench.shelves.wants_spare(ALPHA));
    }
}
