//! The namespace behind an unmodified `wrangler dev`, by the plugin that it writes.

use std::path::Path;

use harness::setup::{Cancelled, ToStderr, ensure_namespace};
use harness::world::deaths::Watch;
use harness::world::wrangler::{Wrangler, WranglerOptions};
use serde_json::{Value, json};
use system::guard::Guard;
use tokio::sync::mpsc;

use crate::running::Running;

const TENANT: &str = r#"
export default {
  async fetch(request) {
    const [, what, argument] = new URL(request.url).pathname.split("/");
    switch (what) {
      case "burn": for (;;);
      case "throw-named": throw Object.assign(new Error("tenant boom"), { name: argument });
      case "throw": throw new TypeError("tenant boom");
      case "ask": for (let n = 0; n < Number(argument); n += 1) await (await fetch("https://origin.example/")).text();
    }
    return Response.json({ url: request.url, colo: request.cf?.colo, body: await request.text() });
  },
};
"#;

/// A dispatcher as the platform's documentation has it.
const DISPATCHER: &str = r#"
export default {
  async fetch(request, env) {
    const script = request.headers.get("x-script");
    try {
      const cpuMs = request.headers.has("x-cpu") ? Number(request.headers.get("x-cpu")) : "200";
      const tenant = env.DISPATCHER.get(script, {}, { limits: { cpuMs, subRequests: 3 }, outbound: { plan: "pr\u00fc" } });
      const method = request.headers.get("x-method") ?? request.method;
      const answer = await tenant.fetch(method === "HEAD" ? new Request(request.url, { method }) : request);
      const kind = [env.DISPATCHER.constructor.name, tenant.constructor.name];
      return Response.json({ kind, status: answer.status, answer: await answer.json() });
    } catch (error) {
      return Response.json({ thrown: error.message, type: error.constructor.name, remote: error.remote });
    }
  },
};
"#;

async fn ask(port: u16, path: &str, script: &str, more: &[(&'static str, &str)]) -> Value {
    let asked = system::http_client::builder()
        .build()
        .unwrap()
        .post(format!("http://127.0.0.1:{port}{path}"))
        .header("x-script", script)
        .headers(more.iter().map(|(name, value)| ((*name).try_into().unwrap(), value.parse().unwrap())).collect());
    let text = asked.body("paid").send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test]
async fn a_dispatcher_under_wrangler_dev_finds_the_platforms_behaviour() {
    let namespace = Running::start(TENANT);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let tools = ensure_namespace(workspace, &mut ToStderr, &Cancelled::default()).unwrap();
    let dev = json!({
        "plugin": { "package": namespace.plugin, "name": "enforcing-dispatch-namespace" },
        "options": { "address": namespace.address.to_string() },
    });
    let config = json!({
        "name": "dispatcher", "main": "dispatcher.mjs", "compatibility_date": "2026-04-01",
        "unsafe": { "bindings": [{ "name": "DISPATCHER", "type": "dispatch_namespace", "namespace": "local", "dev": dev }] },
    });
    let run_dir = namespace.folder().join("wrangler");
    std::fs::create_dir_all(&run_dir).unwrap();
    std::fs::write(run_dir.join("dispatcher.mjs"), DISPATCHER).unwrap();
    std::fs::write(run_dir.join("wrangler.json"), config.to_string()).unwrap();
    let options = WranglerOptions {
        guard: Guard::at(env!("CARGO_BIN_EXE_harness").into()),
        watch: Watch::new().0,
        name: "wrangler dev".to_owned(),
        config: run_dir.join("wrangler.json"),
        beside: Vec::new(),
        registry: run_dir.join("registry"),
        run_dir,
        node: tools.node,
        wrangler_js: tools.wrangler_js,
        ready_path: "/".to_owned(),
        port: None,
    };
    let (lines, _logs) = mpsc::unbounded_channel();
    let wrangler = Wrangler::start(options, lines).await.unwrap();
    let port = wrangler.port();

    let answer = ask(port, "/quote", "alpha", &[]).await;
    assert_eq!(answer["kind"], json!(["DynamicDispatcher", "Fetcher"]), "workers-rs looks at the name");
    let seen = json!({ "url": format!("http://127.0.0.1:{port}/quote"), "colo": "DFW", "body": "paid" });
    assert_eq!(answer["answer"], seen);
    for (path, script, message, kind) in [
        ("/", "nobody", "Worker not found.", "Error"),
        ("/throw", "alpha", "tenant boom", "TypeError"),
        ("/throw-named/constructor", "alpha", "tenant boom", "Error"),
        ("/throw-named/__proto__", "alpha", "tenant boom", "Error"),
        ("/burn", "alpha", "Worker exceeded CPU time limit.", "Error"),
        (
            "/ask/4",
            "alpha",
            "Too many subrequests by single Worker invocation. To configure this limit, refer to \
                https://developers.cloudflare.com/workers/wrangler/configuration/#limits",
            "Error",
        ),
    ] {
        let thrown = ask(port, path, script, &[]).await;
        assert_eq!(thrown, json!({ "thrown": message, "type": kind, "remote": true }), "{path}");
    }
    let to_head = ask(port, "/throw", "alpha", &[("x-method", "HEAD")]).await;
    assert_eq!(to_head, json!({ "thrown": "tenant boom", "type": "TypeError", "remote": true }));
    for (cpu_ms, message) in [
        ("NaN", "The value cannot be converted because it is not an integer."),
        ("-1", "The value cannot be converted because it is negative and this API expects a positive number."),
        ("4294967296", "Value out of range. Must be less than or equal to 4294967295."),
    ] {
        let thrown = ask(port, "/quote", "alpha", &[("x-cpu", cpu_ms)]).await;
        assert_eq!(thrown, json!({ "thrown": message, "type": "TypeError" }), "{cpu_ms}");
    }
    wrangler.stop().await.unwrap();
}
