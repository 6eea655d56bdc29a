//! What a facilitator double does wrong, one fault a file, named as scenarios name it ([`Inject`]).
//!
//! Each file says what its fault is called, whether the money moves under it, how the swarm draws it, and whether the comparison
//! tries it ([`about::About`]); [`FAULTS`] is made from one line for each. The first question about a fault is whether the money
//! moved, for that is what a caller without an answer cannot know.

pub mod about;
pub mod inject;

use about::{About, faults};

// One line a fault.
faults! {
    refuse,
    reset,
    hang,
    settle_then_hang,
    settle_then_reset,
    settle_then_status,
    settle_then_decline,
    truncate,
    drip,
    garbage,
    slow,
    slow_check,
    busy,
    throws,
    any_case,
    empty_strings,
    numbers,
    status,
    redirect,
    bad_json,
    wrong_shape,
    huge,
    deep,
    pending,
    forget,
    decline,
    lie,
}

use super::{
    ask::Ask,
    exchange::{Exchange, Played},
    origin_error::OriginError,
    reply::Reply,
};
use crate::Inject;
use reports::event::FacilitatorEndpoint;

/// Whether the fault means anything on this endpoint. A fault neither takes nor counts the calls of others.
#[must_use]
pub fn applies(inject: &Inject, endpoint: FacilitatorEndpoint) -> bool {
    use FacilitatorEndpoint::{Settle, Supported};
    match inject {
        // The listener's, not a call's.
        Inject::Refuse => false,
        Inject::SettleThenHang
        | Inject::SettleThenReset
        | Inject::SettleThenStatus { .. }
        | Inject::SettleThenDecline { .. }
        | Inject::Pending { .. }
        | Inject::Forget { .. } => endpoint == Settle,
        // A list of networks says nothing of a payment, and is never the odd one out.
        Inject::Decline { .. }
        | Inject::SlowCheck { .. }
        | Inject::Busy { .. }
        | Inject::Throws { .. }
        | Inject::AnyCase
        | Inject::EmptyStrings { .. }
        | Inject::Numbers => endpoint != Supported,
        Inject::Lie { about, .. } => lie::applies(*about, endpoint),
        _ => true,
    }
}

/// Whether the double reads the request before the fault bites.
#[must_use]
pub fn reads_request(inject: &Inject) -> bool {
    !matches!(inject, Inject::Reset { after } if !reset::reads_request(*after))
}

/// The request as the double reads it under a fault.
#[must_use]
pub fn as_read(inject: Option<&Inject>, body: Vec<u8>) -> Vec<u8> {
    match inject {
        Some(Inject::AnyCase) => any_case::as_read(body),
        _ => body,
    }
}

/// The HTTP answer under a fault; what happens to it on its way is the socket faults' business.
#[must_use]
pub fn reply(inject: Option<&Inject>, ask: &Ask<'_>) -> Reply {
    match inject {
        Some(Inject::Status { code, body }) => status::reply(*code, *body),
        Some(Inject::BadJson) => bad_json::reply(ask),
        Some(Inject::WrongShape) => wrong_shape::reply(ask),
        Some(Inject::SettleThenStatus { code, body }) => settle_then_status::reply(*code, *body, ask),
        Some(Inject::Huge { kilobytes }) => huge::reply(*kilobytes, ask),
        Some(Inject::Deep { levels }) => deep::reply(*levels, ask),
        Some(Inject::Pending { style, answers }) => pending::reply(*style, *answers, ask),
        Some(Inject::Forget { says }) => forget::reply(says.as_deref(), ask),
        Some(Inject::Decline { reason }) => decline::reply(reason, ask),
        Some(Inject::Lie { about, money }) => lie::reply(*about, *money, ask),
        Some(Inject::SettleThenDecline { reason, status, transaction }) => {
            settle_then_decline::reply(reason.as_deref(), *status, *transaction, ask)
        }
        Some(Inject::Busy { calls_per_second }) => busy::reply(*calls_per_second, ask),
        Some(Inject::Throws { at }) => throws::reply(*at, ask),
        Some(Inject::EmptyStrings { fields }) => empty_strings::reply(fields, ask),
        Some(Inject::Numbers) => numbers::reply(ask),
        _ => ask.honest(),
    }
}

/// Plays a call on its socket.
pub(super) async fn play(inject: Option<&Inject>, exchange: &mut Exchange<'_>) -> Result<Played, OriginError> {
    match inject {
        Some(Inject::Reset { .. }) => Ok(reset::play()),
        Some(Inject::Hang) => Ok(hang::play(exchange).await),
        Some(Inject::SettleThenHang) => settle_then_hang::play(exchange).await,
        Some(Inject::SettleThenReset) => settle_then_reset::play(exchange).await,
        Some(Inject::Truncate) => truncate::play(exchange).await,
        Some(Inject::Drip { every }) => drip::play(*every, exchange).await,
        Some(Inject::Garbage) => Ok(garbage::play(exchange).await),
        Some(Inject::Slow { by }) => slow::play(*by, exchange).await,
        Some(Inject::SlowCheck { by, at, .. }) => slow_check::play(*by, *at, exchange).await,
        Some(Inject::Redirect { code }) => Ok(redirect::play(*code, exchange).await),
        _ => exchange.answer().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        PendingStyle, SettledBody, StatusBody,
        testing::{Bench, once},
    };
    use serde_json::Value;

    #[tokio::test]
    async fn whole_answers_can_be_wrong_in_many_ways() {
        let decline = Inject::Decline { reason: "insufficient_funds".into() };
        for (inject, status, moved, judge) in [
            (
                Inject::Status { code: 502, body: StatusBody::Html },
                502,
                0,
                (|v| v.as_str().unwrap().starts_with("<html>")) as fn(&Value) -> bool,
            ),
            (Inject::Status { code: 429, body: StatusBody::Empty }, 429, 0, |v| v == ""),
            (Inject::Status { code: 500, body: StatusBody::Json }, 500, 0, |v| v["success"].is_null() && v.is_object()),
            (Inject::BadJson, 200, 1, |v| v.as_str().unwrap().starts_with(r#"{"success":true"#)),
            (Inject::WrongShape, 200, 1, |v| v["success"].is_null() && v["data"]["success"] == true),
            (Inject::Pending { style: PendingStyle::Coinbase, answers: None }, 500, 1, |v| {
                v["success"] == false && v["errorReason"] == "settlement_pending" && v["transaction"] != ""
            }),
            (Inject::Pending { style: PendingStyle::Accepted, answers: None }, 202, 1, |v| {
                v["success"] == false && v["transaction"] == "" && v["paymentId"].is_string()
            }),
            (Inject::SettleThenStatus { code: 502, body: SettledBody::Html }, 502, 1, |v| {
                v.as_str().unwrap().starts_with("<html>")
            }),
            (Inject::SettleThenStatus { code: 503, body: SettledBody::Answer }, 503, 1, |v| v["success"] == true),
            (Inject::Huge { kilobytes: 300 }, 200, 1, |v| v["success"] == true && v.to_string().len() > 300_000),
            (Inject::Deep { levels: 100_000 }, 200, 1, |v| v.as_str().unwrap().contains("\"success\":true")),
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
