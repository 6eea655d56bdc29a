//! What finding a tenant costs among few and among many: in a stored directory whose bucket the isolate has, and for a name
//! that nobody has.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use dispatcher_core::{
    directory::{Directory, cache::Cache, snapshot, stored::Stored},
    paywall::{UnixMillis, ports::Clock},
    ports::{CollectError, DirectoryLog, Inbound, SnapshotStore},
    resolve::resolve,
    telemetry::DirectoryEvent,
    tenant::Available,
};
use std::{
    collections::BTreeMap,
    fmt::Write,
    hint::black_box,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};
use x402_protocol::Network;

/// Storage that answers at once, and time that stands still.
struct Memory(BTreeMap<String, Vec<u8>>);

impl SnapshotStore for Memory {
    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(self.0.get(key).cloned())
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> UnixMillis {
        UnixMillis(0)
    }
    async fn sleep(&self, _millis: u64) {}
}

impl DirectoryLog for Still {
    fn record(&self, _event: &DirectoryEvent) {}
}

fn stored(tenants: usize) -> Stored<Memory, Still, Still> {
    let mut registry = String::from(r#"{"tenants":["#);
    for n in 0..tenants {
        let comma = if n == 0 { "" } else { "," };
        write!(registry, r#"{comma}{{"id":"t{n}","plan":"pro","slug":"t{n}","hosts":["t{n}.example"]}}"#)
            .expect("a string takes everything");
    }
    registry.push_str("]}");
    let available = Available { network: Network::BaseSepolia, facilitators: [].into() };
    let entries = snapshot::publish(1, &registry, &available).expect("the registry is well-formed");
    Stored {
        listed: Rc::new(Directory::default()),
        cache: Rc::new(Cache::new(available)),
        store: Memory(entries.into_iter().collect()),
        clock: Still,
        log: Still,
    }
}

/// Runs a future that never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("a store in memory answers at once"),
    }
}

struct Request {
    host: String,
    path: String,
}

impl Inbound for Request {
    fn method(&self) -> &str {
        "GET"
    }
    fn origin(&self) -> &str {
        "https://unused.example"
    }
    fn host(&self) -> &str {
        &self.host
    }
    fn path(&self) -> &str {
        &self.path
    }
    fn query(&self) -> Option<&str> {
        None
    }
    fn header(&self, _: &str) -> Option<String> {
        None
    }

    async fn body(&self, _limit: usize) -> Result<Vec<u8>, CollectError> {
        Ok(Vec::new())
    }
}

fn resolving(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("resolve");
    for tenants in [100, 1_000_000] {
        let directory = stored(tenants);
        let some = tenants / 2;
        for (name, host, path) in [
            ("by host", format!("t{some}.example"), "/quote".to_owned()),
            ("by slug", "unknown.example".to_owned(), format!("/t/t{some}/quote")),
            ("unknown", "unknown.example".to_owned(), "/t/unknown/quote".to_owned()),
        ] {
            let request = Request { host, path };
            group.bench_function(BenchmarkId::new(name, tenants), |bench| {
                bench.iter(|| ready(resolve(&directory, black_box(&request))));
            });
        }
    }
}

criterion_group!(benches, resolving);
criterion_main!(benches);
