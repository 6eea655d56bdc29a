//! Who arrives when, drawn from the seed before the run begins: the same seed gives the same arrivals.

use super::{addresses, payer::Wallet};
use crate::scenario::{ClientKind, Name, RequestPath, Scenario, World};
use fastrand::Rng;
use std::net::IpAddr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// 0-based, in order of being due.
    pub number: u64,
    /// Microseconds since the run began.
    pub due_us: u64,
    /// The traffic block's name.
    pub traffic: Name,
    pub client: ClientKind,
    /// Where it calls from, and whose money it has.
    pub address: IpAddr,
    pub wallet: Wallet,
    pub tenant: Name,
    /// Another tenant that has a price, where there is one; one of the same seller's first, since only that one is paid
    /// to the same address.
    pub neighbour: Option<Name>,
    pub path: RequestPath,
    /// Whether it comes by the tenant's host, rather than by `/t/<slug>`.
    pub by_host: bool,
}

#[must_use]
pub fn schedule(scenario: &Scenario, seed: u64) -> Vec<Arrival> {
    let mut rng = Rng::with_seed(seed);
    let mut arrivals = Vec::new();
    for (block, traffic) in (0_u8..).zip(scenario.traffic()) {
        for n in 0..traffic.arrivals() {
            let due_us = traffic.due(n).as_micros() as u64;
            let client = traffic.mix().pick(rng.u64(0..traffic.mix().total()));
            let tenants = traffic.tenants_for(client);
            let tenant = tenants[rng.usize(0..tenants.len())].clone();
            let neighbour = neighbour(scenario.world(), &tenant);
            let (path, by_host) = (traffic.path().clone(), rng.bool());
            let address = addresses::of_block(traffic, block, n);
            let wallet =
                traffic.payers().map_or(Wallet::Common(0), |count| Wallet::Own { block, n: (n % count) as u8 });
            let traffic = traffic.name().clone();
            let arrival =
                Arrival { number: 0, due_us, traffic, client, address, wallet, tenant, neighbour, path, by_host };
            arrivals.push(arrival);
        }
    }
    arrivals.sort_by_key(|arrival| arrival.due_us);
    for (number, arrival) in (0_u32..).zip(arrivals.iter_mut()) {
        arrival.number = u64::from(number);
        arrival.address = addresses::own(arrival.address, number);
        if let Wallet::Common(purchase) = &mut arrival.wallet {
            *purchase = u64::from(number);
        }
    }
    arrivals
}

fn neighbour(world: &World, tenant: &Name) -> Option<Name> {
    let own = world.tenant(tenant.as_str())?;
    let others = world.tenants().iter().filter(|other| other.id() != tenant && other.price().is_some());
    others.min_by_key(|other| other.seller() != own.seller()).map(|other| other.id().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outage() -> Scenario {
        let text = include_str!("../../../scenarios/outage.toml");
        Scenario::parse("outage.toml", text).expect("the shipped scenario is valid")
    }

    #[test]
    fn a_seed_gives_the_same_arrivals_and_another_seed_others() {
        assert_eq!(schedule(&outage(), 42), schedule(&outage(), 42));
        assert_ne!(schedule(&outage(), 42), schedule(&outage(), 43));
    }

    #[test]
    fn arrivals_follow_rate_and_mix() {
        let arrivals = schedule(&outage(), 1);
        assert_eq!(arrivals.len() as u64, outage().traffic().iter().map(|traffic| traffic.arrivals()).sum::<u64>());
        assert!(arrivals.windows(2).all(|pair| pair[0].due_us <= pair[1].due_us));
        for client in [ClientKind::Unpaid, ClientKind::Paid] {
            assert!(arrivals.iter().any(|arrival| arrival.client == client));
        }
    }
}
