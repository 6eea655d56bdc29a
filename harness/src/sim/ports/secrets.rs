//! The platform's token in the simulation.

use dispatcher_core::ports::OperatorSecrets;

/// A token that opens nothing but the simulated dispatcher.
pub const TOKEN: &str = "the-operator-of-the-simulation";

pub struct SimSecrets;

impl OperatorSecrets for SimSecrets {
    fn token(&self) -> Option<String> {
        Some(TOKEN.to_owned())
    }
}
