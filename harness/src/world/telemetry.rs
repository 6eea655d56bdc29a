//! The telemetry Worker beside the dispatcher: the same wrangler runs both, so that the queue between them is one.

use super::{WorldError, bundle, config, namespace::write};
use jsonc_parser::ParseOptions;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The folder of its bundle in the run directory.
pub const BUNDLE: &str = "telemetry/bundle";

/// Seconds that a batch waits for others. In production it is longer; here somebody waits for what comes of it.
const BATCH_WAITS_S: u64 = 1;

/// Copies its bundle, and writes its config from the one that is deployed. `dispatcher` is the dispatcher's own.
pub fn lay_out(
    index_js: &Path,
    dispatcher: &Path,
    run_dir: &Path,
    vars: &BTreeMap<String, String>,
) -> Result<PathBuf, WorldError> {
    let entry = bundle::copy(index_js, &run_dir.join(BUNDLE))?;
    let path = dispatcher.with_file_name("").join("../telemetry-worker/wrangler.jsonc");
    let production = fs::read_to_string(&path).map_err(|source| WorldError::ReadConfig { path, source })?;
    let mut dev = dev_config(&production, &entry)?;
    dev["vars"] = json!(vars);
    let config = run_dir.join("telemetry/wrangler.dev.json");
    write(&config, &format!("{dev:#}\n"))?;
    Ok(config)
}

fn dev_config(production: &str, entry: &Path) -> Result<Value, config::ConfigError> {
    let mut config: Value = jsonc_parser::parse_to_serde_value(production, &ParseOptions::default())?;
    let fields = config.as_object_mut().ok_or(config::ConfigError::NotAnObject)?;
    // The bundle is built before, once, and not by wrangler.
    fields.remove("build");
    fields.insert("main".to_owned(), json!(entry));
    for consumer in config["queues"]["consumers"].as_array_mut().into_iter().flatten() {
        consumer["max_batch_timeout"] = json!(BATCH_WAITS_S);
        consumer["retry_delay"] = json!(BATCH_WAITS_S);
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_queue_is_the_one_that_the_dispatcher_sends_to() {
        let read = |path: &str| {
            let text =
                fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../dispatcher").join(path)).unwrap();
            jsonc_parser::parse_to_serde_value::<Value>(&text, &ParseOptions::default()).unwrap()
        };
        let (dispatcher, telemetry) = (read("worker/wrangler.jsonc"), read("telemetry-worker/wrangler.jsonc"));
        assert_eq!(dispatcher["queues"]["producers"][0]["queue"], telemetry["queues"]["consumers"][0]["queue"]);
        assert_eq!(dispatcher["services"][0]["service"], telemetry["name"]);
        assert_eq!(
            telemetry["queues"]["consumers"][0]["dead_letter_queue"],
            telemetry["queues"]["consumers"][1]["queue"]
        );
        let dev = dev_config(&telemetry.to_string(), Path::new("/x/index.js")).unwrap();
        assert_eq!((dev.get("build"), &dev["main"]), (None, &json!("/x/index.js")));
        assert_eq!(dev["d1_databases"], telemetry["d1_databases"]);
    }
}
