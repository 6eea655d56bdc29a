//! As much of a JSON Schema validator as our own schema needs. A keyword that it does not know is a panic, so that nothing is
//! taken for valid because it was not looked at.

use regex::Regex;
use serde_json::Value;

/// The places at which the value breaks the schema, and how; empty where it does not.
pub fn errors(root: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(root, root, value, "", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let Some(keywords) = schema.as_object() else {
        if schema == &Value::Bool(false) {
            found.push(format!("{at}: nothing may stand here"));
        }
        return;
    };
    let holds = |schema: &Value| {
        let mut wrong = Vec::new();
        check(root, schema, value, at, &mut wrong);
        wrong.is_empty()
    };
    for (keyword, wanted) in keywords {
        let number = || wanted.as_f64().expect("a bound is a number");
        let count = || wanted.as_u64().expect("a bound is a count") as usize;
        let fine = match keyword.as_str() {
            "$schema" | "title" | "description" | "definitions" => true,
            "$ref" => {
                let pointer = wanted.as_str().and_then(|to| to.strip_prefix('#')).expect("a reference into the schema");
                check(root, root.pointer(pointer).expect("it leads somewhere"), value, at, found);
                true
            }
            "type" => match wanted.as_str().expect("one type") {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_u64() || value.is_i64(),
                "number" => value.is_number(),
                "boolean" => value.is_boolean(),
                other => panic!("no type {other}"),
            },
            "enum" => wanted.as_array().expect("a list").contains(value),
            "const" => wanted == value,
            "pattern" => {
                let pattern = Regex::new(wanted.as_str().expect("a pattern")).expect("a sound one");
                value.as_str().is_none_or(|text| pattern.is_match(text))
            }
            "minLength" => value.as_str().is_none_or(|text| text.chars().count() >= count()),
            "maxLength" => value.as_str().is_none_or(|text| text.chars().count() <= count()),
            "minItems" => value.as_array().is_none_or(|items| items.len() >= count()),
            "maxItems" => value.as_array().is_none_or(|items| items.len() <= count()),
            "minProperties" => value.as_object().is_none_or(|members| members.len() >= count()),
            "uniqueItems" => value
                .as_array()
                .is_none_or(|items| items.iter().enumerate().all(|(n, item)| !items[..n].contains(item))),
            "minimum" => value.as_f64().is_none_or(|it| it >= number()),
            "maximum" => value.as_f64().is_none_or(|it| it <= number()),
            "exclusiveMinimum" => value.as_f64().is_none_or(|it| it > number()),
            "exclusiveMaximum" => value.as_f64().is_none_or(|it| it < number()),
            "required" => {
                wanted.as_array().expect("a list").iter().all(|name| value.get(name.as_str().unwrap()).is_some())
            }
            "properties" => {
                for (name, schema) in wanted.as_object().expect("an object") {
                    if let Some(member) = value.get(name) {
                        check(root, schema, member, &format!("{at}/{name}"), found);
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = |name: &str| schema["properties"].get(name).is_some();
                assert_eq!(wanted, false, "an object is closed");
                value.as_object().is_none_or(|members| members.keys().all(|name| known(name)))
            }
            "items" => {
                for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, wanted, item, &format!("{at}/{n}"), found);
                }
                true
            }
            "allOf" => {
                wanted.as_array().expect("a list").iter().for_each(|one| check(root, one, value, at, found));
                true
            }
            "oneOf" => wanted.as_array().expect("a list").iter().filter(|one| holds(one)).count() == 1,
            unknown => panic!("{at}: the validator knows no {unknown}"),
        };
        if !fine {
            found.push(format!("{at}: {keyword}"));
        }
    }
}
