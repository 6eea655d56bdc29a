//! The `payment-identifier` extension: the client's own key for one purchase, so that a second payment for the same
//! purchase is noticed (`specs/extensions/payment_identifier.md`).
//!
//! An identifier is a name and not a secret: whoever knows it may not collect anything by it alone.

use crate::text::text_on_the_wire;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{fmt, str::FromStr};

/// Key of the extension.
pub const PAYMENT_IDENTIFIER: &str = "payment-identifier";

/// The lengths that the specification allows; long enough that two clients do not draw the same by chance.
const LENGTHS: std::ops::RangeInclusive<usize> = 16..=128;

/// A checked identifier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PaymentIdentifier(String);

/// Whether a price wants payments to carry an identifier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdentifierRule {
    Required,
    #[default]
    Optional,
    /// Not offered, and not looked at where one comes.
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    #[error("payment-identifier.info.id is not a string")]
    NotText,
    #[error("payment-identifier.info.id must have 16 to 128 letters, digits, - or _")]
    Grammar,
}

impl PaymentIdentifier {
    /// The identifier among a payment's extensions, if the client sent one. The extension without an id is an echo of the
    /// offer and no identifier.
    pub fn among(extensions: Option<&Map<String, Value>>) -> Result<Option<Self>, IdentifierError> {
        let extension = extensions.and_then(|extensions| extensions.get(PAYMENT_IDENTIFIER));
        match extension.and_then(|extension| extension.get("info")).and_then(|info| info.get("id")) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(id)) => id.parse().map(Some),
            Some(_) => Err(IdentifierError::NotText),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl IdentifierRule {
    /// The extension as an offer declares it, schema included: the reference client appends an id only to a declaration of
    /// this shape.
    #[must_use]
    pub fn declaration(self) -> Option<(String, Value)> {
        let required = match self {
            Self::Required => true,
            Self::Optional => false,
            Self::Off => return None,
        };
        let id = json!({
            "type": "string",
            "minLength": LENGTHS.start(),
            "maxLength": LENGTHS.end(),
            "pattern": "^[a-zA-Z0-9_-]+$",
        });
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {"required": {"type": "boolean"}, "id": id},
            "required": ["required"],
        });
        Some((PAYMENT_IDENTIFIER.to_owned(), json!({"info": {"required": required}, "schema": schema})))
    }
}

impl FromStr for PaymentIdentifier {
    type Err = IdentifierError;
    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let fits =
            LENGTHS.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if fits { Ok(Self(text.to_owned())) } else { Err(IdentifierError::Grammar) }
    }
}

impl fmt::Display for PaymentIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_on_the_wire!(PaymentIdentifier);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_grammar_of_the_specification_and_nothing_else() {
        let long = "a".repeat(129);
        assert!("pay_7d5d747be160e280504c099d984bcfe0".parse::<PaymentIdentifier>().is_ok());
        assert!(
            "Az09_-Az09_-Az09".parse::<PaymentIdentifier>().is_ok() && long[1..].parse::<PaymentIdentifier>().is_ok()
        );
        for bad in ["", "fifteen-letters", &long, "with a space in it", "slash/slash/slash", "ümlaut-ümlaut-ümlaut"]
        {
            assert_eq!(bad.parse::<PaymentIdentifier>(), Err(IdentifierError::Grammar), "{bad:?}");
        }
    }

    #[test]
    fn an_echo_without_an_id_is_no_identifier_and_a_number_is_a_mistake() {
        let among = |info: Value| {
            let extensions = json!({PAYMENT_IDENTIFIER: {"info": info}});
            PaymentIdentifier::among(extensions.as_object())
        };
        assert_eq!(PaymentIdentifier::among(None), Ok(None));
        assert_eq!(among(json!({"required": false})), Ok(None));
        assert_eq!(among(json!({"id": 7})), Err(IdentifierError::NotText));
        assert_eq!(among(json!({"id": "short"})), Err(IdentifierError::Grammar));
        assert!(
            matches!(among(json!({"id": "long-enough-to-do"})), Ok(Some(id)) if id.as_str() == "long-enough-to-do")
        );
    }
}
