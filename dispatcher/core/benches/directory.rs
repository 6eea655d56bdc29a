//! What finding a tenant costs among few and among many.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use dispatcher_core::{directory::Directory, ports::Inbound, resolve::resolve, tenant::Available};
use serde_json::json;
use std::hint::black_box;
use x402_protocol::Network;

fn directory(tenants: usize) -> Directory {
    let tenant =
        |n| json!({"id": format!("t{n}"), "plan": "pro", "slug": format!("t{n}"), "hosts": [format!("t{n}.example")]});
    let registry = json!({"tenants": (0..tenants).map(tenant).collect::<Vec<_>>()});
    let available = Available { network: Network::BaseSepolia, facilitators: [].into() };
    Directory::from_json(&registry.to_string(), &available).expect("the registry is well-formed")
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
}

fn resolving(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("resolve");
    for tenants in [10, 10_000] {
        let directory = directory(tenants);
        let request = |host: String, path: String| Request { host, path };
        let by_host = request(format!("t{}.example", tenants / 2), "/quote".to_owned());
        let by_slug = request("unknown.example".to_owned(), format!("/t/t{}/quote", tenants / 2));
        group.bench_function(BenchmarkId::new("by host", tenants), |bench| {
            bench.iter(|| resolve(&directory, black_box(&by_host)));
        });
        group.bench_function(BenchmarkId::new("by slug", tenants), |bench| {
            bench.iter(|| resolve(&directory, black_box(&by_slug)));
        });
    }
}

criterion_group!(benches, resolving);
criterion_main!(benches);
