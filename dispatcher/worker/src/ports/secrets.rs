//! The Worker's secrets. Their values go from here into a facilitator's headers and nowhere else.

use dispatcher_core::paywall::ports::Secrets;
use worker::Env;

pub struct WorkerSecrets<'a>(pub &'a Env);

impl Secrets for WorkerSecrets<'_> {
    fn secret(&self, name: &str) -> Option<String> {
        self.0.secret(name).ok().map(|value| value.to_string())
    }
}
