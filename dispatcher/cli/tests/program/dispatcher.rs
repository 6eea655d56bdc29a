//! Deployments of the dispatcher against a double of Cloudflare's API, which fails at each step in turn.

use crate::{
    claw::Shop,
    platform::{Fault, Platform, State, TOKEN},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Output};
use wiremock::{Mock, MockServer, matchers::any};

struct Setting {
    shop: Shop,
    platform: Platform,
    server: MockServer,
    _runtime: tokio::runtime::Runtime,
}

fn told(output: &Output) -> Value {
    let text = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
    let text = String::from_utf8_lossy(text).into_owned();
    serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

impl Setting {
    /// With the configurations that ship, and bundles that are none.
    fn new() -> Self {
        let shop = Shop::new();
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for folder in fs::read_dir(&sources).unwrap().map(|entry| entry.unwrap().path()) {
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            let Ok(config) = fs::read_to_string(folder.join("wrangler.jsonc")) else { continue };
            shop.write(&format!("{name}/wrangler.jsonc"), config);
            shop.write(&format!("{name}/build/index.js"), format!("export default {{}} // {name}"));
            shop.write(&format!("{name}/build/index_bg.wasm"), b"\0asm");
        }
        let platform = Platform::default();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let server = runtime.block_on(async {
            let server = MockServer::start().await;
            Mock::given(any()).respond_with(platform.clone()).mount(&server).await;
            server
        });
        Self { shop, platform, server, _runtime: runtime }
    }

    fn run(&self, command: &str, more: &[&str]) -> Output {
        let uri = self.server.uri();
        let mut args = vec!["--format", "json", command, "--account", "acc1", "--api", &uri];
        args.extend(["--config", "worker/wrangler.jsonc"]);
        if command.ends_with("deploy-dispatcher") {
            args.extend(["--bundle", "worker/build", "--beside", "outbound", "--beside", "telemetry-worker"]);
            args.extend(["--platform-host", "*.tenants.example"]);
        }
        args.extend(more);
        let variables = [("CLOUDFLARE_API_TOKEN", TOKEN), ("PLATFORM_TOKEN", "s3cret-of-the-platform")];
        self.shop.with_all(&variables, &args)
    }

    fn deploy(&self, more: &[&str]) -> Output {
        let args = [&["--execute", "--without-gate", "a test"][..], more].concat();
        self.run("cloudflare-deploy-dispatcher", &args)
    }

    fn deployed(&self) {
        let output = self.deploy(&["--secret", "PLATFORM_TOKEN"]);
        assert!(output.status.success(), "{}", told(&output));
    }

    fn changes(&self) -> usize {
        self.platform.state().changes.len()
    }

    fn another_build(&self, text: &str) {
        self.shop.write("worker/build/index.js", text);
    }

    /// The versions of the dispatcher that serve, and their shares.
    fn serving(&self) -> Vec<(String, u64)> {
        let state = self.platform.state();
        let latest = &state.workers["402claw-dispatcher"].deployments[0]["versions"];
        let told = |one: &Value| (one["version_id"].as_str().unwrap().to_owned(), one["percentage"].as_u64().unwrap());
        latest.as_array().unwrap().iter().map(told).collect()
    }
}

/// All that counts, without how it came about.
fn outcome(state: &State) -> State {
    State { changes: Vec::new(), faults: Default::default(), ..state.clone() }
}

#[test]
fn a_plan_names_each_request_and_does_none() {
    let setting = Setting::new();
    let output = setting.run("cloudflare-deploy-dispatcher", &["--secret", "PLATFORM_TOKEN"]);
    let plan = told(&output);
    assert!(output.status.success(), "{plan}");
    let requests = |n: usize| -> Vec<String> {
        let steps = plan["workers"][n]["steps"].as_array().unwrap();
        steps.iter().map(|step| format!("{} {}", step["method"], step["path"]).replace('"', "")).collect()
    };
    assert_eq!(
        requests(0),
        [
            "PUT /accounts/acc1/workers/scripts/402claw-outbound",
            "PATCH /accounts/acc1/workers/scripts/402claw-outbound/script-settings"
        ]
    );
    let dispatcher = requests(1);
    assert!(dispatcher.contains(&"POST /accounts/acc1/workers/dispatch/namespaces".to_owned()), "{dispatcher:?}");
    assert!(dispatcher.contains(&"PUT /accounts/acc1/workers/scripts/402claw-dispatcher".to_owned()), "{dispatcher:?}");
    assert!(!plan.to_string().contains("s3cret"), "{plan}");
    assert_eq!(setting.changes(), 0);
}

#[test]
fn it_is_deployed_once_the_outbound_worker_first() {
    let setting = Setting::new();
    setting.deployed();
    {
        let state = setting.platform.state();
        let order: Vec<&str> = state.changes.iter().map(|(line, _)| line.as_str()).collect();
        let at =
            |what: &str| order.iter().position(|line| *line == what).unwrap_or_else(|| panic!("{what}: {order:?}"));
        assert!(at("PUT workers/scripts/402claw-outbound") < at("PUT workers/scripts/402claw-dispatcher"));
        assert!(at("POST storage/kv/namespaces") < at("PUT workers/scripts/402claw-dispatcher"));
        let dispatcher = &state.workers["402claw-dispatcher"];
        assert_eq!(dispatcher.secrets["PLATFORM_TOKEN"], "s3cret-of-the-platform");
        assert_eq!(dispatcher.settings["observability"]["enabled"], json!(true));
        let hosts = &state.workers["402claw-outbound"].versions[0]["resources"]["bindings"][0];
        assert_eq!((&hosts["name"], &hosts["text"]), (&json!("PLATFORM_HOSTS"), &json!("[\"*.tenants.example\"]")));
    }
    let before = setting.changes();
    let again = told(&setting.deploy(&[]));
    assert_eq!((setting.changes(), &again["done"]), (before, &json!([])));
    let record = setting.shop.read(".402claw/test/cloudflare.jsonl");
    assert!(record.contains("without a gate: a test") && !record.contains("s3cret") && !record.contains(TOKEN));
}

#[test]
fn a_deploy_that_breaks_off_at_any_step_says_so_and_is_gone_on_with() {
    let whole = Setting::new();
    whole.deployed();
    let (steps, wanted) = (whole.changes(), outcome(&whole.platform.state()));
    assert!(steps >= 6, "{steps} requests change something");
    for n in 0..steps {
        let setting = Setting::new();
        setting.platform.state().faults.insert(n, Fault::Refused);
        let output = setting.deploy(&["--secret", "PLATFORM_TOKEN"]);
        let said = told(&output);
        assert_eq!(output.status.code(), Some(if n == 0 { 1 } else { 9 }), "step {n}: {said}");
        let message = said["error"]["message"].as_str().unwrap();
        assert!(message.contains("refused on script"), "step {n}: {said}");
        assert_eq!(message.contains("done before:"), n > 0, "step {n}: {said}");
        // The secret is there by now, or was never uploaded.
        let has_secret = setting.platform.state().workers.contains_key("402claw-dispatcher");
        let output = setting.deploy(if has_secret { &[] } else { &["--secret", "PLATFORM_TOKEN"] });
        assert!(output.status.success(), "step {n}: {}", told(&output));
        assert_eq!(outcome(&setting.platform.state()), wanted, "step {n}");
    }
}

#[test]
fn answers_that_get_lost_at_any_step_make_nothing_twice() {
    let whole = Setting::new();
    whole.deployed();
    let (steps, wanted) = (whole.changes(), outcome(&whole.platform.state()));
    for n in 0..steps {
        let setting = Setting::new();
        setting.platform.state().faults.insert(n, Fault::AnswerLost);
        setting.deployed();
        let state = outcome(&setting.platform.state());
        // What replaces is done again, and comes to the same: of the dispatcher with its secret there is a version more.
        assert_eq!((&state.namespaces, &state.kv), (&wanted.namespaces, &wanted.kv), "step {n}");
        for (name, worker) in &wanted.workers {
            assert_eq!(state.workers[name].secrets, worker.secrets, "step {n}");
            assert_eq!(state.workers[name].settings, worker.settings, "step {n}");
        }
    }
}

#[test]
fn whoever_is_slow_or_down_for_a_moment_is_asked_again() {
    for fault in [Fault::Slow, Fault::Down] {
        let setting = Setting::new();
        setting.platform.state().faults.extend([(0, fault), (3, fault)]);
        setting.deployed();
    }
}

#[test]
fn a_new_version_gets_its_share_of_the_requests_and_then_all() {
    let setting = Setting::new();
    setting.deployed();
    setting.another_build("export default {} // the second");
    let output = setting.deploy(&["--percent", "10"]);
    assert!(output.status.success(), "{}", told(&output));
    let (old, new) = ("402claw-dispatcher-v1".to_owned(), "402claw-dispatcher-v2".to_owned());
    assert_eq!(setting.serving(), [(new.clone(), 10), (old.clone(), 90)]);
    let before = setting.changes();
    setting.deploy(&["--percent", "10"]);
    assert_eq!(setting.changes(), before, "that is done");
    setting.deploy(&["--percent", "50"]);
    assert_eq!(setting.serving(), [(new.clone(), 50), (old, 50)]);
    // A third one waits.
    setting.another_build("export default {} // the third");
    let third = setting.deploy(&["--percent", "10"]);
    assert_eq!(third.status.code(), Some(3));
    assert!(told(&third)["error"]["message"].as_str().unwrap().contains("two versions serve"));
    setting.another_build("export default {} // the second");
    setting.deploy(&[]);
    assert_eq!(setting.serving(), [(new, 100)]);
    assert_eq!(setting.platform.state().workers["402claw-dispatcher"].versions.len(), 2);
}

#[test]
fn a_share_is_refused_for_a_first_version_and_for_a_migration() {
    let setting = Setting::new();
    let first = setting.deploy(&["--percent", "10", "--secret", "PLATFORM_TOKEN"]);
    assert_eq!(first.status.code(), Some(3), "{}", told(&first));
    setting.deployed();
    let config = setting.shop.read("worker/wrangler.jsonc");
    let more = config.replace("\"migrations\": [", "\"migrations\": [ ").replace(
        "  ],\n  // FACILITATORS",
        "    ,{ \"tag\": \"v999\", \"new_sqlite_classes\": [\"More\"] }\n  ],\n  // FACILITATORS",
    );
    assert_ne!(more, config, "the configuration has its migrations where this test looks for them");
    setting.shop.write("worker/wrangler.jsonc", more);
    let parts = setting.deploy(&["--percent", "10"]);
    assert!(told(&parts)["error"]["message"].as_str().unwrap().contains("all requests at once"), "{}", told(&parts));
    let whole = setting.deploy(&[]);
    assert!(whole.status.success(), "{}", told(&whole));
    // An older checkout does not know it.
    setting.shop.write("worker/wrangler.jsonc", config);
    let older = setting.deploy(&[]);
    assert!(told(&older)["error"]["message"].as_str().unwrap().contains("is newer than this"), "{}", told(&older));
    // And Cloudflare would not go back over it.
    let back = setting.run("cloudflare-rollback-dispatcher", &["--reason", "r", "--execute"]);
    assert!(told(&back)["error"]["message"].as_str().unwrap().contains("v999"), "{}", told(&back));
}

#[test]
fn requests_go_back_to_the_version_before() {
    let setting = Setting::new();
    setting.deployed();
    let nothing = setting.run("cloudflare-rollback-dispatcher", &["--reason", "r"]);
    assert_eq!(nothing.status.code(), Some(3), "{}", told(&nothing));
    setting.another_build("export default {} // worse");
    setting.deploy(&["--percent", "20"]);
    let before = setting.changes();
    let plan = told(&setting.run("cloudflare-rollback-dispatcher", &["--reason", "r"]));
    assert_eq!((&plan["to"], setting.changes()), (&json!("402claw-dispatcher-v1"), before));
    setting.platform.state().faults.insert(before, Fault::AnswerLost);
    let output = setting.run("cloudflare-rollback-dispatcher", &["--reason", "worse", "--execute"]);
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(setting.serving(), [("402claw-dispatcher-v1".to_owned(), 100)]);
    assert!(setting.shop.read(".402claw/test/cloudflare.jsonl").contains("rollback: worse"));
}

#[test]
fn a_way_back_over_a_changed_secret_is_asked_for_twice() {
    let setting = Setting::new();
    setting.deployed();
    setting
        .platform
        .state()
        .workers
        .get_mut("402claw-dispatcher")
        .unwrap()
        .secrets
        .insert("NEW".to_owned(), "x".to_owned());
    setting.another_build("export default {} // with another secret");
    setting.deploy(&[]);
    let args = ["--reason", "r", "--execute"];
    let output = setting.run("cloudflare-rollback-dispatcher", &args);
    assert!(told(&output)["error"]["help"].as_str().unwrap().contains("--despite-secrets"), "{}", told(&output));
    let output = setting.run("cloudflare-rollback-dispatcher", &[&args[..], &["--despite-secrets"]].concat());
    assert!(output.status.success(), "{}", told(&output));
}

#[test]
fn nothing_goes_out_without_what_it_needs() {
    let setting = Setting::new();
    let no_secret = setting.deploy(&[]);
    assert!(told(&no_secret)["error"]["message"].as_str().unwrap().contains("PLATFORM_TOKEN"), "{}", told(&no_secret));
    let nowhere = setting.deploy(&["--secret", "NOT_SET"]);
    assert_eq!(nowhere.status.code(), Some(2), "{}", told(&nowhere));
    let config = setting.shop.read("worker/wrangler.jsonc");
    setting.shop.write("worker/wrangler.jsonc", config.replacen("\"name\"", "\"routes\": [],\n  \"name\"", 1));
    let unknown = setting.deploy(&["--secret", "PLATFORM_TOKEN"]);
    assert!(told(&unknown)["error"]["message"].as_str().unwrap().contains("routes"), "{}", told(&unknown));
    assert_eq!(setting.changes(), 0);
}

/// A double of the gate's own program: it says yes or no, and writes down what it was asked.
fn gate_program(shop: &Shop, says: &str) {
    shop.write("gate-program", format!("#!/bin/sh\necho \"$@\" >> asked\necho '{says}'\ntest '{says}' = yes\n"));
    fs::set_permissions(shop.path("gate-program"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_gate_must_have_run_each_of_these_files_and_its_program_must_say_so() {
    let setting = Setting::new();
    let sum = |name: &str| -> String {
        Sha256::digest(fs::read(setting.shop.path(name)).unwrap_or_default())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    };
    let files = |of: &str| {
        ["index.js", "index_bg.wasm"].map(|name| json!({"path": name, "sha256": sum(&format!("{of}/build/{name}"))}))
    };
    let record = json!({
        "schema": 1, "run": "gate-pr-7", "verdict": "pass", "partial": false, "bundle": files("worker"),
        "config": [{"path": "wrangler.jsonc", "sha256": sum("worker/wrangler.jsonc")}],
        "beside": {"402claw-outbound": files("outbound"), "402claw-telemetry": files("telemetry-worker")},
    });
    let program = setting.shop.path("gate-program").display().to_string();
    let deploy = |record: &Value| {
        setting.shop.write("gate.json", record.to_string());
        let uri = setting.server.uri();
        let args = "--format json cloudflare-deploy-dispatcher --account acc1 --config worker/wrangler.jsonc --bundle worker/build \
            --beside outbound --beside telemetry-worker --platform-host a.example --secret PLATFORM_TOKEN \
            --execute --gate gate.json --api";
        let args: Vec<&str> = args.split_whitespace().chain([uri.as_str()]).collect();
        let variables =
            [("CLOUDFLARE_API_TOKEN", TOKEN), ("PLATFORM_TOKEN", "s3cret"), ("CLAW_GATE", program.as_str())];
        setting.shop.with_all(&variables, &args)
    };
    gate_program(&setting.shop, "yes");
    for (key, wrong, said) in [
        ("verdict", json!("unknown"), "the verdict is"),
        ("bundle", json!(files("outbound")), "index.js is not the file that the gate ran"),
        ("config", json!([]), "wrangler.jsonc is none of the files"),
        ("beside", json!({}), "index.js is none of the files"),
    ] {
        let mut wrong_record = record.clone();
        wrong_record[key] = wrong;
        let output = deploy(&wrong_record);
        assert_eq!(output.status.code(), Some(3), "{key}");
        assert!(told(&output)["error"]["message"].as_str().unwrap().contains(said), "{key}: {}", told(&output));
    }
    gate_program(&setting.shop, "the record is older than a day");
    let output = deploy(&record);
    assert!(told(&output)["error"]["message"].as_str().unwrap().contains("older than a day"), "{}", told(&output));
    assert_eq!(setting.changes(), 0);
    gate_program(&setting.shop, "yes");
    let output = deploy(&record);
    assert!(output.status.success(), "{}", told(&output));
    assert!(setting.shop.read("asked").contains("gate --verify gate.json worker/build"));
    assert!(setting.shop.read(".402claw/test/cloudflare.jsonl").contains("gate gate-pr-7"));
}
