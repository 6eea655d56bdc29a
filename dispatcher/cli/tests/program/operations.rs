//! What a running dispatcher tells of a tenant, by a double of its platform API, and a double of a node beside it.

use crate::claw::Shop;
use serde_json::{Value, json};
use std::process::Output;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

const TOKEN: &str = "the-platforms-token";
const PAYER: &str = "0x00000000000000000000000000000000000000aa";
const PAYEE: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
const USDC: &str = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

fn line(n: u32, kind: &str, payer: &str, amount: &str) -> Value {
    json!({
        "id": format!("S-{n}"), "kind": kind, "at_ms": 1_795_900_000_000_u64 + u64::from(n), "tenant": "rain", "payer": payer,
        "pay_to": PAYEE, "network": "eip155:84532", "amount": amount, "transaction": format!("0x{n:064x}"),
    })
}

/// The answers of the platform API in the words of its document.
fn answer(request: &Request) -> ResponseTemplate {
    if request.headers.get("authorization").is_none_or(|told| told != &format!("Bearer {TOKEN}")) {
        return ResponseTemplate::new(401)
            .set_body_json(json!({"error": {"code": "platform_denied", "message": "no"}}));
    }
    let query: std::collections::BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
    let body = match request.url.path() {
        "/__platform/settlements" if query["tenant"] == "rain" => match query.get("after").map(String::as_str) {
            None => {
                json!({"settlements": [line(1, "settlement", PAYER, "1000"), line(2, "settlement", PAYEE, "5000")], "next": "2~a:b"})
            }
            Some("2~a:b") => {
                json!({"settlements": [line(3, "settlement", PAYER, "2000"), line(3, "credit_note", PAYER, "-2000")], "next": null})
            }
            other => panic!("{other:?}"),
        },
        "/__platform/tenants/rain" => json!({
            "tenant_id": "rain", "today": {"events": {"sold": 3, "challenged": 9}, "settled": 3, "revenue": "3000", "by_itself": "5000"},
            "week": {"events": {}, "settled": 3, "revenue": "3000", "by_itself": "5000"},
            "overall": {"events": {}, "settled": 3, "revenue": "3000", "by_itself": "5000"}, "codes_of_week": [],
        }),
        "/__platform/events" => {
            let event = |n: u64| {
                json!({"id": format!("e{n}"), "at_ms": 1_795_900_000_000_u64 - n, "type": "sold",
                "event": {"tenant_id": "rain", "route": "GET /v1/records", "status": 200, "ms": n, "request_id": format!("r{n}")}})
            };
            json!({"events": (1..=20).map(event).collect::<Vec<_>>(), "next": null})
        }
        "/__platform/facilitators" => json!({"facilitators": [
            {"id": "a", "verify": {"standing": "healthy"}, "settle": {"standing": "quarantined"}}]}),
        "/__platform/open" => json!({"open": [{"tenant_id": "rain", "age_ms": 5}, {"tenant_id": "snow", "age_ms": 6}]}),
        path if path.starts_with("/t/rain") => return ResponseTemplate::new(402),
        _ => return ResponseTemplate::new(404),
    };
    ResponseTemplate::new(200).set_body_json(body)
}

/// A node that knows the first two transactions.
fn node(request: &Request) -> ResponseTemplate {
    let asked: Value = serde_json::from_slice(&request.body).unwrap();
    let transaction = asked["params"][0].as_str().unwrap();
    let topic = |address: &str| format!("0x{:0>64}", address[2..].to_lowercase());
    let known = [(1, PAYER, 1_000_u64), (2, PAYEE, 5_000)];
    let found = known.into_iter().find(|(n, ..)| transaction == format!("0x{n:064x}"));
    let receipt = found.map(|(_, from, amount)| {
        json!({"status": "0x1", "logs": [{
            "address": USDC, "topics": [TRANSFER, topic(from), topic(PAYEE)], "data": format!("0x{amount:064x}"),
        }]})
    });
    ResponseTemplate::new(200).set_body_json(json!({"jsonrpc": "2.0", "id": 1, "result": receipt}))
}

struct Setting {
    shop: Shop,
    platform: MockServer,
    node: MockServer,
    _runtime: tokio::runtime::Runtime,
}

impl Setting {
    fn new() -> Self {
        let shop = Shop::new();
        shop.write("data.csv", "id,mm\n1,2.5\n");
        shop.ok(&["deploy", "data.csv", "--tenant", "rain", "--price", "0.001"]);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (platform, node) = runtime.block_on(async {
            let (platform, chain) = (MockServer::start().await, MockServer::start().await);
            Mock::given(any()).respond_with(answer).mount(&platform).await;
            Mock::given(any()).respond_with(node).mount(&chain).await;
            (platform, chain)
        });
        Self { shop, platform, node, _runtime: runtime }
    }

    fn run(&self, token: &str, args: &[&str]) -> Output {
        let uri = self.platform.uri();
        let args = [args, &["--at", &uri]].concat();
        self.shop.with("CLAW_PLATFORM_TOKEN", token, &args)
    }
}

fn told(output: &Output) -> Value {
    let text = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
    let text = String::from_utf8_lossy(text).into_owned();
    serde_json::from_str(text.trim()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn payouts_are_read_from_the_platforms_books_page_by_page() {
    let setting = Setting::new();
    let books = told(&setting.run(TOKEN, &["--format", "json", "payouts", "rain"]));
    assert_eq!((&books["paid"], &books["bySelf"]), (&json!("0.003"), &json!("0.005")), "{books}");
    assert_eq!(books["owed"], "0.002", "it was paid for, and never served");
    assert_eq!(books["days"][0]["transactions"].as_array().unwrap().len(), 3);
}

#[test]
fn a_transaction_that_no_node_knows_is_told() {
    let setting = Setting::new();
    let node = setting.node.uri();
    let output = setting.run(TOKEN, &["--format", "json", "payouts", "rain", "--node", &node]);
    let chain = told(&output)["chain"].clone();
    assert_eq!((&chain["found"], &chain["sum"], &chain["agrees"]), (&json!(2), &json!("0.006"), &json!(false)));
    assert!(chain["missing"][0]["why"].as_str().unwrap().contains("does not know"), "{chain}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn status_tells_p95_breakers_and_what_is_open() {
    let setting = Setting::new();
    let status = told(&setting.run(TOKEN, &["--format", "json", "status", "rain"]));
    let platform = &status["platform"];
    assert_eq!((&platform["p95Ms"], &platform["p95Of"], &platform["open"]), (&json!(19), &json!(20), &json!(1)));
    assert_eq!(platform["breakers"], json!([{"id": "a", "verify": "healthy", "settle": "quarantined"}]));
}

#[test]
fn logs_have_the_newest_last_and_a_wrong_token_gets_none() {
    let setting = Setting::new();
    let output = setting.run(TOKEN, &["logs", "rain"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (first, last) = (text.lines().next().unwrap(), text.lines().last().unwrap());
    assert!(first.contains("r20") && last.contains("r1") && last.contains("GET /v1/records 200"), "{text}");
    assert!(String::from_utf8_lossy(&setting.run(TOKEN, &["telemetry", "rain"]).stdout).contains("3 settled"));
    let denied = setting.run("wrong", &["--format", "json", "logs", "rain"]);
    assert_eq!(denied.status.code(), Some(1));
    assert!(told(&denied)["error"]["help"].as_str().unwrap().contains("CLAW_PLATFORM_TOKEN"));
}
