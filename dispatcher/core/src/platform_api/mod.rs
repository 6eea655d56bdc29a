//! `/__platform/*`: what operators ask of a running dispatcher, with a bearer token. [`route`] lists it, [`request`] reads it,
//! and [`openapi`] tells programs of it.

pub mod openapi;
pub mod request;
pub mod route;
pub mod session;

pub use crate::operations::token::{Scope, Tokens};
pub use request::{PlatformRequest, read};

use serde_json::{Value, json};
use x402_paywall::{
    UnixMillis,
    facilitator::{Facilitators, Supported},
    health::{Health, Known, Snapshot},
    ledger::Record,
};

/// Whether this request is the platform's and not a tenant's. The prefix is taken from every host.
#[must_use]
pub fn is_platform_path(path: &str) -> bool {
    path == "/__platform" || path.starts_with("/__platform/")
}

/// The ledger's word on a payment, as JSON. Holds no payload and no signature.
#[must_use]
pub fn describe(payment: &str, record: Option<&Record>) -> Value {
    let Some(record) = record else { return json!({"payment": payment, "state": "vacant"}) };
    json!({
        "payment": payment,
        "state": record.state.name(),
        "tenant_id": record.claim.tenant_id,
        "payer": record.claim.payer.to_string(),
        "amount": record.claim.amount.to_string(),
        "transaction": record.state.transaction(),
        "handed_over": record.state.is_handed_over(),
    })
}

/// The health of all facilitators, as JSON, in configured order. Times are milliseconds: of the Unix epoch where they end
/// in `_at_ms`, lengths otherwise. Holds no URL, no header and no payment.
#[must_use]
pub fn describe_facilitators(facilitators: &Facilitators, snapshot: &Snapshot, now: UnixMillis) -> Value {
    let unknown = Known::default();
    let describe = |id: String| {
        let known = snapshot.facilitators.get(&id).unwrap_or(&unknown);
        json!({
            "id": id,
            "in_use": known.is_in_use(),
            "verify": describe_health(&known.verify),
            "settle": describe_health(&known.settle),
            "supported": known.supported.as_ref().map(|supported| describe_supported(supported, now)),
        })
    };
    json!({"facilitators": facilitators.ids().into_iter().map(describe).collect::<Vec<_>>()})
}

fn describe_health(health: &Health) -> Value {
    let failure =
        |failure: &x402_paywall::health::standing::Failure| json!({"reason": failure.reason, "at_ms": failure.at});
    json!({
        "standing": health.standing.name(),
        "since_at_ms": Some(health.since).filter(|since| since.0 > 0),
        "score_per_mille": health.score / 1_000,
        "latency_ms": health.latency_us.map(|us| us / 1_000),
        "consecutive_failures": health.consecutive_failures,
        "quarantines": health.openings,
        "next_probe_at_ms": health.standing.retry().map(|retry| retry.at),
        "last_failures": health.failures.iter().rev().map(failure).collect::<Vec<_>>(),
    })
}

fn describe_supported(supported: &Supported, now: UnixMillis) -> Value {
    json!({"age_ms": now.since(supported.at), "kinds": supported.kinds})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenants_path_is_not_the_platforms() {
        assert!(
            is_platform_path("/__platform/x")
                && !is_platform_path("/__platformx")
                && !is_platform_path("/t/__platform")
        );
    }

    #[test]
    fn facilitators_are_described_in_configured_order_without_their_secrets() {
        let json = r#"[{"id":"b","url":"https://hidden","headers":[{"name":"x-key","secret":"KEY"}]},{"id":"a","url":"https://hidden"}]"#;
        let secrets = std::collections::BTreeMap::from([("KEY".to_owned(), "hunter2".to_owned())]);
        let facilitators = Facilitators::from_json(json, &secrets).unwrap();
        let told = describe_facilitators(&facilitators, &Snapshot::default(), UnixMillis(5_000));
        assert_eq!((&told["facilitators"][0]["id"], &told["facilitators"][1]["id"]), (&json!("b"), &json!("a")));
        assert_eq!(told["facilitators"][0]["verify"]["standing"], "healthy");
        let text = told.to_string();
        assert!(!text.contains("hunter2") && !text.contains("hidden") && !text.contains("KEY"), "{text}");
    }
}
