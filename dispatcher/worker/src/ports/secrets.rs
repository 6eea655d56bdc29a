//! The Worker's secrets. Their values go from here into a facilitator's headers and nowhere else; the
//! platform's tokens are compared with what operators send.

use dispatcher_core::{paywall::ports::Secrets, platform_api::Tokens, ports::OperatorSecrets};
use worker::Env;

pub struct WorkerSecrets(pub Env);

impl Secrets for WorkerSecrets {
    fn secret(&self, name: &str) -> Option<String> {
        self.0.secret(name).ok().map(|value| value.to_string())
    }
}

impl OperatorSecrets for WorkerSecrets {
    fn tokens(&self) -> Tokens {
        Tokens::of(|name| self.secret(name))
    }
}
