//! Whom a request reaches under workerd itself, which hands the Worker `Host` and request-target nearly as they came: `wrangler
//! dev`, under which `resolution.rs` looks, tidies both before. No HTTP client sends such requests, so they go over a bare
//! socket.
//!
//! workerd refuses some of them on its own, with an error that is not the Worker's; what counts is that nobody is reached.

use crate::{harness::turn, socket::reached};
use harness::{
    setup::{self, Cancelled, ToStderr},
    world::{
        TenantDouble,
        workerd::{DispatcherWorker, Production, Recording, Workerd, WorkerdOptions},
    },
};
use std::{env, fs, path::Path};
use system::guard::Guard;

const DIRECTORY: &str = r#"{"tenants": [
  {"id": "acme", "plan": "free", "slug": "acme", "hosts": ["acme.tenants.test"]},
  {"id": "globex", "plan": "free", "slug": "globex", "hosts": ["globex.tenants.test", "xn--bcher-kva.tenants.test"]}
]}"#;

const TARGETS: [(&[u8], Option<&str>); 28] = [
    (b"/t/acme/quote", Some("acme")),
    (b"/t/acme", Some("acme")),
    (b"/t/acme/../globex/quote", None),
    (b"/t/acme/./quote", None),
    (b"/t/../t/acme/quote", None),
    (b"/t/acme/%2e%2e/globex/quote", None),
    (b"/t/acme/%2E%2e/globex/quote", None),
    (b"/t/acme/.%2e/globex/quote", None),
    // No dot segments to anybody but the tenant, whose own these paths are.
    (b"/t/acme/..%2fglobex/quote", Some("acme")),
    (b"/t/acme/..;/globex/quote", Some("acme")),
    (b"/t/acme\\..\\globex/quote", None),
    (b"/t\\acme/quote", None),
    (b"/t/acme%5c..%5cglobex", None),
    (b"/t/acme%2f..%2fglobex", None),
    (b"/t/%61cme/quote", None),
    (b"/t/ACME/quote", None),
    (b"/T/acme/quote", None),
    (b"/t//acme/quote", None),
    (b"//t/acme/quote", None),
    (b"//acme.tenants.test/quote", None),
    (b"/t/acme%00/quote", None),
    (b"/t/acme\0/quote", None),
    (b"/t/acme;x/quote", None),
    (b"/t/\xd0\xb0cme/quote", None),
    (b"/t/\xef\xbd\x81cme/quote", None),
    (b"/t/xn--cme-7kc/quote", None),
    (b"*", None),
    (b"t/acme/quote", None),
];

const HOSTS: [(&[u8], Option<&str>); 17] = [
    (b"acme.tenants.test", Some("acme")),
    (b"ACME.tenants.TEST", Some("acme")),
    (b"acme.tenants.test.", Some("acme")),
    (b"acme.tenants.test:8080", Some("acme")),
    (b"xn--bcher-kva.tenants.test", Some("globex")),
    (b"b\xc3\xbccher.tenants.test", None),
    (b"acme.tenants.test..", None),
    (b".acme.tenants.test", None),
    (b"acme..tenants.test", None),
    (b"acme.tenants.test, globex.tenants.test", None),
    (b"acme.tenants.test/globex", None),
    (b"globex@acme.tenants.test", None),
    (b"acme.tenants.test:80:80", None),
    (b"acme.tenants.test.evil.example", None),
    (b"\xd0\xb0cme.tenants.test", None),
    (b"acme.tenants.test\0", None),
    (b"", None),
];

#[test]
fn a_spelling_is_refused_and_not_repaired() {
    let _turn = turn();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member of its workspace");
    let dir = env::temp_dir().join(format!("402claw-raw-spelling-{}", std::process::id()));
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let workerd = start(workspace, &dir).await;
        let address = format!("127.0.0.1:{}", workerd.port);
        let mut wrong = Vec::new();
        let mut expect = async |what: String, target: &[u8], hosts: &[&[u8]], more: &str, tenant: Option<&str>| {
            let got = reached(&address, target, hosts, more).await;
            if got.as_deref() != tenant {
                wrong.push(format!("{what} reached {got:?}, not {tenant:?}"));
            }
        };
        for (target, tenant) in TARGETS {
            expect(format!("{:?}", String::from_utf8_lossy(target)), target, &[b"edge.example"], "", tenant).await;
        }
        for length in [64, 8_000, 60_000] {
            let long = [&b"/t/"[..], &vec![b'a'; length]].concat();
            expect(format!("a slug of {length}"), &long, &[b"edge.example"], "", None).await;
            expect(format!("a host of {length}"), b"/quote", &[&vec![b'a'; length]], "", None).await;
        }
        for (host, tenant) in HOSTS {
            expect(format!("host {:?}", String::from_utf8_lossy(host)), b"/quote", &[host], "", tenant).await;
        }
        let (acme, globex): (&[u8], &[u8]) = (b"acme.tenants.test", b"globex.tenants.test");
        expect("two hosts".to_owned(), b"/quote", &[acme, globex], "", None).await;
        expect("no host".to_owned(), b"/quote", &[], "", None).await;
        // workerd leaves the authority of an absolute form out before the Worker sees anything: `Host` and the path decide.
        let below: &[u8] = b"http://acme.tenants.test/t/globex/quote";
        expect("an absolute form".to_owned(), below, &[b"edge.example"], "", Some("globex")).await;
        let aside: &[u8] = b"http://globex.tenants.test/quote";
        expect("an absolute form aside".to_owned(), aside, &[acme], "", Some("acme")).await;
        let claims = "X-Forwarded-Host: acme.tenants.test\r\nForwarded: host=acme.tenants.test\r\n\
                      X-Original-URL: /t/acme/quote\r\nX-Rewrite-URL: /t/acme\r\nX-Host: acme.tenants.test\r\n\
                      X-Tenant-Id: acme\r\n";
        expect("claims".to_owned(), b"/quote", &[b"edge.example"], claims, None).await;
        expect("claims of another".to_owned(), b"/quote", &[globex], claims, Some("globex")).await;
        workerd.stop().await.unwrap();
        assert_eq!(wrong, [""; 0]);
    });
    fs::remove_dir_all(dir).unwrap();
}

async fn start(workspace: &Path, dir: &Path) -> Workerd {
    let cancelled = Cancelled::default();
    let toolchain = setup::ensure(workspace, &mut ToStderr, &cancelled).expect("the machine can be set up");
    let bundle =
        setup::build_dispatcher(&toolchain, workspace, &mut ToStderr, &cancelled).expect("the Worker compiles");
    let production = Production::read(&workspace.join("dispatcher/worker/wrangler.jsonc")).unwrap();
    let tenant = |script: &str| TenantDouble { script: script.to_owned(), canary: script.to_owned() };
    let worker = DispatcherWorker {
        production,
        index_js: bundle.index_js,
        vars: [("ENVIRONMENT", "test"), ("TENANT_DIRECTORY", DIRECTORY), ("FACILITATORS", "[]")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        tenants: vec![tenant("acme"), tenant("globex")],
        recording: Recording::Nowhere,
    };
    let options = WorkerdOptions {
        guard: Guard::at(env!("CARGO_BIN_EXE_harness").into()),
        workerd: toolchain.workerd(),
        dir: dir.to_owned(),
        v8_flags: Vec::new(),
        ready_path: "/__platform/ready".to_owned(),
    };
    Workerd::start(&worker, &options).await.expect("workerd starts")
}
