//! Which of a deployment's shards a payment belongs to, and where it lived before the number of shards was raised.
//!
//! A payment belongs to a bucket, by the first 12 bits of its key's hash. A number of shards takes the bucket's low bits. So
//! raising the number moves whole buckets, and a bucket moves to one place.

use super::machine::SETTLED_KEPT_MS;
use crate::UnixMillis;
use serde::{Deserialize, Serialize};
use sha3::{Digest, Keccak256};
use x402_protocol::json;

/// The shards of a deployment that says nothing.
const DEFAULT_SHARDS: u16 = 16;
/// One for each bucket.
const MOST_SHARDS: u16 = 4_096;
/// The time after the change in which an isolate of the version before may still begin payments at the former place.
const SLACK_MS: u64 = 24 * 3_600_000;

/// The shards of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    shards: ShardCount,
    former: Option<Former>,
}

/// A power of two, 1 to 4,096.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShardCount(u16);

/// The place where payments lived before, and until when one of them may still be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Former {
    place: FormerLayout,
    until: UnixMillis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FormerLayout {
    /// An object for each payment.
    Objects,
    Shards(ShardCount),
}

/// A place of a payment's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// An object of its own.
    Object,
    /// The shard of this name.
    Shard(String),
}

/// `LEDGER_SHARDS` is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    #[error("is neither a number nor {{\"count\", \"before\", \"changedAtMs\"}}: {0}")]
    Shape(String),
    #[error("has {0} shards, which is no power of two from 1 to 4096")]
    Count(u64),
    #[error("has {count} shards after {before}: the number can only be raised, or payments of the rest would be lost")]
    Lowered { count: u16, before: u16 },
    #[error("has \"before\" {0}, which is neither a number nor \"objects\"")]
    Before(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum LayoutRecord {
    Count(u64),
    Changed(ChangedRecord),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChangedRecord {
    count: u64,
    before: serde_json::Value,
    changed_at_ms: UnixMillis,
}

impl Default for Layout {
    fn default() -> Self {
        Self { shards: ShardCount(DEFAULT_SHARDS), former: None }
    }
}

impl ShardCount {
    fn new(count: u64) -> Result<Self, LayoutError> {
        let fits = (1..=u64::from(MOST_SHARDS)).contains(&count) && count.is_power_of_two();
        u16::try_from(count).ok().filter(|_| fits).map(Self).ok_or(LayoutError::Count(count))
    }

    fn shard_of(self, payment: &str) -> String {
        (bucket_of(payment) & (self.0 - 1)).to_string()
    }
}

impl Layout {
    /// Reads `16`, or after a change `{"count": 64, "before": 16, "changedAtMs": 1800000000000}`, where `before` may be
    /// `"objects"`: an object for each payment.
    pub fn from_json(text: &str) -> Result<Self, LayoutError> {
        let record = json::read(text).map_err(|error| LayoutError::Shape(error.to_string()))?;
        let ChangedRecord { count, before, changed_at_ms } = match record {
            LayoutRecord::Count(count) => return Ok(Self { shards: ShardCount::new(count)?, former: None }),
            LayoutRecord::Changed(changed) => changed,
        };
        let shards = ShardCount::new(count)?;
        let place = match (before.as_u64(), before.as_str()) {
            (Some(before), _) => FormerLayout::Shards(ShardCount::new(before)?),
            (None, Some("objects")) => FormerLayout::Objects,
            _ => return Err(LayoutError::Before(before.to_string())),
        };
        if let FormerLayout::Shards(before) = place
            && before > shards
        {
            return Err(LayoutError::Lowered { count: shards.0, before: before.0 });
        }
        let until = changed_at_ms.plus(SETTLED_KEPT_MS + SLACK_MS);
        Ok(Self { shards, former: Some(Former { place, until }) })
    }

    /// The name of the shard that a payment belongs to.
    #[must_use]
    pub fn shard_of(&self, payment: &str) -> String {
        self.shards.shard_of(payment)
    }

    /// The names of all shards.
    pub fn shard_names(&self) -> impl Iterator<Item = String> + use<> {
        (0..self.shards.0).map(|shard| shard.to_string())
    }

    /// The number of shards.
    #[must_use]
    pub fn shards(&self) -> u16 {
        self.shards.0
    }

    /// The place where the payment may be in place of its shard.
    #[must_use]
    pub fn former_place_of(&self, payment: &str, now: UnixMillis) -> Option<Place> {
        match self.former.filter(|former| now < former.until)?.place {
            FormerLayout::Objects => Some(Place::Object),
            FormerLayout::Shards(before) => {
                let shard = before.shard_of(payment);
                (shard != self.shard_of(payment)).then_some(Place::Shard(shard))
            }
        }
    }
}

/// The first 12 bits of the key's hash.
fn bucket_of(payment: &str) -> u16 {
    let hash = Keccak256::digest(payment.as_bytes());
    u16::from_be_bytes([hash[0], hash[1]]) >> 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const CHANGED: u64 = 1_800_000_000_000;

    fn raised(before: u64, count: u64) -> Layout {
        let text = format!(r#"{{"count": {count}, "before": {before}, "changedAtMs": {CHANGED}}}"#);
        Layout::from_json(&text).unwrap()
    }

    #[test]
    fn payments_spread_evenly_over_the_shards() {
        let layout = Layout::default();
        let mut payments: BTreeMap<String, u32> = BTreeMap::new();
        for n in 0..16_000 {
            *payments.entry(layout.shard_of(&format!("payment-{n}"))).or_default() += 1;
        }
        assert_eq!(payments.len(), 16);
        assert!(payments.values().all(|count| (850..1_150).contains(count)), "{payments:?}");
    }

    #[test]
    fn a_number_that_shards_cannot_have_is_refused_with_the_number() {
        for (text, said) in [
            ("0", "has 0 shards"),
            ("12", "has 12 shards"),
            ("8192", "has 8192 shards"),
            ("-1", "neither a number"),
            (r#""16""#, "neither a number"),
            ("", "neither a number"),
            (r#"{"count": 16}"#, "neither a number"),
            (r#"{"count": 16, "before": "things", "changedAtMs": 1}"#, "\"things\""),
            (r#"{"count": 16, "before": 64, "changedAtMs": 1}"#, "can only be raised"),
        ] {
            let error = Layout::from_json(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn the_former_place_is_asked_for_as_long_as_a_payment_may_be_there() {
        let objects = format!(r#"{{"count": 16, "before": "objects", "changedAtMs": {CHANGED}}}"#);
        let layout = Layout::from_json(&objects).unwrap();
        let later = |days: u64| UnixMillis(CHANGED + days * 24 * 3_600_000);
        assert_eq!(layout.former_place_of("p", later(7)), Some(Place::Object));
        assert_eq!(layout.former_place_of("p", later(8)), None);
        assert_eq!(Layout::default().former_place_of("p", later(0)), None);
    }

    proptest! {
        #[test]
        fn raising_the_number_moves_a_bucket_to_one_place_or_not_at_all(
            payment in ".{1,80}",
            before in 0_u32..=12,
            more in 0_u32..=12,
        ) {
            let (before, count) = (1_u64 << before, 1_u64 << (before + more).min(12));
            let layout = raised(before, count);
            let former = Layout::from_json(&before.to_string()).unwrap().shard_of(&payment);
            let expected = (former != layout.shard_of(&payment)).then_some(Place::Shard(former));
            prop_assert_eq!(layout.former_place_of(&payment, UnixMillis(CHANGED)), expected);
            let shard: u64 = layout.shard_of(&payment).parse().unwrap();
            prop_assert!(shard < count);
        }
    }
}
