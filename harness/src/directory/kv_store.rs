//! A double of a Workers KV namespace: keys and values in memory. Surprising constraint: it has no cache in front of it, so
//! what is written shows at once, where the platform's edge caches may take half a minute.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Handles on one namespace.
#[derive(Clone, Debug, Default)]
pub struct KvStore(Arc<Mutex<Held>>);

#[derive(Debug)]
enum Held {
    Readable(BTreeMap<String, Vec<u8>>),
    Failing(BTreeMap<String, Vec<u8>>),
}

/// A read failed, as it does where the platform has an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key-value store cannot be read")]
pub struct Unreadable;

impl Default for Held {
    fn default() -> Self {
        Self::Readable(BTreeMap::new())
    }
}

impl KvStore {
    pub fn read(&self, key: &str) -> Result<Option<Vec<u8>>, Unreadable> {
        match &*self.held() {
            Held::Readable(values) => Ok(values.get(key).cloned()),
            Held::Failing(_) => Err(Unreadable),
        }
    }

    /// From now on every read fails.
    pub fn fail(&self) {
        self.change(Held::Failing);
    }

    pub fn recover(&self) {
        self.change(Held::Readable);
    }

    pub fn put(&self, key: String, value: Vec<u8>) {
        self.held().values().insert(key, value);
    }

    pub fn delete(&self, key: &str) {
        self.held().values().remove(key);
    }

    fn change(&self, to: fn(BTreeMap<String, Vec<u8>>) -> Held) {
        let mut held = self.held();
        let values = std::mem::take(held.values());
        *held = to(values);
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing that is done under the lock can panic half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn values(&mut self) -> &mut BTreeMap<String, Vec<u8>> {
        match self {
            Self::Readable(values) | Self::Failing(values) => values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_there_again_once_it_can_be_read() {
        let store = KvStore::default();
        store.put("a".to_owned(), vec![1]);
        store.fail();
        assert_eq!(store.read("a"), Err(Unreadable));
        store.put("b".to_owned(), vec![2]);
        store.recover();
        assert_eq!((store.read("a"), store.read("b")), (Ok(Some(vec![1])), Ok(Some(vec![2]))));
        store.delete("a");
        assert_eq!(store.read("a"), Ok(None));
    }
}
