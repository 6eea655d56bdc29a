//! The client of the table: really signs, and does about an answer what a conforming client does.

use super::{
    ConformanceError,
    observed::{Answer, Step},
    row::{Deed, Method, Presented, QUOTE},
};
use crate::http::{bounded, request_form::RequestForm};
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use std::time::Duration;
use system::{clock::Clock, retry_after};
use traffic::{Invoice, Payers, plain};
use x402_protocol::{header, v2::SettleResponse};

/// How often it signs for one purchase.
const SIGNATURES: u64 = 2;
/// How often it resends one payment.
const RESENDS: u32 = 2;
/// It waits no longer, whatever `Retry-After` says.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// Longer than any server of the table may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Client<'a> {
    pub http: reqwest::Client,
    pub url: &'a str,
    /// Sent as `Host`; the URL's own where there is none.
    pub host: Option<&'a str>,
    /// The path that it buys unless a deed names another one, and another request for the same price.
    pub quote: &'a str,
    pub another: &'a str,
    /// The request for either of them, unless a deed says HEAD.
    pub form: &'a RequestForm,
    pub clock: &'a dyn Clock,
    pub payers: &'a Payers,
    /// Transfers that stand on the chain.
    pub moved: &'a (dyn Fn() -> usize + Sync),
}

/// The answers that it got, and its next steps.
#[derive(Default)]
pub struct Story {
    pub answers: Vec<Answer>,
    pub next: Vec<Step>,
    pub first_answered_us: u64,
}

struct Got {
    answer: Answer,
    retry_after: Option<Duration>,
    bill: Option<String>,
}

pub fn http() -> reqwest::Result<reqwest::Client> {
    system::http_client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build()
}

impl Client<'_> {
    pub async fn act(&self, deed: Deed) -> Result<Story, ConformanceError> {
        let mut story = Story::default();
        match deed {
            Deed::Unpaid(method) => {
                let got = self.send(method, self.quote, None).await;
                self.note(&mut story, got);
            }
            Deed::Buy(QUOTE) => self.buy(self.quote, &mut story).await?,
            Deed::Buy(path) => self.buy(path, &mut story).await?,
            Deed::Head => {
                let payment = self.sign(&self.invoice(self.quote).await?, 0);
                let got = self.send(Method::Head, self.quote, Some(&payment)).await;
                self.note(&mut story, got);
            }
            Deed::Together(count) => {
                let payment = self.sign(&self.invoice(self.quote).await?, 0);
                let mut sent = tokio::task::JoinSet::new();
                for _ in 0..count {
                    let request = self.request(Method::Get, self.quote, Some(&payment));
                    let now = self.clock.unix_now();
                    sent.spawn(async move { receive(request, now).await });
                }
                while let Some(got) = sent.join_next().await {
                    let got = self.stamp(got.expect("a request never panics and is never aborted"));
                    self.note(&mut story, got);
                }
                story.answers.sort_by_key(|answer| answer.status);
            }
            Deed::Again | Deed::Elsewhere => {
                let payment = self.sign(&self.invoice(self.quote).await?, 0);
                let second = if deed == Deed::Again { self.quote } else { self.another };
                for (n, path) in [self.quote, second].into_iter().enumerate() {
                    if n > 0 {
                        // A response counts as arrived a while after it left.
                        tokio::time::sleep(LONGEST_PAUSE).await;
                    }
                    let got = self.send(Method::Get, path, Some(&payment)).await;
                    self.note(&mut story, got);
                }
            }
            Deed::Present(presented) => {
                let invoice = self.invoice(self.quote).await?;
                let request = self.request(Method::Get, self.quote, None);
                let (name, value) = self.make(presented, &invoice);
                let got = self.stamp(receive(request.header(name, value), self.clock.unix_now()).await);
                self.note(&mut story, got);
            }
        }
        Ok(story)
    }

    async fn buy(&self, path: &str, story: &mut Story) -> Result<(), ConformanceError> {
        let mut invoice = self.invoice(path).await?;
        for attempt in 0..SIGNATURES {
            let payment = self.sign(&invoice, attempt);
            let mut resent = 0;
            let billed = loop {
                let got = self.send(Method::Get, path, Some(&payment)).await;
                let (status, pause, bill) = (got.answer.status, got.retry_after, got.bill.clone());
                self.note(story, got);
                match (status, pause) {
                    (Some(402), _) => break bill,
                    (Some(503), Some(pause)) if resent < RESENDS => {
                        resent += 1;
                        story.next.push(Step::Resends);
                        tokio::time::sleep(pause.min(LONGEST_PAUSE)).await;
                    }
                    (Some(200..=299), _) => return Ok(()),
                    _ => {
                        story.next.push(Step::GivesUp);
                        return Ok(());
                    }
                }
            };
            if attempt + 1 == SIGNATURES {
                break;
            }
            story.next.push(Step::SignsAgain);
            // A settlement that was refused brings no new bill; the old one still stands.
            if let Some(billed) = billed {
                invoice = read(&billed)?;
            }
        }
        story.next.push(Step::GivesUp);
        Ok(())
    }

    async fn invoice(&self, path: &str) -> Result<Invoice, ConformanceError> {
        let got = self.send(Method::Get, path, None).await;
        read(&got.bill.ok_or(ConformanceError::NoOffer)?)
    }

    fn sign(&self, invoice: &Invoice, attempt: u64) -> HeaderValue {
        self.payers.pay(invoice, 0, attempt, self.clock.unix_now()).header
    }

    fn make(&self, presented: Presented, invoice: &Invoice) -> (&'static str, HeaderValue) {
        let draft = self.payers.draft(invoice, 0, 0, self.clock.unix_now());
        let mut signature = draft.signature();
        let sound = draft.json(&signature);
        let changed = |change: &dyn Fn(&mut Value)| {
            let mut payment = sound.clone();
            change(&mut payment);
            (header::PAYMENT_SIGNATURE, plain(header::encode(&payment)))
        };
        match presented {
            Presented::NotBase64 => (header::PAYMENT_SIGNATURE, HeaderValue::from_static("%%%")),
            Presented::NotJson => (header::PAYMENT_SIGNATURE, plain(header::encode_text("not JSON"))),
            Presented::Version3 => changed(&|payment| payment["x402Version"] = 3.into()),
            Presented::AnotherAmount => changed(&|payment| payment["accepted"]["amount"] = "1".into()),
            Presented::Forged => {
                // Still 65 bytes of the right form: another payment's.
                signature = self.payers.draft(invoice, 1, 7, self.clock.unix_now()).signature();
                (header::PAYMENT_SIGNATURE, plain(header::encode(&draft.json(&signature))))
            }
            Presented::Version1 => {
                let payment = json!({
                    "x402Version": 1,
                    "scheme": "exact",
                    "network": "base-sepolia",
                    "payload": sound["payload"],
                });
                ("x-payment", plain(header::encode(&payment)))
            }
        }
    }

    async fn send(&self, method: Method, path: &str, payment: Option<&HeaderValue>) -> Got {
        self.stamp(receive(self.request(method, path, payment), self.clock.unix_now()).await)
    }

    fn request(&self, method: Method, path: &str, payment: Option<&HeaderValue>) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.url);
        let request = match method {
            Method::Get => self.form.request(&self.http, &url),
            Method::Head => self.form.head(&self.http, &url),
        };
        let request = match self.host {
            Some(host) => request.header("host", host),
            None => request,
        };
        match payment {
            Some(payment) => request.header(header::PAYMENT_SIGNATURE, payment),
            None => request,
        }
    }

    fn stamp(&self, got: Got) -> Got {
        let answer = Answer { moved_by_then: (self.moved)(), ..got.answer };
        Got { answer, ..got }
    }

    fn note(&self, story: &mut Story, got: Got) {
        if story.answers.is_empty() {
            story.first_answered_us = self.clock.now_us();
        }
        story.answers.push(got.answer);
    }
}

fn read(bill: &str) -> Result<Invoice, ConformanceError> {
    Invoice::read_header(bill).map_err(ConformanceError::Offer)
}

/// The whole answer; a connection that ended without one is an answer too.
async fn receive(request: reqwest::RequestBuilder, unix_now: u64) -> Got {
    let Ok(bounded::Answer { status, headers, body }) = bounded::answer(request).await else {
        let answer = Answer { status: None, payment_response: None, moved_by_then: 0, has_body: false };
        return Got { answer, retry_after: None, bill: None };
    };
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let told = text(header::PAYMENT_RESPONSE).or_else(|| text("x-payment-response"));
    Got {
        answer: Answer {
            status: Some(status),
            payment_response: told.map(|value| said(&value)),
            moved_by_then: 0,
            has_body: !body.is_empty(),
        },
        retry_after: retry_after::read(&headers, unix_now),
        bill: text(header::PAYMENT_REQUIRED),
    }
}

/// Whether it is a success, else the reason.
fn said(payment_response: &str) -> String {
    let told =
        header::decode(payment_response).ok().and_then(|json| serde_json::from_str::<SettleResponse>(&json).ok());
    match told {
        Some(told) if told.success => "success".to_owned(),
        Some(told) => told.error_reason.unwrap_or_else(|| "failure".to_owned()),
        None => "unreadable".to_owned(),
    }
}
