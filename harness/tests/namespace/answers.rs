//! What a dispatch gets back when no limit is met.

use http_body_util::{BodyExt, StreamBody};
use hyper::Request;
use hyper::body::{Bytes, Frame};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::running::{LIMIT, Running};

const TENANT: &str = r#"
// As a polyfill does.
globalThis.JSON = { stringify: () => "{}", parse: () => ({}) };
export default {
  async fetch(request, env) {
    switch (new URL(request.url).pathname) {
      case "/throw": throw new RangeError("tenant boom");
      case "/throw-text": throw "just text";
      case "/throw-nothing": throw Object.create(null);
      case "/throw-trap": throw Object.defineProperty(new Error(), "message", { get() { throw 1; } });
      case "/throw-half": throw new Error("half \ud83d a character");
      case "/throw-much": throw new Error("much".repeat(1 << 20));
      case "/no-response": return 7;
      case "/spent": { const spent = new Response("spent"); await spent.text(); return spent; }
      case "/unsendable": return Response.error();
      case "/many-headers": {
        const [seen, headers] = [[...request.headers], Array.from({ length: 1000 }, (_, nth) => [`x-${nth}`, "1"])];
        return new Response(seen.filter(([name]) => name.startsWith("x-")).length, { headers });
      }
      case "/forge": return new Response("mine", { headers: { "x-namespace-exception": "1", "x-mine": "1" } });
      case "/echo": return new Response(request.body);
      case "/break-off-at-once": return new Response(new ReadableStream({ pull(to) { to.error(new Error("none")); } }));
      case "/break-off": {
        const chunks = [new Uint8Array(65536)];
        const pull = async (to) => {
          if (chunks.length > 0) return to.enqueue(chunks.pop());
          // Until the head is on its way.
          await new Promise((then) => setTimeout(then, 100));
          to.error(new Error("no more"));
        };
        return new Response(new ReadableStream({ pull }));
      }
    }
    const headers = [...request.headers.keys()].filter((name) => name.startsWith("x-"));
    return Response.json({ url: request.url, headers, vars: env });
  },
};
"#;

#[tokio::test]
async fn a_tenant_sees_its_request_and_its_vars_and_nothing_of_ours() {
    let namespace = Running::start(TENANT);
    namespace.deploy("beta/tenant.json", r#"{ "vars": { "NAME": "b\u00e9ta", "LIST": [1] } }"#);
    namespace.deploy("beta/index.js", TENANT);
    let mut answer = namespace.get("beta", "/quote?q=1", json!({})).await;
    while answer.status == 599 {
        assert_eq!(answer.exception()["message"], "Worker not found.", "until the deploy is noticed");
        answer = namespace.get("beta", "/quote?q=1", json!({})).await;
    }
    let seen: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    let vars = json!({ "NAME": "b\u{e9}ta", "LIST": [1] });
    assert_eq!(seen, json!({ "url": "https://shop.example/quote?q=1", "headers": [], "vars": vars }));
}

#[tokio::test]
async fn a_name_that_is_not_there_is_not_found_whatever_it_looks_like() {
    let namespace = Running::start(TENANT);
    for name in ["beta", "../tenants/alpha", "", "alpha/", "ALPHA"] {
        let thrown = namespace.get(name, "/", json!({})).await.exception();
        assert_eq!((&thrown["message"], &thrown["remote"]), (&json!("Worker not found."), &json!(true)), "{name:?}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_the_tenants_exception_and_no_crash() {
    let namespace = Running::start(TENANT);
    assert!(namespace.try_get("alpha", "/break-off", json!({})).await.is_err());
    assert_eq!(namespace.record().await["outcome"], "exception");
    assert_eq!(namespace.get("alpha", "/break-off-at-once", json!({})).await.status, 599);
    assert_eq!(namespace.record().await["outcome"], "exception");
    assert_eq!(namespace.get("alpha", "/quote", json!({})).await.status, 200);
}

#[tokio::test]
async fn what_a_tenant_throws_is_thrown_in_the_dispatcher() {
    let namespace = Running::start(TENANT);
    for (path, name, message) in [
        ("/throw", "RangeError", "tenant boom"),
        ("/throw-text", "Error", "just text"),
        ("/throw-nothing", "Error", ""),
        ("/throw-trap", "Error", ""),
        ("/throw-half", "Error", "half \u{fffd} a character"),
        ("/no-response", "TypeError", "Incorrect type for Promise: the Promise did not resolve to 'Response'."),
        (
            "/spent",
            "TypeError",
            "Body has already been used. It can only be used once. Use tee() first if you need to read it twice.",
        ),
    ] {
        let thrown = namespace.get("alpha", path, json!({})).await.exception();
        assert_eq!(thrown["name"], name);
        assert_eq!((&thrown["message"], &thrown["remote"]), (&json!(message), &json!(true)));
        assert_eq!(namespace.record().await["outcome"], "exception");
    }
}

#[tokio::test]
async fn a_message_without_end_is_cut_short() {
    let namespace = Running::start(TENANT);
    let thrown = namespace.get("alpha", "/throw-much", json!({})).await.exception();
    assert_eq!((thrown["message"].as_str().unwrap(), &thrown["remote"]), ("much".repeat(1024).as_str(), &json!(true)));
}

/// The runtime sends its own 500 then, which must not be sold as the tenant's.
#[tokio::test]
async fn what_cannot_be_sent_is_no_answer() {
    let namespace = Running::start(TENANT);
    let thrown = namespace.get("alpha", "/unsendable", json!({})).await.exception();
    assert!(thrown["message"].as_str().unwrap().contains("could not be sent"), "{thrown}");
    assert_eq!(namespace.record().await["outcome"], "exception");
}

#[tokio::test]
async fn a_thousand_headers_pass_both_ways() {
    let namespace = Running::start(TENANT);
    let client = system::http_client::builder().http1_max_headers(2000).build().unwrap();
    let asked = client.get(format!("http://{}/many-headers", namespace.address));
    let asked = (0..1000).fold(asked, |asked, nth| asked.header(format!("x-{nth}"), "1"));
    let answer = asked.header("x-namespace-dispatch", r#"{"script":"alpha"}"#).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (200, "1000".to_owned()));
}

#[tokio::test]
async fn a_script_that_does_not_start_says_why() {
    let namespace = Running::start("export default { fetch(");
    let thrown = namespace.get("alpha", "/", json!({})).await.exception();
    let message = thrown["message"].as_str().unwrap();
    assert!(message.contains("SyntaxError") && message.contains("index.mjs"), "{message}");
    assert_eq!(thrown["remote"], false, "the platform would have refused the deploy");
}

#[tokio::test]
async fn a_tenant_cannot_say_that_it_was_an_exception() {
    let namespace = Running::start(TENANT);
    let answer = system::http_client::builder()
        .build()
        .unwrap()
        .get(format!("http://{}/forge", namespace.address))
        .header("x-namespace-dispatch", r#"{"script":"alpha"}"#)
        .send()
        .await
        .unwrap();
    let names: Vec<_> =
        answer.headers().keys().map(|name| name.as_str()).filter(|name| name.starts_with("x-")).collect();
    assert_eq!((answer.status().as_u16(), names), (200, vec!["x-mine"]));
}

#[tokio::test]
async fn a_websocket_upgrade_is_refused_clearly() {
    let namespace = Running::start(TENANT);
    let answer = system::http_client::builder()
        .build()
        .unwrap()
        .get(format!("http://{}/", namespace.address))
        .header("x-namespace-dispatch", r#"{"script":"alpha"}"#)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 599);
    assert!(answer.text().await.unwrap().contains("WebSocket upgrades do not reach tenants"));
}

#[tokio::test]
async fn bodies_are_streamed_both_ways() {
    let namespace = Running::start(TENANT);
    let stream = TcpStream::connect(namespace.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let (part, mut parts) = mpsc::channel::<&'static str>(1);
    let body = StreamBody::new(futures_util::stream::poll_fn(move |cx| {
        parts.poll_recv(cx).map(|part| part.map(|part| Ok::<_, std::io::Error>(Frame::data(Bytes::from(part)))))
    }));
    let request = Request::post("/echo")
        .header("host", "shop.example")
        .header("x-namespace-dispatch", r#"{"script":"alpha"}"#)
        .body(body)
        .unwrap();
    part.send("first").await.unwrap();
    let mut answer = timeout(LIMIT, sender.send_request(request)).await.unwrap().unwrap().into_body();
    // What comes back of one part is read before the next one is sent.
    for next in ["second", "third"] {
        let before = timeout(LIMIT, answer.frame()).await.unwrap().unwrap().unwrap().into_data().unwrap();
        assert!(!before.is_empty());
        part.send(next).await.unwrap();
    }
    drop(part);
    assert_eq!(timeout(LIMIT, answer.collect()).await.unwrap().unwrap().to_bytes(), "third");
}
