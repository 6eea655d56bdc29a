//! A namespace whose harness is killed leaves no process, no port and no file.

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::running::{LIMIT, Running};

const TENANT: &str = r#"
export default {
  fetch(request) {
    if (new URL(request.url).pathname === "/burn") for (;;);
    return new Response("here");
  },
};
"#;

const POLL: Duration = Duration::from_millis(50);

#[tokio::test]
async fn nothing_is_left_behind_by_a_harness_killed_by_sigkill() {
    let mut namespace = Running::start(TENANT);
    assert_eq!(namespace.get("alpha", "/", json!({})).await.text, "here");
    // In the middle of an invocation that would burn for ever.
    let burning = namespace.try_get("alpha", "/burn", json!({ "cpuMs": 600_000 }));
    assert!(tokio::time::timeout(Duration::from_secs(1), burning).await.is_err(), "it burns on");
    let (before, folders) = (namespace.processes(), namespace.tenant_processes());
    assert!(!folders.is_empty(), "{before:?}");

    namespace.kill();
    let mut waited = Duration::ZERO;
    let alive = |(pid, _): &&(u32, _)| Path::new("/proc").join(pid.to_string()).exists();
    while let Some(survivor) = before.iter().find(alive) {
        assert!(waited < LIMIT, "{survivor:?} survived");
        tokio::time::sleep(POLL).await;
        waited += POLL;
    }
    assert!(TcpStream::connect(namespace.address).is_err(), "the port is free");
    assert!(folders.iter().all(|folder| !folder.exists()), "{folders:?}");
}
