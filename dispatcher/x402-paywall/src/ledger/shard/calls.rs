//! The calls that are under way in a shard, bounded in all and for each tenant: no tenant's payments keep out another's. The
//! responses that wait to be settled are bounded by their size, since an object has 128 MB and an end of it ends all of them.

use crate::ledger_error::LedgerError;
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

/// Claims under way at once. Each may hold a payment of some kilobytes and wait for a facilitator.
const MOST: u32 = 1_024;
/// Claims of one tenant under way at once.
const MOST_OF_TENANT: u32 = 256;
/// Bytes of responses that are being settled. A claim that comes while half of that is held, or a tenant's while it holds an
/// eighth, is refused before the tenant runs: what has been claimed may bring as much again.
const MOST_HELD: usize = 48 << 20;
const MOST_HELD_OF_TENANT: usize = MOST_HELD / 4;

#[derive(Default)]
pub struct Calls(Rc<RefCell<Counts>>);

#[derive(Default)]
struct Counts {
    all: u32,
    held: usize,
    tenants: BTreeMap<String, OfTenant>,
}

#[derive(Default)]
struct OfTenant {
    calls: u32,
    held: usize,
}

/// A call under way. It is over once this is dropped.
#[must_use]
pub struct UnderWay {
    counts: Rc<RefCell<Counts>>,
    tenant: String,
}

/// A response that is being settled. It is let go of once this is dropped.
#[must_use]
pub struct Held {
    counts: Rc<RefCell<Counts>>,
    tenant: String,
    bytes: usize,
}

/// No more calls are taken now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    #[error("the shard has {MOST} calls under way")]
    Shard,
    #[error("the shard has {MOST_OF_TENANT} calls of the tenant under way")]
    Tenant,
    #[error("the shard holds as many responses as it can")]
    Responses,
    #[error("the shard holds as many responses of the tenant as it can")]
    ResponsesOfTenant,
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
        if counts.held > MOST_HELD / 2 {
            return Err(Busy::Responses);
        }
        if counts.all >= MOST {
            return Err(Busy::Shard);
        }
        let own = counts.tenants.entry(tenant.to_owned()).or_default();
        if own.held > MOST_HELD_OF_TENANT / 2 {
            return Err(Busy::ResponsesOfTenant);
        }
        if own.calls >= MOST_OF_TENANT {
            return Err(Busy::Tenant);
        }
        own.calls += 1;
        counts.all += 1;
        Ok(UnderWay { counts: Rc::clone(&self.0), tenant: tenant.to_owned() })
    }

    /// Takes a response in, to be settled.
    pub fn hold(&self, tenant: &str, bytes: usize) -> Result<Held, Busy> {
        let mut counts = self.0.borrow_mut();
        if counts.held + bytes > MOST_HELD {
            return Err(Busy::Responses);
        }
        let own = counts.tenants.entry(tenant.to_owned()).or_default();
        if own.held + bytes > MOST_HELD_OF_TENANT {
            return Err(Busy::ResponsesOfTenant);
        }
        own.held += bytes;
        counts.held += bytes;
        Ok(Held { counts: Rc::clone(&self.0), tenant: tenant.to_owned(), bytes })
    }
}

impl Counts {
    fn give_back(&mut self, tenant: &str, calls: u32, bytes: usize) {
        self.all -= calls;
        self.held -= bytes;
        let Some(own) = self.tenants.get_mut(tenant) else { return };
        own.calls -= calls;
        own.held -= bytes;
        if own.calls == 0 && own.held == 0 {
            self.tenants.remove(tenant);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.counts.borrow_mut().give_back(&self.tenant, 0, self.bytes);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.counts.borrow_mut().give_back(&self.tenant, 1, 0);
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

    #[test]
    fn large_responses_keep_out_new_claims_before_they_fill_the_object() {
        const LARGE: usize = 1 << 20;
        let calls = Calls::default();
        // A claim that found nothing leaves no trace, and one tenant is stopped first.
        let greedy: Vec<_> = (0..12).map(|_| calls.hold("greedy", LARGE).unwrap()).collect();
        assert_eq!(calls.hold("greedy", LARGE).err(), Some(Busy::ResponsesOfTenant));
        assert_eq!(calls.begin("greedy").err(), Some(Busy::ResponsesOfTenant));
        let mut others: Vec<_> = (0..13).map(|n| calls.hold(&format!("other-{n}"), LARGE).unwrap()).collect();
        assert_eq!(calls.begin("late").err(), Some(Busy::Responses));
        // Those that were let in before still bring theirs.
        others.extend((13..36).map(|n| calls.hold(&format!("other-{n}"), LARGE).unwrap()));
        assert_eq!(calls.hold("late", LARGE).err(), Some(Busy::Responses));
        drop(greedy);
        others.truncate(24);
        assert!(calls.begin("late").is_ok() && calls.hold("late", LARGE).is_ok());
        drop(others);
        assert!(calls.0.borrow().tenants.is_empty() && calls.0.borrow().held == 0);
    }
}
