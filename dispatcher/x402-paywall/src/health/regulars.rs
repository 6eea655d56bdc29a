//! Payers whose payments were settled lately: they are no strangers.
//!
//! To become one costs money, and nothing else does it. There are at most a few hundred of them, the latest.

use super::witness::Witness;
use crate::UnixMillis;
use serde::{Deserialize, Serialize};

/// How long a settlement counts.
const LATELY_MS: u64 = 600_000;
/// The number that fits into an exchange each second.
pub const TOLD: usize = 64;

/// The latest of them, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Regulars(Vec<(u64, UnixMillis)>);

impl Regulars {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn has(&self, witness: &Witness, now: UnixMillis) -> bool {
        self.0.iter().any(|(payer, at)| *payer == witness.payer && now.since(*at) < LATELY_MS)
    }

    /// Takes one in, and keeps at most so many.
    pub fn add(&mut self, payer: u64, at: UnixMillis, most: usize) {
        self.0.retain(|(known, _)| *known != payer);
        self.0.push((payer, at));
        let extra = self.0.len().saturating_sub(most);
        self.0.drain(..extra);
    }

    /// Takes in what others know.
    pub fn merge(&mut self, others: &Self, most: usize) {
        for (payer, at) in &others.0 {
            if self.0.iter().all(|(known, known_at)| known != payer || known_at < at) {
                self.add(*payer, *at, most);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::witness::Grade;

    #[test]
    fn the_latest_are_kept_for_ten_minutes() {
        let payer = |payer| Witness { payment: 0, payer, network: 0, grade: Grade::Stranger };
        let mut regulars = Regulars::default();
        for n in 0..5 {
            regulars.add(n, UnixMillis(n), 3);
        }
        regulars.add(3, UnixMillis(9), 3);
        let known: Vec<_> = (0..5).filter(|n| regulars.has(&payer(*n), UnixMillis(10))).collect();
        assert_eq!(known, [2, 3, 4]);
        assert!(regulars.has(&payer(3), UnixMillis(600_008)) && !regulars.has(&payer(3), UnixMillis(600_009)));
        let mut others = Regulars::default();
        others.merge(&regulars, 2);
        assert!(others.has(&payer(3), UnixMillis(10)) && !others.has(&payer(2), UnixMillis(10)));
    }
}
