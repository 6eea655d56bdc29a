//! The bodies of a file's functions, one for each bug that changes them.

use super::{
    misfit::Why,
    source::{Constant, Function, Source, words},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    ops::Range,
};
use syn::{Block, ItemConst};

/// The beginning of every mark.
const MARK: &str = "/* bug: ";
/// The mark of code without a bug.
const RIGHT: &str = "none";

/// The text of a bug in the place of the right text.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    pub bug: &'a str,
    pub range: Range<usize>,
    pub wrong: &'a str,
}

/// A file with what bugs change in it.
pub struct Variants<'a> {
    pub source: &'a Source,
    protocol: &'a str,
    /// By where a body begins.
    bodies: BTreeMap<usize, Body<'a>>,
    /// The changes in constants, by bug and constant.
    constants: BTreeMap<(&'a str, usize), Vec<Change<'a>>>,
}

/// The body of a function, of a closure, or an async block.
struct Body<'a> {
    function: &'a str,
    range: Range<usize>,
    is_block: bool,
    begins: String,
    by_bug: BTreeMap<&'a str, Rewritten<'a>>,
}

/// How a bug rewrites a body.
#[derive(Default)]
struct Rewritten<'a> {
    changes: Vec<Change<'a>>,
    /// Constants that are others.
    constants: BTreeSet<&'a str>,
}

impl<'a> Variants<'a> {
    pub fn new(source: &'a Source, protocol: &'a str) -> Self {
        Self { source, protocol, bodies: BTreeMap::new(), constants: BTreeMap::new() }
    }

    /// Takes up a change where it stands.
    pub fn add(&mut self, change: Change<'a>) -> Result<(), Why> {
        let source = self.source;
        let line = source.line_of(change.range.start);
        if source.tests.iter().any(|tests| encloses(tests, &change.range)) {
            return Err(Why::InTests { line });
        }
        let has = |function: &&Function| encloses(&function.body, &change.range);
        if let Some(function) = source.functions.iter().find(has) {
            let (range, is_block) = place(function, &change)?;
            let rewritten = self.body(&function.name, range, is_block).by_bug.entry(change.bug).or_default();
            return put(&mut rewritten.changes, change, line);
        }
        if let Some(at) = source.constants.iter().position(|constant| encloses(&constant.item, &change.range)) {
            return put(self.constants.entry((change.bug, at)).or_default(), change, line);
        }
        let is_macro = source.macros.iter().any(|called| encloses(called, &change.range));
        Err(if is_macro { Why::InMacro { line } } else { Why::OutsideFunctions { line } })
    }

    /// The constants that bugs change.
    pub fn changed_constants(&self) -> Vec<(&'a str, &'a Constant)> {
        self.constants.keys().map(|(bug, at)| (*bug, &self.source.constants[*at])).collect()
    }

    /// Lets a function use the constant as it is with the bug.
    pub fn use_changed(&mut self, function: &'a Function, bug: &'a str, constant: &'a str) {
        let body = self.body(&function.name, function.body.clone(), true);
        body.by_bug.entry(bug).or_default().constants.insert(constant);
    }

    /// Lets a function begin with a statement, whatever bites.
    pub fn begin(&mut self, function: &'a Function, statement: String) {
        self.body(&function.name, function.body.clone(), true).begins = statement;
    }

    fn body(&mut self, function: &'a str, range: Range<usize>, is_block: bool) -> &mut Body<'a> {
        let new = || Body { function, range: range.clone(), is_block, begins: String::new(), by_bug: BTreeMap::new() };
        self.bodies.entry(range.start).or_insert_with(new)
    }

    /// The file's text with all bugs in it, or which one leaves no Rust behind.
    pub fn write(&self) -> Result<String, (String, Why)> {
        let mut pieces = Vec::new();
        for body in self.bodies.values() {
            pieces.push((body.range.clone(), self.write_body(body)?));
        }
        for ((bug, at), changes) in &self.constants {
            let constant = &self.source.constants[*at];
            let text = self.write_constant(bug, constant, changes)?;
            pieces.push((constant.item.end..constant.item.end, text));
        }
        pieces.sort_by_key(|(range, _)| range.start);
        Ok(replaced(&self.source.text, 0, pieces.iter().map(|(range, text)| (range, text.as_str()))))
    }

    fn write_body(&self, body: &Body<'_>) -> Result<String, (String, Why)> {
        let block = |text: String| if body.is_block { text } else { format!("{{ {text} }}") };
        let right = &self.source.text[body.range.clone()];
        let mut text = format!("{{ {}", body.begins);
        for (bug, rewritten) in &body.by_bug {
            let changes = rewritten.changes.iter().map(|change| (&change.range, change.wrong));
            let mut wrong = replaced(right, body.range.start, changes);
            for constant in &rewritten.constants {
                wrong = renamed(&wrong, constant, &name_with(constant, bug));
            }
            let wrong = block(wrong);
            if let Err(error) = syn::parse_str::<Block>(&wrong) {
                let function = body.function.to_owned();
                return Err(((*bug).to_owned(), Why::Broken { function, error: error.to_string() }));
            }
            // Writing to a String cannot fail.
            let _ = write!(text, "if {}::planted::has(\"{bug}\") {} {wrong} else ", self.protocol, mark(bug));
        }
        Ok(format!("{text}{} {} }}", mark(RIGHT), block(right.to_owned())))
    }

    fn write_constant(&self, bug: &str, constant: &Constant, changes: &[Change<'_>]) -> Result<String, (String, Why)> {
        let right = &self.source.text[constant.item.clone()];
        let wrong = replaced(right, constant.item.start, changes.iter().map(|change| (&change.range, change.wrong)));
        if let Err(error) = syn::parse_str::<ItemConst>(&wrong) {
            let function = constant.name.clone();
            return Err((bug.to_owned(), Why::Broken { function, error: error.to_string() }));
        }
        let wrong = renamed(&wrong, &constant.name, &name_with(&constant.name, bug));
        Ok(format!(" {} {wrong} {}", mark(bug), mark(RIGHT)))
    }
}

/// The comment before the code of a bug, and before that of none.
fn mark(bug: &str) -> String {
    format!("{MARK}{bug} */")
}

/// The bug that a place in a planted text belongs to.
pub fn bug_at(text: &str, at: usize) -> Option<&str> {
    let (_, rest) = text[..at].rsplit_once(MARK)?;
    let (bug, _) = rest.split_once(" */")?;
    (bug != RIGHT).then_some(bug)
}

/// Which body gets a variant for the change.
fn place(function: &Function, change: &Change<'_>) -> Result<(Range<usize>, bool), Why> {
    if function.is_const {
        return Err(Why::ConstFunction { function: function.name.clone() });
    }
    if !function.has_hidden_type {
        return Ok((function.body.clone(), true));
    }
    let inner = function.inner.iter().find(|inner| encloses(inner, &change.range));
    inner.map(|inner| (inner.clone(), false)).ok_or_else(|| Why::HiddenType { function: function.name.clone() })
}

/// Takes up a change among those of its bug.
fn put<'a>(changes: &mut Vec<Change<'a>>, change: Change<'a>, line: usize) -> Result<(), Why> {
    if changes.iter().any(|other| other.range.start < change.range.end && change.range.start < other.range.end) {
        return Err(Why::Overlapping { line });
    }
    changes.push(change);
    changes.sort_by_key(|change| change.range.start);
    Ok(())
}

fn encloses(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// A text that begins at `offset`, with other pieces in the place of some, which come in their order.
fn replaced<'a>(text: &str, offset: usize, pieces: impl Iterator<Item = (&'a Range<usize>, &'a str)>) -> String {
    let (mut written, mut from) = (String::new(), 0);
    for (range, piece) in pieces {
        written.push_str(&text[from..range.start - offset]);
        written.push_str(piece);
        from = range.end - offset;
    }
    written + &text[from..]
}

fn renamed(text: &str, word: &str, to: &str) -> String {
    let places = words(text, word);
    replaced(text, 0, places.iter().map(|range| (range, to)))
}

/// The constant as it is with the bug.
fn name_with(constant: &str, bug: &str) -> String {
    format!("{constant}__{}", bug.replace('-', "_").to_uppercase())
}
