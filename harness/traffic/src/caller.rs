//! One client that speaks to the dispatchers and writes down every exchange, whole body included.

use super::{
    ask::Ask,
    leaks,
    payer::{Invoice, Payment, plain},
    presented::Presented,
    schedule::Arrival,
    wire::{Wire, WireAnswer, WireRequest},
};
use facts::hosts::host_of;
use grammar::Timeline;
use journal::Journal;
use reports::event::{Answer, Event, Exchange, ExchangeKind, ExchangeOutcome, Flaw, PaymentResponse};
use reqwest::header::{HeaderMap, HeaderValue};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use system::{clock::Clock, retry_after};
use tracing::{Instrument, debug, debug_span};
use x402_protocol::{
    Network, Version, header,
    v2::{PaymentRequired, SettleResponse},
};

const CLIENT_ADDRESS: &str = "cf-connecting-ip";

/// The beginning of credentials that are an API key, in a header that a tenant's record has to list.
pub const API_KEY: &str = "key-";

pub struct Caller {
    wire: Arc<dyn Wire>,
    /// Tenants by the token that only they know.
    canaries: BTreeMap<String, String>,
    timeline: Timeline,
    journal: Journal,
    sent: AtomicU64,
    exchanges: AtomicU64,
    answers: AtomicU64,
    presented: Presented,
}

/// The request to send, and the time to wait for its answer.
pub struct Sending<'a> {
    ask: &'a Ask,
    kind: ExchangeKind,
    due_us: Option<u64>,
    payment: Option<&'a Payment>,
    flaw: Option<Flaw>,
    headers: &'static [(&'static str, &'static str)],
    credentials: Option<String>,
    address: Option<IpAddr>,
    patience: Option<Duration>,
    body_after: Option<Duration>,
}

impl<'a> Sending<'a> {
    /// Due when it is sent, without a payment.
    #[must_use]
    pub fn new(ask: &'a Ask, kind: ExchangeKind) -> Self {
        Self {
            ask,
            kind,
            due_us: None,
            payment: None,
            flaw: None,
            headers: &[],
            credentials: None,
            address: None,
            patience: None,
            body_after: None,
        }
    }

    #[must_use]
    pub fn due(mut self, due_us: u64) -> Self {
        self.due_us = Some(due_us);
        self
    }

    #[must_use]
    pub fn with(mut self, payment: &'a Payment) -> Self {
        self.payment = Some(payment);
        self
    }

    /// The fault of the payment.
    #[must_use]
    pub fn flawed(mut self, flaw: Flaw) -> Self {
        self.flaw = Some(flaw);
        self
    }

    /// Beside the client's own.
    #[must_use]
    pub fn headers(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        self.headers = headers;
        self
    }

    /// With an `Authorization` and a cookie of somebody of this name, or with the API key that it is.
    #[must_use]
    pub fn with_credentials_of(mut self, name: impl Into<String>) -> Self {
        self.credentials = Some(name.into());
        self
    }

    /// From another address than the client's own.
    #[must_use]
    pub fn from(mut self, address: IpAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// Sends nothing of the body for so long.
    #[must_use]
    pub fn body_after(mut self, after: Duration) -> Self {
        self.body_after = Some(after);
        self
    }

    /// Hangs up when the answer is not there in time.
    #[must_use]
    pub fn no_longer_than(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }
}

/// The answer, for the client to go on with; the exchange is written down already.
pub struct Got {
    pub answer: Answer,
    /// The bill, where one came that this client can read.
    pub invoice: Option<Invoice>,
}

impl Caller {
    #[must_use]
    pub fn new(wire: Arc<dyn Wire>, canaries: BTreeMap<String, String>, timeline: Timeline, journal: Journal) -> Self {
        let [sent, exchanges, answers] = [0; 3].map(AtomicU64::new);
        Self { wire, canaries, timeline, journal, sent, exchanges, answers, presented: Presented::default() }
    }

    pub fn clock(&self) -> &dyn Clock {
        self.journal.clock().as_ref()
    }

    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The facts that others can know of the payments that were presented.
    pub fn presented(&self) -> &Presented {
        &self.presented
    }

    /// How many exchanges were answered.
    pub fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    /// The phase that was on at `at_us`; the last one goes on after the traffic's end.
    pub fn phase_at(&self, at_us: u64) -> String {
        let phases = self.timeline.phases();
        let phase = self.timeline.at(Duration::from_micros(at_us)).or(phases.last());
        phase.map_or_else(String::new, |phase| phase.name().as_str().to_owned())
    }

    /// `None` where there was no whole answer.
    pub async fn exchange(&self, arrival: &Arrival, sending: Sending<'_>) -> Option<Got> {
        let Sending { ask, kind, due_us, payment, flaw, headers, credentials, address, patience, body_after } = sending;
        let address = address.unwrap_or(arrival.address);
        let target = ask.target();
        if let Some(payment) = payment.filter(|_| !arrival.client.is_attacker()) {
            self.presented.note(ask, payment, credentials.as_deref(), address);
        }
        let address = address.to_string();
        // In turn even within one purchase: in production, too, no two requests need to meet the same isolate.
        let dispatcher = self.sent.fetch_add(1, Ordering::Relaxed) as usize % self.wire.dispatchers();
        let mut carried = Vec::new();
        if let Some(payment) = payment {
            let name = match payment.version {
                Version::V1 => header::X_PAYMENT,
                Version::V2 => header::PAYMENT_SIGNATURE,
            };
            carried.push((name, payment.header.clone()));
        }
        // As the platform's edge sets it, which is not there; whoever comes without gets its TCP connection's.
        carried.push((CLIENT_ADDRESS, plain(address.clone())));
        match credentials.as_deref() {
            Some(key) if key.starts_with(API_KEY) => carried.push(("x-api-key", plain(key.to_owned()))),
            Some(user) => {
                carried.push(("authorization", plain(format!("Bearer {user}"))));
                carried.push(("cookie", plain(format!("session={user}"))));
            }
            None => {}
        }
        carried.extend(headers.iter().map(|(name, value)| (*name, HeaderValue::from_static(value))));
        let request = WireRequest {
            method: ask.method.clone(),
            target: target.clone(),
            host: ask.by_host.then(|| host_of(&ask.tenant)),
            headers: carried,
            body: ask.body.clone(),
            body_after: body_after.unwrap_or_default(),
        };
        let sent_us = self.clock().now_us();
        let (tenant, number) = (ask.tenant.as_str(), arrival.number);
        let span = debug_span!("request", arrival = number, ?kind, tenant, %target, dispatcher = dispatcher + 1);
        let answered = self.wire.send(dispatcher, request).instrument(span.clone());
        let received = tokio::time::timeout(patience.unwrap_or(Duration::MAX), answered).await;
        let version = payment.map_or(arrival.client.version(), |payment| payment.version);
        let (outcome, invoice) = match received {
            Ok(Ok(WireAnswer { status, headers, body })) => {
                let invoice = match version {
                    Version::V1 => Invoice::read_body(&body),
                    Version::V2 => Invoice::read_header(&text(&headers, header::PAYMENT_REQUIRED).unwrap_or_default()),
                };
                (ExchangeOutcome::Answered(self.read(version, ask.by_host, status, &headers, &body)), invoice.ok())
            }
            Ok(Err(broken)) => (ExchangeOutcome::Failed { what: broken.to_string() }, None),
            Err(_) => (ExchangeOutcome::HungUp, None),
        };
        span.in_scope(|| match &outcome {
            ExchangeOutcome::Answered(answer) => {
                let (status, code, request_id) = (answer.status, answer.code.as_deref(), answer.request_id.as_deref());
                debug!(status, code, request_id, took_us = self.clock().now_us() - sent_us, "answered");
            }
            ExchangeOutcome::Failed { what } => debug!(what, "failed"),
            ExchangeOutcome::HungUp => debug!("hung up"),
        });
        let due_us = due_us.unwrap_or(sent_us);
        self.journal.record(Event::ExchangeEnded(Exchange {
            exchange: self.exchanges.fetch_add(1, Ordering::Relaxed),
            arrival: arrival.number,
            client: arrival.client.name().to_owned(),
            traffic: arrival.traffic.as_str().to_owned(),
            address,
            purchase: arrival.client.buys().then_some(arrival.number),
            kind,
            phase: self.phase_at(due_us),
            tenant: ask.tenant.clone(),
            method: ask.method.to_string(),
            dispatcher: dispatcher + 1,
            target,
            payment: payment.and_then(|payment| payment.key.clone()),
            identifier: payment.and_then(|payment| payment.identifier.clone()),
            credentials,
            body: Some(ask.body.clone()).filter(|body| !body.is_empty()),
            flaw,
            due_us,
            sent_us,
            ended_us: self.clock().now_us(),
            outcome: outcome.clone(),
        }));
        match outcome {
            ExchangeOutcome::Answered(answer) => {
                self.answers.fetch_add(1, Ordering::Relaxed);
                Some(Got { answer, invoice })
            }
            ExchangeOutcome::HungUp | ExchangeOutcome::Failed { .. } => None,
        }
    }

    fn read(&self, version: Version, by_host: bool, status: u16, headers: &HeaderMap, body: &[u8]) -> Answer {
        let whole = String::from_utf8_lossy(body);
        let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let code = json["error"]["code"].as_str().or(json["error"].as_str()).map(str::to_owned);
        let in_headers =
            |canary: &str| headers.values().any(|value| String::from_utf8_lossy(value.as_bytes()).contains(canary));
        let in_body = self.canaries.iter().filter(|(canary, _)| whole.contains(*canary));
        let carried = self.canaries.iter().filter(|(canary, _)| whole.contains(*canary) || in_headers(canary));
        let offer = text(headers, header::PAYMENT_REQUIRED).and_then(|offer| decoded(&offer));
        let lower = |name| text(headers, name).map(|value| value.to_ascii_lowercase());
        Answer {
            status,
            code,
            request_id: text(headers, "x-request-id"),
            tenant: text(headers, "x-tenant-id"),
            retry_after_s: retry_after::read(headers, self.clock().unix_now()).map(retry_after::whole_seconds),
            cache_control: text(headers, "cache-control"),
            offered: offer.is_some(),
            asked: offer.map(|offer| offer.accepts.into_iter().map(|one| one.amount).collect()).unwrap_or_default(),
            payment_response: payment_response(version, headers),
            canaries: carried.map(|(_, tenant)| tenant.clone()).collect(),
            body_canaries: in_body.map(|(_, tenant)| tenant.clone()).collect(),
            body_bytes: body.len() as u64,
            location: text(headers, "location"),
            content_location: text(headers, "content-location"),
            shared_cache: leaks::shared_cache(headers),
            cookies: headers
                .get_all("set-cookie")
                .iter()
                .filter_map(|value| Some(value.to_str().ok()?.to_owned()))
                .collect(),
            repeated_headers: leaks::repeated(headers),
            allowed_origin: all(headers, "access-control-allow-origin"),
            allowed_methods: lower("access-control-allow-methods"),
            allowed_headers: lower("access-control-allow-headers"),
            exposed_headers: lower("access-control-expose-headers"),
            contained: contained(headers),
            tenant_said: text(headers, "x-said").and_then(|said| serde_json::from_str(&said).ok()),
            leaked_headers: leaks::internal_headers(headers, &json, by_host),
        }
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// Every value of a header: a browser reads them as one, and takes two for none.
fn all(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<_> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// Whether a page has an origin of its own. Of several policies all hold, so one that says so is enough.
fn contained(headers: &HeaderMap) -> Option<bool> {
    let is_page = text(headers, "content-type")?.starts_with("text/html");
    let policies = all(headers, "content-security-policy").unwrap_or_default();
    let mut policies = policies.split(',').flat_map(|policy| policy.split(';'));
    let is_own = |directive: &str| {
        let mut words = directive.split_ascii_whitespace();
        words.next() == Some("sandbox") && words.all(|word| word != "allow-same-origin")
    };
    is_page.then(|| policies.any(is_own))
}

fn decoded(offer: &str) -> Option<PaymentRequired> {
    header::decode(offer).ok().and_then(|json| serde_json::from_str(&json).ok())
}

/// The receipt as a client of this version reads it.
fn payment_response(version: Version, headers: &HeaderMap) -> Option<PaymentResponse> {
    let name = match version {
        Version::V1 => header::X_PAYMENT_RESPONSE,
        Version::V2 => header::PAYMENT_RESPONSE,
    };
    let told: SettleResponse = serde_json::from_str(&header::decode(&text(headers, name)?).ok()?).ok()?;
    let known = Network::ALL.into_iter().find(|network| network.name_in(version) == told.network);
    Some(PaymentResponse {
        success: told.success,
        error_reason: told.error_reason,
        payer: told.payer,
        transaction: told.transaction,
        network: known.map_or(told.network, |network| network.caip2().to_owned()),
    })
}
