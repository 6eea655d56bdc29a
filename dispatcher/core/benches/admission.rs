//! What a request costs that is turned away, beside one that gets an offer: whole requests, through the dispatcher, with an
//! isolate that has seen a million addresses.

use criterion::{Criterion, criterion_group, criterion_main};
use dispatcher_core::{
    Config, Dispatcher,
    admission::Gate,
    config::Vars,
    paywall::{
        PaidResponse, UnixMillis,
        ledger::{Claim, ClaimReply, Collection, SettleReply},
        ports::{Clock, Ledger, LedgerError},
    },
    ports::{CollectError, Dispatch, Inbound, Namespace, Outbound, Randomness, RequestLog},
    telemetry::{Alert, RequestLine},
    tenant_failure::TenantFailure,
};
use std::{
    collections::BTreeMap,
    hint::black_box,
    net::Ipv4Addr,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

/// Time that stands still, storage and tenants that nobody gets to.
#[derive(Clone, Copy)]
struct Nothing;

impl Clock for Nothing {
    fn now(&self) -> UnixMillis {
        UnixMillis(1_800_000_000_000)
    }
    async fn sleep(&self, _millis: u64) {}
}

impl Randomness for Nothing {
    fn request_id(&self) -> String {
        "request".to_owned()
    }
    fn seed(&self) -> u64 {
        7
    }
}

impl RequestLog for Nothing {
    fn record(&self, _line: &RequestLine) {}
    fn alert(&self, _alert: &Alert) {}
}

impl Outbound for Nothing {
    fn status(&self) -> u16 {
        200
    }
    fn headers(&self) -> Vec<(String, String)> {
        Vec::new()
    }
    async fn collect(self, _limit: usize) -> Result<Vec<u8>, CollectError> {
        Ok(Vec::new())
    }
}

impl Namespace for Nothing {
    type Inbound = Request;
    type Outbound = Self;
    async fn run(&self, _dispatch: Dispatch<'_>, _request: &Request) -> Result<Self, TenantFailure> {
        Ok(Self)
    }
}

impl Ledger for Nothing {
    async fn claim(&self, _claim: Claim, _holder: &str) -> Result<ClaimReply, LedgerError> {
        Err(LedgerError(String::new()))
    }
    async fn collect(&self, _collection: Collection, _holder: &str) -> Result<ClaimReply, LedgerError> {
        Err(LedgerError(String::new()))
    }
    async fn settle(&self, _: &str, _: &str, _: &PaidResponse) -> Result<SettleReply, LedgerError> {
        Err(LedgerError(String::new()))
    }
    async fn release(&self, _payment: &str, _holder: &str) -> Result<(), LedgerError> {
        Ok(())
    }
    async fn handed_over(&self, _: &str, _: &str, _: bool) -> Result<(), LedgerError> {
        Ok(())
    }
}

struct Request {
    address: String,
}

impl Inbound for Request {
    fn method(&self) -> &str {
        "GET"
    }
    fn origin(&self) -> &str {
        "https://dispatcher.example"
    }
    fn host(&self) -> &str {
        "dispatcher.example"
    }
    fn path(&self) -> &str {
        "/t/acme/quote"
    }
    fn query(&self) -> Option<&str> {
        None
    }
    fn header(&self, name: &str) -> Option<String> {
        (name == "cf-connecting-ip").then(|| self.address.clone())
    }

    async fn body(&self, _limit: usize) -> Result<Vec<u8>, CollectError> {
        Ok(Vec::new())
    }
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

fn refusals(criterion: &mut Criterion) {
    let directory = r#"{"tenants":[{"id":"acme","plan":"pro","slug":"acme","price":{"amount":"10000","network":"eip155:84532","payTo":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C"}}]}"#;
    let vars = Vars {
        environment: Some("test".to_owned()),
        tenant_directory: Some(directory.to_owned()),
        facilitators: Some(r#"[{"id":"primary","url":"https://primary"}]"#.to_owned()),
        ..Vars::default()
    };
    let config = Config::from_vars(&vars, &BTreeMap::new()).expect("the configuration is fine");
    let dispatcher = Dispatcher::new(Rc::new(config), Nothing, Nothing, Nothing, Nothing, Nothing);
    let dispatcher = dispatcher.with_gate(Rc::new(Gate::new(7)));
    let ask = |number: u32| {
        let request = Request { address: Ipv4Addr::from(0x0a00_0000 + number).to_string() };
        ready(dispatcher.handle(&request)).answer.status
    };
    for number in 0..1_000_000 {
        ask(number);
    }
    let mut number = 0;
    criterion.bench_function("a request without a payment, from an address not seen before: 402", |bench| {
        bench.iter(|| {
            number += 1;
            black_box(ask(1_000_000 + number))
        });
    });
    while ask(0) != 429 {}
    criterion.bench_function("a request from an address that floods: 429", |bench| bench.iter(|| black_box(ask(0))));
}

criterion_group!(benches, refusals);
criterion_main!(benches);
