//! Names of scenarios, tenants, facilitators, phases and traffic. They become hostnames, file names and columns, so the
//! narrowest of those alphabets holds for all: lower-case letters, digits and single hyphens.

use super::{
    limits::MAX_NAME_BYTES,
    problem::{Problem, Problems},
};
use std::fmt;
use toml::Spanned;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `None` where the text is not one.
    pub fn new(text: &str) -> Option<Self> {
        let fine = text.len() <= MAX_NAME_BYTES
            && text.split('-').all(|part| {
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            });
        fine.then(|| Self(text.to_owned()))
    }

    pub fn check(kind: &str, raw: &Spanned<String>, problems: &mut Problems) -> Option<Self> {
        let text = raw.get_ref();
        if let Some(name) = Self::new(text) {
            return Some(name);
        }
        let help = format!("lower-case letters, digits and single hyphens, at most {MAX_NAME_BYTES} bytes");
        problems.add(Problem::new(raw.span(), format!("`{text}` is not a name"), format!("{kind} name")).help(help));
        None
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

/// Reports each name that an earlier one of the list carries already.
pub fn check_unique(kind: &str, names: &[&Spanned<String>], problems: &mut Problems) {
    for (index, name) in names.iter().enumerate() {
        if names[..index].iter().any(|earlier| earlier.get_ref() == name.get_ref()) {
            let what = format!("there are two {kind}s called `{}`", name.get_ref());
            problems.add(Problem::new(name.span(), what, "the second one"));
        }
    }
}
