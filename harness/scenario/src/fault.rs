//! A fault: which calls to which facilitator go wrong, when, and how. It always ends, at the latest with the run.

use super::world::World;
use doubles::{Call, FaultSpec, Inject, Pick, RawInject, fault::FaultPlace, pick::RawPick};
use grammar::{
    Name, Problem, Problems, Timeline, Window,
    limits::MAX_BLOCKS,
    text::{NameText, TimeText},
};
use reports::event::FaultRef;
use schemars::JsonSchema;
use serde::Deserialize;
use std::{ops::Range, time::Duration};
use toml::Spanned;

#[derive(Clone, Debug)]
pub struct Fault {
    index: usize,
    on: Name,
    call: Call,
    window: Window,
    pick: Pick,
    inject: Inject,
}

impl Fault {
    pub fn on(&self) -> &Name {
        &self.on
    }

    pub fn call(&self) -> Call {
        self.call
    }

    pub fn window(&self) -> Window {
        self.window
    }

    pub fn pick(&self) -> Pick {
        self.pick
    }

    pub fn inject(&self) -> &Inject {
        &self.inject
    }

    /// How events refer to it.
    pub fn reference(&self) -> FaultRef {
        FaultRef { index: self.index, on: self.on.to_string(), inject: self.inject.name().to_owned() }
    }

    /// The fault as a double plays it, in a run of this seed.
    #[must_use]
    pub fn spec(&self, seed: u64) -> FaultSpec {
        let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        FaultSpec {
            fault: self.reference(),
            call: self.call,
            window: us(self.window.from())..us(self.window.to()),
            pick: self.pick,
            seed,
            inject: self.inject.clone(),
        }
    }

    /// Its place in the file, counted from 1.
    pub fn number(&self) -> usize {
        self.index + 1
    }

    /// Whether calls fail of it past this moment. One that takes so many calls may be over long before its window, and one
    /// that answers late need not fail any.
    pub(super) fn lasts_beyond(&self, at: Duration) -> bool {
        let counted = matches!(self.pick, Pick::First(_) | Pick::Nth(_));
        self.window.to() > at && !counted && !self.inject.need_not_fail()
    }

    /// Whether it leaves no call of the window to another fault on the same calls.
    fn takes_all(&self) -> bool {
        self.pick == Pick::All
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Fault")]
pub(super) struct RawFault {
    /// The facilitator that fails.
    #[schemars(with = "NameText")]
    on: Spanned<String>,
    /// Which of its endpoints.
    call: Call,
    /// Calls that come from then on are taken.
    #[schemars(with = "TimeText")]
    from: Spanned<String>,
    /// Those that come from then on are not.
    #[schemars(with = "TimeText")]
    to: Spanned<String>,
    /// Which calls of the window it takes: all unless given.
    pick: Option<RawPick>,
    /// The fault that they get: `harness list --faults`.
    #[schemars(with = "RawInject")]
    inject: Spanned<RawInject>,
}

pub(super) fn check(
    raw: Vec<RawFault>,
    world: &World,
    timeline: &Timeline,
    seed: Option<u64>,
    problems: &mut Problems,
) -> Vec<Fault> {
    if let Some(extra) = raw.get(MAX_BLOCKS) {
        let what = format!("a scenario has at most {MAX_BLOCKS} faults");
        problems.add(Problem::new(extra.on.span(), what, "one too many"));
        return Vec::new();
    }
    let mut faults: Vec<Fault> = Vec::new();
    for (index, raw) in raw.into_iter().enumerate() {
        let at = raw.inject.span();
        let Some(fault) = raw.check(index, world, timeline, seed, problems) else {
            continue;
        };
        faults.iter().for_each(|earlier| check_overlap(earlier, &fault, at.clone(), problems));
        faults.push(fault);
    }
    faults
}

impl RawFault {
    fn check(
        self,
        index: usize,
        world: &World,
        timeline: &Timeline,
        seed: Option<u64>,
        problems: &mut Problems,
    ) -> Option<Fault> {
        let on = world.find_facilitator(&self.on, problems);
        let window = Window::check(&self.from, &self.to, timeline.end(), problems);
        let picky = self.pick.is_some();
        let pick = match self.pick {
            Some(pick) => pick.check(seed, problems),
            None => Some(Pick::All),
        };
        let at = self.inject.span();
        let inject = self.inject.into_inner().check(&FaultPlace { at, call: self.call }, picky, problems);
        Some(Fault { index, on: on?, call: self.call, window: window?, pick: pick?, inject: inject? })
    }
}

/// A call that one fault took does not reach another. A fault that could therefore never bite is a mistake in the file,
/// and better found here than by the judge of a whole run.
fn check_overlap(earlier: &Fault, later: &Fault, at: Range<usize>, problems: &mut Problems) {
    let meet = earlier.on == later.on && earlier.call.meets(later.call) && earlier.window.overlaps(&later.window);
    if !meet {
        return;
    }
    let number = earlier.number();
    if earlier.takes_all() {
        let what = format!("`{}` overlaps fault {number} of the file, which takes every call", later.inject.name());
        let problem = Problem::new(at, what, "never bites while both are on");
        problems.add(problem.help("end one before the other begins, or give the earlier a pick"));
    } else if later.inject == Inject::Refuse {
        let what = format!("`refuse` overlaps fault {number} of the file, whose calls could not arrive");
        problems.add(Problem::new(at, what, "the port would be closed").help("end one before the other begins"));
    }
}

#[cfg(test)]
mod tests {
    use crate::Scenario;
    use doubles::Script;
    use reports::event::FacilitatorEndpoint::{self, Settle, Verify};

    /// The fault is the language's own example: `verify` at the primary, the first 3 calls from 5 s to 12 s.
    #[test]
    fn a_scenarios_fault_bites_as_it_says() {
        let scenario = Scenario::parse("good.toml", include_str!("tests/good.toml")).unwrap();
        let fault = &scenario.faults()[0];
        let script = Script::new(vec![fault.spec(42)]);
        let bites =
            |endpoint: FacilitatorEndpoint, second: u64| script.admit(endpoint, second * 1_000_000).fault.is_some();
        assert_eq!([4, 5, 6, 11, 11, 12].map(|second| bites(Verify, second)), [false, true, true, true, false, false]);
        assert!(!bites(Settle, 6));
        assert_eq!(script.fault(0).map(|spec| spec.fault.clone()), Some(fault.reference()));
    }
}
