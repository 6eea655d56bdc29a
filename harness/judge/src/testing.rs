//! Histories for the judges' own tests, told step by step. Each step takes a second, and answers itself within it.

use super::{Finding, History, history::Line};
use reports::{
    event::{
        Answer, Books, DirectoryChange, DirectoryLine, DirectoryNews, DispatcherAlert, DispatcherPayment,
        DispatcherRequest, EgressFacts, EgressLine, Event, Exchange, ExchangeKind, ExchangeOutcome, FacilitatorAnswer,
        FacilitatorAttempt, FacilitatorCall, FacilitatorEndpoint, FacilitatorStanding, FaultRef, Fetched, Flaw, Flow,
        Killing, LedgerState, LimitFacts, MachineLoad, OperatorAct, OperatorDoes, PaymentResponse, PriceFacts,
        Purchase, PurchaseOutcome, Recorded, RunStarted, StoredRecord, TenantAnswer, TenantEnd, TenantFacts,
        TenantOutcome, TenantRun, TenantSaid, Transfer,
    },
    verdict::Verdict,
};

pub const TENANT: &str = "acme";
const PAYER: &str = "0xaa";
const NETWORK: &str = "eip155:84532";

/// The answer of a double to `/settle`.
#[derive(Clone, Copy, Debug)]
pub enum Said {
    Sent(u16, Option<bool>, Option<&'static str>),
    Nothing,
}

pub const YES: Said = Said::Sent(200, Some(true), None);
pub const NO: Said = Said::Sent(200, Some(false), Some("unsupported_scheme"));
pub const PENDING: Said = Said::Sent(500, Some(false), Some("settlement_pending"));
pub const GARBLED: Said = Said::Sent(502, None, None);
pub const NOTHING: Said = Said::Nothing;

/// Lines of the events that show a failure. Line 1 says what the world is, and each step of a story adds a line.
pub fn shown(finding: &Finding) -> Vec<usize> {
    assert_eq!(finding.verdict, Verdict::Fail, "{}", finding.detail);
    let clearest = finding.clearest().expect("a failure is shown by something");
    clearest.lines().iter().map(|line: &Line| line.number()).collect()
}

pub struct Story {
    events: Vec<Recorded>,
    seconds: u64,
    phase: String,
    client: String,
    traffic: String,
    address: String,
    arrivals: u64,
    node: bool,
    flow: Flow,
}

fn flaw(name: &str, local: bool) -> Flaw {
    Flaw { name: name.to_owned(), answers: vec![402], local }
}

pub fn fault(inject: &str) -> FaultRef {
    FaultRef { index: 0, on: "primary".to_owned(), inject: inject.to_owned() }
}

pub fn attempt(facilitator: &str) -> FacilitatorAttempt {
    let (call, result) = (FacilitatorEndpoint::Verify, "ok".to_owned());
    FacilitatorAttempt { facilitator: facilitator.to_owned(), call, result, ms: 1 }
}

pub fn request_of(payment: &str) -> String {
    format!("request-for-{payment}")
}

fn stage(payment: &str, stage: &str) -> DispatcherPayment {
    DispatcherPayment {
        request_id: None,
        tenant_id: TENANT.to_owned(),
        payment: payment.to_owned(),
        stage: stage.to_owned(),
        reason: None,
        facilitator: None,
        transaction: None,
    }
}

pub fn transaction(payment: &str) -> String {
    format!("0xtransaction-of-{payment}")
}

impl Story {
    pub fn new() -> Self {
        Self {
            events: Vec::new(),
            seconds: 0,
            phase: "steady".to_owned(),
            client: "paid".to_owned(),
            traffic: "callers".to_owned(),
            address: "10.0.0.1".to_owned(),
            arrivals: 0,
            node: false,
            flow: Flow::Authorization,
        }
    }

    fn tenant(&self, amount: &str) -> TenantFacts {
        let price = PriceFacts {
            network: NETWORK.to_owned(),
            asset: "0xa".to_owned(),
            pay_to: "0xbb".to_owned(),
            amount: amount.to_owned(),
            flow: self.flow,
        };
        TenantFacts {
            id: TENANT.to_owned(),
            script: TENANT.to_owned(),
            cpu_ms: 50.0,
            sub_requests: 50.0,
            price: Some(price),
            facilitators: vec!["primary".to_owned(), "standby".to_owned()],
            egress: EgressFacts { allow: Some(vec!["*.example.org".to_owned()]), deny: Vec::new() },
        }
    }

    pub fn history(self) -> History {
        let tenant = self.tenant("10000");
        let started = RunStarted {
            schema: 1,
            scenario: "story".to_owned(),
            tier: "live".to_owned(),
            seed: 1,
            started_at_ms: 0,
            tenants: vec![tenant],
            quarantine: Some(LimitFacts { cpu_ms: 5.0, sub_requests: 1.0 }),
            arrivals: self.arrivals,
            node: self.node,
        };
        let mut events = vec![Recorded { at_us: 0, event: Event::RunStarted(started) }];
        events.extend(self.events);
        History::new(events)
    }

    fn then(mut self, event: Event) -> Self {
        self.seconds += 1;
        self.events.push(Recorded { at_us: self.now(), event });
        self
    }

    /// When the step that is being told began; it ends half a second later.
    fn next(&self) -> u64 {
        (self.seconds + 1) * 1_000_000
    }

    fn now(&self) -> u64 {
        self.seconds * 1_000_000
    }

    pub fn arrivals(mut self, arrivals: u64) -> Self {
        self.arrivals = arrivals;
        self
    }

    /// The dispatcher may ask a node of the chain.
    pub fn with_node(self) -> Self {
        Self { node: true, ..self }
    }

    pub fn phase(mut self, name: &str) -> Self {
        self.phase = name.to_owned();
        self.then(Event::PhaseStarted { phase: name.to_owned() })
    }

    /// Gives everything from here on to this kind of client.
    pub fn by(mut self, client: &str) -> Self {
        self.client = client.to_owned();
        self
    }

    pub fn fault(self, inject: &str) -> Self {
        self.then(Event::FaultStarted { fault: fault(inject) })
    }

    /// A fault of the facilitator begins.
    pub fn down(self, facilitator: &str) -> Self {
        self.then(Event::FaultStarted { fault: FaultRef { on: facilitator.to_owned(), ..fault("hang") } })
    }

    /// And ends.
    pub fn up(self, facilitator: &str) -> Self {
        self.then(Event::FaultEnded { fault: FaultRef { on: facilitator.to_owned(), ..fault("hang") } })
    }

    /// The tenant's offer is of the `upfront` flow.
    pub fn upfront(mut self) -> Self {
        self.flow = Flow::Upfront;
        self
    }

    /// The dispatcher's word on which request presented the payment.
    pub fn claimed(self, payment: &str) -> Self {
        let mut line = stage(payment, "claimed");
        line.request_id = Some(request_of(payment));
        self.then(Event::DispatcherPayment(line))
    }

    pub fn verified(self, payment: &str) -> Self {
        self.settle_with(payment, "primary", YES, |call| call.endpoint = FacilitatorEndpoint::Verify)
    }

    /// The namespace ran the tenant for the request that presented the payment.
    pub fn ran_for(self, payment: &str) -> Self {
        let request_id = Some(request_of(payment));
        let script = TENANT.to_owned();
        self.then(Event::TenantRan(TenantRun { script, cpu_ms: Some(50.0), sub_requests: Some(50.0), request_id }))
    }

    /// A version of the directory with the tenant at this price; the first one is there from the start.
    pub fn directory(self, amount: &str, to_be_logged: DirectoryNews) -> Self {
        let tenants = Some(vec![self.tenant(amount)]);
        self.directory_change(tenants, to_be_logged)
    }

    /// One that lists nobody.
    pub fn no_directory(self) -> Self {
        self.directory_change(Some(Vec::new()), DirectoryNews::Adopted)
    }

    /// One that nobody can read.
    pub fn broken_directory(self) -> Self {
        self.directory_change(None, DirectoryNews::Kept)
    }

    fn directory_change(self, tenants: Option<Vec<TenantFacts>>, to_be_logged: DirectoryNews) -> Self {
        let changed = |event: &Recorded| matches!(event.event, Event::DirectoryChanged(_));
        let later = self.events.iter().any(changed);
        let change = later.then(|| FaultRef { on: "directory".to_owned(), ..fault("new-version") });
        self.then(Event::DirectoryChanged(DirectoryChange { change, tenants, to_be_logged }))
    }

    /// An operator asked for something, and was answered at once.
    pub fn operator(self, does: OperatorDoes, status: u16) -> Self {
        let act = FaultRef { on: "operator".to_owned(), ..fault("quarantine acme") };
        let (asked_us, tenant) = (self.next(), TENANT.to_owned());
        self.then(Event::OperatorActed(OperatorAct { act, tenant, does, asked_us, status: Some(status) }))
    }

    /// Policy puts the tenant away, until so many milliseconds after the run's start.
    pub fn put_away_by_policy(self, until_ms: u64) -> Self {
        let (alert, tenant_id) = ("tenant_cpu_limit".to_owned(), Some(TENANT.to_owned()));
        let quarantined_until_ms = Some(until_ms);
        self.then(Event::DispatcherAlert(DispatcherAlert { alert, tenant_id, source: None, quarantined_until_ms }))
    }

    /// The tenant asked a URL of the outside for an answer, and this came of it.
    pub fn fetched(self, url: &'static str, status: u16) -> Self {
        self.sent("p1", ExchangeKind::Payment, 200, move |_, answer| {
            let fetched = Some(Fetched { url: url.to_owned(), status });
            answer.tenant_said = Some(TenantSaid { fetched, ..TenantSaid::default() });
        })
    }

    pub fn outside_reached(self, url: &str) -> Self {
        self.then(Event::OutsideReached { url: url.to_owned(), script: Some(TENANT.to_owned()) })
    }

    /// The outbound Worker has a line about a request.
    pub fn egress_line(self) -> Self {
        let (tenant_id, host) = (TENANT.to_owned(), Some("data.example.org".to_owned()));
        self.then(Event::EgressDecided(EgressLine { tenant_id, host, refused: None }))
    }

    pub fn tenant_bytes_logged(self) -> Self {
        self.then(Event::TenantBytesLogged { tenant: TENANT.to_owned(), line: String::new() })
    }

    /// A redirect was followed.
    pub fn asked_elsewhere(self) -> Self {
        let (facilitator, path) = ("primary".to_owned(), "POST /elsewhere".to_owned());
        self.then(Event::FacilitatorAskedElsewhere { facilitator, path })
    }

    pub fn secret_logged(self) -> Self {
        self.then(Event::SecretLogged { what: "a query".to_owned() })
    }

    pub fn adopted(self) -> Self {
        self.directory_line("adopted")
    }

    pub fn kept(self) -> Self {
        self.directory_line("kept")
    }

    fn directory_line(self, event: &str) -> Self {
        let line = DirectoryLine { event: event.to_owned(), version: Some(1), why: String::new() };
        self.then(Event::DispatcherDirectory(line))
    }

    pub fn killed(self) -> Self {
        let kill = FaultRef { on: "dispatcher".to_owned(), ..fault("kill at 1s") };
        self.then(Event::DispatcherKilled(Killing { kill, payment: None }))
    }

    pub fn restarted(self) -> Self {
        self.then(Event::DispatcherStarted)
    }

    /// Nothing happens for so many seconds.
    pub fn pause(mut self, seconds: u64) -> Self {
        self.seconds += seconds;
        self
    }

    pub fn transfer(self, payment: &str, facilitator: &str) -> Self {
        self.then(Event::TransferMoved(Transfer {
            facilitator: facilitator.to_owned(),
            payment: payment.to_owned(),
            network: NETWORK.to_owned(),
            asset: "0xA".to_owned(),
            from: PAYER.to_owned(),
            to: "0xBB".to_owned(),
            value: "10000".to_owned(),
            transaction: transaction(payment),
        }))
    }

    pub fn settle(self, payment: &str, facilitator: &str, said: Said) -> Self {
        self.settle_with(payment, facilitator, said, |_| {})
    }

    pub fn settle_with(self, payment: &str, at: &str, said: Said, change: impl FnOnce(&mut FacilitatorCall)) -> Self {
        let answer = match said {
            Said::Nothing => FacilitatorAnswer::None { how: "hung".to_owned() },
            Said::Sent(status, ok, reason) => {
                let transaction = Some(if ok == Some(true) { transaction(payment) } else { String::new() });
                FacilitatorAnswer::Sent { status, ok, reason: reason.map(str::to_owned), transaction, payer: None }
            }
        };
        let began = self.next();
        let mut call = FacilitatorCall {
            facilitator: at.to_owned(),
            endpoint: FacilitatorEndpoint::Settle,
            nth: 1,
            payment: Some(payment.to_owned()),
            payload_hash: Some(format!("hash-of-{payment}")),
            received_us: began,
            ended_us: began + 500_000,
            fault: None,
            stray_key: false,
            answer,
        };
        change(&mut call);
        self.then(Event::FacilitatorCalled(call))
    }

    /// Money moved, and the facilitator said so.
    pub fn settled(self, payment: &str, facilitator: &str) -> Self {
        self.transfer(payment, facilitator).settle(payment, facilitator, YES)
    }

    pub fn served(self, payment: &str) -> Self {
        self.served_with(payment, |_| {})
    }

    pub fn served_with(self, payment: &str, change: fn(&mut Answer)) -> Self {
        let told = PaymentResponse {
            success: true,
            error_reason: None,
            payer: Some(PAYER.to_owned()),
            transaction: transaction(payment),
            network: NETWORK.to_owned(),
        };
        let exchange = self.exchange(Some(payment), ExchangeKind::Payment);
        let mut answer = self.answer(200);
        answer.canaries = vec![TENANT.to_owned()];
        answer.payment_response = Some(told);
        change(&mut answer);
        self.end(exchange, ExchangeOutcome::Answered(answer))
    }

    pub fn answered(self, payment: Option<&str>, status: u16, change: impl Fn(&mut Answer)) -> Self {
        let kind = if payment.is_some() { ExchangeKind::Payment } else { ExchangeKind::Challenge };
        let exchange = self.exchange(payment, kind);
        let mut answer = self.answer(status);
        change(&mut answer);
        self.end(exchange, ExchangeOutcome::Answered(answer))
    }

    pub fn unpaid(self) -> Self {
        let exchange = self.exchange(None, ExchangeKind::Unpaid);
        let code = Some("payment_required".to_owned());
        let answer = Answer { offered: true, code, ..self.answer(402) };
        self.end(exchange, ExchangeOutcome::Answered(answer))
    }

    /// Anything else: the exchange and its answer as changed.
    pub fn sent(
        self,
        payment: &str,
        kind: ExchangeKind,
        status: u16,
        change: impl Fn(&mut Exchange, &mut Answer),
    ) -> Self {
        let (mut exchange, mut answer) = (self.exchange(Some(payment), kind), self.answer(status));
        change(&mut exchange, &mut answer);
        self.end(exchange, ExchangeOutcome::Answered(answer))
    }

    /// A payment that is broken on purpose, to be refused with 402.
    pub fn flawed(self, name: &str, local: bool, status: u16) -> Self {
        self.flawed_with(name, local, status, |_| {})
    }

    pub fn flawed_with(self, name: &str, local: bool, status: u16, change: fn(&mut Answer)) -> Self {
        self.sent("flawed", ExchangeKind::Payment, status, |exchange, answer| {
            exchange.flaw = Some(flaw(name, local));
            answer.code = Some(name.to_owned());
            answer.offered = true;
            change(answer);
        })
    }

    pub fn flawed_and_dropped(self, name: &str) -> Self {
        let exchange = self.exchange(None, ExchangeKind::Payment);
        let exchange = Exchange { flaw: Some(flaw(name, true)), ..exchange };
        self.end(exchange, ExchangeOutcome::Failed { what: "reset".to_owned() })
    }

    pub fn failed(self, what: &str) -> Self {
        let exchange = self.exchange(None, ExchangeKind::Unpaid);
        self.end(exchange, ExchangeOutcome::Failed { what: what.to_owned() })
    }

    /// The dispatcher's line for the last exchange.
    pub fn logged(self) -> Self {
        self.logged_with(|_| {})
    }

    pub fn logged_with(self, change: fn(&mut DispatcherRequest)) -> Self {
        let mut line = DispatcherRequest {
            request_id: self.last_request(),
            tenant_id: Some(TENANT.to_owned()),
            route: "GET /".to_owned(),
            status: 402,
            code: None,
            payment: None,
            transaction: None,
            attempts: Vec::new(),
            ms: 1,
        };
        change(&mut line);
        self.then(Event::DispatcherRequest(line))
    }

    /// The ledger was asked for the last exchange.
    pub fn claimed_for_it(self, payment: &str) -> Self {
        let mut line = stage(payment, "claimed");
        line.request_id = Some(self.last_request());
        self.then(Event::DispatcherPayment(line))
    }

    /// The tenant ran for the last exchange.
    pub fn ran_for_it(self) -> Self {
        self.ran_as(TENANT)
    }

    /// Records the use of two cores by the run and by others in the second before.
    pub fn machine(self, ours: f64, others: f64) -> Self {
        self.then(Event::MachineLoad(MachineLoad { cores: 2, busy: ours + others, ours }))
    }

    /// This script ran for the last exchange.
    pub fn ran_as(self, script: &str) -> Self {
        let request_id = Some(self.last_request());
        let script = script.to_owned();
        self.then(Event::TenantRan(TenantRun { script, cpu_ms: Some(50.0), sub_requests: Some(50.0), request_id }))
    }

    /// The namespace's word on the run for the last exchange: well within its limits, unless changed.
    pub fn ended_for_it(self, change: impl Fn(&mut TenantEnd)) -> Self {
        let mut end = TenantEnd {
            script: TENANT.to_owned(),
            request_id: Some(self.last_request()),
            outcome: TenantOutcome::Ok,
            answer: TenantAnswer::Whole,
            cpu_used_ms: Some(1.0),
            cpu_limit_ms: 50.0,
            memory_mb: Some(2.0),
            memory_limit_mb: Some(128.0),
            subrequests: 0,
            subrequest_limit: 50,
            subrequests_refused: 0,
        };
        change(&mut end);
        self.then(Event::TenantEnded(end))
    }

    fn last_request(&self) -> String {
        let answered = self.events.iter().rev().find_map(|recorded| match &recorded.event {
            Event::ExchangeEnded(exchange) => match &exchange.outcome {
                ExchangeOutcome::Answered(answer) => answer.request_id.clone(),
                ExchangeOutcome::HungUp | ExchangeOutcome::Failed { .. } => None,
            },
            _ => None,
        });
        answered.expect("something was answered before")
    }

    pub fn told(self, payment: &str) -> Self {
        let line = DispatcherPayment { transaction: Some(transaction(payment)), ..stage(payment, "settled") };
        self.then(Event::DispatcherPayment(line))
    }

    pub fn ledger(self, payment: &str, state: &str) -> Self {
        let transaction = (state == "settled").then(|| transaction(payment));
        let (payment, state) = (payment.to_owned(), state.to_owned());
        self.then(Event::LedgerState(LedgerState { payment, state, transaction }))
    }

    pub fn books(self, books: Books) -> Self {
        self.then(Event::BooksRead(books))
    }

    /// The payment's record is left in storage, as it was when it was told of last.
    pub fn stored(self, payment: &str, state: &str) -> Self {
        let (payment, state) = (payment.to_owned(), state.to_owned());
        self.then(Event::StorageLeft(StoredRecord { payment, state, since_us: 0, bytes: 1 }))
    }

    /// The dispatcher says that a facilitator's verify stands so now.
    pub fn standing(self, facilitator: &str, to: &str) -> Self {
        let (facilitator, to) = (facilitator.to_owned(), to.to_owned());
        let (from, reason) = ("healthy".to_owned(), "timeout".to_owned());
        let call = FacilitatorEndpoint::Verify;
        self.then(Event::FacilitatorStanding(FacilitatorStanding { facilitator, call, from, to, reason }))
    }

    pub fn ran(self, cpu_ms: Option<f64>, sub_requests: Option<f64>) -> Self {
        let script = TENANT.to_owned();
        self.then(Event::TenantRan(TenantRun { script, cpu_ms, sub_requests, request_id: None }))
    }

    pub fn purchase(self, payments: &[&str]) -> Self {
        let payments = payments.iter().map(|payment| (*payment).to_owned()).collect();
        self.end_purchase(payments, PurchaseOutcome::Served)
    }

    pub fn purchase_that(self, payment: &str, outcome: PurchaseOutcome) -> Self {
        self.end_purchase(vec![payment.to_owned()], outcome)
    }

    pub fn alert(self, alert: &str) -> Self {
        let (tenant_id, source) = (Some(TENANT.to_owned()), Some(self.address.clone()));
        self.then(Event::DispatcherAlert(DispatcherAlert {
            alert: alert.to_owned(),
            tenant_id,
            source,
            quarantined_until_ms: None,
        }))
    }

    fn end_purchase(self, payments: Vec<String>, outcome: PurchaseOutcome) -> Self {
        let (phase, client, traffic) = (self.phase.clone(), self.client.clone(), self.traffic.clone());
        self.then(Event::PurchaseEnded(Purchase {
            purchase: 1,
            client,
            traffic,
            tenant: TENANT.to_owned(),
            phase,
            payer: PAYER.to_owned(),
            outcome,
            payments,
        }))
    }

    fn exchange(&self, payment: Option<&str>, kind: ExchangeKind) -> Exchange {
        let began = self.next();
        Exchange {
            exchange: self.seconds,
            arrival: self.seconds,
            client: self.client.clone(),
            traffic: self.traffic.clone(),
            address: self.address.clone(),
            purchase: None,
            kind,
            phase: self.phase.clone(),
            tenant: TENANT.to_owned(),
            dispatcher: 1,
            method: "GET".to_owned(),
            target: "/t/acme/".to_owned(),
            payment: payment.map(str::to_owned),
            identifier: None,
            credentials: None,
            body: None,
            flaw: None,
            due_us: began,
            sent_us: began,
            ended_us: began + 500_000,
            outcome: ExchangeOutcome::Failed { what: "not told yet".to_owned() },
        }
    }

    fn answer(&self, status: u16) -> Answer {
        Answer {
            status,
            request_id: Some(format!("request-{}", self.seconds)),
            tenant: Some(TENANT.to_owned()),
            ..Answer::default()
        }
    }

    fn end(self, exchange: Exchange, outcome: ExchangeOutcome) -> Self {
        self.then(Event::ExchangeEnded(Exchange { outcome, ..exchange }))
    }
}
