//! A run's events, with the few look-ups that several judges share. Built once; every look-up is by key.

use reports::event::{
    Answer, DispatcherPayment, DispatcherRequest, Event, Exchange, ExchangeKind, ExchangeOutcome, FacilitatorCall,
    FacilitatorEndpoint, FacilitatorStanding, LedgerState, Purchase, Recorded, TenantFacts, TenantRun, Transfer,
};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub struct History {
    pub events: Vec<Recorded>,
    pub exchanges: Vec<Exchange>,
    pub purchases: Vec<Purchase>,
    pub tenant_runs: Vec<TenantRun>,
    pub requests: Vec<DispatcherRequest>,
    pub stages: Vec<DispatcherPayment>,
    pub tenants: BTreeMap<String, TenantFacts>,
    pub arrivals: u64,
    /// Money that moved, by payment, with when.
    pub transfers: BTreeMap<String, Vec<(u64, Transfer)>>,
    /// `/settle` calls by payment, in the order in which they arrived.
    pub settles: BTreeMap<String, Vec<FacilitatorCall>>,
    /// When each payment was first known to be settled: logged so by the dispatcher, or its content received. A line right
    /// before a kill counts for nothing: it may be ahead of the write that would have kept what it says.
    pub known_settled_us: BTreeMap<String, u64>,
    /// Every `/verify` and `/settle` call, in the order in which they were written down.
    pub calls: Vec<FacilitatorCall>,
    /// Tenants' ids by payment, as the dispatcher logged its stages.
    pub payment_tenants: BTreeMap<String, String>,
    /// Changes of facilitators' standing, with when.
    pub standings: Vec<(u64, FacilitatorStanding)>,
    /// The ledger's last word, by payment.
    pub ledger: BTreeMap<String, LedgerState>,
    /// Lines that could not be read: a rule may depend on what they said.
    pub unreadable: Vec<String>,
    pub outages: Vec<Outage>,
}

/// A stretch in which the harness had killed the dispatcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    pub killed_us: u64,
    /// When it answered again; never, at first.
    pub back_us: u64,
}

/// What a process printed so shortly before it was killed may have died in a pipe with it.
const LINES_DIE_US: u64 = 1_000_000;

impl History {
    pub fn new(events: Vec<Recorded>) -> Self {
        let mut history = Self::default();
        for recorded in &events {
            history.take(recorded);
        }
        for calls in history.settles.values_mut() {
            calls.sort_by_key(|call| call.received_us);
        }
        history.events = events;
        history.know_from_lines();
        history
    }

    /// The exchange's answer and payment, where it carried one and was answered.
    pub fn paid_answers(&self) -> impl Iterator<Item = (&Exchange, &Answer, &str)> {
        self.exchanges.iter().filter_map(|exchange| match (&exchange.outcome, &exchange.payment) {
            (ExchangeOutcome::Answered(answer), Some(payment)) => Some((exchange, answer, payment.as_str())),
            _ => None,
        })
    }

    pub fn answers(&self) -> impl Iterator<Item = (&Exchange, &Answer)> {
        self.exchanges.iter().filter_map(|exchange| match &exchange.outcome {
            ExchangeOutcome::Answered(answer) => Some((exchange, answer)),
            ExchangeOutcome::HungUp | ExchangeOutcome::Failed { .. } => None,
        })
    }

    pub fn settles_of(&self, payment: &str) -> &[FacilitatorCall] {
        self.settles.get(payment).map_or(&[], Vec::as_slice)
    }

    /// By the dispatcher's own word: who settles for whom is checked against the chain by other rules.
    pub fn tenant_of(&self, payment: &str) -> Option<&TenantFacts> {
        self.tenants.get(self.payment_tenants.get(payment)?)
    }

    pub fn moved(&self, payment: &str) -> bool {
        self.transfers.contains_key(payment)
    }

    /// Whether an exchange that lasted so can have been cut by a kill.
    pub fn was_cut(&self, exchange: &Exchange) -> bool {
        let cuts = |outage: &Outage| exchange.sent_us <= outage.back_us && outage.killed_us <= exchange.ended_us;
        self.outages.iter().any(cuts)
    }

    /// Whether a line that the dispatcher printed then may have been lost to a kill.
    pub fn line_may_be_lost(&self, printed_us: u64) -> bool {
        let lost =
            |outage: &Outage| (outage.killed_us.saturating_sub(LINES_DIE_US)..outage.back_us).contains(&printed_us);
        self.outages.iter().any(lost)
    }

    fn known_settled(&mut self, payment: &str, at_us: u64) {
        let known = self.known_settled_us.entry(payment.to_owned()).or_insert(at_us);
        *known = at_us.min(*known);
    }

    fn know_from_lines(&mut self) {
        let told: Vec<_> = self.settled_lines().map(|(at_us, stage)| (at_us, stage.payment.clone())).collect();
        for (at_us, payment) in told {
            if !self.line_may_be_lost(at_us) {
                self.known_settled(&payment, at_us);
            }
        }
    }

    /// The dispatcher's lines that call a payment settled, with when they came.
    pub fn settled_lines(&self) -> impl Iterator<Item = (u64, &DispatcherPayment)> {
        self.events.iter().filter_map(|recorded| match &recorded.event {
            Event::DispatcherPayment(stage) if stage.stage == "settled" => Some((recorded.at_us, stage)),
            _ => None,
        })
    }

    fn take(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::RunStarted(run) => {
                self.tenants = run.tenants.iter().map(|tenant| (tenant.id.clone(), tenant.clone())).collect();
                self.arrivals = run.arrivals;
            }
            Event::ExchangeEnded(exchange) => {
                if let (ExchangeOutcome::Answered(Answer { status: 200..=299, .. }), Some(payment)) =
                    (&exchange.outcome, &exchange.payment)
                {
                    self.known_settled(payment, exchange.ended_us);
                }
                self.exchanges.push(exchange.clone());
            }
            Event::PurchaseEnded(purchase) => self.purchases.push(purchase.clone()),
            Event::TenantRan(run) => self.tenant_runs.push(run.clone()),
            Event::DispatcherRequest(request) => self.requests.push(request.clone()),
            Event::DispatcherPayment(stage) => {
                self.payment_tenants.insert(stage.payment.clone(), stage.tenant_id.clone());
                self.stages.push(stage.clone());
            }
            Event::TransferMoved(transfer) => {
                let moved = (recorded.at_us, transfer.clone());
                self.transfers.entry(transfer.payment.clone()).or_default().push(moved);
            }
            Event::FacilitatorCalled(call) => match (call.endpoint, &call.payment) {
                (FacilitatorEndpoint::Supported, _) => {}
                (FacilitatorEndpoint::Settle, Some(payment)) => {
                    self.settles.entry(payment.clone()).or_default().push(call.clone());
                    self.calls.push(call.clone());
                }
                (FacilitatorEndpoint::Verify | FacilitatorEndpoint::Settle, _) => self.calls.push(call.clone()),
            },
            Event::FacilitatorStanding(standing) => self.standings.push((recorded.at_us, standing.clone())),
            Event::LedgerState(state) => {
                self.ledger.insert(state.payment.clone(), state.clone());
            }
            Event::Unreadable { source, text } => self.unreadable.push(format!("{source}: {text}")),
            Event::DispatcherKilled(_) => {
                self.outages.push(Outage { killed_us: recorded.at_us, back_us: u64::MAX });
            }
            Event::DispatcherStarted => {
                if let Some(outage) = self.outages.last_mut() {
                    outage.back_us = recorded.at_us;
                }
            }
            Event::LedgerAfterKill(_)
            | Event::PhaseStarted { .. }
            | Event::FaultStarted { .. }
            | Event::FaultEnded { .. }
            | Event::RunEnded => {}
        }
    }
}

/// An exchange in words, for a witness.
pub fn tell(exchange: &Exchange) -> String {
    let kind = match exchange.kind {
        ExchangeKind::Unpaid => "unpaid request",
        ExchangeKind::Challenge => "first request",
        ExchangeKind::Payment => "payment",
        ExchangeKind::Resend => "resent payment",
        ExchangeKind::Duplicate => "payment at the same time",
        ExchangeKind::Elsewhere => "payment for another request",
        ExchangeKind::Preflight => "preflight",
    };
    let outcome = match &exchange.outcome {
        ExchangeOutcome::HungUp => "the client hung up".to_owned(),
        ExchangeOutcome::Failed { what } => format!("no answer ({what})"),
        ExchangeOutcome::Answered(answer) => {
            let code = answer.code.as_ref().map_or_else(String::new, |code| format!(" {code}"));
            let request = answer.request_id.as_deref().unwrap_or("none");
            format!("{}{code}, request {request}", answer.status)
        }
    };
    let at = exchange.sent_us as f64 / 1e6;
    let flaw = exchange.flaw.as_ref().map_or_else(String::new, |flaw| format!(" ({})", flaw.name));
    format!("at {at:.3} s, {kind}{flaw} #{} to {}: {outcome}", exchange.exchange, exchange.tenant)
}

/// A payment's key is long; its end tells it apart.
pub fn short(payment: &str) -> String {
    let nonce = payment.rsplit(':').next().unwrap_or(payment);
    format!("payment {}", nonce.get(..12).unwrap_or(nonce))
}
