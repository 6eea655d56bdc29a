//! The scenario's tenants as the dispatcher is told of them, and as the judges must know them: two views of one list.

use super::plan_limits::plan_limits;
use crate::{
    scenario::{Name, Tenant, World},
    traffic::host_of,
};
use reports::event::{Flow, PriceFacts, TenantFacts};
use serde_json::{Value, json};
use sha3::{Digest, Keccak256};
use x402_protocol::{Address, Network, PaymentFlow};

/// The dispatcher's `TENANT_DIRECTORY`: its registry shape.
#[must_use]
pub fn directory(world: &World, network: Network) -> Value {
    let tenant = |tenant: &Tenant| {
        let id = tenant.id().as_str();
        let price = tenant.price().map(|price| {
            json!({
                "amount": price.atomic().to_string(),
                "network": network.caip2(),
                "payTo": pay_to(tenant.seller()).to_string(),
                "description": format!("A quote from {id}"),
                "mimeType": "application/json",
                "paymentFlow": tenant.flow(),
                "paymentIdentifier": tenant.identifier(),
            })
        });
        let mut record = json!({"id": id, "plan": tenant.plan().as_str(), "slug": id, "hosts": [host_of(id)]});
        if let Some(price) = price {
            record["price"] = price;
        }
        if let Some(own) = tenant.facilitators() {
            record["facilitators"] = own.iter().map(Name::as_str).collect();
        }
        record
    };
    json!({ "tenants": world.tenants().iter().map(tenant).collect::<Vec<_>>() })
}

#[must_use]
pub fn facts(world: &World, network: Network) -> Vec<TenantFacts> {
    let facts = |tenant: &Tenant| {
        let id = tenant.id().as_str();
        let (cpu_ms, sub_requests) = plan_limits(tenant.plan());
        let price = tenant.price().map(|price| PriceFacts {
            network: network.caip2().to_owned(),
            asset: network.usdc().address.lower(),
            pay_to: pay_to(tenant.seller()).lower(),
            amount: price.atomic().to_string(),
            flow: match tenant.flow() {
                PaymentFlow::Authorization => Flow::Authorization,
                PaymentFlow::Upfront => Flow::Upfront,
            },
        });
        let own = tenant.facilitators().unwrap_or(world.facilitators());
        let facilitators = own.iter().map(|name| name.as_str().to_owned()).collect();
        TenantFacts { id: id.to_owned(), script: id.to_owned(), cpu_ms, sub_requests, price, facilitators }
    };
    world.tenants().iter().map(facts).collect()
}

/// An address per seller that nobody holds the key of.
fn pay_to(seller: &Name) -> Address {
    let hash = Keccak256::digest(format!("payTo of {seller}"));
    let mut address = [0; 20];
    address.copy_from_slice(&hash[12..]);
    Address(address)
}
