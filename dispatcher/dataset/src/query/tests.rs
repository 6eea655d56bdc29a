//! Questions, held against a plain search through all rows.

use super::*;
use crate::{
    Dataset,
    build::{Options, build},
    source::{SourceOptions, read},
};
use proptest::prelude::*;

fn dataset(csv: &str) -> Dataset<Vec<u8>> {
    let table = read(csv.as_bytes(), &SourceOptions::default()).unwrap();
    Dataset::open(build(&table, &Options::default()).unwrap()).unwrap()
}

fn ask(dataset: &Dataset<Vec<u8>>, query: &str) -> Vec<usize> {
    Query::parse(query, dataset).unwrap_or_else(|error| panic!("{query}: {error}")).run(dataset).rows
}

fn refused(dataset: &Dataset<Vec<u8>>, query: &str) -> String {
    Query::parse(query, dataset).map(|query| format!("{query:?}")).expect_err(query).to_string()
}

const CITIES: &str = "id,city,people,founded,big\n\
    a,Brno,379466,1243-01-01,true\n\
    b,Praha,1397880,,true\n\
    c,Ústí,91963,1056-01-01,false\n\
    d,Plzeň,,1295-01-01,\n\
    e,Brno,12345678901234567890,1900-05-05,true\n";

#[test]
fn filters_are_asked_in_the_words_of_two_servers() {
    let cities = dataset(CITIES);
    for (query, rows) in [
        ("", &[0, 1, 2, 3, 4][..]),
        ("city=Brno", &[0, 4]),
        ("filter[city]='Brno'", &[0, 4]),
        ("filter[city]=Brno", &[0, 4]),
        ("city__exact=Brno&people__gt=400000", &[4]),
        ("filter[people]gte=379466", &[0, 1, 4]),
        ("filter[people]lt=379466.5", &[0, 2]),
        ("people__lte=91963.0", &[2]),
        ("people__not=91963", &[0, 1, 4]),
        ("people__isnull=1", &[3]),
        ("people__notnull=1", &[0, 1, 2, 4]),
        ("city__in=Brno,Praha", &[0, 1, 4]),
        ("city__notin=Brno,Praha,Nowhere", &[2, 3]),
        ("city__startswith=P", &[1, 3]),
        ("city=%C3%9Ast%C3%AD", &[2]),
        ("founded__gte=1200-01-01&founded__lt=1300-01-01", &[0, 3]),
        ("big=TRUE", &[0, 1, 4]),
        ("city=Nowhere", &[]),
        ("people=12345678901234567890", &[4]),
    ] {
        assert_eq!(ask(&cities, query), rows, "{query}");
    }
}

#[test]
fn an_order_has_nulls_first_and_rows_last() {
    let cities = dataset(CITIES);
    assert_eq!(ask(&cities, "sort=people"), [3, 2, 0, 1, 4]);
    assert_eq!(ask(&cities, "sort=-people"), [4, 1, 0, 2, 3]);
    assert_eq!(ask(&cities, "sort=-big,city"), [0, 4, 1, 2, 3]);
    assert_eq!(ask(&cities, "sort=city,-id&limit=2"), [4, 0]);
}

#[test]
fn what_is_not_understood_is_refused() {
    let cities = dataset(CITIES);
    for (query, said) in [
        ("limit=0", "limit: is \"0\", not a number from 1 to 1000"),
        ("limit=5&limit=6", "limit: is there twice"),
        ("limt=5", "limt: is neither a parameter nor a column; did you mean \"limit\"?"),
        ("offset=5", "offset: is neither a parameter nor a column; there are columns"),
        ("columns=city,citty", "columns: there is no column \"citty\"; did you mean \"city\"?"),
        ("sort=-city,city", "sort: has \"city\" twice"),
        ("city__contains=r", "city__contains: there is no \"contains\"; there are exact, eq"),
        ("people__gt=many", "people__gt: \"many\" is not a number"),
        ("founded=yesterday", "founded: \"yesterday\" is not a date"),
        ("people__startswith=1", "people__startswith: is of type bigint"),
        ("filter[city=Brno", "filter[city: is not closed"),
        ("city=%zz", "%zz: has a % that two digits do not follow"),
        ("city=%ff", "%ff: is not UTF-8"),
        ("cursor=7", "cursor: is not one that was handed out"),
        ("cursor=00000000-00000000-1", "cursor: is of another version"),
    ] {
        let why = refused(&cities, query);
        assert!(why.starts_with(said), "{query}: {why}");
    }
}

#[test]
fn a_cursor_is_of_one_version_and_one_question() {
    let cities = dataset(CITIES);
    let page = Query::parse("sort=people&limit=2", &cities).unwrap().run(&cities);
    let next = page.next(&cities).unwrap();
    assert_eq!(ask(&cities, &format!("sort=people&limit=2&cursor={next}")), [0, 1]);
    assert!(refused(&cities, &format!("sort=-people&cursor={next}")).contains("other filters or another order"));
    let other = dataset(&CITIES.replace("Praha", "Prague"));
    assert!(refused(&other, &format!("sort=people&cursor={next}")).contains("another version"));
}

/// The rows that pass, put in order by looking at every one.
fn by_search(rows: &[(Option<i64>, String)], least: i64, name: &str, sort: &str) -> Vec<usize> {
    let mut found: Vec<usize> = (0..rows.len())
        .filter(|row| rows[*row].0.is_some_and(|n| n >= least) && (name.is_empty() || rows[*row].1 == name))
        .collect();
    found.sort_by(|one, other| {
        let (one, other) = (&rows[*one], &rows[*other]);
        match sort {
            "n" => one.0.cmp(&other.0),
            "-n,name" => other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)),
            "name,-n" => one.1.cmp(&other.1).then_with(|| other.0.cmp(&one.0)),
            "-name" => other.1.cmp(&one.1),
            _ => std::cmp::Ordering::Equal,
        }
    });
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Above and below the number of rows that are looked at one by one.
    #[test]
    fn pages_one_after_the_other_are_what_a_search_finds(
        rows in prop::collection::vec((prop::option::of(0_i64..60), "[a-c]{1,2}"), 1..3_000),
        least in prop::sample::select(vec![0_i64, 1, 7, 30, 49]),
        name in prop::sample::select(vec!["", "a", "bc"]),
        sort in prop::sample::select(vec!["", "n", "-n,name", "name,-n", "-name"]),
        limit in 200_usize..=1_000,
    ) {
        let csv: String = rows.iter().map(|(n, name)| format!("{},{name}\n", n.map_or(String::new(), |n| n.to_string()))).collect();
        let dataset = dataset(&format!("n,name\n{csv}"));
        prop_assume!(dataset.meta().columns[0].distinct > 0);
        let expected = by_search(&rows, least, name, sort);
        let mut query = format!("n__gte={least}&limit={limit}");
        if !name.is_empty() {
            query += &format!("&name={name}");
        }
        if !sort.is_empty() {
            query += &format!("&sort={sort}");
        }
        let (mut found, mut cursor) = (Vec::<usize>::new(), String::new());
        loop {
            let page = Query::parse(&format!("{query}{cursor}"), &dataset).unwrap().run(&dataset);
            prop_assert_eq!(page.total, expected.len());
            found.extend(&page.rows);
            match page.next(&dataset) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        prop_assert_eq!(found, expected);
    }
}
