//! The config that `wrangler dev` runs on, made from the one that is deployed. Surprising constraint: only what cannot
//! work locally may differ, or the harness would judge something else than what ships.

use super::{kv_double, location_double, namespace::Binding};
use jsonc_parser::ParseOptions;
use namespace::PLUGIN_NAME;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the dispatcher's production config is not JSONC: {0}")]
    Syntax(#[from] jsonc_parser::errors::ParseError),
    #[error("the dispatcher's production config is not an object")]
    NotAnObject,
    #[error("`{key}` of the dispatcher's production config is not {expected}")]
    Shape { key: &'static str, expected: &'static str },
    #[error(
        "the dispatcher's production config has {found} dispatch namespaces, but the harness has a stand-in for one"
    )]
    Namespaces { found: usize },
}

/// Which of the world's dispatchers a config is for.
#[derive(Clone, Copy, Debug)]
pub struct Seat {
    /// Counted from 1. The first has the Durable Objects, and the others call them there.
    pub number: usize,
    pub of: usize,
}

/// The stand-ins for bindings that do not work locally, or that are to fail.
#[derive(Clone, Copy, Debug)]
pub struct Doubles<'a> {
    pub namespace: &'a Binding,
    pub directory: Option<&'a PluginAt>,
    pub location: Option<&'a PluginAt>,
}

/// A double on loopback, and the plugin that binds it.
#[derive(Clone, Debug)]
pub struct PluginAt {
    pub plugin: PathBuf,
    pub address: SocketAddr,
}

/// The binding that the dispatcher reads its stored directory from.
const DIRECTORY: &str = "DIRECTORY";

/// `production` with the doubles in place of what they stand in for, the built bundle as `main`, and `vars` on top.
pub fn dev_config(
    production: &str,
    bundle_index_js: &Path,
    vars: &BTreeMap<String, String>,
    doubles: Doubles<'_>,
    seat: Seat,
) -> Result<Value, ConfigError> {
    let parsed: Value = jsonc_parser::parse_to_serde_value(production, &ParseOptions::default())?;
    let Value::Object(mut config) = parsed else { return Err(ConfigError::NotAnObject) };
    // The bundle is built before, once, and not by wrangler.
    config.remove("build");
    config.insert("main".into(), json!(bundle_index_js));
    add_vars(&mut config, vars)?;
    let binding = take_namespace_binding(&mut config)?;
    add_unsafe_binding(&mut config, namespace_binding(&binding, doubles.namespace))?;
    if let Some(directory) = doubles.directory {
        take_kv_binding(&mut config)?;
        add_unsafe_binding(&mut config, directory_binding(directory))?;
    }
    if let Some(location) = doubles.location {
        for binding in take_rate_limits(&mut config)? {
            add_unsafe_binding(&mut config, rate_limit_binding(&binding, location))?;
        }
    }
    if seat.of > 1 {
        share_durable_objects(&mut config, seat.number)?;
    }
    Ok(Value::Object(config))
}

/// A configuration of [`dev_config`], with another value of a variable.
pub fn with_var(config: &str, name: &str, value: &str) -> Result<Value, ConfigError> {
    let parsed: Value = jsonc_parser::parse_to_serde_value(config, &ParseOptions::default())?;
    let Value::Object(mut config) = parsed else { return Err(ConfigError::NotAnObject) };
    add_vars(&mut config, &BTreeMap::from([(name.to_owned(), value.to_owned())]))?;
    Ok(Value::Object(config))
}

/// Miniflare makes an identifier of the owner's name, so that must not begin with a digit, as the production name does.
fn share_durable_objects(config: &mut Map<String, Value>, number: usize) -> Result<(), ConfigError> {
    const SHAPE: ConfigError = ConfigError::Shape { key: "durable_objects.bindings", expected: "a list of objects" };
    let name = |number| format!("dispatcher-{number}");
    config.insert("name".into(), json!(name(number)));
    if number == 1 {
        return Ok(());
    }
    config.remove("migrations");
    let bindings = config.get_mut("durable_objects").and_then(|objects| objects.get_mut("bindings"));
    let bindings = bindings.and_then(Value::as_array_mut).ok_or(SHAPE)?;
    for binding in bindings {
        binding.as_object_mut().ok_or(SHAPE)?.insert("script_name".into(), json!(name(1)));
    }
    Ok(())
}

/// The file in which wrangler looks for secrets, beside the config. Of these it prints no values.
pub const SECRETS_FILE: &str = ".dev.vars";

/// The quotes that a value may stand in. The file knows no escapes: between two of one kind everything is as it is, but
/// for a line's end between double ones.
const QUOTES: [char; 3] = ['\'', '`', '"'];

/// The secrets in the file's own format. No secret of a world has quotes of all three kinds, or a line's end.
pub fn secrets_file(secrets: &BTreeMap<String, String>) -> String {
    let line = |(name, value): (&String, &String)| {
        let quote = QUOTES.into_iter().find(|quote| !value.contains(*quote)).expect("one kind of quotes is free");
        format!("{name}={quote}{value}{quote}\n")
    };
    secrets.iter().map(line).collect()
}

/// Reads what [`secrets_file`] wrote; lines of another form are left out.
pub fn secrets_in(text: &str) -> Vec<(String, String)> {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let unquoted = |value: &str| {
        let quote = value.chars().next().filter(|first| QUOTES.contains(first))?;
        Some(value.strip_prefix(quote)?.strip_suffix(quote)?.to_owned())
    };
    pairs.filter_map(|(name, value)| Some((name.to_owned(), unquoted(value)?))).collect()
}

fn add_vars(config: &mut Map<String, Value>, vars: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    if vars.is_empty() {
        return Ok(());
    }
    let Value::Object(known) = config.entry("vars").or_insert_with(|| json!({})) else {
        return Err(ConfigError::Shape { key: "vars", expected: "an object" });
    };
    known.extend(vars.iter().map(|(name, value)| (name.clone(), json!(value))));
    Ok(())
}

fn take_namespace_binding(config: &mut Map<String, Value>) -> Result<Map<String, Value>, ConfigError> {
    const SHAPE: ConfigError =
        ConfigError::Shape { key: "dispatch_namespaces", expected: "a list of objects with `binding`" };
    let bindings = match config.remove("dispatch_namespaces") {
        Some(Value::Array(bindings)) => bindings,
        Some(_) => return Err(SHAPE),
        None => Vec::new(),
    };
    match <[Value; 1]>::try_from(bindings) {
        Ok([Value::Object(binding)]) if binding.get("binding").is_some_and(Value::is_string) => Ok(binding),
        Ok(_) => Err(SHAPE),
        Err(bindings) => Err(ConfigError::Namespaces { found: bindings.len() }),
    }
}

fn take_kv_binding(config: &mut Map<String, Value>) -> Result<(), ConfigError> {
    const SHAPE: ConfigError = ConfigError::Shape { key: "kv_namespaces", expected: "a list with DIRECTORY in it" };
    let bindings = config.get_mut("kv_namespaces").and_then(Value::as_array_mut).ok_or(SHAPE)?;
    let before = bindings.len();
    bindings.retain(|binding| binding["binding"] != DIRECTORY);
    if bindings.len() == before { Err(SHAPE) } else { Ok(()) }
}

fn take_rate_limits(config: &mut Map<String, Value>) -> Result<Vec<Value>, ConfigError> {
    const SHAPE: ConfigError = ConfigError::Shape { key: "ratelimits", expected: "a list" };
    match config.remove("ratelimits") {
        Some(Value::Array(bindings)) => Ok(bindings),
        _ => Err(SHAPE),
    }
}

fn rate_limit_binding(production: &Value, location: &PluginAt) -> Value {
    json!({
        "name": production["name"],
        // Not `ratelimit`, which wrangler takes for its own.
        "type": "location_counter",
        "dev": {
            "plugin": { "package": location.plugin, "name": location_double::PLUGIN_NAME },
            "options": { "address": location.address.to_string(), "figure": production["simple"]["limit"] },
        },
    })
}

fn directory_binding(directory: &PluginAt) -> Value {
    json!({
        "name": DIRECTORY,
        "type": "kv_namespace",
        "dev": {
            "plugin": { "package": directory.plugin, "name": kv_double::PLUGIN_NAME },
            "options": { "address": directory.address.to_string() },
        },
    })
}

fn namespace_binding(production: &Map<String, Value>, namespace: &Binding) -> Value {
    json!({
        "name": production.get("binding"),
        "type": "dispatch_namespace",
        "namespace": production.get("namespace"),
        "dev": {
            "plugin": { "package": namespace.plugin, "name": PLUGIN_NAME },
            "options": { "address": namespace.address.to_string() },
        },
    })
}

fn add_unsafe_binding(config: &mut Map<String, Value>, binding: Value) -> Result<(), ConfigError> {
    const SHAPE: ConfigError = ConfigError::Shape { key: "unsafe.bindings", expected: "a list in an object" };
    let Value::Object(fields) = config.entry("unsafe").or_insert_with(|| json!({})) else { return Err(SHAPE) };
    let Value::Array(bindings) = fields.entry("bindings").or_insert_with(|| json!([])) else { return Err(SHAPE) };
    bindings.push(binding);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, SocketAddr};

    const PRODUCTION: &str = r#"{
        // What ships.
        "name": "dispatcher",
        "main": "build/index.js",
        "build": { "command": "worker-build --release" },
        "compatibility_date": "2026-04-01",
        "dispatch_namespaces": [{ "binding": "DISPATCHER", "namespace": "tenants" }],
        "migrations": [{ "tag": "v1", "new_sqlite_classes": ["SettlementLedger"] }],
        "vars": { "KEPT": "1", "CHANGED": "production" },
    }"#;

    fn dev(production: &str) -> Result<Value, ConfigError> {
        dev_in(Seat { number: 1, of: 1 }, production)
    }

    fn dev_in(seat: Seat, production: &str) -> Result<Value, ConfigError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 4021));
        let namespace = Binding { plugin: "/run/namespace/plugin.cjs".into(), address };
        let vars = BTreeMap::from([("CHANGED".to_owned(), "dev".to_owned())]);
        let doubles = Doubles { namespace: &namespace, directory: None, location: None };
        dev_config(production, Path::new("/built/index.js"), &vars, doubles, seat)
    }

    #[test]
    fn a_secret_is_read_back_as_it_is_whatever_quotes_it_has() {
        let values = [r#"["http://127.0.0.1:8545"]"#, "it's", r#"it's "quoted""#, r"C:\new", ""];
        let secrets = values.iter().enumerate().map(|(n, value)| (format!("S{n}"), (*value).to_owned()));
        let secrets: BTreeMap<_, _> = secrets.collect();
        let file = secrets_file(&secrets);
        assert!(file.starts_with("S0='[\"http"), "{file}");
        assert_eq!(secrets_in(&file), secrets.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_second_dispatcher_calls_the_durable_objects_of_the_first() {
        let objects =
            r#""durable_objects": { "bindings": [{ "name": "LEDGER", "class_name": "Ledger" }] }, "migrations""#;
        let production = PRODUCTION.replace("\"migrations\"", objects);
        let [first, second] = [1, 2].map(|number| dev_in(Seat { number, of: 2 }, &production).unwrap());
        assert_eq!((&first["name"], &second["name"]), (&json!("dispatcher-1"), &json!("dispatcher-2")));
        assert_eq!(first["durable_objects"]["bindings"][0].get("script_name"), None);
        assert_eq!(second["durable_objects"]["bindings"][0]["script_name"], "dispatcher-1");
        assert!(first.get("migrations").is_some() && second.get("migrations").is_none());
    }

    #[test]
    fn dispatchers_that_share_a_location_count_there_under_the_limits_of_production() {
        let limits = r#""ratelimits": [{ "name": "RATE_20", "namespace_id": "1", "simple": { "limit": 20, "period": 10 } }], "vars""#;
        let production = PRODUCTION.replace("\"vars\"", limits);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 4021));
        let namespace = Binding { plugin: "/run/namespace/plugin.cjs".into(), address };
        let location = PluginAt { plugin: "/run/location-counter/plugin.cjs".into(), address };
        let doubles = Doubles { namespace: &namespace, directory: None, location: Some(&location) };
        let seat = Seat { number: 1, of: 2 };
        let config = dev_config(&production, Path::new("/built/index.js"), &BTreeMap::new(), doubles, seat).unwrap();
        assert_eq!(config.get("ratelimits"), None);
        let binding = &config["unsafe"]["bindings"][1];
        assert_eq!((&binding["name"], &binding["dev"]["options"]["figure"]), (&json!("RATE_20"), &json!(20)));
    }

    #[test]
    fn only_what_cannot_work_locally_differs_from_production() {
        let config = dev(PRODUCTION).unwrap();
        assert_eq!(
            config,
            json!({
                "name": "dispatcher",
                "main": "/built/index.js",
                "compatibility_date": "2026-04-01",
                "migrations": [{ "tag": "v1", "new_sqlite_classes": ["SettlementLedger"] }],
                "vars": { "KEPT": "1", "CHANGED": "dev" },
                "unsafe": { "bindings": [{
                    "name": "DISPATCHER",
                    "type": "dispatch_namespace",
                    "namespace": "tenants",
                    "dev": {
                        "plugin": { "package": "/run/namespace/plugin.cjs", "name": PLUGIN_NAME },
                        "options": { "address": "127.0.0.1:4021" },
                    },
                }] },
            })
        );
    }

    #[test]
    fn a_config_without_exactly_one_namespace_is_refused() {
        let error = dev(r#"{ "name": "dispatcher" }"#).unwrap_err();
        assert!(matches!(error, ConfigError::Namespaces { found: 0 }));
    }

    #[test]
    fn a_syntax_error_is_told_with_its_place() {
        let error = dev("{\n  \"name\": }").unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
