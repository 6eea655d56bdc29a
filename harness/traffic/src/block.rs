//! One block of a scenario's traffic, checked: who arrives, how often, from where, and whose money they have. Open-model: arrivals
//! are due at their rate whatever the dispatcher does, as real callers' are.

use super::ClientKind;
use grammar::{Listed, Name, Rate, RequestPath, Window};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{borrow::Cow, collections::BTreeMap, fmt, num::NonZeroU32, sync::Arc, time::Duration};

#[derive(Clone, Debug)]
pub struct Traffic {
    pub name: Name,
    pub window: Window,
    pub arriving: Arriving,
    pub mix: Mix,
    pub path: RequestPath,
    pub tenants: Vec<Name>,
    pub paid_tenants: Vec<Name>,
    pub addresses: Option<u64>,
    pub addresses_in: AddressesIn,
    pub payers: Option<u64>,
}

/// When a block's clients come.
#[derive(Clone, Debug, PartialEq)]
pub enum Arriving {
    Rate(Rate),
    /// Moments of their own, counted from the block's `from`, in order.
    At(Arc<[Duration]>),
}

impl fmt::Display for Arriving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate(rate) => rate.fmt(f),
            Self::At(_) => f.write_str("each at a moment of its own"),
        }
    }
}

/// The network that a traffic block's clients call from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AddressesIn {
    /// Version 4.
    #[default]
    Ipv4,
    /// Version 6, each address in a /48 of its own.
    Ipv6,
    /// Version 6, each address in a /64 of its own, and all of these in one /48: what one host may have.
    OnePrefix,
}

impl Traffic {
    pub fn name(&self) -> &Name {
        &self.name
    }

    pub fn window(&self) -> Window {
        self.window
    }

    pub fn arriving(&self) -> &Arriving {
        &self.arriving
    }

    pub fn mix(&self) -> &Mix {
        &self.mix
    }

    /// The path that its clients ask the tenant for.
    pub fn path(&self) -> &RequestPath {
        &self.path
    }

    /// The tenants that clients of this kind go to; never empty for a kind in the mix. Who pays goes to those that have
    /// a price.
    pub fn tenants_for(&self, client: ClientKind) -> &[Name] {
        if client.pays() { &self.paid_tenants } else { &self.tenants }
    }

    /// How many addresses its clients share; `None` where each has its own.
    pub fn addresses(&self) -> Option<u64> {
        self.addresses
    }

    /// The network that its clients call from.
    pub fn addresses_in(&self) -> AddressesIn {
        self.addresses_in
    }

    /// How many payers its clients share with no other traffic; `None` for the run's common ones.
    pub fn payers(&self) -> Option<u64> {
        self.payers
    }

    /// How many arrivals are due in the whole window; the last one is due before its end.
    pub fn arrivals(&self) -> u64 {
        match &self.arriving {
            Arriving::Rate(rate) => rate.arrivals(self.window.length()),
            Arriving::At(moments) => moments.len() as u64,
        }
    }

    /// When the `n`th of them is due, counted from 0, since the run began.
    pub fn due(&self, n: u64) -> Duration {
        let since = match &self.arriving {
            Arriving::Rate(rate) => rate.due(n, self.window.length()),
            // There is none beyond the last.
            Arriving::At(moments) => moments.get(n as usize).copied().unwrap_or_default(),
        };
        self.window.from() + since
    }
}

/// Shares of arrivals by kind of client, relative to each other. At least one kind has one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Mix(BTreeMap<ClientKind, NonZeroU32>);

impl Mix {
    /// The kinds that have a share.
    pub fn clients(&self) -> impl Iterator<Item = ClientKind> {
        self.shares().map(|(client, _)| client)
    }

    /// Each kind that has a share, with it.
    pub fn shares(&self) -> impl Iterator<Item = (ClientKind, u32)> {
        self.0.iter().map(|(client, share)| (*client, share.get()))
    }

    /// The sum of all shares: never zero.
    pub fn total(&self) -> u64 {
        self.0.values().map(|share| u64::from(share.get())).sum()
    }

    /// The kind whose share `draw` falls into, of 0 to `total`.
    pub fn pick(&self, mut draw: u64) -> ClientKind {
        for (client, share) in &self.0 {
            match draw.checked_sub(u64::from(share.get())) {
                Some(left) => draw = left,
                None => return *client,
            }
        }
        panic!("a draw from the mix is below the sum of its shares")
    }
}

impl JsonSchema for Mix {
    fn schema_name() -> Cow<'static, str> {
        "Mix".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let share = |listed: &Listed| {
            let share =
                json_schema!({"type": "integer", "minimum": 1, "maximum": u32::MAX, "description": listed.says});
            (listed.name.to_owned(), share.to_value())
        };
        let shares: Map<String, Value> = ClientKind::CATALOGUE.iter().map(share).collect();
        json_schema!({"type": "object", "properties": shares, "additionalProperties": false, "minProperties": 1})
    }
}
