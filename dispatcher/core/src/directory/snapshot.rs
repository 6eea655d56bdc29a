//! A directory as it lies in key-value storage: immutable snapshots, and one key that says which is current. A million tenants
//! are tens of thousands of small buckets by hash of the name, so that a look-up reads one of them; and a filter of all names, so
//! that a flood of unknown names reads none.
//!
//! | key | value |
//! |---|---|
//! | `current` | `{"format": 2, "version": 42, "buckets": 4096, "filterBytes": 2500, "filterSum": 2871234567}`; written last |
//! | `42/names` | the filter's bits. `filterSum` is their FNV-1a, both halves of it over one another |
//! | `42/17` | bucket 17: `{"version": 42, "bucket": 17, "tenants": [...]}`, as in a registry |
//!
//! Surprising constraint: a filter has no wrong spelling. One bit lost in storage would make a tenant unknown and nobody would be
//! told; so the pointer to it has its sum. Format 1 had none, and is still read: whoever deploys has such a snapshot in use. A
//! dispatcher of then does not read format 2, so deploy first and publish then.
//!
//! The filter has tenants' ids beside their names, so that an operator who misspells one is told. A dispatcher that does not
//! look for them reads such a snapshot all the same, and in one from before, marks that no tenant can have are missing.

use super::{Directory, DirectoryError, shapes};
use crate::{dispatch_key::DispatchKey, tenant::Available};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use x402_paywall::fnv::{self, fnv1a};
use x402_protocol::json;

/// The key that names the current snapshot.
pub const CURRENT: &str = "current";
const FORMAT: u32 = 2;
const FORMAT_WITHOUT_SUM: u32 = 1;
/// A bucket is parsed as a whole for its first look-up: half a millisecond in wasm.
const NAMES_PER_BUCKET: usize = 32;
/// Some 1.7 MB of buckets' numbers at most; beyond a hundred million names the filter, too, would need another shape.
const MAX_BUCKETS: u32 = 1 << 20;
/// One unknown name in a hundred and twenty passes, and costs a read.
const FILTER_BITS_PER_NAME: usize = 10;
const FILTER_PROBES: u64 = 7;
/// Seven million names and ids. An isolate has 128 MB for everything.
const MAX_FILTER_BYTES: usize = 8 << 20;

/// In the filter of every snapshot that has ids in it. Four, for one may be found where it is not.
const ID_MARKS: [&str; 4] = ["--", "--a", "--b", "--c"];

/// Which snapshot is current, and how it is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Current {
    format: u32,
    /// Only ever grows: one that is lower is old news.
    pub version: u64,
    buckets: u32,
    filter_bytes: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filter_sum: Option<u32>,
}

impl Current {
    /// The error says what is wrong with the bytes.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let current: Self = read(bytes)?;
        let wrong = |key: &str| Err(format!("{key} is not one that this dispatcher reads"));
        match current {
            Self { format: FORMAT, filter_sum: None, .. } => Err("filterSum is missing".to_owned()),
            Self { format, .. } if ![FORMAT, FORMAT_WITHOUT_SUM].contains(&format) => wrong("format"),
            Self { buckets, .. } if !(1..=MAX_BUCKETS).contains(&buckets) => wrong("buckets"),
            Self { filter_bytes, .. } if !(1..=MAX_FILTER_BYTES).contains(&filter_bytes) => wrong("filterBytes"),
            _ => Ok(current),
        }
    }

    /// The number of buckets.
    #[must_use]
    pub fn buckets(&self) -> u32 {
        self.buckets
    }

    #[must_use]
    pub fn bucket_of(&self, key: &DispatchKey) -> u32 {
        (hash(key) % u64::from(self.buckets)) as u32
    }

    #[must_use]
    pub fn bucket_key(&self, bucket: u32) -> String {
        format!("{}/{bucket}", self.version)
    }

    #[must_use]
    pub fn names_key(&self) -> String {
        format!("{}/names", self.version)
    }

    /// Whether buckets of the other are divided as ours are.
    #[must_use]
    pub fn is_divided_as(&self, other: &Self) -> bool {
        self.buckets == other.buckets
    }

    pub fn read_names(&self, bytes: Vec<u8>) -> Result<Names, String> {
        if bytes.len() != self.filter_bytes {
            return Err(format!("{} has {} bytes of {}", self.names_key(), bytes.len(), self.filter_bytes));
        }
        let sum = sum(&bytes);
        match self.filter_sum {
            Some(wanted) if wanted != sum => {
                Err(format!("{} is not what was written: its sum is {sum}, not {wanted}", self.names_key()))
            }
            _ => Ok(Names(bytes)),
        }
    }

    /// The tenants of a bucket, under those of their names that belong there.
    pub fn read_bucket(&self, bucket: u32, bytes: &[u8], available: &Available) -> Result<Directory, String> {
        let at = |why| format!("{}: {why}", self.bucket_key(bucket));
        let stored: Bucket = read(bytes).map_err(at)?;
        if (stored.version, stored.bucket) != (self.version, bucket) {
            return Err(at(format!("is bucket {} of version {}", stored.bucket, stored.version)));
        }
        let mut directory = Directory::default();
        for (index, record) in stored.tenants.iter().enumerate() {
            let place = || at(format!("tenants[{index}]"));
            directory.list(record.get(), place, available, |key| self.bucket_of(key) == bucket);
        }
        Ok(directory)
    }
}

/// Which names a snapshot has: never says no to one of them, and seldom yes to another (a Bloom filter).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(Vec<u8>);

impl Names {
    #[must_use]
    pub fn may_have(&self, key: &DispatchKey) -> bool {
        self.may_have_hash(hash(key))
    }

    /// Whether a tenant has this id, named as [`Self::may_have`] has it. `None`: it was written before ids were in it.
    #[must_use]
    pub fn may_have_id(&self, id: &str) -> Option<bool> {
        let has_ids = ID_MARKS.iter().all(|mark| self.may_have_hash(hash_of_id(mark)));
        has_ids.then(|| self.may_have_hash(hash_of_id(id)))
    }

    fn may_have_hash(&self, hash: u64) -> bool {
        probes(hash, self.0.len()).all(|bit| self.0[bit / 8] >> (bit % 8) & 1 == 1)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bucket {
    version: u64,
    bucket: u32,
    tenants: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registry {
    tenants: Vec<Box<RawValue>>,
}

/// Returns the entries to write for a registry (`{"tenants": [...]}`): keys and values, [`CURRENT`] last. Nothing may
/// be left out of what is published, so the first wrong record is an error.
pub fn publish(version: u64, registry: &str, available: &Available) -> Result<Vec<(String, Vec<u8>)>, DirectoryError> {
    let registry: Registry = shapes::read(registry).map_err(|error| match error {
        DirectoryError::Json { line, column, what } if what.starts_with("unknown field") => {
            let what = format!("{what}: a registry has `tenants`, and neither `byHost` nor `bySlug`");
            DirectoryError::Json { line, column, what }
        }
        other => other,
    })?;
    let mut taken = BTreeSet::new();
    let mut named = Vec::new();
    for (index, record) in registry.tenants.into_iter().enumerate() {
        // Each in a directory of its own: one that holds all of a million is more than anything else here needs.
        let mut own = Directory::default();
        own.list(record.get(), || format!("tenants[{index}]"), available, |_| true);
        if let Some(error) = own.left_out.first() {
            return Err(error.clone());
        }
        let keys: Vec<_> = own.by_key.into_iter().map(|(key, _)| key).collect();
        if let Some(twice) = keys.iter().find(|key| !taken.insert((*key).clone())) {
            let what = format!("{twice} is listed twice");
            return Err(DirectoryError::Record { place: format!("tenants[{index}]"), what });
        }
        let id = shapes::id_of(record.get()).unwrap_or_default();
        named.push((record, id, keys));
    }
    let names: usize = named.iter().map(|(_, _, keys)| keys.len()).sum();
    let in_filter = names + named.len() + ID_MARKS.len();
    let filter_bytes = (in_filter * FILTER_BITS_PER_NAME).div_ceil(8).clamp(1, MAX_FILTER_BYTES);
    let buckets = names.div_ceil(NAMES_PER_BUCKET).next_power_of_two().min(MAX_BUCKETS as usize) as u32;
    let current = Current { format: FORMAT, version, buckets, filter_bytes, filter_sum: None };

    let mut filter = vec![0; filter_bytes];
    let mut filled: BTreeMap<u32, Bucket> =
        (0..buckets).map(|bucket| (bucket, Bucket { version, bucket, tenants: Vec::new() })).collect();
    let mut add = |hash| probes(hash, filter_bytes).for_each(|bit| filter[bit / 8] |= 1 << (bit % 8));
    ID_MARKS.iter().for_each(|mark| add(hash_of_id(mark)));
    for (record, id, keys) in named {
        let mut into: Vec<_> = keys.iter().map(|key| current.bucket_of(key)).collect();
        into.sort_unstable();
        into.dedup();
        for bucket in into {
            filled.entry(bucket).and_modify(|bucket| bucket.tenants.push(record.clone()));
        }
        add(hash_of_id(&id));
        keys.iter().for_each(|key| add(hash(key)));
    }
    let json = |value: &Bucket| serde_json::to_vec(value).expect("a bucket has string keys and plain values");
    let mut entries: Vec<_> = filled.values().map(|bucket| (current.bucket_key(bucket.bucket), json(bucket))).collect();
    let current = Current { filter_sum: Some(sum(&filter)), ..current };
    entries.push((current.names_key(), filter));
    entries.push((CURRENT.to_owned(), serde_json::to_vec(&current).expect("plain values")));
    Ok(entries)
}

fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    json::read(text).map_err(|error| error.to_string())
}

fn probes(hash: u64, bytes: usize) -> impl Iterator<Item = usize> + use<> {
    let bits = bytes as u64 * 8;
    // Two halves of one hash are as good as seven hashes; the step is odd, so that it never stands still.
    let (start, step) = (hash >> 32, hash & 0xffff_ffff | 1);
    (0..FILTER_PROBES).map(move |probe| ((start + probe * step) % bits) as usize)
}

/// Against accidents, of which it sees all but one in four billion. Eight megabytes take some twenty milliseconds, once a version
/// and isolate, and beside an answer but for the first.
fn sum(bytes: &[u8]) -> u32 {
    let hash = fnv1a(fnv::BASIS, bytes.iter().copied());
    (hash ^ hash >> 32) as u32
}

/// FNV-1a with an avalanche behind it. Part of the format: what is written with one hash is not found with another.
fn hash(key: &DispatchKey) -> u64 {
    let (kind, name) = match key {
        DispatchKey::Host(name) => (b'h', name),
        DispatchKey::Slug(name) => (b's', name),
    };
    hash_of(kind, name)
}

fn hash_of_id(id: &str) -> u64 {
    hash_of(b'i', id)
}

fn hash_of(kind: u8, name: &str) -> u64 {
    let hash = fnv1a(fnv::BASIS, [kind].into_iter().chain(name.bytes()));
    let hash = (hash ^ hash >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ hash >> 32
}
