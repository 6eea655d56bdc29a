//! The platform's token in the simulation.

use dispatcher_core::{platform_api::Tokens, ports::OperatorSecrets};

/// A token that opens nothing but the simulated dispatcher.
pub const TOKEN: &str = "the-operator-of-the-simulation";

pub struct SimSecrets;

impl OperatorSecrets for SimSecrets {
    fn tokens(&self) -> Tokens {
        Tokens { operate: vec![TOKEN.to_owned()], read: Vec::new() }
    }
}
