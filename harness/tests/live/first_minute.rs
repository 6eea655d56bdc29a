//! The first minute of whoever tries it: a payment, one whose answer gets lost, and a Worker of one's own.

use crate::{
    harness::{run, turn},
    served::Served,
};
use reports::event::Event;
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::PathBuf};

fn paid(url: &str) -> (Value, i32) {
    let output = run(&["pay", url, "--format", "json"]);
    let stdout = String::from_utf8(output.stdout).expect("it is UTF-8");
    let bought = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
    (bought, output.status.code().expect("it was not killed"))
}

#[test]
fn a_payment_whose_answer_gets_lost_is_collected_for_one_charge() {
    let _turn = turn();
    let served = Served::start();
    let url = format!("{}/t/acme/quote", served.url);
    let (first, code) = paid(&url);
    assert_eq!((code, &first["answers"][0]["status"]), (0, &200.into()), "{first}");
    assert_eq!(first["answers"][0]["receipt"]["success"], true, "{first}");

    let folder = served.run_dir();
    let fault = |words: &[&str]| {
        let output = run(&[&["fault", "--run-dir", folder.to_str().expect("it is plain")], words].concat());
        (output.status.code(), String::from_utf8(output.stdout).expect("it is UTF-8"))
    };
    assert_eq!(fault(&["add", "primary", "settle", "settle-then-hang"]).0, Some(0));
    assert!(fault(&["list"]).1.contains("primary settle settle-then-hang"));
    let (second, code) = paid(&url);
    let answers = second["answers"].as_array().expect("a list").clone();
    assert_eq!((code, &answers[0]["code"]), (0, &"settlement_pending".into()), "{second}");
    assert_eq!(answers.last().expect("there is one")["status"], 200, "{second}");
    assert!(fault(&["clear"]).1.contains("calls hit"));
    assert_eq!(fault(&["add", "primary", "settle", "hangs"]).0, Some(2));

    let payment = second["payment"].as_str().expect("it was signed").to_owned();
    let mut moved: BTreeMap<String, usize> = BTreeMap::new();
    for event in served.stop() {
        if let Event::TransferMoved(transfer) = event {
            *moved.entry(transfer.payment).or_default() += 1;
        }
    }
    assert_eq!(moved.get(&payment), Some(&1), "one charge: {moved:?}");
}

#[test]
fn a_worker_of_ones_own_is_sold_and_what_cannot_run_is_no_obstacle() {
    let _turn = turn();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("own-workers");
    fs::create_dir_all(&folder).expect("the folder is cargo's own for this");
    let worker = "export default { fetch(request: Request): Response { return new Response(`own ${new URL(request.url).pathname}`) } }";
    for (file, text) in
        [("shop.ts", worker), ("shop.tenant.json", r#"{"price":"0.02"}"#), ("broken.ts", "export default {")]
    {
        fs::write(folder.join(file), text).expect("it is ours");
    }
    let served = Served::start_with(&["--tenants", folder.to_str().expect("it is plain")]);
    let (bought, code) = paid(&format!("{}/t/shop/quote", served.url));
    assert_eq!(code, 0, "{bought}");
    assert_eq!(
        (&bought["answers"][0]["body"], &bought["paid"]),
        (&"own /quote".into(), &"0.02 USDC on eip155:84532".into())
    );
    served.stop();
}
