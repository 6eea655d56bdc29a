//! Each check is seen to pass at a sound server and to fail at one that breaks its rule alone.

use super::*;
use crate::{
    http::bounded::answer,
    probe::{check::Outcome, target::Reach},
};
use doubles::{Chain, FacilitatorRequest, Repeat, honest};
use journal::Journal;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use system::clock::{Clock, SystemClock};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};
use x402_protocol::{
    Network, Offer, header,
    v2::{PaymentPayload, SettleResponse},
};

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

/// The faults of a server.
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
    PaymentPayload::from_header(payment).ok()?;
    let payment = header::decode(payment).ok()?;
    let requirements = json!(offer().to_requirements());
    let body = format!(r#"{{"x402Version":2,"paymentPayload":{payment},"paymentRequirements":{requirements}}}"#);
    Some(
        honest::verify(
            "honest",
            &FacilitatorRequest::parse(body.as_bytes()),
            &Chain::new(Journal::channel(Arc::new(SystemClock::start())).0),
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
    checks_by(&RequestForm::default(), spoil).await
}

async fn checks_by(form: &RequestForm, spoil: Spoil) -> Vec<Check> {
    let server = MockServer::builder().disable_request_recording().start().await;
    Mock::given(any()).respond_with(Server(spoil)).mount(&server).await;
    let target = Target::parse(&format!("{}{PATH}", server.uri()), Reach::Loopback).unwrap();
    let http = BoundedHttp::new().unwrap();
    let mut checks = check(&http, &target, form).await.unwrap();
    let asked = Asked::unpaid(&http, &target, form).await.unwrap();
    let looks = AtomicUsize::new(0);
    let transfers = || looks.fetch_add(1, Ordering::Relaxed);
    checks.extend(paid::check(&asked, &transfers).await);
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
        ("OFFER-6", Spoil::Bill(|bill| bill["accepts"][0]["amount"] = json!("0"))),
        ("OFFER-6", Spoil::Bill(|bill| bill["accepts"][0]["amount"] = json!("010000"))),
        ("OFFER-6", Spoil::Bill(|bill| bill["accepts"][0]["amount"] = json!("1".repeat(80)))),
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
    let (http, form) = (BoundedHttp::new().unwrap(), RequestForm::default());
    let asked = Asked::unpaid(&http, &target, &form).await.unwrap();
    let checks = paid::check(&asked, &|| 0).await;
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
    let answer = answer(BoundedHttp::new().unwrap().request(Method::GET, &server.uri())).await.unwrap();
    assert_eq!(answer.status, 302);
}

#[tokio::test]
async fn a_server_behind_https_is_spoken_to_in_tls_and_its_certificate_is_not_taken_for_granted() {
    let server = MockServer::start().await;
    let url = server.uri().replace("http://", "https://");
    let refused = answer(BoundedHttp::new().unwrap().request(Method::GET, &url)).await.unwrap_err().to_string();
    assert!(refused.contains("InvalidContentType") || refused.contains("corrupt message"), "{refused}");
}

fn outcome(checks: &[Check], id: &str) -> (Outcome, String) {
    let check = checks.iter().find(|check| check.id == id).expect("it is one of the checks");
    (check.outcome, check.detail.clone())
}

/// A server that sells something, but not to this request.
#[tokio::test]
async fn an_endpoint_that_was_not_asked_is_not_judged_in_anything() {
    for status in [301, 400, 401, 403, 404, 405, 415, 418, 422, 501] {
        let elsewhere = Server(Spoil::Nothing);
        let server = MockServer::builder().disable_request_recording().start().await;
        let answers = move |request: &Request| match request.method.as_str() {
            "DELETE" => elsewhere.respond(request),
            _ => ResponseTemplate::new(status),
        };
        Mock::given(any()).respond_with(answers).mount(&server).await;
        let target = Target::parse(&format!("{}{PATH}", server.uri()), Reach::Loopback).unwrap();
        let http = BoundedHttp::new().unwrap();
        let found = check(&http, &target, &RequestForm::default()).await.unwrap();
        assert_eq!(found.len(), 19);
        for check in &found {
            assert_eq!(check.outcome, Outcome::NotJudged, "{status}: {check:?}");
        }
        let by_delete = RequestForm::new(Some(Method::DELETE), &[], None);
        let found = check(&http, &target, &by_delete).await.unwrap();
        assert_eq!(outcome(&found, "OFFER-1").0, Outcome::Pass);
    }
}

#[tokio::test]
async fn content_that_costs_nothing_and_a_server_that_fails_are_seen() {
    for status in [200, 204, 500, 503] {
        let server = MockServer::builder().disable_request_recording().start().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(status)).mount(&server).await;
        let target = Target::parse(&server.uri(), Reach::Loopback).unwrap();
        let found = check(&BoundedHttp::new().unwrap(), &target, &RequestForm::default()).await.unwrap();
        assert_eq!(outcome(&found, "OFFER-1"), (Outcome::Fail, format!("{status} instead")));
        assert!(found[1..].iter().all(|check| check.outcome == Outcome::NotJudged), "{found:?}");
    }
}

#[tokio::test]
async fn a_server_that_takes_a_post_alone_is_judged_by_it() {
    /// Does for a POST of JSON with a key what a sound server does for a GET.
    struct Posted(Server);
    impl Respond for Posted {
        fn respond(&self, request: &Request) -> ResponseTemplate {
            let is = |name: &str, value: &str| request.headers.get(name).is_some_and(|got| got == value);
            match request.method.as_str() {
                "OPTIONS" => ResponseTemplate::new(204)
                    .append_header("access-control-allow-origin", "*")
                    .append_header("access-control-allow-headers", "Content-Type, X-Key, Payment-Signature"),
                "POST" if !is("content-type", "application/json") => ResponseTemplate::new(415),
                "POST" if !is("x-key", "k") => ResponseTemplate::new(401),
                "POST" if request.body != br#"{"q":1}"# => ResponseTemplate::new(422),
                "POST" => self.0.respond(request),
                _ => ResponseTemplate::new(405),
            }
        }
    }
    let server = MockServer::builder().disable_request_recording().start().await;
    Mock::given(any()).respond_with(Posted(Server(Spoil::Nothing))).mount(&server).await;
    let target = Target::parse(&format!("{}{PATH}", server.uri()), Reach::Loopback).unwrap();
    let http = BoundedHttp::new().unwrap();
    let key = [crate::http::request_form::header("X-Key: k").unwrap()];
    let form = RequestForm::new(None, &key, Some(r#"{"q":1}"#.to_owned()));
    let mut found = check(&http, &target, &form).await.unwrap();
    let transfers = AtomicUsize::new(0);
    let asked = Asked::unpaid(&http, &target, &form).await.unwrap();
    found.extend(paid::check(&asked, &|| transfers.fetch_add(1, Ordering::Relaxed)).await);
    assert_eq!(outcome(&found, "HTTP-1").0, Outcome::DoesNotApply);
    for check in found.iter().filter(|check| check.id != "HTTP-1") {
        assert_eq!(check.outcome, Outcome::Pass, "{check:?}");
    }
}

#[tokio::test]
async fn the_first_way_to_pay_that_can_be_signed_is_the_one_that_is_paid() {
    let behind = checks(Spoil::Bill(|bill| {
        let ours = bill["accepts"][0].take();
        let solana = json!({"scheme": "exact", "network": "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "amount": "10000",
            "asset": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", "payTo": "2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4",
            "maxTimeoutSeconds": 60, "extra": {"feePayer": "2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4"}});
        let other = json!({"scheme": "upto", "network": "eip155:1", "amount": "1", "asset": "0x1", "payTo": "0x2",
            "maxTimeoutSeconds": 60});
        bill["accepts"] = json!([solana, other, ours]);
    }))
    .await;
    for id in ["REFUSE-1", "REFUSE-2", "REFUSE-3", "PAID-1", "PAID-2", "PAID-3", "OFFER-6"] {
        assert_eq!(outcome(&behind, id).0, Outcome::Pass, "{id}: {behind:?}");
    }
    for spoil in [
        Spoil::Bill(|bill| bill["accepts"][0]["network"] = json!("eip155:1")),
        Spoil::Bill(|bill| bill["accepts"][0]["amount"] = json!("0")),
        Spoil::Bill(|bill| bill["accepts"] = json!([])),
    ] {
        let found = checks(spoil).await;
        for id in ["REFUSE-1", "REFUSE-2", "REFUSE-3", "PAID-1", "PAID-2", "PAID-3"] {
            assert_eq!(outcome(&found, id).0, Outcome::NotJudged, "{id}");
        }
    }
}

#[tokio::test]
async fn a_payment_that_was_turned_away_for_haste_is_sent_again_and_else_not_judged() {
    static CAME: AtomicUsize = AtomicUsize::new(0);
    let hurried = |reply: &'static str| {
        move |request: &Request| match (pays(request), CAME.fetch_add(1, Ordering::Relaxed)) {
            (true, 0..=3) => ResponseTemplate::new(429).append_header("retry-after", reply),
            _ => Server(Spoil::Nothing).respond(request),
        }
    };
    for (reply, right) in [("0", Outcome::Pass), ("3600", Outcome::NotJudged)] {
        CAME.store(0, Ordering::Relaxed);
        let server = MockServer::builder().disable_request_recording().start().await;
        Mock::given(any()).respond_with(hurried(reply)).mount(&server).await;
        let target = Target::parse(&format!("{}{PATH}", server.uri()), Reach::Loopback).unwrap();
        let (http, form) = (BoundedHttp::new().unwrap(), RequestForm::default());
        let asked = Asked::unpaid(&http, &target, &form).await.unwrap();
        CAME.store(0, Ordering::Relaxed);
        let found = refusals::check(&asked).await;
        assert_eq!(outcome(&found, "REFUSE-1").0, right, "{found:?}");
    }
}

/// A stock server closes while a header that is too long for it is still on its way.
#[tokio::test]
async fn a_server_that_answers_431_and_closes_has_refused() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let bill = billed(Spoil::Nothing);
        let headers: String = bill.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = bill.body.len();
        let bill = format!(
            "HTTP/1.1 402 Payment Required\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{}",
            bill.body
        );
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 16 * 1024];
            let mut read = 0;
            while read < head.len() && !head[..read].ends_with(b"\r\n\r\n") {
                read += stream.read(&mut head[read..]).await.unwrap().max(1);
            }
            let too_long = "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n";
            stream.write_all(if read == head.len() { too_long } else { bill.as_str() }.as_bytes()).await.unwrap();
        }
    });
    let target = Target::parse(&url, Reach::Loopback).unwrap();
    let (http, form) = (BoundedHttp::new().unwrap(), RequestForm::default());
    let asked = Asked::unpaid(&http, &target, &form).await.unwrap();
    let found = refusals::check(&asked).await;
    assert_eq!(outcome(&found, "REFUSE-1").0, Outcome::Pass, "{found:?}");
}
