//! Events go through the platform's own queue into its own database, and come out of it again by every question.

use crate::{
    harness::turn,
    npm_client::NpmClient,
    one_payment::{invoice, send, unix_now},
    served::Served,
};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};
use traffic::Payers;

/// Between two looks at what has arrived.
const LOOK: Duration = Duration::from_millis(250);
/// Looks after which it will not come any more.
const LOOKS: u32 = 240;

#[test]
fn what_was_sold_is_kept_counted_and_in_balance_with_the_ledger() {
    let _turn = turn();
    let served = Served::start_with(&["--telemetry"]);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let api = Api::of(&served);
        for purchase in 0..3 {
            let quote = format!("{}/t/acme/quote?secret=hunter2", served.url);
            let payment = Payers::from_seed(unix_now()).pay(&invoice(&quote).await, purchase, 0, unix_now());
            let answer = send(&quote, Some(&payment)).await;
            assert!(answer.says(200, ""), "{answer:?}");
        }
        let events = api.events_with("payment_handed_over", 3).await;
        let text = events.to_string();
        for secret in ["hunter2", served.platform.as_str(), "signature"] {
            assert!(!text.contains(secret), "{secret} is kept: {text}");
        }
        let (status, analytics) = api.get("analytics?window=today&top=5").await;
        assert_eq!((status, &analytics["revenue"]["settled"]), (200, &json!(3)), "{analytics}");
        assert_eq!(
            analytics["funnel"],
            json!({"received": 6, "offered": 3, "paid": 3, "settled": 3, "handed_over": 3})
        );
        let amount = analytics["revenue"]["amount"].as_str().unwrap().to_owned();
        assert_eq!(analytics["tenants"][0]["revenue"], amount.as_str());
        let (_, tenant) = api.get("tenants/acme").await;
        assert_eq!((&tenant["week"]["settled"], &tenant["overall"]["revenue"]), (&json!(3), &json!(amount)));
        let (_, slo) = api.get("slo?window=hour").await;
        assert_eq!((&slo["all"]["settle"]["good"], &slo["all"]["settle"]["bad"]), (&json!(3), &json!(0)));

        let to = unix_now() * 1_000 + 60_000;
        let span = format!("from={}&to={to}", to - 3_600_000);
        let (status, books) = api.get(&format!("reconcile?{span}")).await;
        assert_eq!((status, &books["balanced"], &books["matched"]), (200, &json!(true), &json!(3)), "{books}");
        assert_eq!(books["tenants"]["acme"]["ledger"], books["tenants"]["acme"]["telemetry"]);
        let (_, ledger) = api.get(&format!("ledger?{span}&limit=2")).await;
        let page = ledger["settled"].as_array().unwrap();
        let (_, rest) = api.get(&format!("ledger?{span}&limit=2&after={}", ledger["next"].as_str().unwrap())).await;
        assert_eq!((page.len(), rest["settled"].as_array().unwrap().len()), (2, 1));
        let (_, csv) = api.text(&format!("settlements?{span}&format=csv")).await;
        assert_eq!(csv.lines().filter(|line| line.starts_with("S-eip155:84532:")).count(), 3, "{csv}");

        for (path, status) in [
            ("tenants/nobody", 404),
            ("tenants/Acme%20", 404),
            ("events?tenant=nobody", 404),
            ("events?tenant=A+b", 400),
            ("events?type=nothing", 400),
            ("reconcile?from=1", 400),
            ("payments/x", 400),
            ("open", 200),
            ("openapi.json", 200),
            ("facilitators", 200),
        ] {
            assert_eq!(api.get(path).await.0, status, "{path}");
        }
        assert_eq!(api.as_somebody("analytics", Some("wrong")).await, 401);
        assert_eq!(api.as_somebody("analytics", None).await, 401);
        assert_eq!(api.as_somebody("health", None).await, 200);
        // Whoever was turned away is told of.
        let refused = api.events_with("operator_refused", 1).await;
        assert_eq!(refused["events"][0]["event"]["code"], "platform_token_required");
    });
    drop(served);
}

#[test]
fn a_lost_answer_shows_as_open_until_it_is_known() {
    let _turn = turn();
    let served = Served::start_with(&["--telemetry", "--fault", "primary settle settle-then-hang"]);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let api = Api::of(&served);
        let quote = format!("{}/t/acme/quote", served.url);
        let payment = Payers::from_seed(unix_now()).pay(&invoice(&quote).await, 0, 0, unix_now());
        let first = send(&quote, Some(&payment)).await;
        assert!(first.says(503, "settlement_pending"), "{first:?}");
        let told = api.events_with("payment_unknown", 1).await;
        let unknown = told["events"][0]["event"]["payment"].clone();
        // The alarm asks the chain, which knows.
        let settled = api.events_with("payment_settled", 1).await;
        assert_eq!(settled["events"][0]["event"]["payment"], unknown);
        let (_, slo) = api.get("slo?window=hour").await;
        assert_eq!((&slo["all"]["settle"]["bad"], &slo["open"]["count"]), (&json!(1), &json!(0)), "{slo}");
        assert_eq!(api.get("open").await.1["open"], json!([]));
    });
    drop(served);
}

struct Api {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Api {
    fn of(served: &Served) -> Self {
        let http = system::http_client::builder().build().unwrap();
        Self { http, url: format!("{}/__platform", served.url), token: served.platform.clone() }
    }

    async fn text(&self, path: &str) -> (u16, String) {
        let response = self.http.get(format!("{}/{path}", self.url)).bearer_auth(&self.token).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let (status, text) = self.text(path).await;
        (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {text}")))
    }

    async fn as_somebody(&self, path: &str, token: Option<&str>) -> u16 {
        let request = self.http.get(format!("{}/{path}", self.url));
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        request.send().await.unwrap().status().as_u16()
    }

    /// The events of a kind, once so many have arrived.
    async fn events_with(&self, kind: &str, many: usize) -> Value {
        for _ in 0..LOOKS {
            let (status, told) = self.get(&format!("events?type={kind}")).await;
            assert_eq!(status, 200, "{told}");
            if told["events"].as_array().is_some_and(|events| events.len() >= many) {
                return told;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("{many} events {kind} never came: {}", self.get("events").await.1)
    }
}

#[test]
fn the_dashboard_shows_an_outage_in_a_browser_and_leads_to_its_requests() {
    let _turn = turn();
    let browser = NpmClient::installed("browser", "about 15 s, 89 MB, and 300 MB unpacked");
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dashboard");
    std::fs::create_dir_all(&pictures).unwrap();
    let served = Served::start_with(&["--telemetry", "--fault", "primary settle settle-then-hang"]);
    let token = served.platform.clone();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let quote = format!("{}/t/acme/quote", served.url);
        let payment = Payers::from_seed(unix_now()).pay(&invoice(&quote).await, 0, 0, unix_now());
        assert!(send(&quote, Some(&payment)).await.says(503, "settlement_pending"));
        Api::of(&served).events_with("settlement_unknown", 1).await;
    });
    let dashboard = served.url.replace("127.0.0.1", facts::hosts::DASHBOARD_HOST);
    let arguments = [dashboard.as_str(), token.as_str(), pictures.to_str().unwrap(), served.url.as_str()];
    let seen = browser.run("dashboard.mjs", &arguments);
    for view in ["desktop", "phone", "dark"] {
        let seen = &seen[view];
        assert_eq!((&seen["console"], &seen["outside"]), (&json!([]), &json!([])), "{view}: {seen}");
        assert_eq!(seen["refused"], "that token opens nothing", "{view}");
        let cookie = &seen["cookie"];
        assert_eq!(
            (&cookie["httpOnly"], &cookie["secure"], &cookie["sameSite"], &cookie["path"]),
            (&json!(true), &json!(true), &json!("Strict"), &json!("/__platform")),
            "{view}"
        );
        assert!(!cookie["value"].as_str().unwrap().contains(&token) && !seen["at"].as_str().unwrap().contains(&token));
        // No tenant stands at the dashboard's host, and no page or session of operators at a tenant's.
        assert_eq!(seen["trespass"], json!([400, 401, 401]), "{view}");
        assert_eq!((&seen["stored"], &seen["left"]), (&json!(r#"["",0,0]"#), &json!(0)), "{view}");
        let tiles = seen["tiles"].to_string();
        assert!(tiles.contains("0.00 %settle success"), "{view} does not show that nothing settles: {tiles}");
        let requests = seen["requests"].to_string();
        assert!(requests.contains("settlement_unknown") && requests.contains("503"), "{view}: {requests}");
        assert_eq!(
            (&seen["opened"], &seen["closed"], &seen["overflowing"]),
            (&json!(true), &json!(true), &json!(false))
        );
        assert!(pictures.join(format!("dashboard-{view}.png")).is_file());
    }
    drop(served);
}
