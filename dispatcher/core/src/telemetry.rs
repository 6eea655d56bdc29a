//! The lines that the dispatcher writes. They are the one list of what is told: the log has their text, and [`event`] reads the
//! same types back where they are kept. Secrets have no field here: no signature, no payload, no query.

pub mod event;
pub mod outbox;

use crate::log_text::bounded;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use x402_paywall::{
    UnixMillis,
    ports::LedgerError,
    telemetry::{Attempt, TroubleLine},
    trace::Trace,
};

/// How one request ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestLine {
    pub request_id: String,
    pub tenant_id: Option<String>,
    /// Method and path as the tenant sees them. The query stays out: it may hold a caller's secrets.
    pub route: String,
    pub status: u16,
    pub code: Option<String>,
    /// `network:asset:from:nonce`.
    pub payment: Option<String>,
    pub transaction: Option<String>,
    pub attempts: Vec<Attempt>,
    /// Why the settlement ledger could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger_error: Option<String>,
    /// `None`: a former version tells of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// How the tenant's Worker ran. `None`: it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunLine>,
    /// `override`, `override_expired` or `quarantine`, where not the plan alone says what a run may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Cow<'static, str>>,
    pub ms: u64,
}

impl RequestLine {
    /// The line as it may be written: no text of it longer than [`log_text::MAX_BYTES`], and none that steers a terminal.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.request_id = bounded(&self.request_id);
        self.route = bounded(&self.route);
        for text in
            [&mut self.tenant_id, &mut self.code, &mut self.payment, &mut self.transaction, &mut self.ledger_error]
        {
            *text = text.take().map(|text| bounded(&text));
        }
        for attempt in &mut self.attempts {
            (attempt.facilitator, attempt.result) = (bounded(&attempt.facilitator), bounded(&attempt.result));
            attempt.said = attempt.said.take().map(|said| bounded(&said));
        }
        self
    }
}

/// A run of a tenant's Worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunLine {
    /// When it began.
    pub at_ms: UnixMillis,
    /// Until its answer began, or it failed. `None`: it was cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// The status of its answer, or the code of its failure.
    pub ended: Cow<'static, str>,
    /// The id of its span.
    pub span: String,
}

impl RunLine {
    /// Whether the Worker did what it was asked.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.ended.parse::<u16>().is_ok_and(|status| status < 500)
    }
}

/// Something that an operator should look at: told once, when it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// `tenant_cpu_limit`: callers in a row had runs that ended over it. `tenant_error_rate`: its Worker, or a path of it, has
    /// begun to fail for its callers. `unpaid_flood`, `malformed_flood`, `worthless_payments`: what one address sends.
    /// `network_misbehaves`: several parts of a network of version 6 did, and it is held to rules as one caller.
    pub alert: Cow<'static, str>,
    /// For an address, whom it had called when it was noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// Address, network of a version 6 address, or zone of a Worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_a_row: Option<u32>,
    /// By policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantined_until_ms: Option<u64>,
}

/// A failure beside a request's story, which no caller hears of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble<'a> {
    /// An operator asked for a payment, and the ledger did not answer.
    LedgerUnavailable { payment: &'a str, error: LedgerError },
    /// The ledger was not told that a response left.
    LostConfirmation { payment: &'a str, error: LedgerError },
    /// The list of quarantines could not be asked or told.
    QuarantineUnavailable(LedgerError),
    /// Facilitators' health could not be merged: payments go by what their isolate saw.
    HealthUnavailable(LedgerError),
    /// Events could not be sent to where they are kept. They are in the log.
    TelemetryUnavailable(String),
}

impl Trouble<'_> {
    /// Its log line.
    #[must_use]
    pub fn line(&self) -> TroubleLine {
        match self {
            Self::LedgerUnavailable { payment, error } => trouble("ledger_unavailable", Some(*payment), error),
            Self::LostConfirmation { payment, error } => trouble("lost_confirmation", Some(*payment), error),
            Self::QuarantineUnavailable(error) => trouble("quarantine_unavailable", None, error),
            Self::HealthUnavailable(error) => trouble("health_unavailable", None, error),
            Self::TelemetryUnavailable(why) => trouble("telemetry_unavailable", None, why),
        }
    }
}

fn trouble(what: &'static str, payment: Option<&str>, why: &impl ToString) -> TroubleLine {
    TroubleLine { what: Some(what.into()), payment: payment.map(str::to_owned), why: why.to_string() }
}

/// An operator's request that changed something, or that was turned away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorLine {
    pub request_id: String,
    /// Method and path.
    pub route: String,
    pub status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Cow<'static, str>>,
    /// `read` or `operate`: the scope of the token that came. `None`: it was no token of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Cow<'static, str>>,
    /// The address, or network of a version 6 address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// Something about the tenant directory that an operator should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryEvent {
    /// `adopted` a version; `kept` the one that is named, because of what is wrong with another; `left_out` a record;
    /// `unavailable`: there is none to keep.
    pub event: Cow<'static, str>,
    /// The snapshot that is in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The fault, and its place.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_text;
    use x402_paywall::telemetry::Call;

    #[test]
    fn no_text_of_a_line_is_longer_than_a_line_may_have() {
        let long = "\u{1b}".repeat(1_000);
        let said = Some(long.clone());
        let attempt = Attempt {
            facilitator: long.clone(),
            call: Call::Verify,
            result: long.clone(),
            ms: 0,
            said,
            at_ms: None,
            trace: None,
        };
        let line = RequestLine {
            request_id: long.clone(),
            tenant_id: Some(long.clone()),
            route: long.clone(),
            code: Some(long.clone()),
            payment: Some(long.clone()),
            transaction: Some(long.clone()),
            attempts: vec![attempt],
            ledger_error: Some(long),
            ..RequestLine::default()
        };
        let told = serde_json::to_value(line.bounded()).unwrap();
        let texts = ["request_id", "tenant_id", "route", "code", "payment", "transaction", "ledger_error"];
        let of_attempt = ["facilitator", "result", "said"].map(|key| &told["attempts"][0][key]);
        for text in texts.map(|key| &told[key]).into_iter().chain(of_attempt) {
            let text = text.as_str().unwrap();
            assert!(text.len() <= log_text::MAX_BYTES && log_text::is_plain_text(text), "{text}");
        }
    }
}
