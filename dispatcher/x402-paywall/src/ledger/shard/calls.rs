//! The calls that are under way in a shard, bounded in all and for each tenant: no tenant's payments keep out another's.

use crate::ledger_error::LedgerError;
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

/// Claims under way at once. Each may hold a payment of some kilobytes and wait for a facilitator.
const MOST: u32 = 1_024;
/// Claims of one tenant under way at once.
const MOST_OF_TENANT: u32 = 256;

#[derive(Default)]
pub struct Calls(Rc<RefCell<Counts>>);

#[derive(Default)]
struct Counts {
    all: u32,
    tenants: BTreeMap<String, u32>,
}

/// A call under way. It is over once this is dropped.
#[must_use]
pub struct UnderWay {
    counts: Rc<RefCell<Counts>>,
    tenant: String,
}

/// No more calls are taken now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    #[error("the shard has {MOST} calls under way")]
    Shard,
    #[error("the shard has {MOST_OF_TENANT} calls of the tenant under way")]
    Tenant,
}

impl From<Busy> for LedgerError {
    fn from(busy: Busy) -> Self {
        Self(busy.to_string())
    }
}

impl Calls {
    /// Begins a call of a tenant's.
    pub fn begin(&self, tenant: &str) -> Result<UnderWay, Busy> {
        let mut counts = self.0.borrow_mut();
        if counts.all >= MOST {
            return Err(Busy::Shard);
        }
        let count = counts.tenants.entry(tenant.to_owned()).or_default();
        if *count >= MOST_OF_TENANT {
            return Err(Busy::Tenant);
        }
        *count += 1;
        counts.all += 1;
        Ok(UnderWay { counts: Rc::clone(&self.0), tenant: tenant.to_owned() })
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut counts = self.counts.borrow_mut();
        counts.all -= 1;
        if let Some(count) = counts.tenants.get_mut(&self.tenant) {
            *count -= 1;
            if *count == 0 {
                counts.tenants.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tenant_takes_a_quarter_and_leaves_the_rest_to_others() {
        let calls = Calls::default();
        let mut under_way: Vec<_> = (0..MOST_OF_TENANT).map(|_| calls.begin("greedy").unwrap()).collect();
        assert_eq!(calls.begin("greedy").err(), Some(Busy::Tenant));
        for n in 0..3 {
            under_way.extend((0..MOST_OF_TENANT).map(|_| calls.begin(&format!("other-{n}")).unwrap()));
        }
        assert_eq!(calls.begin("late").err(), Some(Busy::Shard));
        drop(under_way.remove(0));
        assert!(calls.begin("late").is_ok());
        drop(under_way);
        assert!(calls.0.borrow().tenants.is_empty() && calls.0.borrow().all == 0);
    }
}
