//! An answer as a client got it.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub status: u16,
    /// `error.code` of the body, or a version 1 body's `error`, where there is one.
    pub code: Option<String>,
    pub request_id: Option<String>,
    /// `x-tenant-id` of the answer.
    pub tenant: Option<String>,
    pub retry_after_s: Option<u64>,
    pub cache_control: Option<String>,
    /// Whether a `PAYMENT-REQUIRED` header came that decodes.
    pub offered: bool,
    /// Atomic units that the offer's entries ask for, where it decodes.
    #[serde(default)]
    pub asked: Vec<String>,
    pub payment_response: Option<PaymentResponse>,
    /// Tenants whose unforgeable canary stands anywhere in the answer's body or headers.
    pub canaries: Vec<String>,
    /// Those of them whose canary stands in the body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub body_canaries: Vec<String>,
    pub body_bytes: u64,
    #[serde(default)]
    pub location: Option<String>,
    #[serde(default)]
    pub content_location: Option<String>,
    /// Names of the headers that would let a shared cache keep it, `cache-control` aside.
    #[serde(default)]
    pub shared_cache: Vec<String>,
    /// `Set-Cookie`, as it came.
    #[serde(default)]
    pub cookies: Vec<String>,
    /// Names of headers that must have one value and had more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repeated_headers: Vec<String>,
    /// `Access-Control-Allow-Origin`.
    #[serde(default)]
    pub allowed_origin: Option<String>,
    /// `Access-Control-Allow-Headers`, lower case.
    #[serde(default)]
    pub allowed_headers: Option<String>,
    /// `Access-Control-Allow-Methods`, lower case.
    #[serde(default)]
    pub allowed_methods: Option<String>,
    /// `Access-Control-Expose-Headers`, lower case.
    #[serde(default)]
    pub exposed_headers: Option<String>,
    /// Whether a browser gives it an origin of its own. `None`: it is no page.
    #[serde(default)]
    pub contained: Option<bool>,
    /// The tenant's word on what it sent, where the answer is its own.
    #[serde(default)]
    pub tenant_said: Option<TenantSaid>,
    /// Internal headers that came through: `response <name>` as a tenant forged it, `request <name>` as one reached a
    /// tenant.
    #[serde(default)]
    pub leaked_headers: Vec<String>,
}

/// The answer of a tenant double, in its own words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantSaid {
    pub status: u16,
    #[serde(default)]
    pub location: Option<String>,
    #[serde(default)]
    pub content_location: Option<String>,
    /// Names of the internal headers that it forged.
    #[serde(default)]
    pub forged: Vec<String>,
    /// Its requests to the outside for this answer.
    #[serde(default)]
    pub fetched: Option<Fetched>,
    /// How long its body is, where it knew before it sent it.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// Path and query as they reached it.
    #[serde(default)]
    pub target: Option<String>,
    /// How many cookies it set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cookies: Option<usize>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    pub url: String,
    /// The status in the end, redirects followed.
    pub status: u16,
}

/// The decoded `PAYMENT-RESPONSE` header, or the `X-PAYMENT-RESPONSE` that a client of version 1 reads; networks as CAIP-2.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PaymentResponse {
    pub success: bool,
    pub error_reason: Option<String>,
    pub payer: Option<String>,
    pub transaction: String,
    pub network: String,
}
