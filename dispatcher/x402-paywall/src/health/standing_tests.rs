//! Drives one facilitator's health through weather: a truth of up and down beside it, and callers and probes that see it.

use super::*;
use proptest::prelude::*;

/// The witness of the `n`th sound payment.
fn sound(n: u64) -> Option<Witness> {
    Some(Witness { payment: n, payer: n, network: n, grade: Grade::Sound })
}

/// The witness of the `n`th payment from one network, of which nothing is known.
fn stranger(n: u64) -> Option<Witness> {
    Some(Witness { payment: n, payer: n, network: 7, grade: Grade::Stranger })
}

const LIMITS: Limits = Limits { timeout_ms: 2_000 };
const CALL_EVERY_MS: u64 = 100;

fn event(purpose: Purpose, at: u64, outcome: Outcome) -> Event {
    let witness = if purpose == Purpose::Use { sound(at) } else { None };
    Event { purpose, began: UnixMillis(at), ms: 20, outcome, witness, said: None, retold: false }
}

fn failed() -> Outcome {
    Outcome::Failed("timeout".to_owned())
}

/// A facilitator that is asked every 100 ms while it is in use, and probed when its back-off runs out.
struct Course {
    health: Health,
    now: u64,
    changes: Vec<(u64, &'static str)>,
    uses: Vec<u64>,
    probes: Vec<u64>,
}

impl Course {
    fn new() -> Self {
        Self { health: Health::default(), now: 1_000, changes: Vec::new(), uses: Vec::new(), probes: Vec::new() }
    }

    fn tell(&mut self, purpose: Purpose, outcome: Outcome) {
        let before = self.health.standing.name();
        let event = event(purpose, self.now, outcome);
        self.health = step(self.health.clone(), &event, LIMITS, UnixMillis(self.now), 0.5);
        if self.health.standing.name() != before {
            self.changes.push((self.now, self.health.standing.name()));
        }
    }

    /// One tick of weather.
    fn tick(&mut self, up: bool) {
        let outcome = || if up { Outcome::Answered } else { failed() };
        if self.health.standing.is_in_use() {
            self.uses.push(self.now);
            self.tell(Purpose::Use, outcome());
        } else if self.health.standing.retry().is_some_and(|retry| retry.at <= UnixMillis(self.now)) {
            self.probes.push(self.now);
            self.tell(Purpose::Probe, outcome());
        }
        self.now += CALL_EVERY_MS;
    }

    fn run(&mut self, ms: u64, up: impl Fn(u64) -> bool) {
        for tick in 0..ms / CALL_EVERY_MS {
            self.tick(up(tick * CALL_EVERY_MS));
        }
    }
}

#[test]
fn failures_of_half_as_many_as_were_served_quarantine_and_one_good_probe_brings_back() {
    let mut course = Course::new();
    course.run(1_000, |_| true);
    course.run(10_000, |_| false);
    assert_eq!(course.changes, [(2_300, "degraded"), (2_400, "quarantined")]);
    assert!(course.probes.len() <= 6, "probes slow down: {:?}", course.probes);
    let healed_at = course.now;
    course.run(10_000, |_| true);
    let (back_at, standing) = course.changes[2];
    assert_eq!((standing, course.changes.len()), ("healthy", 3));
    assert!(back_at - healed_at <= BACK_OFF_MAX_MS * 12 / 10, "{back_at}");
}

#[test]
fn one_lost_call_in_ten_changes_nothing() {
    let mut course = Course::new();
    course.run(60_000, |at| !at.is_multiple_of(1_000));
    assert_eq!(course.changes, []);
}

#[test]
fn every_second_call_lost_is_a_quarantine_although_never_two_fail_in_a_row() {
    let mut course = Course::new();
    course.run(10_000, |at| at.is_multiple_of(200));
    assert_eq!(course.changes[0].1, "quarantined");
}

#[test]
fn what_comes_late_tells_nothing() {
    let mut course = Course::new();
    course.run(1_000, |_| false);
    course.run(10_000, |_| true);
    assert_eq!(course.health.standing, Standing::Healthy);
    for _ in 0..5 {
        let before = event(Purpose::Use, 1_000, failed());
        assert_eq!(step(course.health.clone(), &before, LIMITS, UnixMillis(course.now), 0.5), course.health);
    }
}

#[test]
fn slow_answers_degrade_and_brisk_ones_restore() {
    let answered = |health, at, ms| {
        let event = Event { ms, ..event(Purpose::Use, at, Outcome::Answered) };
        step(health, &event, LIMITS, UnixMillis(at), 0.5)
    };
    let mut health = answered(Health::default(), 1_000, 1_500);
    assert_eq!(health.standing.name(), "degraded");
    health = answered(health, 2_000, 1_100);
    assert_eq!(health.standing.name(), "degraded", "not yet well below");
    for at in 3..20 {
        health = answered(health, at * 1_000, 20);
    }
    assert_eq!(health.standing, Standing::Healthy);
}

#[test]
fn the_only_hope_is_taken_back_by_its_first_answer() {
    let mut course = Course::new();
    for _ in 0..4 {
        course.run(1_000, |_| false);
        course.run(12_000, |_| true);
    }
    course.run(1_000, |_| false);
    course.tell(Purpose::OnlyHope, Outcome::Answered);
    assert_eq!(course.health.standing, Standing::Healthy);
}

/// Strangers of one network that fail at one moment each.
fn crowd(health: Health, from: u64, count: u64) -> Health {
    (0..count).fold(health, |health, n| {
        let event = Event { witness: stranger(n), ..event(Purpose::Use, from + n, failed()) };
        step(health, &event, LIMITS, UnixMillis(from + n), 0.5)
    })
}

#[test]
fn strangers_of_one_network_have_it_asked_last_and_no_number_of_them_quarantines() {
    let health = crowd(Health::default(), 1_000, 3);
    assert_eq!(health.standing, Standing::Healthy);
    let mut health = crowd(health, 2_000, 500);
    assert_eq!(health.standing.name(), "degraded");
    health = step(health, &event(Purpose::Use, 3_000, Outcome::Answered), LIMITS, UnixMillis(3_000), 0.5);
    assert_eq!(health.standing, Standing::Healthy, "a sound answer, and it is as before");
}

#[test]
fn what_is_asked_last_for_strangers_and_fails_our_own_probes_is_quarantined() {
    let mut health = crowd(Health::default(), 1_000, 4);
    for at in [4_000, 8_000] {
        assert_eq!(health.standing.name(), "degraded");
        health = step(health, &event(Purpose::Probe, at, failed()), LIMITS, UnixMillis(at), 0.5);
    }
    assert_eq!(health.standing.name(), "quarantined");
}

/// The `n`th of many strangers that have nothing in common.
fn fail_of_independent(health: Health, n: u64, at: u64) -> Health {
    let witness = Some(Witness { payment: n, payer: n, network: n, grade: Grade::Stranger });
    let event = Event { witness, ..event(Purpose::Use, at, failed()) };
    step(health, &event, LIMITS, UnixMillis(at), 0.5)
}

#[test]
fn strangers_alone_have_us_look_and_what_we_see_decides() {
    for purpose in [Purpose::Probe, Purpose::SignOfLife] {
        let accused = (1..=8).fold(Health::default(), |health, n| fail_of_independent(health, n, 1_000 + n));
        assert_eq!(accused.standing.name(), "degraded");
        let look = |outcome| step(accused.clone(), &event(purpose, 2_000, outcome), LIMITS, UnixMillis(2_000), 0.5);
        let (well, ill) = (look(Outcome::Answered), look(failed()));
        assert!(well.standing.is_in_use(), "{purpose:?}");
        assert_eq!((ill.standing.name(), ill.openings), ("quarantined", 1), "{purpose:?}");
    }
    let healthy = step(Health::default(), &event(Purpose::SignOfLife, 9, failed()), LIMITS, UnixMillis(9), 0.5);
    assert_eq!(healthy.standing, Standing::Healthy, "a list alone says nothing of payments");
}

#[test]
fn strangers_that_we_found_wrong_are_believed_half_as_much() {
    let mut health = (1..=3).fold(Health::default(), |health, n| fail_of_independent(health, n, 1_000 + n));
    assert_eq!(health.standing.name(), "degraded");
    health = step(health, &event(Purpose::Probe, 2_000, Outcome::Answered), LIMITS, UnixMillis(2_000), 0.5);
    assert_eq!(health.standing.name(), "healthy");
    let later = 2_000 + 6_000;
    health = (4..=6).fold(health, |health, n| fail_of_independent(health, n, later + n));
    assert_eq!(health.standing.name(), "healthy");
}

#[test]
fn a_stranger_who_is_let_through_can_close_the_breaker_and_not_keep_it_open() {
    let mut course = Course::new();
    course.run(1_000, |_| false);
    let before = course.health.clone();
    let by_stranger = |outcome| Event { witness: stranger(1), ..event(Purpose::OnlyHope, 2_500, outcome) };
    assert_eq!(step(before.clone(), &by_stranger(failed()), LIMITS, UnixMillis(2_500), 0.5), before);
    let after = step(before, &by_stranger(Outcome::Answered), LIMITS, UnixMillis(2_500), 0.5);
    assert_eq!(after.standing, Standing::Healthy);
}

#[test]
fn a_sign_of_life_is_no_answer_to_a_payment() {
    let mut course = Course::new();
    course.run(1_000, |_| false);
    course.tell(Purpose::SignOfLife, Outcome::Answered);
    assert_eq!(course.health.standing.name(), "probing");
    course.tell(Purpose::SignOfLife, Outcome::Answered);
    assert_eq!(course.health.standing.name(), "probing");
}

#[test]
fn probes_that_go_out_together_and_fail_are_one_miss() {
    let mut course = Course::new();
    course.run(500, |_| false);
    let at = course.now;
    let misses = |health: &Health| health.standing.retry().map(|retry| retry.misses);
    let mut health = course.health;
    for n in 0..3 {
        let event = Event { witness: sound(n), ..event(Purpose::Probe, at, failed()) };
        health = step(health, &event, LIMITS, UnixMillis(at + 10 + n), 0.5);
    }
    assert_eq!(misses(&health), Some(1));
}

#[test]
fn a_record_of_a_former_version_is_read() {
    let former = r#"{"standing":"healthy","since":5,"score":1000000,"latency_us":null,"consecutive_failures":0,"openings":0,"failures":[{"reason":"timeout","at":3}]}"#;
    let health: Health = serde_json::from_str(former).unwrap();
    assert_eq!(health.evidence, Evidence::default());
}

proptest! {
    #[test]
    fn one_that_is_up_and_down_by_turns_ends_quarantined_and_seldom_comes_back(
        up in 3..30u64, down in 5..30u64, shift in 0..60u64,
    ) {
        let mut course = Course::new();
        course.run(300_000, |at| (at / CALL_EVERY_MS + shift) % (up + down) < up);
        let openings = course.changes.iter().filter(|(_, standing)| *standing == "quarantined").count();
        // Two openings teach enough; each later one needs a run of seven good probes against the odds.
        let healthy = course.changes.iter().filter(|(_, standing)| *standing == "healthy").count();
        prop_assert!(healthy <= 15 && openings > 0, "{healthy} returns in 5 minutes");
        // The callers' share of five minutes at ten calls a second.
        prop_assert!(course.uses.len() < 600, "{} calls were let through", course.uses.len());
    }

    #[test]
    fn a_dead_one_gets_few_probes_and_a_healed_one_comes_back(dead_s in 1..600u64, jitter in 0.0..1.0f64) {
        let mut course = Course::new();
        course.run(dead_s * 1_000, |_| false);
        prop_assert!(course.uses.len() == 3);
        prop_assert!(course.probes.len() as u64 <= 4 + dead_s * 1_000 / (BACK_OFF_MAX_MS * 8 / 10));
        course.run(BACK_OFF_MAX_MS * 2, |_| true);
        prop_assert_eq!(&course.health.standing, &Standing::Healthy);
        let retry = Retry::new(dead_s as u32, 1, UnixMillis(0), jitter);
        prop_assert!((BACK_OFF_MIN_MS * 8 / 10..=BACK_OFF_MAX_MS * 12 / 10).contains(&retry.at.0));
    }

    #[test]
    fn no_event_is_a_panic_and_the_score_stays_a_share(
        events in prop::collection::vec((0..4u8, any::<bool>(), 0..100_000u64, 0..5_000u64, any::<bool>()), 0..200),
    ) {
        let (mut health, mut now) = (Health::default(), 0);
        for (purpose, good, ms, pause, known) in events {
            now += pause;
            let purpose =
                [Purpose::Use, Purpose::Probe, Purpose::OnlyHope, Purpose::SignOfLife][usize::from(purpose)];
            let outcome = if good { Outcome::Answered } else { failed() };
            let witness = if known { sound(now) } else { stranger(now) };
            let began = UnixMillis(now.saturating_sub(ms));
            let event = Event { purpose, began, ms, outcome, witness, said: None, retold: false };
            let before = health.clone();
            health = step(health, &event, LIMITS, UnixMillis(now), 0.5);
            prop_assert!(health.score <= BEST_SCORE && health.failures.len() <= FAILURES_KEPT);
            let left = !before.standing.is_in_use() && health.standing.is_in_use();
            let by_probe = good && !matches!(purpose, Purpose::Use | Purpose::SignOfLife);
            prop_assert!(!left || by_probe, "only a good probe ends a quarantine");
        }
    }
}
