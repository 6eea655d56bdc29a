//! The flow of `docs/seller.md`, with real signatures: from nothing to a paid answer, and to the money that it brought.

use crate::{harness::turn, npm_client::NpmClient};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

/// A folder that goes with its test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("402claw-seller-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The seller's program. It is another package's, so cargo does not say where it is: beside the sandbox that it starts.
fn program() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_402claw-dev")).with_file_name("402claw");
    if !path.exists() {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built =
            Command::new(cargo).args(["build", "-p", "claw-cli"]).current_dir(env!("CARGO_MANIFEST_DIR")).status();
        assert!(built.is_ok_and(|status| status.success()), "402claw can be built");
    }
    path
}

pub fn claw(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(args).current_dir(folder).stdin(Stdio::null());
    // The checkout is found from the working directory, or from the program.
    command.env("CLAW_DEV", env!("CARGO_BIN_EXE_402claw-dev")).env("HARNESS_RUNS", folder.join("runs"));
    command.env_remove("CLAW_BUYER_KEY");
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    claw(folder, args).stderr(Stdio::inherit()).output().unwrap()
}

fn json_of(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// `402claw dev` left running.
struct Served {
    child: Child,
    url: String,
}

impl Served {
    fn start(folder: &Path) -> Self {
        Self::with(folder, &[])
    }

    fn with(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = claw(folder, &["dev"]);
        let mut child = command.envs(variables.iter().copied()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let serving = lines.find_map(|line| Some(line.strip_prefix("serving")?.trim().to_owned()));
        let url = serving.expect("it serves");
        Self { child, url: url.split("/v1/").next().unwrap_or_default().trim_end_matches('/').to_owned() }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.child.id() as i32), Signal::SIGINT);
        let _ = self.child.wait();
    }
}

#[test]
fn a_seller_goes_from_nothing_to_a_paid_answer_and_to_its_money() {
    let _turn = turn();
    let folder = Folder::new("golden");
    assert!(run(&folder.0, &["init", "my-api"]).status.success());
    let shop = folder.0.join("my-api");

    let bought = run(&shop, &["--format", "json", "dev", "--once"]);
    let told = json_of(&bought);
    assert!(bought.status.success(), "{told}");
    assert_eq!((&told["outcome"], &told["price"], &told["tries"]), (&json!("bought"), &json!("0.001"), &json!(1)));
    assert_eq!(told["body"]["rows"].as_array().map(Vec::len), Some(3), "{told}");
    assert!(told["requestId"].is_string());

    let payouts = json_of(&run(&shop, &["--format", "json", "payouts", "my-api"]));
    assert_eq!(payouts["paid"], "0.001");
    assert_eq!(payouts["days"][0]["transactions"], json!([told["transaction"]]));
}

#[test]
fn what_is_free_is_free_and_what_is_wrong_is_not_charged() {
    let _turn = turn();
    let folder = Folder::new("free");
    fs::write(folder.0.join("cities.csv"), "id,city,big\n1,Ústí,12345678901234567890\n2,\"a \"\"b\"\"\nc\",\n")
        .unwrap();
    let settings = r#"{"tenant": "cities", "dataset": "cities.csv", "price": "0.002"}"#;
    fs::write(folder.0.join("402claw.json"), settings).unwrap();
    let served = Served::start(&folder.0);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let get = |path: &str| {
        runtime.block_on(async {
            let client = system::http_client::builder().build().unwrap();
            let response = client.get(format!("{}{path}", served.url)).send().await.unwrap();
            (response.status().as_u16(), response.text().await.unwrap())
        })
    };
    for path in ["/v1/schema", "/v1/preview", "/v1/stats", "/openapi.json", "/llms.txt", "/.well-known/x402"] {
        assert_eq!(get(path).0, 200, "{path}");
    }
    for path in ["/v1/records", "/v1/records/1", "/v1/schema/", "/v1/%73chema", "/", "/nothing"] {
        assert_eq!(get(path).0, 402, "{path}");
    }
    let preview: Value = serde_json::from_str(&get("/v1/preview").1).unwrap();
    assert_eq!(preview["rows"][0], json!({"id": 1, "city": "Ústí", "big": "12345678901234567890"}));
    assert_eq!(preview["rows"][1], json!({"id": 2, "city": "a \"b\"\nc", "big": null}));

    let call = |path: &str| run(&folder.0, &["--format", "json", "call", &format!("{}{path}", served.url)]);
    let wrong = call("/v1/records?limt=3");
    assert_eq!((wrong.status.code(), &json_of(&wrong)["outcome"]), (Some(4), &json!("refused: 400 invalid_query")));
    let right = call("/v1/records?city=%C3%9Ast%C3%AD&columns=id");
    assert_eq!(json_of(&right)["body"], json!({"rows": [{"id": 1}], "next": null, "total": 1}));
    let missing = call("/v1/records/77");
    assert_eq!(missing.status.code(), Some(4));
    drop(served);
    let payouts = json_of(&run(&folder.0, &["--format", "json", "payouts", "cities"]));
    assert_eq!(payouts["paid"], "0.004", "the first purchase, and the one question that had an answer");
}

#[test]
fn official_clients_of_both_versions_buy_what_was_deployed() {
    let _turn = turn();
    let clients = [
        NpmClient::installed("official-client", "about 15 s, 92 MB"),
        NpmClient::installed("legacy-client", "about 15 s, 130 MB"),
    ];
    let folder = Folder::new("clients");
    fs::write(folder.0.join("cities.csv"), "id,city\n1,Brno\n2,Praha\n").unwrap();
    let settings = r#"{"tenant": "cities", "dataset": "cities.csv", "price": "0.002"}"#;
    fs::write(folder.0.join("402claw.json"), settings).unwrap();
    let served = Served::start(&folder.0);
    for client in clients {
        let got = client.pay(&format!("{}/v1/records?sort=-id&limit=1", served.url));
        assert_eq!((&got["status"], &got["receipt"]["success"]), (&json!(200), &json!(true)), "{got}");
        let body: Value = serde_json::from_str(got["body"].as_str().unwrap()).unwrap();
        assert_eq!(body["rows"], json!([{"id": 2, "city": "Praha"}]));
    }
    drop(served);
    let payouts = json_of(&run(&folder.0, &["--format", "json", "payouts", "cities"]));
    assert_eq!(payouts["paid"], "0.006", "the first purchase, and one of each client");
}

/// An API on this machine that answers whoever has its key, and tells what else it was sent.
fn upstream() -> (String, std::thread::JoinHandle<()>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v2", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream);
            let mut head = String::new();
            while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
            if head.starts_with("GET /stop") {
                return;
            }
            let lower = head.to_lowercase();
            let knows = lower.contains("x-api-key: s3cret");
            let leaked = ["payment-signature", "x-payment", "x-request-id"].iter().any(|name| lower.contains(name));
            let path = head.split(' ').nth(1).unwrap_or_default();
            let status = if !knows {
                "401 Unauthorized"
            } else if path.ends_with("/missing") {
                "404 Not Found"
            } else {
                "200 OK"
            };
            let body = json!({"path": path, "leaked": leaked}).to_string();
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nset-cookie: a=b\r\nx-internal: 1\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            let _ = std::io::Write::write_all(reader.get_mut(), answer.as_bytes());
        }
    });
    (url, served)
}

#[test]
fn a_proxy_sells_another_api_and_keeps_its_secret() {
    let _turn = turn();
    let folder = Folder::new("proxy");
    let (url, upstream) = upstream();
    let init =
        ["init", ".", "--template", "proxy", "--upstream", &url, "--secret-header", "x-api-key", "--price", "0.003"];
    assert!(run(&folder.0, &init).status.success());
    let served = Served::with(&folder.0, &[("UPSTREAM_SECRET", "s3cret")]);
    let call = |path: &str| run(&folder.0, &["--format", "json", "call", &format!("{}{path}", served.url)]);
    let bought = json_of(&call("/quote?symbol=X"));
    assert_eq!(bought["outcome"], "bought", "{bought}");
    assert_eq!(bought["body"], json!({"path": "/v2/quote?symbol=X", "leaked": false}));
    assert!(!bought.to_string().contains("s3cret"));
    let missing = call("/missing");
    assert_eq!(missing.status.code(), Some(4), "what the other API refuses is not charged");
    drop(served);
    let payouts = json_of(&run(&folder.0, &["--format", "json", "payouts", "my-api"]));
    assert_eq!(payouts["paid"], "0.006", "the first purchase, and the one that was answered");
    let stop = std::net::TcpStream::connect(url.trim_start_matches("http://").trim_end_matches("/v2")).unwrap();
    std::io::Write::write_all(&mut &stop, b"GET /stop HTTP/1.1\r\n\r\n").unwrap();
    upstream.join().unwrap();
}
