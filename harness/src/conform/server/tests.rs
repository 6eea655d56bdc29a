//! Each check is seen to pass at a sound server and to fail at one that breaks its rule alone.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};
use x402_protocol::{
    Network, Offer, Signature, header,
    v2::{PaymentPayload, SettleResponse},
};

use super::*;
use crate::clock::{Clock, SystemClock};
use crate::conform::check::Outcome;
use crate::conform::target::Reach;
use crate::facilitator::{Chain, FacilitatorRequest, Repeat, honest, testing::journal};

const PATH: &str = "/shop/quote";

/// An answer before it leaves.
struct Said {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Said {
    fn drop_header(&mut self, name: &str) {
        self.headers.retain(|(own, _)| *own != name);
    }
}

/// What is wrong with the server.
#[derive(Clone, Copy)]
enum Spoil {
    Nothing,
    /// With the bill of version 2.
    Bill(fn(&mut Value)),
    /// With that of version 1.
    Body(fn(&mut Value)),
    Answer(fn(&Request, &mut Said)),
}

struct Server(Spoil);

fn offer() -> Offer {
    let pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C".parse().unwrap();
    Offer::usdc(Network::BaseSepolia, 10_000.into(), pay_to, 60)
}

fn billed(spoil: Spoil) -> Said {
    let mut bill = json!({
        "x402Version": 2,
        "error": "payment_required",
        "resource": {"url": "http://localhost/shop/quote", "description": "a quote", "mimeType": "application/json"},
        "accepts": [offer().to_requirements()],
    });
    let way = &bill["accepts"][0];
    let mut body = json!({"x402Version": 1, "error": "payment_required", "accepts": [{
        "scheme": "exact",
        "network": "base-sepolia",
        "maxAmountRequired": way["amount"],
        "resource": "http://localhost/shop/quote",
        "description": "a quote",
        "mimeType": "application/json",
        "payTo": way["payTo"],
        "maxTimeoutSeconds": 60,
        "asset": way["asset"],
        "extra": way["extra"],
    }]});
    match spoil {
        Spoil::Bill(spoil) => spoil(&mut bill),
        Spoil::Body(spoil) => spoil(&mut body),
        Spoil::Nothing | Spoil::Answer(_) => {}
    }
    Said {
        status: 402,
        headers: vec![("payment-required", header::encode(&bill)), ("cache-control", "no-store".to_owned())],
        body: body.to_string(),
    }
}

/// `None` where it is no payment of any kind.
fn paid(payment: &str) -> Option<bool> {
    Signature::parse(&PaymentPayload::from_header(payment).ok()?.exact.signature).ok()?;
    let payment = header::decode(payment).ok()?;
    let requirements = json!(offer().to_requirements());
    let body = format!(r#"{{"x402Version":2,"paymentPayload":{payment},"paymentRequirements":{requirements}}}"#);
    Some(
        honest::verify(
            "honest",
            &FacilitatorRequest::parse(body.as_bytes()),
            &Chain::new(journal().0),
            SystemClock::new().unix_now(),
            Repeat::Yes,
        )
        .is_valid,
    )
}

fn served() -> Said {
    let receipt = SettleResponse {
        success: true,
        error_reason: None,
        payer: None,
        transaction: "0xab".to_owned(),
        network: "eip155:84532".to_owned(),
        amount: None,
    };
    let receipt = ("payment-response", header::encode(&receipt));
    Said { status: 200, headers: vec![receipt, ("cache-control", "private".to_owned())], body: "{}".to_owned() }
}

impl Respond for Server {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let plain = |status| Said { status, headers: Vec::new(), body: json!({"error": "no"}).to_string() };
        let payment = request.headers.get("payment-signature");
        let mut said = match request.method.as_str() {
            "OPTIONS" => {
                Said { headers: vec![("access-control-allow-headers", "payment-signature".to_owned())], ..plain(204) }
            }
            _ if request.url.path() != PATH => plain(404),
            _ if request.headers.contains_key("x-payment") => plain(400),
            _ => match payment.map(|payment| payment.to_str().ok().and_then(paid)) {
                None | Some(Some(false)) => billed(self.0),
                Some(None) => plain(400),
                Some(Some(true)) => served(),
            },
        };
        said.headers.push(("access-control-allow-origin", "*".to_owned()));
        said.headers.push(("access-control-expose-headers", "Payment-Required, Payment-Response".to_owned()));
        if let Spoil::Answer(spoil) = self.0 {
            spoil(request, &mut said);
        }
        let answer = ResponseTemplate::new(said.status).set_body_raw(said.body, "application/json");
        said.headers.into_iter().fold(answer, |answer, (name, value)| answer.append_header(name, value))
    }
}

async fn checks(spoil: Spoil) -> Vec<Check> {
    let server = MockServer::builder().disable_request_recording().start().await;
    Mock::given(any()).respond_with(Server(spoil)).mount(&server).await;
    let target = Target::parse(&format!("{}{PATH}", server.uri()), Reach::Loopback).unwrap();
    let http = BoundedHttp::new().unwrap();
    let mut checks = check(&http, &target).await.unwrap();
    let unpaid = http.get(target.as_str()).await.unwrap();
    let bill = Bill::read(&unpaid);
    let looks = AtomicUsize::new(0);
    let transfers = || looks.fetch_add(1, Ordering::Relaxed);
    checks.extend(paid::check(&Asked { http: &http, target: &target, unpaid, bill }, &transfers).await);
    checks
}

#[tokio::test]
async fn a_sound_server_passes_every_check() {
    let checks = checks(Spoil::Nothing).await;
    assert_eq!(checks.len(), 22);
    for check in checks {
        assert_eq!(check.outcome, Outcome::Pass, "{check:?}");
    }
}

fn pays(request: &Request) -> bool {
    request.headers.contains_key("payment-signature")
}

#[tokio::test]
async fn each_check_fails_at_a_server_that_breaks_its_rule() {
    let cases: &[(&str, Spoil)] = &[
        ("OFFER-1", Spoil::Answer(|_, said| said.status = if said.status == 402 { 403 } else { said.status })),
        (
            "OFFER-2",
            Spoil::Answer(|_, said| {
                said.drop_header("payment-required");
                said.headers.push(("payment-required", "%%%".to_owned()));
            }),
        ),
        ("OFFER-5", Spoil::Bill(|bill| bill["accepts"] = json!([]))),
        ("OFFER-6", Spoil::Bill(|bill| bill["accepts"][0]["amount"] = json!("0.01"))),
        ("OFFER-7", Spoil::Bill(|bill| bill["accepts"][0]["extra"]["name"] = json!("USD Coin"))),
        ("OFFER-7", Spoil::Bill(|bill| bill["accepts"][0]["extra"] = Value::Null)),
        ("OFFER-3", Spoil::Bill(|bill| bill["resource"]["description"] = json!("x".repeat(13_000)))),
        ("OFFER-4", Spoil::Bill(|bill| bill["resource"]["description"] = json!("x".repeat(7_000)))),
        ("OFFER-8", Spoil::Bill(|bill| bill["accepts"][0]["extra"]["paymentFlow"] = json!("authorization"))),
        ("OFFER-9", Spoil::Body(|body| body["accepts"][0]["maxAmountRequired"] = json!("1"))),
        ("OFFER-9", Spoil::Body(|body| body["accepts"][0]["network"] = json!("base"))),
        ("OFFER-10", Spoil::Body(|body| body["accepts"][0]["outputSchema"] = Value::Null)),
        (
            "HTTP-1",
            Spoil::Answer(|request, said| {
                said.status = if request.method == "HEAD" { 200 } else { said.status };
            }),
        ),
        ("HTTP-2", Spoil::Answer(|_, said| said.drop_header("cache-control"))),
        (
            "HTTP-3",
            Spoil::Answer(|request, said| {
                said.status = if request.method == "OPTIONS" { 402 } else { said.status };
            }),
        ),
        ("HTTP-3", Spoil::Answer(|_, said| said.drop_header("access-control-allow-headers"))),
        ("HTTP-4", Spoil::Answer(|_, said| said.drop_header("access-control-expose-headers"))),
        ("HTTP-5", Spoil::Answer(|_, said| said.status = if said.status == 404 { 200 } else { said.status })),
        (
            "REFUSE-1",
            Spoil::Answer(|request, said| {
                said.status = if pays(request) && said.status == 400 { 500 } else { said.status };
            }),
        ),
        ("REFUSE-1", Spoil::Answer(|request, said| said.status = if pays(request) { 200 } else { said.status })),
        ("REFUSE-2", Spoil::Answer(|request, said| said.status = if pays(request) { 402 } else { said.status })),
        (
            "REFUSE-3",
            Spoil::Answer(|_, said| {
                said.body = if said.status == 400 { "no".to_owned() } else { said.body.clone() };
            }),
        ),
        (
            "REFUSE-4",
            Spoil::Answer(|request, said| {
                said.status = if request.headers.contains_key("x-payment") { 500 } else { said.status };
            }),
        ),
        ("PAID-1", Spoil::Answer(|_, said| said.status = if said.status == 200 { 503 } else { said.status })),
        ("PAID-2", Spoil::Answer(|_, said| said.drop_header("payment-response"))),
        ("PAID-3", Spoil::Answer(|_, said| said.drop_header("cache-control"))),
    ];
    let mut seen = std::collections::BTreeSet::new();
    for (n, (id, spoil)) in cases.iter().enumerate() {
        let found = checks(*spoil).await;
        let check = found.iter().find(|check| check.id == *id).expect("it is one of the checks");
        assert_eq!(check.outcome, Outcome::Fail, "case {n}, {check:?}");
        seen.insert(*id);
    }
    let all: std::collections::BTreeSet<String> =
        checks(Spoil::Nothing).await.into_iter().map(|check| check.id).collect();
    assert!(all.iter().all(|id| seen.contains(id.as_str())), "{all:?} and not {seen:?}");
}

/// Content that nobody settled is given away, whatever the server says.
#[tokio::test]
async fn content_without_a_transfer_is_seen() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(Server(Spoil::Nothing)).mount(&server).await;
    let target = Target::parse(&format!("{}{PATH}", server.uri()), Reach::Loopback).unwrap();
    let http = BoundedHttp::new().unwrap();
    let unpaid = http.get(target.as_str()).await.unwrap();
    let bill = Bill::read(&unpaid);
    let checks = paid::check(&Asked { http: &http, target: &target, unpaid, bill }, &|| 0).await;
    assert_eq!((checks[0].id.as_str(), checks[0].outcome), ("PAID-1", Outcome::Fail));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = MockServer::start().await;
    let elsewhere = Spoil::Answer(|_, said| {
        said.status = 302;
        said.headers.push(("location", "http://127.0.0.1:1/".to_owned()));
    });
    Mock::given(any()).respond_with(Server(elsewhere)).mount(&server).await;
    let answer = BoundedHttp::new().unwrap().get(&server.uri()).await.unwrap();
    assert_eq!(answer.status, 302);
}

#[tokio::test]
async fn a_server_behind_https_is_spoken_to_in_tls_and_its_certificate_is_not_taken_for_granted() {
    let server = MockServer::start().await;
    let url = server.uri().replace("http://", "https://");
    let refused = BoundedHttp::new().unwrap().get(&url).await.unwrap_err().to_string();
    assert!(refused.contains("InvalidContentType") || refused.contains("corrupt message"), "{refused}");
}
