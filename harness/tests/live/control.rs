//! The control plane under `wrangler dev` on a real D1: nobody sees or changes what is another's, over every route of its own table,
//! and the seller's program works against it as against its files.

use crate::{
    harness::turn,
    seller::{Folder, claw},
};
use ::harness::setup::{self, Cancelled, ToStderr, Toolchain};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use serde_json::{Value, json};
use std::{
    env, fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

const PLATFORM: &str = "the-platforms-own-token-of-32-letters";
/// In what is ann's alone, so that it is seen wherever it leaks.
const MARK: &str = "ann-s-own-description";

/// wrangler's own programs around the control plane's database.
struct Wrangler {
    tools: Toolchain,
    folder: PathBuf,
}

impl Wrangler {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.tools.node());
        command.arg(self.tools.wrangler_js()).args(args).args(["--config", "wrangler.json", "--persist-to", "storage"]);
        command.current_dir(&self.folder).stdin(Stdio::null()).env("HOME", &self.folder);
        command.envs([
            ("CI", "1"),
            ("WRANGLER_SEND_METRICS", "false"),
            ("WRANGLER_SEND_ERROR_REPORTS", "false"),
            ("WRANGLER_HIDE_BANNER", "true"),
            ("WRANGLER_WRITE_LOGS", "false"),
            ("CLOUDFLARE_CF_FETCH_ENABLED", "false"),
            ("X_LOCAL_EXPLORER", "false"),
            ("X_LOCAL_OBSERVABILITY", "false"),
            ("NO_UPDATE_NOTIFIER", "1"),
        ]);
        let path = env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.tools.node().parent().unwrap().display()));
        command
    }

    fn database(&self, sql: &str) -> Output {
        self.command(&["d1", "execute", "DB", "--local", "--json", "--command", sql]).output().unwrap()
    }
}

/// A control plane that serves until it is dropped.
struct Served {
    child: Child,
    url: String,
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Served {
    fn start(wrangler: &Wrangler) -> Self {
        let port = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let (port, inspector) = (port(), port());
        let args = ["dev", "--ip", "127.0.0.1", "--port", &port, "--inspector-port", &inspector];
        let mut command = wrangler.command(&[&args[..], &["--show-interactive-dev-session=false"]].concat());
        let log = fs::File::create(wrangler.folder.join("wrangler.log")).unwrap();
        let child = command.process_group(0).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let served = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            client: system::http_client::builder().build().unwrap(),
            runtime: tokio::runtime::Runtime::new().unwrap(),
        };
        let is_up = (0..600).any(|_| {
            served.pause();
            served.try_ask("GET", "/v1/health", None, &[], None).is_some_and(|(status, ..)| status == 200)
        });
        let log = || fs::read_to_string(wrangler.folder.join("wrangler.log")).unwrap_or_default();
        assert!(is_up, "{}", log());
        served
    }

    /// The timer is made inside, where the runtime is.
    fn pause(&self) {
        self.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(100)).await });
    }

    fn try_ask(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Option<(u16, String, Option<String>)> {
        self.runtime.block_on(async {
            let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
            let mut request = self.client.request(method, format!("{}{path}", self.url));
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            if let Some(body) = body {
                request = request.body(body.to_string());
            }
            let response = request.send().await.ok()?;
            let etag = response.headers().get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
            Some((response.status().as_u16(), response.text().await.ok()?, etag))
        })
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> (u16, Value) {
        let (status, text, _) = self.try_ask(method, path, Some(token), headers, body).expect("it answers");
        (status, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
    }

    /// The answer to a request that is written as it goes over the wire.
    fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// An account's id, and its owner's token.
    fn account(&self, name: &str) -> (String, String) {
        let (status, made) = self.ask("POST", "/v1/accounts", PLATFORM, &[], Some(&json!({"name": name})));
        assert_eq!(status, 200, "{made}");
        let word = |key: &str| made[key].as_str().unwrap().to_owned();
        (word("account"), word("token"))
    }

    fn token(&self, owner: &str, role: &str, tenants: Option<&[&str]>) -> (String, String) {
        let body = json!({"name": role, "role": role, "tenants": tenants});
        let (status, made) = self.ask("POST", "/v1/tokens", owner, &[], Some(&body));
        assert_eq!(status, 200, "{made}");
        (made["id"].as_str().unwrap().to_owned(), made["token"].as_str().unwrap().to_owned())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let group = Pid::from_raw(self.child.id() as i32);
        let _ = killpg(group, Signal::SIGTERM);
        for _ in 0..50 {
            if self.child.try_wait().is_ok_and(|status| status.is_some()) {
                break;
            }
            self.pause();
        }
        // What it has started may outlive it.
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

fn set_up(folder: &Path) -> Wrangler {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut progress, cancelled) = (ToStderr, Cancelled::default());
    let tools = setup::ensure(&root, &mut progress, &cancelled).map_err(miette::Report::new).expect("tools");
    let bundle =
        setup::build_control(&tools, &root, &mut progress, &cancelled).map_err(miette::Report::new).expect("a build");
    let source = root.join("dispatcher/control");
    let text = fs::read_to_string(source.join("wrangler.jsonc")).unwrap();
    let mut config: Value = jsonc_parser::parse_to_serde_value(&text, &Default::default()).unwrap();
    config.as_object_mut().unwrap().remove("build");
    config["main"] = json!(bundle.index_js);
    config["vars"]["ENVIRONMENT"] = json!("test");
    config["d1_databases"][0]["migrations_dir"] = json!(source.join("migrations"));
    fs::write(folder.join("wrangler.json"), config.to_string()).unwrap();
    fs::write(folder.join(".dev.vars"), format!("CONTROL_PLATFORM_TOKEN='{PLATFORM}'\n")).unwrap();
    let wrangler = Wrangler { tools, folder: folder.to_owned() };
    let applied = wrangler.command(&["d1", "migrations", "apply", "DB", "--local"]).output().unwrap();
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    wrangler
}

fn record(id: &str, description: &str) -> Value {
    let price = json!({"amount": "1000", "network": "eip155:84532", "payTo": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C", "description": description});
    json!({"record": {"id": id, "slug": id, "plan": "pro", "hosts": [format!("{id}.example")], "price": price}})
}

const NEW: [(&str, &str); 1] = [("if-none-match", "*")];

#[test]
fn nobody_reads_or_changes_what_is_anothers_over_every_route() {
    let _turn = turn();
    let folder = Folder::new("control");
    let wrangler = set_up(&folder.0);
    let served = Served::start(&wrangler);
    let ((anns, ann), (_, bob)) = (served.account("ann"), served.account("bob"));
    let (status, refused) = served.ask("PUT", "/v1/tenants/rain", &ann, &NEW, Some(&record("rain", MARK)));
    assert_eq!((status, &refused["error"]["code"]), (403, &json!("host_not_given")), "nobody has given it that host");
    for host in ["rain.example", "snow.example"] {
        let given = served.ask("POST", "/v1/hosts", PLATFORM, &[], Some(&json!({"account": anns, "host": host})));
        assert_eq!(given.0, 200, "{given:?}");
    }
    let (status, made) = served.ask("PUT", "/v1/tenants/rain", &ann, &NEW, Some(&record("rain", MARK)));
    assert_eq!((status, &made["version"]), (200, &json!(1)), "{made}");
    let (revoked_id, revoked) = served.token(&ann, "owner", None);
    let (victim, _) = served.token(&ann, "viewer", None);
    assert_eq!(served.ask("DELETE", &format!("/v1/tokens/{revoked_id}"), &ann, &[], None).0, 200);
    let (_, anns_viewer) = served.token(&ann, "viewer", None);
    let (_, anns_other) = served.token(&ann, "operator", Some(&["snow"]));
    let (_, bobs_viewer) = served.token(&bob, "viewer", None);

    let (_, table) = served.ask("GET", "/v1/routes", "nobody", &[], None);
    let routes = table["routes"].as_array().unwrap().clone();
    assert!(routes.len() >= 10, "{table}");
    let before = served.ask("GET", "/v1/tenants/rain", &ann, &[], None);
    let tokens_before = served.ask("GET", "/v1/tokens", &ann, &[], None);
    let callers: [(&str, Option<&str>); 8] = [
        ("nobody", None),
        ("a stranger", Some("claw_0123456789ab_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")),
        ("revoked", Some(&revoked)),
        ("bob", Some(&bob)),
        ("bob's viewer", Some(&bobs_viewer)),
        ("ann's viewer", Some(&anns_viewer)),
        ("ann's for another", Some(&anns_other)),
        ("the platform", Some(PLATFORM)),
    ];
    let mut judged = 0;
    for route in &routes {
        let word = |key: &str| route[key].as_str().unwrap();
        let (method, needs) = (word("method"), word("needs"));
        let of = if word("path").contains("tokens") { victim.as_str() } else { "rain" };
        let path = word("path").replace("{}", of);
        for (who, token) in callers {
            for headers in [&[("if-match", "\"1\"")][..], &NEW, &[]] {
                // An account that exists, so that none is made by the platform.
                let body = if word("path") == "/v1/accounts" { json!({"name": "ann"}) } else { record("rain", who) };
                let body = (method == "PUT" || method == "POST").then_some(body);
                let (status, text, _) = served.try_ask(method, &path, token, headers, body.as_ref()).unwrap();
                let what = format!("{who}: {method} {path} {headers:?}: {status} {text}");
                let is_open = needs == "nothing";
                match who {
                    "nobody" | "a stranger" | "revoked" => assert_eq!(status == 401, !is_open, "{what}"),
                    "the platform" => {
                        let may = is_open || matches!(needs, "platform" | "token");
                        assert_eq!(status == 403, !may, "{what}");
                    }
                    _ if needs == "platform" => assert_eq!(status, 403, "{what}"),
                    "bob" if path.ends_with("/rain") && method == "PUT" => {
                        assert!(matches!(status, 403 | 404 | 409 | 428), "{what}");
                    }
                    "bob" if path.contains(of) => assert_eq!(status, 404, "{what}"),
                    "bob's viewer" | "ann's viewer" if method != "GET" => assert_eq!(status, 403, "{what}"),
                    "bob's viewer" if path.ends_with("/rain") => assert_eq!(status, 404, "{what}"),
                    "ann's for another" if path.ends_with("/rain") => assert_eq!(status, 404, "{what}"),
                    _ => {}
                }
                if !matches!(who, "ann's viewer" | "the platform") {
                    assert!(!text.contains(MARK) && !text.contains("rain.example"), "{what}");
                }
                judged += 1;
            }
        }
    }
    assert_eq!(judged, routes.len() * callers.len() * 3);
    assert_eq!(served.ask("GET", "/v1/tenants/rain", &ann, &[], None), before, "it is as it was");
    assert_eq!(served.ask("GET", "/v1/tokens", &ann, &[], None), tokens_before);
    // Its names are taken, whatever the other tenant is called.
    let mut thief = record("snow", "bob");
    thief["record"]["slug"] = json!("rain");
    let told = served.ask("PUT", "/v1/tenants/snow", &bob, &NEW, Some(&thief));
    assert_eq!((told.0, &told.1["error"]["code"]), (403, &json!("host_not_given")), "that host is ann's");
    thief["record"]["hosts"] = json!([]);
    let (status, told) = served.ask("PUT", "/v1/tenants/snow", &bob, &NEW, Some(&thief));
    assert_eq!((status, &told["error"]["code"]), (409, &json!("name_taken")));
    assert_eq!(served.ask("GET", "/v1/tenants", &bob, &[], None).1["tenants"], json!([]));

    another_seller(&served, &ann, &bob);
    versions_and_logs(&served, &ann);
    sellers_program(&served, &folder.0, &ann, &bob);
    drop(served);
    // Nobody edits the log, not even by the database's own console; and a token ends when it says.
    for sql in ["UPDATE audit SET author = 'nobody'", "DELETE FROM audit"] {
        let output = wrangler.database(sql);
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!output.status.success() && text.contains("only grows"), "{sql}: {text}");
    }
    assert!(wrangler.database("UPDATE tokens SET expires_ms = 1 WHERE name = 'first'").status.success());
    let secrets = wrangler.database("SELECT hash FROM tokens");
    assert!(!String::from_utf8_lossy(&secrets.stdout).contains(ann.rsplit('_').next().unwrap()), "no secret is kept");
    let served = Served::start(&wrangler);
    assert_eq!(served.ask("GET", "/v1/me", &ann, &[], None).0, 401, "it has expired");
}

/// The tries of a seller against the others, and against whoever reads the log.
fn another_seller(served: &Served, ann: &str, bob: &str) {
    let mut own = json!({"record": {"id": "gale", "slug": "gale", "plan": "pro", "hosts": []}});
    let mut put = |path: &str, value: Value| {
        let before = own.pointer(path).cloned();
        let (parent, key) = path.rsplit_once('/').unwrap();
        own.pointer_mut(parent).unwrap()[key] = value;
        let told = served.ask("PUT", "/v1/tenants/gale", bob, &NEW, Some(&own));
        match before {
            Some(before) => *own.pointer_mut(path).unwrap() = before,
            None => drop(own.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key)),
        }
        (told.0, told.1["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    let invalid = (422, "invalid_record".to_owned());
    // The host that all tenants share, and one that is somebody else's.
    for host in ["edge.example", "rain.example", "dashboard.example"] {
        assert_eq!(put("/record/hosts", json!([host])), (403, "host_not_given".to_owned()), "{host}");
    }
    assert_eq!(put("/record/sharedOrigin", json!("trusted")), invalid);
    for what in ["remove", "revoke token", "x\n2026-11-29T00:00:00Z  platform"] {
        assert_eq!(put("/what", json!(what)), invalid, "{what}");
    }
    assert_eq!(put("/reason", json!("\u{1b}[2Ja\nb")), invalid);
    // Nobody without a token has a body read, and nobody has a long one read.
    let chunked = format!(
        "PUT /v1/tenants/gale HTTP/1.1\r\nhost: control\r\nauthorization: Bearer {bob}\r\nif-none-match: *\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
    );
    let answer = served.raw(&chunked);
    assert!(answer.starts_with("HTTP/1.1 411"), "{answer}");
    let long = json!({"record": {}, "about": "x".repeat(70_000)});
    assert_eq!(served.ask("PUT", "/v1/tenants/gale", bob, &NEW, Some(&long)).0, 413);
    // A token for one tenant is told of no other, not even as the place from which a next page goes on.
    let (_, limited) = served.token(ann, "viewer", Some(&["snow"]));
    for path in ["/v1/tenants", "/v1/audit"] {
        let (status, told) = served.ask("GET", path, &limited, &[], None);
        assert!(status == 200 && !told.to_string().contains("rain"), "{path}: {told}");
    }
    // SQL in whatever is asked for is text.
    for odd in ["rain'%20OR%20'1'='1", "%27;DROP%20TABLE%20tenants;--", "rain%00", "*"] {
        assert_eq!(served.ask("GET", &format!("/v1/tenants/{odd}"), bob, &[], None).0, 404, "{odd}");
        let (status, told) = served.ask("GET", &format!("/v1/tenants?after={odd}"), bob, &[], None);
        assert_eq!((status, &told["tenants"]), (200, &json!([])), "{odd}");
    }
}

/// One of two who change the same version is told, and the log has a line for each change.
fn versions_and_logs(served: &Served, ann: &str) {
    let put = |when: &str, description: &str| {
        served.ask("PUT", "/v1/tenants/rain", ann, &[("if-match", when)], Some(&record("rain", description)))
    };
    assert_eq!(put("\"1\"", "second").1["version"], json!(2));
    let (status, told) = put("\"1\"", "late");
    assert_eq!((status, &told["error"]["code"]), (412, &json!("version_mismatch")));
    let (status, told) =
        served.ask("PUT", "/v1/tenants/rain", ann, &[("if-match", "\"2\"")], Some(&record("snow", "x")));
    assert_eq!((status, &told["error"]["code"]), (422, &json!("invalid_record")));
    let (_, log) = served.ask("GET", "/v1/audit", ann, &[], None);
    let lines: Vec<&Value> = log["lines"].as_array().unwrap().iter().filter(|line| line["subject"] == "rain").collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(
        lines[1]["before"].as_str().unwrap().contains(MARK) && lines[1]["after"].as_str().unwrap().contains("second")
    );
    let (status, gone) = served.ask("DELETE", "/v1/tenants/rain", ann, &[("if-match", "\"2\"")], None);
    assert_eq!((status, &gone["removed"]), (200, &json!("rain")));
    let (_, log) = served.ask("GET", "/v1/audit", ann, &[], None);
    let whats: Vec<&Value> = log["lines"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["subject"] == "rain")
        .map(|line| &line["what"])
        .collect();
    assert_eq!(whats, ["change", "change", "remove"]);
}

/// The commands of `402claw`, as two sellers type them.
fn sellers_program(served: &Served, folder: &Path, ann: &str, bob: &str) {
    let run = |seller: &str, token: &str, args: &[&str]| {
        let at = folder.join(seller);
        fs::create_dir_all(&at).unwrap();
        fs::write(at.join("data.csv"), "id,mm\n1,2.5\n").unwrap();
        claw(&at, args).env("CLAW_CONTROL_TOKEN", token).env("USER", seller).output().unwrap()
    };
    let ok = |seller: &str, token: &str, args: &[&str]| -> String {
        let output = run(seller, token, args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let fails = |seller: &str, token: &str, args: &[&str]| {
        let output = run(seller, token, args);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert!(ok("ann", ann, &["login", &served.url]).contains("role owner"));
    ok("bob", bob, &["login", &served.url]);
    ok("ann", ann, &["deploy", "data.csv", "--tenant", "hail", "--price", "0.01", "--owner", "ann"]);
    assert!(ok("ann", ann, &["list"]).contains("hail") && !ok("bob", bob, &["list"]).contains("hail"));
    ok("ann", ann, &["deploy", "data.csv", "--tenant", "hail", "--price", "0.02"]);
    assert!(ok("ann", ann, &["show", "hail"]).contains("20000"));
    let limits = ["--cpu-ms", "100", "--subrequests", "9", "--reason", "launch", "--expires", "2099-01-01T00:00:00Z"];
    ok("ann", ann, &[&["override", "hail"][..], &limits].concat());
    ok("ann", ann, &["quarantine", "hail", "--reason", "a test", "--yes"]);
    ok("ann", ann, &["quarantine", "hail", "--lift"]);
    assert!(ok("ann", ann, &["show", "hail"]).contains("\"plan\": \"pro\""));
    let audit = ok("ann", ann, &["audit", "--tenant", "hail"]);
    assert_eq!(audit.lines().count(), 5, "{audit}");
    let export: Value = serde_json::from_str(&ok("ann", ann, &["export-tenant-directory"])).unwrap();
    assert_eq!(export["tenants"][0]["id"], "hail");
    for args in
        [&["show", "hail"][..], &["remove", "hail", "--yes"], &["override", "hail", "--lift"], &["payouts", "hail"]]
    {
        let (code, text) = fails("bob", bob, args);
        assert!(code == Some(3) && text.contains("there is no tenant"), "{args:?}: {text}");
    }
    let (code, text) = fails("bob", bob, &["deploy", "data.csv", "--tenant", "hail", "--price", "0.01"]);
    assert!(code == Some(3) && text.contains("taken"), "{text}");
    let viewer = ok("ann", ann, &["tokens", "create", "--name", "looks", "--role", "viewer"]);
    let (code, text) = fails("ann", viewer.trim(), &["remove", "hail", "--yes"]);
    assert!(code == Some(1) && text.contains("may not do that"), "{text}");
    let (code, _) = fails("ann", "claw_wrong", &["list"]);
    assert_eq!(code, Some(1));
    // The platform exports everybody's.
    ok("platform", PLATFORM, &["login", &served.url]);
    ok("bob", bob, &["deploy", "data.csv", "--tenant", "wind", "--price", "0.01"]);
    let all: Value = serde_json::from_str(&ok("platform", PLATFORM, &["export-tenant-directory"])).unwrap();
    assert_eq!(all["tenants"].as_array().unwrap().len(), 2);
    ok("ann", ann, &["remove", "hail", "--yes"]);
    assert!(!ok("ann", ann, &["list"]).contains("hail"));
    ok("ann", ann, &["logout"]);
}
