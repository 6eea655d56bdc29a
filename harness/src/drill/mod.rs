//! Drills for whoever is on call: an incident in a world of one's own, its log as `wrangler tail --format json` prints it, and a check of
//! what one concludes from that. The log ends before the incident does, as logs do that are looked at in the night.

mod log;

pub use log::tailed;

use reports::event::{Event, FacilitatorEndpoint, Recorded};
use serde::Serialize;
use std::collections::BTreeMap;

/// The file with the log, in the run's folder.
pub const LOG: &str = "tail.json";

/// One drill.
#[derive(Debug)]
pub struct Drill {
    pub name: &'static str,
    /// The scenario that makes the incident.
    pub scenario: &'static str,
    /// The end of its log, in seconds.
    pub until_s: u64,
    kind: &'static str,
    who: &'static str,
    call: Option<FacilitatorEndpoint>,
    /// When it begins, in seconds.
    began_s: u64,
}

pub const DRILLS: [Drill; 4] = [
    Drill {
        name: "stuck-settle",
        scenario: include_str!("../../assets/drills/stuck-settle.toml"),
        until_s: 32,
        kind: "facilitator",
        who: "primary",
        call: Some(FacilitatorEndpoint::Settle),
        began_s: 12,
    },
    Drill {
        name: "error-pages",
        scenario: include_str!("../../assets/drills/error-pages.toml"),
        until_s: 32,
        kind: "facilitator",
        who: "primary",
        call: Some(FacilitatorEndpoint::Verify),
        began_s: 10,
    },
    Drill {
        name: "burning-tenant",
        scenario: include_str!("../../assets/drills/burning-tenant.toml"),
        until_s: 28,
        kind: "tenant",
        who: "burner",
        call: None,
        began_s: 10,
    },
    Drill {
        name: "flood",
        scenario: include_str!("../../assets/drills/flood.toml"),
        until_s: 28,
        kind: "load",
        who: "acme",
        call: None,
        began_s: 10,
    },
];

/// Seconds by which a beginning that is read off a log may be off: it shows with the first call that it meets.
const OFF_S: u64 = 6;

/// The conclusions of a person. Whatever is absent was not asked.
#[derive(Clone, Debug, Default)]
pub struct Conclusion {
    pub kind: Option<String>,
    pub who: Option<String>,
    pub call: Option<String>,
    /// Time of day, in UTC.
    pub began: Option<String>,
    /// Payments that nobody knew to be charged or not at the log's end.
    pub open: Option<usize>,
}

/// One thing that was concluded, and what is true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Graded {
    pub what: &'static str,
    pub is_right: bool,
    pub said: String,
    pub truth: String,
}

/// Finds a drill.
#[must_use]
pub fn named(name: &str) -> Option<&'static Drill> {
    DRILLS.iter().find(|drill| drill.name == name)
}

impl Drill {
    /// Holds a conclusion against what was played.
    #[must_use]
    pub fn grade(&self, conclusion: &Conclusion, history: &[Recorded]) -> Vec<Graded> {
        let began_ms = started_ms(history) + self.began_s * 1_000;
        let truth = time_of_day(began_ms);
        let open = open_at(history, self.until_s);
        let call =
            self.call.map_or("none", |call| if call == FacilitatorEndpoint::Settle { "settle" } else { "verify" });
        let plain = |what, said: &Option<String>, truth: &str| {
            said.as_ref().map(|said| Graded {
                what,
                is_right: said == truth,
                said: said.clone(),
                truth: truth.to_owned(),
            })
        };
        let began = conclusion.began.as_ref().map(|said| {
            let is_right = seconds(said).is_some_and(|said| said.abs_diff(began_ms / 1_000 % 86_400) <= OFF_S);
            Graded { what: "began", is_right, said: said.clone(), truth: format!("{truth}, give or take {OFF_S} s") }
        });
        let open = conclusion.open.map(|said| Graded {
            what: "open",
            is_right: said == open,
            said: said.to_string(),
            truth: open.to_string(),
        });
        let graded = [
            plain("kind", &conclusion.kind, self.kind),
            plain("who", &conclusion.who, self.who),
            plain("call", &conclusion.call, call),
            began,
            open,
        ];
        graded.into_iter().flatten().collect()
    }
}

/// Unix milliseconds.
fn started_ms(history: &[Recorded]) -> u64 {
    let started = history.iter().find_map(|recorded| match &recorded.event {
        Event::RunStarted(started) => Some(started.started_at_ms.saturating_sub(recorded.at_us / 1_000)),
        _ => None,
    });
    started.unwrap_or_default()
}

/// Payments of which the dispatcher's last word, by then, is that nobody knows.
fn open_at(history: &[Recorded], until_s: u64) -> usize {
    let mut last: BTreeMap<&str, bool> = BTreeMap::new();
    for recorded in history.iter().filter(|recorded| recorded.at_us < until_s * 1_000_000) {
        if let Event::DispatcherPayment(line) = &recorded.event {
            let is_open = match line.stage.as_str() {
                "settling" | "unknown" => true,
                "settled" | "refused" | "released" | "spent_elsewhere" => false,
                _ => continue,
            };
            last.insert(&line.payment, is_open);
        }
    }
    last.values().filter(|is_open| **is_open).count()
}

fn time_of_day(unix_ms: u64) -> String {
    let second = unix_ms / 1_000;
    format!("{:02}:{:02}:{:02}", second / 3_600 % 24, second / 60 % 60, second % 60)
}

fn seconds(text: &str) -> Option<u64> {
    let mut parts = text.trim_end_matches('Z').split(':').map(|part| part.parse::<u64>().ok());
    Some(parts.next()?? * 3_600 + parts.next()?? * 60 + parts.next().flatten().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        incident::{self, Cut, Page},
        play::RunSpec,
        sim,
    };
    use scenario::Scenario;
    use scenario::Tier;

    #[test]
    fn the_page_answers_every_drill_rightly() {
        for drill in &DRILLS {
            let scenario = Scenario::parse(drill.name, drill.scenario).map_err(miette::Report::new).expect(drill.name);
            let asked = RunSpec { scenario: &scenario, as_: drill.name, tier: Tier::Sim, seed: 7 };
            let history = sim::simulate(asked).expect("it runs");
            let path = std::env::temp_dir().join(format!("402claw-drill-{}-{}", drill.name, std::process::id()));
            std::fs::write(&path, tailed(&history, drill.until_s)).expect("a temporary file");
            let read = incident::read(std::slice::from_ref(&path), &Cut::default());
            std::fs::remove_file(&path).expect("it is ours");
            let read = read.map_err(miette::Report::new).expect("it is a log");
            let page = Page::of(&read.incident, None, &read.left_out);
            let who = page.cause.sentence.split('`').nth(1).unwrap_or_default().to_owned();
            let ill = page.ill.iter().max_by_key(|ill| ill.illness.failed);
            let conclusion = Conclusion {
                kind: Some(page.cause.kind.to_owned()),
                who: Some(who),
                call: drill.call.and(ill).map(|ill| ill.who.rsplit(' ').next().unwrap_or_default().to_owned()),
                began: drill.call.and(ill).map(|ill| time_of_day(ill.illness.from_ms)),
                open: Some(page.open.len()),
            };
            let wrong: Vec<_> = drill.grade(&conclusion, &history).into_iter().filter(|it| !it.is_right).collect();
            assert!(wrong.is_empty(), "{}: {wrong:?}\n{page}", drill.name);
        }
    }

    #[test]
    fn a_wrong_conclusion_is_told_with_what_is_true() {
        let drill = named("flood").expect("there is one");
        let conclusion =
            Conclusion { kind: Some("tenant".to_owned()), who: Some("acme".to_owned()), ..Conclusion::default() };
        let graded = drill.grade(&conclusion, &[]);
        assert_eq!(graded.iter().map(|it| it.is_right).collect::<Vec<_>>(), [false, true]);
        assert_eq!(graded[0].truth, "load");
    }
}
