//! Each limit, as production says it.

use std::time::Duration;

use serde_json::json;

use crate::running::Running;

const TENANT: &str = r#"
export default {
  async fetch(request, env, ctx) {
    const [, what, argument] = new URL(request.url).pathname.split("/");
    const ask = async (path, init) => (await fetch(`https://origin.example${path}`, init)).text();
    switch (what) {
      case "burn": for (;;);
      case "hoard": for (const kept = []; ; ) kept.push(new Uint8Array(1 << 20).fill(1));
      case "grow": for (const kept = []; ; ) kept.push(Array.from({ length: 1e5 }, (_, nth) => ({ nth })));
      case "litter": for (let left = Number(argument); left > 0; left -= 1) new Uint8Array(1 << 20).fill(1); break;
      case "keep": globalThis.kept = new Uint8Array(Number(argument) << 20).fill(1); break;
      case "burn-later": ctx.waitUntil(new Promise((then) => setTimeout(then, 20)).then(() => { for (;;); })); break;
      case "hang": await new Promise((then) => setTimeout(then, 600_000)); break;
      case "ask": for (let asked = 0; asked < Number(argument); asked += 1) await ask("/"); break;
      case "ask-head": for (let asked = 0; asked < Number(argument); asked += 1) await ask("/", { method: "HEAD" }); break;
      case "catch": try { for (;;) await ask("/"); } catch (error) { return new Response(error.message); }
      case "redirect": return new Response(await ask(`/redirect/${argument}`));
    }
    return new Response("whole");
  },
};
"#;

/// Puts its own in the place of all that might be told the invocation's token, or might be asked what work is left; and
/// takes what it can of the shim's modules.
const THIEF: &str = r#"
import * as shim from "./namespace-shim.mjs";
import { unchanged } from "./namespace-subrequests.mjs";
const heard = new Set();
const hear = (value) => { if (/^[0-9a-f]{32}/.test(value)) heard.add(value); };
for (const name of ["get", "set", "delete"]) {
  const own = Headers.prototype[name];
  Headers.prototype[name] = function (...rest) {
    for (const [, value] of this) hear(value);
    for (const value of rest) hear(value);
    return own.apply(this, rest);
  };
}
Array.prototype.push = () => 0;
Promise.allSettled = async () => [];
Object.defineProperty = (object) => object;
export default {
  async fetch(request, env, ctx) {
    try { shim.default.fetch = (incoming) => { for (const [, value] of incoming.headers) hear(value); }; } catch {}
    const { pathname } = new URL(request.url);
    if (pathname === "/throw") throw new Error("thrown");
    if (pathname === "/burn-later") {
      ctx.waitUntil(new Promise((then) => setTimeout(then, 20)).then(() => { for (;;); }));
    }
    for (let asked = 0; asked < 2; asked += 1) {
      const answer = await unchanged("https://origin.example/");
      for (const [, value] of answer.headers) hear(value);
      await answer.text();
    }
    return new Response(`heard ${heard.size}`);
  },
};
"#;

const TOO_MANY: &str = "Too many subrequests by single Worker invocation. To configure this limit, refer to \
    https://developers.cloudflare.com/workers/wrangler/configuration/#limits";

#[tokio::test]
async fn every_endless_loop_is_cut_off_and_the_next_request_is_served() {
    let namespace = Running::start(TENANT);
    for _ in 0..5 {
        let thrown = namespace.get("alpha", "/burn", json!({ "cpuMs": 30 })).await.exception();
        assert_eq!((&thrown["message"], &thrown["remote"]), (&json!("Worker exceeded CPU time limit."), &json!(true)));
        assert!(thrown["cpuMs"].as_f64().unwrap() >= 30.0, "{thrown}");
        assert_eq!(namespace.record().await["outcome"], "exceededCpu");
        assert_eq!(namespace.get("alpha", "/", json!({ "cpuMs": 1000 })).await.text, "whole");
        assert_eq!(namespace.record().await["outcome"], "ok");
    }
}

#[tokio::test]
async fn a_tenant_that_takes_too_much_memory_is_ended_near_its_limit() {
    let namespace = Running::start(TENANT);
    for path in ["/hoard", "/grow", "/hoard"] {
        let thrown = namespace.get("alpha", path, json!({})).await.exception();
        assert_eq!((&thrown["message"], &thrown["remote"]), (&json!("Worker exceeded memory limit."), &json!(true)));
        let record = namespace.record().await;
        assert_eq!((&record["outcome"], &record["memoryLimitMb"]), (&json!("exceededMemory"), &json!(128.0)));
        let held = record["memoryMb"].as_f64().unwrap();
        assert!((128.0..256.0).contains(&held), "{record}");
        assert_eq!(namespace.get("alpha", "/", json!({})).await.text, "whole");
        assert_eq!(namespace.record().await["outcome"], "ok");
    }
}

#[tokio::test]
async fn what_is_let_go_of_is_not_held_against_a_tenant() {
    let namespace = Running::start(TENANT);
    assert_eq!(namespace.get("alpha", "/litter/1000", json!({})).await.text, "whole");
    // Each would be over the limit with what the one before it kept.
    for _ in 0..3 {
        assert_eq!(namespace.get("alpha", "/keep/90", json!({})).await.text, "whole");
    }
}

#[tokio::test]
async fn how_much_memory_an_isolate_has_can_be_told() {
    let namespace = Running::start_with(TENANT, &["--memory-mb", "32"]);
    assert_eq!(
        namespace.get("alpha", "/keep/60", json!({})).await.exception()["message"],
        "Worker exceeded memory limit."
    );
    assert_eq!(namespace.record().await["memoryLimitMb"], 32.0);
}

#[tokio::test]
async fn background_work_is_on_the_same_budget() {
    let namespace = Running::start(TENANT);
    let answer = namespace.get("alpha", "/burn-later", json!({ "cpuMs": 100 })).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "whole"));
    assert_eq!(namespace.record().await["outcome"], "exceededCpu");
    assert_eq!(namespace.get("alpha", "/", json!({})).await.text, "whole");
}

#[tokio::test]
async fn a_tenant_that_replaces_the_runtime_hears_no_token_and_its_background_work_is_charged() {
    let namespace = Running::start(THIEF);
    let limits = json!({ "subRequests": 1 });
    assert_eq!(namespace.get("alpha", "/throw", limits.clone()).await.exception()["message"], "thrown");
    assert_eq!(namespace.record().await["outcome"], "exception");
    // The second of them hears what came with the first one's end.
    for _ in 0..2 {
        assert_eq!(namespace.get("alpha", "/", limits.clone()).await.text, "heard 0");
        assert_eq!(namespace.record().await["outcome"], "ok");
    }
    let limits = json!({ "cpuMs": 100, "subRequests": 1 });
    assert_eq!(namespace.get("alpha", "/burn-later", limits).await.text, "heard 0");
    assert_eq!(namespace.record().await["outcome"], "exceededCpu");
}

#[tokio::test]
async fn an_invocation_ends_when_its_caller_goes_away() {
    let namespace = Running::start(TENANT);
    assert_eq!(namespace.get("alpha", "/", json!({})).await.text, "whole");
    assert_eq!(namespace.record().await["outcome"], "ok");
    let hanging = namespace.try_get("alpha", "/hang", json!({}));
    assert!(tokio::time::timeout(Duration::from_secs(1), hanging).await.is_err(), "it hangs");
    assert_eq!(namespace.record().await["outcome"], "cancelled");
    assert_eq!(namespace.get("alpha", "/", json!({})).await.text, "whole");
}

#[tokio::test]
async fn one_subrequest_too_many_is_thrown_in_the_tenant() {
    let namespace = Running::start(TENANT);
    let limits = json!({ "subRequests": 3 });
    assert_eq!(namespace.get("alpha", "/ask/3", limits.clone()).await.text, "whole");
    assert_eq!(namespace.record().await["subrequests"], 3);
    let thrown = namespace.get("alpha", "/ask/4", limits.clone()).await.exception();
    assert_eq!((&thrown["message"], &thrown["remote"]), (&json!(TOO_MANY), &json!(true)));
    assert_eq!(namespace.record().await["outcome"], "exception");
    let thrown = namespace.get("alpha", "/ask-head/4", limits.clone()).await.exception();
    assert_eq!(thrown["message"], TOO_MANY);
    let caught = namespace.get("alpha", "/catch", limits).await;
    assert_eq!((caught.status, caught.text.as_str()), (200, TOO_MANY), "a tenant may catch it");
}

#[tokio::test]
async fn a_script_that_computes_on_and_on_at_its_top_level_does_not_start() {
    let namespace = Running::start("for (;;); export default {};");
    let thrown = namespace.get("alpha", "/", json!({})).await.exception();
    assert!(thrown["message"].as_str().unwrap().contains("computes for more than 1 s at its top level"), "{thrown}");
}

#[tokio::test]
async fn every_redirect_hop_is_a_subrequest() {
    let namespace = Running::start(TENANT);
    let limits = json!({ "subRequests": 3 });
    // Two hops, and where they lead to.
    assert_eq!(namespace.get("alpha", "/redirect/2", limits.clone()).await.text, "outbound double\n");
    assert_eq!(namespace.record().await["subrequests"], 3);
    let thrown = namespace.get("alpha", "/redirect/3", limits).await.exception();
    assert_eq!(thrown["message"], TOO_MANY);
}

#[tokio::test]
async fn without_limits_the_platforms_own_hold() {
    let namespace = Running::start(TENANT);
    for none in [json!(null), json!({}), json!({ "cpu_ms": 1, "subrequests": 1 })] {
        assert_eq!(namespace.get("alpha", "/ask/2", none).await.text, "whole");
        let record = namespace.record().await;
        assert_eq!((&record["cpuLimitMs"], &record["subrequestLimit"]), (&json!(30_000), &json!(1000)));
    }
}
