//! The dispatcher's lines as they are read back: by the consumer that keeps them. The types are those that wrote them, so there is
//! no other list of fields.

use super::{Alert, DirectoryEvent, OperatorLine, RequestLine, outbox::VERSION};
use serde::Deserialize;
use serde_json::value::RawValue;
use x402_paywall::{
    UnixMillis,
    telemetry::{Call, FacilitatorAlert, PaymentEvent, Stage, StandingChange, StuckPayment, TroubleLine},
};

/// An event, by the kind of its line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "log", rename_all = "snake_case")]
pub enum Event {
    Request(RequestLine),
    Payment(PaymentEvent<'static>),
    Facilitator(StandingChange),
    Directory(DirectoryEvent),
    Alert(AnyAlert),
    Trouble(TroubleLine),
    Operator(OperatorLine),
    /// A newer dispatcher tells of it.
    #[serde(other)]
    Unknown,
}

/// An alert, by whom it is about.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum AnyAlert {
    Facilitator(FacilitatorAlert),
    Stuck(StuckPayment),
    Other(Alert),
}

impl AnyAlert {
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Facilitator(alert) => &alert.alert,
            Self::Stuck(alert) => &alert.alert,
            Self::Other(alert) => &alert.alert,
        }
    }
}

/// A batch as it was sent.
#[derive(Clone, Debug)]
pub struct Batch {
    pub id: String,
    /// `prod` or `test`.
    pub environment: String,
    /// The network that prices are in.
    pub network: String,
    /// The events before it that were never sent.
    pub lost: u64,
    pub events: Vec<Dated>,
}

/// An event with its time.
#[derive(Clone, Debug)]
pub struct Dated {
    pub at: UnixMillis,
    pub event: Event,
    /// The line as it came, its time and kind included.
    pub line: String,
}

/// A batch that cannot be read, whoever tries again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    #[error("is not what a dispatcher sends: {0}")]
    Shape(String),
    #[error("has version {0}, and this consumer knows {VERSION}")]
    Version(u32),
    #[error("event {n} cannot be read: {why}")]
    Event { n: usize, why: String },
}

impl Batch {
    /// Reads a message.
    pub fn read(message: &str) -> Result<Self, BatchError> {
        #[derive(Deserialize)]
        struct Head {
            v: u32,
        }
        #[derive(Deserialize)]
        struct Whole<'a> {
            id: String,
            environment: String,
            network: String,
            lost: u64,
            #[serde(borrow)]
            events: Vec<&'a RawValue>,
        }
        #[derive(Deserialize)]
        struct At {
            at: UnixMillis,
        }
        let shape = |error: serde_json::Error| BatchError::Shape(error.to_string());
        let Head { v } = serde_json::from_str(message).map_err(shape)?;
        if v != VERSION {
            return Err(BatchError::Version(v));
        }
        let Whole { id, environment, network, lost, events } = serde_json::from_str(message).map_err(shape)?;
        let read = |(n, line): (usize, &&RawValue)| {
            let unreadable = |error: serde_json::Error| BatchError::Event { n, why: error.to_string() };
            let At { at } = serde_json::from_str(line.get()).map_err(unreadable)?;
            let event = serde_json::from_str(line.get()).map_err(unreadable)?;
            Ok(Dated { at, event, line: line.get().to_owned() })
        };
        let events = events.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        Ok(Self { id, environment, network, lost, events })
    }
}

impl Event {
    /// The type that operators ask for, and that is counted.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Request(line) => kind_of_request(line),
            Self::Payment(event) => match event.stage {
                Stage::Claimed => "payment_claimed",
                Stage::Verified => "payment_verified",
                Stage::Released => "payment_released",
                Stage::Executed => "payment_executed",
                Stage::Settling => "payment_settling",
                Stage::Settled => "payment_settled",
                Stage::Refused => "payment_refused",
                Stage::SpentElsewhere => "payment_spent_elsewhere",
                Stage::Unknown => "payment_unknown",
                Stage::HandedOver => "payment_handed_over",
            },
            Self::Facilitator(change) => match (&*change.from, &*change.to) {
                (_, "quarantined") => "breaker_opened",
                ("quarantined" | "probing", "healthy" | "degraded") => "breaker_closed",
                _ => "facilitator_changed",
            },
            Self::Directory(_) => "directory_changed",
            Self::Alert(_) => "alert",
            Self::Trouble(_) => "trouble",
            Self::Operator(line) if line.status < 400 => "operator_acted",
            Self::Operator(_) => "operator_refused",
            Self::Unknown => "unknown",
        }
    }

    /// Every word that [`Self::kind`] may say.
    pub const KINDS: [&'static str; 32] = [
        "alert",
        "breaker_closed",
        "breaker_opened",
        "challenged",
        "collected",
        "directory_changed",
        "dispatch_failed",
        "facilitator_changed",
        "limit_hit",
        "operator_acted",
        "operator_refused",
        "payment_claimed",
        "payment_executed",
        "payment_handed_over",
        "payment_refused",
        "payment_released",
        "payment_settled",
        "payment_settling",
        "payment_spent_elsewhere",
        "payment_unknown",
        "payment_verified",
        "rate_limited",
        "refused",
        "route_not_found",
        "served",
        "settlement_failed",
        "settlement_unknown",
        "sold",
        "trouble",
        "unavailable",
        "unknown",
        "verify_failed",
    ];
}

fn kind_of_request(line: &RequestLine) -> &'static str {
    let asked_to_settle = line.attempts.iter().any(|attempt| attempt.call == Call::Settle && attempt.was_made());
    match line.code.as_deref() {
        None if line.transaction.is_some() && asked_to_settle => "sold",
        None if line.transaction.is_some() => "collected",
        // The tenant's own answer, that it failed.
        None if line.status >= 500 => "dispatch_failed",
        None => "served",
        Some("payment_required") => "challenged",
        Some("rate_limited") => "rate_limited",
        Some("tenant_not_found" | "invalid_dispatch_key") => "route_not_found",
        Some(
            "tenant_cpu_limit_exceeded"
            | "tenant_subrequest_limit_exceeded"
            | "tenant_time_limit_exceeded"
            | "tenant_response_too_large",
        ) => "limit_hit",
        Some("tenant_worker_failure" | "dispatcher_binding_missing") => "dispatch_failed",
        Some("settlement_pending") => "settlement_unknown",
        Some("facilitators_unavailable" | "settlement_ledger_unavailable" | "tenant_directory_unavailable") => {
            "unavailable"
        }
        Some(_) if line.status == 402 && asked_to_settle => "settlement_failed",
        Some(_) if line.status == 402 || line.status == 412 => "verify_failed",
        Some(_) => "refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(events: &str) -> Result<Batch, BatchError> {
        Batch::read(&format!(
            r#"{{"v":1,"id":"b","environment":"test","network":"eip155:84532","lost":0,"events":[{events}]}}"#
        ))
    }

    fn event(members: &str) -> Event {
        batch(&format!(r#"{{"at":5,{members}}}"#)).expect(members).events[0].event.clone()
    }

    #[test]
    fn each_line_is_read_as_what_wrote_it() {
        let request = r#""log":"request","request_id":"r","tenant_id":"acme","route":"GET /","status":200,"code":null,"payment":"p","transaction":"0x1","attempts":[{"facilitator":"f","call":"settle","result":"ok","ms":3}],"ms":9"#;
        assert_eq!(event(request).kind(), "sold");
        assert_eq!(event(&request.replace("settle", "verify")).kind(), "collected");
        let change = r#""log":"facilitator","facilitator":"f","call":"verify","from":"healthy","to":"quarantined","reason":"timeout""#;
        assert_eq!(event(change).kind(), "breaker_opened");
        for (alert, name) in [
            (r#""alert":"payment_stuck","payment":"p","why":"x""#, "payment_stuck"),
            (
                r#""alert":"credentials_refused","facilitator":"f","call":"verify","reason":"http_401""#,
                "credentials_refused",
            ),
            (r#""alert":"tenant_cpu_limit","tenant_id":"acme","in_a_row":5"#, "tenant_cpu_limit"),
        ] {
            let told = event(&format!(r#""log":"alert",{alert}"#));
            assert!(matches!(&told, Event::Alert(alert) if alert.name() == name), "{told:?}");
        }
        assert_eq!(event(r#""log":"trouble","payment":"p","why":"x""#).kind(), "trouble");
        assert_eq!(event(r#""log":"of_tomorrow","said":1"#), Event::Unknown);
    }

    #[test]
    fn what_no_dispatcher_sends_is_told_apart_from_what_a_newer_one_does() {
        assert!(matches!(Batch::read("{"), Err(BatchError::Shape(_))));
        assert_eq!(Batch::read(r#"{"v":2,"changed":true}"#).unwrap_err(), BatchError::Version(2));
        let broken = batch(r#"{"at":1,"log":"trouble","why":"x"},{"at":1,"log":"request"}"#);
        assert!(matches!(broken, Err(BatchError::Event { n: 1, .. })), "{broken:?}");
    }

    #[test]
    fn every_kind_of_event_is_listed() {
        assert!(Event::KINDS.is_sorted());
        let source = include_str!("event.rs");
        let told = source.split("pub const KINDS").next().unwrap().split("pub fn kind").nth(1).unwrap();
        let kinds: Vec<_> = told.split('"').skip(1).step_by(2).filter(|word| word.contains('_')).collect();
        let standings = ["quarantined", "probing", "healthy", "degraded"];
        for kind in kinds.iter().filter(|kind| !standings.contains(kind)) {
            assert!(Event::KINDS.contains(kind), "{kind}");
        }
    }
}
