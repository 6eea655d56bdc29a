//! Uploads against a double of Cloudflare's API: method, path, parts and metadata, and what it may answer.

use crate::{claw::Shop, multipart::parts};
use serde_json::{Value, json};
use std::{
    process::Output,
    sync::{Arc, Mutex},
};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

const PATH: &str = "/accounts/acc1/workers/dispatch/namespaces/tenants/scripts/rain";

/// Keeps the tags of one script, as the API does, and fails as often as it is told.
#[derive(Clone, Default)]
struct Cloudflare(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    tags: Option<Vec<String>>,
    uploads: Vec<(String, Vec<u8>)>,
    failures: Vec<ResponseTemplate>,
    /// The work is done, and its answer gets lost.
    loses_answer: bool,
}

fn result(value: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"success": true, "errors": [], "messages": [], "result": value}))
}

fn error(status: u16, code: u32, message: &str) -> ResponseTemplate {
    let body = json!({"success": false, "errors": [{"code": code, "message": message}], "result": null});
    ResponseTemplate::new(status).set_body_json(body)
}

impl Respond for Cloudflare {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.0.lock().unwrap();
        if request.headers.get("authorization").is_none_or(|token| token != "Bearer token-1") {
            return error(403, 10_000, "Authentication error");
        }
        match (request.method.as_str(), request.url.path()) {
            ("GET", path) if path == format!("{PATH}/tags") => match &state.tags {
                Some(tags) => result(json!(tags)),
                None => error(404, 10_007, "This Worker does not exist"),
            },
            ("PUT", PATH) => {
                if let Some(failure) = state.failures.pop() {
                    return failure;
                }
                let media_type = request.headers["content-type"].to_str().unwrap().to_owned();
                let metadata = parts(&media_type, &request.body).remove(0).2;
                let metadata: Value = serde_json::from_slice(&metadata).unwrap();
                state.tags = serde_json::from_value(metadata["tags"].clone()).unwrap();
                state.uploads.push((media_type, request.body.clone()));
                if state.loses_answer { ResponseTemplate::new(502) } else { result(json!({"id": "rain"})) }
            }
            (method, path) => error(400, 7_003, &format!("no route for {method} {path}")),
        }
    }
}

struct Setting {
    shop: Shop,
    cloudflare: Cloudflare,
    server: MockServer,
    _runtime: tokio::runtime::Runtime,
}

impl Setting {
    fn new() -> Self {
        let shop = Shop::new();
        shop.write("data.csv", "id,mm\n1,2.5\n");
        shop.write("built/index.js", "export default {}");
        shop.write("built/index_bg.wasm", b"\0asm");
        shop.ok(&["deploy", "data.csv", "--tenant", "rain", "--price", "0.01"]);
        let cloudflare = Cloudflare::default();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let server = runtime.block_on(async {
            let server = MockServer::start().await;
            Mock::given(any()).respond_with(cloudflare.clone()).mount(&server).await;
            server
        });
        Self { shop, cloudflare, server, _runtime: runtime }
    }

    fn publish(&self, token: &str, more: &[&str]) -> Output {
        let uri = self.server.uri();
        let args = [
            &["--format", "json", "publish", "rain", "--account", "acc1", "--worker", "built", "--api", &uri][..],
            more,
        ]
        .concat();
        self.shop.with("CLOUDFLARE_API_TOKEN", token, &args)
    }

    fn execute(&self) -> Output {
        self.publish("token-1", &["--execute", "--without-gate", "a test"])
    }

    fn uploads(&self) -> usize {
        self.cloudflare.0.lock().unwrap().uploads.len()
    }

    fn fail_with(&self, failures: Vec<ResponseTemplate>) {
        self.cloudflare.0.lock().unwrap().failures = failures;
    }
}

fn told(output: &Output) -> Value {
    let text = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
    let text = String::from_utf8_lossy(text).into_owned();
    serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_plan_is_printed_and_nothing_is_done() {
    let setting = Setting::new();
    let output = setting.publish("token-1", &[]);
    let plan = told(&output);
    assert_eq!((&plan["method"], &plan["path"]), (&json!("PUT"), &json!(PATH)));
    assert_eq!(plan["there"], "not there: it would be new");
    assert_eq!(setting.uploads(), 0);
}

#[test]
fn an_upload_has_its_parts_and_is_done_once() {
    let setting = Setting::new();
    let output = setting.execute();
    assert!(output.status.success(), "{}", told(&output));
    let (media_type, body) = setting.cloudflare.0.lock().unwrap().uploads[0].clone();
    let parts = parts(&media_type, &body);
    let named: Vec<(&str, &str)> =
        parts.iter().map(|(name, media_type, _)| (name.as_str(), media_type.as_str())).collect();
    assert_eq!(
        named,
        [
            ("metadata", "application/json"),
            ("data.bin", "application/octet-stream"),
            ("entry.mjs", "application/javascript+module"),
            ("index.js", "application/javascript+module"),
            ("index_bg.wasm", "application/wasm"),
            ("site.txt", "text/plain"),
        ]
    );
    let metadata: Value = serde_json::from_slice(&parts[0].2).unwrap();
    assert_eq!(
        (&metadata["main_module"], &metadata["compatibility_date"]),
        (&json!("entry.mjs"), &json!("2026-04-01"))
    );
    let data = std::fs::read(setting.shop.path(".402claw/test/tenants/rain/data.bin")).unwrap();
    assert_eq!(parts[1].2, data);
    assert_eq!(told(&setting.execute())["outcome"], "already there");
    assert_eq!(setting.uploads(), 1);
    let record = setting.shop.read(".402claw/test/cloudflare.jsonl");
    assert!(record.contains("without a gate: a test") && !record.contains("token-1"), "{record}");
}

#[test]
fn what_fails_for_a_moment_is_asked_for_again() {
    let setting = Setting::new();
    let busy = error(429, 10_429, "slow down").insert_header("retry-after", "1");
    setting.fail_with(vec![ResponseTemplate::new(503), busy]);
    let output = setting.execute();
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(setting.uploads(), 1);
}

#[test]
fn an_answer_that_gets_lost_is_found_out_about() {
    let setting = Setting::new();
    setting.cloudflare.0.lock().unwrap().loses_answer = true;
    let output = setting.execute();
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(told(&output)["outcome"], "uploaded");
}

#[test]
fn what_the_api_refuses_is_told_and_recorded() {
    let setting = Setting::new();
    setting.fail_with(vec![error(400, 10_021, "Uncaught SyntaxError")]);
    let output = setting.execute();
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output)["error"]["message"].as_str().unwrap().contains("10021 Uncaught SyntaxError"));
    assert!(setting.shop.read(".402claw/test/cloudflare.jsonl").contains("upload failed"));
    let output = setting.publish("another-accounts", &["--execute", "--without-gate", "a test"]);
    assert!(told(&output)["error"]["message"].as_str().unwrap().contains("the token may not do this"));
    assert_eq!(setting.uploads(), 0);
}

#[test]
fn nothing_goes_out_without_a_gate_or_a_reason() {
    let setting = Setting::new();
    let output = setting.publish("token-1", &["--execute"]);
    assert_eq!(output.status.code(), Some(2));
    for (gate, said) in [
        (json!({"schema": 1, "verdict": "fail", "partial": false}), "the verdict is"),
        (
            json!({"schema": 1, "verdict": "pass", "partial": false, "bundle": [], "beside": {}}),
            "none of the files that the gate ran",
        ),
    ] {
        setting.shop.write("gate.json", gate.to_string());
        let output = setting.publish("token-1", &["--execute", "--gate", "gate.json"]);
        assert_eq!(output.status.code(), Some(3));
        assert!(told(&output)["error"]["message"].as_str().unwrap().contains(said));
    }
    assert_eq!(setting.uploads(), 0);
}

#[test]
fn a_token_is_taken_from_the_keyrings_own_program() {
    let setting = Setting::new();
    let keyring = "#!/bin/sh\ntest \"$*\" = 'lookup service 402claw account cloudflare' && echo token-1\n";
    setting.shop.write("bin/secret-tool", keyring);
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(setting.shop.path("bin/secret-tool"), executable).unwrap();
    let (uri, path) = (setting.server.uri(), setting.shop.path("bin").display().to_string());
    let args = ["--format", "json", "publish", "rain", "--account", "acc1", "--worker", "built", "--api", &uri];
    let output = setting.shop.with_all(&[("PATH", &path)], &args);
    assert_eq!(told(&output)["there"], "not there: it would be new");
    let without = setting
        .shop
        .with_all(&[("PATH", "/nonexistent")], &[&args[..], &["--execute", "--without-gate", "t"]].concat());
    assert!(told(&without)["error"]["message"].as_str().unwrap().contains("no token"), "{}", told(&without));
}

#[test]
fn a_secret_that_changed_is_uploaded_again_where_that_is_asked_for() {
    let setting = Setting::new();
    setting.execute();
    let output = setting.publish("token-1", &["--execute", "--again", "--without-gate", "another secret"]);
    assert_eq!((told(&output)["outcome"].as_str(), setting.uploads()), (Some("uploaded"), 2));
}
