//! How well one facilitator does one kind of call: `step(health, event, limits, now, jitter) -> health`. Pure, so that a
//! property test can drive it through any weather.
//!
//! A circuit breaker with a memory: one that comes back and fails again is trusted later each time, or a facilitator that
//! is up and down by turns would be taken back at every up and make callers wait at every down.
//!
//! What opens it is evidence, see [`super::witness`]. What anybody may cause costs honest buyers an order at most: some
//! failures in a row, whoever saw them, have a facilitator asked after the others, and so has the word of strangers. Then we
//! look ourselves, and only what we see opens the breaker.

use super::witness::{Evidence, Grade, Hearing, Witness};
pub use crate::facilitator::Outcome;

use crate::{UnixMillis, facilitator::Facilitator, telemetry::Call};
use serde::{Deserialize, Serialize};

/// After so many calls in a row without an answer, whoever sent them, it is asked after the others.
const DEMOTED_AFTER: u32 = 4;
/// Such a one is tried again after the third step of a back-off: it may be one caller's doing again and again.
const DEMOTED_MISSES: u32 = 2;
/// The score of one whose calls were all answered. Whole numbers, so that a run repeats to the last digit.
pub const BEST_SCORE: u64 = 1_000_000;
/// A score below this opens it as well: one call in two has failed for some time.
const OPENS_BELOW: u64 = BEST_SCORE / 2;
/// The newest call counts for a fifth of the score and the latency: the last ten or so make them.
const NEWEST_ONE_IN: u64 = 5;
/// The score after a quarantine: good, but with less to lose.
const RESTORED_SCORE: u64 = BEST_SCORE / 10 * 8;
/// First pause before a quarantined facilitator is probed.
pub const BACK_OFF_MIN_MS: u64 = 500;
/// Longest pause in a first quarantine: recovery is to be seen within seconds.
pub const BACK_OFF_MAX_MS: u64 = 4_000;
/// Longest pause for one that was taken back and failed again.
pub const BACK_OFF_MAX_AGAIN_MS: u64 = 10_000;
/// Pauses differ by this share either way, so that isolates and payments do not ask in step.
const JITTER: f64 = 0.2;
/// The longest pause where nobody else is left to ask: probing is worth more than sparing the facilitator.
pub const ONLY_HOPE_BACK_OFF_MS: u64 = 1_000;
/// Good for so long, earlier quarantines are forgotten.
const FORGIVEN_AFTER_MS: u64 = 60_000;
/// Longest run of good probes that is asked for.
const MOST_GOOD_PROBES: u32 = 7;
/// Clocks of two places of the platform may differ by this much, and neither was set back.
const CLOCK_JITTER_MS: u64 = 2_000;
/// Failures that are remembered, for whoever looks.
const FAILURES_KEPT: usize = 5;

/// All that is known of one facilitator at one kind of call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Health {
    pub standing: Standing,
    pub since: UnixMillis,
    /// Share of calls that were answered, the latest weighing most, in millionths.
    pub score: u64,
    /// The mean time of answered calls, the latest weighing most; `None` before the first.
    pub latency_us: Option<u64>,
    pub consecutive_failures: u32,
    /// Quarantines within memory.
    pub openings: u32,
    /// The latest, newest last.
    pub failures: Vec<Failure>,
    /// The witnesses of its failures.
    #[serde(default)]
    pub evidence: Evidence,
    /// When the breaker last opened or closed: a call that began before it tells of what is known already.
    #[serde(default)]
    pub turned_at: UnixMillis,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Healthy,
    /// Answers, but slowly: asked after the healthy ones.
    Degraded(Retry),
    /// The breaker is open: gets probes only.
    Quarantined(Retry),
    /// Answered its last `good` probes, and has to answer more: gets probes only.
    Probing {
        retry: Retry,
        good: u32,
    },
}

/// Whether payments have anywhere else to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hope {
    /// At least one facilitator may be used.
    Others,
    /// None may.
    None,
}

/// When it is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    pub set_at: UnixMillis,
    pub at: UnixMillis,
    /// Probes in a row that did not help.
    pub misses: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub reason: String,
    pub at: UnixMillis,
    /// Its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// A call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub purpose: Purpose,
    pub began: UnixMillis,
    pub ms: u64,
    pub outcome: Outcome,
    /// Whose payment it was. `None`: ours, for we asked to see whether it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<Witness>,
    /// The facilitator's own words for a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// Whether it was told before, and only its witness is better now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retold: bool,
}

/// The purpose of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A payment needed it.
    Use,
    /// To see whether it is back.
    Probe,
    /// A probe while nobody else could be asked: one that answers is better than none.
    OnlyHope,
    /// A look at what it supports, where there is no payment to probe it with. It shows that somebody is there, and not
    /// that payments are answered.
    SignOfLife,
}

/// Which latency is slow, out of the facilitator's own time-out for this kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub timeout_ms: u64,
}

impl Limits {
    /// The times that count as slow at this kind of call.
    #[must_use]
    pub fn of(facilitator: &Facilitator, call: Call) -> Self {
        Self { timeout_ms: facilitator.timeout_ms(call) }
    }

    /// Half its time-out: not yet a failure, and a healthy one is better.
    fn is_slow(self, latency_us: u64) -> bool {
        latency_us > self.timeout_ms * 1_000 / 2
    }

    /// Well below, so that one at the border does not change its standing with every call.
    fn is_brisk(self, latency_us: u64) -> bool {
        latency_us < self.timeout_ms * 1_000 / 4
    }
}

impl Event {
    /// Whether it can wait to be told: a payment was served. A failure, and what a probe found, are news.
    #[must_use]
    pub fn is_everyday(&self) -> bool {
        self.purpose == Purpose::Use && self.outcome == Outcome::Answered
    }
}

impl Default for Health {
    fn default() -> Self {
        Self {
            standing: Standing::Healthy,
            since: UnixMillis(0),
            score: BEST_SCORE,
            latency_us: None,
            consecutive_failures: 0,
            openings: 0,
            failures: Vec::new(),
            evidence: Evidence::default(),
            turned_at: UnixMillis(0),
        }
    }
}

impl Hope {
    #[must_use]
    pub fn of<'a>(mut facilitators: impl Iterator<Item = &'a super::news::Known>) -> Self {
        if facilitators.any(super::news::Known::is_in_use) { Self::Others } else { Self::None }
    }

    #[must_use]
    pub fn purpose_of_a_probe(self) -> Purpose {
        match self {
            Self::Others => Purpose::Probe,
            Self::None => Purpose::OnlyHope,
        }
    }
}

impl Standing {
    /// The name in telemetry, the platform API and the documentation.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded(_) => "degraded",
            Self::Quarantined(_) => "quarantined",
            Self::Probing { .. } => "probing",
        }
    }

    /// When it is to be probed, if it is.
    #[must_use]
    pub fn retry(&self) -> Option<Retry> {
        match self {
            Self::Healthy => None,
            Self::Degraded(retry) | Self::Quarantined(retry) | Self::Probing { retry, .. } => Some(*retry),
        }
    }

    /// Whether payments may go there without being a probe.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        matches!(self, Self::Healthy | Self::Degraded(_))
    }
}

impl Retry {
    /// When the back-off runs out.
    #[must_use]
    pub fn at(self, hope: Hope) -> UnixMillis {
        match hope {
            Hope::Others => self.at,
            Hope::None => self.at.min(self.set_at.plus(ONLY_HOPE_BACK_OFF_MS)),
        }
    }

    /// The same as the clock shows it now. If the clock was set back since, waiting for it would be no back-off.
    #[must_use]
    pub fn due(self, hope: Hope, now: UnixMillis) -> UnixMillis {
        if self.set_at > now.plus(CLOCK_JITTER_MS) { now } else { self.at(hope) }
    }

    /// The length of the back-off.
    #[must_use]
    pub fn interval_ms(self, hope: Hope) -> u64 {
        self.at(hope).since(self.set_at).max(BACK_OFF_MIN_MS)
    }

    fn new(misses: u32, openings: u32, now: UnixMillis, jitter: f64) -> Self {
        let most = if openings > 1 { BACK_OFF_MAX_AGAIN_MS } else { BACK_OFF_MAX_MS };
        let doublings = (misses + openings.saturating_sub(1)).min(16);
        let pause = BACK_OFF_MIN_MS.saturating_mul(1 << doublings).min(most) as f64;
        let pause = pause * (1.0 - JITTER + 2.0 * JITTER * jitter);
        Self { set_at: now, at: now.plus(pause as u64), misses }
    }
}

impl Health {
    /// Good probes in a row that bring it back.
    fn good_probes_wanted(&self, purpose: Purpose) -> u32 {
        match purpose {
            Purpose::OnlyHope => 1,
            Purpose::Use | Purpose::Probe | Purpose::SignOfLife => {
                (1 + 2 * self.openings.saturating_sub(1)).min(MOST_GOOD_PROBES)
            }
        }
    }

    fn stands(self, standing: Standing, now: UnixMillis) -> Self {
        let since = if standing.name() == self.standing.name() { self.since } else { now };
        let turned = standing.is_in_use() != self.standing.is_in_use();
        let turned_at = if turned { now } else { self.turned_at };
        Self { standing, since, turned_at, ..self }
    }

    fn answered(mut self, event: &Event) -> Self {
        self.score = newest(self.score, BEST_SCORE);
        self.consecutive_failures = 0;
        let us = event.ms.saturating_mul(1_000);
        self.latency_us = Some(self.latency_us.map_or(us, |old| newest(old, us)));
        self.evidence.clear(event.witness.as_ref(), event.began.plus(event.ms));
        self
    }

    /// Says also whether the failure is a new one, and not one more of an origin that was heard already.
    fn failed(mut self, reason: &str, event: &Event, now: UnixMillis) -> (Self, Hearing) {
        let hearing = match event.purpose {
            Purpose::Use => self.evidence.hear(event.witness.unwrap_or(Witness::unknown()), now),
            // That a list cannot be fetched says nothing of payments, unless payments have failed as well.
            Purpose::SignOfLife if self.standing.is_in_use() && !self.evidence.convicts(now) => Hearing::Repeated,
            Purpose::Probe | Purpose::OnlyHope | Purpose::SignOfLife if self.standing.is_in_use() => {
                self.evidence.hear(event.witness.unwrap_or(Witness::ourselves(now)), now)
            }
            Purpose::Probe | Purpose::OnlyHope | Purpose::SignOfLife => Hearing::New,
        };
        if !event.retold {
            self.consecutive_failures = self.consecutive_failures.saturating_add(1);
            self.failures.push(Failure { reason: reason.to_owned(), at: now, said: event.said.clone() });
            let extra = self.failures.len().saturating_sub(FAILURES_KEPT);
            self.failures.drain(..extra);
        }
        if hearing == Hearing::New {
            self.score = newest(self.score, 0);
        }
        (self, hearing)
    }

    /// Whether its failures speak against it.
    fn is_accused(&self, hearing: Hearing, now: UnixMillis) -> bool {
        let unwell = self.score < OPENS_BELOW && self.evidence.has_seen_enough(now);
        hearing != Hearing::Repeated && (self.evidence.convicts(now) || unwell)
    }

    /// It answers again.
    fn restored(mut self, now: UnixMillis) -> Self {
        self.score = self.score.max(RESTORED_SCORE);
        self.stands(Standing::Healthy, now)
    }

    fn quarantined(self, now: UnixMillis, jitter: f64) -> Self {
        let forgiven = self.openings == 0 || now.since(self.since) >= FORGIVEN_AFTER_MS;
        let openings = if forgiven { 1 } else { self.openings.saturating_add(1) };
        let retry = Retry::new(0, openings, now, jitter);
        Self { openings, ..self }.stands(Standing::Quarantined(retry), now)
    }
}

fn newest(old: u64, new: u64) -> u64 {
    (old * (NEWEST_ONE_IN - 1) + new) / NEWEST_ONE_IN
}

/// `jitter` is from 0 to below 1.
#[must_use]
pub fn step(health: Health, event: &Event, limits: Limits, now: UnixMillis, jitter: f64) -> Health {
    if is_no_news(&health, event) {
        return health;
    }
    match &event.outcome {
        Outcome::Answered => answered(health, event, limits, now, jitter),
        Outcome::Failed(reason) => failed(health, reason, event, now, jitter),
    }
}

fn is_no_news(health: &Health, event: &Event) -> bool {
    match health.standing {
        // Such a call may tell it very late.
        Standing::Healthy | Standing::Degraded(_) if event.purpose == Purpose::Use => event.began < health.turned_at,
        Standing::Healthy | Standing::Degraded(_) => false,
        Standing::Quarantined(_) | Standing::Probing { .. } if event.purpose == Purpose::Use => true,
        // A stranger who is let through may find that it is back, and not that it is away: its payment may be to blame.
        // Of probes that go out together, the first that fails has set the next back-off.
        Standing::Quarantined(retry) | Standing::Probing { retry, .. } => {
            let is_strangers = event.witness.is_some_and(|witness| witness.grade == Grade::Stranger);
            event.outcome != Outcome::Answered && (is_strangers || event.began < retry.set_at)
        }
    }
}

fn answered(health: Health, event: &Event, limits: Limits, now: UnixMillis, jitter: f64) -> Health {
    let standing = health.standing.clone();
    if event.purpose == Purpose::SignOfLife {
        let retry = Retry::new(0, health.openings, now, jitter);
        return match standing {
            Standing::Quarantined(_) => health.stands(Standing::Probing { retry, good: 0 }, now),
            Standing::Probing { good, .. } => health.stands(Standing::Probing { retry, good }, now),
            Standing::Degraded(_) => health.stands(Standing::Degraded(retry), now),
            Standing::Healthy => health,
        };
    }
    let mut health = health.answered(event);
    if matches!(standing, Standing::Degraded(_)) && event.purpose != Purpose::Use && health.evidence.is_hearsay(now) {
        // We have looked ourselves, and whoever spoke against it was wrong.
        health.evidence.acquit(now);
    }
    let again = |misses: u32| Retry::new(misses, health.openings, now, jitter);
    let latency = health.latency_us.unwrap_or_default();
    match standing {
        Standing::Healthy if limits.is_slow(latency) => {
            let retry = again(0);
            health.stands(Standing::Degraded(retry), now)
        }
        Standing::Healthy => health,
        Standing::Degraded(_) if limits.is_brisk(latency) => health.stands(Standing::Healthy, now),
        Standing::Degraded(retry) => tried_again(health, retry, now, jitter),
        Standing::Quarantined(_) | Standing::Probing { .. } => {
            let good = if let Standing::Probing { good, .. } = standing { good + 1 } else { 1 };
            if good >= health.good_probes_wanted(event.purpose) {
                return health.restored(now);
            }
            let retry = again(0);
            health.stands(Standing::Probing { retry, good }, now)
        }
    }
}

fn failed(health: Health, reason: &str, event: &Event, now: UnixMillis, jitter: f64) -> Health {
    let (health, hearing) = health.failed(reason, event, now);
    match health.standing.clone() {
        Standing::Healthy | Standing::Degraded(_)
            if health.is_accused(hearing, now) && !health.evidence.is_hearsay(now) =>
        {
            health.quarantined(now, jitter)
        }
        // Asked after the others, and looked at by us as soon as may be.
        Standing::Healthy if health.is_accused(hearing, now) => {
            let retry = Retry::new(0, health.openings, now, jitter);
            health.stands(Standing::Degraded(retry), now)
        }
        Standing::Healthy if health.consecutive_failures >= DEMOTED_AFTER => {
            let retry = Retry::new(DEMOTED_MISSES, health.openings, now, jitter);
            health.stands(Standing::Degraded(retry), now)
        }
        Standing::Healthy => health,
        Standing::Degraded(retry) => tried_again(health, retry, now, jitter),
        Standing::Quarantined(Retry { misses, .. }) | Standing::Probing { retry: Retry { misses, .. }, .. } => {
            let retry = Retry::new(misses.saturating_add(1), health.openings, now, jitter);
            health.stands(Standing::Quarantined(retry), now)
        }
    }
}

/// One that is asked after the others was asked: it waits for its next turn, if this was one.
fn tried_again(health: Health, retry: Retry, now: UnixMillis, jitter: f64) -> Health {
    if now < retry.at {
        return health;
    }
    let retry = Retry::new(retry.misses + 1, health.openings, now, jitter);
    health.stands(Standing::Degraded(retry), now)
}

#[cfg(test)]
#[path = "standing_tests.rs"]
mod tests;
