//! `/__platform/*`: what operators ask of a running dispatcher, with a bearer token.

use crate::refusal::Refusal;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use x402_paywall::ledger::Record;

/// A request to the platform API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlatformRequest {
    /// `GET /__platform/payments/<network:asset:from:nonce>`: what the settlement ledger knows of a payment.
    Payment(String),
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
    match path.strip_prefix("/__platform/payments/") {
        Some(payment) if method == "GET" && is_payment_key(payment) => Ok(PlatformRequest::Payment(payment.to_owned())),
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

fn is_payment_key(text: &str) -> bool {
    text.len() <= 200
        && text.split(':').count() == 5
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "eip155:84532:0xab:0xcd:0x01";

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
    fn a_tenants_path_is_not_the_platforms() {
        assert!(
            is_platform_path("/__platform/x")
                && !is_platform_path("/__platformx")
                && !is_platform_path("/t/__platform")
        );
    }
}
