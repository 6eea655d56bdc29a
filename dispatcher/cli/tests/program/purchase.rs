//! A careful buyer against servers that are not careful: doubles of a seller's server, each with answers on script.

use crate::claw::Shop;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

const PAY_TO: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";

fn encoded(value: &Value) -> String {
    BASE64_STANDARD.encode(value.to_string())
}

fn offer(amount: &str, network: &str) -> String {
    encoded(&json!({
        "x402Version": 2, "error": "payment_required", "resource": {"url": "http://127.0.0.1/"},
        "accepts": [{
            "scheme": "exact", "network": network, "amount": amount, "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
            "payTo": PAY_TO, "maxTimeoutSeconds": 60, "extra": {"name": "USDC", "version": "2"},
        }],
        "extensions": {"payment-identifier": {"info": {"required": false}, "schema": {}}},
    }))
}

fn bill(amount: &str) -> ResponseTemplate {
    ResponseTemplate::new(402).insert_header("payment-required", offer(amount, "eip155:84532").as_str())
}

fn receipt(success: bool) -> String {
    let transaction = if success { format!("0x{}", "ab".repeat(32)) } else { String::new() };
    encoded(&json!({"success": success, "transaction": transaction, "network": "eip155:84532"}))
}

/// Bills what comes without a payment, and answers payments one after the other.
struct Script {
    answers: Vec<ResponseTemplate>,
    payments: Arc<Mutex<Vec<String>>>,
}

impl Respond for Script {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let Some(payment) = request.headers.get("payment-signature") else { return bill("1000") };
        let mut payments = self.payments.lock().unwrap();
        payments.push(payment.to_str().unwrap().to_owned());
        let n = payments.len() - 1;
        self.answers[n.min(self.answers.len() - 1)].clone()
    }
}

struct Server {
    runtime: tokio::runtime::Runtime,
    server: MockServer,
    payments: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(answers: Vec<ResponseTemplate>) -> Self {
        let payments = Arc::default();
        Self::of(Script { answers, payments: Arc::clone(&payments) }, payments)
    }

    fn of(respond: impl Respond + 'static, payments: Arc<Mutex<Vec<String>>>) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let server = runtime.block_on(async {
            let server = MockServer::start().await;
            Mock::given(any()).respond_with(respond).mount(&server).await;
            server
        });
        Self { runtime, server, payments }
    }

    fn url(&self) -> String {
        format!("{}/t/rain/v1/records", self.server.uri())
    }

    /// The number of different payments that came, and how many in all.
    fn came(&self) -> (usize, usize) {
        let payments = self.payments.lock().unwrap();
        (payments.iter().collect::<BTreeSet<_>>().len(), payments.len())
    }
}

/// Asks for so many seconds about an outcome that is open.
fn call(shop: &Shop, server: &Server, seconds: &str) -> (Option<i32>, Value) {
    let url = server.url();
    let args = ["--format", "json", "call", &url, "--max-price", "0.001", "--retry-for", seconds];
    let output = shop.run(&args);
    let told = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
    let text = String::from_utf8_lossy(told).into_owned();
    let last = text.lines().last().unwrap_or_default();
    (output.status.code(), serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {text}")))
}

fn bought() -> ResponseTemplate {
    ResponseTemplate::new(200).insert_header("payment-response", receipt(true).as_str()).set_body_string("[1]")
}

fn pending() -> ResponseTemplate {
    let body = json!({"error": {"code": "settlement_pending"}});
    ResponseTemplate::new(503).insert_header("retry-after", "1").set_body_json(body)
}

#[test]
fn an_answer_is_bought_with_one_payment() {
    let (shop, server) = (Shop::new(), Server::new(vec![bought()]));
    let (code, told) = call(&shop, &server, "2");
    assert_eq!((code, &told["outcome"], &told["price"]), (Some(0), &json!("bought"), &json!("0.001")));
    assert_eq!(told["body"], json!([1]));
    assert_eq!(server.came(), (1, 1));
}

#[test]
fn an_open_outcome_is_asked_about_with_the_same_payment() {
    let (shop, server) = (Shop::new(), Server::new(vec![pending(), bought()]));
    let (code, told) = call(&shop, &server, "60");
    assert_eq!((code, &told["tries"]), (Some(0), &json!(2)));
    assert_eq!(server.came(), (1, 2));
}

#[test]
fn what_stays_open_is_sent_again_by_the_next_call() {
    let (shop, server) = (Shop::new(), Server::new(vec![pending(), pending(), pending(), pending(), bought()]));
    let mut codes = Vec::new();
    for _ in 0..8 {
        let (code, _) = call(&shop, &server, "2");
        codes.extend(code);
        if code == Some(0) {
            break;
        }
    }
    assert_eq!((codes.first(), codes.last()), (Some(&5), Some(&0)));
    let (distinct, _) = server.came();
    assert_eq!(distinct, 1, "no second payment was signed");
}

#[test]
fn no_answer_to_a_payment_makes_a_second_one() {
    let again = bill("1000");
    let liar = bill("1000").insert_header("payment-response", receipt(true).as_str());
    let refused = ResponseTemplate::new(402).insert_header("payment-response", receipt(false).as_str());
    for (answer, code) in
        [(again, 5), (liar, 5), (refused, 4), (ResponseTemplate::new(500), 5), (ResponseTemplate::new(404), 4)]
    {
        let (shop, server) = (Shop::new(), Server::new(vec![answer]));
        let (told, what) = call(&shop, &server, "2");
        assert_eq!(told, Some(code), "{what}");
        assert_eq!(server.came().0, 1, "{what}");
    }
}

#[test]
fn a_no_after_an_open_answer_is_not_believed() {
    let (shop, server) = (Shop::new(), Server::new(vec![pending(), bill("1000")]));
    let (code, told) = call(&shop, &server, "2");
    assert_eq!(code, Some(5), "{told}");
    let (code, told) = call(&shop, &server, "2");
    assert_eq!(code, Some(5), "nor by the call after it: {told}");
    assert_eq!(server.came().0, 1);
}

#[test]
fn who_is_turned_away_until_the_time_is_over_was_not_charged() {
    let body = json!({"error": {"code": "facilitators_unavailable"}});
    let answer = ResponseTemplate::new(503).insert_header("retry-after", "1").set_body_json(body);
    let (shop, server) = (Shop::new(), Server::new(vec![answer]));
    let (code, told) = call(&shop, &server, "2");
    assert_eq!(code, Some(6), "{told}");
    assert_eq!(server.came().0, 1);
}

#[test]
fn nothing_is_signed_for_a_price_that_is_too_high_or_another_network() {
    let nothing = Arc::default;
    let dear = |_: &Request| bill("1001");
    let server = Server::of(dear, nothing());
    let (code, told) = call(&Shop::new(), &server, "2");
    assert_eq!(code, Some(7), "{told}");
    let mainnet = |_: &Request| {
        ResponseTemplate::new(402).insert_header("payment-required", offer("1000", "eip155:8453").as_str())
    };
    let server = Server::of(mainnet, nothing());
    let (code, told) = call(&Shop::new(), &server, "2");
    assert_eq!(code, Some(4), "{told}");
    let requests = server.runtime.block_on(server.server.received_requests()).unwrap();
    assert!(requests.iter().all(|request| !request.headers.contains_key("payment-signature")));
}
