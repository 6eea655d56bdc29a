//! An operator who puts a tenant into quarantine while everything else fails too, and lets it out again.

use super::{Drawing, STEADY_S, TENANTS};

/// From an action on: isolates ask every five seconds, and a request may be under way.
const WITHIN_S: u64 = 7;

impl Drawing {
    /// `tenants` is how many there are.
    pub(super) fn quarantine(&mut self, tenants: usize, chaos_ends: u64) {
        let tenant = TENANTS[self.rng.usize(..tenants)];
        let from = self.rng.u64(STEADY_S..chaos_ends);
        self.line(&format!("\n[[operator]]\nat = \"{from}s\"\ndoes.quarantine = {{ tenant = \"{tenant}\" }}"));
        self.line(&format!(
            "\n[[operator]]\nat = \"{chaos_ends}s\"\ndoes.lift-quarantine = {{ tenant = \"{tenant}\" }}"
        ));
        self.must("COST-6", &format!("quarantine-counts = {{ within = \"{WITHIN_S}s\" }}"));
    }
}
