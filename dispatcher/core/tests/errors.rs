//! `docs/errors.md` has every code that a caller, an operator or a tenant can hear, with its status, and none that nobody can.

use dispatcher_core::{
    egress::Refused,
    paywall::{Denial, Reason},
    refusal::Refusal,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use x402_protocol::Version;

const PAYMENTS: &str = "About payments";
const REQUESTS: &str = "About requests and tenants";
const PLATFORM: &str = "About the platform API";
const EGRESS: &str = "About what a tenant asks of the outside";

/// The reasons that the dispatcher gives by itself.
const OWN_REASONS: [&str; 11] = [
    "unstated_reason",
    "invalid_exact_evm_payload_signature",
    "invalid_exact_evm_payload_authorization_valid_before",
    "invalid_exact_evm_payload_authorization_valid_after",
    "invalid_permit2_signature",
    "permit2_deadline_expired",
    "permit2_not_yet_valid",
    "extension_echo_mismatch",
    "authorization_expired_unused",
    "authorization_cancelled",
    "permit2_deadline_too_far",
];

/// The reasons that only the log names, because what they stand for is told as pending.
const ONLY_LOGGED: [&str; 2] = ["transaction_of_another_payment", "authorization_used"];

/// A row of a table with a status.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    status: u16,
    retry_after: bool,
}

/// The page's content, by section and code.
struct Page {
    rows: BTreeMap<(String, String), Row>,
    reasons: BTreeSet<String>,
}

fn dispatcher() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the core is one of the dispatcher's crates").to_owned()
}

fn page() -> Page {
    let text = fs::read_to_string(dispatcher().with_file_name("docs").join("errors.md")).expect("the page is there");
    let (mut section, mut rows, mut reasons) = ("", BTreeMap::new(), BTreeSet::new());
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading;
        }
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let code = cells[0].strip_prefix('`').and_then(|cell| cell.strip_suffix('`'));
        let (true, Some(code)) = (line.starts_with('|'), code) else { continue };
        match cells[..] {
            [_, status, retry_after, charged, to_do] => {
                assert!(!charged.is_empty() && to_do.ends_with('.'), "{code}: charged or not, and what to do");
                let row = Row { status: status.parse().expect(code), retry_after: retry_after == "yes" };
                let earlier = rows.insert((section.to_owned(), code.to_owned()), row);
                assert_eq!(earlier, None, "{code} stands there twice");
            }
            [_, to_do] => {
                assert!(to_do.ends_with('.'), "{code}: what to do");
                reasons.insert(code.to_owned());
            }
            _ => panic!("{code} has another row than the others: {line}"),
        }
    }
    Page { rows, reasons }
}

/// A code, its status, whether it says when to come back, and where the page must have it.
type Heard = (&'static str, String, Row);

fn denials() -> Vec<Heard> {
    let fixed = |denial: &Denial| {
        !matches!(denial, Denial::InvalidPayment(_) | Denial::SettlementRefused { .. } | Denial::Vetoed(_))
    };
    let reasons = OWN_REASONS.iter().chain(&["permit2_allowance_required"]);
    let of_reasons = reasons.map(|reason| Denial::InvalidPayment(Reason::from_outside(Some(reason))));
    let all = Denial::one_of_each().into_iter().filter(fixed).chain(of_reasons);
    all.map(|denial| {
        let retry_after = denial.headers(None, Version::V2).iter().any(|(name, _)| *name == "retry-after");
        (PAYMENTS, denial.code().to_owned(), Row { status: denial.status(), retry_after })
    })
    .collect()
}

fn refusals() -> Vec<Heard> {
    let section = |refusal: &Refusal| match refusal {
        Refusal::PlatformDenied
        | Refusal::PlatformNotFound
        | Refusal::PlatformForbidden
        | Refusal::PlatformQuery { .. }
        | Refusal::TelemetryUnavailable
        | Refusal::PlatformBody { .. }
        | Refusal::LedgerUnavailable
        | Refusal::HealthUnavailable
        | Refusal::TooManyGuesses { .. }
        | Refusal::InvalidPaymentKey
        | Refusal::UnknownTenant
        | Refusal::QuarantineUnavailable => PLATFORM,
        Refusal::PaymentTooLarge => PAYMENTS,
        _ => REQUESTS,
    };
    let heard = |refusal: Refusal| {
        let row = Row { status: refusal.status(), retry_after: refusal.retry_after_s().is_some() };
        (section(&refusal), refusal.code().to_owned(), row)
    };
    Refusal::one_of_each().into_iter().map(heard).collect()
}

#[test]
fn every_code_that_can_be_heard_stands_there_with_its_status_and_no_other_does() {
    let page = page();
    let mut heard: Vec<Heard> = denials().into_iter().chain(refusals()).collect();
    heard.push((EGRESS, "egress_refused".to_owned(), Row { status: 403, retry_after: false }));
    for (section, code, row) in &heard {
        let documented = page.rows.get(&((*section).to_owned(), code.clone()));
        assert_eq!(documented, Some(row), "`{code}` in \"{section}\"");
    }
    let known: BTreeSet<_> = heard.into_iter().map(|(section, code, _)| (section.to_owned(), code)).collect();
    let stale: Vec<_> = page.rows.keys().filter(|row| !known.contains(row)).collect();
    assert!(stale.is_empty(), "nobody can hear {stale:?}");
}

#[test]
fn any_reason_of_a_facilitator_is_a_402_but_for_the_allowance() {
    for denial in Denial::one_of_each() {
        match denial {
            Denial::InvalidPayment(_) | Denial::SettlementRefused { .. } => assert_eq!(denial.status(), 402),
            Denial::Vetoed(_) => assert_eq!(denial.status(), 403),
            _ => {}
        }
    }
}

/// Reasons of the core's own are written out in its sources.
#[test]
fn every_reason_that_the_sources_write_out_is_one_of_those_listed() {
    let mut unlisted = Vec::new();
    for file in sources(&dispatcher().join("x402-paywall/src")) {
        let text = fs::read_to_string(&file).expect("a source file");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (at, _) in code.match_indices("Reason::ours(\"") {
            let reason = code[at..].split('"').nth(1).expect("it has a literal");
            if !OWN_REASONS.contains(&reason) && !ONLY_LOGGED.contains(&reason) {
                unlisted.push(format!("{reason} in {}", file.display()));
            }
        }
    }
    assert!(unlisted.is_empty(), "{unlisted:?}");
}

#[test]
fn every_reason_for_which_nothing_leaves_stands_there() {
    let outbound = fs::read_to_string(dispatcher().join("outbound/src/lib.rs")).expect("the outbound Worker's source");
    let closed = outbound.match_indices("Closed { code: \"").filter_map(|(at, _)| outbound[at..].split('"').nth(1));
    let closed = closed.map(str::to_owned);
    let known: BTreeSet<String> =
        Refused::all().into_iter().map(|refused| refused.code().to_owned()).chain(closed).collect();
    assert_eq!(page().reasons, known);
    assert!(outbound.contains("\"egress_refused\"") && outbound.contains("set_status(403)"));
}

/// Every alert that the log may tell has a row on the page for operators, and no row is of none.
#[test]
fn every_alert_stands_on_its_page() {
    let crates = ["x402-paywall/src", "core/src", "worker/src"].map(|folder| dispatcher().join(folder));
    let mut told = BTreeSet::new();
    for file in crates.iter().flat_map(|folder| sources(folder)) {
        let text = fs::read_to_string(&file).expect("a source file");
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        for opening in ["alert: \"", "\"alert\": \"", "=> \"credentials", "=> \"facilitator_refuses"] {
            for (at, _) in code.match_indices(opening) {
                let from = at + opening.rfind('"').expect("it opens a literal") + 1;
                told.extend(code[from..].split('"').next().map(str::to_owned));
            }
        }
    }
    let page =
        fs::read_to_string(dispatcher().with_file_name("docs").join("operations.md")).expect("the page is there");
    let (_, alerts) = page.split_once("| `alert` | means | do |\n").expect("the page has the table");
    let (alerts, _) = alerts.split_once("\n\n").expect("the table ends");
    let rows = alerts.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let documented: BTreeSet<String> = rows.map(|(name, _)| name.to_owned()).collect();
    assert_eq!(told, documented);
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of sources").map(|entry| entry.expect("an entry").path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    // A test's own reasons are heard by nobody.
    let is_source = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.ends_with(".rs") && !name.ends_with("tests.rs") && name != "testing.rs"
    };
    files.into_iter().filter(is_source).chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}
