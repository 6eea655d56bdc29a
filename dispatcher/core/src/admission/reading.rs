//! Requests whose bodies are being read, before anything is asked or counted for their payments. A caller decides how long
//! that takes, so nothing that others need is held meanwhile.

use super::under_way::Levels;
use x402_paywall::UnixMillis;

/// Bodies in the whole isolate. The one that takes longest makes room for one more: a caller that sends needs moments.
const MOST: usize = 512;
/// The most of one source, of its network of 56 bits, and of that of 48.
const FROM: [usize; 3] = [8, 16, 32];
/// Longer than a body may take.
const LEASE_MS: u64 = 35_000;

#[derive(Debug, Default)]
pub struct Reading {
    /// The longest under way first.
    bodies: Vec<Body>,
    begun: u64,
}

#[derive(Debug)]
struct Body {
    id: u64,
    since: UnixMillis,
    from: Levels,
}

impl Reading {
    /// Begins with one. `None`: its source sends too many at a time.
    pub fn begin(&mut self, from: Levels, now: UnixMillis) -> Option<u64> {
        self.bodies.retain(|body| now.since(body.since) < LEASE_MS);
        let of_level = |level: usize| self.bodies.iter().filter(|body| body.from[level] == from[level]).count();
        if (0..FROM.len()).any(|level| from[level] != 0 && of_level(level) >= FROM[level]) {
            return None;
        }
        if self.bodies.len() >= MOST {
            self.bodies.remove(0);
        }
        self.begun += 1;
        self.bodies.push(Body { id: self.begun, since: now, from });
        Some(self.begun)
    }

    /// Ends one. `false`: it had to make room.
    pub fn end(&mut self, id: u64) -> bool {
        let at = self.bodies.iter().position(|body| body.id == id);
        at.map(|at| self.bodies.remove(at)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn begun(reading: &mut Reading, count: u64, from: impl Fn(u64) -> Levels) -> usize {
        (0..count).filter(|n| reading.begin(from(*n), NOW).is_some()).count()
    }

    #[test]
    fn a_source_and_its_networks_send_few_at_a_time() {
        assert_eq!(begun(&mut Reading::default(), 100, |_| [1, 0, 0]), 8);
        assert_eq!(begun(&mut Reading::default(), 100, |n| [n + 9, 1, 2]), 16);
        assert_eq!(begun(&mut Reading::default(), 100, |n| [n + 9, n + 500, 2]), 32);
        assert_eq!(begun(&mut Reading::default(), 100, |_| [0; 3]), 100, "callers that do not say where they are");
    }

    #[test]
    fn who_sends_slowly_makes_room_for_who_comes() {
        let mut reading = Reading::default();
        let slow: Vec<_> = (0..512).map(|n| reading.begin([n + 1, 0, 0], NOW).unwrap()).collect();
        let quick = reading.begin([1_000, 0, 0], NOW).unwrap();
        assert!(reading.end(quick) && !reading.end(slow[0]) && reading.end(slow[1]));
        assert!(!reading.end(quick), "once each");
        assert!(reading.begin([1, 0, 0], NOW.plus(LEASE_MS)).is_some() && reading.bodies.len() == 1);
    }
}
