//! The outbound Worker as it ships, under workerd: what a tenant's policy refuses never gets out, and what it allows does.

use crate::harness::turn;
use harness::{
    setup::{self, Cancelled, ToStderr},
    world::workerd::{OutboundWorker, Workerd, WorkerdOptions},
};
use std::{env, fs, path::Path};
use system::guard::Guard;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const ANY: &str = r#"{"script":"acme","parameters":{"egress":{"tenant_id":"acme","egress":{}}}}"#;
const LISTED: &str =
    r#"{"script":"acme","parameters":{"egress":{"tenant_id":"acme","egress":{"allow":["*.example.org"]}}}}"#;

#[test]
fn only_what_the_policy_lets_through_reaches_the_outside() {
    let _turn = turn();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member of its workspace");
    let dir = env::temp_dir().join(format!("402claw-outbound-{}", std::process::id()));
    let cancelled = Cancelled::default();
    let toolchain = setup::ensure(workspace, &mut ToStderr, &cancelled).expect("the machine can be set up");
    let bundle = setup::build_outbound(&toolchain, workspace, &mut ToStderr, &cancelled).expect("the Worker compiles");
    let worker = OutboundWorker {
        index_js: bundle.index_js,
        platform_hosts: vec!["*.tenants.test".to_owned(), "tenants.example".to_owned()],
    };
    let options = WorkerdOptions {
        guard: Guard::at(env!("CARGO_BIN_EXE_harness").into()),
        workerd: toolchain.workerd(),
        dir: dir.clone(),
        v8_flags: Vec::new(),
        ready_path: "http://ready.example/".to_owned(),
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let workerd = Workerd::start(&worker, &options).await.expect("workerd starts");
        for (url, told, expected) in [
            ("https://api.example.com/v1?q=1", ANY, "200 outside double"),
            ("http://api.example.org/", LISTED, "200 outside double"),
            ("https://api.example.com/", LISTED, "403 not_allowed"),
            ("http://127.0.0.1/", ANY, "403 not_public"),
            ("http://2130706433/", ANY, "403 not_public"),
            ("http://[::ffff:10.0.0.1]/", ANY, "403 not_public"),
            ("http://169.254.169.254/latest/meta-data/", ANY, "403 not_public"),
            ("https://tenants.example/t/globex", ANY, "403 platform_host"),
            ("https://api.example.com:8443/", ANY, "403 port"),
            // Where it leads is asked about when the tenant follows it.
            ("https://api.example.com/redirect-to/http%3A%2F%2F127.0.0.1%2F", ANY, "302 "),
            ("https://api.example.com/", "{}", "403 no_policy"),
        ] {
            assert_eq!(ask(workerd.port, url, told).await, expected, "{url} {told}");
        }
        workerd.stop().await.unwrap();
    });
    let said = fs::read_to_string(dir.join("workerd.log")).unwrap();
    let outside: Vec<_> = said.lines().filter(|line| line.contains(r#""log":"outside""#)).collect();
    assert!(outside.len() == 3 && outside.iter().all(|line| line.contains("://api.example.")), "{outside:?}");
    for line in &outside {
        let told: serde_json::Value = serde_json::from_str(&line[line.find('{').unwrap()..]).unwrap();
        let host = told["url"].as_str().unwrap().split('/').nth(2);
        assert_eq!((told["host"].as_str(), told["via"].as_str()), (host, None), "a tenant named another host: {line}");
    }
    let counted = said.lines().filter(|line| line.contains(r#""log":"egress""#)).count();
    assert!(counted >= 11, "a line for each: {said}");
    assert!(said.contains("must list it in outbound.parameters"), "an operator reads what is wrong: {said}");
    fs::remove_dir_all(dir).unwrap();
}

/// Status, and the reason or the first line. In absolute form, as a namespace asks.
async fn ask(port: u16, url: &str, told: &str) -> String {
    let host = url.split('/').nth(2).unwrap_or_default();
    let claims = "cf-connecting-ip: 192.0.2.1\r\nConnection: close";
    let request =
        format!("GET {url} HTTP/1.1\r\nHost: globex.{host}\r\nx-namespace-outbound: {told}\r\n{claims}\r\n\r\n");
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap_or_default();
    let reason = answer.split_once(r#""reason":""#).and_then(|(_, rest)| rest.split('"').next());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let text = if body.contains("outside double") { "outside double" } else { "" };
    format!("{status} {}", reason.unwrap_or(text))
}
