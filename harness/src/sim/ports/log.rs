//! The dispatcher's log, straight into the run's history. A line is what a kill may wait for, and then the process dies at
//! that very line: after the write that it tells of, and before whatever would have come next.

use crate::{
    play::{leaked, line_of},
    sim::{armed_kills::Armed, clock::VirtualClock, ports::event_queue::SimQueue, process::Life},
};
use dispatcher_core::{
    paywall::{
        ports::{Clock, HealthLog, LedgerError, PaymentLog},
        telemetry::{FacilitatorAlert, PaymentEvent, StandingChange, StuckPayment, TroubleLine},
    },
    ports::{DirectoryLog, RequestLog, TroubleLog},
    serving::send_events,
    telemetry::{Alert, DirectoryEvent, OperatorLine, RequestLine, Trouble, outbox::Outbox},
};
use journal::Journal;
use reports::event::Event;
use serde::Serialize;
use std::{collections::BTreeMap, rc::Rc};

#[derive(Clone)]
pub struct SimLog {
    pub clock: VirtualClock,
    /// The lines that wait to be sent to where events are kept.
    pub outbox: Rc<Outbox>,
    pub queue: SimQueue,
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
        let unreadable = || Event::Unreadable { source: "dispatcher log".to_owned(), text: text.clone() };
        let event = line_of(log, value).unwrap_or_else(unreadable);
        self.journal.record(event.clone());
        self.outbox.put(self.clock.now(), log, &text);
        if self.armed.is_hit_by(&event, self.journal.clock().now_us()) {
            self.life.end();
        }
    }
}

impl SimLog {
    /// Has an object send what waits, unless somebody is about to. A request's side does so by itself.
    fn send(&self) {
        if self.life.is_over() || !self.outbox.wants_sender(self.clock.now()) {
            return;
        }
        let log = self.clone();
        self.life.spawn(async move { send_events(&log.outbox, &log.queue, &log.clock, &log).await });
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
        self.send();
    }

    fn trouble(&self, payment: &str, why: &str) {
        self.write("trouble", &TroubleLine { what: None, payment: Some(payment.to_owned()), why: why.to_owned() });
        self.send();
    }

    fn stuck(&self, payment: &str, error: &LedgerError) {
        self.write("alert", &StuckPayment::new(payment, error));
        self.send();
    }
}

impl HealthLog for SimLog {
    fn record(&self, change: &StandingChange) {
        self.write("facilitator", change);
        self.send();
    }

    fn alert(&self, alert: &FacilitatorAlert) {
        self.write("alert", alert);
        self.send();
    }
}
