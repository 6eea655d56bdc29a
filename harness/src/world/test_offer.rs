//! One seller's offer, as each server of a comparison is configured with it: the same host, price, content and facilitator.

use dispatcher_core::plan::Plan;
use serde_json::json;
use std::collections::BTreeMap;
use x402_protocol::Network;

pub const TENANT: &str = "acme";
pub const HOST: &str = "acme.tenants.test";
/// One cent, as each configuration spells it.
const PRICE_ATOMIC: &str = "10000";
const PRICE_DOLLARS: &str = "$0.01";
const NETWORK: Network = Network::BaseSepolia;
/// Requests in ten seconds: the most that an override may say.
const UNLIMITED: u32 = 1_000_000;
const PAY_TO: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
const MAX_TIMEOUT_S: u64 = 300;
const DESCRIPTION: &str = "A quote from acme";
const MIME_TYPE: &str = "application/json";

/// The facilitator of both.
#[derive(Clone, Debug)]
pub struct Till {
    pub facilitator_url: String,
    /// How long either server waits for it; its own default unless given.
    pub timeout_ms: Option<u64>,
}

impl Till {
    /// The dispatcher's variables.
    pub fn dispatcher_vars(&self) -> BTreeMap<String, String> {
        let limits = Plan::Pro.limits();
        let directory = json!({"tenants": [{
            "id": TENANT,
            "plan": "pro",
            "slug": TENANT,
            "hosts": [HOST],
            "override": {
                "cpuMs": limits.cpu_ms,
                "subRequests": limits.sub_requests,
                "tenantRate": UNLIMITED,
                "payerRate": UNLIMITED,
                "addressRate": UNLIMITED,
                "reason": "what the other server does not limit must not be limited here",
                "author": "harness",
                "expires": "2099-12-31T00:00:00Z",
            },
            "price": {
                "amount": PRICE_ATOMIC,
                "network": NETWORK,
                "payTo": PAY_TO,
                "maxTimeoutSeconds": MAX_TIMEOUT_S,
                "description": DESCRIPTION,
                "mimeType": MIME_TYPE,
            },
        }]});
        let mut facilitator = json!({"id": "primary", "url": self.facilitator_url});
        if let Some(timeout_ms) = self.timeout_ms {
            facilitator["verifyTimeoutMs"] = timeout_ms.into();
            facilitator["settleTimeoutMs"] = timeout_ms.into();
        }
        let facilitators = json!([facilitator]).to_string();
        let vars = [
            // No node: a run reaches nothing beyond this machine.
            ("CHAIN_RPC_URLS", "[]".to_owned()),
            ("ENVIRONMENT", "test".to_owned()),
            ("TENANT_DIRECTORY", directory.to_string()),
            ("FACILITATORS", facilitators),
        ];
        vars.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// The variables of a Worker that sells without looking: a ready offer, whose `accepted` a payment repeats.
    pub fn floor_vars(&self) -> BTreeMap<String, String> {
        let token = NETWORK.usdc();
        let offer = json!({
            "x402Version": 2,
            "resource": {"url": format!("https://{HOST}/"), "description": DESCRIPTION, "mimeType": MIME_TYPE},
            "accepts": [{
                "scheme": "exact",
                "network": NETWORK,
                "amount": PRICE_ATOMIC,
                "asset": token.address.to_string(),
                "payTo": PAY_TO,
                "maxTimeoutSeconds": MAX_TIMEOUT_S,
                "extra": {"name": token.domain_name, "version": token.domain_version},
            }],
        });
        let offer = x402_protocol::header::encode(&offer);
        let vars = [("PAYMENT_REQUIRED", offer), ("FACILITATOR_URL", self.facilitator_url.clone())];
        vars.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// The reference Worker's variables.
    pub fn reference_vars(&self) -> BTreeMap<String, String> {
        let (network, max_timeout) = (NETWORK.to_string(), MAX_TIMEOUT_S.to_string());
        let timeout = self.timeout_ms.map(|ms| ms.to_string());
        let vars = [
            ("FACILITATOR_URL", self.facilitator_url.as_str()),
            ("NETWORK", &network),
            ("PRICE", PRICE_DOLLARS),
            ("PAY_TO", PAY_TO),
            ("MAX_TIMEOUT_SECONDS", &max_timeout),
            ("DESCRIPTION", DESCRIPTION),
            ("MIME_TYPE", MIME_TYPE),
            ("SCRIPT", TENANT),
            ("CANARY", TENANT),
        ];
        let timeout = timeout.as_deref().map(|timeout| ("FACILITATOR_TIMEOUT_MS", timeout));
        vars.into_iter().chain(timeout).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}
