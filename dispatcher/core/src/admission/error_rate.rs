//! Whether a tenant's Worker has begun to fail, all of a sudden: against what is usual for it, and not against others.

use x402_paywall::UnixMillis;

/// Shares in millionths, so that averages need no fractions.
const ALL: u32 = 1_000_000;
/// About so many runs are what is lately, and so many what is usual.
const LATELY_RUNS: u32 = 16;
const USUAL_RUNS: u32 = 256;
/// Before so many nobody knows what is usual: a Worker that has never worked is not shed, for nothing began.
const LEAST_RUNS: u32 = 50;
/// Too much: half of what ran lately, and so many times what is usual.
const HIGH: u32 = ALL / 2;
const TIMES_USUAL: u32 = 4;
/// Well again.
const LOW: u32 = ALL / 5;
/// By then it is no longer sudden but how this Worker is: who calls it finds out by calling it.
const LONGEST_MS: u64 = 60_000;

/// One tenant's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrorRate {
    runs: u32,
    lately: u32,
    usual: u32,
    /// Since when it fails.
    since: Option<UnixMillis>,
}

impl ErrorRate {
    #[must_use]
    pub fn is_sudden(&self) -> bool {
        self.since.is_some()
    }

    /// Takes how a run ended. The answer: whether something began with it.
    #[must_use]
    pub fn step(self, failed: bool, now: UnixMillis) -> (Self, bool) {
        let share = if failed { ALL } else { 0 };
        let towards = |average: u32, runs: u32| average - average / runs + share / runs;
        let lately = towards(self.lately, LATELY_RUNS);
        let runs = (self.runs + 1).min(LEAST_RUNS + 1);
        // What is usual is the plain average of the first runs, and changes slowly from there.
        let among = if runs > LEAST_RUNS { USUAL_RUNS } else { runs };
        match self.since {
            Some(since) if now.since(since) >= LONGEST_MS => (Self { runs, lately, usual: lately, since: None }, false),
            Some(_) if lately <= LOW => (Self { runs, lately, since: None, ..self }, false),
            Some(_) => (Self { runs, lately, ..self }, false),
            None if runs > LEAST_RUNS && lately >= HIGH && lately >= self.usual.saturating_mul(TIMES_USUAL) => {
                (Self { runs, lately, since: Some(now), ..self }, true)
            }
            None => (Self { runs, lately, usual: towards(self.usual, among), since: None }, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn run(mut rate: ErrorRate, count: u32, failed: impl Fn(u32) -> bool) -> (ErrorRate, u32) {
        let mut began = 0;
        for n in 0..count {
            let (next, begins) = rate.step(failed(n), NOW);
            rate = next;
            began += u32::from(begins);
        }
        (rate, began)
    }

    #[test]
    fn one_that_worked_and_fails_is_sudden_once_and_well_again_by_its_runs() {
        let (well, began) = run(ErrorRate::default(), 200, |n| n % 50 == 0);
        assert_eq!((well.is_sudden(), began), (false, 0));
        let (ill, began) = run(well, 500, |_| true);
        assert_eq!((ill.is_sudden(), began), (true, 1));
        let (wavering, began) = run(ill, 300, |n| n % 3 != 0);
        assert_eq!((wavering.is_sudden(), began), (true, 0), "no flapping");
        let (well, began) = run(wavering, 60, |_| false);
        assert_eq!((well.is_sudden(), began), (false, 0));
    }

    #[test]
    fn what_always_failed_or_fails_for_long_is_not_sudden() {
        assert_eq!(run(ErrorRate::default(), 1_000, |_| true).1, 0);
        let (half, began) = run(ErrorRate::default(), 1_000, |n| n % 2 == 0);
        assert_eq!((half.is_sudden(), began), (false, 0));
        let (ill, _) = run(run(ErrorRate::default(), 200, |_| false).0, 100, |_| true);
        let (later, _) = ill.step(true, NOW.plus(LONGEST_MS));
        assert!(ill.is_sudden() && !later.is_sudden());
        assert_eq!(run(later, 500, |_| true).1, 0, "that is how it is now");
    }
}
