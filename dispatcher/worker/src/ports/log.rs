//! Structured telemetry on the console: one JSON object a line, which Workers Logs keeps and the harness reads. The same text
//! waits in the isolate's outbox for where events are kept.

use super::outbox;
use dispatcher_core::{
    config::ConfigError,
    paywall::{
        ports::{HealthLog, LedgerError, PaymentLog},
        telemetry::{FacilitatorAlert, PaymentEvent, StandingChange, StuckPayment, TroubleLine},
    },
    ports::{DirectoryLog, RequestLog, TroubleLog},
    telemetry::{Alert, DirectoryEvent, OperatorLine, RequestLine, Trouble},
};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// With a text: `web_sys` has it with a value, which is one more crossing.
    #[wasm_bindgen(js_namespace = console, js_name = log)]
    fn log_line(line: &str);
}

#[derive(Clone, Copy)]
pub struct ConsoleLog;

impl ConsoleLog {
    /// Names the key that is wrong; its value only where that must be one of our own words, for any other may be a secret put
    /// in the wrong place.
    pub fn misconfigured(self, error: &ConfigError) {
        write("misconfigured", &serde_json::json!({ "error": error.to_string() }));
    }
}

impl HealthLog for ConsoleLog {
    fn record(&self, change: &StandingChange) {
        write("facilitator", change);
    }

    fn alert(&self, alert: &FacilitatorAlert) {
        write("alert", alert);
    }
}

impl TroubleLog for ConsoleLog {
    fn trouble(&self, trouble: &Trouble<'_>) {
        write("trouble", &trouble.line());
    }

    fn operator(&self, line: &OperatorLine) {
        write("operator", line);
    }
}

impl DirectoryLog for ConsoleLog {
    fn record(&self, event: &DirectoryEvent) {
        write("directory", event);
    }
}

impl RequestLog for ConsoleLog {
    fn record(&self, line: &RequestLine) {
        write("request", line);
    }

    fn alert(&self, alert: &Alert) {
        write("alert", alert);
    }
}

impl PaymentLog for ConsoleLog {
    fn record(&self, event: &PaymentEvent<'_>) {
        write("payment", event);
    }

    fn trouble(&self, payment: &str, why: &str) {
        write("trouble", &TroubleLine { what: None, payment: Some(payment.to_owned()), why: why.to_owned() });
    }

    fn stuck(&self, payment: &str, error: &LedgerError) {
        write("alert", &StuckPayment::new(payment, error));
    }
}

/// Puts the subject of a line first, under the key `log`. Put in front of the text, because `serde(flatten)` compiles
/// every kind of line once more.
fn write<T: Serialize>(log: &str, what: &T) {
    let what = serde_json::to_string(what).expect("log lines have string keys and plain values");
    let line = [r#"{"log":""#, log, r#"","#, what.strip_prefix('{').unwrap_or(&what)].concat();
    log_line(&line);
    outbox::put(log, &what);
}
