//! Questions to a data set of a million rows: what a request costs, and what opening it does.

use criterion::{Criterion, criterion_group, criterion_main};
use dataset::{
    Dataset, Options, SourceOptions,
    api::{Request, Site, answer},
    build, source,
};
use std::{fmt::Write as _, hint::black_box};

const ROWS: usize = 1_000_000;

/// Names, numbers, dates and few-valued columns, in an order that is no column's.
fn csv() -> String {
    let mut csv = "id,name,country,amount,day,score\n".to_owned();
    let mut chance = 88_172_645_463_325_252_u64;
    for row in 0..ROWS {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        let (country, month, day) = (chance % 200, chance / 7 % 12 + 1, chance / 11 % 28 + 1);
        let (amount, score) = (chance / 13 % 1_000_000, chance / 17 % 1_000);
        let _infallible = writeln!(
            csv,
            "{row},Customer {:07},C{country:03},{}.{:02},20{:02}-{month:02}-{day:02},{score}",
            chance / 3 % 10_000_000,
            amount / 100,
            amount % 100,
            chance / 5 % 25
        );
    }
    csv
}

fn million(c: &mut Criterion) {
    let csv = csv();
    let table = source::read(csv.as_bytes(), &SourceOptions::default()).expect("it is well-formed");
    let bytes = build(&table, &Options::default()).expect("it fits");
    println!("{} bytes of CSV, {} laid out", csv.len(), bytes.len());
    let dataset = Dataset::open(bytes).expect("it was laid out just now");
    let site = Site::new();
    let mut group = c.benchmark_group("million");
    group.sample_size(20);
    for (name, query) in [
        ("first page", ""),
        ("one value of many", "name=Customer 1234567"),
        ("two filters", "country=C042&score__gte=990"),
        ("half of the rows", "score__lt=500&limit=100"),
        ("three wide filters", "score__lt=900&amount__gt=100&day__gte=2003-01-01"),
        ("order", "sort=-amount"),
        ("order of half", "score__lt=500&sort=-amount"),
        ("order by two", "score__lt=500&sort=country,-amount"),
        ("a thousand", "limit=1000&sort=day"),
    ] {
        let query = query.replace(' ', "%20");
        let request = Request { method: "GET", path: "/v1/records", query: &query, accept: None, if_none_match: None };
        assert_eq!(answer(&dataset, &site, &request).status, 200, "{query}");
        group.bench_function(name, |b| b.iter(|| black_box(answer(&dataset, &site, &request))));
    }
    group.finish();
}

criterion_group!(benches, million);
criterion_main!(benches);
