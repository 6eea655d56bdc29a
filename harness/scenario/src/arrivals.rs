//! Who arrives in a run of a scenario. The draw itself is the traffic's; what a scenario adds is who is whose neighbour.

use super::{Name, Scenario, World};
use traffic::{Arrival, schedule};

impl Scenario {
    /// Every arrival of a run with this seed, in the order of being due.
    #[must_use]
    pub fn arrivals(&self, seed: u64) -> Vec<Arrival> {
        schedule(self.traffic(), |tenant| neighbour(self.world(), tenant), seed)
    }
}

fn neighbour(world: &World, tenant: &Name) -> Option<Name> {
    let own = world.tenant(tenant.as_str())?;
    let others = world.tenants().iter().filter(|other| other.id() != tenant && other.price().is_some());
    others.min_by_key(|other| other.seller() != own.seller()).map(|other| other.id().clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use traffic::ClientKind;

    fn outage() -> Scenario {
        let text = include_str!("../../../scenarios/outage.toml");
        Scenario::parse("outage.toml", text).expect("the shipped scenario is valid")
    }

    #[test]
    fn a_seed_gives_the_same_arrivals_and_another_seed_others() {
        assert_eq!(outage().arrivals(42), outage().arrivals(42));
        assert_ne!(outage().arrivals(42), outage().arrivals(43));
    }

    #[test]
    fn arrivals_follow_rate_and_mix() {
        let arrivals = outage().arrivals(1);
        assert_eq!(arrivals.len() as u64, outage().traffic().iter().map(|traffic| traffic.arrivals()).sum::<u64>());
        assert!(arrivals.windows(2).all(|pair| pair[0].due_us <= pair[1].due_us));
        for client in [ClientKind::Unpaid, ClientKind::Paid] {
            assert!(arrivals.iter().any(|arrival| arrival.client == client));
        }
    }
}
