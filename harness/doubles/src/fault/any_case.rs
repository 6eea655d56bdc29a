//! `any-case`: reads members as Go's decoder does: a name matches whatever its case, and a later member is laid over an earlier
//! one. What another reader validated may be something else then. The money moves, of what it read.

use super::{
    about::{About, Compared, Drawn, Moves, OnCalls},
    behaviour::Behaviour,
};
use grammar::Listed;
use serde_json::{Map, Value, json};

/// The fault as the lists, the swarm, the comparison and `harness explain` have it.
pub const ABOUT: About = About {
    listed: Listed::new(
        "any-case",
        "reads members without regard to case, the later over the earlier, as Go's decoder does; the money moves",
        "{}",
    ),
    on: OnCalls::Payments,
    moves: Moves::Always,
    swarm: Drawn::Not { because: "it needs members in an odd case to bite" },
    compared: Compared::Not { because: "only members in an odd case meet it" },
};

pub struct AnyCase;

impl Behaviour for AnyCase {
    fn says(&self) -> String {
        "reads members without regard to case, the later over the earlier".to_owned()
    }

    fn as_read(&self, body: Vec<u8>) -> Vec<u8> {
        read(body)
    }
}

/// The names that the official Go types have, as they are on the wire.
const NAMES: [&str; 24] = [
    "x402Version",
    "paymentPayload",
    "paymentRequirements",
    "payload",
    "accepted",
    "resource",
    "extensions",
    "signature",
    "authorization",
    "permit2Authorization",
    "from",
    "to",
    "value",
    "validAfter",
    "validBefore",
    "nonce",
    "scheme",
    "network",
    "asset",
    "amount",
    "payTo",
    "maxTimeoutSeconds",
    "maxAmountRequired",
    "extra",
];

/// The request as Go's decoder would have it. What is no JSON stays as it is.
fn read(body: Vec<u8>) -> Vec<u8> {
    let Ok(read) = serde_json::from_slice::<Members>(&body) else { return body };
    json!(read.0).to_string().into_bytes()
}

/// A value whose objects were read in the order of their members.
struct Members(Value);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> serde::de::Visitor<'de> for Reader {
    type Value = Members;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Map::new();
        while let Some((name, Members(value))) = map.next_entry::<String, Members>()? {
            let known = NAMES.iter().find(|known| known.eq_ignore_ascii_case(&name));
            lay_over(&mut members, known.map_or(name, |known| (*known).to_owned()), value);
        }
        Ok(Members(Value::Object(members)))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Members, A::Error> {
        let mut values = Vec::new();
        while let Some(Members(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Members(Value::Array(values)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Members, E> {
        Ok(Members(text.into()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Members, E> {
        Ok(Members(value.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Members, E> {
        Ok(Members(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Members, E> {
        Ok(Members(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Members, E> {
        Ok(Members(json!(number)))
    }

    fn visit_unit<E>(self) -> Result<Members, E> {
        Ok(Members(Value::Null))
    }
}

/// A later object is merged into an earlier one, and anything else takes its place.
fn lay_over(members: &mut Map<String, Value>, name: String, value: Value) {
    match (members.get_mut(&name), value) {
        (Some(Value::Object(earlier)), Value::Object(later)) => {
            for (name, value) in later {
                lay_over(earlier, name, value);
            }
        }
        // Null leaves what is there.
        (Some(_), Value::Null) => {}
        (_, value) => {
            members.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_member_of_another_case_is_laid_over_the_earlier() {
        let body = r#"{"payload":{"signature":"a","authorization":{"nonce":1,"to":2}},"Payload":{"AUTHORIZATION":{"Nonce":9}}}"#;
        let read: Value = serde_json::from_slice(&super::read(body.into())).unwrap();
        assert_eq!(read, json!({"payload": {"signature": "a", "authorization": {"nonce": 9, "to": 2}}}));
        assert_eq!(super::read(b"no json".to_vec()), b"no json");
    }
}
