//! What a simulated run costs, and what judging it costs, by its length: both should cost the same for each request and each
//! event, however many there are. `cargo bench -p harness --bench simulator`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use harness::{play::RunSpec, sim};
use judge::{self, History};
use reports::event::{Event, Recorded};
use scenario::{Scenario, Tier};
use std::hint::black_box;

/// Seconds of traffic at twenty arrivals a second.
const LENGTHS_S: [u64; 3] = [5, 20, 80];

fn scenario(seconds: u64, mix: &str) -> Scenario {
    let text = format!(
        r#"
id    = "bench"
title = "Steady traffic"
seed  = 1
[world]
facilitators = ["primary", "standby"]
[[world.tenant]]
id    = "acme"
plan  = "pro"
price = "0.01"
[[phase]]
name = "steady"
from = "0s"
[[traffic]]
name = "callers"
from = "0s"
to   = "{seconds}s"
rate = 20
mix  = {{ {mix} }}
[[must]]
id = "MONEY-1"
hold.settle-at-most-once = {{}}
[[must]]
id = "MONEY-2"
hold.paid-content-only-after-settlement = {{}}
[[must]]
id = "MONEY-3"
hold.unknown-is-not-failed = {{}}
[[must]]
id = "MONEY-4"
hold.nobody-pays-for-nothing = {{}}
[[must]]
id = "MONEY-5"
hold.settle-stays-put-while-unknown = {{}}
[[must]]
id = "MONEY-6"
hold.verify-before-run-settle-after = {{}}
[[must]]
id = "MONEY-8"
hold.books-balance = {{}}
[[must]]
id = "LIVE-2"
hold.every-request-ends-once = {{}}
"#
    );
    Scenario::parse("bench.toml", &text).map_err(miette::Report::new).expect("a valid scenario")
}

fn run(scenario: &Scenario) -> Vec<Recorded> {
    sim::simulate(RunSpec { scenario, as_: "bench", tier: Tier::Sim, seed: 1 }).expect("it runs")
}

fn simulate(criterion: &mut Criterion) {
    for (name, mix) in [("simulate unpaid", "unpaid = 1"), ("simulate paid", "paid = 1")] {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10);
        for seconds in LENGTHS_S {
            let scenario = scenario(seconds, mix);
            let requests = run(&scenario).iter().filter(|event| matches!(event.event, Event::ExchangeEnded(_))).count();
            group.throughput(Throughput::Elements(requests as u64));
            group.bench_function(BenchmarkId::from_parameter(format!("{requests} requests")), |bencher| {
                bencher.iter(|| run(black_box(&scenario)));
            });
        }
        group.finish();
    }
}

fn judges(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("judge");
    group.sample_size(10);
    for seconds in LENGTHS_S {
        let scenario = scenario(seconds, "paid = 4, unpaid = 1");
        let events = run(&scenario);
        group.throughput(Throughput::Elements(events.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("{} events", events.len())), |bencher| {
            bencher.iter_batched(
                || events.clone(),
                |events| judge::judge(scenario.musts(), &History::new(events)),
                criterion::BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, simulate, judges);
criterion_main!(benches);
