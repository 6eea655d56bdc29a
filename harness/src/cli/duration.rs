//! A duration on the command line, as scenarios write it.

use std::time::Duration;

/// Reads a duration as scenarios write it.
pub fn duration(text: &str) -> Result<Duration, String> {
    scenario::duration(text).ok_or_else(|| "a whole number of ms, s or m, such as 90s or 10m".to_owned())
}
