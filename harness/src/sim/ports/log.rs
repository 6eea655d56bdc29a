//! The dispatcher's log, straight into the run's history. A line is what a kill may wait for, and then the process dies at
//! that very line: after the write that it tells of, and before whatever would have come next.

use crate::{
    play::{leaked, line_of},
    sim::{armed_kills::Armed, process::Life},
};
use dispatcher_core::{
    paywall::{
        ports::{HealthLog, LedgerError, PaymentLog},
        telemetry::{FacilitatorAlert, PaymentEvent, StandingChange, StuckPayment, TroubleLine},
    },
    ports::{DirectoryLog, RequestLog, TroubleLog},
    telemetry::{Alert, DirectoryEvent, OperatorLine, RequestLine, Trouble},
};
use journal::Journal;
use reports::event::Event;
use serde::Serialize;
use std::{collections::BTreeMap, rc::Rc};

#[derive(Clone)]
pub struct SimLog {
    pub life: Life,
    pub journal: Journal,
    pub armed: Rc<Armed>,
    /// Tenants by the token that only they know.
    pub canaries: Rc<BTreeMap<String, String>>,
}

impl SimLog {
    fn write(&self, log: &str, line: &impl Serialize) {
        if self.life.is_over() {
            return;
        }
        const PLAIN: &str = "log lines have string keys and plain values";
        let text = serde_json::to_string(line).expect(PLAIN);
        if let Some(leak) = leaked(&text, &self.canaries) {
            self.journal.record(leak);
        }
        let value = serde_json::to_value(line).expect(PLAIN);
        let unreadable = || Event::Unreadable { source: "dispatcher log".to_owned(), text };
        let event = line_of(log, value).unwrap_or_else(unreadable);
        self.journal.record(event.clone());
        if self.armed.is_hit_by(&event, self.journal.clock().now_us()) {
            self.life.end();
        }
    }
}

impl RequestLog for SimLog {
    fn record(&self, line: &RequestLine) {
        self.write("request", line);
    }

    fn alert(&self, alert: &Alert) {
        self.write("alert", alert);
    }
}

impl TroubleLog for SimLog {
    fn trouble(&self, trouble: &Trouble<'_>) {
        self.write("trouble", &trouble.line());
    }

    fn operator(&self, line: &OperatorLine) {
        self.write("operator", line);
    }
}

impl DirectoryLog for SimLog {
    fn record(&self, event: &DirectoryEvent) {
        self.write("directory", event);
    }
}

impl PaymentLog for SimLog {
    fn record(&self, event: &PaymentEvent<'_>) {
        self.write("payment", event);
    }

    fn trouble(&self, payment: &str, why: &str) {
        self.write("trouble", &TroubleLine { what: None, payment: Some(payment.to_owned()), why: why.to_owned() });
    }

    fn stuck(&self, payment: &str, error: &LedgerError) {
        self.write("alert", &StuckPayment::new(payment, error));
    }
}

impl HealthLog for SimLog {
    fn record(&self, change: &StandingChange) {
        self.write("facilitator", change);
    }

    fn alert(&self, alert: &FacilitatorAlert) {
        self.write("alert", alert);
    }
}
