//! The rates that a tenant has in place of its plan's.

use grammar::{Problem, Problems, limits::MAX_TENANT_RATE};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// Requests in ten seconds, in place of the plan's. None is zero: the dispatcher would leave such a tenant out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// The numbers of requests that run its Worker: with a payment, and without.
    pub tenant: u32,
    /// Payments of one payer.
    pub payer: u32,
    /// Whatever comes from one address.
    pub address: u32,
}

/// Requests in ten seconds, in place of the plan's.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Rates")]
pub struct RawRates {
    /// The numbers of requests that run its Worker: with a payment, and without.
    #[schemars(with = "u32", range(min = 1, max = MAX_TENANT_RATE))]
    tenant: Spanned<u32>,
    /// Payments of one payer.
    #[schemars(with = "u32", range(min = 1, max = MAX_TENANT_RATE))]
    payer: Spanned<u32>,
    /// Whatever comes from one address.
    #[schemars(with = "u32", range(min = 1, max = MAX_TENANT_RATE))]
    address: Spanned<u32>,
}

impl RawRates {
    pub fn check(self, problems: &mut Problems) -> Rates {
        let mut rate = |raw: Spanned<u32>| {
            if !(1..=MAX_TENANT_RATE).contains(raw.get_ref()) {
                let what = format!("a rate is 1 to {MAX_TENANT_RATE} requests in ten seconds");
                problems.add(Problem::new(raw.span(), what, "out of range"));
            }
            raw.into_inner()
        };
        Rates { tenant: rate(self.tenant), payer: rate(self.payer), address: rate(self.address) }
    }
}
