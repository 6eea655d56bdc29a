//! `known.toml`: failures that somebody has taken on to mend by a day. A listed failure does not fail the run, so the list
//! must not outlive its reasons: past its day an entry counts for nothing, one whose rule holds again fails the run, and none is
//! for longer than a quarter of a year.

use miette::{Diagnostic, NamedSource};
use reports::{
    report::{Check, KnownFailure, KnownStanding},
    verdict::Verdict,
};
use scenario::{Library, LibraryError, Problem, Problems, limits::MAX_FILE_BYTES, toml_problem};
use serde::Deserialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use system::clock::{Clock, SystemClock};
use thiserror::Error;
use toml::{
    Spanned,
    value::{Date, Datetime},
};

/// The entries of a checked list.
#[derive(Clone, Debug, Default)]
pub struct KnownFailures(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    scenario: String,
    /// Id of the scenario's `[[must]]`.
    rule: String,
    /// `None`: in every tier.
    tier: Option<String>,
    owner: String,
    until: Date,
    why: String,
}

#[derive(Debug, Error, Diagnostic)]
pub enum KnownError {
    #[error("cannot read {}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is not a valid list of known failures", text.name())]
    Invalid {
        #[source_code]
        text: NamedSource<String>,
        #[related]
        problems: Vec<Problem>,
    },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Library(#[from] LibraryError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawList {
    #[serde(default)]
    known: Vec<RawEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawEntry {
    scenario: Option<Spanned<String>>,
    rule: Option<Spanned<String>>,
    /// In place of these two, a planted bug that no rule sees yet.
    bug: Option<Spanned<String>>,
    tier: Option<Spanned<String>>,
    owner: Spanned<String>,
    until: Spanned<Datetime>,
    why: Spanned<String>,
}

/// The days that a failure can be taken on for: one that nobody mends in a quarter of a year is no exception any more.
const LONGEST_DAYS: i64 = 90;

/// What a self-test's report is called: a planted bug that no rule sees is a failure of it.
pub const SELFTEST: &str = "selftest";

/// The tiers as `--tier` takes them.
const TIERS: [&str; 2] = ["live", "sim"];

impl KnownFailures {
    /// Reads the list beside a library's folder. Where there is none, nothing is known.
    pub fn of(library: &Library) -> Result<Self, KnownError> {
        let path = library.known();
        match read(&path) {
            Ok(text) => Self::parse(&path.display().to_string(), &text, library, &SystemClock::new()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(KnownError::Unreadable { path, source }),
        }
    }

    /// `file` is the name that errors show, and `clock` says what day it is.
    pub fn parse(file: &str, text: &str, library: &Library, clock: &dyn Clock) -> Result<Self, KnownError> {
        let invalid = |problems| {
            let text = NamedSource::new(file, text.to_owned()).with_language("toml");
            KnownError::Invalid { text, problems }
        };
        let raw: RawList = toml::from_str(text).map_err(|error| invalid(vec![toml_problem(&error)]))?;
        let names = library.names()?;
        let mut problems = Problems::default();
        let mut entries = Vec::new();
        for raw in raw.known {
            let (scenario, rule) = match (raw.scenario, raw.rule, raw.bug) {
                (Some(scenario), Some(rule), None) => {
                    check_place(&scenario, &rule, &names, library, &mut problems)?;
                    (scenario, rule)
                }
                (None, None, Some(bug)) => {
                    check_bug(&bug, library, &mut problems);
                    (Spanned::new(bug.span(), SELFTEST.to_owned()), bug)
                }
                (scenario, rule, bug) => {
                    let told = scenario.as_ref().or(rule.as_ref()).or(bug.as_ref()).unwrap_or(&raw.owner);
                    let problem = Problem::new(told.span(), "an entry names a scenario and a rule, or a bug", "here");
                    problems.add(problem);
                    continue;
                }
            };
            let raw = Placed { scenario, rule, tier: raw.tier, owner: raw.owner, until: raw.until, why: raw.why };
            entries.extend(check(raw, &entries, clock, &mut problems));
        }
        if problems.is_empty() { Ok(Self(entries)) } else { Err(invalid(problems.into_vec())) }
    }

    /// The list's entry for a check of that scenario.
    pub fn about(&self, scenario: &str, tier: &str, check: &Check, clock: &dyn Clock) -> Option<KnownFailure> {
        let is_about = |entry: &&Entry| {
            entry.scenario == scenario && entry.rule == check.id && entry.tier.as_deref().is_none_or(|of| of == tier)
        };
        let entry = self.0.iter().find(is_about)?;
        let standing = match check.verdict {
            Verdict::Pass => KnownStanding::Over,
            Verdict::Fail if is_past(entry.until, clock) => KnownStanding::Expired,
            Verdict::Fail => KnownStanding::Listed,
            // Neither the failure that was expected, nor its end.
            Verdict::Unknown => return None,
        };
        let (owner, until, why) = (entry.owner.clone(), entry.until.to_string(), entry.why.clone());
        Some(KnownFailure { standing, owner, until, why })
    }
}

/// A list that grows past this is no list of exceptions.
fn read(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > MAX_FILE_BYTES as u64 {
        return Err(io::Error::other(format!("it is larger than {MAX_FILE_BYTES} bytes")));
    }
    fs::read_to_string(path)
}

/// Whether the day is over, in UTC.
fn is_past(until: Date, clock: &dyn Clock) -> bool {
    days_to(until, clock).is_none_or(|days| days < 0)
}

/// Days from today until then, in UTC. TOML knows no day that the calendar does not; were there one, nothing would be excused by it.
fn days_to(until: Date, clock: &dyn Clock) -> Option<i64> {
    use chrono::{DateTime, NaiveDate};
    let last = NaiveDate::from_ymd_opt(until.year.into(), until.month.into(), until.day.into())?;
    let today = DateTime::from_timestamp(i64::try_from(clock.unix_now()).ok()?, 0)?;
    Some((last - today.date_naive()).num_days())
}

/// An entry whose place is known to be there.
struct Placed {
    scenario: Spanned<String>,
    rule: Spanned<String>,
    tier: Option<Spanned<String>>,
    owner: Spanned<String>,
    until: Spanned<Datetime>,
    why: Spanned<String>,
}

fn check_place(
    scenario: &Spanned<String>,
    rule: &Spanned<String>,
    names: &[String],
    library: &Library,
    problems: &mut Problems,
) -> Result<(), LibraryError> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let name = scenario.get_ref().as_str();
    if !names.contains(&name) {
        problems.add(Problem::unknown(scenario.span(), "scenario", name, &names));
        return Ok(());
    }
    let loaded = library.load(name)?;
    let rules: Vec<&str> = loaded.musts().iter().map(|must| must.id()).collect();
    if !rules.contains(&rule.get_ref().as_str()) {
        problems.add(Problem::unknown(rule.span(), "rule", rule.get_ref(), &rules));
    }
    Ok(())
}

/// Where the bugs are there: an installation has none.
fn check_bug(bug: &Spanned<String>, library: &Library, problems: &mut Problems) {
    let bugs = library.bugs();
    if bugs.is_dir() && !bugs.join(bug.get_ref()).with_extension("toml").is_file() {
        problems.add(Problem::new(bug.span(), format!("there is no bug `{}`", bug.get_ref()), "here"));
    }
}

fn check(raw: Placed, earlier: &[Entry], clock: &dyn Clock, problems: &mut Problems) -> Option<Entry> {
    let as_it_was = problems.count();
    if let Some(tier) = raw.tier.as_ref().filter(|tier| !TIERS.contains(&tier.get_ref().as_str())) {
        problems.add(Problem::unknown(tier.span(), "tier", tier.get_ref(), &TIERS));
    }
    for (key, text) in [("owner", &raw.owner), ("why", &raw.why)] {
        if text.get_ref().trim().is_empty() {
            problems.add(Problem::new(text.span(), format!("`{key}` is empty"), "say it in a few words"));
        }
    }
    let tier = raw.tier.map(Spanned::into_inner);
    let meets = |entry: &&Entry| {
        let tiers = entry.tier.is_none() || tier.is_none() || entry.tier == tier;
        tiers && entry.scenario == *raw.scenario.get_ref() && entry.rule == *raw.rule.get_ref()
    };
    if earlier.iter().any(|entry| meets(&entry)) {
        problems.add(Problem::new(raw.rule.span(), "this failure is listed twice", "the second one"));
    }
    let until = raw.until.get_ref();
    let (Datetime { date: Some(date), time: None, offset: None }, true) = (*until, problems.count() == as_it_was)
    else {
        if until.time.is_some() || until.date.is_none() {
            let problem = Problem::new(raw.until.span(), "`until` is a day", "no day");
            problems.add(problem.help("the last day on which it may fail, without quotes: until = 2026-12-31"));
        }
        return None;
    };
    if let Some(days) = days_to(date, clock).filter(|days| *days > LONGEST_DAYS) {
        let what = format!("nobody takes a failure on for more than {LONGEST_DAYS} days");
        let problem = Problem::new(raw.until.span(), what, format!("{days} days from now"));
        problems.add(problem.help("take it on again when its day has come, if it is still there"));
        return None;
    }
    Some(Entry {
        scenario: raw.scenario.into_inner(),
        rule: raw.rule.into_inner(),
        tier,
        owner: raw.owner.into_inner(),
        until: date,
        why: raw.why.into_inner(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use reports::{level::Level, report::Hint};

    #[test]
    fn a_bug_that_no_rule_sees_is_taken_on_like_any_other_failure() {
        let entry = |bug: &str| {
            format!("[[known]]\nbug = \"{bug}\"\nowner = \"ada\"\nuntil = 2027-01-31\nwhy = \"it hides\"\n")
        };
        let library = Library::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
        let parse = |text: &str| KnownFailures::parse("known.toml", text, &library, &Now(NEW_YEAR));
        let known = parse(&entry("settle-before-execute")).map_err(miette::Report::new).expect("there is such a bug");
        let check = |verdict| Check::of("settle-before-execute", "planted-bug", "it is seen", verdict, "");
        let about = |verdict| known.about(SELFTEST, "", &check(verdict), &Now(NEW_YEAR)).map(|known| known.standing);
        assert_eq!(about(Verdict::Fail), Some(KnownStanding::Listed));
        assert_eq!(about(Verdict::Pass), Some(KnownStanding::Over), "the next one would go unseen");
        assert!(parse(&entry("no-such-bug")).is_err());
        assert!(parse("[[known]]\nowner = \"ada\"\nuntil = 2027-01-31\nwhy = \"x\"\n").is_err(), "of what?");
    }

    const ENTRY: &str = r#"
[[known]]
scenario = "outage"
rule     = "LATENCY-steady"
owner    = "ada"
until    = 2026-12-31
why      = "the machine that runs this is slow"
"#;

    struct Now(u64);

    impl Clock for Now {
        fn now_us(&self) -> u64 {
            0
        }

        fn unix_now(&self) -> u64 {
            self.0
        }
    }

    /// The first second of 2027.
    const NEW_YEAR: u64 = 1_798_761_600;

    fn parse(text: &str) -> Result<KnownFailures, KnownError> {
        let library = Library::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
        KnownFailures::parse("known.toml", text, &library, &Now(NEW_YEAR - 30 * 86_400))
    }

    fn shown(text: &str) -> String {
        let mut shown = String::new();
        let error = parse(text).expect_err("it is wrong");
        let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor());
        handler.render_report(&mut shown, &error).expect("it renders");
        shown
    }

    fn latency(verdict: Verdict) -> Check {
        Check {
            id: "LATENCY-steady".to_owned(),
            name: "latency".to_owned(),
            expected: String::new(),
            level: Level::Must,
            class: reports::class::Class::Normative,
            line: None,
            verdict,
            detail: String::new(),
            witness: None,
            sources: Vec::new(),
            hint: Hint { cause: String::new(), look_at: String::new() },
            known: None,
        }
    }

    fn standing(list: &str, tier: &str, verdict: Verdict, now: u64) -> Option<KnownStanding> {
        let known = parse(list).map_err(miette::Report::new).expect("it is valid");
        known.about("outage", tier, &latency(verdict), &Now(now)).map(|known| known.standing)
    }

    #[test]
    fn an_entry_lasts_through_its_last_day_and_not_beyond_a_pass() {
        let standing = |verdict, now| standing(ENTRY, "live", verdict, now);
        assert_eq!(standing(Verdict::Fail, NEW_YEAR - 1), Some(KnownStanding::Listed));
        assert_eq!(standing(Verdict::Fail, NEW_YEAR), Some(KnownStanding::Expired));
        assert_eq!(standing(Verdict::Pass, 0), Some(KnownStanding::Over));
        assert_eq!(standing(Verdict::Unknown, 0), None);
    }

    #[test]
    fn an_entry_is_about_one_rule_of_one_scenario_and_of_one_tier_if_it_says_so() {
        let simulated = format!("{ENTRY}tier = \"sim\"\n");
        assert_eq!(standing(&simulated, "sim", Verdict::Fail, 0), Some(KnownStanding::Listed));
        assert_eq!(standing(&simulated, "live", Verdict::Fail, 0), None);
        let known = parse(ENTRY).map_err(miette::Report::new).expect("it is valid");
        let other = Check { id: "LATENCY-outage".to_owned(), ..latency(Verdict::Fail) };
        assert_eq!(known.about("outage", "live", &other, &Now(0)), None);
        assert_eq!(known.about("upfront", "live", &latency(Verdict::Fail), &Now(0)), None);
    }

    #[test]
    fn an_empty_list_is_a_list() {
        assert!(parse("").is_ok_and(|known| known.0.is_empty()));
    }

    #[test]
    fn what_does_not_exist_is_shown_where_it_stands_with_the_nearest() {
        for (text, said, at, meant) in [
            (ENTRY.replace("outage", "outrage"), "there is no scenario `outrage`", "known.toml:3:12", "outage"),
            (ENTRY.replace("steady", "stead"), "there is no rule `LATENCY-stead`", "known.toml:4:12", "LATENCY-steady"),
        ] {
            let shown = shown(&text);
            let meant = format!("did you mean `{meant}`?");
            assert!([said, at, &meant].iter().all(|part| shown.contains(part)), "{shown}");
        }
    }

    #[test]
    fn what_is_missing_twice_or_no_day_is_refused() {
        for (text, said) in [
            (ENTRY.replace("owner    = \"ada\"", ""), "missing key `owner`"),
            (ENTRY.replace("\"ada\"", "\" \""), "`owner` is empty"),
            (ENTRY.replace("2026-12-31", "2026-12-31T10:00:00Z"), "`until` is a day"),
            (ENTRY.replace("2026-12-31", "\"2026-12-31\""), "invalid type: string"),
            (ENTRY.replace("2026-12-31", "2999-12-24"), "nobody takes a failure on for more than 90 days"),
            (format!("{ENTRY}tier = \"stage\"\n"), "there is no tier `stage`"),
            (format!("{ENTRY}{ENTRY}"), "this failure is listed twice"),
            (format!("{ENTRY}sort = 1\n"), "unknown key `sort`"),
        ] {
            assert!(shown(&text).contains(said), "{}", shown(&text));
        }
    }

    #[test]
    fn the_list_that_is_committed_is_valid() {
        let library = Library::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
        assert!(library.known().is_file());
        KnownFailures::of(&library).map_err(miette::Report::new).expect("it is");
    }
}
