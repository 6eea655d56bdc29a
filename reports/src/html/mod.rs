//! One page that explains a run to somebody who has seen neither the scenario nor the log. It asks for nothing from outside and
//! runs no script: what it hides, `details` opens, and a link to what is hidden opens it too.
//!
//! Surprising constraints: tenants, facilitators and callers are hostile, and their words stand here, so everything is escaped
//! by [`maud`] and passes [`clean`]. And a run may have had a hundred thousand requests, so each is a few elements, pages of
//! them are closed, and the page is written as it is made.

mod axis;
mod blame;
mod chart;
mod picture;
mod rules;
mod stories;
mod tables;

use std::io::Write;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{RenderError, Run, report::Report, story::Stories, verdict::Verdict};
use picture::Picture;

/// The page may not load or run anything, whatever got into it.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// More than anybody reads of one text that others chose.
const MAX_TEXT: usize = 2_000;

/// Whether a section is there, by whether there are events and whether stories are told.
type IsThere = fn(bool, bool) -> bool;

const SECTIONS: [(&str, &str, IsThere); 6] = [
    ("time", "Timeline", |events, _| events),
    ("rules", "Rules", |_, _| true),
    ("phases", "Phases", |_, _| true),
    ("payments", "Payments", |_, _| true),
    ("requests", "Requests", |_, stories| stories),
    ("real", "What was real", |_, _| true),
];

pub fn render(runs: &[Run<'_>], to: &mut dyn Write) -> Result<(), RenderError> {
    let reports: Vec<&Report> = runs.iter().map(|run| run.report).collect();
    let verdict = Verdict::merge(reports.iter().map(|report| report.verdict));
    let title = match reports.as_slice() {
        [one] => format!("{}: {}", word(verdict), one.scenario),
        several => format!("{}: {} runs", word(verdict), several.len()),
    };
    write!(to, "{}", DOCTYPE.into_string())?;
    write!(to, "<html lang=\"en\">{}<body>", head(&title, verdict).into_string())?;
    match runs {
        [one] => page(one, "", true, to)?,
        several => {
            write!(to, "{}", contents(&title, verdict, &reports).into_string())?;
            for (n, run) in several.iter().enumerate() {
                let open = run.report.verdict != Verdict::Pass;
                let summary = html! { span class=(class(run.report.verdict)) { (word(run.report.verdict)) } " " (clean(&run.report.scenario)) };
                write!(
                    to,
                    "<details id=\"run-{n}\"{}><summary>{}</summary>",
                    if open { " open" } else { "" },
                    summary.into_string()
                )?;
                // A hundred passes, each with all its requests, would be a page that nothing opens.
                page(run, &format!("{n}-"), open, to)?;
                write!(to, "</details>")?;
            }
        }
    }
    Ok(writeln!(to, "</body></html>")?)
}

fn head(title: &str, verdict: Verdict) -> Markup {
    let colour = match verdict {
        Verdict::Pass => "%231a7036",
        Verdict::Fail => "%23c21c27",
        Verdict::Unknown => "%23875c00",
    };
    let icon = format!(
        "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 2 2'><circle cx='1' cy='1' r='1' fill='{colour}'/></svg>"
    );
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(POLICY);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="referrer" content="no-referrer";
            title { (clean(title)) }
            link rel="icon" href=(icon);
            style { (PreEscaped(include_str!("style.css"))) }
        }
    }
}

/// The lines of a page of several runs, one for each.
fn contents(title: &str, verdict: Verdict, reports: &[&Report]) -> Markup {
    html! {
        header { h1 { span class={ "verdict " (class_name(verdict)) } { (word(verdict)) } " " (title) } }
        div.wide tabindex="0" role="region" aria-label="Runs" {
            table {
                thead { tr { th { "verdict" } th { "run" } th { "tier" } th.n { "requests" } th { "did not hold" } } }
                tbody {
                    @for (n, report) in reports.iter().enumerate() {
                        tr {
                            td { span class=(class(report.verdict)) { (word(report.verdict)) } }
                            td { a href={ "#run-" (n) } { (clean(&report.scenario)) } }
                            td { (report.tier) }
                            td.n { (report.requests()) }
                            td.text { (rules::not_held(report)) }
                        }
                    }
                }
            }
        }
    }
}

/// One run. Ids begin with `prefix`, so that several can stand on one page.
fn page(run: &Run<'_>, prefix: &str, with_stories: bool, to: &mut dyn Write) -> Result<(), RenderError> {
    let report = run.report;
    let unreadable = |source| RenderError::Events { run: report.run_dir.clone(), source };
    let events = run.events().map_err(unreadable)?;
    let picture = Picture::of(report, &events);
    let stories = if with_stories { Stories::of(&events) } else { Stories::default() };
    let places = stories::Places::of(&stories, prefix);
    let top = html! {
        a.skip href={ "#" (prefix) "rules" } { "Skip to the rules" }
        (heading(report))
        (rules::lead(report, &events, prefix))
        nav aria-label="On this page" { ul {
            @for (id, what, is_there) in SECTIONS {
                @if is_there(!events.is_empty(), with_stories) { li { a href={ "#" (prefix) (id) } { (what) } } }
            }
        } }
        @if !events.is_empty() {
            h2 id={ (prefix) "time" } { "What happened, on one time axis" }
            p.key-note { "A tinted stretch: a fault was on. A dashed line: the dispatcher was killed. Whatever is rested on tells its figures." }
            (chart::draw(report, &picture))
            (chart::figures(&picture))
        }
        h2 id={ (prefix) "rules" } { "What was expected, and what was seen" }
        (rules::all(report, &events, &places, prefix))
        h2 id={ (prefix) "phases" } { "Phases and faults" }
        (tables::phases(report))
        (tables::faults(report))
    };
    write!(to, "{}", top.into_string())?;
    if with_stories {
        stories::write(&stories, report, &places, prefix, to)?;
    } else {
        let left_out = html! { p.faint id={ (prefix) "payments" } { "It passed, so its requests are left out here: " code { "harness report " (clean(&report.run_dir)) } " shows them." } };
        write!(to, "{}", left_out.into_string())?;
    }
    let end = html! {
        h2 id={ (prefix) "real" } { "What was real, and what was a double" }
        ul { @for line in &report.fidelity { li { (clean(line)) } } }
        @if !report.replay.is_empty() { p { "Repeat it: " code { (clean(&report.replay)) } } }
        @if !report.run_dir.is_empty() { p { "Everything that happened, a line each: " code { (clean(&report.run_dir)) "/events.jsonl" } } }
    };
    Ok(write!(to, "{}", end.into_string())?)
}

fn heading(report: &Report) -> Markup {
    let seconds = report.phases.iter().map(|phase| phase.to_ms).max().unwrap_or(0) / 1000;
    html! {
        header {
            h1 { span class={ "verdict " (class_name(report.verdict)) } { (word(report.verdict)) } " " (clean(&report.scenario)) }
            p { (clean(&report.title)) }
            ul.facts {
                @if !report.tier.is_empty() { li { (clean(&report.tier)) " tier" } li { "seed " (report.seed) } }
                @if seconds > 0 { li { (seconds) " s" } li { (report.requests()) " requests" } }
                li { (rules::counted(report)) }
                li { "exit code " (report.exit_code) }
                @if let Some(machine) = &report.machine {
                    li { (format!("others had {:.1} of {} cores, at most {:.1}", machine.others, machine.cores, machine.others_at_most)) }
                }
            }
        }
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "FAIL",
        Verdict::Unknown => "UNKNOWN",
    }
}

fn class_name(verdict: Verdict) -> &'static str {
    verdict.as_str()
}

/// The class of a verdict that stands in text.
fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass-text",
        Verdict::Fail => "fail-text",
        Verdict::Unknown => "unknown-text",
    }
}

/// Text of others, without what steers a terminal or turns the reading direction, and not for ever. Escaping is maud's.
fn clean(text: &str) -> String {
    let mut shown: String = crate::terminal::plain(text).chars().take(MAX_TEXT).collect();
    if text.len() > MAX_TEXT && text.chars().nth(MAX_TEXT).is_some() {
        shown += " (cut off)";
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{failing, history, passing};

    fn rendered(runs: &[Run<'_>]) -> String {
        let mut out = Vec::new();
        render(runs, &mut out).expect("a list takes all of it");
        String::from_utf8(out).expect("it is text")
    }

    fn failed() -> String {
        rendered(&[Run::with_events(&failing(), &history())])
    }

    #[test]
    fn a_failed_run_as_a_page() {
        let page = failed().replace(include_str!("style.css"), "(style)");
        // A line for each element, so that a change can be read.
        insta::assert_snapshot!(page.replace("><", ">\n<"));
    }

    #[test]
    fn what_others_say_is_text_and_the_page_may_load_nothing() {
        let page = failed();
        assert!(page.contains("&lt;script&gt;alert(1)") && page.contains("&lt;img src=x onerror=alert(1)&gt;"));
        for active in ["<script", "<img", "<iframe", "<object", "javascript:", "src=\"", "url("] {
            assert!(!page.contains(active), "{active}");
        }
        let links = page.matches("href=\"").count();
        let inside = page.matches("href=\"#").count() + page.matches("href=\"data:").count();
        assert_eq!(links, inside, "a link leads out");
        assert!(page.contains("default-src 'none'") && !page.contains("unsafe-eval"));
    }

    #[test]
    fn every_link_leads_to_one_place() {
        let (first, second, events) = (failing(), passing(), history());
        let page = rendered(&[Run::with_events(&first, &events), Run::with_events(&second, &events)]);
        let mut ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "an id is there twice");
        for link in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(ids.binary_search(&link).is_ok(), "#{link} leads nowhere");
        }
    }

    #[test]
    fn text_of_others_ends_somewhere() {
        let long = "ü".repeat(MAX_TEXT + 1);
        assert_eq!(clean(&long).chars().count(), MAX_TEXT + " (cut off)".len());
        assert_eq!(clean(&"ü".repeat(MAX_TEXT)).chars().count(), MAX_TEXT);
        assert_eq!(clean("a\u{202e}b\u{1b}c"), "a\u{fffd}b\u{fffd}c");
    }
}
