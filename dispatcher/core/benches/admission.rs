//! The CPU of each kind of refusal, beside a request that gets an offer: whole requests, through the dispatcher, with an
//! isolate that has seen a million addresses.

use criterion::{Criterion, criterion_group, criterion_main};
use dispatcher_core::{
    Config, Dispatcher,
    admission::Gate,
    config::Vars,
    directory::Directory,
    paywall::{
        PaidResponse, Reason, UnixMillis,
        ledger::{Claim, ClaimReply, Collection, Reply, SettleReply},
        ports::{Clock, Ledger, LedgerError},
    },
    platform::{IsolateMemory, Platform, Ports},
    ports::{CollectError, Dispatch, Inbound, Namespace, Outbound, Randomness, RequestLog},
    protocol::{Authorization, Network, Nonce, Offer, Uint256, header, hex, signature::Signer},
    telemetry::{Alert, RequestLine},
    tenant_failure::TenantFailure,
};
use serde_json::json;
use std::{
    cell::Cell,
    collections::BTreeMap,
    future::pending,
    hint::black_box,
    net::Ipv4Addr,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll, Waker},
};

const NOW_S: u64 = 1_800_000_000;
const PAY_TO: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";

/// Time that stands still, a ledger that says what it is told to, and tenants that fail.
#[derive(Clone, Default)]
struct World(Rc<Cell<Says>>);

/// The ledger's word on a claim.
#[derive(Clone, Copy, Default)]
enum Says {
    /// It takes for ever.
    #[default]
    Nothing,
    Invalid,
    Run,
}

impl Clock for World {
    fn now(&self) -> UnixMillis {
        UnixMillis(NOW_S * 1_000)
    }
    async fn sleep(&self, _millis: u64) {
        pending().await
    }
}

impl Randomness for World {
    fn request_id(&self) -> String {
        "request".to_owned()
    }
    fn seed(&self) -> u64 {
        7
    }
}

impl RequestLog for World {
    fn record(&self, _line: &RequestLine) {}
    fn alert(&self, _alert: &Alert) {}
}

impl Outbound for World {
    fn status(&self) -> u16 {
        404
    }
    fn headers(&self) -> Vec<(String, String)> {
        Vec::new()
    }
    async fn collect(self, _limit: usize) -> Result<Vec<u8>, CollectError> {
        Ok(Vec::new())
    }
}

impl Namespace for World {
    type Inbound = Request;
    type Outbound = Self;
    async fn run(&self, _dispatch: Dispatch<'_>, _request: &Request) -> Result<Self, TenantFailure> {
        Ok(self.clone())
    }
}

/// The platform that is all in memory.
struct InMemory;

impl Platform for InMemory {
    type Namespace = World;
    type Ledger = World;
    type Clock = World;
    type Randomness = World;
    type Log = World;
    type Tenants = Rc<Directory>;
}

impl Ledger for World {
    async fn claim(&self, _claim: Claim, _holder: &str) -> Result<ClaimReply, LedgerError> {
        let reply = match self.0.get() {
            Says::Nothing => pending().await,
            Says::Invalid => Reply::Invalid(Reason::from_outside(Some("insufficient_funds"))),
            Says::Run => Reply::Run,
        };
        Ok(ClaimReply { reply, response: None, attempts: Vec::new() })
    }
    async fn collect(&self, _collection: Collection, _holder: &str) -> Result<ClaimReply, LedgerError> {
        pending().await
    }
    async fn settle(&self, _: &str, _: &str, _: &PaidResponse) -> Result<SettleReply, LedgerError> {
        pending().await
    }
    async fn release(&self, _payment: &str, _holder: &str) -> Result<(), LedgerError> {
        Ok(())
    }
    async fn handed_over(&self, _: &str, _: &str, _: bool) -> Result<(), LedgerError> {
        Ok(())
    }
}

struct Request {
    method: &'static str,
    headers: Vec<(&'static str, String)>,
}

impl Request {
    fn from(address: u32) -> Self {
        Self { method: "GET", headers: vec![("cf-connecting-ip", Ipv4Addr::from(address).to_string())] }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn paying(self, payment: &str) -> Self {
        self.with("payment-signature", payment)
    }
}

impl Inbound for Request {
    fn method(&self) -> &str {
        self.method
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
        self.headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.clone())
    }

    async fn body(&self, _limit: usize) -> Result<Vec<u8>, CollectError> {
        Ok(Vec::new())
    }
}

/// A payment that its payer signed.
fn signed(nonce: u32) -> String {
    let offer = Offer::usdc(Network::BaseSepolia, Uint256::from(10_000), PAY_TO.parse().expect("an address"), 300);
    let signer = Signer::from_secret(&[7; 32]).expect("a secret");
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&nonce.to_be_bytes());
    let authorization = Authorization {
        from: signer.address(),
        to: offer.pay_to,
        value: offer.amount,
        valid_after: Uint256::ZERO,
        valid_before: Uint256::from(NOW_S + 300),
        nonce: Nonce(bytes),
    };
    let signature = hex::encode(&signer.sign(&authorization.digest(&offer)));
    header::encode(&json!({
        "x402Version": 2,
        "accepted": offer.to_requirements(),
        "payload": {"signature": signature, "authorization": authorization},
    }))
}

fn dispatcher(world: &World, plan: &str) -> Dispatcher<InMemory> {
    let price = json!({"amount": "10000", "network": "eip155:84532", "payTo": PAY_TO});
    let directory = json!({"tenants": [{"id": "acme", "plan": plan, "slug": "acme", "price": price}]});
    let vars = Vars {
        environment: Some("test".to_owned()),
        tenant_directory: Some(directory.to_string()),
        facilitators: Some(r#"[{"id":"primary","url":"https://primary"}]"#.to_owned()),
        ..Vars::default()
    };
    let config = Config::from_vars(&vars, &BTreeMap::new()).expect("the configuration is fine");
    let [namespace, ledger, clock, randomness, log] = [(); 5].map(|()| world.clone());
    let ports = Ports { namespace, ledger, clock, randomness, log, tenants: config.directory };
    Dispatcher::new(ports, IsolateMemory { gate: Rc::new(Gate::new(7)), ..IsolateMemory::default() })
}

type Answered<'a> = Pin<Box<dyn Future<Output = u16> + 'a>>;

/// The status of what is answered at once. `Err`: it is under way.
fn ask<'a>(dispatcher: &'a Dispatcher<InMemory>, request: &'a Request) -> Result<u16, Answered<'a>> {
    let mut asked: Answered<'a> = Box::pin(async { dispatcher.handle(request).await.answer.status });
    match pin!(&mut asked).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(status) => Ok(status),
        Poll::Pending => Err(asked),
    }
}

fn refusals(criterion: &mut Criterion) {
    let world = World::default();
    let dispatcher = dispatcher(&world, "business");
    let status = |request: &Request| ask(&dispatcher, request).unwrap_or_default();
    for number in 0..1_000_000 {
        status(&Request::from(0x0a00_0000 + number));
    }
    let mut number = 0x0b00_0000;
    criterion.bench_function("a request without a payment, from an address not seen before: 402", |bench| {
        bench.iter(|| {
            number += 1;
            black_box(status(&Request::from(number)))
        });
    });
    let measure = |criterion: &mut Criterion, what: &str, expected: u16, request: &Request| {
        assert_eq!(status(request), expected, "{what}");
        criterion.bench_function(&format!("{what}: {expected}"), |bench| bench.iter(|| black_box(status(request))));
    };
    let preflight = Request { method: "OPTIONS", ..Request::from(1) }.with("access-control-request-method", "GET");
    world.0.set(Says::Run);
    // The clock stands still, so that soon the tenant's rate is used up, and it is answered in the tenant's place.
    measure(criterion, "a preflight", 204, &preflight);
    while status(&Request::from(2)) != 429 {}
    measure(criterion, "an unpaid request from an address that floods", 429, &Request::from(2));
    let small = self::dispatcher(&world, "free");
    let limited = Request::from(9);
    while ask(&small, &limited).unwrap_or_default() != 429 {}
    criterion.bench_function("a request over its address's rate: 429", |bench| {
        bench.iter(|| black_box(ask(&small, &limited).unwrap_or_default()));
    });
    // Each costs the address a count of its rate, and the same payment, sent again, is let in only so often.
    let known = signed(0);
    let known = Request::from(6).paying(&known);
    let under_way = {
        world.0.set(Says::Nothing);
        ask(&dispatcher, &known).err()
    };
    while ask(&dispatcher, &known).is_err() {}
    measure(criterion, "a payment again, over its own rate", 429, &known);
    drop(under_way);
    world.0.set(Says::Run);
    criterion.bench_function("a payment whose header is no base64, from an address not seen before: 400", |bench| {
        bench.iter(|| {
            number += 1;
            black_box(status(&Request::from(number).paying("junk!")))
        });
    });
    while status(&Request::from(3).paying("junk!")) != 429 {}
    measure(
        criterion,
        "a payment from an address that floods malformed ones",
        429,
        &Request::from(3).paying(&signed(0)),
    );

    world.0.set(Says::Invalid);
    let mut nonce = 0;
    let worthless = |nonce: u32| status(&Request::from(4).paying(&signed(nonce)));
    while worthless(nonce) != 429 {
        nonce += 1;
    }
    measure(
        criterion,
        "a payment from an address whose payments prove worthless",
        429,
        &Request::from(4).paying(&signed(0)),
    );

    world.0.set(Says::Run);
    let failed = signed(10_000);
    let failed = Request::from(5).paying(&failed);
    while status(&failed) != 429 {}
    measure(criterion, "a payment that came to nothing and must wait", 429, &failed);

    world.0.set(Says::Nothing);
    let requests: Vec<_> = (0..128).map(|n| Request::from(0x0c00_0000 + n).paying(&signed(20_000 + n))).collect();
    let under_way: Vec<_> = requests.iter().filter_map(|request| ask(&dispatcher, request).err()).collect();
    assert_eq!(under_way.len(), 128, "the ceiling of the plan");
    let stranger = Request::from(0x0c00_ffff).paying(&signed(30_000));
    measure(criterion, "a stranger's payment over the tenant's ceiling, signature checked", 429, &stranger);
    drop(under_way);

    let requests: Vec<_> = (0..8).map(|n| Request::from(10).paying(&signed(40_000 + n))).collect();
    let under_way: Vec<_> = requests.iter().filter_map(|request| ask(&dispatcher, request).err()).collect();
    assert_eq!(under_way.len(), 8, "the places of an address");
    let ninth = Request::from(10).paying(&signed(50_000));
    measure(criterion, "a payment over its address's places", 429, &ninth);
    drop(under_way);
}

criterion_group!(benches, refusals);
criterion_main!(benches);
