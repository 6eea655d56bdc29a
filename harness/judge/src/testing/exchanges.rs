//! Exchanges of clients: what they sent, and what they got.

use super::{NETWORK, PAYER, Story, TENANT, transaction};
use reports::event::{
    Answer, Event, Exchange, ExchangeKind, ExchangeOutcome, Flaw, PaymentResponse, Purchase, PurchaseOutcome,
};

fn flaw(name: &str, local: bool) -> Flaw {
    Flaw { name: name.to_owned(), answers: vec![402], local }
}

impl Story {
    pub fn unpaid(self) -> Self {
        let exchange = self.exchange(None, ExchangeKind::Unpaid);
        let code = Some("payment_required".to_owned());
        let answer = Answer { offered: true, code, ..self.answer(402) };
        self.end(exchange, ExchangeOutcome::Answered(answer))
    }

    pub fn answered(self, payment: Option<&str>, status: u16, change: impl Fn(&mut Answer)) -> Self {
        let kind = if payment.is_some() { ExchangeKind::Payment } else { ExchangeKind::Challenge };
        let exchange = self.exchange(payment, kind);
        let mut answer = self.answer(status);
        change(&mut answer);
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

    pub fn purchase(self, payments: &[&str]) -> Self {
        let payments = payments.iter().map(|payment| (*payment).to_owned()).collect();
        self.end_purchase(payments, PurchaseOutcome::Served)
    }

    pub fn purchase_that(self, payment: &str, outcome: PurchaseOutcome) -> Self {
        self.end_purchase(vec![payment.to_owned()], outcome)
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
