//! The dispatcher's structured log lines as events. Whatever else wrangler prints is kept in its log file and is no event;
//! a line that should be one and cannot be read is, because a rule may depend on what it said.

use reports::event::Event;
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};

/// `None` for a line that is no telemetry.
#[must_use]
pub fn event(line: &str) -> Option<Event> {
    // wrangler may put a mark before what a Worker prints.
    let json = &line[line.find("{\"log\":")?..];
    let unreadable = || Some(Event::Unreadable { source: "dispatcher log".to_owned(), text: line.to_owned() });
    let Ok(value) = serde_json::from_str::<Value>(json) else { return unreadable() };
    let Some(log) = value["log"].as_str().map(str::to_owned) else { return unreadable() };
    line_of(&log, value).or_else(unreadable)
}

/// The words in a line that no line may have: a tenant's bytes, or a secret of whoever called. `canaries` are tenants
/// by the token that only they know.
#[must_use]
pub fn leaked(line: &str, canaries: &BTreeMap<String, String>) -> Option<Event> {
    if let Some((_, tenant)) = canaries.iter().find(|(canary, _)| line.contains(canary.as_str())) {
        return Some(Event::TenantBytesLogged { tenant: tenant.clone(), line: line.to_owned() });
    }
    secret_in(line).map(|what| Event::SecretLogged { what: what.to_owned() })
}

/// Hex digits of an account's signature.
const SIGNATURE_DIGITS: usize = 130;
/// Fewer characters of base64 are no signed payment.
const PAYMENT_CHARS: usize = 400;

/// Finds a secret in telemetry alone: what wrangler says of requests is its own.
fn secret_in(line: &str) -> Option<&'static str> {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if !line.contains("{\"") {
        None
    } else if has_run(line, SIGNATURE_DIGITS, |byte| byte.is_ascii_hexdigit()) {
        Some("a signature")
    } else if has_run(line, PAYMENT_CHARS, is_base64) {
        Some("a signed payment")
    } else {
        // Every client of the harness has this in its query.
        line.contains("arrival=").then_some("a query")
    }
}

/// Whether so many bytes of a kind stand in a row. Every line of every run is asked, and such a row cannot but cover one of
/// the places that are as far apart as it is long: so these few are looked at.
fn has_run(line: &str, length: usize, is_one: impl Fn(u8) -> bool) -> bool {
    let bytes = line.as_bytes();
    let is_one = |byte: &&u8| is_one(**byte);
    (0..bytes.len()).step_by(length).any(|place| {
        let (before, after) = bytes.split_at(place);
        let after = after.iter().take_while(is_one).count();
        after > 0 && before.iter().rev().take_while(is_one).count() + after >= length
    })
}

/// The reason of a dispatcher that refuses its configuration, and its line in the log file.
#[must_use]
pub fn refused(log: &Path) -> Option<(usize, String)> {
    let text = std::fs::read(log).ok()?;
    let text = String::from_utf8_lossy(&text);
    let reason = |line: &str| {
        let value: Value = serde_json::from_str(&line[line.find(r#"{"log":"misconfigured""#)?..]).ok()?;
        value["error"].as_str().map(str::to_owned)
    };
    text.lines().enumerate().find_map(|(n, line)| Some((n + 1, reason(line)?)))
}

/// Reads a line about `log`.
#[must_use]
pub fn line_of(log: &str, value: Value) -> Option<Event> {
    match log {
        "request" => serde_json::from_value(value).map(Event::DispatcherRequest).ok(),
        "payment" => serde_json::from_value(value).map(Event::DispatcherPayment).ok(),
        "alert" => serde_json::from_value(value).map(Event::DispatcherAlert).ok(),
        "trouble" => serde_json::from_value(value).map(Event::DispatcherTrouble).ok(),
        "operator" => serde_json::from_value(value).map(Event::DispatcherOperator).ok(),
        "facilitator" => serde_json::from_value(value).map(Event::FacilitatorStanding).ok(),
        "directory" => serde_json::from_value(value).map(Event::DispatcherDirectory).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_found_wherever_it_stands_and_a_shorter_one_is_not() {
        for before in 0..12 {
            let line = |length| format!("{}{}!ab", ".".repeat(before), "7".repeat(length));
            let has = |length| has_run(&line(length), 5, |byte| byte.is_ascii_hexdigit());
            assert_eq!([0, 4, 5, 9].map(has), [false, false, true, true], "{before}");
        }
        assert!(!has_run("", 5, |_| true) && has_run("abcde", 5, |_| true));
    }

    #[test]
    fn a_tenants_token_is_found_wherever_it_stands() {
        let canaries = [("c0ffee".to_owned(), "acme".to_owned())].into();
        assert!(
            matches!(leaked("Uncaught Error: c0ffee", &canaries), Some(Event::TenantBytesLogged { tenant, .. }) if tenant == "acme")
        );
        assert_eq!(leaked("Uncaught Error: decaf", &canaries), None);
    }

    #[test]
    fn a_callers_secret_is_found_in_telemetry_and_what_wrangler_says_is_none() {
        let found = |text: &str| match leaked(&format!(r#"{{"log":"request","route":"{text}"}}"#), &BTreeMap::new()) {
            Some(Event::SecretLogged { what }) => Some(what),
            _ => None,
        };
        assert_eq!(found(&format!("0x{}", "ab".repeat(65))).as_deref(), Some("a signature"));
        assert_eq!(found(&"eyJ4".repeat(100)).as_deref(), Some("a signed payment"));
        assert_eq!(found("GET /quote?arrival=7").as_deref(), Some("a query"));
        assert_eq!(found(&format!("eip155:84532:0x{}:0x{}", "a".repeat(40), "b".repeat(64))), None);
        assert_eq!(leaked("GET /quote?arrival=7 200 OK (3ms)", &BTreeMap::new()), None);
    }

    #[test]
    fn a_refused_configuration_is_found_with_its_line() {
        let log = std::env::temp_dir().join(format!("402claw-refused-{}", std::process::id()));
        let line = r#"{"log":"misconfigured","error":"FACILITATORS: `primary`: url must be https"}"#;
        std::fs::write(&log, format!("Ready\n\n✘ {line}\n{line}\n")).unwrap();
        assert_eq!(refused(&log), Some((3, "FACILITATORS: `primary`: url must be https".to_owned())));
        std::fs::write(&log, "Ready\n").unwrap();
        assert_eq!(refused(&log), None);
        std::fs::remove_file(log).unwrap();
    }

    #[test]
    fn tells_telemetry_from_talk() {
        let request = r#"{"log":"request","request_id":"r1","tenant_id":null,"route":"GET /","status":404,"code":"tenant_not_found","payment":null,"transaction":null,"attempts":[{"facilitator":"primary","call":"verify","result":"ok","ms":3}],"ms":1}"#;
        assert!(matches!(event(request), Some(Event::DispatcherRequest(line)) if line.attempts.len() == 1));
        let payment = r#"{"log":"payment","request_id":null,"tenant_id":"acme","payment":"p","stage":"settled","transaction":"0x1"}"#;
        assert!(matches!(event(payment), Some(Event::DispatcherPayment(_))));
        let standing = r#"{"log":"facilitator","facilitator":"primary","call":"verify","from":"healthy","to":"quarantined","reason":"timeout"}"#;
        assert!(matches!(event(standing), Some(Event::FacilitatorStanding(line)) if line.to == "quarantined"));
        let directory = r#"{"log":"directory","event":"kept","version":2,"why":"current: is missing"}"#;
        assert!(matches!(event(directory), Some(Event::DispatcherDirectory(line)) if line.version == Some(2)));
        let alert = r#"{"log":"alert","alert":"tenant_cpu_limit","tenant_id":"acme","script":"acme","in_a_row":5}"#;
        assert!(matches!(event(alert), Some(Event::DispatcherAlert(line)) if line.source.is_none()));
        assert_eq!(event("Ready on http://127.0.0.1:1"), None);
        for broken in [r#"{"log":"request","sta"#, r#"{"log":"misconfigured","error":"ENVIRONMENT"}"#] {
            assert!(matches!(event(broken), Some(Event::Unreadable { .. })));
        }
    }
}
