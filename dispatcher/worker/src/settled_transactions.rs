//! The Durable Objects that know which payment each transaction was shown for, so that one transfer never buys two contents.
//!
//! A few objects hold all of it, chosen by the hash's first digit: warm ones, since each sale asks one. An entry is kept for
//! 8 to 16 days, which is longer than a settled payment is remembered. Then it goes with all of its period, in batches, so
//! that neither a call nor a ring grows with history.

use crate::{
    ports::{clock::WallClock, object_storage::ObjectStorage},
    prompt,
    wire::{self, IdentifierAnswer, TransactionCall},
};
use dispatcher_core::{
    paywall::{
        UnixMillis,
        ledger::identifier::{self, Bound, Owner},
        ports::{Clock, LedgerError},
    },
    protocol::json,
};
use std::cell::Cell;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{Env, State, worker_sys::DurableObjectState};

/// The time that goes by one name.
const PERIOD_MS: u64 = 8 * 24 * 3_600_000;
/// The key whose presence says that the alarm is set.
const ARMED: &str = "armed";
/// Entries that one ring deletes.
const BATCH: usize = 500;
/// The pause until the next batch.
const NEXT_BATCH_MS: u64 = 1_000;

#[wasm_bindgen]
pub struct SettledTransactions {
    storage: ObjectStorage,
    /// Known to be set.
    is_armed: Cell<bool>,
}

#[wasm_bindgen]
impl SettledTransactions {
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, _env: Env) -> Self {
        Self { storage: ObjectStorage::of(&State::from(state)), is_armed: Cell::new(false) }
    }

    pub fn ask(&self, frame: Vec<u8>) -> Result<JsValue, JsValue> {
        prompt::turn(|| {
            let (call, _) = wire::unframe(frame)?;
            Ok(wire::answer(self.bind(&call).map(|bound| (IdentifierAnswer::Bound(bound), Vec::new()))))
        })
    }

    /// Forgets periods that are over. What fails is tried again by the next ring, which is set first.
    pub fn alarm(&self) -> Result<(), JsValue> {
        let forgotten = prompt::turn(|| self.forget(WallClock.now()));
        forgotten.map_err(|error| js_sys::Error::new(&error.to_string()).into())
    }
}

impl SettledTransactions {
    fn forget(&self, now: UnixMillis) -> Result<(), LedgerError> {
        let storage = &self.storage;
        storage.set_alarm(now.plus(PERIOD_MS))?;
        let newest_over = period_of(now).saturating_sub(2);
        let over = storage.keys_up_to(&key(newest_over, "~"), BATCH)?;
        for key in over.iter().filter(|key| *key != ARMED) {
            storage.delete(key)?;
        }
        if over.len() == BATCH {
            storage.set_alarm(now.plus(NEXT_BATCH_MS))?;
        }
        Ok(())
    }

    /// Nothing is awaited between reading and writing, so no other call comes in between.
    fn bind(&self, call: &TransactionCall) -> Result<Bound, LedgerError> {
        let storage = &self.storage;
        let period = period_of(call.owner.since);
        let mut found = None;
        for period in [period, period.saturating_sub(1)] {
            let key = key(period, &call.transaction);
            if let Some(text) = storage.text(&key)? {
                found = Some((key, text));
                break;
            }
        }
        let unreadable = |error| LedgerError(format!("stored owners of a transaction are unreadable: {error}"));
        let (key, mut owners): (_, Vec<Owner>) = match found {
            Some((key, text)) => (key, json::read(&text).map_err(unreadable)?),
            None => (key(period, &call.transaction), Vec::new()),
        };
        let known = owners.len();
        let bound = identifier::bind_transaction(&mut owners, &call.owner);
        if owners.len() > known {
            let text = serde_json::to_string(&owners).expect("owners have string keys and plain values");
            storage.put_text(&key, &text)?;
            if !self.is_armed.get() && storage.text(ARMED)?.is_none() {
                storage.put_text(ARMED, "yes")?;
                storage.set_alarm(call.owner.since.plus(PERIOD_MS))?;
            }
            // What is written is stored, or this object ends.
            self.is_armed.set(true);
        }
        Ok(bound)
    }
}

fn period_of(at: UnixMillis) -> u64 {
    at.0 / PERIOD_MS
}

/// Keys of an earlier period come before those of a later one.
fn key(period: u64, transaction: &str) -> String {
    format!("{period:08}/{transaction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_periods_come_first_and_a_shard_is_a_digit() {
        assert!(key(9, "0xff") < key(10, "0x00") && key(9, "0xff") < key(9, "~") && key(10, "0x00") > key(9, "~"));
        let owner = Owner { payment: String::new(), holder: String::new(), since: UnixMillis(0), instead_of: None };
        let call = TransactionCall { transaction: format!("0x{}", "ab".repeat(32)), owner };
        assert_eq!(call.object(), "0xa");
        assert!(ARMED > key(u64::from(u32::MAX) % 100_000_000, "~").as_str(), "the mark is no period's");
    }
}
