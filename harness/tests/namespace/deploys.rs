//! A deploy is a file that changed, and needs no restart.

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

use crate::running::Running;

/// Answers "old" in two halves, and the second only when the outside has been asked often enough for a deploy to pass.
const OLD: &str = r#"
export default {
  async fetch(request) {
    if (new URL(request.url).pathname !== "/slowly") return new Response("old");
    const { readable, writable } = new TransformStream();
    const answer = async () => {
      const writer = writable.getWriter();
      await writer.write(new TextEncoder().encode("ol"));
      await new Promise((then) => setTimeout(then, 3000));
      await writer.write(new TextEncoder().encode("d"));
      await writer.close();
    };
    answer();
    return new Response(readable);
  },
};
"#;
const NEW: &str = r#"export default { fetch() { return new Response("new"); } };"#;

#[tokio::test]
async fn a_deploy_replaces_a_script_while_its_old_invocations_finish() {
    let namespace = Running::start(OLD);
    let stream = TcpStream::connect(namespace.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("/slowly")
        .header("host", "shop.example")
        .header("x-namespace-dispatch", r#"{"script":"alpha"}"#)
        .body(Empty::<Bytes>::new())
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();

    namespace.deploy("alpha/index.mjs", NEW);
    let mut text = String::new();
    while text != "new" {
        text = namespace.get("alpha", "/", json!({})).await.text;
        assert!(["old", "new"].contains(&text.as_str()), "{text}");
    }
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "old", "what runs goes on on the old version");
    for _ in 0..5 {
        assert_eq!(namespace.get("alpha", "/", json!({})).await.text, "new");
    }
}

#[tokio::test]
async fn a_deploy_that_does_not_start_leaves_the_version_that_runs() {
    let namespace = Running::start(OLD);
    assert_eq!(namespace.get("alpha", "/", json!({})).await.text, "old");
    namespace.deploy("alpha/index.mjs", "export default { fetch(");
    // A new script answers as soon as it was seen, and the next look waits until all of this one was taken care of:
    // once a second new script answers, what was seen with the first one has been tried out.
    for (name, file) in [("beta", "beta.js"), ("gamma", "gamma.js")] {
        namespace.deploy(file, NEW);
        while namespace.get(name, "/", json!({})).await.text != "new" {}
    }
    assert_eq!(namespace.get("alpha", "/", json!({})).await.text, "old");
    namespace.deploy("alpha/index.mjs", NEW);
    while namespace.get("alpha", "/", json!({})).await.text != "new" {}
}

#[tokio::test]
async fn scripts_come_and_go() {
    let namespace = Running::start(OLD);
    let not_found = "Worker not found.";
    assert_eq!(namespace.get("beta", "/", json!({})).await.exception()["message"], not_found);
    namespace.deploy("beta.js", NEW);
    while namespace.get("beta", "/", json!({})).await.text != "new" {}
    std::fs::remove_file(namespace.folder().join("tenants/beta.js")).unwrap();
    while namespace.get("beta", "/", json!({})).await.text == "new" {}
    assert_eq!(namespace.get("beta", "/", json!({})).await.exception()["message"], not_found);
    assert_eq!(namespace.get("alpha", "/", json!({})).await.text, "old");
}
