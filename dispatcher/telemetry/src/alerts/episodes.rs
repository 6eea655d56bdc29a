//! Alerts as somebody is told of them: once when one begins, again while it lasts, and once when it is over. Pure.

use super::rules::On;
use dispatcher_core::paywall::UnixMillis;
use serde::{Deserialize, Serialize};

/// The time after which an alert that lasts is told again.
const AGAIN_MS: u64 = 4 * 3_600_000;
/// The time for which an alert has to be off to be over: one that comes and goes is one episode.
const CALM_MS: u64 = 5 * 60_000;
/// The pause after the first notice that could not be delivered. It doubles up to [`MOST_PAUSE_MS`].
const PAUSE_MS: u64 = 60_000;
const MOST_PAUSE_MS: u64 = 30 * 60_000;

/// An alert from its begin to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episode {
    pub on: On,
    pub since: UnixMillis,
    /// The last look at which it was on.
    pub seen: UnixMillis,
    /// When it is to be told. `None`: it was told, and still lasts.
    pub due: Option<UnixMillis>,
    /// The notices that could not be delivered in a row.
    pub failed: u32,
    /// The notices that were delivered.
    pub told: u32,
    pub told_at: UnixMillis,
    pub is_over: bool,
}

/// What somebody is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The same for each try: whoever gets it twice can tell.
    pub id: String,
    pub alert: String,
    pub about: String,
    /// `firing` or `resolved`.
    pub state: &'static str,
    pub since_ms: UnixMillis,
    pub runbook: &'static str,
}

impl Episode {
    fn begin(on: On, now: UnixMillis) -> Self {
        Self { on, since: now, seen: now, due: Some(now), failed: 0, told: 0, told_at: now, is_over: false }
    }

    #[must_use]
    pub fn notice(&self) -> Notice {
        let Self { on: On { name, about }, since, told, is_over, .. } = self;
        Notice {
            id: format!("{name}:{about}:{}:{told}", since.0),
            alert: name.clone(),
            about: about.clone(),
            state: if *is_over { "resolved" } else { "firing" },
            since_ms: *since,
            runbook: super::rules::runbook(name),
        }
    }

    /// Takes note of a try.
    pub fn tried(&mut self, delivered: bool, now: UnixMillis) {
        if delivered {
            (self.due, self.failed, self.told, self.told_at) = (None, 0, self.told + 1, now);
        } else {
            let pause = PAUSE_MS.saturating_mul(1 << self.failed.min(16)).min(MOST_PAUSE_MS);
            (self.due, self.failed) = (Some(now.plus(pause)), self.failed.saturating_add(1));
        }
    }

    /// Whether it is over, and whoever was told of it knows.
    fn is_closed(&self) -> bool {
        self.is_over && self.due.is_none()
    }
}

/// The episodes after a look.
#[must_use]
pub fn step(before: Vec<Episode>, on: &[On], now: UnixMillis) -> Vec<Episode> {
    let mut after: Vec<Episode> = before.into_iter().filter(|episode| !episode.is_closed()).collect();
    for episode in &mut after {
        if episode.is_over {
            if on.contains(&episode.on) {
                // Nobody has heard of its end, so it has not ended.
                (episode.is_over, episode.due, episode.failed, episode.seen) = (false, None, 0, now);
            }
        } else if on.contains(&episode.on) {
            episode.seen = now;
            if episode.due.is_none() && now.since(episode.told_at) >= AGAIN_MS {
                episode.due = Some(now);
            }
        } else if now.since(episode.seen) >= CALM_MS {
            episode.is_over = true;
            // Of what nobody has heard, nobody has to hear that it is over.
            episode.due = (episode.told > 0).then_some(now);
        }
    }
    let begun = on.iter().filter(|on| !after.iter().any(|episode| episode.on == **on && !episode.is_over));
    let begun: Vec<Episode> = begun.map(|on| Episode::begin(on.clone(), now)).collect();
    after.extend(begun);
    after.retain(|episode| !episode.is_closed());
    after
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: u64 = 60_000;

    fn burn() -> On {
        On { name: "settle_burn".to_owned(), about: String::new() }
    }

    /// Looks each minute; what is due is delivered where `works` says so. Returns what was told.
    fn told(looks: &[bool], works: impl Fn(usize) -> bool) -> Vec<(usize, &'static str, String)> {
        let (mut episodes, mut told) = (Vec::new(), Vec::new());
        for (minute, on) in looks.iter().enumerate() {
            let now = UnixMillis(1_000_000 + minute as u64 * MINUTE);
            episodes = step(episodes, if *on { std::slice::from_ref(&ON) } else { &[] }, now);
            for episode in episodes.iter_mut().filter(|episode| episode.due.is_some_and(|due| due <= now)) {
                let (notice, delivered) = (episode.notice(), works(minute));
                episode.tried(delivered, now);
                if delivered {
                    told.push((minute, notice.state, notice.id));
                }
            }
        }
        told
    }

    static ON: On = On { name: String::new(), about: String::new() };

    #[test]
    fn an_episode_is_told_once_and_its_end_once_and_a_short_calm_is_no_end() {
        let mut looks = vec![false, true, true, false, false, true];
        looks.extend([false; 8]);
        let told = told(&looks, |_| true);
        let states: Vec<_> = told.iter().map(|(minute, state, _)| (*minute, *state)).collect();
        assert_eq!(states, [(1, "firing"), (10, "resolved")]);
    }

    #[test]
    fn what_lasts_is_told_again_and_what_was_not_delivered_is_tried_with_the_same_id() {
        let looks = vec![true; 250];
        let again: Vec<_> = told(&looks, |_| true).iter().map(|(minute, ..)| *minute).collect();
        assert_eq!(again, [0, 240]);
        let mut episode = Episode::begin(burn(), UnixMillis(0));
        let first = episode.notice().id;
        for failed in 0..20 {
            episode.tried(false, UnixMillis(0));
            let due = episode.due.unwrap().0;
            assert!(due >= MINUTE << failed.min(4) || due == MOST_PAUSE_MS, "{due}");
            assert_eq!(episode.notice().id, first);
        }
    }

    proptest! {
        #[test]
        fn nobody_hears_an_end_without_its_begin_or_one_thing_twice(
            looks in prop::collection::vec(any::<bool>(), 1..120), broken in prop::collection::vec(any::<bool>(), 120)
        ) {
            let told = told(&looks, |minute| !broken[minute]);
            let ids: std::collections::BTreeSet<_> = told.iter().map(|(.., id)| id).collect();
            prop_assert_eq!(ids.len(), told.len(), "{:?}", told);
            let mut is_on = false;
            for (_, state, _) in &told {
                prop_assert!(*state == "firing" || is_on, "{:?}", told);
                is_on = *state == "firing";
            }
        }
    }
}
