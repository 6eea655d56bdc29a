//! A facilitator in the test's own process: honest as the harness's doubles are, except about payments that it was told
//! to fail. So that one world can have every answer, one payment at a time.

use doubles::{Chain, FacilitatorRequest, Repeat, honest};
use journal::Journal;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use system::clock::{Clock, SystemClock};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

/// A fault at one payment.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// `/verify` says no, for this reason.
    Invalid(&'static str),
    /// `/verify` answers with a page of HTML.
    VerifyBroken,
    /// `/settle` says no, for this reason, and moves nothing.
    Refused(&'static str),
    /// `/settle` moves the money and answers with a page of HTML, once.
    SettleLost,
}

pub struct ScriptedFacilitator {
    server: MockServer,
    pub chain: Arc<Chain>,
    faults: Faults,
}

/// By the payment's nonce.
type Faults = Arc<Mutex<BTreeMap<String, Fault>>>;

impl ScriptedFacilitator {
    pub async fn start() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let (journal, _) = Journal::channel(Arc::clone(&clock));
        let (chain, faults) = (Arc::new(Chain::new(journal)), Faults::default());
        let server = MockServer::builder().disable_request_recording().start().await;
        let desk = Desk { chain: Arc::clone(&chain), faults: Arc::clone(&faults), clock };
        Mock::given(any()).respond_with(desk).mount(&server).await;
        Self { server, chain, faults }
    }

    pub fn url(&self) -> String {
        self.server.uri()
    }

    /// From now on, `fault` happens to the payment with this key.
    pub fn fail(&self, key: &str, fault: Fault) {
        let nonce = key.rsplit(':').next().unwrap().to_owned();
        self.faults.lock().unwrap().insert(nonce, fault);
    }
}

struct Desk {
    chain: Arc<Chain>,
    faults: Faults,
    clock: Arc<dyn Clock>,
}

impl Respond for Desk {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let nonce = body["paymentPayload"]["payload"]["authorization"]["nonce"].as_str().unwrap_or_default();
        let mut faults = self.faults.lock().unwrap();
        let fault = faults.get(nonce).copied();
        let now = self.clock.unix_now();
        let html = ResponseTemplate::new(502).set_body_raw("<html>Bad gateway</html>", "text/html");
        let json = |value: Value| ResponseTemplate::new(200).set_body_json(value);
        let read = FacilitatorRequest::parse(&request.body);
        match (request.url.path(), fault) {
            ("/verify", Some(Fault::VerifyBroken)) => html,
            ("/verify", Some(Fault::Invalid(reason))) => json(json!({"isValid": false, "invalidReason": reason})),
            ("/verify", _) => json(json!(honest::verify("scripted", &read, &self.chain, now, Repeat::Yes))),
            ("/settle", Some(Fault::Refused(reason))) => {
                json(json!({"success": false, "errorReason": reason, "transaction": "", "network": "eip155:84532"}))
            }
            ("/settle", fault) => {
                let settled = honest::settle("scripted", &read, &self.chain, now, Repeat::Yes);
                match fault {
                    Some(Fault::SettleLost) => {
                        faults.remove(nonce);
                        html
                    }
                    _ => json(json!(settled)),
                }
            }
            _ => json(honest::supported("scripted", None)),
        }
    }
}
