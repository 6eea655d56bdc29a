//! A stored directory as a request asks it. Reads of storage are a request's own and never shared: the platform lets no request
//! wait for what another one started (it would be cancelled with it, or hang). So two that come at once may read one bucket
//! twice, at the cost of a read that the location has cached; the newer version of it stays.

use super::{
    Directory,
    cache::{Cache, Job, Knows, Look, Numbered, Place},
    snapshot::CURRENT,
};
use crate::{
    dispatch_key::DispatchKey,
    ports::{DirectoryLog, DirectoryUnavailable, SnapshotStore, Tenants},
    telemetry::DirectoryEvent,
    tenant::Tenant,
};
use std::{future::Future, rc::Rc};
use x402_paywall::ports::Clock;

/// Tenants that a variable lists, and behind them those of a store.
pub struct Stored<S, C, T> {
    pub listed: Rc<Directory>,
    pub cache: Rc<Cache>,
    pub store: S,
    pub clock: C,
    pub log: T,
}

/// Tenants of whom some lie in a store, and are read again while requests go on.
pub trait StoredTenants: Tenants {
    /// The read that is due, if anything has grown old.
    fn due(&self) -> Option<Job>;
    /// Reads it again. No request waits for it.
    fn refresh(&self, job: Job) -> impl Future<Output = ()>;
    /// Tells whether a tenant has this id.
    fn knows(&self, id: &str) -> impl Future<Output = Knows>;
    /// A page of all tenants, each at the name that comes first in its record. A page costs one read at most.
    fn page(&self, number: u32) -> impl Future<Output = Result<Page, DirectoryUnavailable>>;
}

/// A page of all tenants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub tenants: Vec<(DispatchKey, Rc<Tenant>)>,
    pub is_last: bool,
}

/// Tenants of a page of those that a variable lists. A bucket has about as many.
const LISTED_PER_PAGE: usize = 32;

impl<S: SnapshotStore, C: Clock, T: DirectoryLog> Tenants for Stored<S, C, T> {
    async fn behind(&self, key: &DispatchKey) -> Result<Option<Rc<Tenant>>, DirectoryUnavailable> {
        if let Some(tenant) = self.listed.find(key) {
            return Ok(Some(tenant));
        }
        let mut look = self.cache.look(key, self.clock.now());
        if look == Look::ReadCurrent {
            self.read_current().await;
            look = self.cache.look(key, self.clock.now());
        }
        match look {
            Look::Known(tenant) => Ok(tenant),
            Look::ReadBucket(place) => {
                self.read_bucket(place).await;
                self.cache.find(key).ok_or(DirectoryUnavailable)
            }
            Look::ReadCurrent | Look::Unavailable => Err(DirectoryUnavailable),
        }
    }
}

impl<S: SnapshotStore, C: Clock, T: DirectoryLog> StoredTenants for Stored<S, C, T> {
    async fn knows(&self, id: &str) -> Knows {
        if self.listed.has_id(id) {
            return Knows::Yes;
        }
        if self.cache.look_for_id(id).is_none() {
            self.read_current().await;
        }
        self.cache.look_for_id(id).unwrap_or(Knows::Nothing)
    }

    async fn page(&self, number: u32) -> Result<Page, DirectoryUnavailable> {
        let owned = |(key, tenant): (&DispatchKey, &Rc<Tenant>)| (key.clone(), Rc::clone(tenant));
        let listed_pages = self.listed.shown().count().div_ceil(LISTED_PER_PAGE) as u32;
        let mut place = self.cache.number(number.saturating_sub(listed_pages));
        if place == Numbered::ReadCurrent {
            self.read_current().await;
            place = self.cache.number(number.saturating_sub(listed_pages));
        }
        if number < listed_pages {
            let tenants = self.listed.shown().skip(number as usize * LISTED_PER_PAGE).take(LISTED_PER_PAGE).map(owned);
            let is_last = number + 1 == listed_pages && place == Numbered::Beyond;
            return Ok(Page { tenants: tenants.collect(), is_last });
        }
        let (place, is_last) = match place {
            Numbered::There(place, is_last) => (place, is_last),
            Numbered::Beyond => return Ok(Page { is_last: true, ..Page::default() }),
            Numbered::ReadCurrent => return Err(DirectoryUnavailable),
        };
        let read = self.store.read(&place.key()).await.ok().flatten().ok_or(DirectoryUnavailable)?;
        let bucket = self.cache.read_aside(place, &read).map_err(|_| DirectoryUnavailable)?;
        Ok(Page { tenants: bucket.shown().map(owned).collect(), is_last })
    }

    fn due(&self) -> Option<Job> {
        self.cache.due(self.clock.now())
    }

    async fn refresh(&self, job: Job) {
        match job {
            Job::Current => self.read_current().await,
            Job::Bucket(place) => self.read_bucket(place).await,
        }
    }
}

impl<S: SnapshotStore, C: Clock, T: DirectoryLog> Stored<S, C, T> {
    async fn read_current(&self) {
        let read = self.store.read(CURRENT).await;
        let newer = self.logged(|log| self.cache.told_current(read, self.clock.now(), log));
        if let Some(current) = newer {
            let read = self.store.read(&current.names_key()).await;
            self.logged(|log| self.cache.told_names(current, read, self.clock.now(), log));
        }
    }

    async fn read_bucket(&self, place: Place) {
        let mut next = Some(place);
        while let Some(place) = next {
            let read = self.store.read(&place.key()).await;
            next = self.logged(|log| self.cache.told_bucket(place, read, self.clock.now(), log));
        }
    }

    fn logged<R>(&self, tell: impl FnOnce(&mut Vec<DirectoryEvent>) -> R) -> R {
        let mut events = Vec::new();
        let told = tell(&mut events);
        events.iter().for_each(|event| self.log.record(event));
        told
    }
}
