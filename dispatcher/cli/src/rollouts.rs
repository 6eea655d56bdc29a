//! The record of what was done at Cloudflare, a line each step.

use crate::{clock, failure::Failure, home::Home, registry::author};
use serde_json::json;

const FILE: &str = "cloudflare.jsonl";

pub struct Log<'a> {
    home: &'a Home,
    script: String,
    digest: String,
    /// On whose word it goes out.
    word: String,
}

impl<'a> Log<'a> {
    #[must_use]
    pub fn new(home: &'a Home, script: &str, digest: &str, word: &str) -> Self {
        Self { home, script: script.to_owned(), digest: digest.to_owned(), word: word.to_owned() }
    }

    pub fn tell(&self, step: &str, error: Option<String>) -> Result<(), Failure> {
        let line = json!({
            "at": clock::rfc3339(clock::unix_ms()), "author": author(None), "script": self.script, "digest": self.digest,
            "step": step, "error": error, "gate": self.word,
        });
        self.home.append(FILE, &line.to_string())
    }
}
