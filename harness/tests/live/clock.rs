//! The telemetry Worker as the platform's clock wakes it: alerts go to a receiver that checks their signature, and traces to a
//! collector. Both are small doubles of this test: each takes what comes over HTTP on loopback, and keeps it.

use crate::{
    harness::turn,
    one_payment::{invoice, send, unix_now},
    served::Served,
};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};
use traffic::Payers;
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{method, path},
};

const SECRET: &str = "a-secret-of-this-test";
const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
const LOOK: Duration = Duration::from_millis(250);
const LOOKS: u32 = 240;

/// A receiver of alerts whose first answer is 503: what it does not take is to come again.
async fn receiver() -> MockServer {
    let server = MockServer::start().await;
    let fails = Mock::given(method("POST")).and(path("/alerts")).respond_with(ResponseTemplate::new(503));
    fails.up_to_n_times(1).mount(&server).await;
    Mock::given(method("POST")).and(path("/alerts")).respond_with(ResponseTemplate::new(204)).mount(&server).await;
    server
}

async fn collector() -> MockServer {
    let server = MockServer::start().await;
    let traces = Mock::given(method("POST")).and(path("/v1/traces"));
    traces.respond_with(ResponseTemplate::new(200).set_body_string("{}")).mount(&server).await;
    server
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).expect("what we send is JSON")
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Wakes the telemetry Worker at its next minute. wrangler's proxy keeps the header that names a Worker to itself, so this asks the
/// runtime behind it: whichever port of this machine's own addresses knows the path.
async fn wake() {
    let http = system::http_client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    for port in listening() {
        let url = format!("http://127.0.0.1:{port}/cdn-cgi/local/scheduled");
        let Ok(answer) = http.get(url).header("MF-Route-Override", "402claw-telemetry").send().await else { continue };
        if answer.status().as_u16() == 200 && answer.text().await.is_ok_and(|text| text == "ok") {
            return;
        }
    }
    panic!("no runtime could be woken");
}

/// The ports of 127.0.0.1 that somebody listens on, as Linux tells them: address and port in hexadecimal, and state 0A.
fn listening() -> Vec<u16> {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux tells its sockets");
    let port = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let port = fields.next()?.strip_prefix("0100007F:")?;
        (fields.nth(1)? == "0A").then(|| u16::from_str_radix(port, 16).ok())?
    };
    table.lines().filter_map(port).collect()
}

#[test]
fn the_clock_tells_of_an_alert_signed_until_it_is_taken_and_traces_reach_a_collector() {
    let _turn = turn();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (receiver, collector) = runtime.block_on(async { (receiver().await, collector().await) });
    let vars = [
        format!("ALERT_WEBHOOK_URL={}/alerts", receiver.uri()),
        format!("ALERT_WEBHOOK_SECRET={SECRET}"),
        format!("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT={}/v1/traces", collector.uri()),
        "OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20token".to_owned(),
    ];
    // At both: whoever loses an answer once is asked after the other.
    let faults = ["primary settle settle-then-hang", "standby settle settle-then-hang"];
    let mut options = vec!["--telemetry"];
    options.extend(faults.iter().flat_map(|fault| ["--fault", *fault]));
    options.extend(vars.iter().flat_map(|var| ["--telemetry-var", var.as_str()]));
    let served = Served::start_with(&options);
    runtime.block_on(async {
        let quote = format!("{}/t/acme/quote", served.url);
        let http = system::http_client::builder().build().unwrap();
        for purchase in 0..4 {
            let payment = Payers::from_seed(unix_now()).pay(&invoice(&quote).await, purchase, 0, unix_now());
            let answer = send(&quote, Some(&payment)).await;
            assert!(answer.says(503, "settlement_pending"), "{purchase}: {answer:?}");
        }
        // A caller's trace goes on, whatever comes of its request.
        http.get(&quote).header("traceparent", CALLER).send().await.unwrap();

        let spans = spans_of(&collector, 17).await;
        let of = |name: &str| spans.iter().filter(|span| span["name"] == name).count();
        assert!(
            of("GET") >= 5
                && of("verify primary") + of("verify standby") >= 4
                && of("settle primary") + of("settle standby") >= 4
                && of("run") >= 4,
            "{spans:?}"
        );
        let callers = spans.iter().find(|span| span["traceId"] == "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(callers.expect("the caller's trace is told")["parentSpanId"], "00f067aa0ba902b7");
        let exports = collector.received_requests().await.unwrap();
        assert!(exports.iter().all(|export| header(export, "authorization") == "Bearer token"));

        // Four sales out of four are lost: the budget burns. The first try is refused, and the second is a minute later.
        wake().await;
        let first = notices(&receiver, 1).await;
        wake().await;
        tokio::time::sleep(Duration::from_secs(61)).await;
        wake().await;
        let told = notices(&receiver, 2).await;
        assert_eq!(told.len(), 2, "it was not told again before its minute was over: {told:?}");
        assert_eq!(
            (&told[0]["notice"]["alert"], &told[0]["notice"]["state"]),
            (&"settle_burn".into(), &"firing".into())
        );
        assert_eq!(told[0]["notice"]["id"], told[1]["notice"]["id"], "the same notice has the same id");
        assert_eq!(first[0], told[0]);
        wake().await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(notices(&receiver, 2).await.len(), 2, "what was taken is not told again");
        catalogue(&served.url).await;
    });
    drop(served);
}

/// The notices that came, once so many have. Each is signed, and no signature fits another body.
async fn notices(receiver: &MockServer, many: usize) -> Vec<Value> {
    for _ in 0..LOOKS {
        // Whoever looks for the runtime's port asks this one too.
        let mut came = receiver.received_requests().await.unwrap();
        came.retain(|request| request.url.path() == "/alerts");
        if came.len() >= many {
            for request in &came {
                let text = std::str::from_utf8(&request.body).unwrap();
                let timestamp = header(request, "x-402claw-timestamp").parse().expect("Unix seconds");
                let signed = ::telemetry::alerts::sign::signature(SECRET, timestamp, text);
                assert_eq!(header(request, "x-402claw-signature"), signed);
                assert!(unix_now().abs_diff(timestamp) < 120, "it is new");
            }
            return came.iter().map(body).collect();
        }
        tokio::time::sleep(LOOK).await;
    }
    panic!("{many} notices never came: {:?}", receiver.received_requests().await)
}

/// The spans that were exported, each id once, once so many have come.
async fn spans_of(collector: &MockServer, many: usize) -> Vec<Value> {
    let mut last = 0;
    for _ in 0..LOOKS {
        let exports = collector.received_requests().await.unwrap();
        let spans = exports.iter().flat_map(|export| {
            body(export)["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().cloned().unwrap_or_default()
        });
        let spans: BTreeMap<String, Value> = spans.map(|span| (span["spanId"].to_string(), span)).collect();
        last = spans.len();
        let has_caller = spans.values().any(|span| span["traceId"] == "4bf92f3577b34da6a3ce929d0e0e4736");
        if last >= many && has_caller {
            return spans.into_values().collect();
        }
        tokio::time::sleep(LOOK).await;
    }
    panic!("only {last} spans came")
}

/// The catalogue of the same world, with an uptime that was measured.
async fn catalogue(url: &str) {
    let http = system::http_client::builder().build().unwrap();
    let page = http.get(format!("{url}/catalog")).header("accept", "text/html").send().await.unwrap();
    assert_eq!(
        (page.status().as_u16(), page.headers()["content-type"].to_str().unwrap()),
        (200, "text/html; charset=utf-8")
    );
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(
        policy.starts_with("default-src 'none'") && page.headers()["cache-control"] == "public, max-age=60",
        "{policy}"
    );
    let text = page.text().await.unwrap();
    assert!(text.contains("<h2>acme") && text.contains("402claw call"), "{text}");
    let told = json_of(&http, &format!("{url}/catalog")).await;
    let acme =
        told["tenants"].as_array().unwrap().iter().find(|tenant| tenant["name"] == "acme").expect("it sells").clone();
    assert_eq!((acme["uptime"]["good"].as_u64(), acme["uptime"]["bad"].as_u64()), (Some(4), Some(0)), "{acme}");
    let bazaar = json_of(&http, &format!("{url}/catalog?form=bazaar")).await;
    assert_eq!(bazaar["items"][0]["accepts"][0]["scheme"], "exact", "{bazaar}");
    let wrong = http.get(format!("{url}/catalog?sort=name")).send().await.unwrap();
    assert_eq!(wrong.status().as_u16(), 400);
}

async fn json_of(http: &reqwest::Client, url: &str) -> Value {
    let text = http.get(url).send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{url}: {text}"))
}
