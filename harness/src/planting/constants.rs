//! Constants that bugs change: the functions that use one use another with the bug, and nothing else may need it, because the
//! compiler evaluates it before a bug is chosen.

use super::{
    Texts, Why,
    source::{Constant, Source},
    variants::Variants,
};
use std::ops::Range;

/// Lets all functions of the file use the changed constants, or says which bug cannot be planted, and why.
pub fn follow(variants: &mut Variants<'_>, file: &str, sources: &Texts) -> Vec<(String, Why)> {
    let mut misfits = Vec::new();
    for (bug, constant) in variants.changed_constants() {
        if let Err(why) = follow_one(variants, bug, constant, file, sources) {
            misfits.push((bug.to_owned(), why));
        }
    }
    misfits
}

fn follow_one<'a>(
    variants: &mut Variants<'a>,
    bug: &'a str,
    constant: &'a Constant,
    file: &str,
    sources: &Texts,
) -> Result<(), Why> {
    let (source, name) = (variants.source, constant.name.as_str());
    if constant.is_of_trait {
        return Err(Why::ConstantOfTrait { constant: name.to_owned() });
    }
    if source.constants.iter().filter(|other| other.name == name).count() > 1 {
        return Err(Why::ConstantTwice { constant: name.to_owned() });
    }
    let used_elsewhere = |file: &str, line| {
        let (constant, file) = (name.to_owned(), file.to_owned());
        Err(Why::ConstantUsedElsewhere { constant, file, line })
    };
    for place in source.words(name) {
        let within = |range: &Range<usize>| range.contains(&place.start);
        if within(&constant.item) || source.tests.iter().any(within) {
            continue;
        }
        let Some(function) = source.functions.iter().find(|function| within(&function.body)) else {
            return used_elsewhere(file, source.line_of(place.start));
        };
        let function_name = || function.name.clone();
        if function.is_const {
            return Err(Why::ConstFunction { function: function_name() });
        }
        if function.has_hidden_type {
            return Err(Why::HiddenType { function: function_name() });
        }
        variants.use_changed(function, bug, name);
    }
    let others = sources.iter().filter(|(other, text)| {
        other.as_str() != file && may_name(other, file, constant) && text.contains(name) && !is_for_tests(other)
    });
    for (other, text) in others {
        let source = Source::parse(text.clone()).map_err(|error| Why::NotRust(error.to_string()))?;
        let in_tests = |place: &Range<usize>| source.tests.iter().any(|tests| tests.contains(&place.start));
        if let Some(place) = source.words(name).into_iter().find(|place| !in_tests(place)) {
            return used_elsewhere(other, source.line_of(place.start));
        }
    }
    Ok(())
}

/// Whether the code of a file can name the constant of another: one that is private, its module's own modules alone.
fn may_name(other: &str, file: &str, constant: &Constant) -> bool {
    let module = file
        .strip_suffix("mod.rs")
        .or(file.strip_suffix("lib.rs"))
        .map_or_else(|| format!("{}/", file.trim_end_matches(".rs")), str::to_owned);
    !constant.is_private || other.starts_with(&module)
}

/// Tells whether a file is one of tests, by its name in this workspace.
fn is_for_tests(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.ends_with("_tests.rs") || file.contains("/tests/")
}
