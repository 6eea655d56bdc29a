//! A gate's record for people: on a terminal, and as Markdown for the summary of a CI job. The verdict comes first.

use std::fmt::Write;

use crate::{GateRecord, JobRecord, Outcome};

/// GitHub cuts off a job's summary at 1 MiB.
const MOST_MARKDOWN_BYTES: usize = 900_000;
/// Parts that were never begun, by name.
const MOST_NAMED: usize = 8;
/// The most of one part's detail that is shown, in characters.
const MOST_DETAIL: usize = 300;

/// For a terminal.
#[must_use]
pub fn table(record: &GateRecord) -> String {
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").expect("writing to a string cannot fail");
    line(format!("gate {}  {}  {}", record.profile.as_str(), record.verdict.as_str(), counts(record)));
    if record.partial {
        line("  partial: not everything that the profile asks for was run to its end".to_owned());
    }
    for job in short(record) {
        line(format!("\n  {:<8} {}  {}", job.counts_as().as_str(), job.id, one_line(&job.says)));
        for check in &job.not_held {
            line(format!(
                "           {:<8} {} {}: {}",
                check.outcome.as_str(),
                check.rule,
                check.name,
                one_line(&check.detail)
            ));
        }
        line(format!("           repeat: {}", job.repeat));
    }
    if let Some(never) = never_begun(record) {
        line(format!("\n  not run  {never}"));
    }
    let Some(wasm) = record.bundle.iter().find(|file| file.path.ends_with(".wasm")) else { return out };
    let mut line = |text: String| writeln!(out, "{text}").expect("writing to a string cannot fail");
    line(format!("\n  wasm    sha256 {}, {} kB", wasm.sha256, wasm.bytes / 1_000));
    line(format!("  source  {}", source(record)));
    out
}

/// For the summary of a CI job.
#[must_use]
pub fn markdown(record: &GateRecord) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        if out.len() + text.len() < MOST_MARKDOWN_BYTES {
            writeln!(out, "{text}").expect("writing to a string cannot fail");
        }
    };
    line(format!("## Gate `{}`: {}\n", record.profile.as_str(), record.verdict.as_str()));
    line(format!("{}\n", counts(record)));
    if record.partial {
        line("**Partial: not everything that the profile asks for was run to its end.**\n".to_owned());
    }
    let short: Vec<&JobRecord> = short(record).collect();
    if let Some(never) = never_begun(record) {
        line(format!("Never begun: {}\n", escaped(&never)));
    }
    if !short.is_empty() {
        line("| part | outcome | what was seen | repeat |\n|---|---|---|---|".to_owned());
        for job in short {
            let seen = job.not_held.iter().map(|check| format!("{}: {}", check.rule, one_line(&check.detail)));
            let seen = std::iter::once(one_line(&job.says)).chain(seen).map(|text| escaped(&text)).collect::<Vec<_>>();
            let (id, outcome) = (escaped(&job.id), job.counts_as().as_str());
            line(format!("| {id} | {outcome} | {} | `{}` |", seen.join("<br>"), job.repeat.replace('`', "'")));
        }
    }
    line("\n| what | |\n|---|---|".to_owned());
    line(format!("| source | {} |", escaped(&source(record))));
    for file in record.bundle.iter().chain(&record.config) {
        line(format!("| {} | `{}` |", escaped(&file.path), file.sha256));
    }
    let machine = &record.machine;
    line(format!("| machine | {} cores, {}, {} MB |", machine.cores, escaped(&machine.cpu), machine.memory_mb));
    for tool in &record.tools {
        line(format!("| {} | {} |", escaped(tool.0), escaped(tool.1)));
    }
    line("\n<details><summary>Every part</summary>\n\n| part | outcome | seconds |\n|---|---|---|".to_owned());
    for job in &record.jobs {
        line(format!("| {} | {} | {} |", escaped(&job.id), job.counts_as().as_str(), job.took_ms / 1_000));
    }
    line("\n</details>".to_owned());
    for fidelity in &record.fidelity {
        line(format!("- {}", escaped(fidelity)));
    }
    out
}

/// Parts that were begun and did not pass, each of which has something to say.
fn short(record: &GateRecord) -> impl Iterator<Item = &JobRecord> {
    record.jobs.iter().filter(|job| job.counts_as() != Outcome::Pass && !is_never_begun(job))
}

fn is_never_begun(job: &JobRecord) -> bool {
    job.exit_code.is_none() && job.took_ms == 0
}

/// The others, in one line.
fn never_begun(record: &GateRecord) -> Option<String> {
    let never: Vec<&str> = record.jobs.iter().filter(|job| is_never_begun(job)).map(|job| job.id.as_str()).collect();
    let more = never.len().saturating_sub(MOST_NAMED);
    let named = never[..never.len().min(MOST_NAMED)].join(", ");
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!never.is_empty()).then(|| format!("{named}{more}"))
}

fn counts(record: &GateRecord) -> String {
    let of = |outcome| record.jobs.iter().filter(|job| job.counts_as() == outcome).count();
    let took = record.ended_at_ms.saturating_sub(record.started_at_ms) / 1_000;
    let rest: String = [Outcome::Fail, Outcome::Unknown, Outcome::NotRun]
        .into_iter()
        .filter(|outcome| of(*outcome) > 0)
        .map(|outcome| format!(", {} {}", of(outcome), outcome.as_str()))
        .collect();
    format!("{} of {} passed{rest}, in {} min {} s", of(Outcome::Pass), record.jobs.len(), took / 60, took % 60)
}

fn source(record: &GateRecord) -> String {
    let commit = record.source.commit.as_deref().unwrap_or("no commit");
    let given = if record.source.bundle_given { ", a bundle that was given" } else { "" };
    let state = if record.source.clean { "clean" } else { "with changes that are not committed" };
    format!("{commit}, {state}{given}")
}

/// Without what could steer a terminal.
fn one_line(text: &str) -> String {
    text.chars().map(|one| if one.is_control() { ' ' } else { one }).take(MOST_DETAIL).collect()
}

fn escaped(text: &str) -> String {
    one_line(text).replace('|', "\\|").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        CheckRecord,
        record::fixture::{job, record},
    };

    fn failing() -> GateRecord {
        let not_held = CheckRecord {
            rule: "COST-1".to_owned(),
            name: "dispatch-carries-limits".to_owned(),
            outcome: Outcome::Fail,
            detail: "request r1 to acme: cpuMs is no limit | the plan's 50".to_owned(),
        };
        let broken =
            JobRecord { says: "1 rule broke".to_owned(), not_held: vec![not_held], ..job("live:a", Outcome::Fail) };
        let never = JobRecord { exit_code: None, took_ms: 0, ..job("load:budgets", Outcome::NotRun) };
        record(vec![job("sim:a", Outcome::Pass), broken, never])
    }

    #[test]
    fn a_refusal_on_a_terminal() {
        insta::assert_snapshot!(table(&failing()));
    }

    #[test]
    fn a_refusal_in_a_jobs_summary() {
        insta::assert_snapshot!(markdown(&failing()));
    }

    #[test]
    fn a_summary_stays_below_what_is_shown() {
        let many = (0..40_000).map(|n| job(&format!("live:{n}"), Outcome::Fail)).collect();
        let text = markdown(&record(many));
        assert!(text.starts_with("## Gate `pr`: fail") && text.len() < 1 << 20);
    }
}
