//! A tenant: whose Worker is run, at which price, by way of which facilitators.

use super::{Plan, Rates};
use dispatcher_core::{egress::Egress, tenant::SharedOrigin};
use grammar::{Name, Usdc};
use x402_protocol::{Address, PaymentFlow, v2::IdentifierRule};

#[derive(Clone, Debug, PartialEq)]
pub struct Tenant {
    pub(super) id: Name,
    pub(super) listed: bool,
    pub(super) version: Option<Name>,
    pub(super) plan: Plan,
    pub(super) price: Option<Usdc>,
    pub(super) flow: PaymentFlow,
    pub(super) identifier: IdentifierRule,
    pub(super) facilitators: Option<Vec<Name>>,
    pub(super) seller: Name,
    pub(super) rates: Option<Rates>,
    pub(super) egress: Option<Egress>,
    pub(super) shared_origin: SharedOrigin,
    pub(super) hosts: Vec<String>,
    pub(super) pay_to: Option<Address>,
}

impl Tenant {
    /// Its own seller, by way of all facilitators, paid after it ran.
    pub fn plain(id: Name, plan: Plan, price: Option<Usdc>) -> Self {
        let (flow, identifier) = (PaymentFlow::default(), IdentifierRule::default());
        let (listed, version) = (true, None);
        let (facilitators, rates, egress) = (None, None, None);
        let seller = id.clone();
        let shared_origin = SharedOrigin::default();
        let (hosts, pay_to) = (Vec::new(), None);
        Self {
            seller,
            id,
            listed,
            version,
            plan,
            price,
            flow,
            identifier,
            facilitators,
            rates,
            egress,
            shared_origin,
            hosts,
            pay_to,
        }
    }

    /// Found at these hosts as well.
    pub fn at_hosts(self, hosts: Vec<String>) -> Self {
        Self { hosts, ..self }
    }

    /// Paid to an address that somebody has the key of.
    pub fn paid_to(self, address: Address) -> Self {
        Self { pay_to: Some(address), ..self }
    }

    /// Hosts beside the one that every tenant has.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// The address that its callers pay to, where it names one.
    pub fn pay_to(&self) -> Option<Address> {
        self.pay_to
    }

    /// The hosts that its Worker may ask, where its record says.
    pub fn egress(&self) -> Option<&Egress> {
        self.egress.as_ref()
    }

    /// Whether its pages have the origin that all tenants by slug share.
    pub fn shares_origin(&self) -> bool {
        self.shared_origin == SharedOrigin::Trusted
    }

    pub(crate) fn at_price(self, price: Usdc) -> Self {
        Self { price: Some(price), ..self }
    }

    pub(crate) fn in_version(self, version: Name) -> Self {
        Self { version: Some(version), ..self }
    }

    /// Name of its Worker in the namespace.
    pub fn script(&self) -> String {
        match &self.version {
            None => self.id.to_string(),
            Some(version) => format!("{}--{version}", self.id),
        }
    }

    pub fn id(&self) -> &Name {
        &self.id
    }

    pub fn plan(&self) -> Plan {
        self.plan
    }

    /// Those that it names itself, in its order; `None` for all of the world's.
    pub fn facilitators(&self) -> Option<&[Name]> {
        self.facilitators.as_deref()
    }

    /// `None` for a tenant whose API is free.
    pub fn price(&self) -> Option<Usdc> {
        self.price
    }

    /// When a payment's money moves.
    pub fn flow(&self) -> PaymentFlow {
        self.flow
    }

    /// Whether payments are to carry an identifier.
    pub fn identifier(&self) -> IdentifierRule {
        self.identifier
    }

    /// At which requests are let in; `None` for its plan's.
    pub fn rates(&self) -> Option<Rates> {
        self.rates
    }

    /// Whom its callers pay: its own name, unless several tenants are one seller's.
    pub fn seller(&self) -> &Name {
        &self.seller
    }
}
