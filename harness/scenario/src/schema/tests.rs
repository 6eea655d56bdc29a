//! The committed schema is the code's, and it agrees with the reader about every shape: what ships is valid, and what it
//! refuses the reader refuses, too.

use super::*;
use crate::Scenario;
use std::{fs, path::PathBuf};
use x402_protocol::{PaymentFlow, v2::IdentifierRule};

const GOOD: &str = include_str!("../tests/good.toml");

fn folder() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios").into()
}

fn parsed() -> Value {
    serde_json::from_str(&schema()).expect("it is JSON")
}

fn errors(schema: &Value, text: &str) -> Vec<String> {
    validate::errors(schema, &toml::from_str(text).expect("it is TOML"))
}

#[test]
fn the_committed_schema_is_what_the_types_say() {
    let committed = fs::read_to_string(folder().join("schema.json")).expect("scenarios/schema.json is there");
    assert!(committed == schema(), "run `cargo run -p harness -- schema`, and commit what it wrote");
}

#[test]
fn every_scenario_names_the_schema_and_keeps_it() {
    let schema = parsed();
    let files =
        fs::read_dir(folder()).expect("the library is there").map(|entry| entry.expect("it is readable").path());
    let scenarios: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|is| is == "toml")).collect();
    assert!(!scenarios.is_empty());
    for path in scenarios {
        let text = fs::read_to_string(&path).expect("it is readable");
        assert!(text.starts_with("#:schema ./schema.json\n"), "{} does not name its schema", path.display());
        assert_eq!(errors(&schema, &text), [""; 0], "{}", path.display());
    }
}

#[test]
fn what_the_schema_refuses_the_reader_refuses_too() {
    let schema = parsed();
    assert_eq!(errors(&schema, GOOD), [""; 0]);
    for (from, to, at) in [
        ("rate = 5", "rat = 5", "/traffic/0: additionalProperties"),
        ("rate = 5", "", "/traffic/0: oneOf"),
        ("rate = 5", "rate = 0", "/traffic/0/rate: exclusiveMinimum"),
        ("rate = 5", "ramp = { from = 1, to = 1001 }", "/traffic/0/ramp/to: maximum"),
        ("{ paid = 8, unpaid = 2 }", "{ pay = 8 }", "/traffic/0/mix: additionalProperties"),
        ("{ paid = 8, unpaid = 2 }", "{}", "/traffic/0/mix: minProperties"),
        ("from = \"7s\"", "from = \"7sec\"", "/fault/1/from: pattern"),
        ("from = \"7s\"", "from = 7", "/fault/1/from: type"),
        ("inject.settle-then-hang = {}", "inject.settle-and-hang = {}", "/fault/1/inject: oneOf"),
        ("{ after = \"head\" }", "{ after = \"body\" }", "/fault/0/inject: oneOf"),
        ("hold.settle-at-most-once = {}", "hold.settles-once = {}", "/must/0/hold: oneOf"),
        ("quantile = 95.0", "quantile = 100.0", "/must/2/hold: oneOf"),
        ("pick.first = 3", "pick.first = 0", "/fault/0/pick: oneOf"),
        ("id = \"acme\"", "id = \"Acme\"", "/world/tenant/0/id: pattern"),
        ("plan = \"free\"", "plan = \"gratis\"", "/world/tenant/1/plan: enum"),
        ("price = \"0.01\"", "price = \"1 cent\"", "/world/tenant/0/price: pattern"),
        ("price = \"0.01\"", "payment-flow = \"escrow\"", "/world/tenant/0/payment-flow: oneOf"),
        ("network = \"eip155:84532\"", "network = \"base\"", "/world/network: pattern"),
        ("facilitators = [\"primary\", \"standby\"]", "facilitators = []", "/world/facilitators: minItems"),
        ("seed = 42", "profile = \"prs\"", "/profile: oneOf"),
        ("seed = 42", "tags = [\"a\", \"a\"]", "/tags: uniqueItems"),
        ("title = \"A good scenario\"", "", ": required"),
    ] {
        assert_eq!(GOOD.matches(from).count(), 1, "{from:?} must stand once in good.toml");
        let broken = GOOD.replace(from, to);
        let found = errors(&schema, &broken);
        assert!(found.iter().any(|error| error == at), "{from} -> {to}: wanted {at:?}, got {found:?}");
        assert!(Scenario::parse("broken.toml", &broken).is_err(), "{from} -> {to}: the reader takes it");
    }
}

/// The schema's examples stand in for every variant: a fault or a checker that it did not know would be refused.
#[test]
fn every_example_of_the_catalogues_keeps_the_schema() {
    let schema = parsed();
    for (key, good, catalogue) in [
        ("inject", "inject.settle-then-hang = {}", &Inject::CATALOGUE[..]),
        ("hold", "hold.settle-at-most-once = {}", &Checker::CATALOGUE[..]),
    ] {
        for listed in catalogue {
            let text = GOOD.replace(good, &format!("{key}.{} = {}", listed.name, listed.example));
            assert_eq!(errors(&schema, &text), [""; 0], "{}", listed.name);
        }
    }
}

#[test]
fn the_protocols_names_are_the_protocols() {
    let names = |of: &str| -> Vec<Value> {
        let schema = parsed();
        let property = &schema["definitions"]["Tenant"]["properties"][of];
        let variants = property["oneOf"].as_array().or(property["enum"].as_array()).expect("names").clone();
        variants.into_iter().map(|one| one.get("const").cloned().unwrap_or(one)).collect()
    };
    let said = |value: serde_json::Result<Value>| value.expect("a name is JSON");
    let flows = [PaymentFlow::Authorization, PaymentFlow::Upfront].map(|flow| said(serde_json::to_value(flow)));
    assert_eq!(names("payment-flow"), flows);
    let rules = [IdentifierRule::Required, IdentifierRule::Optional, IdentifierRule::Off];
    assert_eq!(names("payment-identifier"), rules.map(|rule| said(serde_json::to_value(rule))));
}

#[test]
fn every_key_is_explained_to_the_editor() {
    let schema = parsed();
    let mut silent = Vec::new();
    let definitions = schema["definitions"].as_object().expect("there are some").iter();
    for (name, definition) in definitions.chain([(&"Scenario".to_owned(), &schema)]) {
        for (key, property) in definition["properties"].as_object().into_iter().flatten() {
            if property["description"].as_str().is_none_or(str::is_empty) {
                silent.push(format!("{name}.{key}"));
            }
        }
    }
    assert_eq!(silent, [""; 0]);
}
