//! Snapshots of the tenant directory, from the run's key-value store.

use crate::{
    directory::KvStore,
    sim::{chance::Chance, process::Life},
};
use dispatcher_core::ports::SnapshotStore;

pub struct SimSnapshots {
    pub life: Life,
    pub chance: Chance,
    /// `None`: there is no such binding.
    pub stored: Option<KvStore>,
}

impl SnapshotStore for SimSnapshots {
    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        let Some(stored) = &self.stored else { return Ok(None) };
        self.life.alive().await;
        self.chance.travel().await;
        let read = stored.read(key);
        self.chance.travel().await;
        self.life.alive().await;
        read.map_err(|error| error.to_string())
    }
}
