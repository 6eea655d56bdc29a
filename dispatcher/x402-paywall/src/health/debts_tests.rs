//! Three hundred payers who wait, with time passed by hand.

use super::*;
use proptest::prelude::*;

/// The result of asking a facilitator.
struct Course {
    /// When each debt was collected, in milliseconds.
    collected: Vec<u64>,
    /// Questions while it was away, and while it answered.
    asked_in_vain: usize,
    most_at_once: usize,
}

/// `count` debts that come due at different times, at a facilitator that is back at `back_ms` and takes `takes_ms`.
fn collect(count: u64, spread_ms: u64, back_ms: u64, takes_ms: u64) -> Course {
    let mut debts = Debts::default();
    let mut waiting: VecDeque<(u64, u64)> = (0..count).map(|n| (n * spread_ms / count, n)).collect();
    let mut under_way: Vec<(u64, UnixMillis, u64)> = Vec::new();
    let (mut set_at, mut retry_at, mut back_off) = (UnixMillis(1), UnixMillis(501), 500);
    let mut course = Course { collected: Vec::new(), asked_in_vain: 0, most_at_once: 0 };
    let mut answers = false;
    for now_ms in 2..600_000 {
        let now = UnixMillis(now_ms);
        for (ends, until, began) in std::mem::take(&mut under_way) {
            if ends > now_ms {
                under_way.push((ends, until, began));
                continue;
            }
            let answered = began >= back_ms;
            debts.ended(until, answered, now);
            if answered {
                answers = true;
                course.collected.push(now_ms);
            } else {
                // Its caller comes back, or its alarm rings.
                waiting.push_back((now_ms + 2_000, 0));
                if UnixMillis(began) >= set_at {
                    back_off = (back_off * 2).min(4_000);
                    (set_at, retry_at) = (now, now.plus(back_off));
                }
            }
        }
        for _ in 0..waiting.len() {
            let (due, debt) = waiting.pop_front().unwrap();
            if due > now_ms {
                waiting.push_back((due, debt));
                continue;
            }
            let mood = if answers { Mood::Answers } else { Mood::Silent { set_at, retry_at } };
            let at = debts.next_at(mood, now);
            if at > now {
                waiting.push_back((at.0, debt));
                continue;
            }
            let until = now.plus(10_000);
            debts.began(until, now);
            under_way.push((now_ms + takes_ms, until, now_ms));
            course.asked_in_vain += usize::from(now_ms < back_ms);
            course.most_at_once = course.most_at_once.max(under_way.len());
        }
        if waiting.is_empty() && under_way.is_empty() {
            break;
        }
    }
    course
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn three_hundred_debts_are_collected_within_half_a_minute_once_it_is_back(
        back_ms in 1_000..60_000_u64, takes_ms in 5..900_u64, spread_ms in 1..10_000_u64,
    ) {
        let course = collect(300, spread_ms, back_ms, takes_ms);
        prop_assert_eq!(course.collected.len(), 300);
        let last = course.collected.iter().max().unwrap() - back_ms.max(spread_ms);
        prop_assert!(last <= 30_000, "the last one after {last} ms");
        prop_assert!(course.most_at_once <= AT_ONCE);
    }

    #[test]
    fn a_silent_facilitator_is_asked_about_three_a_back_off(back_ms in 10_000..60_000_u64, takes_ms in 5..900_u64) {
        let course = collect(300, 1_000, back_ms, takes_ms);
        // Back-offs of 1, 2, 4, 4, ... seconds.
        let back_offs = 4 + back_ms as usize / 4_000;
        prop_assert!(course.asked_in_vain <= PER_BACK_OFF * back_offs, "{} in {back_ms} ms", course.asked_in_vain);
    }
}

#[test]
fn whoever_has_to_wait_gets_a_turn_of_its_own() {
    let mut debts = Debts::default();
    let now = UnixMillis(1_000);
    for _ in 0..AT_ONCE {
        assert_eq!(debts.next_at(Mood::Answers, now), now);
        debts.began(now.plus(5_000), now);
    }
    let turns: Vec<_> = (0..3).map(|_| debts.next_at(Mood::Answers, now).since(now)).collect();
    assert_eq!(turns, [20, 40, 60]);
    assert!(debts.wait(now));
}

#[test]
fn debts_whose_questions_vanish_do_not_block_the_rest_for_ever() {
    let mut debts = Debts::default();
    let silent = Mood::Silent { set_at: UnixMillis(1), retry_at: UnixMillis(500) };
    for _ in 0..3 {
        assert_eq!(debts.next_at(silent, UnixMillis(600)), UnixMillis(600));
        debts.began(UnixMillis(4_600), UnixMillis(600));
    }
    assert!(debts.next_at(silent, UnixMillis(700)) > UnixMillis(700));
    assert_eq!(debts.next_at(silent, UnixMillis(10_600)), UnixMillis(10_600));
}
