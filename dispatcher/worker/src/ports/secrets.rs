//! The Worker's secrets. Their values go from here into a facilitator's headers and nowhere else; the
//! platform's token is compared with what operators send.

use dispatcher_core::{paywall::ports::Secrets, ports::OperatorSecrets};
use worker::Env;

pub struct WorkerSecrets(pub Env);

impl Secrets for WorkerSecrets {
    fn secret(&self, name: &str) -> Option<String> {
        self.0.secret(name).ok().map(|value| value.to_string())
    }
}

impl OperatorSecrets for WorkerSecrets {
    fn token(&self) -> Option<String> {
        self.secret("PLATFORM_TOKEN")
    }
}
