//! The dispatcher's structured log lines as events. Whatever else wrangler prints is kept in its log file and is no event;
//! a line that should be one and cannot be read is, because a rule may depend on what it said.

use reports::event::Event;
use serde_json::Value;
use std::collections::BTreeMap;

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

/// Whose bytes stand in a line: no tenant's may. `canaries` are tenants by the token that only they know.
#[must_use]
pub fn leaked(line: &str, canaries: &BTreeMap<String, String>) -> Option<Event> {
    let (_, tenant) = canaries.iter().find(|(canary, _)| line.contains(canary.as_str()))?;
    Some(Event::TenantBytesLogged { tenant: tenant.clone(), line: line.to_owned() })
}

/// What a line about `log` says.
#[must_use]
pub fn line_of(log: &str, value: Value) -> Option<Event> {
    match log {
        "request" => serde_json::from_value(value).map(Event::DispatcherRequest).ok(),
        "payment" => serde_json::from_value(value).map(Event::DispatcherPayment).ok(),
        "alert" => serde_json::from_value(value).map(Event::DispatcherAlert).ok(),
        "facilitator" => serde_json::from_value(value).map(Event::FacilitatorStanding).ok(),
        "directory" => serde_json::from_value(value).map(Event::DispatcherDirectory).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenants_token_is_found_wherever_it_stands() {
        let canaries = [("c0ffee".to_owned(), "acme".to_owned())].into();
        assert!(
            matches!(leaked("Uncaught Error: c0ffee", &canaries), Some(Event::TenantBytesLogged { tenant, .. }) if tenant == "acme")
        );
        assert_eq!(leaked("Uncaught Error: decaf", &canaries), None);
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
