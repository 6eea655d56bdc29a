//! The name that was probably meant, for hints.

/// How alike two names must be (Jaro-Winkler, 0 to 1) for one to be offered for the other.
const ALIKE: f64 = 0.75;

/// The name that was probably meant, if any comes near.
pub fn nearest<'a>(wanted: &str, alternatives: &[&'a str]) -> Option<&'a str> {
    alternatives
        .iter()
        .map(|name| (strsim::jaro_winkler(wanted, name), *name))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}
