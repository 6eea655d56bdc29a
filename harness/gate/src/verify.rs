//! Whether a bundle may be deployed on the word of a `gate.json`. Every reason against it is told, not the first alone.
//!
//! Surprising constraint: nothing that the record says of itself is taken as said. Its verdict is made again from its parts,
//! and what should have been run is told by whoever asks.

use std::{collections::BTreeMap, time::Duration};

use crate::{FileDigest, GATE_SCHEMA, GateRecord, Key, Outcome, Profile, verdict_of};

/// A record may be this far ahead of the clock of whoever verifies.
const CLOCKS_DIFFER: Duration = Duration::from_secs(300);

/// The question to the record.
pub struct Asked<'a> {
    pub at_least: Profile,
    /// How long ago the gate may have ended.
    pub max_age: Duration,
    /// With one, a record that is not signed with it is refused.
    pub key: Option<&'a Key>,
    /// The commit that is to be deployed, where whoever asks knows it.
    pub commit: Option<&'a str>,
    /// Jobs that the record's profile asks for today; empty where there is no library to know it from.
    pub jobs: &'a [String],
    pub now_ms: u64,
}

/// The files that would be deployed, as they lie there.
pub struct Found {
    pub bundle: Vec<FileDigest>,
    pub config: Vec<FileDigest>,
}

/// A reason against.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Seal(#[from] crate::SealError),
    #[error("the record is of version {0}, and this reads version {GATE_SCHEMA}")]
    Schema(u32),
    #[error("the verdict is {}: {reasons}", verdict.as_str())]
    NotPassed { verdict: Outcome, reasons: String },
    #[error("the record says {}, and its parts come to {}", told.as_str(), follows.as_str())]
    VerdictDoesNotFollow { told: Outcome, follows: Outcome },
    #[error("the gate was ended before everything was run")]
    Partial,
    #[error("{0} is part of its profile and is not in the record: it never ran")]
    NeverRan(String),
    #[error("{0} is in the record twice")]
    Twice(String),
    #[error("the gate ran profile {}, and {} is asked for", ran.as_str(), asked.as_str())]
    WeakerProfile { ran: Profile, asked: Profile },
    #[error("{path} is not what the gate ran: sha256 {found} here, {judged} there")]
    Differs { path: String, judged: String, found: String },
    #[error("{0} was judged and is not here")]
    Missing(String),
    #[error("{0} is here and was not judged")]
    NotJudged(String),
    #[error("there is no file that would be deployed")]
    NothingToDeploy,
    #[error("the sources differed from their commit: {0}")]
    DirtyTree(String),
    #[error("the record names no commit")]
    NoCommit,
    #[error("the gate ran on commit {judged}, and {asked} is to be deployed")]
    OtherCommit { judged: String, asked: String },
    #[error("the gate ended {} h ago, and {} h is the most", age.as_secs() / 3600, most.as_secs() / 3600)]
    Old { age: Duration, most: Duration },
    #[error("the gate ended in the future, by this machine's clock")]
    FromTheFuture,
    #[error("the bundle was given to the gate, which did not build it from the commit")]
    GivenBundle,
}

/// Every reason against deploying it; none: it may be deployed.
#[must_use]
pub fn verify(record: &GateRecord, asked: &Asked<'_>, found: &Found) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if record.schema != GATE_SCHEMA {
        refusals.push(Refusal::Schema(record.schema));
    }
    refusals.extend(record.check_seal(asked.key).err().map(Refusal::from));
    refusals.extend(of_verdict(record));
    refusals.extend(of_jobs(record, asked.jobs));
    if record.profile < asked.at_least {
        refusals.push(Refusal::WeakerProfile { ran: record.profile, asked: asked.at_least });
    }
    if found.bundle.is_empty() || found.config.is_empty() {
        refusals.push(Refusal::NothingToDeploy);
    }
    refusals.extend(of_files(&record.bundle, &found.bundle));
    refusals.extend(of_files(&record.config, &found.config));
    refusals.extend(of_source(record, asked.commit));
    refusals.extend(of_age(record, asked));
    refusals
}

fn of_verdict(record: &GateRecord) -> Vec<Refusal> {
    let (follows, reasons) = verdict_of(&record.jobs);
    let mut refusals = Vec::new();
    if record.verdict != Outcome::Pass || follows != Outcome::Pass {
        let (verdict, reasons) = match record.verdict {
            Outcome::Pass => (follows, reasons),
            told => (told, record.reasons.clone()),
        };
        refusals.push(Refusal::NotPassed { verdict, reasons: reasons.join("; ") });
    }
    // A partial one may be told as less than its parts come to.
    if record.verdict != follows && !record.partial {
        refusals.push(Refusal::VerdictDoesNotFollow { told: record.verdict, follows });
    }
    if record.partial {
        refusals.push(Refusal::Partial);
    }
    refusals
}

fn of_jobs(record: &GateRecord, wanted: &[String]) -> Vec<Refusal> {
    let mut seen = BTreeMap::new();
    for job in &record.jobs {
        *seen.entry(job.id.as_str()).or_insert(0) += 1;
    }
    let missing = wanted.iter().filter(|id| !seen.contains_key(id.as_str())).cloned().map(Refusal::NeverRan);
    let twice = seen.iter().filter(|(_, count)| **count > 1).map(|(id, _)| Refusal::Twice((*id).to_owned()));
    missing.chain(twice).collect()
}

fn of_files(judged: &[FileDigest], found: &[FileDigest]) -> Vec<Refusal> {
    let by_path = |files: &[FileDigest]| -> BTreeMap<String, String> {
        files.iter().map(|file| (file.path.clone(), file.sha256.clone())).collect()
    };
    let (judged, found) = (by_path(judged), by_path(found));
    let of_judged = judged.iter().filter_map(|(path, digest)| match found.get(path) {
        None => Some(Refusal::Missing(path.clone())),
        Some(here) if here != digest => {
            Some(Refusal::Differs { path: path.clone(), judged: digest.clone(), found: here.clone() })
        }
        Some(_) => None,
    });
    let more = found.keys().filter(|path| !judged.contains_key(*path)).cloned().map(Refusal::NotJudged);
    of_judged.chain(more).collect()
}

fn of_source(record: &GateRecord, commit: Option<&str>) -> Vec<Refusal> {
    let source = &record.source;
    let mut refusals = Vec::new();
    if !source.clean {
        refusals.push(Refusal::DirtyTree(source.changed.join(", ")));
    }
    if source.bundle_given {
        refusals.push(Refusal::GivenBundle);
    }
    match (&source.commit, commit) {
        (None, _) => refusals.push(Refusal::NoCommit),
        (Some(judged), Some(asked)) if judged != asked => {
            refusals.push(Refusal::OtherCommit { judged: judged.clone(), asked: asked.to_owned() });
        }
        (Some(_), _) => {}
    }
    refusals
}

fn of_age(record: &GateRecord, asked: &Asked<'_>) -> Option<Refusal> {
    if record.ended_at_ms > asked.now_ms + CLOCKS_DIFFER.as_millis() as u64 {
        return Some(Refusal::FromTheFuture);
    }
    let age = Duration::from_millis(asked.now_ms.saturating_sub(record.ended_at_ms));
    (age > asked.max_age).then_some(Refusal::Old { age, most: asked.max_age })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        JobRecord, SealError, Source,
        record::fixture::{job, record},
    };

    const HOUR: Duration = Duration::from_secs(3600);

    fn good() -> GateRecord {
        record(vec![job("sim:a", Outcome::Pass), job("live:a", Outcome::Pass)])
    }

    fn refusals_of(record: &GateRecord, change: impl FnOnce(&mut Asked<'_>, &mut Found)) -> Vec<Refusal> {
        let jobs = ["sim:a", "live:a"].map(str::to_owned);
        let mut asked = Asked {
            at_least: Profile::Pr,
            max_age: 24 * HOUR,
            key: None,
            commit: Some("c0ffee"),
            jobs: &jobs,
            now_ms: good().ended_at_ms + 60_000,
        };
        let mut found = Found { bundle: good().bundle, config: good().config };
        change(&mut asked, &mut found);
        verify(record, &asked, &found)
    }

    fn unchanged(record: &GateRecord) -> Vec<Refusal> {
        refusals_of(record, |_, _| {})
    }

    #[test]
    fn what_was_judged_and_held_may_be_deployed() {
        assert_eq!(unchanged(&good().sealed(None)), []);
    }

    #[test]
    fn another_bundle_or_configuration_is_refused_whatever_of_it_differs() {
        let sealed = good().sealed(None);
        let differs = refusals_of(&sealed, |_, found| found.bundle[1] = FileDigest::of("index_bg.wasm", b"other"));
        assert!(matches!(&differs[..], [Refusal::Differs { path, .. }] if path == "index_bg.wasm"), "{differs:?}");
        let more = refusals_of(&sealed, |_, found| found.bundle.push(FileDigest::of("more.js", b"x")));
        assert_eq!(more, [Refusal::NotJudged("more.js".to_owned())]);
        let fewer = refusals_of(&sealed, |_, found| drop(found.bundle.pop()));
        assert_eq!(fewer, [Refusal::Missing("index_bg.wasm".to_owned())]);
        let config = refusals_of(&sealed, |_, found| found.config[0] = FileDigest::of("wrangler.jsonc", b"{\"a\":1}"));
        assert!(matches!(&config[..], [Refusal::Differs { path, .. }] if path == "wrangler.jsonc"), "{config:?}");
        let nothing = refusals_of(&sealed, |_, found| found.bundle.clear());
        assert!(nothing.contains(&Refusal::NothingToDeploy));
    }

    #[test]
    fn an_edited_record_is_refused() {
        let edited = GateRecord { run: "another".to_owned(), ..good().sealed(None) };
        assert_eq!(unchanged(&edited), [Refusal::Seal(SealError::Edited)]);
        // Sealed anew by somebody who knows how: then what it says must still follow from its parts.
        let mut whitewashed = record(vec![job("sim:a", Outcome::Pass), job("live:a", Outcome::Fail)]);
        whitewashed.verdict = Outcome::Pass;
        let refusals = unchanged(&whitewashed.sealed(None));
        assert!(
            matches!(&refusals[..], [Refusal::NotPassed { .. }, Refusal::VerdictDoesNotFollow { .. }]),
            "{refusals:?}"
        );
    }

    #[test]
    fn a_scenario_that_never_ran_is_missed_though_the_record_does_not_name_it() {
        let short = record(vec![job("sim:a", Outcome::Pass)]).sealed(None);
        assert_eq!(unchanged(&short), [Refusal::NeverRan("live:a".to_owned())]);
        let idle = JobRecord { judged: 0, ..job("live:a", Outcome::Pass) };
        let idle = record(vec![job("sim:a", Outcome::Pass), idle]).sealed(None);
        assert!(matches!(&unchanged(&idle)[..], [Refusal::NotPassed { verdict: Outcome::Unknown, .. }]));
        let doubled =
            record(vec![job("sim:a", Outcome::Pass), job("live:a", Outcome::Pass), job("live:a", Outcome::Pass)]);
        assert_eq!(unchanged(&doubled.sealed(None)), [Refusal::Twice("live:a".to_owned())]);
    }

    #[test]
    fn what_is_old_dirty_partial_or_of_another_commit_is_refused() {
        let sealed = good().sealed(None);
        let old = refusals_of(&sealed, |asked, _| asked.now_ms += 25 * HOUR.as_millis() as u64);
        assert!(matches!(&old[..], [Refusal::Old { .. }]), "{old:?}");
        assert_eq!(refusals_of(&sealed, |asked, _| asked.now_ms = 0), [Refusal::FromTheFuture]);
        let other = refusals_of(&sealed, |asked, _| asked.commit = Some("abc"));
        assert!(matches!(&other[..], [Refusal::OtherCommit { .. }]), "{other:?}");
        let weaker = refusals_of(&sealed, |asked, _| asked.at_least = Profile::Release);
        assert!(matches!(&weaker[..], [Refusal::WeakerProfile { .. }]), "{weaker:?}");

        let dirty = Source { clean: false, changed: vec!["src/lib.rs".to_owned()], ..good().source };
        let dirty = GateRecord { source: dirty, ..good() }.sealed(None);
        assert_eq!(unchanged(&dirty), [Refusal::DirtyTree("src/lib.rs".to_owned())]);
        let given = GateRecord { source: Source { bundle_given: true, ..good().source }, ..good() }.sealed(None);
        assert_eq!(unchanged(&given), [Refusal::GivenBundle]);
        let nameless = GateRecord { source: Source { commit: None, ..good().source }, ..good() }.sealed(None);
        assert_eq!(unchanged(&nameless), [Refusal::NoCommit]);
        let partial = GateRecord { partial: true, ..good() }.sealed(None);
        assert_eq!(unchanged(&partial), [Refusal::Partial]);
        let ahead = GateRecord { schema: 2, ..good() }.sealed(None);
        assert_eq!(unchanged(&ahead), [Refusal::Schema(2)]);
    }
}
