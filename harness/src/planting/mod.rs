//! Plants bugs in a copy of the sources: all of them in one build, with a switch that says at run time which one bites.
//!
//! Every function that a bug changes gets one body a bug, and its own: `{ if has("a") { .. } else if has("b") { .. } else { .. } }`.
//! So the edits of several bugs may overlap, and a bug may change several functions. Texts are cut by byte ranges, so that
//! nothing else of a file changes. Surprising: a constant gets a second one beside it, and the functions that use it change.

mod bug;
mod constants;
pub mod copy;
mod crates;
mod misfit;
mod source;
mod variants;

#[cfg(test)]
mod tests;

pub use bug::{Bug, BugError, Edit};
pub use crates::{CRATES, VARIABLE};
pub use misfit::{Misfit, Why};

use crates::{Crate, HARNESS_SWITCH, HARNESS_SWITCH_TEXT, START, SWITCH, SWITCH_IN};
use scenario::Tier;
use source::{Source, line_of};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};
use variants::{Change, Variants};

/// Texts by their paths from the workspace's folder, with `/` between folders.
pub type Texts = BTreeMap<String, String>;

/// The files that are others once the bugs are planted. `sources` are those below the folders of [`CRATES`].
pub fn plant(sources: &Texts, bugs: &[Bug]) -> Result<Texts, Vec<Misfit>> {
    let mut misfits = Vec::new();
    let mut changes: BTreeMap<&str, Vec<Change<'_>>> = BTreeMap::new();
    for (bug, edit) in bugs.iter().flat_map(|bug| bug.edits.iter().map(move |edit| (bug, edit))) {
        match locate(sources, bug, edit) {
            Ok(range) => {
                let change = Change { bug: &bug.name, range, wrong: &edit.wrong };
                changes.entry(&edit.file).or_default().push(change);
            }
            Err(why) => misfits.push(Misfit { bug: bug.name.clone(), file: edit.file.clone(), why }),
        }
    }
    for file in [START.file, SWITCH_IN] {
        changes.entry(file).or_default();
    }
    let mut planted = Texts::from([(HARNESS_SWITCH.to_owned(), HARNESS_SWITCH_TEXT.to_owned())]);
    for (file, changes) in changes {
        match plant_in(file, sources, changes) {
            Ok(text) => drop(planted.insert(file.to_owned(), text)),
            Err(found) => misfits.extend(found),
        }
    }
    if misfits.is_empty() { Ok(planted) } else { Err(misfits) }
}

/// The bugs whose code a compiler's log finds wrong.
#[must_use]
pub fn found_wrong<'a>(log: &str, planted: &'a Texts) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    for line in log.lines() {
        let Some(place) = line.trim_start().strip_prefix("--> ") else { continue };
        let mut parts = place.rsplitn(3, ':');
        let (column, line, file) = (parts.next(), parts.next(), parts.next());
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<usize>().ok());
        let (Some(column), Some(line), Some(file)) = (number(column), number(line), file) else { continue };
        let Some(text) = planted.get(file) else { continue };
        let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let within = text[before..].char_indices().nth(column.saturating_sub(1)).map_or(0, |(at, _)| at);
        found.extend(variants::bug_at(text, before + within));
    }
    found
}

/// The place of the right text.
fn locate(sources: &Texts, bug: &Bug, edit: &Edit) -> Result<Range<usize>, Why> {
    let Some(of) = Crate::of(&edit.file) else {
        let folders: Vec<_> = CRATES.iter().map(|of| of.sources).collect();
        return Err(Why::NotRun(folders.join(", ")));
    };
    match of.only {
        Some(Tier::Live) if bug.tier == Tier::Sim => return Err(Why::NotSimulated),
        Some(Tier::Sim) if bug.tier == Tier::Live => return Err(Why::NotLive),
        _ => {}
    }
    let text = sources.get(&edit.file).ok_or_else(|| Why::Unreadable("there is none".to_owned()))?;
    let right = edit.right.as_str();
    if right.trim().is_empty() {
        return Err(Why::Empty);
    }
    if right == edit.wrong {
        return Err(Why::Same);
    }
    // Places may overlap, so each byte may begin one.
    let found: Vec<_> = text.char_indices().map(|(at, _)| at).filter(|at| text[*at..].starts_with(right)).collect();
    match found[..] {
        [] => Err(Why::Missing { right: right.to_owned() }),
        [at] => Ok(at..at + right.len()),
        _ => Err(Why::Ambiguous { lines: found.iter().map(|at| line_of(text, *at)).collect() }),
    }
}

fn plant_in(file: &str, sources: &Texts, changes: Vec<Change<'_>>) -> Result<String, Vec<Misfit>> {
    let misfit = |bug: &str, why| Misfit { bug: bug.to_owned(), file: file.to_owned(), why };
    // What no bug changes must be there all the same, or no bug bites.
    let named = changes.first().map_or("(the switch)", |change| change.bug).to_owned();
    let text = sources.get(file).ok_or_else(|| vec![misfit(&named, Why::Unreadable("there is none".to_owned()))])?;
    let source = Source::parse(text.clone()).map_err(|error| vec![misfit(&named, Why::NotRust(error.to_string()))])?;
    let protocol = Crate::of(file).map_or("crate", |of| of.protocol);
    let mut variants = Variants::new(&source, protocol);
    let mut misfits = Vec::new();
    for change in changes {
        let bug = change.bug;
        if let Err(why) = variants.add(change) {
            misfits.push(misfit(bug, why));
        }
    }
    misfits.extend(constants::follow(&mut variants, file, sources).into_iter().map(|(bug, why)| misfit(&bug, why)));
    if file == START.file {
        let starts = |at: &&source::Function| {
            at.name == START.function && at.first_parameter.as_deref() == Some(START.parameter)
        };
        match source.functions.iter().find(starts) {
            Some(function) => variants.begin(function, START.says()),
            None => misfits.push(misfit(&named, Why::NoStart { function: START.function })),
        }
    }
    let planted = variants.write().map_err(|(bug, why)| vec![misfit(&bug, why)]);
    match planted {
        Ok(text) if misfits.is_empty() => Ok(if file == SWITCH_IN { text + SWITCH } else { text }),
        Ok(_) => Err(misfits),
        Err(broken) => Err(misfits.into_iter().chain(broken).collect()),
    }
}
