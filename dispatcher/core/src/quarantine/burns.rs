//! One script's CPU time: whether callers in a row ran it over its limit.

use crate::admission::Origin;
use x402_paywall::UnixMillis;

/// Callers in a row whose runs ended over the CPU limit. One may be bad luck, or a caller that asks for what burns; a script
/// that the platform has condemned fails for everybody, and for ever.
pub(super) const CPU_FAILURES_IN_A_ROW: usize = 5;
/// The time that a row takes at least: whoever has the callers for one can send it in a moment, and other callers would have
/// no chance to show that the script is well.
pub(super) const ROW_MS: u64 = 3_000;
/// The time for which a path that ended well speaks for the script. What another path burns is then no reason to put it away.
pub(super) const WELL_MS: u64 = 600_000;

/// The knowledge of one script's CPU time.
#[derive(Debug, Default)]
pub(super) struct Burns {
    pub tenant_id: String,
    /// The callers over its limit, since the last run that ended otherwise.
    pub callers: Vec<Origin>,
    since: UnixMillis,
    /// The latest path that ended well, and whether it is one of those that they called.
    well: Option<(u32, UnixMillis)>,
    burns_what_was_well: bool,
}

impl Burns {
    pub fn of(tenant_id: &str) -> Self {
        Self { tenant_id: tenant_id.to_owned(), ..Self::default() }
    }

    pub fn ended_well(&mut self, path: u32, now: UnixMillis) {
        self.callers.clear();
        self.well = Some((path, now));
    }

    /// `true`: these are too many in a row.
    pub fn burnt(&mut self, caller: Origin, path: u32, now: UnixMillis) -> bool {
        if self.callers.is_empty() {
            (self.since, self.burns_what_was_well) = (now, false);
        }
        self.burns_what_was_well |= self.well.is_some_and(|(well, _)| well == path);
        if !self.callers.iter().any(|other| caller.is_the_caller_of(*other)) {
            self.callers.push(caller);
        }
        self.callers.len() >= CPU_FAILURES_IN_A_ROW && now.since(self.since) >= ROW_MS
    }

    /// Whether another path than those that burn was well lately: callers choose what they call.
    pub fn is_well_elsewhere(&self, now: UnixMillis) -> bool {
        self.well.is_some_and(|(_, at)| now.since(at) < WELL_MS) && !self.burns_what_was_well
    }
}
