//! The seal of a `gate.json`: a digest over the rest of it, and a code that only a holder of the gate's key can make.
//!
//! Surprising constraint: the digest alone shows a mistake and no malice, because whoever edits the file can compute it anew.
//! Against people there is the key (HMAC-SHA256). Nothing here says that the machine which ran the gate was honest.

use hmac::{Hmac, Mac};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{GateRecord, digest::hex, sha256};

/// A shorter key could be guessed.
const LEAST_KEY_BYTES: usize = 16;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// SHA-256 over the record with an empty seal, hex.
    pub sha256: String,
    /// HMAC-SHA256 over the same, hex; absent where the gate had no key.
    pub hmac_sha256: Option<String>,
}

/// A secret that the gate and whoever deploys have in common.
#[derive(Clone)]
pub struct Key(Vec<u8>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("a gate's key has at least {LEAST_KEY_BYTES} characters")]
    ShortKey,
    #[error("it was edited: its content is not what its seal is over")]
    Edited,
    #[error("it is not signed, and here is a key to check a signature with")]
    Unsigned,
    #[error("it was signed with another key, or edited by somebody who has none")]
    Forged,
}

impl Key {
    pub fn new(text: &str) -> Result<Self, SealError> {
        let text = text.trim();
        if text.len() < LEAST_KEY_BYTES { Err(SealError::ShortKey) } else { Ok(Self(text.as_bytes().to_vec())) }
    }

    fn mac(&self, content: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length will do");
        mac.update(content);
        mac
    }
}

impl GateRecord {
    /// The record with its seal, in place of any that it had.
    #[must_use]
    pub fn sealed(mut self, key: Option<&Key>) -> Self {
        let content = self.content();
        let hmac_sha256 = key.map(|key| hex(&key.mac(&content).finalize().into_bytes()));
        self.seal = Seal { sha256: sha256(&content), hmac_sha256 };
        self
    }

    /// Fails where the content is not what was sealed. With a key an unsigned record fails, too.
    pub fn check_seal(&self, key: Option<&Key>) -> Result<(), SealError> {
        let content = self.content();
        if self.seal.sha256 != sha256(&content) {
            return Err(SealError::Edited);
        }
        let Some(key) = key else { return Ok(()) };
        let told = self.seal.hmac_sha256.as_deref().ok_or(SealError::Unsigned)?;
        // In constant time.
        key.mac(&content).verify_slice(&unhex(told).ok_or(SealError::Forged)?).map_err(|_| SealError::Forged)
    }

    fn content(&self) -> Vec<u8> {
        let unsealed = Self { seal: Seal::default(), ..self.clone() };
        serde_json::to_vec(&unsealed).expect("a record is JSON")
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    text.len().is_multiple_of(2).then(|| (0..text.len()).step_by(2).map(digit).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Outcome,
        record::fixture::{job, record},
    };

    fn key(text: &str) -> Key {
        Key::new(text).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn an_edit_is_seen_and_another_layout_is_none() {
        let sealed = record(vec![job("a", Outcome::Fail)]).sealed(None);
        assert_eq!(sealed.check_seal(None), Ok(()));
        let pretty = serde_json::to_string_pretty(&sealed).expect("it is JSON");
        let read: GateRecord = serde_json::from_str(&pretty).expect("it is a record");
        assert_eq!(read.check_seal(None), Ok(()));
        let edited = GateRecord { verdict: Outcome::Pass, ..read };
        assert_eq!(edited.check_seal(None), Err(SealError::Edited));
    }

    #[test]
    fn without_the_key_nobody_seals_an_edit() {
        let (ours, another) = (key("0123456789abcdef"), key("another-key-of-somebody"));
        let sealed = record(vec![job("a", Outcome::Fail)]).sealed(Some(&ours));
        assert_eq!(sealed.check_seal(Some(&ours)), Ok(()));
        let edited = GateRecord { verdict: Outcome::Pass, ..sealed.clone() };
        assert_eq!(edited.clone().sealed(None).check_seal(Some(&ours)), Err(SealError::Unsigned));
        assert_eq!(edited.clone().sealed(Some(&another)).check_seal(Some(&ours)), Err(SealError::Forged));
        let mut kept = edited.sealed(None);
        kept.seal.hmac_sha256 = sealed.seal.hmac_sha256;
        assert_eq!(kept.check_seal(Some(&ours)), Err(SealError::Forged));
        assert_eq!(Key::new("short").err(), Some(SealError::ShortKey));
    }

    #[test]
    fn what_a_record_has_no_field_for_is_refused() {
        let json = serde_json::to_string(&record(vec![job("a", Outcome::Pass)]).sealed(None)).expect("it is JSON");
        let more = json.replacen('{', "{\"approved_by\":\"me\",", 1);
        assert!(serde_json::from_str::<GateRecord>(&more).is_err());
    }
}
