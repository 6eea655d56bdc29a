//! Requests as callers send them.

use super::*;
use crate::{Options, SourceOptions, build, source};

fn dataset(file: &str, options: &Options) -> Dataset<Vec<u8>> {
    let table = source::read(file.as_bytes(), &SourceOptions::default()).unwrap();
    Dataset::open(build(&table, options).unwrap()).unwrap()
}

const ODD: &str = "id,big,when,note,zip\n\
    1,12345678901234567890,2026-01-01,\"a \"\"b\"\"\nc\",007\n\
    2,,,\"\",010\n\
    30,-5,1999-12-31,žluť 🐎,\n";

fn get<'a>(path: &'a str, accept: Option<&'a str>) -> Request<'a> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Request { method: "GET", path, query, accept, if_none_match: None }
}

fn ask(dataset: &Dataset<Vec<u8>>, path: &str, accept: Option<&str>) -> Response {
    answer(dataset, &Site::new(), &get(path, accept))
}

#[test]
fn what_is_odd_survives_in_every_form() {
    let odd = dataset(ODD, &Options::default());
    let json: Value = serde_json::from_str(&ask(&odd, "/v1/records", None).body).unwrap();
    assert_eq!(
        json,
        json!({
            "rows": [
                {"id": 1, "big": "12345678901234567890", "when": "2026-01-01", "note": "a \"b\"\nc", "zip": "007"},
                {"id": 2, "big": null, "when": null, "note": "", "zip": "010"},
                {"id": 30, "big": "-5", "when": "1999-12-31", "note": "žluť 🐎", "zip": null},
            ],
            "next": null,
            "total": 3,
        })
    );
    let csv = ask(&odd, "/v1/records", Some("text/csv"));
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(csv.body, ODD.replace('\n', "\r\n").replace("\"\"\r\nc\"", "\"\"\nc\""));
    let lines = ask(&odd, "/v1/records?columns=id,zip", Some("application/x-ndjson"));
    assert_eq!(lines.body, "{\"id\":1,\"zip\":\"007\"}\n{\"id\":2,\"zip\":\"010\"}\n{\"id\":30,\"zip\":null}\n");
}

#[test]
fn a_record_is_asked_for_by_its_id_or_its_number() {
    let odd = dataset(ODD, &Options::default());
    let record = ask(&odd, "/v1/records/30", None);
    assert!(record.status == 200 && record.body.starts_with("{\"id\":30,"), "{}", record.body);
    for missing in ["/v1/records/3", "/v1/records/x", "/v1/records/30.0", "/v1/records/"] {
        assert_eq!(ask(&odd, missing, None).status, 404, "{missing}");
    }
    assert_eq!(ask(&odd, "/v1/records/30?columns=id", None).status, 400);
    let numbered = dataset("a\nx\ny\n", &Options::default());
    assert_eq!(ask(&numbered, "/v1/records/2", None).body, "{\"rowid\":2,\"a\":\"y\"}");
    assert_eq!(ask(&numbered, "/v1/records/0", None).status, 404);
    let named = dataset("k,v\nčapek 1/2,9\n", &Options { id: Some("k".to_owned()), ..Options::default() });
    assert_eq!(ask(&named, "/v1/records/%C4%8Dapek%201%2F2", None).body, "{\"k\":\"čapek 1/2\",\"v\":9}");
}

#[test]
fn what_was_seen_before_is_not_sent_again() {
    let odd = dataset(ODD, &Options::default());
    for path in ["/v1/records?limit=1", "/v1/records/1", "/v1/schema", "/v1/preview", "/v1/stats"] {
        let tag = ask(&odd, path, None).header("etag").unwrap().to_owned();
        let again = |path, accept| {
            let known = format!("\"other\", W/{tag}");
            let request = Request { if_none_match: Some(&known), ..get(path, accept) };
            answer(&odd, &Site::new(), &request).status
        };
        assert_eq!(again(path, None), 304, "{path}");
    }
    let tag = ask(&odd, "/v1/records", None).header("etag").unwrap().to_owned();
    let other = Request { if_none_match: Some(&tag), ..get("/v1/records?limit=2", None) };
    assert_eq!(answer(&odd, &Site::new(), &other).status, 200);
    let other = Request { if_none_match: Some(&tag), ..get("/v1/records", Some("text/csv")) };
    assert_eq!(answer(&odd, &Site::new(), &other).status, 200);
}

#[test]
fn a_tag_that_was_made_up_does_not_tell_which_ids_there_are() {
    let odd = dataset(ODD, &Options::default());
    let status = |path: &'static str, known: &str| {
        answer(&odd, &Site::new(), &Request { if_none_match: Some(known), ..get(path, None) }).status
    };
    // Whoever reads the schema knows the version, and the rest of a tag is a hash of what is asked.
    for (there, missing) in [("/v1/records/30", "/v1/records/31"), ("/v1/records/1", "/v1/records/nobody")] {
        let made_up = |path: &str| tag(&odd.meta().version, &[path, "application/json"]);
        for path in [there, missing] {
            assert_eq!([status(path, "*"), status(path, &made_up(path))], [304, 304], "{path}");
        }
    }
}

#[test]
fn a_huge_question_is_refused_before_it_is_looked_at() {
    let odd = dataset(ODD, &Options::default());
    let many = format!("/v1/records?{}", "id=1&".repeat(1_600));
    let long = format!("/v1/records?note={}", "x".repeat(9_000));
    let named = format!("/v1/records?{}=1", "x".repeat(8_000));
    for (path, said) in [(many, "parameters"), (long, "bytes"), (named, "neither a parameter nor a column")] {
        let response = ask(&odd, &path, None);
        assert!(response.status == 400 && response.body.contains(said), "{}", response.body);
    }
}

#[test]
fn nothing_becomes_a_page_by_what_stands_in_it() {
    let odd = dataset(
        "a
<script>alert(1)</script>
",
        &Options::default(),
    );
    for path in ["/v1/records", "/v1/records/1", "/v1/records?<script>=1", "/v1/preview", "/nothing", "/v1/schema"] {
        for accept in [None, Some("text/csv"), Some("application/x-ndjson")] {
            let response = ask(&odd, path, accept);
            assert!(!response.header("content-type").unwrap().contains("html"), "{path}");
            assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{path} {accept:?}");
        }
    }
}

#[test]
fn a_refused_question_has_a_status_that_nobody_pays_for() {
    let odd = dataset(ODD, &Options::default());
    for (path, accept, status) in [
        ("/v1/records?limit=x", None, 400),
        ("/v1/records?nothing=1", None, 400),
        ("/v1/records", Some("image/png"), 406),
        ("/v2/records", None, 404),
        ("/v1/records?cursor=x", None, 400),
    ] {
        let response = ask(&odd, path, accept);
        assert_eq!(response.status, status, "{path}");
        let error: Value = serde_json::from_str(&response.body).unwrap();
        assert!(error["error"]["message"].is_string(), "{path}");
    }
    let post = Request { method: "POST", ..get("/v1/records", None) };
    assert_eq!(answer(&odd, &Site::new(), &post).status, 405);
    let head = Request { method: "HEAD", ..get("/v1/records", None) };
    let head = answer(&odd, &Site::new(), &head);
    assert!(head.status == 200 && head.body.is_empty());
}

#[test]
fn the_form_is_the_one_that_is_wanted_most() {
    for (accept, form) in [
        (None, Some(Form::Json)),
        (Some("*/*"), Some(Form::Json)),
        (Some("text/html, text/csv;q=0.9, */*;q=0.1"), Some(Form::Csv)),
        (Some("application/x-ndjson"), Some(Form::Ndjson)),
        (Some("application/json;q=0, text/csv"), Some(Form::Csv)),
        (Some("text/html"), None),
    ] {
        assert_eq!(form_of(accept), form, "{accept:?}");
    }
}

#[test]
fn a_seller_may_show_nothing_for_free() {
    let hidden = dataset(ODD, &Options { preview: 0, ..Options::default() });
    assert_eq!(ask(&hidden, "/v1/preview", None).status, 404);
    let stats: Value = serde_json::from_str(&ask(&hidden, "/v1/stats", None).body).unwrap();
    assert_eq!(stats["columns"][0], json!({"name": "id", "nulls": 0, "distinct": 3, "min": null, "max": null}));
    let two = dataset(ODD, &Options { preview: 2, ..Options::default() });
    let shown: Value = serde_json::from_str(&ask(&two, "/v1/preview", None).body).unwrap();
    assert_eq!(shown["rows"].as_array().map(Vec::len), Some(2));
}

#[test]
fn the_schema_says_what_a_row_is() {
    let odd = dataset(ODD, &Options::default());
    let schema: Value = serde_json::from_str(&ask(&odd, "/v1/schema", None).body).unwrap();
    let types: Vec<&str> = schema["columns"].as_array().unwrap().iter().map(|c| c["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["integer", "bigint", "date", "text", "text"]);
    assert_eq!(schema["record"]["properties"]["when"], json!({"type": ["string", "null"], "format": "date"}));
    let stats: Value = serde_json::from_str(&ask(&odd, "/v1/stats", None).body).unwrap();
    assert_eq!(
        stats["columns"][1],
        json!({"name": "big", "nulls": 1, "distinct": 2, "min": "-5", "max": "12345678901234567890"})
    );
}

#[test]
fn a_page_that_would_be_too_long_ends_earlier() {
    let long: String = (0..300).map(|n| format!("{n},{}\n", "x".repeat(10_000))).collect();
    let dataset = dataset(&format!("id,text\n{long}"), &Options::default());
    let page: Value = serde_json::from_str(&ask(&dataset, "/v1/records?limit=300", None).body).unwrap();
    let shown = page["rows"].as_array().unwrap().len();
    assert!((80..95).contains(&shown), "{shown}");
    let next = format!("/v1/records?limit=300&cursor={}", page["next"].as_str().unwrap());
    let page: Value = serde_json::from_str(&ask(&dataset, &next, None).body).unwrap();
    assert_eq!(page["rows"][0]["id"], json!(shown));
}

#[test]
fn documents_are_served_beside_the_data() {
    let odd = dataset(ODD, &Options::default());
    let document = Document { media_type: "text/plain".to_owned(), body: "hello".to_owned() };
    let site = Site::from([("/llms.txt".to_owned(), document)]);
    let response = answer(&odd, &site, &get("/llms.txt", None));
    assert_eq!((response.status, response.body.as_str()), (200, "hello"));
    assert!(answer(&odd, &site, &get("/nothing", None)).body.contains("/llms.txt"));
}
