//! The JSON Schema of the language, made from the types that read it, so that an editor completes and checks a file while
//! it is written. It knows shapes; whether names resolve and windows fit, only `Scenario::parse` says.
//!
//! The surprising constraint: draft 07, because the TOML language servers in use read nothing later.

#[cfg(test)]
mod tests;
#[cfg(test)]
mod validate;

use super::RawScenario;
use doubles::Inject;
use grammar::Listed;
use judge::Checker;
use schemars::{
    Schema,
    generate::SchemaSettings,
    transform::{Transform, transform_subschemas},
};
use serde_json::Value;

/// The schema as it stands in `scenarios/schema.json`.
pub fn schema() -> String {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<RawScenario>();
    AsTomlHasIt.transform(&mut schema);
    let mut schema = schema.to_value();
    describe(&mut schema["definitions"]["Inject"], &Inject::CATALOGUE);
    describe(&mut schema["definitions"]["Checker"], &Checker::CATALOGUE);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}

/// Leaves out what no TOML file can have: null, and formats of numbers that only Rust knows.
#[derive(Clone)]
struct AsTomlHasIt;

impl Transform for AsTomlHasIt {
    fn transform(&mut self, schema: &mut Schema) {
        schema.remove("format");
        schema.remove("default");
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|one| one != "null");
            if let [only] = &types[..] {
                let only = only.clone();
                schema.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(any)) = schema.get_mut("anyOf") {
            any.retain(|one| one["type"] != "null");
            if let [only] = &any[..] {
                let only = only.clone();
                schema.remove("anyOf");
                // A sibling of `$ref` is not looked at in this draft.
                schema.insert("allOf".to_owned(), Value::Array(vec![only]));
            }
        }
        transform_subschemas(self, schema);
    }
}

/// Says of each variant of an enum what the list of its catalogue does.
fn describe(definition: &mut Value, catalogue: &[Listed]) {
    let variants = definition["oneOf"].as_array_mut().expect("an externally tagged enum is one of its variants");
    for variant in variants {
        let name = variant["required"][0].as_str().expect("a variant's only key").to_owned();
        let listed = catalogue.iter().find(|listed| listed.name == name).expect("a test holds the two equal");
        variant["properties"][&name]["description"] = listed.says.into();
    }
}
