//! Proves of a scenario that its seed gives the same run twice: to the byte, event for event.

use crate::{
    play::RunSpec,
    sim::{self, SimError},
};
use reports::event::Recorded;
use serde::Serialize;
use sha3::{Digest, Keccak256};
use x402_protocol::hex;

/// Two runs, compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Twice {
    Same {
        events: usize,
        /// The sum of the whole trace.
        hash: String,
    },
    /// The first event, counted from 0, that they do not share, as JSON; empty where one run had ended.
    Different { at: usize, first: String, second: String },
}

/// Simulates twice. Blocks the thread, on which no other runtime may be running.
pub fn twice(asked: RunSpec<'_>) -> Result<Twice, SimError> {
    let (first, second) = (lines(&sim::simulate(asked)?), lines(&sim::simulate(asked)?));
    Ok(compare(&first, &second))
}

fn lines(history: &[Recorded]) -> Vec<String> {
    history.iter().map(|event| serde_json::to_string(event).expect("events have string keys")).collect()
}

fn compare(first: &[String], second: &[String]) -> Twice {
    let length = first.len().max(second.len());
    let line = |run: &[String], at: usize| run.get(at).cloned().unwrap_or_default();
    match (0..length).find(|at| first.get(*at) != second.get(*at)) {
        Some(at) => Twice::Different { at, first: line(first, at), second: line(second, at) },
        None => Twice::Same { events: length, hash: hex::encode(&Keccak256::digest(first.join("\n"))) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_event_that_differs_is_named_and_a_run_that_ends_early_differs() {
        let run = |events: &[&str]| events.iter().map(|event| (*event).to_owned()).collect::<Vec<_>>();
        let differ = |first: &[&str], second: &[&str]| match compare(&run(first), &run(second)) {
            Twice::Different { at, first, second } => Some((at, first, second)),
            Twice::Same { .. } => None,
        };
        assert_eq!(differ(&["a", "b"], &["a", "b"]), None);
        assert_eq!(differ(&["a", "b"], &["a", "c"]), Some((1, "b".to_owned(), "c".to_owned())));
        assert_eq!(differ(&["a"], &["a", "c"]), Some((1, String::new(), "c".to_owned())));
    }
}
