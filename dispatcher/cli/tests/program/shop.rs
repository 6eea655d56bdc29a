//! The program as a seller types it: data that is odd, flags that are wrong, two at once, a disk that is full.

use crate::claw::Shop;
use serde_json::{Value, json};

const CITIES: &str = "id,city,people\n1,Brno,379466\n2,Praha,1397880\n";

#[test]
fn a_file_becomes_a_tenant_with_a_price() {
    let shop = Shop::new();
    shop.write("data.csv", CITIES);
    let told =
        shop.ok_json(&["deploy", "data.csv", "--tenant", "cities", "--price", "0.001", "--description", "Cities"]);
    assert_eq!((&told["price"], &told["rows"]), (&json!("0.001"), &json!(2)));
    assert_eq!(told["limits"], json!({"cpuMs": 50, "subRequests": 50}));
    let warning = told["warnings"][0].as_str().unwrap();
    assert!(warning.contains("costs about 0.00144 USDC of gas"), "{warning}");
    let registry = shop.json_file(".402claw/test/registry.json");
    let record = &registry["tenants"][0];
    assert_eq!((&record["price"]["amount"], &record["price"]["network"]), (&json!("1000"), &json!("eip155:84532")));
    assert!(record["freePaths"].as_array().unwrap().contains(&json!("/openapi.json")));
    for file in ["entry.mjs", "data.bin", "site.txt", "tenant.json"] {
        assert!(shop.path(&format!(".402claw/test/tenants/cities/{file}")).exists(), "{file}");
    }
    let audit = shop.read(".402claw/test/audit.jsonl");
    let line: Value = serde_json::from_str(audit.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&line["what"], &line["before"], &line["after"]["id"]),
        (&json!("deploy"), &Value::Null, &json!("cities"))
    );
    assert!(shop.ok(&["list"]).contains("cities"));
    assert!(shop.ok(&["show", "cities"]).contains("\"payTo\""));
    assert!(shop.ok(&["catalog"]).contains("0.001 USDC"));
    assert!(shop.ok(&["catalog", "--html"]).contains("<h2>cities"));
}

#[test]
fn an_id_that_occurs_again_names_no_row_and_the_seller_is_told() {
    let shop = Shop::new();
    shop.write("data.csv", "id,city\n1,Brno\n1,Praha\n");
    let told = shop.ok_json(&["deploy", "data.csv", "--tenant", "cities", "--price", "0.01"]);
    let said = "column \"id\" cannot name rows, since 1 of its values occur again";
    assert!(told["warnings"][0].as_str().unwrap().starts_with(said), "{told}");
}

#[test]
fn a_deploy_that_is_refused_leaves_the_script_that_runs() {
    let shop = Shop::new();
    shop.write("data.csv", CITIES);
    shop.ok(&["deploy", "data.csv", "--tenant", "cities", "--price", "0.01"]);
    let script = shop.read(".402claw/test/tenants/cities/site.txt");
    shop.write("more.csv", "id,town\n1,Brno\n");
    // The log of changes cannot be written to: the last step of a change fails.
    std::fs::remove_file(shop.path(".402claw/test/audit.jsonl")).unwrap();
    std::fs::create_dir(shop.path(".402claw/test/audit.jsonl")).unwrap();
    shop.fails(&["deploy", "more.csv", "--tenant", "cities", "--price", "0.02"]);
    assert_eq!(shop.read(".402claw/test/tenants/cities/site.txt"), script);
    assert!(!shop.path(".402claw/test/staged/cities.new").exists());
}

#[test]
fn data_that_is_wrong_is_told_with_row_and_column() {
    let shop = Shop::new();
    for (name, content, flags, said) in [
        ("empty.csv", &b""[..], &[][..], "the file is empty"),
        ("ragged.csv", b"a,b\n1,2\n3\n", &[], "row 2, line 3: has 1 fields, and the header 2"),
        ("twice.csv", b"a,b,a\n1,2,3\n", &[], "has the name of a column before it"),
        ("quote.csv", b"a,b\n1,\"x\n", &[], "a quote is opened here and never closed"),
        ("latin.csv", b"a\ncaf\xe9\n", &[], "byte 0xe9 is not UTF-8"),
        (
            "types.csv",
            b"a,n\nx,1\ny,two\n",
            &["--type", "n=integer"],
            "row 2, line 3, column \"n\": \"two\" is not an integer",
        ),
        ("kinds.csv", b"a\n1\n", &["--type", "a=intger"], "did you mean \"integer\"?"),
        ("ids.csv", b"a\n1\n1\n", &["--id", "a"], "1 of its values occur again"),
        ("object.json", b"{\"a\":1,}", &[], "row 1, line 1"),
        ("header.csv", b"a,b\n", &[], "the data set has no rows"),
    ] {
        shop.write(name, content);
        let args = [&["deploy", name, "--tenant", "x", "--price", "0.01"][..], flags].concat();
        let (code, text) = shop.fails(&args);
        assert!(text.contains(said), "{name}: {text}");
        assert!(matches!(code, 2 | 3), "{name}: {code}");
    }
    assert!(!shop.path(".402claw/test/registry.json").exists(), "nothing was written");
}

#[test]
fn flags_that_are_wrong_are_told_and_change_nothing() {
    let shop = Shop::new();
    shop.write("data.csv", CITIES);
    for (args, code, said) in [
        (&["deploy", "data.csv", "--tenant", "x", "--price", "0.0000001"][..], 2, "six digits"),
        (&["deploy", "data.csv", "--tenant", "x", "--price", "1e-3"], 2, "not an amount"),
        (&["deploy", "data.csv", "--tenant", "X", "--price", "0.01"], 3, "is not a slug"),
        (
            &[
                "deploy",
                "data.csv",
                "--tenant",
                "x",
                "--price",
                "0.01",
                "--pay-to",
                "0x209693bc6afc0C5328bA36FaF03C514EF312287C",
            ],
            3,
            "checksum",
        ),
        (
            &[
                "deploy",
                "data.csv",
                "--tenant",
                "x",
                "--price",
                "0.01",
                "--pay-to",
                "0x0000000000000000000000000000000000000000",
            ],
            3,
            "zero address",
        ),
        (&["deploy", "data.csv", "--tenant", "x", "--price", "0.01", "--host", "Rain.example"], 3, "is not a host"),
        (&["deploy", "data.csv", "--tenant", "x", "--cpu-ms", "80"], 2, "--subrequests"),
        (&["deploy", "data.csv"], 2, "no tenant is named"),
        (&["deploy", "nothing.csv", "--tenant", "x"], 1, "nothing.csv"),
        (
            &[
                "--env",
                "prod",
                "deploy",
                "data.csv",
                "--tenant",
                "x",
                "--price",
                "0.01",
                "--pay-to",
                "0x209693Bc6afc0C5328bA36FaF03C514EF312287C",
            ],
            3,
            "needs to know its facilitators",
        ),
        (&["show", "rain"], 3, "there is no tenant"),
        (&["shwo", "rain"], 2, "show"),
        (&["call", "http://example.com/"], 2, "https only"),
        (&["payouts", "rain"], 3, "there is no tenant"),
    ] {
        let (told, text) = shop.fails(args);
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(said), "{args:?}: {text}");
        assert_eq!(told, code, "{args:?}: {text}");
    }
    assert!(!shop.path(".402claw/test/registry.json").exists());
    let (code, text) = shop.fails(&["--format", "json", "show", "rain"]);
    let error: Value = serde_json::from_str(&text).expect("an error is JSON where JSON is asked for");
    assert_eq!((code, &error["error"]["exit"]), (3, &json!(3)));
}

#[test]
fn of_two_deploys_at_once_none_is_lost() {
    let shop = Shop::new();
    shop.write("data.csv", CITIES);
    let names: Vec<String> = (0..6).map(|n| format!("tenant{n}")).collect();
    let children: Vec<_> = names.iter().map(|name| shop.spawn(&["deploy", "data.csv", "--tenant", name])).collect();
    let codes: Vec<i32> =
        children.into_iter().map(|child| child.wait_with_output().unwrap().status.code().unwrap()).collect();
    let registry = shop.json_file(".402claw/test/registry.json");
    let listed: Vec<&str> =
        registry["tenants"].as_array().unwrap().iter().filter_map(|record| record["id"].as_str()).collect();
    for (name, code) in names.iter().zip(&codes) {
        assert_eq!(listed.contains(&name.as_str()), *code == 0, "{name} ended with {code}");
        assert!(matches!(code, 0 | 8), "{name} ended with {code}");
    }
    assert_eq!(registry["version"], json!(listed.len()));
}

#[test]
fn a_full_disk_leaves_the_registry_as_it_was() {
    let shop = Shop::new();
    shop.write("small.csv", CITIES);
    shop.ok(&["deploy", "small.csv", "--tenant", "cities", "--price", "0.01"]);
    let before = shop.read(".402claw/test/registry.json");
    let data = std::fs::read(shop.path(".402claw/test/tenants/cities/data.bin")).unwrap();
    let large: String = (0..20_000).map(|n| format!("{n},city {n},{n}\n")).collect();
    shop.write("large.csv", format!("id,city,people\n{large}"));
    // A limit on the size of files stands for a disk with no room: the write fails half way.
    let output =
        shop.under("trap '' XFSZ; ulimit -f 64", &["deploy", "large.csv", "--tenant", "cities", "--price", "0.02"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("data.bin"), "{text}");
    assert_eq!(shop.read(".402claw/test/registry.json"), before);
    assert_eq!(std::fs::read(shop.path(".402claw/test/tenants/cities/data.bin")).unwrap(), data);
}

#[test]
fn a_tenant_is_changed_and_taken_away() {
    let shop = Shop::new();
    shop.write("data.csv", CITIES);
    shop.ok(&["deploy", "data.csv", "--tenant", "rain", "--price", "0.01", "--x402", "upfront"]);
    shop.ok(&[
        "override",
        "rain",
        "--cpu-ms",
        "100",
        "--subrequests",
        "9",
        "--reason",
        "launch",
        "--expires",
        "2099-01-01T00:00:00Z",
    ]);
    let record = |shop: &Shop| shop.json_file(".402claw/test/registry.json")["tenants"][0].clone();
    assert_eq!(record(&shop)["override"]["cpuMs"], json!(100));
    let (code, text) = shop.fails(&["remove", "rain", "--yes"]);
    assert!(code == 3 && text.contains("paid upfront"), "{text}");
    let (code, text) = shop.fails(&["quarantine", "rain", "--reason", "leaving"]);
    assert!(code == 2 && text.contains("--yes"), "nobody can answer here: {text}");
    shop.ok(&["quarantine", "rain", "--reason", "leaving", "--yes"]);
    assert_eq!(record(&shop)["plan"], "quarantine");
    let again = shop.ok_json(&[
        "deploy", "data.csv", "--tenant", "rain", "--plan", "business", "--price", "0.01", "--x402", "upfront",
    ]);
    assert!(again["warnings"].to_string().contains("stays in quarantine"), "{again}");
    assert_eq!(record(&shop)["plan"], "quarantine", "no deploy brings it back");
    shop.ok(&["quarantine", "rain", "--lift"]);
    assert_eq!(record(&shop)["plan"], "business");
    shop.ok(&["quarantine", "rain", "--reason", "leaving", "--yes"]);
    shop.ok(&["remove", "rain", "--yes"]);
    assert_eq!(shop.json_file(".402claw/test/registry.json")["tenants"], json!([]));
    assert!(!shop.path(".402claw/test/tenants/rain").exists());
    assert_eq!(shop.read(".402claw/test/audit.jsonl").lines().count(), 7);
}

#[test]
fn the_directory_is_exported_in_each_shape() {
    let shop = Shop::new();
    shop.write("data.csv", CITIES);
    shop.ok(&["deploy", "data.csv", "--tenant", "rain", "--host", "rain.example"]);
    let export =
        |shape: &str| serde_json::from_str::<Value>(&shop.ok(&["export-tenant-directory", "--shape", shape])).unwrap();
    assert_eq!(export("tenants")["tenants"][0]["slug"], "rain");
    let maps = export("maps");
    assert_eq!(
        (&maps["byHost"]["rain.example"]["id"], &maps["bySlug"]["rain"]["id"]),
        (&json!("rain"), &json!("rain"))
    );
    let snapshot = export("snapshot");
    assert_eq!(snapshot.as_array().unwrap().last().unwrap()["key"], "current");
}

#[test]
fn each_template_is_deployed_as_it_is() {
    for template in ["csv", "json"] {
        let shop = Shop::new();
        shop.ok(&["init", ".", "--template", template]);
        let told = shop.ok_json(&["deploy"]);
        assert!(told["rows"].as_u64() > Some(3), "{template}: {told}");
        let (code, text) = shop.fails(&["init", ".", "--template", template]);
        assert!(code == 3 && text.contains("is there already"), "{text}");
    }
    let shop = Shop::new();
    shop.ok(&[
        "init",
        ".",
        "--template",
        "proxy",
        "--upstream",
        "https://api.example.com/v2",
        "--secret-header",
        "x-api-key",
    ]);
    let (code, text) = shop.fails(&["deploy"]);
    assert!(code == 3 && text.contains("UPSTREAM_SECRET is not set"), "{text}");
    let output = shop.with("UPSTREAM_SECRET", "s3cret", &["deploy"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!String::from_utf8_lossy(&output.stdout).contains("s3cret"));
    let settings = shop.json_file(".402claw/test/tenants/my-api/tenant.json");
    assert_eq!(settings["vars"]["UPSTREAM_SECRET"], "s3cret");
}

#[test]
fn a_claim_about_anothers_fee_wants_a_date() {
    let shop = Shop::new();
    shop.write("good.md", "Stripe takes 2.9% (2026-11-28).\n");
    shop.write("bad/copy.md", "Fine.\n\nCoinbase charges $0.001 a settlement.\n");
    assert!(shop.ok(&["lint-pricing", "good.md"]).contains("0 claims"));
    let output = shop.run(&["lint-pricing", "."]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("copy.md:3:1: a fee of coinbase's without a date"), "{text}");
}

#[test]
fn our_own_pages_claim_no_fee_of_anothers_without_a_date() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pages = ["README.md", "docs"].map(|name| root.join(name).display().to_string());
    let output = Shop::new().run(&["lint-pricing", &pages[0], &pages[1]]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn completions_and_the_manual_are_printed() {
    let shop = Shop::new();
    assert!(shop.ok(&["completions", "bash"]).contains("402claw"));
    assert!(shop.ok(&["man"]).contains(".TH"));
    assert!(shop.ok(&["deploy", "--help"]).contains("Examples:"));
}
