//! The scenario's tenants as the dispatcher is told of them, and as the judges must know them: two views of one list.

use super::plan_limits::plan_limits;
use dispatcher_core::egress::HostPattern;
use facts::hosts::host_of;
use reports::event::{EgressFacts, Flow, LimitFacts, PriceFacts, TenantFacts};
use scenario::{Becomes, Name, Scenario, Tenant, World};
use serde_json::{Value, json};
use sha3::{Digest, Keccak256};
use std::collections::BTreeMap;
use x402_protocol::{Address, Network, PaymentFlow};

/// The directory in its registry shape.
#[must_use]
pub fn directory_of<'a>(tenants: impl IntoIterator<Item = &'a Tenant>, network: Network) -> Value {
    let tenant = |tenant: &Tenant| {
        let id = tenant.id().as_str();
        let price = tenant.price().map(|price| {
            json!({
                "amount": price.atomic().to_string(),
                "network": network.caip2(),
                "payTo": pay_to(tenant).to_string(),
                "description": format!("A quote from {id}"),
                "mimeType": "application/json",
                "paymentFlow": tenant.flow(),
                "paymentIdentifier": tenant.identifier(),
            })
        });
        let mut record = json!({"id": id, "plan": tenant.plan().as_str(), "slug": id, "hosts": [host_of(id)]});
        for host in tenant.hosts() {
            record["hosts"].as_array_mut().expect("it was made a list").push(host.as_str().into());
        }
        if tenant.script() != id {
            record["script"] = tenant.script().into();
        }
        if let Some(price) = price {
            record["price"] = price;
        }
        if let Some(egress) = tenant.egress() {
            record["egress"] = json!(egress);
        }
        // A `keyed` client has its key in it.
        record["credentialHeaders"] = json!(["x-api-key"]);
        if tenant.shares_origin() {
            record["sharedOrigin"] = "trusted".into();
        }
        if let Some(own) = tenant.facilitators() {
            record["facilitators"] = own.iter().map(Name::as_str).collect();
        }
        if let Some(rates) = tenant.rates() {
            let LimitFacts { cpu_ms, sub_requests } = plan_limits(tenant.plan());
            record["override"] = json!({
                "cpuMs": cpu_ms as u32,
                "subRequests": sub_requests as u32,
                "tenantRate": rates.tenant,
                "payerRate": rates.payer,
                "addressRate": rates.address,
                "reason": "the scenario's",
                "author": "harness",
                "expires": "2999-12-31T23:59:59Z",
            });
        }
        record
    };
    json!({ "tenants": tenants.into_iter().map(tenant).collect::<Vec<_>>() })
}

/// Every script that a directory of the run names, with its tenant's id.
#[must_use]
pub fn scripts(scenario: &Scenario) -> BTreeMap<String, String> {
    let later = scenario.directory_changes().iter().flat_map(|change| match change.becomes() {
        Becomes::NewVersion(tenants) | Becomes::WrongRecord { tenants, .. } => tenants.as_slice(),
        Becomes::Truncated(_) | Becomes::Garbled | Becomes::Missing | Becomes::Older | Becomes::Unreadable => &[],
    });
    let all = scenario.world().tenants().iter().chain(later);
    all.map(|tenant| (tenant.script(), tenant.id().to_string())).collect()
}

#[must_use]
pub fn facts_of<'a>(
    tenants: impl IntoIterator<Item = &'a Tenant>,
    world: &World,
    network: Network,
) -> Vec<TenantFacts> {
    let facts = |tenant: &Tenant| {
        let id = tenant.id().as_str();
        let LimitFacts { cpu_ms, sub_requests } = plan_limits(tenant.plan());
        let price = tenant.price().map(|price| PriceFacts {
            network: network.caip2().to_owned(),
            asset: network.usdc().address.lower(),
            pay_to: pay_to(tenant).lower(),
            amount: price.atomic().to_string(),
            flow: match tenant.flow() {
                PaymentFlow::Authorization => Flow::Authorization,
                PaymentFlow::Upfront => Flow::Upfront,
            },
        });
        let texts = |list: &[HostPattern]| list.iter().cloned().map(String::from).collect::<Vec<_>>();
        let egress = tenant
            .egress()
            .map(|egress| EgressFacts { allow: egress.allow.as_deref().map(texts), deny: texts(&egress.deny) });
        let egress = egress.unwrap_or_default();
        let own = tenant.facilitators().unwrap_or(world.facilitators());
        let facilitators = own.iter().map(|name| name.as_str().to_owned()).collect();
        TenantFacts { id: id.to_owned(), script: tenant.script(), cpu_ms, sub_requests, price, facilitators, egress }
    };
    tenants.into_iter().map(facts).collect()
}

/// Its own address, or one per seller that nobody holds the key of.
fn pay_to(tenant: &Tenant) -> Address {
    if let Some(own) = tenant.pay_to() {
        return own;
    }
    let hash = Keccak256::digest(format!("payTo of {}", tenant.seller()));
    let mut address = [0; 20];
    address.copy_from_slice(&hash[12..]);
    Address(address)
}
