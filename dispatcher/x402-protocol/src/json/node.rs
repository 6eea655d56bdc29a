//! A JSON document as it was written, with each member where it stood: what a decision about money is read from.
//!
//! Surprising constraint: `serde_json::Value` is no such reader. It keeps the last of two members with one name, and it
//! takes an object with a certain member of its own for the JSON text in that member.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// One value of a document. Members keep their order, and repeats are kept too.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    /// Reads a whole text.
    pub fn read(text: &str) -> serde_json::Result<Self> {
        super::read(text)
    }

    /// The first member with this name. A document without repeats has no other.
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find_map(|(own, value)| (own == name).then_some(value)),
            _ => None,
        }
    }

    /// The same without order. For documents without repeats.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(yes) => Value::Bool(*yes),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Text(text) => Value::String(text.clone()),
            Self::List(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Self::Object(members) => Value::Object(map_of(members)),
        }
    }
}

/// The members as a map. For objects without repeats.
pub(crate) fn map_of(members: &[(String, Node)]) -> Map<String, Value> {
    members.iter().map(|(name, value)| (name.clone(), value.to_value())).collect()
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whole)
    }
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<Node, E> {
        Ok(Node::Bool(yes))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Node, E> {
        Number::from_f64(number).map(Node::Number).ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = entries.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_repeats_and_spellings_of_numbers_apart() {
        let Node::Object(members) = Node::read(r#"{"b": 2, "\u0062": 2.0, "a": [null, true, "x", -1]}"#).unwrap()
        else {
            panic!("an object")
        };
        let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["b", "b", "a"]);
        assert_ne!(members[0].1, members[1].1);
    }

    #[test]
    fn the_librarys_own_member_is_a_member_like_others() {
        let text = r#"{"$serde_json::private::RawValue": "{\"a\":1}"}"#;
        assert!(matches!(Node::read(text).unwrap(), Node::Object(members) if members.len() == 1));
    }

    #[test]
    fn refuses_what_readers_disagree_about() {
        for text in
            ["1e999", r#""\ud800""#, r#""\ude00\ud800""#, "NaN", "[1,]", "{'a':1}", "\u{feff}{}", "01", "\"\t\""]
        {
            assert!(Node::read(text).is_err(), "{text}");
        }
    }
}
