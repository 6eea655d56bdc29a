//! What both generations of payment have in common on the way in: JSON of a bounded depth, a version that is the header's,
//! and a shape.
//!
//! The JSON text is kept as the client sent it and goes to facilitators verbatim: fields we do not know survive, and a
//! retry is byte for byte the same. What we decide on is parsed from that text with duplicate keys refused, so that a
//! facilitator cannot read another payment out of it than we did.

use crate::{Version, header, json};
use serde::de::DeserializeOwned;
use serde_json::{Value, value::RawValue};

/// Why a header is no payment. The text names what is wrong and where, and repeats nothing of the header.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    #[error(transparent)]
    Header(#[from] header::HeaderError),
    #[error("payment is not JSON: line {line}, column {column}")]
    NotJson { line: usize, column: usize },
    #[error("payment nests deeper than {max}", max = json::MAX_DEPTH)]
    TooDeep,
    #[error("x402Version is missing, or not the header's")]
    Version,
    #[error("payment has another shape than an exact payment on EVM: {0}")]
    Shape(String),
}

/// The text as it came, and what `T` takes from it.
pub(crate) fn parse<T: DeserializeOwned>(text: &str, version: Version) -> Result<(Box<RawValue>, T), PayloadError> {
    if !json::depth_fits(text) {
        return Err(PayloadError::TooDeep);
    }
    let value: Value =
        json::read(text).map_err(|error| PayloadError::NotJson { line: error.line(), column: error.column() })?;
    if value.get("x402Version").and_then(Value::as_u64) != Some(version.number()) {
        return Err(PayloadError::Version);
    }
    let wire = json::read(text).map_err(shape)?;
    Ok((RawValue::from_string(text.to_owned()).map_err(shape)?, wire))
}

fn shape(error: serde_json::Error) -> PayloadError {
    PayloadError::Shape(error.to_string())
}
