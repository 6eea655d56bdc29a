//! A running `harness serve`, for tests that bring clients of their own.

use crate::harness::harness;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reports::event::{Event, Recorded};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Stdio},
};

pub struct Served {
    child: Child,
    pub url: String,
    /// Opens the platform API.
    pub platform: String,
    events: String,
}

impl Served {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The world of a scenario.
    pub fn of(scenario: &str) -> Self {
        Self::start_with(&["--world", scenario])
    }

    pub fn start_with(options: &[&str]) -> Self {
        let mut child = harness(&["serve"]).args(options).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let said: Vec<String> = lines.take_while(|line| !line.starts_with("ready")).collect();
        let words: BTreeMap<&str, &str> = said.iter().filter_map(|line| line.split_once(' ')).collect();
        let word = |name: &str| words.get(name).unwrap_or_else(|| panic!("serve said no {name}: {said:?}")).trim();
        let (url, events) = (word("dispatcher").to_owned(), word("events").to_owned());
        let platform = word("platform").trim_start_matches("authorization: Bearer ").to_owned();
        Self { child, url, platform, events }
    }

    /// The folder of its run.
    pub fn run_dir(&self) -> PathBuf {
        PathBuf::from(&self.events).parent().expect("events lie in a folder").to_owned()
    }

    /// Stops it as a person would, and returns all that happened in it.
    pub fn stop(mut self) -> Vec<Event> {
        self.interrupt();
        let lines = fs::read_to_string(&self.events).expect("a served world writes its events");
        let event = |line| serde_json::from_str::<Recorded>(line).expect("every line is an event").event;
        lines.lines().map(event).collect()
    }

    fn interrupt(&mut self) {
        let _ = kill(Pid::from_raw(self.child.id() as i32), Signal::SIGINT);
        let _ = self.child.wait();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.interrupt();
    }
}
