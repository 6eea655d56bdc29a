//! What an isolate keeps of a stored directory, and what it is to read next. Pure: bytes and times in, answers and keys out.
//!
//! Once it has a snapshot it goes on with it, whatever storage says later: a newer one is adopted when its filter is there
//! whole, and a bucket stays in use until its successor is. Nobody waits for either.

use super::{
    Directory,
    snapshot::{Current, Names},
};
use crate::{
    dispatch_key::DispatchKey,
    log_text,
    telemetry::DirectoryEvent,
    tenant::{Available, Tenant},
};
use std::{cell::RefCell, rc::Rc};
use x402_paywall::UnixMillis;

/// How old news of the current version may be. Storage itself shows a write after up to a minute.
const CURRENT_IS_FRESH_MS: u64 = 10_000;
/// Until storage that failed is asked again, where nothing else can be answered.
const RETRY_MS: u64 = 1_000;
/// A bucket has some ten kB, and takes three times that parsed: some 60 MB of an isolate's 128.
const MAX_HELD_BYTES: usize = 16 << 20;
/// Bounds the search for the oldest.
const MAX_HELD_BUCKETS: usize = 1_024;

/// One isolate's.
#[derive(Debug)]
pub struct Cache {
    available: Available,
    held: RefCell<Held>,
}

#[derive(Debug, Default)]
struct Held {
    snapshot: Option<(Current, Rc<Names>)>,
    /// The version in which buckets are found that the current one lacks.
    before: Option<Current>,
    /// When storage was last asked which version is current.
    asked: Option<UnixMillis>,
    /// Storage answered that there is no directory at all.
    is_empty: bool,
    /// By number.
    buckets: Vec<(u32, HeldBucket)>,
    bytes: usize,
    uses: u64,
    /// Buckets of older versions that were used since.
    stale: Vec<u32>,
    /// The bucket that could not be read last, and when.
    failed: Option<(u32, UnixMillis)>,
    /// The last complaint, which is not logged again every ten seconds.
    complained: String,
}

#[derive(Debug)]
struct HeldBucket {
    version: u64,
    tenants: Directory,
    bytes: usize,
    used: u64,
}

/// The result of a look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    Known(Option<Rc<Tenant>>),
    /// [`super::snapshot::CURRENT`] must be read first.
    ReadCurrent,
    ReadBucket(Place),
    Unavailable,
}

/// The word of a directory on an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knows {
    /// A tenant has it; of a stored directory that is so but for one unknown id in a hundred and twenty.
    Yes,
    No,
    /// It could not be read, or was written before it had ids in it.
    Nothing,
}

impl Knows {
    fn of(is_there: bool) -> Self {
        if is_there { Self::Yes } else { Self::No }
    }
}

/// A bucket of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    of: Current,
    bucket: u32,
}

/// A bucket by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbered {
    /// It is there, and is or is not the last.
    There(Place, bool),
    /// There are not so many.
    Beyond,
    /// [`super::snapshot::CURRENT`] must be read first.
    ReadCurrent,
}

/// The keys to read beside an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    Current,
    Bucket(Place),
}

impl Place {
    #[must_use]
    pub fn key(&self) -> String {
        self.of.bucket_key(self.bucket)
    }
}

impl Cache {
    #[must_use]
    pub fn new(available: Available) -> Self {
        Self { available, held: RefCell::default() }
    }

    #[must_use]
    pub fn look(&self, key: &DispatchKey, now: UnixMillis) -> Look {
        let held = &mut *self.held.borrow_mut();
        let Some((current, names)) = held.snapshot.clone() else {
            return match held.asked {
                _ if held.is_empty => Look::Known(None),
                Some(asked) if now.since(asked) < RETRY_MS => Look::Unavailable,
                _ => Look::ReadCurrent,
            };
        };
        if !names.may_have(key) {
            return Look::Known(None);
        }
        let place = Place { of: current, bucket: current.bucket_of(key) };
        held.uses += 1;
        let failed = held.failed.is_some_and(|(bucket, at)| bucket == place.bucket && now.since(at) < RETRY_MS);
        let missing = if failed { Look::Unavailable } else { Look::ReadBucket(place) };
        let Ok(at) = held.at(place.bucket) else { return missing };
        let (_, bucket) = &mut held.buckets[at];
        bucket.used = held.uses;
        let tenant = bucket.tenants.find(key);
        if bucket.version == current.version {
            return Look::Known(tenant);
        }
        // Who is new in this version is worth a wait; who was there before is served from what is there.
        if tenant.is_none() {
            return missing;
        }
        if !failed && !held.stale.contains(&place.bucket) {
            held.stale.push(place.bucket);
        }
        Look::Known(tenant)
    }

    /// A bucket of the current version, by its number, for whoever looks at all of them. Nothing that is read of it is kept here:
    /// one who walks through would push out whatever requests need.
    #[must_use]
    pub fn number(&self, bucket: u32) -> Numbered {
        let held = self.held.borrow();
        match &held.snapshot {
            Some((current, _)) if bucket < current.buckets() => {
                Numbered::There(Place { of: *current, bucket }, bucket + 1 == current.buckets())
            }
            Some(_) => Numbered::Beyond,
            None if held.is_empty => Numbered::Beyond,
            None => Numbered::ReadCurrent,
        }
    }

    /// The tenants of a bucket that was read to be looked at.
    pub fn read_aside(&self, place: Place, bytes: &[u8]) -> Result<Directory, String> {
        place.of.read_bucket(place.bucket, bytes, &self.available)
    }

    /// Whether the stored directory has a tenant of this id, as far as its names tell. `None`: it must be read first.
    #[must_use]
    pub fn look_for_id(&self, id: &str) -> Option<Knows> {
        let held = self.held.borrow();
        match &held.snapshot {
            Some((_, names)) => Some(names.may_have_id(id).map_or(Knows::Nothing, Knows::of)),
            None => held.is_empty.then_some(Knows::No),
        }
    }

    /// The bytes of storage that it keeps in parsed form.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.held.borrow().bytes
    }

    /// Returns the keys to read now that nobody waits. Each is handed out once.
    #[must_use]
    pub fn due(&self, now: UnixMillis) -> Option<Job> {
        let held = &mut *self.held.borrow_mut();
        let asked = held.asked?;
        if now.since(asked) >= CURRENT_IS_FRESH_MS {
            held.asked = Some(now);
            return Some(Job::Current);
        }
        let (of, _) = held.snapshot.as_ref()?;
        held.stale.pop().map(|bucket| Job::Bucket(Place { of: *of, bucket }))
    }

    /// Takes the news of the current version. `Some`: its names are to be read next.
    pub fn told_current(
        &self,
        read: Result<Option<Vec<u8>>, String>,
        now: UnixMillis,
        log: &mut Vec<DirectoryEvent>,
    ) -> Option<Current> {
        let held = &mut *self.held.borrow_mut();
        let ours = held.version();
        let told = match read {
            Ok(Some(bytes)) => Current::read(&bytes),
            Ok(None) if ours.is_none() => {
                held.snapshot = None;
                (held.is_empty, held.asked) = (true, Some(now));
                return None;
            }
            Ok(None) => Err("is missing".to_owned()),
            Err(why) => Err(why),
        };
        match told {
            Ok(current) if Some(current.version) == ours => held.complained.clear(),
            Ok(current) if Some(current.version) > ours => return Some(current),
            Ok(older) => held.complain(format!("current: version {} is older", older.version), log),
            Err(why) => held.complain(format!("current: {why}"), log),
        }
        held.asked = Some(now);
        None
    }

    /// Adopts a version whose names are there.
    pub fn told_names(
        &self,
        current: Current,
        read: Result<Option<Vec<u8>>, String>,
        now: UnixMillis,
        log: &mut Vec<DirectoryEvent>,
    ) {
        let held = &mut *self.held.borrow_mut();
        held.asked = Some(now);
        let names = match read {
            Ok(Some(bytes)) => current.read_names(bytes),
            Ok(None) => Err(format!("{} is missing", current.names_key())),
            Err(why) => Err(format!("{}: {why}", current.names_key())),
        };
        match names {
            Err(why) => held.complain(why, log),
            // Another request may have been faster.
            Ok(_) if held.version() >= Some(current.version) => {}
            Ok(names) => {
                held.before = held.snapshot.take().map(|(before, _)| before);
                let as_before = held.before.is_some_and(|before| before.is_divided_as(&current));
                if !as_before {
                    (held.before, held.bytes) = (None, 0);
                    held.buckets.clear();
                }
                held.stale.clear();
                held.snapshot = Some((current, Rc::new(names)));
                held.is_empty = false;
                held.complained.clear();
                log.push(event("adopted", Some(current.version), String::new()));
            }
        }
    }

    /// Takes a bucket. `Some`: it is to be read in the version before, for this one lacks it.
    pub fn told_bucket(
        &self,
        place: Place,
        read: Result<Option<Vec<u8>>, String>,
        now: UnixMillis,
        log: &mut Vec<DirectoryEvent>,
    ) -> Option<Place> {
        let Place { of, bucket } = place;
        let parsed = match read {
            Ok(Some(bytes)) => of.read_bucket(bucket, &bytes, &self.available).map(|tenants| (tenants, bytes.len())),
            Ok(None) => Err(format!("{} is missing", place.key())),
            Err(why) => Err(format!("{}: {why}", place.key())),
        };
        let held = &mut *self.held.borrow_mut();
        match parsed {
            Ok((tenants, bytes)) => {
                let left_out = tenants.left_out().iter();
                log.extend(left_out.map(|error| event("left_out", Some(of.version), error.to_string())));
                held.keep(bucket, HeldBucket { version: of.version, tenants, bytes, used: held.uses });
                None
            }
            Err(why) => {
                held.failed = Some((bucket, now));
                held.complain(why, log);
                let before = held.before.filter(|before| before.version != of.version);
                // What is held of this bucket is as good.
                before.filter(|_| held.at(bucket).is_err()).map(|before| Place { of: before, bucket })
            }
        }
    }

    /// The word on a name after [`Look::ReadBucket`] was seen to. A bucket of an earlier version can say who somebody
    /// is, and not that nobody is there.
    #[must_use]
    pub fn find(&self, key: &DispatchKey) -> Option<Option<Rc<Tenant>>> {
        let held = self.held.borrow();
        let (current, _) = held.snapshot.as_ref()?;
        let (_, bucket) = &held.buckets[held.at(current.bucket_of(key)).ok()?];
        let tenant = bucket.tenants.find(key);
        (tenant.is_some() || bucket.version == current.version).then_some(tenant)
    }
}

impl Held {
    fn version(&self) -> Option<u64> {
        self.snapshot.as_ref().map(|(current, _)| current.version)
    }

    fn complain(&mut self, why: String, log: &mut Vec<DirectoryEvent>) {
        if self.complained != why {
            let version = self.version();
            log.push(event(if version.is_some() { "kept" } else { "unavailable" }, version, why.clone()));
            self.complained = why;
        }
    }

    fn keep(&mut self, bucket: u32, new: HeldBucket) {
        self.bytes += new.bytes;
        match self.at(bucket) {
            // Never an older one over a newer: two requests may have read it at once.
            Ok(at) if self.buckets[at].1.version > new.version => self.bytes -= new.bytes,
            Ok(at) => self.bytes -= std::mem::replace(&mut self.buckets[at].1, new).bytes,
            Err(at) => self.buckets.insert(at, (bucket, new)),
        }
        while self.buckets.len() > 1 && (self.bytes > MAX_HELD_BYTES || self.buckets.len() > MAX_HELD_BUCKETS) {
            let others = self.buckets.iter().enumerate().filter(|(_, (number, _))| *number != bucket);
            let Some((oldest, _)) = others.min_by_key(|(_, (_, held))| held.used) else { break };
            self.bytes -= self.buckets.remove(oldest).1.bytes;
        }
    }

    /// The slot of a bucket, whether or not it is there.
    fn at(&self, bucket: u32) -> Result<usize, usize> {
        self.buckets.binary_search_by_key(&bucket, |(number, _)| *number)
    }
}

fn event(event: &'static str, version: Option<u64>, why: String) -> DirectoryEvent {
    DirectoryEvent { event: event.into(), version, why: log_text::bounded(&why) }
}
