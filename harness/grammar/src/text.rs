//! Texts of the language that the readers check by hand, as the schema is to know them. Stand for other types, and are never
//! made themselves.
#![expect(dead_code, reason = "only their schemas are used")]

use crate::limits::MAX_NAME_BYTES;
use schemars::JsonSchema;

/// Lower-case letters, digits and single hyphens.
#[derive(JsonSchema)]
#[schemars(inline)]
pub struct NameText(#[schemars(length(max = MAX_NAME_BYTES), regex(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$"))] String);

/// A whole number and a unit: "250ms", "5s", "1m".
#[derive(JsonSchema)]
#[schemars(inline)]
pub struct TimeText(#[schemars(regex(pattern = "^[0-9]+(ms|s|m|h|d)$"))] String);

/// USDC in decimal digits, at most six after the point: "0.01".
#[derive(JsonSchema)]
#[schemars(inline)]
pub struct PriceText(#[schemars(regex(pattern = r"^[0-9]+(\.[0-9]{1,6})?$"))] String);

/// Hosts, as a tenant's record has them.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct EgressText {
    /// Nothing but these.
    allow: Option<Vec<String>>,
    /// None of these.
    #[serde(default)]
    deny: Vec<String>,
}

/// The protocol's own names for `payment-flow`; a test holds them equal to what its type reads.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum FlowText {
    /// The money moves after the tenant ran.
    Authorization,
    /// The money moves first.
    Upfront,
}

/// The treatment of a tenant's pages on a host that it shares.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum SharedOriginText {
    /// Each has an origin of its own.
    Sandboxed,
    /// They have the host's.
    Trusted,
}

/// The same for `payment-identifier`.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum IdentifierText {
    Required,
    Optional,
    Off,
}
