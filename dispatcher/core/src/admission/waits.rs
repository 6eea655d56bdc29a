//! Pauses for one payment that came to nothing again and again. Nobody else waits for it.

use super::table::Aged;
use x402_paywall::UnixMillis;

/// The times in a row that a payment may come to nothing before it must pause. A tenant's processes may each fail once.
const FREE: u8 = 3;
/// The first pause. Each one after it is twice as long.
const FIRST_MS: u64 = 1_000;
const LONGEST_MS: u64 = 64_000;
/// A payment that was not seen for so long begins anew.
const FORGOTTEN_MS: u64 = 600_000;

/// One payment's, from one source: another may have read the payment off the chain.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wait {
    at: UnixMillis,
    in_a_row: u8,
    pause_ms: u64,
}

impl Wait {
    /// Takes note that it came to nothing once more. `at_once`: it must pause even if this was the first time.
    #[must_use]
    pub fn longer(self, at_once: bool, now: UnixMillis) -> Self {
        let before = if now.since(self.at) < FORGOTTEN_MS { self.in_a_row } else { 0 };
        let in_a_row = before.saturating_add(1).max(if at_once { FREE } else { 0 });
        let doublings = u32::from(in_a_row.saturating_sub(FREE)).min(6);
        let pause_ms = if in_a_row < FREE { 0 } else { (FIRST_MS << doublings).min(LONGEST_MS) };
        Self { at: self.at.max(now), in_a_row, pause_ms }
    }

    /// The rest of the pause.
    #[must_use]
    pub fn left_ms(self, now: UnixMillis) -> u64 {
        self.pause_ms.saturating_sub(now.since(self.at))
    }
}

impl Aged for Wait {
    fn at(&self) -> UnixMillis {
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    #[test]
    fn pauses_begin_after_the_third_time_and_double_up_to_a_minute() {
        let mut wait = Wait::default();
        let mut pauses = Vec::new();
        for _ in 0..12 {
            wait = wait.longer(false, NOW);
            pauses.push(wait.left_ms(NOW) / 1_000);
        }
        assert_eq!(pauses, [0, 0, 1, 2, 4, 8, 16, 32, 64, 64, 64, 64]);
        assert_eq!((wait.left_ms(NOW.plus(60_000)), wait.left_ms(NOW.plus(64_000))), (4_000, 0));
        assert_eq!(wait.longer(false, NOW.plus(FORGOTTEN_MS)).left_ms(NOW.plus(FORGOTTEN_MS)), 0);
    }

    #[test]
    fn a_payment_that_nobody_could_answer_pauses_from_the_first_time_on() {
        let once = Wait::default().longer(true, NOW);
        assert_eq!(once.left_ms(NOW), 1_000);
        assert_eq!(once.longer(true, NOW.plus(1_000)).left_ms(NOW.plus(1_000)), 2_000);
    }
}
