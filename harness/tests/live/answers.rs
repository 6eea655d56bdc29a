//! What the Worker answers in each situation: status, code, headers and body, one row each, in one world.

use crate::{
    harness::turn,
    one_payment::unix_now,
    scripted_facilitator::{Fault, ScriptedFacilitator},
    served::Served,
};
use reqwest::{Client, Method, header::HeaderMap};
use serde_json::{Value, json};
use std::cell::Cell;
use traffic::{Invoice, Payers, Payment};
use x402_protocol::{
    Network, Permit2Authorization, Uint256, Version, header, hex,
    permit2::{EXACT_PROXY, TokenPermissions, Witness},
    signature::Signer,
    v1,
    v2::PaymentRequired,
};

#[test]
fn every_situation_is_answered_as_the_documents_say() {
    let _turn = turn();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let facilitator = ScriptedFacilitator::start().await;
        let served = Served::start_with(&["--facilitator-urls", &facilitator.url()]);
        let desk = Desk::at(&served.url, facilitator);
        desk.without_a_payment().await;
        desk.bad_payments().await;
        desk.refused_by_the_facilitator().await;
        desk.paid().await;
        desk.with_content().await;
        desk.by_the_tenant().await;
        desk.in_version_1().await;
        desk.by_permit().await;
        desk.on_another_origin().await;
        // Last, because it may cost the facilitator its good standing.
        desk.with_facilitators_failing().await;
    });
}

struct Desk {
    url: String,
    http: Client,
    facilitator: ScriptedFacilitator,
    payers: Payers,
    purchases: Cell<u64>,
}

/// An answer, with what was asked for the message of a failed assertion.
struct Got {
    row: String,
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Desk {
    fn at(url: &str, facilitator: ScriptedFacilitator) -> Self {
        let http = system::http_client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let (url, payers) = (url.to_owned(), Payers::from_seed(unix_now()));
        Self { url, http, facilitator, payers, purchases: Cell::new(0) }
    }

    async fn send(&self, row: &str, method: Method, path: &str, headers: &[(&str, &str)]) -> Got {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null);
        Got { row: row.to_owned(), status, headers, body }
    }

    async fn get(&self, row: &str, path: &str, payment: Option<&Payment>) -> Got {
        let header = payment.map(|payment| payment.header.to_str().unwrap());
        let headers: Vec<_> = header.map(|value| (header::PAYMENT_SIGNATURE, value)).into_iter().collect();
        self.send(row, Method::GET, path, &headers).await
    }

    async fn invoice(&self, path: &str) -> Invoice {
        let offered = self.get("an offer", path, None).await;
        Invoice::read_header(offered.header(header::PAYMENT_REQUIRED)).unwrap()
    }

    /// A fresh payment for this path.
    async fn pay(&self, path: &str) -> Payment {
        self.purchases.set(self.purchases.get() + 1);
        self.payers.pay(&self.invoice(path).await, self.purchases.get(), 0, unix_now())
    }

    /// A fresh payment that the facilitator fails.
    async fn pay_failing(&self, path: &str, fault: Fault) -> Payment {
        let payment = self.pay(path).await;
        self.facilitator.fail(payment.key.as_ref().unwrap(), fault);
        payment
    }

    async fn without_a_payment(&self) {
        self.get("no such tenant", "/t/initech/quote", None).await.is(404, "tenant_not_found");
        self.get("no possible tenant", "/t/%2e%2e%2f/quote", None).await.is(400, "invalid_dispatch_key");
        self.get("no payment", "/t/acme/quote", None).await.is(402, "payment_required").bills();
        let head = self.send("no payment, HEAD", Method::HEAD, "/t/acme/quote", &[]).await;
        assert_eq!(head.status, 402);
        assert!(!head.header(header::PAYMENT_REQUIRED).is_empty());
    }

    async fn bad_payments(&self) {
        const QUOTE: &str = "/t/acme/quote";
        let good = self.pay(QUOTE).await;
        let sent: Value = serde_json::from_str(&header::decode(good.header.to_str().unwrap()).unwrap()).unwrap();
        let with = |pointer: &str, value: Value| {
            let mut changed = sent.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            header::encode(&changed)
        };
        let url_safe = header::encode_text(r#"{"x402Version":2,"a":"\u00ff?>"}"#).replace(['+', '/'], "-");
        let erc7710 = json!({"delegationManager": "0x1", "permissionContext": "0x", "delegator": "0x2"});
        for (row, header, status, code) in [
            ("not base64", "!".to_owned(), 400, "invalid_payload"),
            ("the url-safe alphabet", format!("{url_safe}_-"), 400, "invalid_payload"),
            ("not JSON", header::encode_text("{"), 400, "invalid_payload"),
            ("wrong shape", header::encode_text(r#"{"x402Version":2}"#), 400, "invalid_payload"),
            ("too large", "A".repeat(header::MAX_HEADER_CHARS + 4), 400, "invalid_payload"),
            ("too deep", header::encode_text(&"[".repeat(100)), 400, "invalid_payload"),
            ("another kind of payload", with("/payload", erc7710), 400, "invalid_payload"),
            ("a version of the future", with("/x402Version", json!(3)), 400, "invalid_x402_version"),
            ("another amount", with("/accepted/amount", json!("1")), 402, "invalid_payment_requirements"),
            ("another network", with("/accepted/network", json!("eip155:8453")), 402, "invalid_payment_requirements"),
            (
                "a forged signature",
                with("/payload/signature", json!(format!("0x{}1b", "11".repeat(64)))),
                402,
                "invalid_exact_evm_payload_signature",
            ),
            (
                "not valid yet",
                with("/payload/authorization/validAfter", json!("99999999999")),
                402,
                "invalid_exact_evm_payload_authorization_valid_after",
            ),
        ] {
            let got = self.send(row, Method::GET, QUOTE, &[(header::PAYMENT_SIGNATURE, &header)]).await;
            got.is(status, code);
            if status == 402 {
                got.bills();
            }
        }
        let mut echo = sent.clone();
        echo["extensions"] = json!({"payment-identifier": {"info": {"required": true}}});
        let echo = header::encode(&echo);
        let got = self.send("a changed echo", Method::GET, QUOTE, &[(header::PAYMENT_SIGNATURE, &echo)]).await;
        got.is(402, "extension_echo_mismatch").bills();
        let dearer = self.get("another tenant's offer", "/t/globex/quote", Some(&good)).await;
        dearer.is(402, "invalid_payment_requirements").bills();
    }

    async fn refused_by_the_facilitator(&self) {
        const QUOTE: &str = "/t/acme/quote";
        let payment = self.pay_failing(QUOTE, Fault::Invalid("insufficient_funds")).await;
        self.get("verify says invalid", QUOTE, Some(&payment)).await.is(402, "insufficient_funds").bills();
        let payment = self.pay_failing(QUOTE, Fault::Refused("unsupported_scheme")).await;
        let got = self.get("settle says no", QUOTE, Some(&payment)).await;
        got.is(402, "unsupported_scheme").has_no_bill();
        assert_eq!(got.receipt(Version::V2)["success"], false);
        assert_eq!(got.receipt(Version::V2)["errorReason"], "unsupported_scheme");
    }

    async fn paid(&self) {
        const QUOTE: &str = "/t/acme/quote";
        let payment = self.pay(QUOTE).await;
        let got = self.get("settled", QUOTE, Some(&payment)).await;
        got.is(200, "");
        assert_eq!(got.receipt(Version::V2)["success"], true);
        assert_eq!(got.header("cache-control"), "private");
        let transaction = got.receipt(Version::V2)["transaction"].clone();
        let got = self.get("handed over already, to the same caller", QUOTE, Some(&payment)).await;
        got.is(200, "");
        assert_eq!(got.receipt(Version::V2)["transaction"], transaction);
        let got = self.get("spent on another request", "/t/acme/other", Some(&payment)).await;
        got.is(409, "payment_already_used").has_no_bill();
        assert_eq!(got.receipt(Version::V2)["transaction"], transaction);

        let payment = self.pay_failing(QUOTE, Fault::SettleLost).await;
        let got = self.get("settle unknown", QUOTE, Some(&payment)).await;
        got.is(503, "settlement_pending").has_no_bill().says_when_to_come_back();
        assert_eq!(got.receipt(Version::V2)["errorReason"], "settlement_pending");
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        self.get("settled meanwhile", QUOTE, Some(&payment)).await.is(200, "");
    }

    /// The body of a GET or a HEAD is nothing (RFC 9110, 9.3.1), and that of a POST reaches the tenant whole.
    async fn with_content(&self) {
        const ECHO: &str = "/t/acme/echo";
        let sent = "é".repeat(100_000);
        for (method, unpaid, told) in
            [(Method::GET, 402, Some("")), (Method::HEAD, 402, None), (Method::POST, 402, Some(sent.as_str()))]
        {
            let ask = |payment: Option<&Payment>| {
                let request = self.http.request(method.clone(), format!("{}{ECHO}", self.url)).body(sent.clone());
                let request = request.header("content-type", "text/plain");
                match payment {
                    Some(payment) => request.header(header::PAYMENT_SIGNATURE, payment.header.clone()),
                    None => request,
                }
            };
            assert_eq!(ask(None).send().await.unwrap().status(), unpaid, "{method}");
            let payment = self.pay(ECHO).await;
            let answer = ask(Some(&payment)).send().await.unwrap();
            assert_eq!(answer.status(), if told.is_some() { 200 } else { 402 }, "{method}");
            if let Some(told) = told {
                assert!(answer.text().await.unwrap() == told, "{method}: another body came back");
            }
        }
    }

    async fn by_the_tenant(&self) {
        for (row, path, status, code) in [
            ("the tenant throws", "/t/acme/throw", 502, "tenant_worker_failure"),
            ("a response too large", "/t/acme/big/1100000", 502, "tenant_response_too_large"),
            ("the tenant redirects", "/t/acme/status/302", 302, ""),
            ("the tenant's 404", "/t/acme/status/404", 404, ""),
            ("the tenant's 500", "/t/acme/status/500", 500, ""),
        ] {
            let payment = self.pay(path).await;
            let got = self.get(row, path, Some(&payment)).await;
            got.is(status, code).has_no_bill();
            assert!(!got.headers.contains_key(header::PAYMENT_RESPONSE), "{row}");
            let settled = self.get("nobody paid for that", "/t/acme/quote", Some(&payment)).await;
            settled.is(200, "");
        }
    }

    async fn in_version_1(&self) {
        const QUOTE: &str = "/t/acme/quote";
        let in_v1 = |payment: &Payment| {
            let sent: Value = serde_json::from_str(&header::decode(payment.header.to_str().unwrap()).unwrap()).unwrap();
            let payload = &sent["payload"];
            json!({"x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": payload})
        };
        let payment = self.pay(QUOTE).await;
        let value = header::encode(&in_v1(&payment));
        let got = self.send("paid in version 1", Method::GET, QUOTE, &[(header::X_PAYMENT, &value)]).await;
        got.is(200, "");
        let receipt = got.receipt(Version::V1);
        assert_eq!((&receipt["success"], &receipt["network"]), (&json!(true), &json!("base-sepolia")));
        assert!(!got.headers.contains_key(header::PAYMENT_RESPONSE));
        self.get("the same in version 2", QUOTE, Some(&payment)).await.is(200, "");

        let payment = self.pay_failing(QUOTE, Fault::Refused("unsupported_scheme")).await;
        let value = header::encode(&in_v1(&payment));
        let got = self.send("refused in version 1", Method::GET, QUOTE, &[(header::X_PAYMENT, &value)]).await;
        got.is(402, "unsupported_scheme");
        assert_eq!(got.receipt(Version::V1)["success"], false);

        let mut elsewhere = in_v1(&self.pay(QUOTE).await);
        elsewhere["network"] = json!("base");
        let value = header::encode(&elsewhere);
        let got = self.send("another network, version 1", Method::GET, QUOTE, &[(header::X_PAYMENT, &value)]).await;
        got.is(402, "invalid_payment_requirements").bills();
        let got = self.send("garbage in version 1", Method::GET, QUOTE, &[(header::X_PAYMENT, "!")]).await;
        got.is(400, "invalid_payload");
    }

    async fn by_permit(&self) {
        const QUOTE: &str = "/t/acme/quote";
        let payer = Signer::from_secret(&[9; 32]).unwrap();
        let invoice = self.invoice(QUOTE).await;
        let permit = |nonce: u64| {
            let permit = Permit2Authorization {
                from: payer.address(),
                permitted: TokenPermissions { token: invoice.offer.asset, amount: invoice.offer.amount },
                spender: EXACT_PROXY,
                nonce: Uint256::from(nonce),
                deadline: Uint256::from(unix_now() + 60),
                witness: Witness { to: invoice.offer.pay_to, valid_after: Uint256::ZERO },
            };
            let signature = hex::encode(&payer.sign(&permit.digest(Network::BaseSepolia)));
            let payload = json!({"signature": signature, "permit2Authorization": permit});
            header::encode(&json!({"x402Version": 2, "accepted": invoice.offer.to_requirements(), "payload": payload}))
        };
        let send =
            async |row, nonce| self.send(row, Method::GET, QUOTE, &[(header::PAYMENT_SIGNATURE, &permit(nonce))]).await;
        let got = send("a permit without an allowance", unix_now()).await;
        got.is(412, "permit2_allowance_required");
        assert!(!got.header(header::PAYMENT_REQUIRED).is_empty());
        self.facilitator.chain.set_allowance(Network::BaseSepolia, payer.address(), u64::MAX);
        let got = send("a permit", unix_now()).await;
        got.is(200, "");
        assert_eq!(got.receipt(Version::V2)["payer"], payer.address().to_string());
    }

    async fn on_another_origin(&self) {
        const QUOTE: &str = "/t/acme/quote";
        let origin = ("origin", "https://shop.example");
        let names = ["content-type", "access-control-expose-headers", "payment-signature", "x-payment"];
        let names_asked = names.join(",");
        let asked = [
            origin,
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", names_asked.as_str()),
        ];
        // The tenant would answer it with its content.
        let preflight = self.send("a preflight", Method::OPTIONS, QUOTE, &asked).await;
        assert_eq!((preflight.status, &preflight.body), (204, &Value::Null));
        assert!(!preflight.headers.contains_key("x-canary"), "{:?}", preflight.headers);
        assert_eq!(preflight.header("access-control-allow-methods"), "PUT");
        let allowed = preflight.header("access-control-allow-headers").to_ascii_lowercase();
        for name in names {
            assert!(allowed.split(", ").any(|one| one == name), "{name} is not among {allowed}");
        }
        for (method, headers) in
            [(Method::OPTIONS, &[origin][..]), (Method::TRACE, &asked[..]), (Method::PATCH, &asked)]
        {
            let got = self.send("no preflight", method, QUOTE, headers).await;
            assert!(got.status >= 400 && !got.headers.contains_key("x-canary"), "{}: {:?}", got.status, got.headers);
        }
        let (payment, failing) = (self.pay(QUOTE).await, self.pay("/t/acme/status/500").await);
        for got in [
            self.get("402, read by a page", QUOTE, None).await,
            self.get("paid, read by a page", QUOTE, Some(&payment)).await,
            self.get("409, read by a page", QUOTE, Some(&payment)).await,
            self.get("500, read by a page", "/t/acme/status/500", Some(&failing)).await,
            self.get("404, read by a page", "/t/initech/", None).await,
        ] {
            assert_eq!(got.header("access-control-allow-origin"), "*", "{}", got.row);
            let exposed = got.header("access-control-expose-headers");
            for name in ["PAYMENT-REQUIRED", "PAYMENT-RESPONSE", "X-PAYMENT-RESPONSE"] {
                assert!(exposed.split(", ").any(|one| one == name), "{}: {exposed}", got.row);
            }
        }
    }

    async fn with_facilitators_failing(&self) {
        const QUOTE: &str = "/t/acme/quote";
        let payment = self.pay_failing(QUOTE, Fault::VerifyBroken).await;
        let got = self.get("nobody can verify", QUOTE, Some(&payment)).await;
        got.is(503, "facilitators_unavailable").has_no_bill().says_when_to_come_back();
    }
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Empty beside content.
    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().or(self.body["error"].as_str()).unwrap_or_default()
    }

    fn is(&self, status: u16, code: &str) -> &Self {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.row);
        assert!(!self.header("x-request-id").is_empty(), "{}", self.row);
        self
    }

    /// In both generations, and for nobody's cache.
    fn bills(&self) -> &Self {
        let json = header::decode(self.header(header::PAYMENT_REQUIRED)).unwrap();
        let two: PaymentRequired = serde_json::from_str(&json).unwrap();
        let one: v1::PaymentRequired = serde_json::from_value(self.body.clone()).unwrap();
        assert_eq!(one.accepts[0].to_v2(), two.accepts[0], "{}", self.row);
        assert_eq!((self.body["code"].as_str(), one.error.as_str()), (Some(self.code()), self.code()), "{}", self.row);
        assert_eq!(self.body["request_id"], self.header("x-request-id"), "{}", self.row);
        assert_eq!(self.header("cache-control"), "no-store", "{}", self.row);
        self
    }

    fn has_no_bill(&self) -> &Self {
        assert_eq!(self.header(header::PAYMENT_REQUIRED), "", "{}", self.row);
        assert!(self.body.get("accepts").is_none(), "{}", self.row);
        self
    }

    fn says_when_to_come_back(&self) -> &Self {
        assert!(self.header("retry-after").parse::<u64>().is_ok(), "{}", self.row);
        self
    }

    /// Returns the receipt of the settlement, in the caller's own generation.
    fn receipt(&self, version: Version) -> Value {
        let value = self.header(version.response_header());
        assert!(!value.is_empty(), "{} has no {}", self.row, version.response_header());
        serde_json::from_str(&header::decode(value).unwrap()).unwrap()
    }
}
