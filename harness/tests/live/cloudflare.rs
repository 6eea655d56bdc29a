//! The dispatcher's upload as `402claw` makes it, beside the one that `wrangler deploy --dry-run` makes of the same bundle and the
//! same configuration. wrangler sends nothing, and needs no account.

use crate::{
    harness::{run, turn},
    seller::{Folder, claw},
};
use ::harness::setup;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Of any Worker, and of the dispatcher, which has an entry of its own.
const MODULES: [&str; 2] = ["index.js", "index_bg.wasm"];
const GENERATED: &str = "generated.js";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The metadata that wrangler would send, and the names of the modules beside it.
fn of_wrangler(folder: &Path, worker: &str) -> (Value, Vec<String>) {
    let source = root().join("dispatcher").join(worker);
    let text = fs::read_to_string(source.join("wrangler.jsonc")).unwrap();
    let mut config: Value = jsonc_parser::parse_to_serde_value(&text, &Default::default()).unwrap();
    // It was built before, as what `402claw` uploads was.
    config.as_object_mut().unwrap().remove("build");
    config["find_additional_modules"] = json!(true);
    config["rules"] = json!([{"type": "ESModule", "globs": ["**/*.js"]}]);
    let at = folder.join(worker);
    fs::create_dir_all(at.join("build")).unwrap();
    for module in &modules_of(&source.join("build")) {
        fs::copy(source.join("build").join(module), at.join("build").join(module)).unwrap();
    }
    fs::write(at.join("wrangler.json"), config.to_string()).unwrap();
    let tools = setup::ensure(&root(), &mut setup::ToStderr, &setup::Cancelled::default());
    let tools = tools.map_err(miette::Report::new).expect("it was set up right now");
    let wrangler = Command::new(tools.node())
        .arg(tools.wrangler_js())
        .args(["deploy", "--dry-run", "--no-bundle", "--config", "wrangler.json", "--outfile", "upload.bin"])
        .current_dir(&at)
        .env("HOME", folder)
        .envs([("WRANGLER_SEND_METRICS", "false"), ("CI", "1"), ("WRANGLER_LOG", "warn"), ("NO_UPDATE_NOTIFIER", "1")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(wrangler.status.success(), "{}", String::from_utf8_lossy(&wrangler.stderr));
    let upload = fs::read(at.join("upload.bin")).unwrap();
    let text = String::from_utf8_lossy(&upload);
    let mark = "name=\"metadata\"\r\n\r\n";
    let from = text.find(mark).expect("an upload has its metadata") + mark.len();
    let metadata = text[from..].split("\r\n").next().unwrap();
    let named = text.split("filename=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut modules: Vec<String> = named.map(str::to_owned).collect();
    modules.sort();
    (serde_json::from_str(metadata).unwrap(), modules)
}

/// The modules of a built Worker, sorted.
fn modules_of(build: &Path) -> Vec<String> {
    let generated = Some(GENERATED).filter(|name| build.join(name).is_file());
    let mut modules: Vec<String> = MODULES.into_iter().chain(generated).map(str::to_owned).collect();
    modules.sort();
    modules
}

fn by_name(metadata: &Value) -> BTreeMap<String, Value> {
    let bindings = metadata["bindings"].as_array().unwrap().iter();
    bindings.map(|one| (one["name"].as_str().unwrap().to_owned(), one.clone())).collect()
}

fn build_telemetry() {
    let (mut progress, cancelled) = (setup::ToStderr, setup::Cancelled::default());
    let tools = setup::ensure(&root(), &mut progress, &cancelled).map_err(miette::Report::new).expect("tools");
    let built = setup::build_telemetry(&tools, &root(), &mut progress, &cancelled);
    built.map_err(miette::Report::new).expect("a build");
}

#[test]
fn what_is_uploaded_is_what_wrangler_would_upload() {
    let _turn = turn();
    assert!(run(&["setup"]).status.success());
    build_telemetry();
    let folder = Folder::new("wrangler");
    let dispatcher = root().join("dispatcher");
    let mut command = claw(&folder.0, &["--format", "json", "cloudflare-deploy-dispatcher", "--account", "acc1"]);
    command.args(["--platform-host", "a.example", "--secret", "PLATFORM_TOKEN"]).env("PLATFORM_TOKEN", "t");
    for (flag, path) in [
        ("--config", "worker/wrangler.jsonc"),
        ("--bundle", "worker/build"),
        ("--beside", "outbound"),
        ("--beside", "telemetry-worker"),
    ] {
        command.arg(flag).arg(dispatcher.join(path));
    }
    command.env_remove("CLOUDFLARE_API_TOKEN").env_remove("CLOUDFLARE_API_TOKEN_FILE");
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success());
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (name, worker) in [("402claw-outbound", "outbound"), ("402claw-dispatcher", "worker")] {
        let planned = plan["workers"].as_array().unwrap().iter().find(|one| one["worker"] == name);
        let ours = &planned.expect("it is planned")["metadata"];
        let (theirs, modules) = of_wrangler(&folder.0, worker);
        assert_eq!(modules, modules_of(&dispatcher.join(worker).join("build")), "{worker}");

        for key in ["main_module", "compatibility_date", "limits", "tail_consumers"] {
            assert_eq!(ours[key], theirs[key], "{worker}: {key}");
        }
        let flags = |metadata: &Value| metadata["compatibility_flags"].as_array().cloned().unwrap_or_default();
        assert_eq!(flags(ours), flags(&theirs), "{worker}");
        let (mut ours, theirs) = (by_name(ours), by_name(&theirs));
        // Its value is no part of a configuration.
        ours.remove("PLATFORM_TOKEN");
        ours.remove("PLATFORM_HOSTS");
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{worker}");
        for (name, theirs) in theirs {
            // An id that Cloudflare gives is not known to a dry run.
            if theirs["type"] != "inherit" {
                assert_eq!(ours[&name], theirs, "{worker}");
            }
        }
    }
}
