//! Phases cut a run into the stretches that latency and recovery are judged by. A phase lasts until the next one
//! begins, so that no moment of a run is in none or in two.

use super::{
    limits::MAX_BLOCKS,
    name::{self, Name},
    problem::{Problem, Problems},
    text::{NameText, TimeText},
    time::{self, Window},
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;

#[derive(Clone, Debug)]
pub struct Phase {
    name: Name,
    window: Window,
}

impl Phase {
    pub fn name(&self) -> &Name {
        &self.name
    }

    pub fn window(&self) -> Window {
        self.window
    }
}

/// The phases of a run, without a gap from zero to its end.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    phases: Vec<Phase>,
}

impl Timeline {
    pub fn phases(&self) -> &[Phase] {
        &self.phases
    }

    pub fn end(&self) -> Duration {
        self.phases.last().map_or(Duration::ZERO, |phase| phase.window.to())
    }

    /// The phase a moment lies in; the last one for every moment after the end, where answers may still come in.
    pub fn at(&self, at: Duration) -> Option<&Phase> {
        self.phases.iter().rfind(|phase| phase.window.from() <= at)
    }

    pub fn phase(&self, name: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == *name)
    }

    pub fn find(&self, raw: &Spanned<String>, problems: &mut Problems) -> Option<&Phase> {
        let found = self.phase(raw.get_ref());
        if found.is_none() {
            let names: Vec<&str> = self.phases.iter().map(|phase| phase.name.as_str()).collect();
            problems.add(Problem::unknown(raw.span(), "phase", raw.get_ref(), &names));
        }
        found
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "Phase")]
pub struct RawPhase {
    #[schemars(with = "NameText")]
    name: Spanned<String>,
    /// The first phase starts at "0s".
    #[schemars(with = "TimeText")]
    from: Spanned<String>,
}

pub fn check(raw: Vec<RawPhase>, end: Duration, problems: &mut Problems) -> Option<Timeline> {
    name::check_unique("phase", &raw.iter().map(|phase| &phase.name).collect::<Vec<_>>(), problems);
    if let Some(extra) = raw.get(MAX_BLOCKS) {
        let what = format!("a scenario has at most {MAX_BLOCKS} phases");
        problems.add(Problem::new(extra.name.span(), what, "one too many"));
        return None;
    }
    let mut starts: Vec<(Name, Duration)> = Vec::new();
    for phase in &raw {
        let name = Name::check("phase", &phase.name, problems);
        let from = time::check(&phase.from, problems)?;
        let problem = match starts.last() {
            None if from != Duration::ZERO => Some(("the first phase starts at \"0s\"", "starts later".to_owned())),
            Some((_, earlier)) if from <= *earlier => Some((
                "phases come in the order of their start",
                format!("the phase before starts at {}", time::show(*earlier)),
            )),
            _ if from >= end => {
                Some(("the phase starts after the run", format!("the run ends at {}", time::show(end))))
            }
            _ => None,
        };
        if let Some((what, label)) = problem {
            problems.add(Problem::new(phase.from.span(), what, label));
            return None;
        }
        starts.push((name?, from));
    }
    let ends = starts.iter().skip(1).map(|(_, from)| *from).chain([end]).collect::<Vec<_>>();
    let phases = starts
        .into_iter()
        .zip(ends)
        .map(|((name, from), to)| Window::new(from, to).map(|window| Phase { name, window }))
        .collect::<Option<Vec<_>>>()?;
    (!phases.is_empty()).then_some(Timeline { phases })
}
