//! Whether a tenant's Worker, or one path of it, has begun to fail all of a sudden: among the distinct callers whose requests
//! it ran lately, and against what is usual for it.
//!
//! Surprising: a caller counts once, however often it comes, and the callers that are kept are chosen by a hash that nobody
//! outside knows. A caller that comes more often is not seen more often.

use x402_paywall::UnixMillis;

/// Shares in millionths, so that averages need no fractions.
const ALL: u32 = 1_000_000;
/// The time that is lately. If it were longer, a failure would be noticed later. If it were shorter, callers who seldom come
/// would not be among the callers.
const LATELY_MS: u64 = 15_000;
/// The callers that must have failed, whatever their share.
const LEAST_CALLERS: usize = 8;
/// The pause between two looks at what is usual, and the looks that make it up.
const LOOK_EVERY_MS: u64 = 1_000;
const USUAL_LOOKS: u32 = 64;
/// The looks before which nobody knows what is usual. A Worker that has never worked is not shed, for nothing began.
const LEAST_LOOKS: u32 = 5;
/// A share that is too much: half of the callers, and a few times what is usual.
const HIGH: u32 = ALL / 2;
const TIMES_USUAL: u32 = 4;
/// The share at which it is well again.
const LOW: u32 = ALL / 5;
/// The time after which it is no longer sudden but how this Worker is. Its callers find out by calling it.
const LONGEST_MS: u64 = 60_000;

/// A caller, as far as callers are told apart by what costs them something: an address and a payer. Hashes; zero is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    address: u64,
    payer: u64,
}

impl Origin {
    /// A caller by the hashes of an address and a payer.
    #[must_use]
    pub fn of(address: u64, payer: u64) -> Self {
        Self { address, payer }
    }

    /// One address with many wallets is one caller, and so is one wallet at many addresses.
    #[must_use]
    pub fn is_the_caller_of(self, other: Self) -> bool {
        let same = |one: u64, other: u64| one != 0 && one == other;
        self == other || same(self.address, other.address) || same(self.payer, other.payer)
    }

    /// Decides, together with a sample's level, whether this caller is among the ones that are kept.
    fn chance(self) -> u64 {
        if self.address == 0 { self.payer } else { self.address }
    }
}

/// One Worker's callers, or one path's.
#[derive(Clone, Debug)]
pub struct Sample {
    most: usize,
    callers: Vec<Caller>,
    /// One caller of 2^level is kept.
    level: u32,
    usual: u32,
    looks: u32,
    looked: UnixMillis,
    /// Since when it fails.
    since: Option<UnixMillis>,
}

#[derive(Clone, Copy, Debug)]
struct Caller {
    origin: Origin,
    at: UnixMillis,
    path: u32,
    failed: bool,
}

impl Sample {
    #[must_use]
    pub fn of(most: usize) -> Self {
        let (callers, looked) = (Vec::new(), UnixMillis(0));
        Self { most, callers, level: 0, usual: 0, looks: 0, looked, since: None }
    }

    /// A sample of a part, for which the same is usual until more is known of it.
    #[must_use]
    pub fn part(&self, most: usize) -> Self {
        Self { usual: self.usual, looks: self.looks, ..Self::of(most) }
    }

    /// Takes how a run ended. `true`: something began with it.
    pub fn take(&mut self, origin: Origin, path: u32, failed: bool, now: UnixMillis) -> bool {
        self.callers.retain(|caller| now.since(caller.at) < LATELY_MS);
        let caller = Caller { origin, at: now, path, failed };
        let known = self.callers.iter().position(|caller| caller.origin.is_the_caller_of(origin));
        if let Some(known) = known.map(|known| &mut self.callers[known]) {
            // It stays the caller that was chosen, or an address would have as many chances as it has wallets.
            *known = Caller { origin: known.origin, ..caller };
        } else if origin.chance().leading_zeros() >= self.level {
            self.callers.push(caller);
        }
        while self.callers.len() > self.most {
            self.level += 1;
            let level = self.level;
            self.callers.retain(|caller| caller.origin.chance().leading_zeros() >= level);
        }
        self.look(now)
    }

    #[must_use]
    pub fn is_failing(&self, now: UnixMillis) -> bool {
        self.since.is_some_and(|since| now.since(since) < LONGEST_MS)
    }

    /// Tells whether several callers got what they asked for lately, and hardly any did not.
    #[must_use]
    pub fn is_well(&self, now: UnixMillis) -> bool {
        let lately = || self.callers.iter().filter(|caller| now.since(caller.at) < LATELY_MS);
        let failed = lately().filter(|caller| caller.failed).count();
        lately().count() - failed >= LEAST_CALLERS / 2 && failed * 5 <= lately().count()
    }

    /// The number of callers that it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.callers.len()
    }

    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.callers.capacity() * size_of::<Caller>()
    }

    fn look(&mut self, now: UnixMillis) -> bool {
        let (failed, all) = self.counts();
        let share = |part: usize, whole: usize| (part as u64 * u64::from(ALL) / whole.max(1) as u64) as u32;
        let lately = share(failed, all);
        if now.since(self.looked) >= LOOK_EVERY_MS {
            self.looked = now;
            if self.level > 0 && self.callers.len() < self.most / 4 {
                self.level -= 1;
            }
            if self.since.is_none() && all >= LEAST_CALLERS / 2 {
                // What is usual is the plain average of the first looks, and changes slowly from there.
                self.looks = (self.looks + 1).min(USUAL_LOOKS);
                self.usual = self.usual - self.usual / self.looks + lately / self.looks;
            }
        }
        match self.since {
            Some(since) if now.since(since) >= LONGEST_MS => {
                (self.since, self.usual) = (None, lately);
                false
            }
            Some(_) if lately <= LOW => {
                self.since = None;
                false
            }
            Some(_) => false,
            None => {
                let (failed, all) = if failed < LEAST_CALLERS { (0, all) } else { self.without_the_worst_path() };
                let begins = failed >= LEAST_CALLERS
                    && self.looks >= LEAST_LOOKS
                    && share(failed, all) >= HIGH
                    && share(failed, all) >= self.usual.saturating_mul(TIMES_USUAL);
                if begins {
                    self.since = Some(now);
                }
                begins
            }
        }
    }

    /// The callers that failed, and all callers.
    fn counts(&self) -> (usize, usize) {
        (self.callers.iter().filter(|caller| caller.failed).count(), self.callers.len())
    }

    /// The same, without the callers of the one path where most fail: it has a sample of its own, and must not shut the
    /// others. A sample of one path, whose callers have the path 0, counts them all.
    fn without_the_worst_path(&self) -> (usize, usize) {
        let failed = |path: u32| self.callers.iter().filter(|caller| caller.failed && caller.path == path).count();
        let worst =
            self.callers.iter().map(|caller| caller.path).filter(|path| *path != 0).max_by_key(|path| failed(*path));
        let others = || self.callers.iter().filter(|caller| Some(caller.path) != worst);
        (others().filter(|caller| caller.failed).count(), others().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::key::spread;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn caller(n: u64) -> Origin {
        Origin::of(spread(n + 1), spread(n + 10_000_001))
    }

    /// Runs once each 100 ms for so many seconds, by callers in turn. Returns how often something began.
    fn run(sample: &mut Sample, from_s: u64, seconds: u64, callers: u64, failed: impl Fn(u64) -> bool) -> usize {
        let began = |n: &u64| {
            let now = NOW.plus(from_s * 1_000 + n * 100);
            sample.take(caller(n % callers), 0, failed(n % callers), now)
        };
        (0..seconds * 10).filter(began).count()
    }

    fn at(second: u64) -> UnixMillis {
        NOW.plus(second * 1_000)
    }

    #[test]
    fn a_worker_that_worked_and_fails_for_its_callers_is_failing_once_and_well_again_by_its_runs() {
        let mut sample = Sample::of(64);
        assert_eq!((run(&mut sample, 0, 30, 40, |n| n == 7), sample.is_failing(at(30))), (0, false));
        assert_eq!((run(&mut sample, 30, 20, 40, |_| true), sample.is_failing(at(50))), (1, true));
        assert_eq!((run(&mut sample, 50, 5, 40, |n| n % 2 == 0), sample.is_failing(at(55))), (0, true), "no flapping");
        assert_eq!((run(&mut sample, 55, 20, 40, |_| false), sample.is_failing(at(75))), (0, false));
        assert!(sample.is_well(at(75)));
    }

    #[test]
    fn callers_who_come_once_are_noticed_within_a_dozen_seconds() {
        let mut sample = Sample::of(64);
        run(&mut sample, 0, 30, 1_000_000, |_| false);
        let began = (0..150).find(|n| sample.take(caller(5_000 + n), 0, true, NOW.plus(30_000 + n * 100)));
        assert!(began.is_some_and(|n| n < 120), "{began:?}");
    }

    #[test]
    fn one_caller_is_no_sample_by_whatever_it_differs() {
        for origin in [
            |_| caller(999),
            |n| Origin { payer: spread(n + 5_000_000), ..caller(999) },
            |n| Origin { address: spread(n + 5_000_000), ..caller(999) },
            |_| Origin::default(),
        ] as [fn(u64) -> Origin; 4]
        {
            let mut sample = Sample::of(64);
            run(&mut sample, 0, 30, 40, |_| false);
            for n in 0..10_000_u64 {
                assert!(!sample.take(origin(n), 0, true, NOW.plus(30_000 + n)));
                if n % 1_000 == 0 {
                    sample.take(caller(n / 1_000), 0, false, NOW.plus(30_000 + n));
                }
            }
        }
    }

    #[test]
    fn twenty_who_fail_often_among_a_hundred_who_do_not_shut_nothing() {
        for most in [32, 64] {
            let mut sample = Sample::of(most);
            let mut began = 0;
            for n in 0..120_000_u64 {
                let now = NOW.plus(n * 2);
                // The twenty come fifty times as often as each of the hundred.
                let (number, failed) = if n % 11 == 0 { (n / 11 % 100, false) } else { (1_000 + n % 20, true) };
                began += usize::from(sample.take(caller(number), 0, failed, now));
            }
            assert_eq!(began, 0, "{most}");
        }
    }

    #[test]
    fn what_always_failed_or_fails_for_long_is_not_sudden() {
        let mut sample = Sample::of(64);
        assert_eq!(run(&mut sample, 0, 100, 40, |_| true), 0);
        let mut half = Sample::of(64);
        assert_eq!(run(&mut half, 0, 100, 40, |n| n % 2 == 0), 0);
        let mut sample = Sample::of(64);
        run(&mut sample, 0, 30, 40, |_| false);
        assert_eq!(run(&mut sample, 30, 200, 40, |_| true), 1);
        assert!(!sample.is_failing(at(231)), "that is how it is now");
    }

    #[test]
    fn one_path_that_fails_does_not_shut_the_others_and_many_paths_do() {
        for (paths, begins) in [(1, 0), (40, 1)] {
            let mut sample = Sample::of(64);
            let mut began = 0;
            for n in 0..600_u64 {
                let path = (n % paths) as u32 + 1;
                let failed = n >= 300 && n % 4 != 0;
                let path = if n % 4 == 0 { 99 } else { path };
                began += usize::from(sample.take(caller(n % 40), path, failed, NOW.plus(n * 100)));
            }
            assert_eq!(began, begins, "{paths}");
        }
    }

    #[test]
    fn a_million_callers_take_no_more_room_and_are_noticed_to_fail() {
        let mut sample = Sample::of(64);
        let mut began = None;
        for n in 0..1_000_000_u64 {
            let now = NOW.plus(n / 20);
            if sample.take(caller(n), 0, n >= 600_000, now) {
                began.get_or_insert(now.since(NOW.plus(30_000)));
            }
            assert!(sample.len() <= 64);
        }
        assert!(began.is_some_and(|ms| ms < 15_000), "{began:?}");
    }
}
