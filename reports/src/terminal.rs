//! The report for a person at a terminal: what was done, what was expected, what was seen, and how to see it again.
//! Text may carry what a hostile facilitator said, so control characters never reach the terminal.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::fold::fold;
use crate::level::Level;
use crate::report::{Check, FaultSummary, KnownStanding, PhaseSummary, Report};
use crate::verdict::Verdict;

/// Enough to see what went wrong; the JSON report has all of them.
const MAX_WITNESSES: usize = 8;

/// Whoever mends the first place mends most of the others.
const MAX_OTHERS: usize = 3;

/// What stands beside a bar: times, and how many calls a fault hit.
const BESIDE_BAR: usize = 38;
const LEAST_BAR: usize = 8;

/// Below so many columns a rule's text stands below its id.
const NARROW: usize = 90;

/// Columns of the timeline bars: with the names and times beside them, a line fits a terminal of 100 columns.
const BAR: usize = 38;

const HEADING: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// The report with ANSI styles. Print it through `anstream`, which strips them where the stream is no terminal or
/// `NO_COLOR` is set.
#[must_use]
pub fn render(report: &Report) -> String {
    render_in(report, usize::MAX)
}

/// As `render`, for a terminal of so many columns: what is too long is folded, and columns that say least are left out.
#[must_use]
pub fn render_in(report: &Report, columns: usize) -> String {
    let mut out = String::new();
    write_report(&mut out, report, columns).expect("writing to a string cannot fail");
    fold(&out, columns)
}

fn write_report(out: &mut String, report: &Report, columns: usize) -> fmt::Result {
    writeln!(
        out,
        "{HEADING}{}{HEADING:#}  {} tier, seed {}",
        plain(&report.scenario),
        plain(&report.tier),
        report.seed
    )?;
    writeln!(out, "{}\n", plain(&report.title))?;
    write_timeline(out, report, columns)?;
    write_phases(out, &report.phases, columns)?;
    write_checks(out, report, columns)?;
    writeln!(out, "{HEADING}What was real, and what was a double{HEADING:#}")?;
    for line in &report.fidelity {
        writeln!(out, "  {}", plain(line))?;
    }
    write_verdict(out, report)
}

fn write_timeline(out: &mut String, report: &Report, columns: usize) -> fmt::Result {
    writeln!(out, "{HEADING}What was done{HEADING:#}")?;
    let end = report.phases.iter().map(|phase| phase.to_ms).max().unwrap_or(0);
    let label = |summary: &FaultSummary| format!("{} on {}", plain(&summary.fault.inject), plain(&summary.fault.on));
    let phases = report.phases.iter().map(|phase| (plain(&phase.name), phase.from_ms, phase.to_ms, None));
    let faults =
        report.faults.iter().map(|summary| (label(summary), summary.from_ms, summary.to_ms, Some(summary.hits)));
    let rows: Vec<_> = phases.chain(faults).collect();
    let width = rows.iter().map(|(label, ..)| label.chars().count()).max().unwrap_or(0);
    let room = columns.saturating_sub(width + BESIDE_BAR).clamp(LEAST_BAR, BAR);
    for (label, from, to, hits) in rows {
        let style = if hits.is_some() { AnsiColor::Yellow.on_default() } else { FAINT };
        write!(
            out,
            "  {label:width$}  {style}{}{style:#}  {:>5} to {:>5}",
            bar(from, to, end, room),
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

/// Columns that may be left out where there is no room for all: those without a figure first, then by how little they say.
const LEFT_OUT: [&str; 9] = ["left", "failed", "refused", "pending", "p99", "offered", "p50", "served", "p95"];

/// Heads that are no plain words.
const LEGEND: [(&str, &str); 5] = [
    ("offered", "got a bill, having paid nothing"),
    ("refused", "any other 4xx, or a bill for a payment"),
    ("pending", "told to send the same payment again"),
    ("failed", "5xx, or no whole answer"),
    ("left", "the client hung up on purpose"),
];

fn write_phases(out: &mut String, phases: &[PhaseSummary], columns: usize) -> fmt::Result {
    let width = phases.iter().map(|phase| phase.name.chars().count()).max().unwrap_or(0).max("phase".len());
    let heads = ["requests", "served", "offered", "refused", "pending", "failed", "left", "p50", "p95", "p99"];
    let rows: Vec<[String; 10]> = phases.iter().map(cells).collect();
    let room = |n: usize| if n < 7 { heads[n].len() } else { 7 };
    let mut kept: Vec<usize> = (0..heads.len()).collect();
    let is_empty = |n: usize| rows.iter().all(|row| row[n] == "0" || row[n] == "-");
    let candidates = LEFT_OUT.iter().filter_map(|name| heads.iter().position(|head| head == name));
    let (empty, other): (Vec<usize>, Vec<usize>) = candidates.partition(|n| is_empty(*n));
    for n in empty.into_iter().chain(other) {
        if 2 + width + kept.iter().map(|n| 2 + room(*n)).sum::<usize>() <= columns {
            break;
        }
        kept.retain(|kept| *kept != n);
    }
    let line = |cells: [&str; 10]| kept.iter().map(|n| format!("  {:>1$}", cells[*n], room(*n))).collect::<String>();
    writeln!(out, "  {FAINT}{:width$}{}{FAINT:#}", "phase", line(heads))?;
    let meant = LEGEND.iter().filter(|(head, _)| kept.iter().any(|n| heads[*n] == *head && !is_empty(*n)));
    let meant: Vec<String> = meant.map(|(head, meant)| format!("{head}: {meant}")).collect();
    for (phase, row) in phases.iter().zip(&rows) {
        writeln!(out, "  {:width$}{}", plain(&phase.name), line(row.each_ref().map(String::as_str)))?;
    }
    if !meant.is_empty() {
        writeln!(out, "  {FAINT}{}{FAINT:#}", meant.join("; "))?;
    }
    writeln!(out)
}

fn cells(phase: &PhaseSummary) -> [String; 10] {
    let PhaseSummary { requests, served, offered, refused, pending, failed, left, .. } = phase;
    let [requests, served, offered, refused, pending, failed, left] =
        [requests, served, offered, refused, pending, failed, left].map(ToString::to_string);
    let latency = phase.latency.as_ref().map(|latency| [latency.p50_ms, latency.p95_ms, latency.p99_ms]);
    let [p50, p95, p99] = match latency {
        Some(latency) => latency.map(|ms| format!("{ms:.0}ms")),
        None => ["-"; 3].map(str::to_owned),
    };
    [requests, served, offered, refused, pending, failed, left, p50, p95, p99]
}

fn write_checks(out: &mut String, report: &Report, columns: usize) -> fmt::Result {
    writeln!(out, "{HEADING}What was expected, and what was seen{HEADING:#}")?;
    let width = report.checks.iter().map(|check| check.id.chars().count()).max().unwrap_or(0);
    for check in &report.checks {
        let (style, verdict) = judged(check, report.gate);
        if columns < NARROW {
            writeln!(out, "  {style}{verdict:7}{style:#}  {}", plain(&check.id))?;
            writeln!(out, "    {}\n    {FAINT}{}{FAINT:#}", plain(&check.expected), plain(&check.detail))?;
            explained(check, report.gate).iter().try_for_each(|line| writeln!(out, "    {line}"))?;
            continue;
        }
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
    if check.verdict == Verdict::Fail && !check.sources.is_empty() {
        lines.push(format!("source: {}", plain(&check.sources.join("; "))));
    }
    if check.verdict == Verdict::Fail && !check.hint.is_empty() {
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
fn bar(from: u64, to: u64, end: u64, room: usize) -> String {
    let column = |ms: u64| (ms * room as u64).checked_div(end).unwrap_or(0).min(room as u64) as usize;
    let first = column(from).min(room - 1);
    let after = column(to).max(first + 1);
    "·".repeat(first) + &"━".repeat(after - first) + &"·".repeat(room - after)
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
            assert_eq!(bar(from, to, end, BAR).chars().count(), BAR, "{from} to {to} of {end}");
        }
    }

    #[test]
    fn a_narrow_terminal_has_fewer_columns_and_no_word_is_cut() {
        let told = anstream::adapter::strip_str(&render_in(&failing(), 60)).to_string();
        let is_copied = |line: &str| line.starts_with("run ") || line.starts_with("replay ");
        let wide: Vec<&str> = told.lines().filter(|line| line.chars().count() > 60 && !is_copied(line)).collect();
        assert_eq!(wide, Vec::<&str>::new());
        insta::assert_snapshot!(told);
    }
}
