//! Which scenarios of a library are meant: those of a profile, of any of some tags, of both, or all.

use super::{Scenario, library_error::LibraryError, profile::Profile};
use grammar::nearest;
use std::collections::BTreeSet;

/// Without a profile and a tag: everything.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    pub profile: Option<Profile>,
    /// A scenario with any of them is meant.
    pub tags: Vec<String>,
}

impl Selection {
    pub(super) fn of(&self, scenarios: Vec<Scenario>) -> Result<Vec<Scenario>, LibraryError> {
        let known: BTreeSet<String> = scenarios.iter().flat_map(Scenario::tags).map(ToString::to_string).collect();
        if let Some(unknown) = self.tags.iter().find(|tag| !known.contains(*tag)) {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let meant = nearest(unknown, &known).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            let help = format!("{meant}There is: {}", known.join(", "));
            return Err(LibraryError::UnknownTag { tag: unknown.clone(), help });
        }
        let meant: Vec<Scenario> = scenarios.into_iter().filter(|scenario| self.has(scenario)).collect();
        if meant.is_empty() { Err(LibraryError::NothingSelected) } else { Ok(meant) }
    }

    fn has(&self, scenario: &Scenario) -> bool {
        let tagged = |tag: &String| scenario.tags().iter().any(|own| own.as_str() == tag);
        self.profile.is_none_or(|profile| profile.runs(scenario.profile()))
            && (self.tags.is_empty() || self.tags.iter().any(tagged))
    }
}
