//! Several runs for a person at a terminal: a line each as they end, and a count at the end.

use crate::{
    report::Report,
    terminal::{judged, plain, shown},
    verdict::Verdict,
};
use std::{fmt::Write, time::Duration};

/// One run: its verdict and name, and under it what did not pass. ANSI styles as in [`crate::terminal::render`].
#[must_use]
pub fn line(report: &Report) -> String {
    let (style, verdict) = shown(report.verdict);
    let seconds = report.phases.iter().map(|phase| phase.to_ms).max().unwrap_or(0) / 1000;
    let mut out = format!(
        "{style}{verdict:7}{style:#}  {}  {} requests in {seconds} s\n",
        plain(&report.scenario),
        report.requests()
    );
    for check in report.checks.iter().filter(|check| check.verdict != Verdict::Pass || check.known.is_some()) {
        let (style, verdict) = judged(check, report.gate);
        // Writing to a String cannot fail.
        let _ = writeln!(out, "         {style}{verdict}{style:#} {}: {}", plain(&check.id), plain(&check.detail));
        if let Some(witness) = &check.witness {
            let _ = writeln!(out, "           {}", plain(&witness.what));
        }
    }
    if report.verdict != Verdict::Pass {
        let _ = writeln!(out, "         run {}", plain(&report.run_dir));
    }
    out
}

/// The last line. `not_run` is how many there is no report of.
#[must_use]
pub fn tally(reports: &[Report], not_run: usize, took: Duration) -> String {
    let count = |verdict| reports.iter().filter(|report| report.verdict == verdict).count();
    let (passed, failed, unknown) = (count(Verdict::Pass), count(Verdict::Fail), count(Verdict::Unknown));
    let (minutes, seconds) = (took.as_secs() / 60, took.as_secs() % 60);
    let mut out = format!(
        "{} scenarios in {minutes} min {seconds} s: {passed} passed, {failed} failed, {unknown} unknown",
        reports.len() + not_run
    );
    if not_run > 0 {
        // Writing to a String cannot fail.
        let _ = write!(out, ", {not_run} did not run");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{failing, passing};

    fn bare(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn a_pass_is_one_line_and_a_fail_says_what_broke() {
        assert_eq!(bare(&line(&passing())).lines().count(), 1);
        let failed = bare(&line(&failing()));
        let broken = failing().checks.into_iter().find(|check| check.verdict == Verdict::Fail).unwrap();
        assert!(failed.contains(&broken.id) && failed.contains(&failing().run_dir), "{failed}");
        let took = Duration::from_secs(75);
        let both = tally(&[passing(), failing()], 0, took);
        assert_eq!(both, "2 scenarios in 1 min 15 s: 1 passed, 1 failed, 0 unknown");
        assert!(tally(&[passing()], 1, took).ends_with("1 passed, 0 failed, 0 unknown, 1 did not run"));
    }
}
