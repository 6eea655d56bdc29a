//! A run's events, with the look-ups that several judges share. Built once; every look-up is by key. Whatever it hands out
//! comes with its line, because a judge that finds something must say where it stands.

use reports::event::{
    Answer, DirectoryChange, DirectoryLine, DispatcherAlert, DispatcherPayment, DispatcherRequest, Event, Exchange,
    ExchangeOutcome, FacilitatorCall, FacilitatorEndpoint, FacilitatorStanding, LedgerState, LimitFacts, OperatorAct,
    PriceFacts, Purchase, Recorded, RunStarted, TenantEnd, TenantFacts, TenantRun, Transfer,
};
use std::{collections::BTreeMap, ops::Deref};

/// A line of `events.jsonl`, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line(usize);

impl Line {
    pub fn number(self) -> usize {
        self.0
    }
}

/// Something that happened, and where it stands.
#[derive(Debug)]
pub struct At<'a, T> {
    pub line: Line,
    /// When the harness learned of it.
    pub at_us: u64,
    pub what: &'a T,
}

impl<T> Clone for At<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for At<'_, T> {}

impl<T> Deref for At<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.what
    }
}

#[derive(Clone, Debug, Default)]
pub struct History {
    pub events: Vec<Recorded>,
    pub tenants: BTreeMap<String, TenantFacts>,
    pub quarantine: Option<LimitFacts>,
    pub started_at_ms: u64,
    pub arrivals: u64,
    /// Whether the dispatcher may ask a node of the chain.
    pub has_node: bool,
    pub outages: Vec<Outage>,
    exchanges: Vec<Line>,
    purchases: Vec<Line>,
    tenant_runs: Vec<Line>,
    tenant_ends: Vec<Line>,
    requests: Vec<Line>,
    stages: Vec<Line>,
    calls: Vec<Line>,
    standings: Vec<Line>,
    directory_changes: Vec<Line>,
    directory_lines: Vec<Line>,
    operator_acts: Vec<Line>,
    alerts: Vec<Line>,
    unreadable: Vec<Line>,
    ledger: BTreeMap<String, Line>,
    transfers: BTreeMap<String, Vec<Line>>,
    settles: BTreeMap<String, Vec<Line>>,
    payment_tenants: BTreeMap<String, Line>,
    known_settled: BTreeMap<String, Known>,
}

/// When something was first known, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known {
    pub at_us: u64,
    pub line: Line,
}

/// A stretch in which the harness had killed the dispatcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    pub killed_us: u64,
    /// When it answered again; never, at first.
    pub back_us: u64,
}

/// The time before a kill whose output may have died in a pipe with the process.
const LINES_DIE_US: u64 = 1_000_000;

/// Finds events of one kind by their lines.
macro_rules! events_of {
    ($($(#[$doc:meta])* $name:ident: $variant:ident($kind:ty);)*) => {
        $($(#[$doc])* pub fn $name(&self) -> impl Iterator<Item = At<'_, $kind>> + Clone {
            self.$name.iter().filter_map(|line| match &self.event(*line).event {
                Event::$variant(what) => Some(self.at(*line, what)),
                _ => None,
            })
        })*
    };
}

impl History {
    pub fn new(events: Vec<Recorded>) -> Self {
        let mut history = Self { events, ..Self::default() };
        let events = std::mem::take(&mut history.events);
        for (index, recorded) in events.iter().enumerate() {
            history.take(Line(index + 1), recorded);
        }
        history.events = events;
        history.sort_settles();
        history.know_from_lines();
        history
    }

    events_of! {
        exchanges: ExchangeEnded(Exchange);
        purchases: PurchaseEnded(Purchase);
        tenant_runs: TenantRan(TenantRun);
        tenant_ends: TenantEnded(TenantEnd);
        requests: DispatcherRequest(DispatcherRequest);
        stages: DispatcherPayment(DispatcherPayment);
        standings: FacilitatorStanding(FacilitatorStanding);
        directory_changes: DirectoryChanged(DirectoryChange);
        directory_lines: DispatcherDirectory(DirectoryLine);
        operator_acts: OperatorActed(OperatorAct);
        alerts: DispatcherAlert(DispatcherAlert);
        /// Every `/verify` and `/settle` call, in the order in which they were written down.
        calls: FacilitatorCalled(FacilitatorCall);
    }

    /// The line where the run says what its world was. The first one, unless the stream is odd.
    pub fn first_line(&self) -> Line {
        Line(1)
    }

    /// The event at a line that this history handed out.
    pub fn event(&self, line: Line) -> &Recorded {
        &self.events[line.0 - 1]
    }

    /// All events with their lines.
    pub fn lines(&self) -> impl Iterator<Item = (Line, &Recorded)> + Clone {
        self.events.iter().enumerate().map(|(index, recorded)| (Line(index + 1), recorded))
    }

    /// The exchange's answer and payment, where it carried one and was answered.
    pub fn paid_answers(&self) -> impl Iterator<Item = (At<'_, Exchange>, &Answer, &str)> {
        self.exchanges().filter_map(|exchange| match (&exchange.what.outcome, &exchange.what.payment) {
            (ExchangeOutcome::Answered(answer), Some(payment)) => Some((exchange, answer, payment.as_str())),
            _ => None,
        })
    }

    pub fn answers(&self) -> impl Iterator<Item = (At<'_, Exchange>, &Answer)> {
        self.exchanges().filter_map(|exchange| match &exchange.what.outcome {
            ExchangeOutcome::Answered(answer) => Some((exchange, answer)),
            ExchangeOutcome::HungUp | ExchangeOutcome::Failed { .. } => None,
        })
    }

    /// `/settle` calls by payment, each payment's in the order in which they arrived.
    pub fn settles(&self) -> impl Iterator<Item = (&str, Vec<At<'_, FacilitatorCall>>)> {
        self.settles.keys().map(|payment| (payment.as_str(), self.settles_of(payment).collect()))
    }

    pub fn settles_of(&self, payment: &str) -> impl Iterator<Item = At<'_, FacilitatorCall>> + use<'_> {
        let lines = self.settles.get(payment).map_or(&[][..], Vec::as_slice);
        lines.iter().filter_map(|line| match &self.event(*line).event {
            Event::FacilitatorCalled(call) => Some(self.at(*line, call)),
            _ => None,
        })
    }

    /// Money that moved, by payment.
    pub fn transfers(&self) -> impl Iterator<Item = (&str, Vec<At<'_, Transfer>>)> {
        self.transfers.keys().map(|payment| (payment.as_str(), self.transfers_of(payment).collect()))
    }

    pub fn transfers_of(&self, payment: &str) -> impl Iterator<Item = At<'_, Transfer>> + use<'_> {
        let lines = self.transfers.get(payment).map_or(&[][..], Vec::as_slice);
        lines.iter().filter_map(|line| match &self.event(*line).event {
            Event::TransferMoved(transfer) => Some(self.at(*line, transfer)),
            _ => None,
        })
    }

    /// The first transfer of a payment, if its money moved.
    pub fn moved(&self, payment: &str) -> Option<At<'_, Transfer>> {
        self.transfers_of(payment).next()
    }

    /// When each payment was first known to be settled: logged so by the dispatcher, or its content received. A line right
    /// before a kill counts for nothing: it may be ahead of the write that would have kept what it says.
    pub fn known_settled(&self) -> impl Iterator<Item = (&str, Known)> {
        self.known_settled.iter().map(|(payment, known)| (payment.as_str(), *known))
    }

    pub fn known_settled_at(&self, payment: &str) -> Option<Known> {
        self.known_settled.get(payment).copied()
    }

    /// The ledger's last words.
    pub fn ledger(&self) -> impl Iterator<Item = At<'_, LedgerState>> {
        self.ledger.keys().filter_map(|payment| self.ledger_of(payment))
    }

    /// The ledger's last word on a payment.
    pub fn ledger_of(&self, payment: &str) -> Option<At<'_, LedgerState>> {
        let line = *self.ledger.get(payment)?;
        match &self.event(line).event {
            Event::LedgerState(state) => Some(self.at(line, state)),
            _ => None,
        }
    }

    /// Lines that could not be read, a rule may depend on what they said: the first, and how many there are.
    pub fn unreadable(&self) -> Option<(Line, usize)> {
        self.unreadable.first().map(|line| (*line, self.unreadable.len()))
    }

    /// By the dispatcher's own word, and where it says so: who settles for whom is checked against the chain by other rules.
    pub fn tenant_of(&self, payment: &str) -> Option<(Line, &TenantFacts)> {
        let line = *self.payment_tenants.get(payment)?;
        match &self.event(line).event {
            Event::DispatcherPayment(stage) => Some((line, self.tenants.get(&stage.tenant_id)?)),
            _ => None,
        }
    }

    /// The tenant that the exchange was meant for, if it charges.
    pub fn is_priced(&self, exchange: &Exchange) -> bool {
        self.tenants.get(&exchange.tenant).is_some_and(|tenant| tenant.price.is_some())
    }

    /// Every price that the tenant had in the run.
    pub fn prices_of(&self, tenant: &str) -> impl Iterator<Item = &PriceFacts> {
        let later = self.directory_changes().filter_map(|change| change.what.tenants.as_deref()).flatten();
        let listed = self.tenants.get(tenant).into_iter().chain(later.filter(move |facts| facts.id == tenant));
        listed.filter_map(|facts| facts.price.as_ref())
    }

    /// Whose script it is: a script is its tenant's id, or that with a version behind it.
    pub fn tenant_of_script(&self, script: &str) -> Option<&TenantFacts> {
        self.tenants.get(script.split_once("--").map_or(script, |(id, _)| id))
    }

    /// The requests for which a tenant ran, with where that stands.
    pub fn runs_by_request(&self) -> BTreeMap<&str, At<'_, TenantRun>> {
        self.tenant_runs().filter_map(|run| Some((run.what.request_id.as_deref()?, run))).collect()
    }

    /// How the runs ended, by the request that each was for.
    pub fn ends_by_request(&self) -> BTreeMap<&str, At<'_, TenantEnd>> {
        self.tenant_ends().filter_map(|end| Some((end.what.request_id.as_deref()?, end))).collect()
    }

    /// The answers, by the dispatcher's id of the request.
    pub fn answers_by_request(&self) -> BTreeMap<&str, (At<'_, Exchange>, &Answer)> {
        let by_request = |(exchange, answer)| {
            let answer: &Answer = answer;
            Some((answer.request_id.as_deref()?, (exchange, answer)))
        };
        self.answers().filter_map(by_request).collect()
    }

    pub fn tenant_with_script(&self, script: &str) -> Option<&TenantFacts> {
        self.tenants.values().find(|tenant| tenant.script == script)
    }

    /// The line at which a phase begins.
    pub fn phase_line(&self, name: &str) -> Option<Line> {
        let begins = |recorded: &Recorded| matches!(&recorded.event, Event::PhaseStarted { phase } if phase == name);
        self.lines().find(|(_, recorded)| begins(recorded)).map(|(line, _)| line)
    }

    /// From when until when a phase lasts: until the next one begins, or the events end.
    pub fn phase_us(&self, name: &str) -> Option<(u64, u64)> {
        let from = self.event(self.phase_line(name)?).at_us;
        let begins =
            |recorded: &&Recorded| matches!(recorded.event, Event::PhaseStarted { .. }) && recorded.at_us > from;
        let to = self.events.iter().find(begins).or(self.events.last())?.at_us;
        Some((from, to))
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

    /// The dispatcher's lines that call a payment settled.
    pub fn settled_lines(&self) -> impl Iterator<Item = At<'_, DispatcherPayment>> {
        self.stages().filter(|stage| stage.stage == "settled")
    }

    fn at<'a, T>(&'a self, line: Line, what: &'a T) -> At<'a, T> {
        At { line, at_us: self.event(line).at_us, what }
    }

    fn sort_settles(&mut self) {
        let events = &self.events;
        let received = |line: &Line| match &events[line.0 - 1].event {
            Event::FacilitatorCalled(call) => call.received_us,
            _ => 0,
        };
        for lines in self.settles.values_mut() {
            lines.sort_by_key(received);
        }
    }

    fn know(&mut self, payment: &str, known: Known) {
        let first = self.known_settled.entry(payment.to_owned()).or_insert(known);
        *first = known.min(*first);
    }

    /// Once every kill is known.
    fn know_from_lines(&mut self) {
        let told: Vec<_> = self
            .settled_lines()
            .filter(|stage| !self.line_may_be_lost(stage.at_us))
            .map(|stage| (Known { at_us: stage.at_us, line: stage.line }, stage.payment.clone()))
            .collect();
        for (known, payment) in told {
            self.know(&payment, known);
        }
    }

    fn take(&mut self, line: Line, recorded: &Recorded) {
        match &recorded.event {
            Event::RunStarted(RunStarted { tenants, arrivals, quarantine, started_at_ms, node, .. }) => {
                self.has_node = *node;
                (self.quarantine, self.started_at_ms) = (*quarantine, *started_at_ms);
                self.tenants = tenants.iter().map(|tenant| (tenant.id.clone(), tenant.clone())).collect();
                self.arrivals = *arrivals;
            }
            Event::ExchangeEnded(exchange) => {
                if let (ExchangeOutcome::Answered(Answer { status: 200..=299, .. }), Some(payment)) =
                    (&exchange.outcome, &exchange.payment)
                {
                    self.know(payment, Known { at_us: exchange.ended_us, line });
                }
                self.exchanges.push(line);
            }
            Event::PurchaseEnded(_) => self.purchases.push(line),
            Event::TenantRan(_) => self.tenant_runs.push(line),
            Event::TenantEnded(_) => self.tenant_ends.push(line),
            Event::DispatcherRequest(_) => self.requests.push(line),
            Event::DispatcherPayment(stage) => {
                self.payment_tenants.insert(stage.payment.clone(), line);
                self.stages.push(line);
            }
            Event::TransferMoved(transfer) => {
                self.transfers.entry(transfer.payment.clone()).or_default().push(line);
            }
            Event::FacilitatorCalled(call) => {
                if let (FacilitatorEndpoint::Settle, Some(payment)) = (call.endpoint, &call.payment) {
                    self.settles.entry(payment.clone()).or_default().push(line);
                }
                if call.endpoint != FacilitatorEndpoint::Supported {
                    self.calls.push(line);
                }
            }
            Event::FacilitatorStanding(_) => self.standings.push(line),
            Event::DirectoryChanged(_) => self.directory_changes.push(line),
            Event::DispatcherDirectory(_) => self.directory_lines.push(line),
            Event::OperatorActed(_) => self.operator_acts.push(line),
            Event::DispatcherAlert(_) => self.alerts.push(line),
            Event::LedgerState(state) => {
                self.ledger.insert(state.payment.clone(), line);
            }
            Event::Unreadable { .. } => self.unreadable.push(line),
            Event::DispatcherKilled(_) => {
                self.outages.push(Outage { killed_us: recorded.at_us, back_us: u64::MAX });
            }
            Event::DispatcherStarted => {
                if let Some(outage) = self.outages.last_mut() {
                    outage.back_us = recorded.at_us;
                }
            }
            Event::LedgerAfterKill(_)
            | Event::TenantBytesLogged { .. }
            | Event::SecretLogged { .. }
            | Event::DispatcherTrouble(_)
            | Event::DispatcherOperator(_)
            | Event::FacilitatorAskedElsewhere { .. }
            | Event::EgressDecided(_)
            | Event::OutsideReached { .. }
            | Event::MachineLoad(_)
            | Event::StorageLeft(_)
            | Event::NodeAsked { .. }
            | Event::LedgerDisturbed { .. }
            | Event::TelemetryDisturbed { .. }
            | Event::BooksRead(_)
            | Event::PhaseStarted { .. }
            | Event::FaultStarted { .. }
            | Event::FaultEnded { .. }
            | Event::RunEnded => {}
        }
    }
}
