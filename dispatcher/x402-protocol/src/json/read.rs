//! JSON into checked types, at the one entry that all of it here is read through.
//!
//! Surprising constraint: a struct is an object and never an array of its fields in order, as serde's own formats take it to
//! be. Nobody who sends one means it, and the code that reads it, once for each struct, is a third of what serde brings into
//! the wasm.

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use std::fmt;

/// The whole text as a `T`.
pub fn read<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    let mut source = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(Objects(&mut source))?;
    source.end()?;
    Ok(value)
}

/// Stands in front of a part of serde's data model, and of whatever comes out of it, so that structs are asked for as maps.
struct Objects<T>(T);

/// The content of an enum's variant that has fields.
struct Fields<V>(V);

macro_rules! as_it_is {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method(visitor)
        })*
    };
}

macro_rules! looked_into {
    ($($method:ident($($name:ident: $kind:ty),*))*) => {
        $(fn $method<V: Visitor<'de>>(self, $($name: $kind,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($name,)* Objects(visitor))
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Objects<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Objects(visitor))
    }

    looked_into! {
        deserialize_option()
        deserialize_newtype_struct(name: &'static str)
        deserialize_seq()
        deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_map()
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }

    // Nothing in here asks for a struct: plain values, and what takes any value.
    as_it_is! {
        deserialize_any deserialize_ignored_any deserialize_identifier deserialize_unit
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64
        deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit_struct(name, visitor)
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Objects<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Objects(inner))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Objects(inner))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Objects(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Objects(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(Objects(variant))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Objects<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Objects(inner))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Objects(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Objects(seed))
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Objects<A> {
    type Error = A::Error;
    type Variant = Objects<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let (name, content) = self.0.variant_seed(seed)?;
        Ok((name, Objects(content)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Objects(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(len, Objects(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, A::Error> {
        self.0.newtype_variant_seed(Fields(visitor))
    }
}

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Fields<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        inner.deserialize_map(Objects(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};
    use serde_json::{Value, value::RawValue};
    use std::collections::BTreeMap;

    /// Every shape that the types here have.
    #[derive(Debug, Serialize, Deserialize)]
    struct Whole {
        raw: Box<RawValue>,
        pair: (String, u32),
        maybe: Option<Part>,
        parts: Vec<Part>,
        by_name: BTreeMap<String, Part>,
        any: Value,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Part {
        share: f64,
        kind: Kind,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    enum Kind {
        Unit,
        Newtype(Id),
        Tuple(i64, bool),
        Struct { id: Id },
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Id(String);

    fn part() -> impl Strategy<Value = Part> {
        let id = || "[a-z\"\u{e9}]{0,3}".prop_map(Id);
        let kind = prop_oneof![
            Just(Kind::Unit),
            id().prop_map(Kind::Newtype),
            (any::<i64>(), any::<bool>()).prop_map(|(number, yes)| Kind::Tuple(number, yes)),
            id().prop_map(|id| Kind::Struct { id }),
        ];
        (-1e9..1e9, kind).prop_map(|(share, kind)| Part { share, kind })
    }

    fn whole() -> impl Strategy<Value = Whole> {
        let parts = || prop::collection::vec(part(), 0..3);
        (parts(), parts(), prop::option::of(part()), any::<u32>()).prop_map(|(parts, named, maybe, number)| Whole {
            raw: RawValue::from_string(format!(r#"{{ "as":  "it came", "n": {number} }}"#)).unwrap(),
            pair: ("a".to_owned(), number),
            by_name: named.into_iter().enumerate().map(|(at, part)| (at.to_string(), part)).collect(),
            any: serde_json::to_value(&parts).unwrap(),
            parts,
            maybe,
        })
    }

    /// Text in which something may be missing, or be of another kind.
    fn broken(text: &str, at: usize, put: &str) -> String {
        let at = (0..=at % (text.len() + 1)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let end = text[at..].find([',', ':', '}', ']']).map_or(text.len(), |end| at + end);
        [&text[..at], put, &text[end..]].concat()
    }

    proptest! {
        #[test]
        fn says_of_every_text_what_serde_says(
            whole in whole(), at in 0_usize..400, put in prop::option::of("null|7|\"x\"|\\{|\\{\\}|\\[|,|"),
        ) {
            let text = serde_json::to_string(&whole).unwrap();
            let text = put.map_or_else(|| text.clone(), |put| broken(&text, at, &put));
            let plain = |read: serde_json::Result<Whole>| read.map(|whole| format!("{whole:?}")).map_err(|e| e.to_string());
            let (serdes, ours) = (plain(serde_json::from_str(&text)), plain(read(&text)));
            // But where it has an array in the place of a struct: there serde counts its items.
            let counts = |error: &String| error.contains("invalid length") || error.contains("invalid type: sequence");
            prop_assert!(serdes == ours || ours.as_ref().is_err_and(counts), "{text}: {serdes:?}, {ours:?}");
        }
    }

    #[test]
    fn an_array_is_no_struct_at_any_depth() {
        let part = r#"{"share":1,"kind":"Unit"}"#;
        assert!(read::<Part>(part).is_ok() && serde_json::from_str::<Part>(r#"[1,"Unit"]"#).is_ok());
        for text in [r#"[1,"Unit"]"#, r#"{"share":1,"kind":{"Struct":["a"]}}"#] {
            assert!(read::<Part>(text).unwrap_err().to_string().starts_with("invalid type: sequence"), "{text}");
        }
        assert!(read::<Vec<Part>>(&format!("[{part}]")).is_ok() && read::<Vec<Part>>(r#"[[1,"Unit"]]"#).is_err());
        assert!(read::<Option<Part>>(part).is_ok() && read::<Option<Part>>(r#"[1,"Unit"]"#).is_err());
    }

    #[test]
    fn what_comes_after_the_value_is_an_error() {
        assert!(read::<Value>("{} ").is_ok() && read::<Value>("{} {}").is_err() && read::<Value>("").is_err());
    }
}
