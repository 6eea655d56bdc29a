//! Histories for the judges' own tests, told step by step. Each step takes a second, and answers itself within it.

mod directory;
mod exchanges;
mod facilitators;
mod logs;
mod payments;
mod tenants;

use super::{Finding, History, history::Line};
use reports::{
    event::{
        EgressFacts, Event, ExchangeOutcome, FaultRef, Flow, LimitFacts, PriceFacts, Recorded, RunStarted, TenantFacts,
    },
    verdict::Verdict,
};

pub use facilitators::{GARBLED, NO, NOTHING, PENDING, Said, YES, attempt};

pub const TENANT: &str = "acme";
const PAYER: &str = "0xaa";
const NETWORK: &str = "eip155:84532";

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

pub fn fault(inject: &str) -> FaultRef {
    FaultRef { index: 0, on: "primary".to_owned(), inject: inject.to_owned() }
}

pub fn request_of(payment: &str) -> String {
    format!("request-for-{payment}")
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

    /// The tenant's offer is of the `upfront` flow.
    pub fn upfront(mut self) -> Self {
        self.flow = Flow::Upfront;
        self
    }

    /// Nothing happens for so many seconds.
    pub fn pause(mut self, seconds: u64) -> Self {
        self.seconds += seconds;
        self
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
}
