//! Writes versions of a scenario's directory, as an operator would, and the ways in which one can be wrong. Surprising
//! constraint: what an operator publishes is checked first, so a wrong record is worked into a snapshot that was sound.

use super::{
    KvStore,
    tenants::{directory_of, facts_of},
};
use dispatcher_core::{
    directory::{
        DirectoryError,
        snapshot::{self, CURRENT},
    },
    tenant::Available,
};
use reports::event::{self, DirectoryNews};
use scenario::{Becomes, DirectoryChange, Part, Scenario, Tenant, World, Wrong};
use serde_json::Value;
use x402_protocol::Network;

pub struct Publisher<'a> {
    world: &'a World,
    network: Network,
    available: Available,
    store: KvStore,
    /// Listed by the last version that was meant to be sound.
    tenants: Vec<Tenant>,
    version: u64,
    /// The pointers to each sound snapshot, oldest first.
    currents: Vec<Vec<u8>>,
}

/// A scenario's tenant is one that its dispatcher would refuse.
#[derive(Debug, thiserror::Error)]
#[error("the scenario's tenants make no directory: {0}")]
pub struct PublishError(#[from] DirectoryError);

type Entries = Vec<(String, Vec<u8>)>;

impl<'a> Publisher<'a> {
    /// Writes the directory that is there when the run begins. `facilitators` are the dispatcher's, by id.
    pub fn open(
        scenario: &'a Scenario,
        network: Network,
        facilitators: impl IntoIterator<Item = String>,
        store: KvStore,
    ) -> Result<Self, PublishError> {
        let world = scenario.world();
        let available = Available { network, facilitators: facilitators.into_iter().collect() };
        let tenants = world.listed().cloned().collect();
        let mut publisher = Self { world, network, available, store, tenants, version: 0, currents: Vec::new() };
        let entries = publisher.next_version()?;
        publisher.write(entries);
        Ok(publisher)
    }

    /// The directory as the run begins, for its history.
    #[must_use]
    pub fn at_first(&self) -> event::DirectoryChange {
        let tenants = Some(facts_of(&self.tenants, self.world, self.network));
        event::DirectoryChange { change: None, tenants, to_be_logged: DirectoryNews::Adopted }
    }

    /// Writes a new version with these tenants, as an operator would.
    pub fn list(&mut self, tenants: Vec<Tenant>) -> Result<(), PublishError> {
        let before = std::mem::replace(&mut self.tenants, tenants);
        match self.next_version() {
            Ok(entries) => self.write(entries),
            Err(error) => {
                self.tenants = before;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Makes the store what the change says, and tells what that is.
    pub fn make(&mut self, change: &DirectoryChange) -> Result<event::DirectoryChange, PublishError> {
        self.store.recover();
        let (tenants, to_be_logged) = match change.becomes() {
            Becomes::NewVersion(tenants) => {
                self.tenants.clone_from(tenants);
                let entries = self.next_version()?;
                self.write(entries);
                (Some(self.tenants.clone()), DirectoryNews::Adopted)
            }
            Becomes::WrongRecord { tenants, of, wrong } => {
                self.tenants.clone_from(tenants);
                let entries = self.next_version()?;
                self.write(with_wrong_record(entries, of.as_str(), wrong));
                let rest = tenants.iter().filter(|tenant| tenant.id() != of).cloned().collect();
                (Some(rest), DirectoryNews::LeftOut(of.to_string()))
            }
            Becomes::Truncated(part) => {
                let halved = self.next_version()?.into_iter().map(|(key, mut value)| {
                    if part_of(&key) == *part {
                        value.truncate(value.len() / 2);
                    }
                    (key, value)
                });
                self.put(halved.collect());
                (None, DirectoryNews::Kept)
            }
            Becomes::Garbled => {
                let mut entries = self.next_version()?;
                entries.retain(|(key, _)| key != CURRENT);
                entries.push((CURRENT.to_owned(), b"\xffgarbled".to_vec()));
                self.put(entries);
                (None, DirectoryNews::Kept)
            }
            Becomes::Missing => {
                self.store.delete(CURRENT);
                (None, DirectoryNews::Kept)
            }
            Becomes::Older => {
                let before = self.currents.iter().rev().nth(1).expect("a file that has none before is refused");
                self.store.put(CURRENT.to_owned(), before.clone());
                (None, DirectoryNews::Kept)
            }
            Becomes::Unreadable => {
                self.store.fail();
                (None, DirectoryNews::Kept)
            }
        };
        let tenants = tenants.map(|tenants: Vec<Tenant>| facts_of(&tenants, self.world, self.network));
        Ok(event::DirectoryChange { change: Some(change.reference()), tenants, to_be_logged })
    }

    /// Its keys and values, in the order in which they are written: what names it comes last.
    fn next_version(&mut self) -> Result<Entries, PublishError> {
        self.version += 1;
        let registry = directory_of(&self.tenants, self.network).to_string();
        Ok(snapshot::publish(self.version, &registry, &self.available)?)
    }

    fn write(&mut self, entries: Entries) {
        self.currents.extend(entries.last().map(|(_, current)| current.clone()));
        self.put(entries);
    }

    fn put(&self, entries: Entries) {
        for (key, value) in entries {
            self.store.put(key, value);
        }
    }
}

fn part_of(key: &str) -> Part {
    match key {
        CURRENT => Part::Current,
        names if names.ends_with("/names") => Part::Names,
        _ => Part::Records,
    }
}

fn with_wrong_record(mut entries: Entries, of: &str, wrong: &Wrong) -> Entries {
    let (key, value) = match wrong {
        Wrong::Plan => ("plan", "unheard-of"),
        Wrong::ScriptOf(other) => ("script", other.as_str()),
    };
    for (_, bytes) in entries.iter_mut().filter(|(key, _)| part_of(key) == Part::Records) {
        let mut bucket: Value = serde_json::from_slice(bytes).expect("a bucket was published just now");
        for record in bucket["tenants"].as_array_mut().into_iter().flatten().filter(|record| record["id"] == of) {
            record[key] = value.into();
        }
        *bytes = bucket.to_string().into_bytes();
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use dispatcher_core::{
        directory::{
            cache::Cache,
            stored::{Stored, StoredTenants},
        },
        dispatch_key::DispatchKey,
        paywall::{UnixMillis, ports::Clock},
        ports::{DirectoryLog, SnapshotStore, Tenants},
        telemetry::DirectoryEvent,
    };
    use std::{
        borrow::Cow,
        cell::{Cell, RefCell},
        rc::Rc,
    };

    /// A dispatcher's view of the store, looked at every quarter of a minute.
    struct Reader {
        stored: Stored<KvStore, Ticks, Said>,
        said: Said,
    }

    #[derive(Clone, Default)]
    struct Said(Rc<RefCell<Vec<&'static str>>>);

    #[derive(Clone, Default)]
    struct Ticks(Rc<Cell<u64>>);

    impl Clock for Ticks {
        fn now(&self) -> UnixMillis {
            UnixMillis(self.0.get())
        }

        async fn sleep(&self, _: u64) {}
    }

    impl DirectoryLog for Said {
        fn record(&self, event: &DirectoryEvent) {
            let Cow::Borrowed(word) = event.event else { panic!("{event:?} is not in words of ours") };
            self.0.borrow_mut().push(word);
        }
    }

    impl SnapshotStore for KvStore {
        async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
            self.read(key).map_err(|error| error.to_string())
        }
    }

    impl Reader {
        /// Returns the answer and the runs of the tenant after a quarter of a minute, and the log meanwhile.
        async fn later(&self, tenant: &str) -> (Option<(String, String)>, Vec<&'static str>) {
            let key = DispatchKey::slug(tenant).expect("a slug");
            self.stored.clock.0.set(self.stored.clock.0.get() + 15_000);
            // What was due is read beside a request, so only the next one sees it.
            for _ in 0..2 {
                let _ = self.stored.behind(&key).await;
                while let Some(job) = self.stored.due() {
                    self.stored.refresh(job).await;
                }
            }
            let found = self.stored.behind(&key).await.expect("there is a directory");
            let told = found.map(|tenant| {
                let amount = tenant.price.as_ref().map_or_else(String::new, |price| price.offer().amount.to_string());
                (amount, tenant.script.as_str().to_owned())
            });
            (told, self.said.0.take())
        }
    }

    #[tokio::test]
    async fn each_change_becomes_what_its_name_says() {
        let scenario = Scenario::parse("directory.toml", include_str!("../../scenario/src/tests/directory.toml"));
        let scenario = scenario.map_err(miette::Report::new).expect("valid");
        let network: Network = "eip155:84532".parse().expect("a network");
        let store = KvStore::default();
        let ids = ["primary".to_owned()];
        let mut publisher = Publisher::open(&scenario, network, ids.clone(), store.clone()).expect("sound");
        let said = Said::default();
        let available = Available { network, facilitators: ids.into_iter().collect() };
        let stored = Stored {
            listed: Rc::default(),
            cache: Rc::new(Cache::new(available)),
            store,
            clock: Ticks::default(),
            log: said.clone(),
        };
        let reader = Reader { stored, said };
        let at = |amount: &str, script: &str| Some((amount.to_owned(), script.to_owned()));
        assert_eq!(reader.later("acme").await, (at("10000", "acme"), vec!["adopted"]));

        let mut changes = scenario.directory_changes().iter();
        let mut next = || publisher.make(changes.next().expect("one more")).expect("sound");
        next();
        assert_eq!(reader.later("acme").await, (at("20000", "acme--v2"), vec!["adopted"]), "new-version");
        let (hooli, _) = reader.later("hooli").await;
        assert_eq!(hooli, None, "it was removed");
        for kept in ["truncated current", "truncated names", "truncated records", "garbled", "missing", "older"] {
            assert_eq!(next().tenants, None, "{kept}");
            let (found, said) = reader.later("acme").await;
            assert_eq!(found, at("20000", "acme--v2"), "{kept}");
            assert!(said.contains(&"kept"), "{kept}: {said:?}");
        }
        next();
        let (found, said) = reader.later("acme").await;
        assert!(found == at("20000", "acme--v2") && said.contains(&"kept"), "unreadable: {said:?}");
        for wrong in ["invalid-record", "foreign-script"] {
            assert_eq!(next().to_be_logged, DirectoryNews::LeftOut("acme".to_owned()));
            assert_eq!(reader.later("acme").await, (None, vec!["adopted", "left_out"]), "{wrong}");
            let (globex, _) = reader.later("globex").await;
            assert_eq!(globex, at("10000", "globex"), "{wrong}");
        }
        assert!(changes.next().is_none());
    }
}
