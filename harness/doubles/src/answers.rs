//! Healthy answers and the faults that are whole HTTP answers, served by wiremock or asked within the process. This half
//! of a double never sees a caller's connection; which fault a call gets has been decided before, and is said in a header.

use super::{Terms, ask::Ask, chain::Chain, repeat::Repeat, reply::Reply, request::FacilitatorRequest, script::Script};
use crate::Inject;
use reports::event::FacilitatorEndpoint;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use system::clock::Clock;
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

/// The number of calls after which a server is renewed: a few megabytes of requests.
const RENEWED_AFTER: u32 = 1_000;

/// The most payments whose repeats are counted for a fault: more than a judged run has. A full count begins anew.
const MOST_COUNTED: usize = 100_000;

/// The honest part of one double, a desk an endpoint, and what the faults that are whole answers make of it.
#[derive(Clone)]
pub struct Desks([Arc<Desk>; ENDPOINTS.len()]);

struct Desk {
    facilitator: Arc<str>,
    endpoint: FacilitatorEndpoint,
    chain: Arc<Chain>,
    lists_only: Option<&'static str>,
    repeats: Repeat,
    script: Arc<Script>,
    clock: Arc<dyn Clock>,
    /// The current second, and how many calls came in it that a fault counts. All desks' of one double.
    calls: Arc<Mutex<(u64, u64)>>,
    /// How often each payment came.
    asked: Mutex<BTreeMap<PaymentKey, u64>>,
}

impl Desks {
    #[must_use]
    pub fn new(
        facilitator: &Arc<str>,
        terms: &Terms,
        chain: &Arc<Chain>,
        script: &Arc<Script>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let calls = Arc::default();
        Self(ENDPOINTS.map(|endpoint| {
            Arc::new(Desk {
                facilitator: Arc::clone(facilitator),
                endpoint,
                chain: Arc::clone(chain),
                lists_only: terms.lists_only,
                repeats: terms.repeats,
                script: Arc::clone(script),
                clock: Arc::clone(clock),
                calls: Arc::clone(&calls),
                asked: Mutex::default(),
            })
        }))
    }

    /// `fault` is a position in the double's list.
    #[must_use]
    pub fn reply(&self, endpoint: FacilitatorEndpoint, request: &FacilitatorRequest, fault: Option<usize>) -> Reply {
        self.0[endpoint as usize].reply(request, fault)
    }
}

/// The answer server of one double. wiremock keeps each request that a mock has matched, whatever it is told, so the server is
/// given up for a new one before that becomes much.
pub struct Answers {
    desks: Desks,
    current: Mutex<Current>,
    renewed_after: u32,
}

struct Current {
    /// Serves until the last call that it has begun is over.
    server: Arc<MockServer>,
    calls: u32,
}

impl Answers {
    pub async fn serve(desks: Desks) -> Self {
        Self::renewed_after(RENEWED_AFTER, desks).await
    }

    async fn renewed_after(renewed_after: u32, desks: Desks) -> Self {
        let current = Mutex::new(Current { server: serve(&desks).await, calls: 0 });
        Self { desks, current, renewed_after }
    }

    /// The server for one more call.
    pub async fn server(&self) -> Arc<MockServer> {
        if let Some(server) = self.in_use() {
            return server;
        }
        let server = serve(&self.desks).await;
        let mut current = self.current();
        // Calls that came meanwhile have a server of their own, which nobody else gets.
        *current = Current { server: Arc::clone(&server), calls: 1 };
        server
    }

    fn in_use(&self) -> Option<Arc<MockServer>> {
        let mut current = self.current();
        current.calls += 1;
        (current.calls <= self.renewed_after).then(|| Arc::clone(&current.server))
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        // Nothing under the lock can panic half-way through a change.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A server for the desks, without wiremock's other list of requests.
async fn serve(desks: &Desks) -> Arc<MockServer> {
    let server = MockServer::builder().disable_request_recording().start().await;
    for desk in &desks.0 {
        let (verb, at) = route(desk.endpoint);
        Mock::given(method(verb)).and(path(at)).respond_with(Counter(Arc::clone(desk))).mount(&server).await;
    }
    Arc::new(server)
}

impl Desk {
    fn reply(&self, request: &FacilitatorRequest, fault: Option<usize>) -> Reply {
        let spec = fault.and_then(|position| self.script.fault(position));
        let inject = spec.as_ref().map(|spec| &spec.inject);
        let ask = Ask {
            facilitator: &self.facilitator,
            endpoint: self.endpoint,
            request,
            chain: &self.chain,
            lists_only: self.lists_only,
            repeats: self.repeats,
            unix_now: self.clock.unix_now(),
            asked_before: self.count(request),
            calls_this_second: if inject.is_some_and(Inject::counts_calls) { self.count_call() } else { 0 },
        };
        inject.map_or_else(|| ask.honest(), |inject| inject.reply(&ask))
    }

    fn count_call(&self) -> u64 {
        let second = self.clock.now_us() / 1_000_000;
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls = if calls.0 == second { (second, calls.1 + 1) } else { (second, 1) };
        calls.1
    }

    /// How often the payment came before; it has come once more now.
    fn count(&self, request: &FacilitatorRequest) -> u64 {
        let Some(asked_for) = request.payment() else { return 0 };
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.len() >= MOST_COUNTED {
            asked.clear();
        }
        let times = asked.entry(asked_for.key()).or_default();
        *times += 1;
        *times - 1
    }
}

/// A desk's place in the server.
struct Counter(Arc<Desk>);

impl Respond for Counter {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let fault = request.headers.get(FAULT_HEADER).and_then(|value| value.to_str().ok()?.parse().ok());
        let reply = self.0.reply(&FacilitatorRequest::parse(&request.body), fault);
        ResponseTemplate::new(reply.status).set_body_raw(reply.body, &reply.content_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Payer, journal};
    use system::clock::SystemClock;

    #[tokio::test]
    async fn a_server_is_renewed_and_its_successor_knows_what_it_did() {
        let (chain, script) = (Arc::new(Chain::new(journal().0)), Arc::new(Script::new(Vec::new())));
        let clock = Arc::new(SystemClock::start()) as Arc<dyn Clock>;
        let desks = Desks::new(&Arc::from("primary"), &Terms::default(), &chain, &script, &clock);
        let answers = Answers::renewed_after(2, desks).await;
        let http = system::http_client::builder().build().unwrap();
        let (mut urls, mut said) = (Vec::new(), Vec::new());
        for _ in 0..6 {
            let server = answers.server().await;
            urls.push(server.uri());
            let answer =
                http.post(format!("{}/settle", server.uri())).body(Payer::new(1).body(1)).send().await.unwrap();
            said.push(answer.text().await.unwrap());
        }
        assert_eq!((urls[0] == urls[1], urls[1] == urls[2], urls[2] == urls[3]), (true, false, true));
        assert!(said.iter().all(|answer| *answer == said[0] && answer.contains("\"success\":true")), "{said:?}");
        assert_eq!(chain.transfers(), 1);
    }
}
