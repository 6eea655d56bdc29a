//! Who arrives when, drawn from the seed before the run begins: the same seed gives the same arrivals.

use super::{addresses, payer::Wallet};
use crate::{ClientKind, Traffic};
use fastrand::Rng;
use grammar::{Name, RequestPath};
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
    /// The address that it calls from, and the wallet that it has.
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
pub fn schedule(blocks: &[Traffic], neighbour_of: impl Fn(&Name) -> Option<Name>, seed: u64) -> Vec<Arrival> {
    let mut rng = Rng::with_seed(seed);
    let mut arrivals = Vec::new();
    for (block, traffic) in (0_u8..).zip(blocks) {
        for n in 0..traffic.arrivals() {
            let due_us = traffic.due(n).as_micros() as u64;
            let client = traffic.mix().pick(rng.u64(0..traffic.mix().total()));
            let tenants = traffic.tenants_for(client);
            let tenant = tenants[rng.usize(0..tenants.len())].clone();
            let neighbour = neighbour_of(&tenant);
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
