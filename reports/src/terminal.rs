//! The report for a person at a terminal: what was done, what was expected, what was seen, and how to see it again.
//! Text may carry what a hostile facilitator said, so control characters never reach the terminal.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::level::Level;
use crate::report::{Check, FaultSummary, KnownStanding, PhaseSummary, Report};
use crate::verdict::Verdict;

/// Enough to see what went wrong; the JSON report has all of them.
const MAX_WITNESSES: usize = 8;

/// Whoever mends the first place mends most of the others.
const MAX_OTHERS: usize = 3;

/// Columns of the timeline bars: with the names and times beside them, a line fits a terminal of 100 columns.
const BAR: usize = 38;

const HEADING: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// The report with ANSI styles. Print it through `anstream`, which strips them where the stream is no terminal or
/// `NO_COLOR` is set.
pub fn render(report: &Report) -> String {
    let mut out = String::new();
    write_report(&mut out, report).expect("writing to a string cannot fail");
    out
}

fn write_report(out: &mut String, report: &Report) -> fmt::Result {
    writeln!(
        out,
        "{HEADING}{}{HEADING:#}  {} tier, seed {}",
        plain(&report.scenario),
        plain(&report.tier),
        report.seed
    )?;
    writeln!(out, "{}\n", plain(&report.title))?;
    write_timeline(out, report)?;
    write_phases(out, &report.phases)?;
    write_checks(out, report)?;
    writeln!(out, "{HEADING}What was real, and what was a double{HEADING:#}")?;
    for line in &report.fidelity {
        writeln!(out, "  {}", plain(line))?;
    }
    write_verdict(out, report)
}

fn write_timeline(out: &mut String, report: &Report) -> fmt::Result {
    writeln!(out, "{HEADING}What was done{HEADING:#}")?;
    let end = report.phases.iter().map(|phase| phase.to_ms).max().unwrap_or(0);
    let label = |summary: &FaultSummary| format!("{} on {}", plain(&summary.fault.inject), plain(&summary.fault.on));
    let phases = report.phases.iter().map(|phase| (plain(&phase.name), phase.from_ms, phase.to_ms, None));
    let faults =
        report.faults.iter().map(|summary| (label(summary), summary.from_ms, summary.to_ms, Some(summary.hits)));
    let rows: Vec<_> = phases.chain(faults).collect();
    let width = rows.iter().map(|(label, ..)| label.chars().count()).max().unwrap_or(0);
    for (label, from, to, hits) in rows {
        let style = if hits.is_some() { AnsiColor::Yellow.on_default() } else { FAINT };
        write!(
            out,
            "  {label:width$}  {style}{}{style:#}  {:>5} to {:>5}",
            bar(from, to, end),
            seconds(from),
            seconds(to)
        )?;
        match hits {
            Some(0) => writeln!(out, "  no call hit")?,
            Some(1) => writeln!(out, "  1 call hit")?,
            Some(hits) => writeln!(out, "  {hits} calls hit")?,
            None => writeln!(out)?,
        }
    }
    writeln!(out)
}

fn write_phases(out: &mut String, phases: &[PhaseSummary]) -> fmt::Result {
    let width = phases.iter().map(|phase| phase.name.chars().count()).max().unwrap_or(0).max("phase".len());
    writeln!(
        out,
        "  {FAINT}{:width$}  requests  served  offered  refused  pending  failed  left      p50      p95      p99{FAINT:#}",
        "phase"
    )?;
    for phase in phases {
        write!(
            out,
            "  {:width$}  {:>8}  {:>6}  {:>7}  {:>7}  {:>7}  {:>6}  {:>4}",
            plain(&phase.name),
            phase.requests,
            phase.served,
            phase.offered,
            phase.refused,
            phase.pending,
            phase.failed,
            phase.left
        )?;
        match &phase.latency {
            Some(latency) => {
                let shown = [latency.p50_ms, latency.p95_ms, latency.p99_ms].map(|ms| format!("{ms:.0}ms"));
                writeln!(out, "  {:>7}  {:>7}  {:>7}", shown[0], shown[1], shown[2])?;
            }
            None => writeln!(out, "  {:>7}  {:>7}  {:>7}", "-", "-", "-")?,
        }
    }
    writeln!(out)
}

fn write_checks(out: &mut String, report: &Report) -> fmt::Result {
    writeln!(out, "{HEADING}What was expected, and what was seen{HEADING:#}")?;
    let width = report.checks.iter().map(|check| check.id.chars().count()).max().unwrap_or(0);
    for check in &report.checks {
        let (style, verdict) = judged(check, report.gate);
        writeln!(out, "  {style}{verdict:7}{style:#}  {:width$}  {}", plain(&check.id), plain(&check.expected))?;
        writeln!(out, "  {:7}  {:width$}  {FAINT}{}{FAINT:#}", "", "", plain(&check.detail))?;
        for line in explained(check, report.gate) {
            writeln!(out, "  {:7}  {:width$}  {line}", "", "")?;
        }
    }
    writeln!(out)
}

/// The lines under a check that did not simply hold.
fn explained(check: &Check, gate: Level) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(witness) = &check.witness {
        lines.push(plain(&witness.what));
        let width = witness.events.iter().map(|event| event.line.to_string().len()).max().unwrap_or(0);
        let shown = witness.events.iter().take(MAX_WITNESSES);
        lines.extend(shown.map(|event| format!("  line {:>width$}  {}", event.line, plain(&event.text))));
        if let Some(more) = witness.events.len().checked_sub(MAX_WITNESSES).filter(|more| *more > 0) {
            lines.push(format!("  and {more} more, in the JSON report"));
        }
        lines.extend(witness.others.iter().take(MAX_OTHERS).map(|other| format!("also: {}", plain(other))));
    }
    if check.verdict == Verdict::Fail {
        lines.push(format!("source: {}", plain(&check.sources.join("; "))));
        lines.push(format!("hint: {}; look at {} first", plain(&check.hint.cause), plain(&check.hint.look_at)));
    }
    if let Some(known) = &check.known {
        let (owner, until, why) = (plain(&known.owner), plain(&known.until), plain(&known.why));
        lines.push(match known.standing {
            KnownStanding::Listed => format!("known until {until} ({owner}): {why}"),
            KnownStanding::Expired => format!("was known until {until} ({owner}): mend it, or agree on another day"),
            KnownStanding::Over => format!("no longer fails: delete the entry from known.toml ({owner}: {why})"),
        });
    } else if check.verdict != Verdict::Pass && check.level > gate {
        lines.push(format!("a `{}`: it does not fail the run", check.level.as_str()));
    }
    lines
}

/// Capitals for what keeps the run from passing.
pub(crate) fn judged(check: &Check, gate: Level) -> (Style, &'static str) {
    let quiet = AnsiColor::Yellow.on_default();
    match (check.known.as_ref().map(|known| known.standing), check.counts_as(gate)) {
        (Some(KnownStanding::Listed), _) => (quiet, "known"),
        (Some(KnownStanding::Over), _) => (AnsiColor::Red.on_default().bold(), "OVER"),
        (_, Some(verdict)) => shown(verdict),
        (_, None) if check.verdict == Verdict::Pass => shown(Verdict::Pass),
        (_, None) => (quiet, check.verdict.as_str()),
    }
}

fn write_verdict(out: &mut String, report: &Report) -> fmt::Result {
    let (style, verdict) = shown(report.verdict);
    let count = |verdict| report.checks.iter().filter(|check| check.verdict == verdict).count();
    let (held, broke, unknown) = (count(Verdict::Pass), count(Verdict::Fail), count(Verdict::Unknown));
    let known = report.checks.iter().filter(|check| check.known.is_some()).count();
    let known = if known > 0 { format!(" ({known} in known.toml)") } else { String::new() };
    writeln!(
        out,
        "\n{style}{verdict}{style:#}  {held} held, {broke} broke, {unknown} unknown{known}; exit code {}",
        report.exit_code
    )?;
    writeln!(out, "run     {}", plain(&report.run_dir))?;
    writeln!(out, "replay  {}", plain(&report.replay))
}

/// Failures in capitals, so that they are found without colour as well.
pub(crate) fn shown(verdict: Verdict) -> (Style, &'static str) {
    match verdict {
        Verdict::Pass => (AnsiColor::Green.on_default(), "pass"),
        Verdict::Fail => (AnsiColor::Red.on_default().bold(), "FAIL"),
        Verdict::Unknown => (AnsiColor::Yellow.on_default().bold(), "UNKNOWN"),
    }
}

/// The place of a window in the run. Never empty, however short the window.
fn bar(from: u64, to: u64, end: u64) -> String {
    let column = |ms: u64| (ms * BAR as u64).checked_div(end).unwrap_or(0).min(BAR as u64) as usize;
    let first = column(from).min(BAR - 1);
    let after = column(to).max(first + 1);
    "·".repeat(first) + &"━".repeat(after - first) + &"·".repeat(BAR - after)
}

fn seconds(ms: u64) -> String {
    format!("{:.1}s", ms as f64 / 1000.0)
}

/// Text of others, without what steers a terminal or turns the direction in which it is read.
pub(crate) fn plain(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if steers(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{failing, passing};

    fn without_styles(report: &Report) -> String {
        anstream::adapter::strip_str(&render(report)).to_string()
    }

    #[test]
    fn a_pass_on_a_terminal() {
        insta::assert_snapshot!(without_styles(&passing()));
    }

    #[test]
    fn a_fail_on_a_terminal() {
        insta::assert_snapshot!(without_styles(&failing()));
    }

    #[test]
    fn control_characters_of_others_do_not_reach_the_terminal() {
        let rendered = render(&failing());
        assert!(!rendered.contains("standby\u{1b}"));
        assert!(rendered.contains("standby\u{fffd}[31m"));
    }

    #[test]
    fn a_bar_is_as_wide_for_every_window() {
        for (from, to, end) in [(0, 38, 38), (0, 0, 0), (37, 38, 38), (38, 38, 38), (5, 99, 38)] {
            assert_eq!(bar(from, to, end).chars().count(), BAR, "{from} to {to} of {end}");
        }
    }
}
