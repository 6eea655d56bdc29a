//! Several invocations of one tenant at a time, each with its own accounts.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::json;

use crate::running::Running;

const TENANT: &str = r#"
export default {
  async fetch(request) {
    if (new URL(request.url).pathname === "/burn") for (;;);
    return new Response(await (await fetch("https://origin.example/")).text());
  },
};
"#;

/// The processes that one tenant may have (`PROCESSES_PER_TENANT`).
const AT_ONCE: usize = 4;

/// Answers nobody before `AT_ONCE` have asked, and tells for whom each asked.
fn origin_that_waits_for_all() -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let asked: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") {
                    stream.read_exact(&mut byte).unwrap();
                    head.push(byte[0]);
                }
                (stream, String::from_utf8(head).unwrap())
            })
            .collect();
        asked
            .into_iter()
            .map(|(mut stream, head)| {
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\norigin";
                stream.write_all(answer.as_bytes()).unwrap();
                head
            })
            .collect()
    });
    (url, served)
}

#[tokio::test]
async fn invocations_of_one_tenant_run_at_once_and_are_counted_apart() {
    let (origin, served) = origin_that_waits_for_all();
    let namespace = Running::start_with(TENANT, &["--outbound", &origin]);
    let limits = || json!({ "subRequests": 1 });
    let (one, two, three, four) = tokio::join!(
        namespace.get("alpha", "/", limits()),
        namespace.get("alpha", "/", limits()),
        namespace.get("alpha", "/", limits()),
        namespace.get("alpha", "/", limits()),
    );
    for answer in [one, two, three, four] {
        assert_eq!((answer.status, answer.text.as_str()), (200, "origin"));
        assert_eq!(namespace.record().await["subrequests"], 1);
    }
    for head in served.join().unwrap() {
        assert!(head.starts_with("GET https://origin.example/ HTTP/1.1\r\n"), "{head}");
        assert!(head.contains(r#"x-namespace-outbound: {"parameters":{},"script":"alpha"}"#), "{head}");
    }
}

#[tokio::test]
async fn a_burning_invocation_takes_no_other_along() {
    let namespace = Running::start(TENANT);
    let (burnt, served) = tokio::join!(namespace.get("alpha", "/burn", json!({ "cpuMs": 300 })), async {
        for _ in 0..5 {
            assert_eq!(namespace.get("alpha", "/", json!({})).await.text, "outbound double\n");
        }
    });
    assert_eq!(burnt.exception()["message"], "Worker exceeded CPU time limit.");
    served
}

#[tokio::test]
async fn more_invocations_than_processes_wait_their_turn() {
    let namespace = Running::start(TENANT);
    let all = futures_util::future::join_all((0..3 * AT_ONCE).map(|_| namespace.get("alpha", "/", json!({})))).await;
    assert!(all.iter().all(|answer| answer.text == "outbound double\n"), "{all:?}");
}
