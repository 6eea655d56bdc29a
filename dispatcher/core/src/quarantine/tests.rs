//! Quarantines, from an operator's word to the limits of a run.

use super::{
    CpuPolicy, Errand, Quarantine, QuarantineCall, Quarantines, Warden,
    burns::{CPU_FAILURES_IN_A_ROW, ROW_MS, WELL_MS},
    list::{MAX_BY_POLICY, MAX_QUARANTINED, POLICY},
    warden::RETRY_MS,
};
use crate::{
    admission::Origin,
    directory::Directory,
    dispatch_key::DispatchKey,
    plan::{Limits, Plan},
    tenant::{Available, Tenant},
    tenant_failure::TenantFailure,
};
use proptest::prelude::*;
use std::{
    future::{Future, pending},
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};
use x402_paywall::{
    UnixMillis,
    ports::{Clock, LedgerError},
};
use x402_protocol::Network;

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

fn tenant(more: &str) -> Rc<Tenant> {
    let json = format!(r#"{{"tenants":[{{"id":"acme","plan":"pro","slug":"acme"{more}}}]}}"#);
    let available = Available { network: Network::BaseSepolia, facilitators: [].into() };
    Directory::from_json(&json, &available).unwrap().find(&DispatchKey::slug("acme").unwrap()).unwrap()
}

fn by_operator(until_ms: Option<UnixMillis>) -> Quarantines {
    let mut list = Quarantines::default();
    let quarantine = Quarantine::asked_for("acme", r#"{"reason":"phishing","author":"ann"}"#, NOW).unwrap();
    assert!(list.put(Quarantine { until_ms, ..quarantine }, NOW));
    list
}

#[test]
fn a_quarantine_counts_at_once_and_ends_in_time_or_when_it_is_lifted() {
    let (warden, acme) = (Warden::default(), tenant(""));
    assert_eq!(warden.limits(&acme, NOW), (Plan::Pro.limits(), None));
    warden.learn(by_operator(Some(NOW.plus(10))), NOW);
    assert_eq!(warden.limits(&acme, NOW), (Plan::Quarantine.limits(), Some("quarantine")));
    assert_eq!(warden.limits(&acme, NOW.plus(10)), (Plan::Pro.limits(), None));
    let mut list = by_operator(None);
    warden.learn(list.clone(), NOW);
    assert!(warden.limits(&acme, UnixMillis(u64::MAX)).1.is_some());
    list.lift("acme");
    warden.learn(list, NOW);
    assert_eq!(warden.limits(&acme, NOW).1, None);
}

#[test]
fn an_override_counts_until_it_expires_and_then_says_so() {
    let own = r#","override":{"cpuMs":300,"subRequests":90,"reason":"launch","author":"ann","expires":"2027-01-15T08:00:00Z"}"#;
    let (warden, acme) = (Warden::default(), tenant(own));
    let limits = Limits { cpu_ms: 300, sub_requests: 90 };
    assert_eq!(warden.limits(&acme, UnixMillis(NOW.0 - 1)), (limits, Some("override")));
    assert_eq!(warden.limits(&acme, NOW), (Plan::Pro.limits(), Some("override_expired")));
    warden.learn(by_operator(None), NOW);
    assert_eq!(warden.limits(&acme, UnixMillis(0)).1, Some("quarantine"), "over any override");
}

#[test]
fn an_operator_must_say_who_and_why() {
    for (wrong, said) in [
        ("", "line 1 column 0"),
        ("{}", "missing field `reason`"),
        (r#"{"reason":"x"}"#, "missing field `author` at line 1 column 14"),
        (r#"{"reason":"","author":"ann"}"#, "reason has 0 bytes"),
        (r#"{"reason":"x","author":7}"#, "invalid type: integer `7`, expected a string at line 1 column 24"),
        (r#"{"reason":"x","author":"a","x":1}"#, "there is no \"x\""),
        (r#"["phishing","ann"]"#, "invalid type: sequence"),
    ] {
        let error = Quarantine::asked_for("acme", wrong, NOW).unwrap_err();
        assert!(error.contains(said), "{wrong}: {error}");
    }
}

#[test]
fn a_quarantine_that_is_over_before_it_begins_is_refused() {
    let until = |ms: u64| format!(r#"{{"reason":"x","author":"ann","until_ms":{ms}}}"#);
    assert!(Quarantine::asked_for("acme", &until(NOW.0 / 1_000), NOW).unwrap_err().contains("milliseconds"));
    assert!(Quarantine::asked_for("acme", &until(NOW.0 + 1), NOW).is_ok());
}

#[test]
fn policy_does_not_shorten_what_an_operator_has_put_in_force() {
    let mut list = by_operator(None);
    let by_policy = Quarantine { until_ms: Some(NOW.plus(10)), ..list.0[0].clone() };
    assert!(list.put_by_policy(by_policy, NOW));
    assert!(list.has("acme", NOW.plus(1_000)));
}

#[test]
fn no_override_lets_out_whom_the_directory_has_put_away() {
    let own = r#","override":{"cpuMs":300,"subRequests":90,"reason":"launch","author":"ann","expires":"2099-01-15T08:00:00Z"}"#;
    let json = format!(r#"{{"tenants":[{{"id":"acme","plan":"quarantine","slug":"acme"{own}}}]}}"#);
    let available = Available { network: Network::BaseSepolia, facilitators: [].into() };
    let directory = Directory::from_json(&json, &available).unwrap();
    let acme = directory.find(&DispatchKey::slug("acme").unwrap()).unwrap();
    assert_eq!(Warden::default().limits(&acme, NOW).0, Plan::Quarantine.limits());
}

#[test]
fn a_list_is_bounded() {
    let mut list = Quarantines::default();
    let put = |list: &mut Quarantines, id: &str| {
        list.put(Quarantine::asked_for(id, r#"{"reason":"x","author":"a"}"#, NOW).unwrap(), NOW)
    };
    assert!((0..MAX_QUARANTINED).all(|n| put(&mut list, &n.to_string())));
    assert!(!put(&mut list, "one more") && put(&mut list, "7"), "who is there can be put again");
}

#[test]
fn the_object_says_what_is_to_be_stored_and_when_it_is_full() {
    let (mut list, quarantine) = (Quarantines::default(), by_operator(None).0.remove(0));
    let take = |list: &mut Quarantines, call| list.take(call, NOW).ok();
    assert_eq!(take(&mut list, QuarantineCall::List), Some(false));
    assert_eq!(take(&mut list, QuarantineCall::Put(quarantine.clone())), Some(true));
    assert!(list.has("acme", NOW));
    assert_eq!(take(&mut list, QuarantineCall::Lift("acme".to_owned())), Some(true));
    assert!(!list.has("acme", NOW));
    for n in 0..MAX_QUARANTINED {
        take(&mut list, QuarantineCall::Put(Quarantine { tenant_id: n.to_string(), ..quarantine.clone() })).unwrap();
    }
    assert_eq!(take(&mut list, QuarantineCall::Put(quarantine.clone())), None);
    assert_eq!(take(&mut list, QuarantineCall::PutByPolicy(quarantine)), Some(true), "an errand is never repeated");
}

#[test]
fn policy_leaves_room_for_operators() {
    let mut list = Quarantines::default();
    let mut put = |id: String, author: &str| {
        let new = Quarantine { tenant_id: id, reason: "x".to_owned(), author: author.to_owned(), until_ms: None };
        if author == POLICY { list.put_by_policy(new, NOW) } else { list.put(new, NOW) }
    };
    let by_policy = (0..1_000).filter(|n| put(format!("burns-{n}"), POLICY)).count();
    assert_eq!(by_policy, MAX_BY_POLICY);
    assert!(put("phishes".to_owned(), "ann"));
}

#[test]
fn a_list_of_a_later_version_is_read_and_an_operators_misspelling_is_not() {
    let later = r#"[{"tenant_id":"acme","reason":"x","author":"ann","until_ms":null,"ticket":7}]"#;
    assert!(serde_json::from_str::<Quarantines>(later).unwrap().has("acme", NOW));
    let misspelt = r#"{"reason":"x","author":"ann","untill_ms":1}"#;
    assert!(Quarantine::asked_for("acme", misspelt, NOW).unwrap_err().contains("untill_ms"));
}

#[test]
fn every_request_asks_until_somebody_has_told_or_failed_to_and_what_failed_is_tried_again() {
    let (warden, acme) = (Warden::new(CpuPolicy::Quarantine), tenant(""));
    assert_eq!((warden.first(), warden.first()), (Some(Errand::Ask), Some(Errand::Ask)));
    warden.failed(Errand::Ask, NOW);
    assert_eq!((warden.first(), warden.due(NOW)), (None, None), "not by every request of a busy isolate");
    let later = NOW.plus(RETRY_MS);
    assert_eq!((warden.first(), warden.due(later)), (None, Some(Errand::Ask)), "beside an answer, and not before it");
    warden.learn(Quarantines::default(), NOW);
    assert_eq!((warden.first(), warden.due(NOW)), (None, None));

    for n in 0..CPU_FAILURES_IN_A_ROW as u64 {
        warden.ran(&acme, caller(n), Some(TenantFailure::CpuLimit), NOW.plus(n * 1_000));
    }
    let put = warden.due(NOW).unwrap();
    warden.failed(put.clone(), NOW);
    assert_eq!(warden.due(NOW.plus(RETRY_MS)), Some(put));
}

/// A clock that stands, but for those who wait: their time passes at once.
struct Still;

impl Clock for Still {
    fn now(&self) -> UnixMillis {
        NOW
    }

    async fn sleep(&self, _: u64) {}
}

fn ready<T>(doing: impl Future<Output = T>) -> T {
    match pin!(doing).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("it waited for ever"),
    }
}

#[test]
fn an_object_that_hangs_or_fails_keeps_nobody_and_is_asked_again_beside_answers() {
    let lost = || LedgerError("the object threw".to_owned());
    for (hangs, said) in [(true, "did not come within 2000 ms"), (false, "the object threw")] {
        let (warden, acme) = (Warden::default(), tenant(""));
        let asked = async |_| if hangs { pending().await } else { Err(lost()) };
        let error = ready(warden.run(warden.first().unwrap(), &Still, asked)).unwrap_err();
        assert!(error.0.contains(said), "{error}");
        assert_eq!(warden.limits(&acme, NOW), (Plan::Pro.limits(), None), "as it is without a list");
        let again = warden.due(NOW.plus(RETRY_MS)).unwrap();
        ready(warden.run(again, &Still, async |_| Ok(by_operator(None)))).unwrap();
        assert_eq!(warden.limits(&acme, NOW).1, Some("quarantine"));
        // The last list stays in force through whatever comes.
        ready(warden.run(Errand::Ask, &Still, async |_| if hangs { pending().await } else { Err(lost()) }))
            .unwrap_err();
        assert_eq!(warden.limits(&acme, NOW).1, Some("quarantine"));
    }
}

/// Another each time, at one path.
fn caller(n: u64) -> (Origin, u32) {
    (Origin::of(n + 1, n + 1_001), 7)
}

#[test]
fn five_callers_in_a_row_whose_runs_burn_raise_one_alert_and_by_policy_a_quarantine() {
    for (policy, put_away) in [(CpuPolicy::Alert, false), (CpuPolicy::Quarantine, true)] {
        let (warden, acme) = (Warden::new(policy), tenant(""));
        let burn = |at: u64| warden.ran(&acme, caller(at), Some(TenantFailure::CpuLimit), NOW.plus(at * 1_000));
        assert!((0..4).all(|at| burn(at).is_none()));
        assert!(warden.ran(&acme, caller(0), None, NOW).is_none(), "one that ends well starts the count anew");
        assert!((0..4).all(|at| burn(at).is_none()));
        let alert = burn(5).unwrap();
        assert_eq!((alert.in_a_row, alert.quarantined_until_ms.is_some()), (Some(5), put_away));
        assert_eq!(warden.limits(&acme, NOW.plus(6_000)).1.is_some(), put_away);
        assert_eq!(matches!(warden.due(NOW), Some(Errand::Put(_))), put_away);
        assert_eq!(warden.due(NOW).is_some(), put_away, "then the list is asked for");
    }
}

#[test]
fn a_row_takes_three_seconds_so_that_others_can_show_that_the_script_is_well() {
    let (warden, acme) = (Warden::new(CpuPolicy::Quarantine), tenant(""));
    let burn = |n: u64, at| warden.ran(&acme, caller(n), Some(TenantFailure::CpuLimit), NOW.plus(at));
    assert!((0..50).all(|n| burn(n, n).is_none()));
    assert!(warden.ran(&acme, caller(99), None, NOW.plus(60)).is_none());
    assert!((0..50).all(|n| burn(n, 2_000 + n).is_none()));
    assert!(burn(50, 2_000 + ROW_MS).is_some());
}

#[test]
fn one_caller_that_burns_puts_nobody_away_with_however_many_wallets_or_addresses() {
    type Burns = fn(u64) -> Origin;
    let burns: [Burns; 4] = [|_| caller(7).0, |n| Origin::of(7, n + 1), |n| Origin::of(n + 1, 7), |_| Origin::of(0, 0)];
    for burn in burns {
        let (warden, acme) = (Warden::new(CpuPolicy::Quarantine), tenant(""));
        let ran = |n| warden.ran(&acme, (burn(n), n as u32), Some(TenantFailure::CpuLimit), NOW);
        assert!((0..1_000).all(|n| ran(n).is_none()));
        assert_eq!(warden.limits(&acme, NOW).1, None);
    }
}

#[test]
fn one_path_that_burns_is_told_and_does_not_put_away_the_paths_that_are_well() {
    let burn = |warden: &Warden, path: fn(u64) -> u32, at: UnixMillis| {
        let acme = tenant("");
        let ran = |n: u64| {
            let failure = Some(TenantFailure::CpuLimit);
            warden.ran(&acme, (caller(n).0, path(n)), failure, at.plus(n * 1_000))
        };
        assert_eq!((0..5).filter_map(ran).count(), 1);
        warden.limits(&acme, at.plus(5_000)).1.is_some()
    };
    let well = || {
        let warden = Warden::new(CpuPolicy::Quarantine);
        warden.ran(&tenant(""), (caller(9).0, 8), None, NOW);
        warden
    };
    assert!(!burn(&well(), |_| 7, NOW));
    assert!(burn(&well(), |_| 8, NOW), "the path that was well is the one");
    assert!(!burn(&well(), |n| n as u32, NOW), "callers choose what they call");
    assert!(burn(&well(), |n| n as u32 + 5, NOW), "the path that was well is among them");
    assert!(burn(&well(), |_| 7, NOW.plus(WELL_MS)), "nobody knows any more");
}

proptest! {
    #[test]
    fn an_alert_means_five_callers_in_a_row_whatever_the_runs(ends in prop::collection::vec(0_u8..4, 0..200)) {
        let (warden, acme) = (Warden::default(), tenant(""));
        let mut in_a_row = 0;
        // So far apart that a row takes long enough.
        for (n, end) in (0..).zip(ends) {
            let failure = match end {
                0 => None,
                1 => Some(TenantFailure::Threw),
                _ => Some(TenantFailure::CpuLimit),
            };
            in_a_row = if end > 1 { in_a_row + 1 } else { 0 };
            let alert = warden.ran(&acme, caller(n), failure, NOW.plus(n * 1_000));
            prop_assert_eq!(alert.is_some(), in_a_row == 5);
            in_a_row %= 5;
        }
    }
}
