//! What the paywall tells of itself: one event per stage of a payment, and the attempts made at facilitators.

use crate::{Reason, UnixMillis};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// One call to a facilitator, or why there was none, for the request's log line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub facilitator: String,
    pub call: Call,
    /// `ok`, the reason of a refusal, or why it gave no answer (see [`crate::facilitator::verdict::NoAnswer`]) or was not
    /// asked: `quarantined`, `cannot_serve`, `no_time_left`, `busy`.
    pub result: String,
    pub ms: u64,
    /// Its own words for a failure, short and without secrets. For the log alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// When it began. `None`: there was no call, or a former version tells of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<UnixMillis>,
    /// The `traceparent` that it was sent with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

impl Attempt {
    /// Whether there was a call at all.
    #[must_use]
    pub fn was_made(&self) -> bool {
        !matches!(self.result.as_str(), "quarantined" | "cannot_serve" | "no_time_left")
    }

    /// The kind of its result, for whoever counts.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        const NO_ANSWER: [&str; 11] = [
            "unreachable",
            "timeout",
            "answer_too_large",
            "redirect",
            "credential_not_made",
            "invalid_json",
            "invalid_shape",
            "answer_too_deep",
            "pending",
            "settlement_pending",
            "facilitator_not_configured",
        ];
        let result = self.result.as_str();
        if !self.was_made() || result == "busy" {
            Outcome::NotAsked
        } else if result == "ok" {
            Outcome::Answered
        } else if NO_ANSWER.contains(&result)
            || result.strip_prefix("http_").is_some_and(|status| status.parse::<u16>().is_ok())
            || result.starts_with("contradiction_in_")
        {
            Outcome::Failed
        } else {
            Outcome::Refused
        }
    }
}

/// The kind of an attempt's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A yes.
    Answered,
    /// A no, about this payment.
    Refused,
    /// No usable answer.
    Failed,
    NotAsked,
}

impl Outcome {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::NotAsked => "not_asked",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    Verify,
    Settle,
}

impl Call {
    /// The name of such a call among a request's spans.
    #[must_use]
    pub fn at(self, facilitator: &str) -> String {
        match self {
            Self::Verify => format!("verify {facilitator}"),
            Self::Settle => format!("settle {facilitator}"),
        }
    }
}

/// A facilitator's standing changed at one kind of call. Written by the monitor, once per change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingChange {
    pub facilitator: String,
    pub call: Call,
    /// `healthy`, `degraded`, `quarantined` or `probing`.
    pub from: Cow<'static, str>,
    pub to: Cow<'static, str>,
    /// The outcome of the call that made the difference: `answered`, or its reason code.
    pub reason: String,
    /// Its own words for a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// A facilitator is in a state that only an operator can mend. Written by the monitor, once in a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacilitatorAlert {
    /// `credentials_refused`: it answers 401 or 403. `facilitator_refuses_all`: it answers everybody with another 4xx, or
    /// sends them elsewhere.
    pub alert: Cow<'static, str>,
    pub facilitator: String,
    pub call: Call,
    pub reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// A payment reached a stage. Written by whoever keeps the ledger, once per stage reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentEvent<'a> {
    /// The request that brought it there; none where an alarm did.
    pub request_id: Option<Cow<'a, str>>,
    pub tenant_id: Cow<'a, str>,
    /// `network:asset:from:nonce`.
    pub payment: Cow<'a, str>,
    pub stage: Stage,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facilitator: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, Reason>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Cow<'a, str>>,
    /// With `settled`: the amount in atomic units, in decimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// With `settled`: the address that the money went to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_to: Option<String>,
    /// With `settled`: the time, as the ledger's own books have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at_ms: Option<UnixMillis>,
}

/// A payment's alarm could not do its work. It rings again by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StuckPayment {
    /// `payment_stuck`.
    pub alert: Cow<'static, str>,
    /// Empty: the whole shard's alarm failed.
    pub payment: String,
    pub why: String,
}

impl StuckPayment {
    #[must_use]
    pub fn new(payment: &str, why: &impl ToString) -> Self {
        Self { alert: "payment_stuck".into(), payment: payment.to_owned(), why: why.to_string() }
    }
}

/// Something went wrong that no caller hears of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TroubleLine {
    /// A word for it, such as `health_unavailable`. `None`: it keeps a payment from its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<Cow<'static, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    pub why: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Claimed,
    Verified,
    /// Given up before any settlement was tried: nothing moved, and the payment may be claimed again.
    Released,
    Executed,
    Settling,
    Settled,
    Refused,
    /// The chain says that the payment was spent on another purchase.
    SpentElsewhere,
    Unknown,
    HandedOver,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_an_answer_a_no_or_a_failure() {
        let outcome = |result: &str| {
            let (facilitator, result) = ("primary".to_owned(), result.to_owned());
            Attempt { facilitator, call: Call::Verify, result, ms: 1, said: None, at_ms: None, trace: None }.outcome()
        };
        assert_eq!(outcome("ok"), Outcome::Answered);
        for failed in ["timeout", "http_503", "http_401", "contradiction_in_payer", "settlement_pending"] {
            assert_eq!(outcome(failed), Outcome::Failed, "{failed}");
        }
        for refused in ["insufficient_funds", "invalid_signature", "http_of_no_status"] {
            assert_eq!(outcome(refused), Outcome::Refused, "{refused}");
        }
        assert_eq!([outcome("quarantined"), outcome("busy")], [Outcome::NotAsked; 2]);
    }

    #[test]
    fn an_event_is_read_back_as_it_was_written() {
        let event = PaymentEvent {
            request_id: None,
            tenant_id: "acme".into(),
            payment: "p".into(),
            stage: Stage::SpentElsewhere,
            facilitator: Some("primary".into()),
            reason: None,
            transaction: Some("0x1".into()),
            amount: Some("1000".to_owned()),
            pay_to: None,
            settled_at_ms: Some(UnixMillis(7)),
        };
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<PaymentEvent<'static>>(&text).unwrap(), event);
    }
}
