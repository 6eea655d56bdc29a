//! A tenant: whose Worker runs, under which plan, at what price.

use crate::{
    bazaar::{self, BazaarRecord},
    cors_policy::{CorsRecord, Policy},
    credential_headers,
    egress::Egress,
    free_paths,
    limits_override::{Override, OverrideRecord},
    listing,
    plan::Plan,
    shown::{CatalogueRecord, Shown},
};
use serde::Deserialize;
use std::rc::Rc;
use x402_paywall::Price;
use x402_protocol::{
    Address, Network, Offer, PaymentFlow, TransferMethod, Uint256,
    permit2::{EXACT_PROXY, PERMIT2},
    v2::{IdentifierRule, ResourceInfo},
};

/// Clients sign `validBefore = now + maxTimeoutSeconds`: long enough for a slow tenant and a busy chain.
const DEFAULT_MAX_TIMEOUT_S: u64 = 300;
/// A payment should outlive the tenant's run and the settling, or the run was for nothing; and must not stay signed for days.
const MAX_TIMEOUT_RANGE_S: std::ops::RangeInclusive<u64> = 30..=86_400;

/// A checked tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    pub id: String,
    pub script: Script,
    pub plan: Plan,
    pub limits_override: Option<Override>,
    /// `None`: every request is free.
    pub price: Option<Price>,
    /// Paths that nobody pays for where there is a price, as its Worker sees them.
    pub free_paths: Rc<[String]>,
    /// Ids of those that serve its payments, in the order in which they are tried. Shared where a tenant has no own list.
    pub facilitators: Rc<[String]>,
    /// The hosts that its Worker may ask.
    pub egress: Egress,
    /// Pages that may use it while it sells. `None`: every page, without credentials.
    pub cors: Option<Policy>,
    /// Headers besides `Authorization` and `Cookie` that make an answer its caller's own, in lower case.
    pub credential_headers: Rc<[String]>,
    pub shared_origin: SharedOrigin,
    /// Its place in the public catalogue.
    pub shown: Shown,
}

/// The treatment of a tenant's pages below `/t/<slug>`, where all tenants share one origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SharedOrigin {
    /// Each page has an origin of its own, which is nobody's.
    #[default]
    Sandboxed,
    /// Its pages have the host's origin: their scripts may ask any tenant there with the visitor's cookies, and read the
    /// pages and storage of those that have it, too.
    Trusted,
}

/// Name of a tenant's Worker in the dispatch namespace: the tenant's id, or the id, `--` and the name of a version. Since no
/// id has `--` in it, a script is one tenant's alone, and no entry of a directory can name another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script(String);

impl Script {
    fn of(id: &str, named: Option<String>) -> Result<Self, String> {
        let Some(name) = named else { return Ok(Self(id.to_owned())) };
        let version = name.strip_prefix(id).map(|rest| rest.strip_prefix(VERSION_MARK).filter(|rest| !rest.is_empty()));
        match version {
            Some(version) if is_name(&name) && (version.is_some() || name.len() == id.len()) => Ok(Self(name)),
            _ => Err(format!("is {name:?}, not {id:?} or a version of it, as {id}{VERSION_MARK}blue")),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The facilitators and tokens of a deployment, for its tenants to name.
#[derive(Clone, Debug)]
pub struct Available {
    /// The one network that this environment charges on.
    pub network: Network,
    /// Ids of the configured facilitators, in order.
    pub facilitators: Rc<[String]>,
}

/// A tenant as the directory has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantRecord {
    pub id: String,
    /// `<id>` or `<id>--<version>`; absent: the id.
    #[serde(default)]
    pub script: Option<String>,
    pub plan: Plan,
    #[serde(default)]
    pub price: Option<PriceRecord>,
    /// Paths without a price, such as `/openapi.json`: letter by letter, and nothing below them.
    #[serde(default)]
    pub free_paths: Vec<String>,
    /// Absent: all that are configured, in their order.
    #[serde(default)]
    pub facilitators: Option<Vec<String>>,
    /// Absent: every public host.
    #[serde(default)]
    pub egress: Egress,
    #[serde(default, rename = "override")]
    pub limits_override: Option<OverrideRecord>,
    /// Absent: every page may use it, without credentials.
    #[serde(default)]
    pub cors: Option<CorsRecord>,
    /// Lower-case names of headers by which its callers prove who they are.
    #[serde(default)]
    pub credential_headers: Vec<String>,
    /// `sandboxed` or `trusted`; absent: sandboxed.
    #[serde(default)]
    pub shared_origin: SharedOrigin,
    /// Absent: the catalogue shows it at its root, if it sells.
    #[serde(default)]
    pub catalogue: CatalogueRecord,
    /// The hosts, in a directory that lists its tenants and is no map of them.
    #[serde(default)]
    pub hosts: Vec<String>,
    #[serde(default)]
    pub slug: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PriceRecord {
    /// Atomic units of USDC, decimal: `"10000"` is one cent.
    pub amount: String,
    /// CAIP-2.
    pub network: String,
    pub pay_to: String,
    #[serde(default)]
    pub max_timeout_seconds: Option<u64>,
    /// `upfront`; absent: `authorization`.
    #[serde(default)]
    pub payment_flow: Option<String>,
    /// `required`, `optional` or `off`; absent: optional.
    #[serde(default)]
    pub payment_identifier: IdentifierRule,
    /// `eip3009` or `permit2`; absent: the payer's choice.
    #[serde(default)]
    pub asset_transfer_method: Option<TransferMethod>,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub mime_type: Option<String>,
    #[serde(default)]
    pub service_name: Option<String>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub icon_url: Option<String>,
    /// The `bazaar` extension: how the resource is asked for.
    #[serde(default)]
    pub bazaar: Option<BazaarRecord>,
}

/// A key of a tenant's record that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tenant {tenant:?}: {key} {why}")]
pub struct TenantError {
    pub tenant: String,
    pub key: &'static str,
    pub why: String,
}

impl TenantRecord {
    /// Checks the record against what the deployment has.
    pub fn check(self, available: &Available) -> Result<Tenant, TenantError> {
        let id = self.id;
        let wrong = |key, why: String| TenantError { tenant: id.clone(), key, why };
        if !is_id(&id) {
            return Err(wrong("id", ID_RULE.to_owned()));
        }
        let script = Script::of(&id, self.script).map_err(|why| wrong("script", why))?;
        let price = match self.price {
            None => None,
            Some(price) => Some(price.check(available.network).map_err(|(key, why)| wrong(key, why))?),
        };
        let free_paths = free_paths::check(self.free_paths).map_err(|why| wrong("freePaths", why))?.into();
        let facilitators = match self.facilitators {
            None => Rc::clone(&available.facilitators),
            Some(own) => chosen(own, available).map_err(|why| wrong("facilitators", why))?,
        };
        let limits_override = self.limits_override.map(OverrideRecord::check).transpose();
        let limits_override = limits_override.map_err(|(key, why)| wrong(key, why))?;
        let cors = self.cors.map(CorsRecord::check).transpose().map_err(|(key, why)| wrong(key, why))?;
        let credential_headers = credential_headers::check(self.credential_headers);
        let credential_headers = credential_headers.map_err(|why| wrong("credentialHeaders", why))?.into();
        let shown = self.catalogue.check().map_err(|why| wrong("catalogue.path", why))?;
        let (plan, egress, shared_origin) = (self.plan, self.egress, self.shared_origin);
        Ok(Tenant {
            script,
            plan,
            limits_override,
            price,
            free_paths,
            facilitators,
            egress,
            cors,
            credential_headers,
            shared_origin,
            shown,
            id,
        })
    }
}

fn chosen(own: Vec<String>, available: &Available) -> Result<Rc<[String]>, String> {
    if own.is_empty() {
        return Err("is empty; leave it out for all".to_owned());
    }
    for (index, id) in own.iter().enumerate() {
        if !available.facilitators.contains(id) {
            return Err(format!("names {id:?}, which FACILITATORS does not have"));
        }
        if own[..index].contains(id) {
            return Err(format!("names {id:?} twice"));
        }
    }
    Ok(own.into())
}

const ID_RULE: &str =
    "must have 1 to 63 lower-case letters, digits, - or _, begin and end with a letter or digit, and have no --";
/// Between a tenant's id and a version of its Worker.
const VERSION_MARK: &str = "--";

/// Whether a tenant could have this id.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    is_name(text) && edge(bytes.first()) && edge(bytes.last()) && !text.contains(VERSION_MARK)
}

fn is_name(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

impl PriceRecord {
    fn check(self, network: Network) -> Result<Price, (&'static str, String)> {
        let asked: Network = self.network.parse().map_err(|error| ("price.network", format!("is wrong: {error}")))?;
        if asked != network {
            return Err(("price.network", format!("is {asked}, but this environment charges on {network}")));
        }
        let amount: Uint256 = self.amount.parse().map_err(|error| ("price.amount", format!("{error}")))?;
        if amount == Uint256::ZERO {
            return Err(("price.amount", "is 0; leave the price out for a free tenant".to_owned()));
        }
        let pay_to = Address::parse_checked(&self.pay_to).map_err(|error| ("price.payTo", format!("{error}")))?;
        let max_timeout = self.max_timeout_seconds.unwrap_or(DEFAULT_MAX_TIMEOUT_S);
        if !MAX_TIMEOUT_RANGE_S.contains(&max_timeout) {
            return Err(("price.maxTimeoutSeconds", "must be between 30 and 86400".to_owned()));
        }
        let flow = match self.payment_flow.as_deref() {
            None | Some("authorization") => PaymentFlow::Authorization,
            Some("upfront") => PaymentFlow::Upfront,
            Some(other) => return Err(("price.paymentFlow", format!("is {other:?}, not authorization or upfront"))),
        };
        let offer = Offer::usdc(network, amount, pay_to, max_timeout);
        let offer = Offer { transfer_method: self.asset_transfer_method, flow, ..offer };
        if let Some(what) = swallows_money(&pay_to, &offer) {
            return Err(("price.payTo", format!("is {what}: what is sent there is lost")));
        }
        let listing = listing::check(ResourceInfo {
            url: String::new(),
            description: self.description,
            mime_type: self.mime_type,
            service_name: self.service_name,
            tags: self.tags,
            icon_url: self.icon_url,
        })?;
        let price = Price::new(offer, self.payment_identifier, listing);
        Ok(match self.bazaar {
            None => price,
            Some(bazaar) => {
                let declaration = bazaar.check().map_err(|why| ("price.bazaar", why))?;
                price.declaring(bazaar::EXTENSION, declaration)
            }
        })
    }
}

/// Addresses that take money and from which nobody can send it on, by what they are.
fn swallows_money(pay_to: &Address, offer: &Offer) -> Option<&'static str> {
    let known = [
        (Address([0; 20]), "the zero address"),
        (offer.asset, "the token's own contract"),
        (PERMIT2, "the Permit2 contract"),
        (EXACT_PROXY, "the x402 proxy for Permit2"),
    ];
    known.into_iter().find_map(|(address, what)| (address == *pay_to).then_some(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str) -> Result<Tenant, TenantError> {
        serde_json::from_str::<TenantRecord>(json)
            .unwrap()
            .check(&Available { network: Network::BaseSepolia, facilitators: [].into() })
    }

    #[test]
    fn names_the_key_that_is_wrong() {
        let price = |amount: &str, network: &str, pay_to: &str| {
            let record = format!(
                r#"{{"id":"acme","plan":"pro","price":{{"amount":"{amount}","network":"{network}","payTo":"{pay_to}"}}}}"#
            );
            check(&record).map_err(|error| error.key)
        };
        let pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
        assert!(price("10000", "eip155:84532", pay_to).is_ok());
        let escrow = format!(
            r#"{{"id":"acme","plan":"pro","price":{{"amount":"1","network":"eip155:84532","payTo":"{pay_to}","paymentFlow":"escrow"}}}}"#
        );
        assert_eq!(check(&escrow).unwrap_err().key, "price.paymentFlow");
        assert_eq!(price("0.01", "eip155:84532", pay_to), Err("price.amount"));
        assert_eq!(price("0", "eip155:84532", pay_to), Err("price.amount"));
        assert_eq!(price("10000", "eip155:8453", pay_to), Err("price.network"));
        assert_eq!(price("10000", "base", pay_to), Err("price.network"));
        for pay_to in [
            "0x1",
            // One digit, and the case of one letter, that a person got wrong.
            "0x209693Bc6afc0C5328bA36FaF03C514EF312287D",
            "0x209693bc6afc0C5328bA36FaF03C514EF312287C",
            "0x0000000000000000000000000000000000000000",
            "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
            "0x000000000022D473030F116dDEE9F6B43aC78BA3",
            "0x402085c248EeA27D92E8b30b2C58ed07f9E20001",
        ] {
            assert_eq!(price("10000", "eip155:84532", pay_to), Err("price.payTo"), "{pay_to}");
        }
        for pay_to in [pay_to.to_lowercase(), pay_to.to_uppercase().replace("0X", "0x")] {
            assert!(price("10000", "eip155:84532", &pay_to).is_ok(), "{pay_to}");
        }
        assert_eq!(check(r#"{"id":"../acme","plan":"pro"}"#).unwrap_err().key, "id");
    }

    #[test]
    fn what_a_record_says_of_pages_and_of_credentials_is_checked() {
        let with = |more: &str| check(&format!(r#"{{"id":"acme","plan":"pro",{more}}}"#));
        assert_eq!(with(r#""cors":{"origins":"https://a.example"}"#).unwrap_err().key, "cors.origins");
        assert_eq!(with(r#""credentialHeaders":["Cookie"]"#).unwrap_err().key, "credentialHeaders");
        let tenant = with(r#""cors":{},"credentialHeaders":["x-api-key"],"sharedOrigin":"trusted""#).unwrap();
        assert_eq!(
            (&*tenant.credential_headers, tenant.shared_origin),
            (&["x-api-key".to_owned()][..], SharedOrigin::Trusted)
        );
        let plain = check(r#"{"id":"acme","plan":"pro"}"#).unwrap();
        assert_eq!((plain.cors, plain.shared_origin), (None, SharedOrigin::Sandboxed));
        assert!(plain.credential_headers.is_empty());
    }

    #[test]
    fn a_script_is_its_own_tenants() {
        let script = |id: &str, script: &str| {
            let tenant = check(&format!(r#"{{"id":"{id}","plan":"pro","script":"{script}"}}"#));
            tenant.map(|tenant| tenant.script.as_str().to_owned()).map_err(|error| error.key)
        };
        assert_eq!(script("acme", "acme"), Ok("acme".to_owned()));
        assert_eq!(script("acme", "acme--v2"), Ok("acme--v2".to_owned()));
        for other in ["globex", "globex--acme", "acme-v2", "acmes", "acme--", "acme--V2", "acme--../globex", ""] {
            assert_eq!(script("acme", other), Err("script"), "{other}");
        }
        // Else two tenants' versions could have one name.
        for id in ["acme--v2", "acme-", "-acme", "_"] {
            assert_eq!(script(id, id), Err("id"), "{id}");
        }
    }
}
