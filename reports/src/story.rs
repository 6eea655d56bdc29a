//! What became of each payment and each request, from the events: the offer, the verification, the tenant's run, the settlement,
//! the answers, and what the ledger said in the end. Reports show it; nothing is judged by it.

use std::collections::BTreeMap;

use crate::{
    event::{
        Event, Exchange, ExchangeKind, ExchangeOutcome, FacilitatorAnswer, FacilitatorAttempt, FacilitatorCall,
        FacilitatorEndpoint, PurchaseOutcome, Recorded,
    },
    summary::Seen,
};

/// Everything that can be told of a run's payments and requests, each in the order in which it began.
#[derive(Debug, Default)]
pub struct Stories<'a> {
    pub payments: Vec<Payment<'a>>,
    pub requests: Vec<Request<'a>>,
}

#[derive(Debug)]
pub struct Payment<'a> {
    /// `network:asset:from:nonce`.
    pub key: &'a str,
    pub tenant: &'a str,
    pub client: &'a str,
    pub steps: Vec<Step>,
    /// How often its money moved.
    pub moved: usize,
    /// How often its content was answered.
    pub served: usize,
    /// The ledger's last word.
    pub ledger: Option<&'a str>,
    /// The end of its purchase.
    pub outcome: Option<PurchaseOutcome>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub at_us: u64,
    /// Line of `events.jsonl`, counted from 1.
    pub line: usize,
    pub stage: &'static str,
    pub text: String,
}

#[derive(Debug)]
pub struct Request<'a> {
    pub line: usize,
    pub exchange: &'a Exchange,
    /// Which of the payments it carried, or led to.
    pub payment: Option<usize>,
    /// The events for it that are told with no payment.
    pub steps: Vec<Step>,
}

impl Payment<'_> {
    pub fn from_us(&self) -> u64 {
        self.steps.first().map_or(0, |step| step.at_us)
    }

    /// Tells whether a reader should look at it, whether or not a rule does: money and content do not match, or the
    /// end is open.
    pub fn is_odd(&self) -> bool {
        let is_open = matches!(self.ledger, Some("unknown" | "settling"));
        self.moved > 1 || (self.moved == 0) != (self.served == 0) || is_open
    }
}

impl<'a> Stories<'a> {
    #[must_use]
    pub fn of(events: &'a [Recorded]) -> Self {
        let mut teller = Teller::default();
        teller.index(events);
        for (n, recorded) in events.iter().enumerate() {
            teller.tell(n + 1, recorded);
        }
        teller.finish()
    }
}

#[derive(Default)]
struct Teller<'a> {
    stories: Stories<'a>,
    by_key: BTreeMap<&'a str, usize>,
    /// Which payment a purchase is paid by, and which one a request of the dispatcher's is about.
    by_purchase: BTreeMap<u64, usize>,
    by_request_id: BTreeMap<&'a str, usize>,
    /// The requests that carried no payment, by the dispatcher's name for them.
    unpaid_by_request_id: BTreeMap<&'a str, usize>,
}

impl<'a> Teller<'a> {
    /// A line may come before the one that says whose it is.
    fn index(&mut self, events: &'a [Recorded]) {
        for (n, recorded) in events.iter().enumerate() {
            match &recorded.event {
                Event::ExchangeEnded(exchange) => {
                    if let (None, Some(id)) = (&exchange.payment, request_id(exchange)) {
                        self.unpaid_by_request_id.insert(id, self.stories.requests.len());
                    }
                    let request = Request { line: n + 1, exchange, payment: None, steps: Vec::new() };
                    self.stories.requests.push(request);
                    if let Some(key) = &exchange.payment {
                        let payment = self.payment(key);
                        let told = &mut self.stories.payments[payment];
                        // Whoever sends another's payment is not who it is of.
                        if told.client.is_empty() || exchange.kind == ExchangeKind::Payment {
                            (told.tenant, told.client) = (&exchange.tenant, &exchange.client);
                        }
                        if let Some(purchase) = exchange.purchase {
                            self.by_purchase.entry(purchase).or_insert(payment);
                        }
                        if let Some(id) = request_id(exchange) {
                            self.by_request_id.insert(id, payment);
                        }
                    }
                }
                Event::DispatcherRequest(line) => {
                    if let Some(key) = &line.payment {
                        let payment = self.payment(key);
                        self.by_request_id.insert(&line.request_id, payment);
                    }
                }
                Event::DispatcherPayment(stage) => {
                    let payment = self.payment(&stage.payment);
                    if let Some(id) = &stage.request_id {
                        self.by_request_id.insert(id, payment);
                    }
                }
                _ => {}
            }
        }
    }

    fn payment(&mut self, key: &'a str) -> usize {
        *self.by_key.entry(key).or_insert_with(|| {
            self.stories.payments.push(Payment {
                key,
                tenant: "",
                client: "",
                steps: Vec::new(),
                moved: 0,
                served: 0,
                ledger: None,
                outcome: None,
            });
            self.stories.payments.len() - 1
        })
    }

    fn tell(&mut self, line: usize, recorded: &'a Recorded) {
        let at_us = recorded.at_us;
        match &recorded.event {
            Event::ExchangeEnded(exchange) => self.exchange(line, exchange),
            Event::PurchaseEnded(purchase) => {
                for key in &purchase.payments {
                    let payment = self.payment(key);
                    self.stories.payments[payment].outcome = Some(purchase.outcome);
                }
            }
            Event::FacilitatorCalled(call) => {
                let Some(key) = &call.payment else { return };
                let payment = self.payment(key);
                let stage = match call.endpoint {
                    FacilitatorEndpoint::Verify => "verify",
                    FacilitatorEndpoint::Settle => "settle",
                    FacilitatorEndpoint::Supported => "ask",
                };
                let took = millis(call.ended_us.saturating_sub(call.received_us));
                let text = format!("{}: {} after {took}", call.facilitator, answer_of_call(call));
                self.step(payment, Step { at_us: call.received_us, line, stage, text });
            }
            Event::TransferMoved(transfer) => {
                let payment = self.payment(&transfer.payment);
                self.stories.payments[payment].moved += 1;
                let text = format!(
                    "{} moves at {}, transaction {}",
                    transfer.value, transfer.facilitator, transfer.transaction
                );
                self.step(payment, Step { at_us, line, stage: "money", text });
            }
            Event::TenantRan(run) => {
                let text = format!("script {} runs", run.script);
                self.for_request(run.request_id.as_deref(), Step { at_us, line, stage: "run", text });
            }
            Event::TenantEnded(end) => {
                let cpu =
                    end.cpu_used_ms.map_or_else(String::new, |ms| format!(", CPU {ms:.1} of {} ms", end.cpu_limit_ms));
                let text = format!("script {} ends {:?}{cpu}", end.script, end.outcome);
                self.for_request(end.request_id.as_deref(), Step { at_us, line, stage: "run", text });
            }
            Event::DispatcherRequest(logged) => {
                let code = logged.code.as_ref().map_or_else(String::new, |code| format!(" {code}"));
                let text = format!("{}{code} is logged{}", logged.status, attempts(&logged.attempts));
                self.for_request(Some(&logged.request_id), Step { at_us, line, stage: "log", text });
            }
            Event::DispatcherPayment(stage) => {
                let payment = self.payment(&stage.payment);
                let why = stage.reason.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
                let name = if stage.stage == "handed_over" { "hand-over" } else { "ledger" };
                self.step(
                    payment,
                    Step { at_us, line, stage: name, text: format!("{}{why}", stage.stage.replace('_', " ")) },
                );
            }
            Event::DispatcherTrouble(trouble) => {
                // Trouble beside requests belongs to no payment's story.
                if let Some(key) = &trouble.payment {
                    let payment = self.payment(key);
                    self.step(payment, Step { at_us, line, stage: "trouble", text: trouble.why.clone() });
                }
            }
            Event::LedgerDisturbed { fault, payment } => {
                let payment = self.payment(payment);
                let text = format!("the ledger is disturbed: {}", fault.inject);
                self.step(payment, Step { at_us, line, stage: "fault", text });
            }
            Event::DispatcherKilled(killing) => {
                if let Some(key) = &killing.payment {
                    let payment = self.payment(key);
                    let text = format!("the dispatcher is killed ({})", killing.kill.inject);
                    self.step(payment, Step { at_us, line, stage: "kill", text });
                }
            }
            Event::LedgerAfterKill(state) => {
                let payment = self.payment(&state.payment);
                let text = format!("{}, after the kill", state.state);
                self.step(payment, Step { at_us, line, stage: "ledger", text });
            }
            Event::LedgerState(state) => {
                let payment = self.payment(&state.payment);
                self.stories.payments[payment].ledger = Some(&state.state);
                let text = format!("{}, after the run", state.state);
                self.step(payment, Step { at_us, line, stage: "ledger", text });
            }
            _ => {}
        }
    }

    fn exchange(&mut self, line: usize, exchange: &'a Exchange) {
        let carried = exchange.payment.as_deref().map(|key| self.payment(key));
        let led_to = exchange.purchase.and_then(|purchase| self.by_purchase.get(&purchase).copied());
        let Some(payment) = carried.or(led_to) else { return };
        if carried.is_some() && Seen::of(exchange) == Seen::Served {
            self.stories.payments[payment].served += 1;
        }
        let stage = match exchange.kind {
            ExchangeKind::Unpaid | ExchangeKind::Challenge | ExchangeKind::Preflight => "offer",
            ExchangeKind::Payment => "pay",
            ExchangeKind::Resend => "collect",
            ExchangeKind::Duplicate => "pay again",
            ExchangeKind::Elsewhere => "elsewhere",
            ExchangeKind::Stolen => "stolen",
        };
        let took = millis(exchange.ended_us.saturating_sub(exchange.sent_us));
        let text = format!("#{} {}: {} after {took}", exchange.exchange, exchange.target, outcome_of(exchange));
        self.step(payment, Step { at_us: exchange.sent_us, line, stage, text });
    }

    fn for_request(&mut self, id: Option<&str>, step: Step) {
        let Some(id) = id else { return };
        if let Some(payment) = self.by_request_id.get(id) {
            self.step(*payment, step);
        } else if let Some(request) = self.unpaid_by_request_id.get(id) {
            self.stories.requests[*request].steps.push(step);
        }
    }

    fn step(&mut self, payment: usize, step: Step) {
        self.stories.payments[payment].steps.push(step);
    }

    fn finish(mut self) -> Stories<'a> {
        for payment in &mut self.stories.payments {
            payment.steps.sort_by_key(|step| (step.at_us, step.line));
        }
        for request in &mut self.stories.requests {
            let carried = request.exchange.payment.as_deref().and_then(|key| self.by_key.get(key));
            let led_to = request.exchange.purchase.and_then(|purchase| self.by_purchase.get(&purchase));
            request.payment = carried.or(led_to).copied();
            request.steps.sort_by_key(|step| (step.at_us, step.line));
        }
        self.stories.requests.sort_by_key(|request| (request.exchange.sent_us, request.line));
        self.stories
    }
}

fn request_id(exchange: &Exchange) -> Option<&str> {
    match &exchange.outcome {
        ExchangeOutcome::Answered(answer) => answer.request_id.as_deref(),
        _ => None,
    }
}

/// The calls that the dispatcher says it made, in its order.
fn attempts(attempts: &[FacilitatorAttempt]) -> String {
    let told = attempts.iter().map(|attempt| {
        let verb = match attempt.call {
            FacilitatorEndpoint::Verify => "verify",
            FacilitatorEndpoint::Settle => "settle",
            FacilitatorEndpoint::Supported => "supported",
        };
        format!(", {verb} at {} {} after {} ms", attempt.facilitator, attempt.result, attempt.ms)
    });
    told.collect()
}

/// An exchange's end in a few words.
#[must_use]
pub fn outcome_of(exchange: &Exchange) -> String {
    match &exchange.outcome {
        ExchangeOutcome::HungUp => "the client hung up".to_owned(),
        ExchangeOutcome::Failed { what } => format!("no answer ({what})"),
        ExchangeOutcome::Answered(answer) => {
            let code = answer.code.as_ref().map_or_else(String::new, |code| format!(" {code}"));
            let retry = answer.retry_after_s.map_or_else(String::new, |s| format!(", retry after {s} s"));
            format!("{}{code}{retry}", answer.status)
        }
    }
}

/// A facilitator's answer in a few words.
#[must_use]
pub fn answer_of_call(call: &FacilitatorCall) -> String {
    let answer = match &call.answer {
        FacilitatorAnswer::None { how } => format!("no answer ({how})"),
        FacilitatorAnswer::Sent { status, ok, reason, .. } => {
            let says = match ok {
                Some(true) => " yes",
                Some(false) => " no",
                None => "",
            };
            let reason = reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
            format!("{status}{says}{reason}")
        }
    };
    let fault = call.fault.as_ref().map_or_else(String::new, |fault| format!(", under {}", fault.inject));
    format!("{answer}{fault}")
}

/// A payment's key is long; its nonce's beginning tells it apart.
#[must_use]
pub fn short(key: &str) -> &str {
    let nonce = key.rsplit(':').next().unwrap_or(key);
    nonce.get(..14).unwrap_or(nonce)
}

pub(crate) fn millis(us: u64) -> String {
    if us < 10_000 { format!("{:.1} ms", us as f64 / 1e3) } else { format!("{:.0} ms", us as f64 / 1e3) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{history, key};

    #[test]
    fn a_payment_is_told_from_its_offer_to_its_last_word_in_the_ledger() {
        let events = history();
        let stories = Stories::of(&events);
        let told = |payment: &Payment<'_>| {
            let steps =
                payment.steps.iter().map(|step| format!("{:>8} {}: {}", step.at_us / 1000, step.stage, step.text));
            let (moved, served) = (payment.moved, payment.served);
            format!("{} moved {moved}, served {served}\n{}", short(payment.key), steps.collect::<Vec<_>>().join("\n"))
        };
        insta::assert_snapshot!(stories.payments.iter().map(told).collect::<Vec<_>>().join("\n\n"));
    }

    #[test]
    fn every_request_is_there_and_knows_its_payment() {
        let events = history();
        let stories = Stories::of(&events);
        let exchanges = events.iter().filter(|recorded| matches!(recorded.event, Event::ExchangeEnded(_))).count();
        assert_eq!(stories.requests.len(), exchanges);
        assert!(stories.requests.iter().any(|request| request.payment.is_none() && !request.steps.is_empty()));
        let of_purchase = stories.requests.iter().filter(|request| request.exchange.purchase == Some(1));
        let payments: Vec<_> =
            of_purchase.map(|request| request.payment.map(|n| stories.payments[n].key.to_owned())).collect();
        assert_eq!(payments, vec![Some(key(1)); 3]);
    }

    #[test]
    fn money_without_content_is_odd_and_so_is_an_open_end() {
        let payment = |moved, served, ledger| Payment {
            key: "k",
            tenant: "t",
            client: "c",
            steps: Vec::new(),
            moved,
            served,
            ledger,
            outcome: None,
        };
        assert!(!payment(1, 1, Some("settled")).is_odd() && !payment(0, 0, None).is_odd());
        assert!(payment(2, 1, Some("settled")).is_odd() && payment(1, 0, None).is_odd());
        assert!(payment(0, 1, None).is_odd() && payment(0, 0, Some("unknown")).is_odd());
    }
}
