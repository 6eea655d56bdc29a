//! `harness pay`: buys from any x402 server with a key that nobody keeps, and shows each step. A buyer whose payment's outcome is
//! unknown sends the same payment again, and never signs another: what it does here is what a caller should do.
//!
//! Surprising constraint: a throwaway key owns nothing. The doubles' chain gives everybody an ample balance; a real facilitator
//! refuses it, and says so.

mod bill;
mod official;
mod told;

pub use official::{official, program as official_program};
pub use told::{Answered, Bought, Step};

use crate::http::request_form::RequestForm;
use reqwest::{Url, header::HeaderMap};
use serde_json::Value;
use std::time::Duration;
use system::clock::{Clock, SystemClock};
use system::retry_after;
use traffic::{Invoice, PayError, Payers, Payment};
use x402_protocol::{Version, header, v2::SettleResponse};

/// How long one answer may take: longer than any dispatcher may.
const PATIENCE: Duration = Duration::from_secs(60);
/// Before the same payment is sent again where the answer names no time, or there is none.
const PAUSE: Duration = Duration::from_secs(2);
/// The longest that one answer can make a buyer wait.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum BuyError {
    #[error("`{0}` is not a URL")]
    #[diagnostic(help("such as http://127.0.0.1:8402/t/acme/quote, as `serve` prints it"))]
    NoUrl(String),
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
    #[error("{url} does not answer")]
    #[diagnostic(help("is it running? `serve` prints its address, and stops at Ctrl-C"))]
    Silent { url: String, source: reqwest::Error },
    #[error("{url} answers {status}, and offers nothing that can be paid: {why}")]
    NoOffer { url: String, status: u16, why: String },
    #[error("the official client cannot be run")]
    Official(#[source] std::io::Error),
    #[error("the official client ended with {status}: {said}")]
    OfficialFailed { status: std::process::ExitStatus, said: String },
    #[error("the official client said what cannot be read: {said}")]
    OfficialSaid { said: String, source: serde_json::Error },
}

/// The options of a purchase.
pub struct Order<'a> {
    pub url: &'a str,
    pub form: RequestForm,
    /// The key's seed.
    pub seed: u64,
    /// How long to go on with a payment whose outcome is unknown.
    pub patience: Duration,
}

/// Returns the header that pays, as curl takes it, and sends no payment.
pub async fn header_of(order: &Order<'_>) -> Result<String, BuyError> {
    let http = client(order.url)?;
    let bill = ask(&http, order).await?;
    let invoice = bill.invoice(order.url)?;
    let payment = sign(&invoice, order.seed);
    let value = payment.header.to_str().expect("a signed payment is base64");
    Ok(format!("{}: {value}", payment.version.payment_header().to_uppercase()))
}

/// Buys. `tell` hears of each step as it is done.
pub async fn buy(order: &Order<'_>, tell: &dyn Fn(&Step)) -> Result<Bought, BuyError> {
    let http = client(order.url)?;
    tell(&Step::Request { method: order.form.method().to_string(), url: order.url.to_owned() });
    let bill = ask(&http, order).await?;
    if (200..300).contains(&bill.status) {
        let answered = Answered::of(bill.status, &bill.headers, &bill.body, Version::V2, 0);
        tell(&Step::Free(answered.clone()));
        return Ok(Bought { answers: vec![answered], payment: None, paid: None });
    }
    let invoice = bill.invoice(order.url)?;
    let payment = sign(&invoice, order.seed);
    let paid = bill::price(&invoice.offer);
    tell(&Step::Offer { status: bill.status, price: paid.clone(), to: invoice.offer.pay_to.to_string() });
    let key = payment.key.clone().unwrap_or_default();
    tell(&Step::Payment { key: key.clone() });
    let clock = SystemClock::start();
    let give_up_us = micros(order.patience);
    let mut answers = Vec::new();
    loop {
        let sent_us = clock.now_us();
        let sending = order.form.request(&http, order.url).header(payment.version.payment_header(), &payment.header);
        let got = receive(sending).await;
        let ms = (clock.now_us() - sent_us) / 1_000;
        let (answered, wait) = match got {
            Ok((status, headers, body)) => {
                let wait = retry_after::read(&headers, clock.unix_now());
                (Answered::of(status, &headers, &body, payment.version, ms), wait)
            }
            Err(error) => (Answered::none(&error, ms), Some(PAUSE)),
        };
        let again = !answered.is_final() || (answered.status.is_some_and(is_for_later) && wait.is_some());
        let wait = wait.unwrap_or(PAUSE).clamp(Duration::from_millis(100), LONGEST_PAUSE);
        tell(&Step::Answer(answered.clone()));
        answers.push(answered);
        if !again || clock.now_us() + micros(wait) > give_up_us {
            return Ok(Bought { answers, payment: Some(key), paid: Some(paid) });
        }
        tell(&Step::Again { after: wait });
        tokio::time::sleep(wait).await;
    }
}

fn is_for_later(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn sign(invoice: &Invoice, seed: u64) -> Payment {
    Payers::from_seed(seed).pay(invoice, 0, 0, SystemClock::new().unix_now())
}

fn client(url: &str) -> Result<reqwest::Client, BuyError> {
    let parsed: Url = url.parse().map_err(|_| BuyError::NoUrl(url.to_owned()))?;
    let builder = match parsed.scheme() {
        "http" => system::http_client::builder(),
        "https" => system::http_client::of_strangers(),
        _ => return Err(BuyError::NoUrl(url.to_owned())),
    };
    builder.redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build().map_err(BuyError::Client)
}

/// An answer to a request without a payment.
struct Bill {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Bill {
    /// The offer that can be signed: of the header, or else of the body.
    fn invoice(&self, url: &str) -> Result<Invoice, BuyError> {
        let none = |why: String| BuyError::NoOffer { url: url.to_owned(), status: self.status, why };
        if self.status != 402 {
            return Err(none(told::message(&self.body).unwrap_or_else(|| "an offer comes with a 402".to_owned())));
        }
        let read = |read: Result<Invoice, PayError>| read.map_err(|error| none(error.to_string()));
        match self.headers.get(header::PAYMENT_REQUIRED).and_then(|value| value.to_str().ok()) {
            Some(offer) => read(Invoice::read_header(offer)),
            None => read(Invoice::read_body(&self.body)),
        }
    }
}

async fn ask(http: &reqwest::Client, order: &Order<'_>) -> Result<Bill, BuyError> {
    let asked = receive(order.form.request(http, order.url)).await;
    let (status, headers, body) = asked.map_err(|source| BuyError::Silent { url: order.url.to_owned(), source })?;
    Ok(Bill { status, headers, body })
}

async fn receive(request: reqwest::RequestBuilder) -> Result<(u16, HeaderMap, Vec<u8>), reqwest::Error> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok((status, headers, response.bytes().await?.to_vec()))
}

/// The receipt of an answer, as JSON.
fn receipt(headers: &HeaderMap, version: Version) -> Option<Value> {
    let text = headers.get(version.response_header())?.to_str().ok()?;
    let read: SettleResponse = serde_json::from_str(&header::decode(text).ok()?).ok()?;
    serde_json::to_value(read).ok()
}
