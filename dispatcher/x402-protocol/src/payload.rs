//! The parts that both generations of payment have in common on the way in: JSON of a bounded depth, a version that is
//! the header's, members that no reader can take for others, and a signed transfer.
//!
//! Surprising constraint: a payment that another reader could read in another way is refused, even where our own reading
//! of it is good. Facilitators read what we forward in their own languages, and a sale must be of the payment that they see.

use crate::{
    ExactEvmPayload, Version, header,
    json::{
        self, Misnamed,
        members::{At, BadMember},
        node::Node,
        shape::{self, Shape},
    },
};

/// Why a header is no payment. The text names the member and repeats nothing of what stands in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    #[error(transparent)]
    Header(#[from] header::HeaderError),
    #[error("payment is not JSON: line {line}, column {column}")]
    NotJson { line: usize, column: usize },
    #[error("payment nests deeper than {max}", max = json::MAX_DEPTH)]
    TooDeep,
    #[error("x402Version is missing, or not the header's, or not written as a plain integer")]
    Version,
    #[error("{} {}", .0.path, .0.fault)]
    Misnamed(Misnamed),
    #[error(transparent)]
    Member(#[from] BadMember),
}

impl From<Misnamed> for PayloadError {
    fn from(misnamed: Misnamed) -> Self {
        Self::Misnamed(misnamed)
    }
}

/// The document of a payment in this version, once its members' names are beyond doubt.
pub(crate) fn document(text: &str, version: Version, shape: &Shape) -> Result<Node, PayloadError> {
    let document = read(text)?;
    shape::unambiguous(&document)?;
    // `2.0` and `2e0` are other numbers to a strict reader, and text to none: only the integer will do.
    let named = match document.member("x402Version") {
        Some(Node::Number(number)) => number.as_u64(),
        _ => None,
    };
    if named != Some(version.number()) {
        return Err(PayloadError::Version);
    }
    shape::check(&document, shape)?;
    Ok(document)
}

/// JSON of a bounded depth.
pub(crate) fn read(text: &str) -> Result<Node, PayloadError> {
    if !json::depth_fits(text) {
        return Err(PayloadError::TooDeep);
    }
    Node::read(text).map_err(|error| PayloadError::NotJson { line: error.line(), column: error.column() })
}

/// The signed transfer in `payload`.
pub(crate) fn exact(root: &At<'_>) -> Result<ExactEvmPayload, BadMember> {
    root.member("payload", |at| ExactEvmPayload::read(&at))
}
