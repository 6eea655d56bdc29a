//! Guesses at the platform's token, held to a few a minute for each source. The token is compared in constant time, so a
//! guess tells nothing but that it was wrong; this bounds how many there are, and what they cost.
//!
//! Surprising constraint: who guessed too often is refused with the right token, too. If the right one got through, a
//! refusal would tell that a guess was wrong, and nothing would be bounded.

use crate::{admission::Source, refusal::Refusal};
use std::cell::RefCell;
use x402_paywall::UnixMillis;

/// Wrong guesses that a source may have open. Each is forgotten after [`FORGOTTEN_AFTER_MS`], so these are ten a minute.
const GUESSES: u64 = 10;
const FORGOTTEN_AFTER_MS: u64 = 6_000;
/// Sources that are kept count of; of one more, the one that is forgotten first makes room.
const MAX_SOURCES: usize = 512;

/// One isolate's count of wrong guesses.
#[derive(Debug, Default)]
pub struct TokenGuard(RefCell<Vec<Guesses>>);

#[derive(Debug)]
struct Guesses {
    /// Empty: whoever does not say where it is. These share one count.
    source: String,
    /// When the last of its guesses is forgotten.
    empty_at: UnixMillis,
}

impl TokenGuard {
    /// Lets a request at the token, unless its source has guessed too often. A request without credentials is no guess.
    pub fn watch<T>(
        &self,
        source: Option<&Source>,
        has_credentials: bool,
        at: UnixMillis,
        attempt: impl FnOnce() -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        if !has_credentials {
            return attempt();
        }
        let mut counts = self.0.borrow_mut();
        // A network that one subscriber may have to himself is one guesser.
        let source = source.map_or_else(String::new, Source::network);
        let found = counts.iter().position(|guesses| guesses.source == source);
        let open_ms = found.map_or(0, |found| counts[found].empty_at.since(at)).min(GUESSES * FORGOTTEN_AFTER_MS);
        if open_ms > (GUESSES - 1) * FORGOTTEN_AFTER_MS {
            let wait_ms = open_ms - (GUESSES - 1) * FORGOTTEN_AFTER_MS;
            return Err(Refusal::TooManyGuesses { retry_after_s: wait_ms.div_ceil(1_000) });
        }
        let attempted = attempt();
        if matches!(attempted, Err(Refusal::PlatformDenied)) {
            let empty_at = at.plus(open_ms + FORGOTTEN_AFTER_MS);
            match found {
                Some(found) => counts[found].empty_at = empty_at,
                None => {
                    if counts.len() == MAX_SOURCES {
                        let first = (0..MAX_SOURCES).min_by_key(|place| counts[*place].empty_at).unwrap_or_default();
                        counts.swap_remove(first);
                    }
                    counts.push(Guesses { source, empty_at });
                }
            }
        }
        attempted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{CollectError, Inbound};
    use proptest::prelude::*;

    struct From(String);

    impl Inbound for From {
        fn method(&self) -> &str {
            "GET"
        }
        fn origin(&self) -> &str {
            ""
        }
        fn host(&self) -> &str {
            ""
        }
        fn path(&self) -> &str {
            ""
        }
        fn query(&self) -> Option<&str> {
            None
        }
        fn header(&self, name: &str) -> Option<String> {
            (name == "cf-connecting-ip").then(|| self.0.clone())
        }
        async fn body(&self, _: usize) -> Result<Vec<u8>, CollectError> {
            Ok(Vec::new())
        }
    }

    fn guess(guard: &TokenGuard, from: &str, at: u64, right: bool) -> Result<(), Refusal> {
        let source = Source::of(&From(from.to_owned()));
        let attempt = || if right { Ok(()) } else { Err(Refusal::PlatformDenied) };
        guard.watch(source.as_ref(), true, UnixMillis(at), attempt)
    }

    fn is_limited(told: &Result<(), Refusal>) -> bool {
        matches!(told, Err(Refusal::TooManyGuesses { retry_after_s: 1.. }))
    }

    #[test]
    fn ten_wrong_guesses_a_minute_and_then_not_even_the_right_one() {
        let guard = TokenGuard::default();
        for at in 0..10 {
            assert_eq!(guess(&guard, "192.0.2.1", at, false), Err(Refusal::PlatformDenied));
        }
        assert!(
            is_limited(&guess(&guard, "192.0.2.1", 10, false)) && is_limited(&guess(&guard, "192.0.2.1", 11, true))
        );
        assert_eq!(guess(&guard, "192.0.2.2", 12, true), Ok(()), "another source");
        let guesses =
            (0..20).filter(|n| !is_limited(&guess(&guard, &format!("2001:db8:1:{n:x}::1"), 20, false))).count();
        assert_eq!(guesses, 10, "neighbours are one");
        assert_eq!(guess(&guard, "192.0.2.1", 6_010, true), Ok(()));
        assert_eq!(guess(&guard, "192.0.2.1", 6_011, false), Err(Refusal::PlatformDenied));
        assert!(is_limited(&guess(&guard, "192.0.2.1", 6_012, true)));
    }

    #[test]
    fn who_has_the_token_is_never_limited_and_neither_is_who_brings_none() {
        let guard = TokenGuard::default();
        for at in 0..1_000 {
            assert_eq!(guess(&guard, "192.0.2.1", at, true), Ok(()));
            let silent = guard.watch(None, false, UnixMillis(at), || Err::<(), _>(Refusal::PlatformDenied));
            assert_eq!(silent, Err(Refusal::PlatformDenied));
        }
    }

    #[test]
    fn a_crowd_of_sources_takes_no_more_room_than_there_is() {
        let guard = TokenGuard::default();
        for n in 0..5_000_u64 {
            assert!(guess(&guard, &format!("10.0.{}.{}", n / 250, n % 250), n, false).is_err());
        }
        assert_eq!(guard.0.borrow().len(), MAX_SOURCES);
    }

    proptest! {
        #[test]
        fn no_minute_has_more_than_a_few_guesses(pauses in prop::collection::vec(0_u64..2_000, 1..400)) {
            let (guard, mut now, mut heard) = (TokenGuard::default(), 0, Vec::new());
            for pause in pauses {
                now += pause;
                if guess(&guard, "192.0.2.1", now, false) == Err(Refusal::PlatformDenied) {
                    heard.push(now);
                }
            }
            for at in &heard {
                let minute = heard.iter().filter(|other| (*at..at + 60_000).contains(other)).count();
                prop_assert!(minute <= 20, "{minute} in a minute");
            }
        }
    }
}
