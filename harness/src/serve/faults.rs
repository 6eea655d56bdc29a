//! The faults of a world that is served: typed by a person, switched on the doubles' scripts, and told in the history, so that
//! whoever reads it knows what was wrong on purpose.

use std::sync::{Arc, Mutex, PoisonError};

use reports::event::Event;

use super::control::ToldFault;
use doubles::{FaultSpec, Script, Switched};
use journal::Journal;
use scenario::TypedFault;

/// The doubles' scripts, by the name of the facilitator.
pub struct Switchboard {
    scripts: Vec<(String, Arc<Script>)>,
    journal: Journal,
    /// How many were switched on.
    count: Mutex<usize>,
}

impl Switchboard {
    pub fn new(scripts: Vec<(String, Arc<Script>)>, journal: Journal) -> Self {
        Self { scripts, journal, count: Mutex::default() }
    }

    /// Switches on what the words say.
    pub fn add(&self, words: &str) -> Result<ToldFault, String> {
        if self.scripts.is_empty() {
            return Err("its facilitators are no doubles, and cannot be made to fail".to_owned());
        }
        let names: Vec<&str> = self.scripts.iter().map(|(name, _)| name.as_str()).collect();
        let typed = TypedFault::parse(words, &names)?;
        let now_us = self.now_us();
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let spec = typed.spec(*count, 0, now_us);
        *count += 1;
        let (_, script) = self.scripts.iter().find(|(name, _)| *name == typed.on).expect("the words name a double");
        self.journal.record(Event::FaultStarted { fault: spec.fault.clone() });
        let told = told(&spec, 0, now_us);
        script.add(spec);
        Ok(told)
    }

    /// Those that are on.
    pub fn list(&self) -> Vec<ToldFault> {
        let now_us = self.now_us();
        self.all(|script| script.on(now_us), now_us)
    }

    /// Ends those that are on, and says which they were.
    pub fn clear(&self) -> Vec<ToldFault> {
        let now_us = self.now_us();
        self.all(
            |script| {
                let cleared = script.clear(now_us);
                for switched in &cleared {
                    self.journal.record(Event::FaultEnded { fault: switched.spec.fault.clone() });
                }
                cleared
            },
            now_us,
        )
    }

    fn all(&self, of: impl Fn(&Script) -> Vec<Switched>, now_us: u64) -> Vec<ToldFault> {
        let switched = self.scripts.iter().flat_map(|(_, script)| of(script));
        switched.map(|switched| told(&switched.spec, switched.taken, now_us)).collect()
    }

    fn now_us(&self) -> u64 {
        self.journal.clock().now_us()
    }
}

fn told(spec: &FaultSpec, taken: u64, now_us: u64) -> ToldFault {
    ToldFault {
        on: spec.fault.on.clone(),
        call: spec.call.as_str().to_owned(),
        fault: spec.fault.inject.clone(),
        taken,
        for_s: now_us.saturating_sub(spec.window.start) / 1_000_000,
    }
}
