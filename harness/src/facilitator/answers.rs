//! The wiremock half of a double: healthy answers and the faults that are whole HTTP answers. It never sees a caller's
//! socket; which fault a call gets, the acceptor has decided and says in a header.

use super::{chain::Chain, fault, honest, reply::Reply, request::FacilitatorRequest, script::Script};
use crate::clock::Clock;
use reports::event::FacilitatorEndpoint;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use wiremock::{
    Mock, MockServer, Request, Respond, ResponseTemplate,
    matchers::{method, path},
};
use x402_protocol::PaymentKey;

/// Position of the call's fault in the double's list. Internal: callers reach the acceptor, never this server.
pub const FAULT_HEADER: &str = "x-double-fault";

pub const ENDPOINTS: [FacilitatorEndpoint; 3] =
    [FacilitatorEndpoint::Verify, FacilitatorEndpoint::Settle, FacilitatorEndpoint::Supported];

/// Method and path.
#[must_use]
pub fn route(endpoint: FacilitatorEndpoint) -> (&'static str, &'static str) {
    match endpoint {
        FacilitatorEndpoint::Verify => ("POST", "/verify"),
        FacilitatorEndpoint::Settle => ("POST", "/settle"),
        FacilitatorEndpoint::Supported => ("GET", "/supported"),
    }
}

/// One call, with all that an answer may depend on.
pub struct Ask<'a> {
    pub facilitator: &'a str,
    pub endpoint: FacilitatorEndpoint,
    pub body: &'a [u8],
    pub chain: &'a Chain,
    pub lists_only: Option<&'static str>,
    pub unix_now: u64,
    /// How often the payment came to this endpoint before.
    pub asked_before: u64,
}

impl Ask<'_> {
    /// Does the honest work: moves the money, if it is a settlement that may.
    #[must_use]
    pub fn honest(&self) -> Reply {
        match self.endpoint {
            FacilitatorEndpoint::Verify => Reply::json(200, &honest::verify(self.body, self.chain, self.unix_now)),
            FacilitatorEndpoint::Settle => Reply::json(200, &self.settle()),
            FacilitatorEndpoint::Supported => Reply::json(200, &honest::supported(self.facilitator, self.lists_only)),
        }
    }

    #[must_use]
    pub fn settle(&self) -> x402_protocol::v2::SettleResponse {
        honest::settle(self.facilitator, self.body, self.chain, self.unix_now)
    }
}

/// Starts the server, without recording: its list of requests is unbounded.
pub async fn start(
    facilitator: Arc<str>,
    chain: Arc<Chain>,
    lists_only: Option<&'static str>,
    script: Arc<Script>,
    clock: Arc<dyn Clock>,
) -> MockServer {
    let server = MockServer::builder().disable_request_recording().start().await;
    for endpoint in ENDPOINTS {
        let (verb, at) = route(endpoint);
        let desk = Desk {
            facilitator: Arc::clone(&facilitator),
            endpoint,
            chain: Arc::clone(&chain),
            lists_only,
            script: Arc::clone(&script),
            clock: Arc::clone(&clock),
            asked: Mutex::default(),
        };
        Mock::given(method(verb)).and(path(at)).respond_with(desk).mount(&server).await;
    }
    server
}

struct Desk {
    facilitator: Arc<str>,
    endpoint: FacilitatorEndpoint,
    chain: Arc<Chain>,
    lists_only: Option<&'static str>,
    script: Arc<Script>,
    clock: Arc<dyn Clock>,
    /// How often each payment came.
    asked: Mutex<BTreeMap<PaymentKey, u64>>,
}

impl Desk {
    /// How often the payment came before; it has come once more now.
    fn count(&self, body: &[u8]) -> u64 {
        let payment = FacilitatorRequest::parse(body).ok().and_then(|request| request.payment());
        let Some(asked_for) = payment else { return 0 };
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let times = asked.entry(asked_for.key()).or_default();
        *times += 1;
        *times - 1
    }
}

impl Respond for Desk {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let ask = Ask {
            facilitator: &self.facilitator,
            endpoint: self.endpoint,
            body: &request.body,
            chain: &self.chain,
            lists_only: self.lists_only,
            unix_now: self.clock.unix_now(),
            asked_before: self.count(&request.body),
        };
        let position = request.headers.get(FAULT_HEADER).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        let inject = position.and_then(|position| self.script.faults().get(position)).map(|spec| &spec.inject);
        let reply = fault::reply(inject, &ask);
        ResponseTemplate::new(reply.status).set_body_raw(reply.body, &reply.content_type)
    }
}
