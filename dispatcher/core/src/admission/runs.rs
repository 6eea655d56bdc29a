//! How runs of tenants' Workers end, by the distinct callers who had them run: a Worker, or one path of it, that fails all of
//! a sudden lets in few until it is well again.

use super::{
    TurnedAway,
    gate::{Count, Gate, Of, fits},
    key,
    meter::{Event, Rule},
    sample::{Origin, Sample},
};
use crate::telemetry::Alert;
use x402_paywall::UnixMillis;

/// Requests to a Worker or a path that suddenly fails: enough to see that it is well again.
const PROBES: Rule = Rule::rate(10);
/// Callers of what fails would only come back for nothing.
const FAILING_RETRY_S: u64 = 5;
/// Workers whose runs are watched at once; of one more, the longest unused is forgotten.
const WATCHED: usize = 256;
/// Paths of a Worker that are watched apart; of one more, the one with the fewest callers is forgotten.
const PATHS: usize = 8;
/// Callers that are kept of a Worker, and of one of its paths.
const CALLERS: usize = 64;
const CALLERS_OF_A_PATH: usize = 32;

/// One Worker's callers, all of them and by path.
#[derive(Debug)]
pub(super) struct Watched {
    all: Sample,
    paths: Vec<(u32, Sample)>,
}

/// The place where the runs of one visit are told.
#[derive(Clone, Copy, Debug)]
pub struct Runs<'a> {
    pub(super) gate: &'a Gate,
    pub(super) origin: Origin,
    pub(super) path: u32,
}

impl Runs<'_> {
    /// Takes how a run of a tenant's Worker ended.
    pub fn ended(&self, tenant_id: &str, failed: bool, now: UnixMillis) {
        let gate = self.gate;
        let key = gate.name(Of::Tenant, &[tenant_id]);
        let seen = &mut *gate.seen.borrow_mut();
        let at = seen.workers.iter().position(|(other, _)| *other == key);
        let fresh = || Watched { all: Sample::of(CALLERS), paths: Vec::new() };
        let mut worker = at.map_or_else(fresh, |at| seen.workers.remove(at).1);
        if seen.workers.len() == WATCHED {
            seen.workers.remove(0);
        }
        let begins = worker.take(self.origin, self.path, failed, now);
        seen.workers.push((key, worker));
        if begins {
            let tenant_id = Some(tenant_id.to_owned());
            seen.alerts.push(Alert { alert: "tenant_error_rate".into(), tenant_id, ..Alert::default() });
        }
    }

    /// The caller who has it run.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// A number that tells a tenant's paths apart.
    #[must_use]
    pub fn path(&self) -> u32 {
        self.path
    }
}

impl Watched {
    /// `true`: it begins to fail, as a whole or on some path. What begins beside that is the same trouble.
    fn take(&mut self, origin: Origin, path: u32, failed: bool, now: UnixMillis) -> bool {
        let was_failing = self.all.is_failing(now) || self.paths.iter().any(|(_, sample)| sample.is_failing(now));
        let at = self.paths.iter().position(|(other, _)| *other == path).unwrap_or_else(|| {
            if self.paths.len() == PATHS {
                let fewest = (0..PATHS).min_by_key(|at| self.paths[*at].1.len());
                self.paths.swap_remove(fewest.unwrap_or_default());
            }
            self.paths.push((path, self.all.part(CALLERS_OF_A_PATH)));
            self.paths.len() - 1
        });
        let path_begins = self.paths[at].1.take(origin, 0, failed, now);
        let all_begins = self.all.take(origin, path, failed, now);
        (path_begins || all_begins) && !was_failing
    }

    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.all.bytes() + self.paths.iter().map(|(_, sample)| sample.bytes()).sum::<usize>()
    }

    /// The part of it that fails: the path alone, or all of it but for paths that are well.
    fn failing(&self, path: u32, now: UnixMillis) -> Option<Failing> {
        let own = self.paths.iter().find(|(other, _)| *other == path).map(|(_, sample)| sample);
        match own {
            Some(sample) if sample.is_failing(now) => Some(Failing::Path),
            Some(sample) if sample.is_well(now) => None,
            _ => self.all.is_failing(now).then_some(Failing::Everything),
        }
    }
}

enum Failing {
    Path,
    Everything,
}

impl Gate {
    /// Lets few in where what they call suddenly fails.
    pub(super) fn probe(&self, tenant: u64, path: u32, now: UnixMillis) -> Result<(), TurnedAway> {
        let failing = {
            let seen = self.seen.borrow();
            let worker = seen.workers.iter().find(|(other, _)| *other == tenant);
            worker.and_then(|(_, worker)| worker.failing(path, now))
        };
        let key = match failing {
            None => return Ok(()),
            Some(Failing::Path) => key::joined(Of::Probe as u8, &[tenant, u64::from(path)]),
            Some(Failing::Everything) => key::joined(Of::Probe as u8, &[tenant]),
        };
        let probes = fits(self.step(Count { of: Of::Probe, key, rule: PROBES }, Event::Came, now));
        probes.map_err(|_| TurnedAway { retry_after_s: FAILING_RETRY_S })
    }
}
