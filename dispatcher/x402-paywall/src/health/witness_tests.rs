//! What failures weigh, by who saw them.

use super::*;
use crate::health::testing::{claim, strangers};
use proptest::prelude::*;

fn witness(payment: u64, payer: u64, network: u64, grade: Grade) -> Witness {
    Witness { payment, payer, network, grade }
}

fn heard(witnesses: &[Witness]) -> Evidence {
    let mut evidence = Evidence::default();
    for (n, witness) in (0..).zip(witnesses) {
        evidence.hear(*witness, UnixMillis(n * 10));
    }
    evidence
}

fn convicts(witnesses: &[Witness]) -> bool {
    heard(witnesses).convicts(UnixMillis(1_000))
}

#[test]
fn three_strangers_of_different_payers_and_networks_are_enough() {
    let stranger = |n| witness(n, n, n, Grade::Stranger);
    assert!(convicts(&[stranger(1), stranger(2), stranger(3)]));
    assert!(!convicts(&[stranger(1), stranger(2)]));
}

#[test]
fn one_network_and_one_payer_are_one_witness_however_many_there_are() {
    let of_one_network: Vec<_> = (1..100).map(|n| witness(n, n, 7, Grade::Stranger)).collect();
    let of_one_payer: Vec<_> = (1..100).map(|n| witness(n, 7, n, Grade::Stranger)).collect();
    assert!(!convicts(&of_one_network) && !convicts(&of_one_payer));
    let regulars: Vec<_> = (1..100).map(|n| witness(n, n, 7, Grade::Regular)).collect();
    assert!(!convicts(&regulars));
}

#[test]
fn three_sound_payments_are_enough_from_wherever() {
    let sound = |n| witness(n, 7, 7, Grade::Sound);
    assert!(convicts(&[sound(1), sound(2), sound(3)]));
    assert!(!convicts(&[sound(1), sound(1), sound(1)]), "one payment asked about again");
    let mut evidence = heard(&[1, 2, 3].map(|n| witness(n, 7, 7, Grade::Stranger)));
    assert!(!evidence.convicts(UnixMillis(100)));
    for n in 1..=3 {
        evidence.hear(sound(n), UnixMillis(100));
    }
    assert!(evidence.convicts(UnixMillis(100)), "another facilitator has answered them since");
}

#[test]
fn three_sound_payments_of_one_buyer_are_not_enough_while_others_are_served() {
    let sound = |n, origin| witness(n, origin, origin, Grade::Sound);
    let mut evidence = Evidence::default();
    evidence.clear(Some(&sound(0, 1)), UnixMillis(0));
    for n in 1..=20 {
        evidence.hear(sound(n, 7), UnixMillis(n * 10));
        assert!(!evidence.convicts(UnixMillis(n * 10)), "{n}");
    }
    assert_eq!(
        evidence.testimonies.iter().filter(|known| known.witness.payer == 7).count(),
        1,
        "it need not be heard so often"
    );
    for n in 1..=3 {
        evidence.hear(sound(20 + n, 7), UnixMillis(n * 2_500));
    }
    assert!(evidence.convicts(UnixMillis(7_500)), "nobody else was served for a while");
    let others = (1..=2).map(|n| sound(30 + n, 10 + n));
    let mut evidence = Evidence::default();
    evidence.clear(Some(&sound(0, 1)), UnixMillis(0));
    evidence.hear(sound(1, 7), UnixMillis(10));
    others.for_each(|other| {
        evidence.hear(other, UnixMillis(20));
    });
    assert!(evidence.convicts(UnixMillis(20)), "several buyers at once");
}

#[test]
fn a_few_buyers_are_not_enough_while_many_others_are_served() {
    let sound = |n, origin| witness(n, origin, origin, Grade::Sound);
    let fails_for = |failing: u64, served: u64| {
        let mut evidence = Evidence::default();
        (0..served).for_each(|n| evidence.clear(Some(&sound(n, 100 + n)), UnixMillis(n)));
        (0..failing).for_each(|n| {
            evidence.hear(sound(1_000 + n, 200 + n), UnixMillis(100 + n));
        });
        evidence.convicts(UnixMillis(200))
    };
    assert!(fails_for(3, 6) && !fails_for(3, 7));
    assert!(!fails_for(5, 100) && fails_for(6, 100), "a crowd is not all remembered");
}

#[test]
fn one_origin_pushes_out_no_others_word() {
    let sound = |n, origin| witness(n, origin, origin, Grade::Sound);
    let mut evidence = heard(&[sound(1, 1), sound(2, 2)]);
    for n in 3..100 {
        evidence.hear(sound(n, 7), UnixMillis(n * 10));
    }
    let of = |origin| evidence.testimonies.iter().filter(|known| known.witness.payer == origin).count();
    assert_eq!([1, 2, 7].map(of), [1, 1, OF_ONE_ORIGIN]);
}

#[test]
fn a_sound_answer_in_between_begins_anew_and_so_does_time() {
    let stranger = |n| witness(n, n, n, Grade::Stranger);
    let mut evidence = heard(&[stranger(1), stranger(2)]);
    evidence.clear(None, UnixMillis(20));
    evidence.hear(stranger(3), UnixMillis(50));
    assert!(!evidence.convicts(UnixMillis(60)));
    let evidence = heard(&[1, 2, 3].map(stranger));
    assert!(!evidence.convicts(UnixMillis(WEIGHS_MS + 30)));
}

#[test]
fn strangers_open_nothing_while_others_are_answered_and_sound_payments_do() {
    let stranger = |n| witness(n, n, n, Grade::Stranger);
    let mut evidence = Evidence::default();
    evidence.clear(None, UnixMillis(0));
    for n in 1..=8 {
        evidence.hear(stranger(n), UnixMillis(n * 10));
    }
    assert!(!evidence.convicts(UnixMillis(100)), "it answers others");
    assert!(evidence.convicts(UnixMillis(SOUND_FOR_MS)), "it has answered nobody for a while");
    for n in 1..=3 {
        evidence.hear(witness(n, n, n, Grade::Sound), UnixMillis(100));
    }
    assert!(evidence.convicts(UnixMillis(100)), "another facilitator has answered what this one fails on");
}

#[test]
fn strangers_who_were_wrong_have_to_be_twice_as_many() {
    let stranger = |n| witness(n, n, n, Grade::Stranger);
    let mut evidence = Evidence::default();
    evidence.acquit(UnixMillis(0));
    for n in 1..=6 {
        assert!(!evidence.convicts(UnixMillis(100)), "{n}");
        evidence.hear(stranger(n), UnixMillis(100));
    }
    assert!(evidence.convicts(UnixMillis(100)) && evidence.is_hearsay(UnixMillis(100)));
}

#[test]
fn callers_who_do_not_say_where_they_are_are_one() {
    let nowhere = |n: u8| Claim { payment: n.to_string(), payer: x402_protocol::Address([n; 20]), ..claim(&[]) };
    let unknown: Vec<_> = (1..9).map(|n| Witness::of(&nowhere(n), Grade::Stranger)).collect();
    assert!(!convicts(&unknown));
    let known: Vec<_> = (1..4).map(|n| Witness::of(&strangers(&[], n), Grade::Stranger)).collect();
    assert!(convicts(&known));
}

proptest! {
    #[test]
    fn no_crowd_of_one_network_convicts_and_the_list_stays_short(
        witnesses in prop::collection::vec((0..50_u64, 0..50_u64, any::<bool>(), 0..5_000_u64), 0..200),
    ) {
        let (mut evidence, mut now) = (Evidence::default(), 0);
        for (payment, payer, regular, pause) in witnesses {
            now += pause;
            let grade = if regular { Grade::Regular } else { Grade::Stranger };
            evidence.hear(witness(payment, payer, 7, grade), UnixMillis(now));
            prop_assert!(evidence.testimonies.len() <= WITNESSES_KEPT);
            prop_assert!(!evidence.convicts(UnixMillis(now)));
        }
    }
}
