//! Payments, and ways to change how they are written.

use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};
use std::fmt;

/// JSON as text is written: members in order and as often as they stand, and scalars as they are spelt.
#[derive(Clone, Debug)]
pub enum Document {
    Scalar(String),
    List(Vec<Document>),
    /// Names are JSON strings, quotes included.
    Object(Vec<(String, Document)>),
}

/// A payment of each kind: by authorization and by permit in version 2, and in version 1.
pub fn bases() -> Vec<Document> {
    let vector = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let eip3009 = vector(include_str!("../../testdata/eip3009-vector.json"));
    let mut permit2 = vector(include_str!("../../testdata/permit2-vector.json"));
    permit2["extensions"] = json!({"payment-identifier": {"info": {"required": false, "id": "pay_0123456789abcdef"}}, "other": {"a": [1, {}]}});
    let v1 = json!({"x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": eip3009["payload"]});
    [eip3009, permit2, v1].iter().map(Document::of).collect()
}

/// A payment that was changed in up to three places.
pub fn changed() -> impl Strategy<Value = Document> {
    let base = any::<Index>().prop_map(|at| at.get(&bases()).clone());
    (base, prop::collection::vec((any::<Index>(), change()), 1..4)).prop_map(|(mut document, changes)| {
        for (at, change) in changes {
            let places = document.members();
            document.change(at.index(places), &change);
        }
        document
    })
}

#[derive(Clone, Debug)]
enum Change {
    /// Another member with the same name, before or after, with this in it or with the same.
    Twice {
        name: Respelt,
        value: Option<String>,
        before: bool,
    },
    Rename(Respelt),
    Replace(String),
    Remove,
    Insert(String, String),
    /// To the end of its object.
    Move,
    Space,
}

/// The name in another spelling.
#[derive(Clone, Copy, Debug)]
enum Respelt {
    Same,
    Escaped,
    Upper,
    Title,
    LongS,
    Kelvin,
}

fn change() -> impl Strategy<Value = Change> {
    let respelt = prop_oneof![
        Just(Respelt::Same),
        Just(Respelt::Escaped),
        Just(Respelt::Upper),
        Just(Respelt::Title),
        Just(Respelt::LongS),
        Just(Respelt::Kelvin)
    ];
    prop_oneof![
        2 => (respelt.clone(), prop::option::of(scalar()), any::<bool>())
            .prop_map(|(name, value, before)| Change::Twice { name, value, before }),
        2 => respelt.prop_map(Change::Rename),
        3 => scalar().prop_map(Change::Replace),
        1 => Just(Change::Remove),
        2 => (name(), scalar()).prop_map(|(name, value)| Change::Insert(name, value)),
        2 => Just(Change::Move),
        2 => Just(Change::Space),
    ]
}

fn name() -> impl Strategy<Value = String> {
    const NAMES: [&str; 16] = [
        "note",
        "__proto__",
        "constructor",
        "toString",
        "authorization",
        "permit2Authorization",
        "payload",
        "accepted",
        "scheme",
        "network",
        "extensions",
        "resource",
        "value",
        "from",
        "$serde_json::private::RawValue",
        "",
    ];
    prop::sample::select(&NAMES[..]).prop_map(|name| json!(name).to_string())
}

fn scalar() -> impl Strategy<Value = String> {
    const VALUES: [&str; 36] = [
        "null",
        "true",
        "0",
        "1",
        "2",
        "2.0",
        "2e0",
        "-0",
        "1e999",
        "60",
        "60.0",
        "60.00000000000000001",
        "18446744073709551618",
        "9007199254740993",
        "\"\"",
        "\"10000\"",
        "\"1\"",
        "\"010000\"",
        "\"\\u0031\"",
        "\"1e4\"",
        "\"eip155:84532\"",
        "\"base-sepolia\"",
        "\"EIP155:84532\"",
        "\"exact\"",
        "\"\\ud800\"",
        "\"\\ud83d\\ude00\"",
        "\"0x209693bc6afc0c5328ba36faf03c514ef312287c\"",
        "\"0xF39FD6E51AAD88F6F4CE6AB8827279CFFFB92266\"",
        "{}",
        "[]",
        "{\"from\":\"0x\"}",
        "{\"$serde_json::private::RawValue\":\"1\"}",
        "[{}]",
        "NaN",
        "01",
        "\"a\nb\"",
    ];
    prop::sample::select(&VALUES[..]).prop_map(str::to_owned)
}

impl Document {
    fn of(value: &Value) -> Self {
        match value {
            Value::Array(items) => Self::List(items.iter().map(Self::of).collect()),
            Value::Object(members) => {
                Self::Object(members.iter().map(|(name, value)| (json!(name).to_string(), Self::of(value))).collect())
            }
            scalar => Self::Scalar(scalar.to_string()),
        }
    }

    /// How many members there are, at any depth.
    fn members(&self) -> usize {
        match self {
            Self::Scalar(_) => 0,
            Self::List(items) => items.iter().map(Self::members).sum(),
            Self::Object(members) => members.iter().map(|(_, value)| 1 + value.members()).sum(),
        }
    }

    /// Changes the member that is the `at`th in the order of the text. `None` once that is done.
    fn change(&mut self, mut at: usize, change: &Change) -> Option<usize> {
        match self {
            Self::Scalar(_) => Some(at),
            Self::List(items) => {
                for item in items {
                    at = item.change(at, change)?;
                }
                Some(at)
            }
            Self::Object(members) => {
                for n in 0..members.len() {
                    if at == 0 {
                        change.apply(members, n);
                        return None;
                    }
                    at = members[n].1.change(at - 1, change)?;
                }
                Some(at)
            }
        }
    }
}

impl Change {
    fn apply(&self, members: &mut Vec<(String, Document)>, at: usize) {
        match self {
            Self::Twice { name, value, before } => {
                let (own, same) = &members[at];
                let value = value.clone().map_or_else(|| same.clone(), Document::Scalar);
                let twin = (name.of(own), value);
                members.insert(if *before { at } else { at + 1 }, twin);
            }
            Self::Rename(name) => members[at].0 = name.of(&members[at].0),
            Self::Replace(value) => members[at].1 = Document::Scalar(value.clone()),
            Self::Remove => drop(members.remove(at)),
            Self::Insert(name, value) => members.insert(at, (name.clone(), Document::Scalar(value.clone()))),
            Self::Move => {
                let member = members.remove(at);
                members.push(member);
            }
            Self::Space => members[at].0 = format!(" \n\t{} ", members[at].0),
        }
    }
}

impl Respelt {
    fn of(self, quoted: &str) -> String {
        match self {
            Self::Same => quoted.to_owned(),
            Self::Escaped => match quoted.chars().find(char::is_ascii_alphanumeric) {
                Some(letter) => quoted.replacen(letter, &format!("\\u{:04x}", u32::from(letter)), 1),
                None => quoted.to_owned(),
            },
            Self::Upper => quoted.to_uppercase(),
            Self::Title => match quoted.chars().find(char::is_ascii_lowercase) {
                Some(letter) => quoted.replacen(letter, &letter.to_ascii_uppercase().to_string(), 1),
                None => quoted.to_owned(),
            },
            Self::LongS => quoted.replace(['s', 'S'], "\u{17f}"),
            Self::Kelvin => quoted.replace(['k', 'K'], "\u{212a}"),
        }
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(text) => f.write_str(text),
            Self::List(items) => {
                f.write_str("[")?;
                for (n, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if n == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (n, (name, value)) in members.iter().enumerate() {
                    write!(f, "{}{name}:{value}", if n == 0 { "" } else { "," })?;
                }
                f.write_str("}")
            }
        }
    }
}
