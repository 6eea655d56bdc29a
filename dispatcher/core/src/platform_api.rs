//! `/__platform/*`: what operators ask of a running dispatcher, with a bearer token.

use crate::{refusal::Refusal, tenant::is_id};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use x402_paywall::{
    UnixMillis,
    facilitator::{Facilitators, Supported},
    health::{Health, Known, Snapshot},
    ledger::Record,
};
use x402_protocol::{Network, PaymentKey};

/// Longer than any key with its colons escaped.
const MAX_KEY_BYTES: usize = 256;

/// A request to the platform API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlatformRequest {
    /// `GET /__platform/payments/<network:asset:from:nonce>`, in any case: what the settlement ledger knows of a payment.
    Payment(String),
    /// `GET /__platform/facilitators`: how well each facilitator does.
    Facilitators,
    /// `GET /__platform/quarantines`: who is in quarantine, why and until when.
    Quarantines,
    /// `POST /__platform/tenants/<id>/quarantine`, with [`crate::quarantine_request::QuarantineRequest`]'s JSON as body.
    Quarantine(String),
    /// `DELETE /__platform/tenants/<id>/quarantine`.
    LiftQuarantine(String),
}

/// Whether this request is the platform's and not a tenant's. The prefix is taken from every host.
#[must_use]
pub fn is_platform_path(path: &str) -> bool {
    path == "/__platform" || path.starts_with("/__platform/")
}

/// Checks the token before it says anything about what exists. No token configured: nobody gets in.
pub fn admit(
    method: &str,
    path: &str,
    authorization: Option<&str>,
    token: Option<&str>,
) -> Result<PlatformRequest, Refusal> {
    let given = authorization.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let token = token.filter(|token| !token.is_empty()).ok_or(Refusal::PlatformDenied)?;
    if !bool::from(given.as_bytes().ct_eq(token.as_bytes())) {
        return Err(Refusal::PlatformDenied);
    }
    match (method, path.strip_prefix("/__platform/").unwrap_or_default().split_once('/')) {
        ("GET", Some(("payments", payment))) => {
            payment_key(payment).map(PlatformRequest::Payment).ok_or(Refusal::InvalidPaymentKey)
        }
        ("GET", None) if path == "/__platform/facilitators" => Ok(PlatformRequest::Facilitators),
        ("GET", None) if path == "/__platform/quarantines" => Ok(PlatformRequest::Quarantines),
        ("POST" | "DELETE", Some(("tenants", rest))) => match rest.strip_suffix("/quarantine") {
            Some(id) if is_id(id) && method == "POST" => Ok(PlatformRequest::Quarantine(id.to_owned())),
            Some(id) if is_id(id) => Ok(PlatformRequest::LiftQuarantine(id.to_owned())),
            _ => Err(Refusal::PlatformNotFound),
        },
        _ => Err(Refusal::PlatformNotFound),
    }
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

/// A payment's key in the one spelling that the ledger knows, whatever case its addresses came in and whether or not a client
/// escaped the colons.
fn payment_key(text: &str) -> Option<String> {
    if text.len() > MAX_KEY_BYTES {
        return None;
    }
    let text = text.to_ascii_lowercase().replace("%3a", ":");
    let [namespace, chain, asset, from, nonce] = text.split(':').collect::<Vec<_>>()[..] else { return None };
    let network: Network = format!("{namespace}:{chain}").parse().ok()?;
    let key = PaymentKey { network, asset: asset.parse().ok()?, from: from.parse().ok()?, nonce: nonce.parse().ok()? };
    Some(key.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "eip155:84532:0x036cbd53842c5426634e7929541ec2318f3dcf7e:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed:0x0101010101010101010101010101010101010101010101010101010101010101";

    #[test]
    fn nobody_gets_in_without_the_token() {
        let path = format!("/__platform/payments/{KEY}");
        let admit = |authorization, token| admit("GET", &path, authorization, token);
        assert_eq!(admit(Some("Bearer secret"), Some("secret")), Ok(PlatformRequest::Payment(KEY.to_owned())));
        for (authorization, token) in [
            (None, Some("secret")),
            (Some("Bearer "), Some("")),
            (Some("Bearer "), None),
            (Some("Bearer secre"), Some("secret")),
            (Some("Bearer secrets"), Some("secret")),
            (Some("secret"), Some("secret")),
        ] {
            assert_eq!(admit(authorization, token), Err(Refusal::PlatformDenied), "{authorization:?}");
        }
    }

    #[test]
    fn a_payment_is_found_in_whatever_case_its_key_is_asked_for() {
        let admit = |key: &str| admit("GET", &format!("/__platform/payments/{key}"), Some("Bearer s"), Some("s"));
        let checksummed =
            KEY.replace("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
        for key in [checksummed, KEY.to_uppercase(), KEY.replace(':', "%3A"), KEY.to_owned()] {
            assert_eq!(admit(&key), Ok(PlatformRequest::Payment(KEY.to_owned())), "{key}");
        }
        let longer = format!("{KEY}0");
        for key in ["", "x", "a:b:c:d:e", &KEY[..KEY.len() - 1], &longer, &KEY.replace("84532", "1"), &"é:".repeat(400)]
        {
            assert_eq!(admit(key), Err(Refusal::InvalidPaymentKey), "{key}");
        }
    }

    #[test]
    fn a_tenants_path_is_not_the_platforms() {
        assert!(
            is_platform_path("/__platform/x")
                && !is_platform_path("/__platformx")
                && !is_platform_path("/t/__platform")
        );
    }
    #[test]
    fn the_api_has_a_few_resources_and_names_no_other() {
        let admit = |method, path: &str| admit(method, path, Some("Bearer secret"), Some("secret"));
        assert_eq!(admit("GET", "/__platform/facilitators"), Ok(PlatformRequest::Facilitators));
        assert_eq!(admit("GET", "/__platform/quarantines"), Ok(PlatformRequest::Quarantines));
        let acme = "/__platform/tenants/acme/quarantine";
        assert_eq!(admit("POST", acme), Ok(PlatformRequest::Quarantine("acme".to_owned())));
        assert_eq!(admit("DELETE", acme), Ok(PlatformRequest::LiftQuarantine("acme".to_owned())));
        for path in
            ["/__platform/tenants/../quarantine", "/__platform/tenants/a/b/quarantine", "/__platform/tenants/acme"]
        {
            assert_eq!(admit("POST", path), Err(Refusal::PlatformNotFound), "{path}");
        }
        for path in ["/__platform/facilitators/", "/__platform/facilitators/a", "/__platform/payments", "/__platform"] {
            assert_eq!(admit("GET", path), Err(Refusal::PlatformNotFound), "{path}");
        }
        assert_eq!(admit("POST", "/__platform/facilitators"), Err(Refusal::PlatformNotFound));
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
