//! Which members an object may have, so that no reader finds another document in a text than we do.
//!
//! Readers differ in what they make of a name. Most keep the last of two members with one name. Go's `encoding/json` takes
//! a name in another case for the one that it looks for. JavaScript libraries that merge objects fall over `__proto__`.

use super::node::Node;
use std::{collections::BTreeSet, fmt};

/// The members of one object that are known by name.
pub(crate) struct Shape {
    pub members: &'static [(&'static str, Within)],
    pub others: Others,
}

/// How a member's own content is looked at.
pub(crate) enum Within {
    /// Its type is checked by whoever reads it.
    Value,
    Shape(&'static Shape),
}

/// The treatment of members that are not known.
pub(crate) enum Others {
    Refused,
    /// They are not read.
    Kept,
    /// They are data that is passed on: no two names of one object may be one to a reader that ignores case.
    PassedOn,
}

/// A member that another reader would take for something else, or that has no business there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misnamed {
    /// Its place, such as `payload.authorization.value`.
    pub path: String,
    pub fault: NameFault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    #[error("stands there more than once")]
    Repeated,
    #[error("differs from {0} in case alone")]
    OtherCase(&'static str),
    #[error("differs from another member in case alone")]
    SameButCase,
    #[error("is a name with a meaning of its own to some readers")]
    Special,
    #[error("is not a member that a payment has")]
    Unknown,
}

/// Longest part of a path that is repeated.
const MAX_NAME: usize = 40;

/// A place in a document, told from its root.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    above: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Member(&'a str),
    Item(usize),
}

impl Path<'_> {
    pub const ROOT: Path<'static> = Path { above: None, step: Step::Root };

    pub fn member<'a>(&'a self, name: &'a str) -> Path<'a> {
        Path { above: Some(self), step: Step::Member(name) }
    }

    pub fn item(&self, at: usize) -> Path<'_> {
        Path { above: Some(self), step: Step::Item(at) }
    }

    pub fn is_root(&self) -> bool {
        self.above.is_none()
    }
}

/// A name from outside is repeated only if it is short and plain.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(above) = self.above else { return Ok(()) };
        above.fmt(f)?;
        match self.step {
            Step::Root => Ok(()),
            Step::Item(at) => write!(f, "[{at}]"),
            Step::Member(name) => {
                let dot = if above.is_root() { "" } else { "." };
                let is_plain = name.len() <= MAX_NAME
                    && !name.is_empty()
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_$:".contains(&b));
                write!(f, "{dot}{}", if is_plain { name } else { "(a name)" })
            }
        }
    }
}

/// Whether no object at any depth has one name twice, or one that some readers do not take for a name.
pub(crate) fn unambiguous(document: &Node) -> Result<(), Misnamed> {
    once_each(document, &Path::ROOT)
}

/// Whether the members that we read have the names of this shape and no others that could be taken for them.
pub(crate) fn check(document: &Node, shape: &Shape) -> Result<(), Misnamed> {
    fits(document, shape, &Path::ROOT)
}

fn once_each(node: &Node, path: &Path<'_>) -> Result<(), Misnamed> {
    match node {
        Node::Object(members) => {
            let mut seen = BTreeSet::new();
            for (name, value) in members {
                let path = path.member(name);
                if !seen.insert(name.as_str()) {
                    return Err(misnamed(&path, NameFault::Repeated));
                }
                if name == "__proto__" || name.starts_with("$serde_json::") {
                    return Err(misnamed(&path, NameFault::Special));
                }
                once_each(value, &path)?;
            }
            Ok(())
        }
        Node::List(items) => items.iter().enumerate().try_for_each(|(at, item)| once_each(item, &path.item(at))),
        _ => Ok(()),
    }
}

fn fits(node: &Node, shape: &Shape, path: &Path<'_>) -> Result<(), Misnamed> {
    let Node::Object(members) = node else { return Ok(()) };
    if matches!(shape.others, Others::PassedOn) {
        names_differ(members, path)?;
    }
    for (name, value) in members {
        let path = path.member(name);
        match shape.members.iter().find(|(known, _)| known == name) {
            Some((_, Within::Value)) => {}
            Some((_, Within::Shape(shape))) => fits(value, shape, &path)?,
            None => {
                if let Some((known, _)) = shape.members.iter().find(|(known, _)| fold(known) == fold(name)) {
                    return Err(misnamed(&path, NameFault::OtherCase(known)));
                }
                match shape.others {
                    Others::Refused => return Err(misnamed(&path, NameFault::Unknown)),
                    Others::Kept => {}
                    Others::PassedOn => one_to_all(value, &path)?,
                }
            }
        }
    }
    Ok(())
}

/// Whether no two names of one object, at any depth, are one to a reader that ignores case.
fn one_to_all(node: &Node, path: &Path<'_>) -> Result<(), Misnamed> {
    match node {
        Node::Object(members) => {
            names_differ(members, path)?;
            members.iter().try_for_each(|(name, value)| one_to_all(value, &path.member(name)))
        }
        Node::List(items) => items.iter().enumerate().try_for_each(|(at, item)| one_to_all(item, &path.item(at))),
        _ => Ok(()),
    }
}

fn names_differ(members: &[(String, Node)], path: &Path<'_>) -> Result<(), Misnamed> {
    let mut seen = BTreeSet::new();
    members.iter().try_for_each(|(name, _)| {
        if seen.insert(fold(name)) { Ok(()) } else { Err(misnamed(&path.member(name), NameFault::SameButCase)) }
    })
}

fn misnamed(path: &Path<'_>, fault: NameFault) -> Misnamed {
    Misnamed { path: path.to_string(), fault }
}

/// The name as a reader knows it that ignores case, as Go's `strings.EqualFold` does. Two letters beyond ASCII fold into
/// it: the long s and the Kelvin sign.
pub(crate) fn fold(name: &str) -> String {
    let letters = name.chars().map(|letter| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other,
    });
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INNER: Shape = Shape { members: &[("signature", Within::Value)], others: Others::Refused };
    const OUTER: Shape = Shape {
        members: &[("payload", Within::Shape(&INNER)), ("network", Within::Value), ("info", Within::Shape(&DATA))],
        others: Others::Kept,
    };
    const DATA: Shape = Shape { members: &[("id", Within::Value)], others: Others::PassedOn };

    fn told(text: &str) -> Option<(String, NameFault)> {
        let document = Node::read(text).unwrap();
        let told = unambiguous(&document).and_then(|()| check(&document, &OUTER));
        told.err().map(|Misnamed { path, fault }| (path, fault))
    }

    #[test]
    fn a_name_twice_is_refused_at_any_depth_and_in_any_spelling() {
        use NameFault::{Repeated, Special};
        for (text, path, fault) in [
            (r#"{"network":1,"network":1}"#, "network", Repeated),
            (r#"{"network":1,"net\u0077ork":1}"#, "network", Repeated),
            (r#"{"x":[0,{"a":{"b":1,"b":1}}]}"#, "x[1].a.b", Repeated),
            (r#"{"info":{"__proto__":{}}}"#, "info.__proto__", Special),
            (r#"{"x":{"$serde_json::private::RawValue":"1"}}"#, "x.$serde_json::private::RawValue", Special),
        ] {
            assert_eq!(told(text), Some((path.to_owned(), fault)), "{text}");
        }
    }

    #[test]
    fn a_name_in_another_case_is_refused_where_we_read() {
        use NameFault::{OtherCase, SameButCase, Unknown};
        for (text, path, fault) in [
            (r#"{"Network":1}"#, "Network", OtherCase("network")),
            ("{\"networ\u{212a}\":1}", "(a name)", OtherCase("network")),
            ("{\"payload\":{\"\u{17f}ignature\":1}}", "payload.(a name)", OtherCase("signature")),
            (r#"{"payload":{"hint":1}}"#, "payload.hint", Unknown),
            (r#"{"info":{"Id":2}}"#, "info.Id", OtherCase("id")),
            (r#"{"info":{"a":2,"A":2}}"#, "info.A", SameButCase),
            (r#"{"info":{"x":[{"a":1,"A":2}]}}"#, "info.x[0].A", SameButCase),
        ] {
            assert_eq!(told(text), Some((path.to_owned(), fault)), "{text}");
        }
        for text in [r#"{"note":{"a":1,"A":2},"NOTE":3}"#, r#"{"payload":null}"#, r#"{"payload":[{"hint":1}]}"#, "[]"] {
            assert_eq!(told(text), None, "{text}");
        }
    }

    #[test]
    fn a_long_or_odd_name_is_not_repeated() {
        let text = format!(r#"{{"{0}":1,"{0}":1}}"#, "a".repeat(500));
        assert_eq!(told(&text).unwrap().0, "(a name)");
    }
}
