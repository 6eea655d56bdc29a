//! Markdown for a job's summary. The verdict comes first, then what broke: whoever reads it reads the first screen. GitHub
//! refuses a summary of more than a mebibyte as a whole, so the end is left out before it comes to that.

use std::fmt::Write;

use crate::{
    report::{Check, KnownStanding, Report},
    verdict::Verdict,
};

/// Room for what other steps of the same job say.
const MAX_BYTES: usize = 900_000;

/// How many events of a witness are shown; the other formats have all of them.
const MAX_WITNESSES: usize = 8;

#[must_use]
pub fn render(reports: &[&Report]) -> String {
    let mut out = headline(reports);
    let mut left_out = 0;
    let red = |report: &&Report| report.checks.iter().any(is_worth_telling) || report.verdict != Verdict::Pass;
    let (told, held): (Vec<&Report>, Vec<&Report>) = reports.iter().partition(|report| red(report));
    for section in told.iter().map(|report| section(report)).chain((!held.is_empty()).then(|| table(&held))) {
        if out.len() + section.len() > MAX_BYTES {
            left_out += 1;
        } else {
            out += &section;
        }
    }
    if left_out > 0 {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "\n{left_out} more did not fit here; the JSON report has all of them.");
    }
    out
}

fn headline(reports: &[&Report]) -> String {
    let count = |verdict| reports.iter().filter(|report| report.verdict == verdict).count();
    let (passed, failed, unknown) = (count(Verdict::Pass), count(Verdict::Fail), count(Verdict::Unknown));
    let verdict = match Verdict::merge(reports.iter().map(|report| report.verdict)) {
        Verdict::Pass => "✅ pass",
        Verdict::Fail => "❌ FAIL",
        Verdict::Unknown => "❔ UNKNOWN",
    };
    match reports {
        [] => format!("## {verdict}: nothing ran\n\n"),
        [one] => format!("## {verdict}: {}\n\n", text(&one.scenario)),
        _ => format!("## {verdict}: {passed} passed, {failed} failed, {unknown} unknown\n\n"),
    }
}

/// Whether it did not simply hold.
fn is_worth_telling(check: &Check) -> bool {
    check.verdict != Verdict::Pass || check.known.is_some()
}

fn section(report: &Report) -> String {
    let mut out = String::new();
    write_section(&mut out, report).expect("writing to a string cannot fail");
    out
}

fn write_section(out: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(out, "### {} {}\n", mark(report.verdict), text(&report.scenario))?;
    writeln!(out, "{}\n", text(&report.title))?;
    for check in report.checks.iter().filter(|check| is_worth_telling(check)) {
        let word = match check.known.as_ref().map(|known| known.standing) {
            Some(KnownStanding::Listed) => "known",
            Some(KnownStanding::Over) => "OVER: delete it from known.toml",
            Some(KnownStanding::Expired) => "FAIL, no longer excused",
            None => check.verdict.as_str(),
        };
        writeln!(out, "- **{} {word}**: {}", text(&check.id), text(&check.expected))?;
        writeln!(out, "  - {} ({}, {})", text(&check.detail), check.level.as_str(), check.class.as_str())?;
        if let Some(witness) = &check.witness {
            writeln!(out, "  - {}", text(&witness.what))?;
            for event in witness.events.iter().take(MAX_WITNESSES) {
                writeln!(out, "    - line {}: {}", event.line, text(&event.text))?;
            }
            if let Some(more) = witness.events.len().checked_sub(MAX_WITNESSES).filter(|more| *more > 0) {
                writeln!(out, "    - and {more} more")?;
            }
        }
        if check.verdict == Verdict::Fail && !check.hint.is_empty() {
            writeln!(out, "  - Usually: {}. Look at {} first.", text(&check.hint.cause), text(&check.hint.look_at))?;
        }
    }
    if let Some(machine) = &report.machine {
        let (others, cores) = (machine.others, machine.cores);
        writeln!(out, "\nOthers had {others:.1} of the machine's {cores} cores, on average.")?;
    }
    if !report.replay.is_empty() {
        writeln!(out, "\nRepeat it: {}", text(&report.replay))?;
    }
    writeln!(out)
}

fn table(reports: &[&Report]) -> String {
    let mut out = String::from("| held | tier | requests | rules |\n|---|---|---:|---:|\n");
    for report in reports {
        let (name, tier) = (text(&report.scenario), text(&report.tier));
        // Writing to a String cannot fail.
        let _ = writeln!(out, "| {name} | {tier} | {} | {} |", report.requests(), report.checks.len());
    }
    out
}

fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✅",
        Verdict::Fail => "❌",
        Verdict::Unknown => "❔",
    }
}

/// Text of others, that it may neither be markup nor address anybody.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '@' => out += "&#64;",
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '!' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{failing, passing};

    #[test]
    fn the_verdict_comes_first_and_then_what_broke() {
        insta::assert_snapshot!(render(&[&passing(), &failing()]));
    }

    #[test]
    fn nothing_that_ran_is_no_pass() {
        assert!(render(&[]).starts_with("## ❔ UNKNOWN: nothing ran"));
    }

    #[test]
    fn text_of_others_is_no_markup() {
        assert_eq!(text("<b>|@me\n![x](y)`"), "&lt;b&gt;\\|&#64;me\u{fffd}\\!\\[x\\](y)\\`");
    }

    #[test]
    fn it_stays_below_a_mebibyte_and_says_what_is_left_out() {
        let failing = failing();
        let many: Vec<&Report> = std::iter::repeat_n(&failing, 2000).collect();
        let summary = render(&many);
        assert!(summary.len() < 1 << 20, "{}", summary.len());
        assert!(summary.contains("2000 failed") && summary.contains("more did not fit here"));
    }
}
