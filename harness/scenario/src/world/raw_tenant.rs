//! A tenant as a scenario writes it.

use super::{DirectoryIn, Plan, Tenant, rates::RawRates, raw::find_all};
use dispatcher_core::{egress::Egress, tenant::SharedOrigin};
use grammar::{
    Name, Problem, Problems, Usdc, name,
    text::{NameText, PriceText},
};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;
use x402_protocol::{PaymentFlow, v2::IdentifierRule};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Tenant")]
pub struct RawTenant {
    /// Its name, slug and host.
    #[schemars(with = "NameText")]
    pub id: Spanned<String>,
    /// Whether the directory has it when the run begins: it does unless given.
    #[schemars(with = "Option<bool>")]
    listed: Option<Spanned<bool>>,
    /// Decides its limits and rates.
    plan: Plan,
    /// In USDC; a tenant without one is free.
    #[schemars(with = "Option<PriceText>")]
    price: Option<Spanned<String>>,
    /// Whether the money moves after the tenant ran, or before: `authorization` unless given.
    #[serde(default)]
    #[schemars(with = "grammar::text::FlowText")]
    payment_flow: PaymentFlow,
    /// Whether payments are to carry an identifier: `optional` unless given.
    #[serde(default)]
    #[schemars(with = "grammar::text::IdentifierText")]
    payment_identifier: IdentifierRule,
    /// Those that it names itself, in its order: the world's unless given.
    #[schemars(with = "Option<Vec<NameText>>", length(min = 1))]
    facilitators: Option<Spanned<Vec<Spanned<String>>>>,
    /// Whom callers pay: its own name unless given. Tenants of one seller share an address.
    #[schemars(with = "Option<NameText>")]
    seller: Option<Spanned<String>>,
    /// Requests in ten seconds, by an override: its plan's unless given.
    rates: Option<RawRates>,
    /// The hosts that its Worker may ask: hosts, or `*.` and a host. Where a tenant has it, the platform's outbound
    /// Worker is in the world; without `allow` every public host may be asked.
    #[schemars(with = "Option<grammar::text::EgressText>")]
    egress: Option<Egress>,
    /// Whether its pages by slug have the origin that all tenants there share: `sandboxed` unless given.
    #[serde(default)]
    #[schemars(with = "grammar::text::SharedOriginText")]
    shared_origin: SharedOrigin,
}

impl RawTenant {
    pub(super) fn check(
        self,
        facilitators: &[Name],
        directory: DirectoryIn,
        problems: &mut Problems,
    ) -> Option<Tenant> {
        let listed = match &self.listed {
            Some(raw) if directory == DirectoryIn::Variable && !raw.get_ref() => {
                let problem = Problem::new(raw.span(), "the directory is not stored", "would never be listed");
                problems.add(problem.help("write directory = \"stored\" in [world]"));
                return None;
            }
            listed => listed.as_ref().is_none_or(|raw| *raw.get_ref()),
        };
        let id = Name::check("tenant", &self.id, problems);
        let seller = self.seller.as_ref().unwrap_or(&self.id);
        let seller = Name::check("seller", seller, problems);
        let price = match self.price {
            Some(raw) => Some(Usdc::check(&raw, problems)?),
            None => None,
        };
        let (flow, identifier) = (self.payment_flow, self.payment_identifier);
        let facilitators = match self.facilitators {
            Some(own) if own.get_ref().is_empty() => {
                let problem = Problem::new(own.span(), "the tenant names no facilitator", "empty");
                problems.add(problem.help("leave `facilitators` out for all of the world's"));
                return None;
            }
            Some(own) => {
                name::check_unique("facilitator", &own.get_ref().iter().collect::<Vec<_>>(), problems);
                Some(find_all(facilitators, own.get_ref(), problems)?)
            }
            None => None,
        };
        Some(Tenant {
            id: id?,
            listed,
            version: None,
            plan: self.plan,
            rates: self.rates.map(|rates| rates.check(problems)),
            price,
            flow,
            identifier,
            facilitators,
            seller: seller?,
            egress: self.egress,
            shared_origin: self.shared_origin,
            hosts: Vec::new(),
            pay_to: None,
        })
    }
}
