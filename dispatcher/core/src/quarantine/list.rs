//! The list of who is in quarantine, as the one object keeps it: pure, calls and times in, another list out.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::future::Future;
use x402_paywall::{UnixMillis, ports::LedgerError};
use x402_protocol::json;

/// Bounds what each isolate reads at each call. Who would put more tenants away at once has a plan to change, not a list.
pub(super) const MAX_QUARANTINED: usize = 500;
/// The share of policy among these, so that no number of Workers that burn leaves an operator without room.
pub(super) const MAX_BY_POLICY: usize = 250;
pub(super) const POLICY: &str = "policy";
const MAX_TEXT_BYTES: usize = 200;

/// One tenant's quarantine, as the list keeps it. Read leniently, for a later version may have written it, and a list that
/// cannot be read is nobody's quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    #[serde(default)]
    pub tenant_id: String,
    pub reason: String,
    pub author: String,
    /// `None`: until it is lifted.
    #[serde(default)]
    pub until_ms: Option<UnixMillis>,
}

impl Quarantine {
    /// Reads a quarantine as an operator asks for it; the error says what is wrong.
    pub fn asked_for(tenant_id: &str, json: &str, now: UnixMillis) -> Result<Self, String> {
        let asked: Self = json::read(json).map_err(|error| error.to_string())?;
        // A misspelt end would be none.
        let keys: Value = json::read(json).map_err(|error| error.to_string())?;
        let mut keys = keys.as_object().into_iter().flat_map(Map::keys);
        if let Some(unknown) = keys.find(|key| !["reason", "author", "until_ms"].contains(&key.as_str())) {
            return Err(format!("there is no {unknown:?}, but reason, author, until_ms and force"));
        }
        for (key, text) in [("reason", &asked.reason), ("author", &asked.author)] {
            if !(1..=MAX_TEXT_BYTES).contains(&text.len()) {
                return Err(format!("{key} has {} bytes, and must have 1 to {MAX_TEXT_BYTES}", text.len()));
            }
        }
        // Seconds in the place of milliseconds would look as if it were in force.
        if let Some(UnixMillis(past)) = asked.until_ms.filter(|until| *until <= now) {
            return Err(format!("until_ms is {past}, which is past; it is in milliseconds of the Unix epoch"));
        }
        Ok(Self { tenant_id: tenant_id.to_owned(), ..asked })
    }

    pub(super) fn holds(&self, now: UnixMillis) -> bool {
        self.until_ms.is_none_or(|until| now < until)
    }
}

/// The message to the one object; it always answers with the whole list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuarantineCall {
    List,
    Put(Quarantine),
    Lift(String),
    /// Changes nothing of a quarantine that is in force.
    PutByPolicy(Quarantine),
}

/// The one object that knows who is in quarantine.
pub trait QuarantineObject {
    /// Returns the whole list as it is after the call.
    fn call(&self, call: QuarantineCall) -> impl Future<Output = Result<Quarantines, LedgerError>>;
}

/// An operator's quarantine finds no room in the list.
#[derive(Debug)]
pub struct ListFull;

/// Everybody who is in quarantine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantines(pub(super) Vec<Quarantine>);

impl Quarantines {
    /// Takes a call to the one object. `true`: it is another list now, to be stored before anyone is told.
    pub fn take(&mut self, call: QuarantineCall, now: UnixMillis) -> Result<bool, ListFull> {
        match call {
            QuarantineCall::List => return Ok(false),
            QuarantineCall::Put(new) => {
                if !self.put(new, now) {
                    return Err(ListFull);
                }
            }
            QuarantineCall::PutByPolicy(new) => {
                // Without room nothing is put, which the alert has told; an error would have it tried again for ever.
                self.put_by_policy(new, now);
            }
            QuarantineCall::Lift(tenant_id) => self.lift(&tenant_id),
        }
        Ok(true)
    }

    /// `false`: there is no room.
    pub(super) fn put(&mut self, new: Quarantine, now: UnixMillis) -> bool {
        self.0.retain(|old| old.holds(now) && old.tenant_id != new.tenant_id);
        let policys = |old: &Quarantine| old.author == POLICY;
        let room = if policys(&new) {
            self.0.iter().filter(|old| policys(old)).count() < MAX_BY_POLICY
        } else {
            self.0.len() < MAX_QUARANTINED
        };
        if room {
            self.0.push(new);
        }
        room
    }

    /// Puts like `put`, but what is in force stays as it is: an operator's quarantine must not end with policy's ten
    /// minutes.
    pub(super) fn put_by_policy(&mut self, new: Quarantine, now: UnixMillis) -> bool {
        self.has(&new.tenant_id, now) || self.put(new, now)
    }

    pub(super) fn lift(&mut self, tenant_id: &str) {
        self.0.retain(|old| old.tenant_id != tenant_id);
    }

    #[must_use]
    pub fn has(&self, tenant_id: &str, now: UnixMillis) -> bool {
        self.0.iter().any(|quarantine| quarantine.tenant_id == tenant_id && quarantine.holds(now))
    }
}
