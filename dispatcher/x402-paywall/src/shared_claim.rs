//! A claim that never changes, shared by all who look at a payment's record, with its JSON kept.
//!
//! A record is written at each step of a payment's life, and most of it is the claim. So the claim's text is written once, and the
//! text that a claim was read from is used again.

use crate::claim::Claim;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::{RawValue, to_raw_value};
use std::{cell::OnceCell, ops::Deref, rc::Rc};
use x402_protocol::json;

#[derive(Clone, Debug)]
pub struct SharedClaim(Rc<Kept>);

#[derive(Debug)]
struct Kept {
    claim: Claim,
    json: OnceCell<Box<RawValue>>,
}

impl From<Claim> for SharedClaim {
    fn from(claim: Claim) -> Self {
        Self(Rc::new(Kept { claim, json: OnceCell::new() }))
    }
}

impl SharedClaim {
    /// A claim of one's own, to be changed.
    #[must_use]
    pub fn into_own(self) -> Claim {
        Rc::try_unwrap(self.0).map_or_else(|shared| shared.claim.clone(), |kept| kept.claim)
    }
}

impl Deref for SharedClaim {
    type Target = Claim;

    fn deref(&self) -> &Claim {
        &self.0.claim
    }
}

impl Serialize for SharedClaim {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Kept { claim, json } = &*self.0;
        if let Some(json) = json.get() {
            return json.serialize(serializer);
        }
        let written = to_raw_value(claim).map_err(ser::Error::custom)?;
        json.get_or_init(|| written).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SharedClaim {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let claim = json::read(text.get()).map_err(de::Error::custom)?;
        Ok(Self(Rc::new(Kept { claim, json: OnceCell::from(text) })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::testing::claim;

    #[test]
    fn is_written_as_a_claim_is_and_read_back_with_its_text() {
        let plain = serde_json::to_string(&claim(&["primary"])).unwrap();
        let shared = SharedClaim::from(claim(&["primary"]));
        let twice = [&shared, &shared].map(|shared| serde_json::to_string(shared).unwrap());
        assert_eq!(twice, [plain.as_str(), plain.as_str()]);
        let read: SharedClaim = json::read(&plain).unwrap();
        assert_eq!(read.0.json.get().map(|text| text.get()), Some(plain.as_str()));
        assert_eq!(serde_json::to_string(&*read).unwrap(), plain);
    }

    #[test]
    fn one_that_was_changed_is_written_anew() {
        let shared: SharedClaim = json::read(&serde_json::to_string(&claim(&["primary"])).unwrap()).unwrap();
        let changed = SharedClaim::from(Claim { tenant_id: "another".to_owned(), ..shared.into_own() });
        assert!(serde_json::to_string(&changed).unwrap().contains(r#""tenant_id":"another""#));
    }

    #[test]
    fn what_is_no_claim_is_not_read_as_one() {
        for text in ["{}", "[]", r#"{"payment":"p"}"#, "null"] {
            assert!(json::read::<SharedClaim>(text).is_err(), "{text}");
        }
    }
}
