//! The tenants that are loaded: one that sells nothing, and two that sell on different plans. Each server of a comparison is
//! configured with the same ones.

use std::collections::BTreeMap;

use dispatcher_core::plan::{Limits, Plan};
use harness::world::{TenantDouble, workerd::LocalNamespace, workerd::Recording};
use serde_json::{Value, json};
use x402_protocol::Network;

const NETWORK: Network = Network::BaseSepolia;
/// Requests in ten seconds: the most that an override may say. What a bare Worker does not limit is not limited here.
const UNLIMITED: u32 = 1_000_000;
const PAY_TO: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
const MAX_TIMEOUT_S: u64 = 300;

/// A seller, or a tenant whose pages are free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenant {
    pub id: &'static str,
    pub host: &'static str,
    pub plan: Plan,
    /// Atomic USDC.
    pub price: Option<&'static str>,
}

pub const OPEN: Tenant = Tenant { id: "open", host: "open.tenants.test", plan: Plan::Free, price: None };
pub const ACME: Tenant = Tenant { id: "acme", host: "acme.tenants.test", plan: Plan::Pro, price: Some("10000") };
pub const MILL: Tenant = Tenant { id: "mill", host: "mill.tenants.test", plan: Plan::Business, price: Some("50000") };
pub const ALL: [Tenant; 3] = [OPEN, ACME, MILL];

impl Tenant {
    fn offer(self) -> Option<String> {
        let token = NETWORK.usdc();
        let amount = self.price?;
        Some(x402_protocol::header::encode(&json!({
            "x402Version": 2,
            "resource": {"url": format!("https://{}/", self.host), "description": self.id, "mimeType": "application/json"},
            "accepts": [{
                "scheme": "exact",
                "network": NETWORK,
                "amount": amount,
                "asset": token.address.to_string(),
                "payTo": PAY_TO,
                "maxTimeoutSeconds": MAX_TIMEOUT_S,
                "extra": {"name": token.domain_name, "version": token.domain_version},
            }],
        })))
    }

    fn record(self) -> Value {
        let limits = self.plan.limits();
        let mut record = json!({
            "id": self.id,
            "plan": self.plan,
            "slug": self.id,
            "hosts": [self.host],
            "override": {
                "cpuMs": limits.cpu_ms,
                "subRequests": limits.sub_requests,
                "tenantRate": UNLIMITED,
                "payerRate": UNLIMITED,
                "addressRate": UNLIMITED,
                "reason": "what the other server does not limit must not be limited here",
                "author": "loadtests",
                "expires": "2099-12-31T00:00:00Z",
            },
        });
        if let Some(amount) = self.price {
            record["price"] = json!({
                "amount": amount,
                "network": NETWORK,
                "payTo": PAY_TO,
                "maxTimeoutSeconds": MAX_TIMEOUT_S,
                "description": self.id,
                "mimeType": "application/json",
            });
        }
        record
    }
}

/// The namespace of either server, which answers a dispatch without its plan's limits itself.
#[must_use]
pub fn namespace() -> LocalNamespace {
    let tenants = ALL.map(|tenant| TenantDouble { script: tenant.id.to_owned(), canary: tenant.id.to_owned() });
    let limits: BTreeMap<String, Limits> =
        ALL.map(|tenant| (tenant.id.to_owned(), tenant.plan.limits())).into_iter().collect();
    LocalNamespace { tenants: tenants.to_vec(), limits, recording: Recording::Nowhere }
}

/// The dispatcher's variables.
#[must_use]
pub fn dispatcher_vars(facilitator_url: &str) -> BTreeMap<String, String> {
    let directory = json!({"tenants": ALL.map(Tenant::record)});
    let facilitators = json!([{"id": "primary", "url": facilitator_url}]);
    vars([
        // No node: a run reaches nothing beyond this machine.
        ("CHAIN_RPC_URLS", "[]".to_owned()),
        ("ENVIRONMENT", "test".to_owned()),
        ("TENANT_DIRECTORY", directory.to_string()),
        ("FACILITATORS", facilitators.to_string()),
    ])
}

/// The bare Worker's variables.
#[must_use]
pub fn bare_vars(facilitator_url: &str) -> BTreeMap<String, String> {
    let tenant = |tenant: Tenant| {
        let entry = json!({"script": tenant.id, "limits": tenant.plan.limits(), "offer": tenant.offer()});
        (tenant.host.to_owned(), entry)
    };
    let tenants: serde_json::Map<String, Value> = ALL.map(tenant).into_iter().collect();
    vars([("TENANTS", Value::Object(tenants).to_string()), ("FACILITATOR_URL", facilitator_url.to_owned())])
}

/// The variables of the official library's Worker, which sells for one tenant.
#[must_use]
pub fn reference_vars(facilitator_url: &str) -> BTreeMap<String, String> {
    harness::world::test_offer::Till { facilitator_url: facilitator_url.to_owned(), timeout_ms: None }.reference_vars()
}

fn vars<const N: usize>(vars: [(&str, String); N]) -> BTreeMap<String, String> {
    vars.map(|(name, value)| (name.to_owned(), value)).into()
}
