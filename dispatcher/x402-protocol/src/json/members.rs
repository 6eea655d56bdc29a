//! Members of a document as checked types. An error names the member, and repeats nothing of what stands in it.

use super::{
    node::{Node, map_of},
    shape::Path,
};
use serde_json::{Map, Value};
use std::{fmt::Display, str::FromStr};

/// A member that does not hold what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path} {what}")]
pub struct BadMember {
    /// Its place, such as `payload.authorization.value`.
    pub path: String,
    pub what: String,
}

/// A place in a document, with what stands there.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub node: Option<&'a Node>,
    pub path: &'a Path<'a>,
}

impl<'a> At<'a> {
    /// Calls `read` with the member of that name, be it there or not.
    pub fn member<T>(&self, name: &str, read: impl FnOnce(At<'_>) -> T) -> T {
        let node = self.node.and_then(|node| node.member(name));
        read(At { node, path: &self.path.member(name) })
    }

    pub fn bad(&self, what: impl Display) -> BadMember {
        let path = if self.path.is_root() { "document".to_owned() } else { self.path.to_string() };
        BadMember { path, what: what.to_string() }
    }

    /// Whether there is a member at all, be it `null`.
    pub fn is_there(&self) -> bool {
        self.node.is_some()
    }

    /// The same, with `null` for absence.
    pub fn if_not_null(self) -> Option<Self> {
        (!matches!(self.node, None | Some(Node::Null))).then_some(self)
    }

    fn there(&self) -> Result<&'a Node, BadMember> {
        self.node.ok_or_else(|| self.bad("is missing"))
    }

    pub fn object(&self) -> Result<&'a [(String, Node)], BadMember> {
        match self.there()? {
            Node::Object(members) => Ok(members),
            _ => Err(self.bad("is not an object")),
        }
    }

    pub fn map(&self) -> Result<Map<String, Value>, BadMember> {
        self.object().map(map_of)
    }

    pub fn items(&self) -> Result<&'a [Node], BadMember> {
        match self.there()? {
            Node::List(items) => Ok(items),
            _ => Err(self.bad("is not a list")),
        }
    }

    pub fn text(&self) -> Result<&'a str, BadMember> {
        match self.there()? {
            Node::Text(text) => Ok(text),
            _ => Err(self.bad("is not text")),
        }
    }

    pub fn number(&self) -> Result<f64, BadMember> {
        match self.there()? {
            Node::Number(number) => number.as_f64().ok_or_else(|| self.bad("is out of range")),
            _ => Err(self.bad("is not a number")),
        }
    }

    /// The text of the member, parsed.
    pub fn parsed<T: FromStr<Err: Display>>(&self) -> Result<T, BadMember> {
        self.text()?.parse().map_err(|error| self.bad(error))
    }

    pub fn text_at(&self, name: &str) -> Result<String, BadMember> {
        self.member(name, |at| at.text().map(str::to_owned))
    }

    pub fn parsed_at<T: FromStr<Err: Display>>(&self, name: &str) -> Result<T, BadMember> {
        self.member(name, |at| at.parsed())
    }
}
