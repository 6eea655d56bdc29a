//! What a facilitator double does wrong, one fault a file, named as scenarios name it ([`Inject`]).
//!
//! Each file says what its fault is called and how a scenario writes it, on which calls it can be, whether the money moves under it,
//! how `harness explain` tells it, how the swarm draws it, whether the comparison tries it ([`about::About`]), and what it does
//! ([`behaviour::Behaviour`]). All else is made from one line for each. The first question about a fault is whether the money
//! moved, for that is what a caller without an answer cannot know.

pub mod about;
mod behaviour;
mod registry;

// One line a fault. One with parameters names them: as a scenario writes them, and as the double has them.
registry::faults! {
    Refuse = refuse;
    Reset = reset(RawReset => Reset);
    Hang = hang;
    SettleThenHang = settle_then_hang;
    SettleThenReset = settle_then_reset;
    SettleThenStatus = settle_then_status(RawSettleThenStatus => SettleThenStatus);
    SettleThenDecline = settle_then_decline(RawSettleThenDecline => SettleThenDecline);
    Truncate = truncate;
    Drip = drip(RawDrip => Drip);
    Garbage = garbage;
    Slow = slow(RawSlow => Slow);
    SlowCheck = slow_check(RawSlowCheck => SlowCheck);
    Busy = busy(RawBusy => Busy);
    Throws = throws(RawThrows => Throws);
    AnyCase = any_case;
    EmptyStrings = empty_strings(RawEmptyStrings => EmptyStrings);
    Numbers = numbers;
    Status = status(RawStatus => Status);
    Redirect = redirect(RawRedirect => Redirect);
    BadJson = bad_json;
    WrongShape = wrong_shape;
    Huge = huge(RawHuge => Huge);
    Deep = deep(RawDeep => Deep);
    Pending = pending(RawPending => Pending);
    Forget = forget(RawForget => Forget);
    Decline = decline(RawDecline => Decline);
    Lie = lie(RawLie => Lie);
}

pub use about::Money;
pub use registry::FaultPlace;

#[cfg(test)]
mod tests {
    use super::{
        decline::Decline,
        deep::Deep,
        huge::Huge,
        pending::{Pending, PendingStyle},
        settle_then_status::{SettleThenStatus, SettledBody},
        status::{Status, StatusBody},
        *,
    };
    use crate::testing::{Bench, once};
    use serde_json::Value;

    #[tokio::test]
    async fn whole_answers_can_be_wrong_in_many_ways() {
        let decline = Inject::Decline(Decline { reason: "insufficient_funds".into() });
        for (inject, status, moved, judge) in [
            (
                Inject::Status(Status { code: 502, body: StatusBody::Html }),
                502,
                0,
                (|v| v.as_str().unwrap().starts_with("<html>")) as fn(&Value) -> bool,
            ),
            (Inject::Status(Status { code: 429, body: StatusBody::Empty }), 429, 0, |v| v == ""),
            (Inject::Status(Status { code: 500, body: StatusBody::Json }), 500, 0, |v| {
                v["success"].is_null() && v.is_object()
            }),
            (Inject::BadJson, 200, 1, |v| v.as_str().unwrap().starts_with(r#"{"success":true"#)),
            (Inject::WrongShape, 200, 1, |v| v["success"].is_null() && v["data"]["success"] == true),
            (Inject::Pending(Pending { style: PendingStyle::Coinbase, answers: None }), 500, 1, |v| {
                v["success"] == false && v["errorReason"] == "settlement_pending" && v["transaction"] != ""
            }),
            (Inject::Pending(Pending { style: PendingStyle::Accepted, answers: None }), 202, 1, |v| {
                v["success"] == false && v["transaction"] == "" && v["paymentId"].is_string()
            }),
            (Inject::SettleThenStatus(SettleThenStatus { code: 502, body: SettledBody::Html }), 502, 1, |v| {
                v.as_str().unwrap().starts_with("<html>")
            }),
            (Inject::SettleThenStatus(SettleThenStatus { code: 503, body: SettledBody::Answer }), 503, 1, |v| {
                v["success"] == true
            }),
            (Inject::Huge(Huge { kilobytes: 300 }), 200, 1, |v| v["success"] == true && v.to_string().len() > 300_000),
            (Inject::Deep(Deep { levels: 100_000 }), 200, 1, |v| v.as_str().unwrap().contains("\"success\":true")),
            (decline, 200, 0, |v| {
                v["success"] == false && v["errorReason"] == "insufficient_funds" && v["transaction"] == ""
            }),
        ] {
            let bench = Bench::new();
            let name = inject.name();
            let double = bench.double(once(inject)).await;
            let answer = bench.post(&double, "/settle", 1).await.unwrap();
            assert_eq!(answer.0, status, "{name}");
            assert!(judge(&answer.1), "{name}: {}", answer.1);
            assert_eq!(usize::from(bench.has_paid()), moved, "{name}");
            assert_eq!(bench.post(&double, "/settle", 1).await.unwrap().1["success"], true, "{name} heals");
            let (calls, transfers) = bench.stop(double).await;
            assert_eq!((transfers, calls.len()), (1, 2), "{name}");
            assert_eq!(calls[0].fault.as_ref().unwrap().inject, name);
        }
    }
}
