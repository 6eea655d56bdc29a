//! The rules: what broke in a few lines at the top of the page, and each of them with its witness further down.

use maud::{Markup, html};

use crate::{
    event::Recorded,
    html::{
        axis::clock,
        blame::{circumstances, when, whose},
        class_name, clean,
        stories::Places,
    },
    report::{Check, KnownStanding, Report},
    verdict::Verdict,
};

/// Events of one witness that are shown at once; the JSON report has all of them.
const MAX_WITNESSES: usize = 60;

/// The verdict of a check as it counts for the run.
fn counts(check: &Check, report: &Report) -> Option<Verdict> {
    check.counts_as(report.gate).filter(|verdict| *verdict != Verdict::Pass)
}

/// Tells whether a check is worth a card of its own.
fn is_shown(check: &Check) -> bool {
    check.verdict != Verdict::Pass || check.known.is_some()
}

pub fn not_held(report: &Report) -> String {
    let ids: Vec<String> = report.checks.iter().filter(|check| is_shown(check)).map(|check| clean(&check.id)).collect();
    ids.join(", ")
}

pub fn counted(report: &Report) -> String {
    let count = |verdict| report.checks.iter().filter(|check| check.verdict == verdict).count();
    format!("{} rules held, {} broke, {} unknown", count(Verdict::Pass), count(Verdict::Fail), count(Verdict::Unknown))
}

/// The answer to what broke, when, and whose fault it is, before anything else.
pub fn lead(report: &Report, events: &[Recorded], prefix: &str) -> Markup {
    let red: Vec<(usize, &Check)> =
        report.checks.iter().enumerate().filter(|(_, check)| counts(check, report).is_some()).collect();
    html! {
        div class={ "lead " (class_name(report.verdict)) } {
            @if red.is_empty() {
                @match report.verdict {
                    Verdict::Pass => p { "Every rule held that counts for the verdict." },
                    _ => p { "No rule broke, but too little happened to judge by." },
                }
            } @else {
                @for (n, check) in red { (answer(n, check, report, events, prefix)) }
            }
        }
    }
}

/// The card of a rule that broke: how that was seen, when, and whose fault it is.
fn answer(n: usize, check: &Check, report: &Report, events: &[Recorded], prefix: &str) -> Markup {
    html! {
        div {
            p {
                strong {
                    a href={ "#" (prefix) "rule-" (n) } { (clean(&check.id)) } " " (verb(check))
                    @if let Some(at_us) = when(check, events) { " at " (clock(at_us)) }
                }
                ": " (clean(&check.expected)) "."
            }
            p { (clean(check.witness.as_ref().map_or(&check.detail, |witness| &witness.what))) "." }
            @if let Some(at_us) = when(check, events) { p { "When: " (circumstances(report, events, at_us)) "." } }
            p { "Whose fault: " (whose(check, report)) "." }
        }
    }
}

fn verb(check: &Check) -> &'static str {
    match (check.verdict, check.known.as_ref().map(|known| known.standing)) {
        (_, Some(KnownStanding::Over)) => "holds again, and known.toml says that it does not",
        (_, Some(KnownStanding::Expired)) => "broke, and is no longer excused",
        (_, Some(KnownStanding::Listed)) => "broke, as known.toml says",
        (Verdict::Fail, None) => "broke",
        (Verdict::Unknown, None) => "could not be judged",
        (Verdict::Pass, None) => "held",
    }
}

pub fn all(report: &Report, events: &[Recorded], places: &Places, prefix: &str) -> Markup {
    let held: Vec<&Check> = report.checks.iter().filter(|check| !is_shown(check)).collect();
    // What keeps the run from passing comes first.
    let mut shown: Vec<(usize, &Check)> =
        report.checks.iter().enumerate().filter(|(_, check)| is_shown(check)).collect();
    shown.sort_by_key(|(_, check)| counts(check, report).is_none());
    html! {
        @for (n, check) in shown { (card(n, check, report, events, places, prefix)) }
        @if !held.is_empty() {
            details {
                summary { (held.len()) " rules held" }
                div.wide tabindex="0" role="region" aria-label="Rules that held" {
                    table {
                        thead { tr { th { "rule" } th { "level" } th { "class" } th { "what must be so" } th { "what it rests on" } th { "source" } } }
                        tbody {
                            @for check in held {
                                tr {
                                    td { (clean(&check.id)) }
                                    td { (check.level.as_str()) }
                                    td { (check.class.as_str()) }
                                    td.text { (clean(&check.expected)) }
                                    td.text { (clean(&check.detail)) }
                                    td.text { (clean(&check.sources.join("; "))) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn card(n: usize, check: &Check, report: &Report, events: &[Recorded], places: &Places, prefix: &str) -> Markup {
    let looks = match (counts(check, report), check.verdict) {
        (Some(Verdict::Fail), _) => "fail",
        (Some(_), _) => "unknown",
        (None, _) => "known",
    };
    let colour = match looks {
        "fail" => "fail-text",
        "unknown" => "unknown-text",
        _ => "faint",
    };
    html! {
        section class={ "card " (looks) } id={ (prefix) "rule-" (n) } {
            h3 { (clean(&check.id)) " " span class=(colour) { (verb(check)) } }
            p { (clean(&check.expected)) }
            p { (clean(&check.detail)) }
            @if counts(check, report).is_none() && check.known.is_none() {
                p.faint { "A " (check.level.as_str()) ": it does not keep the run from passing." }
            }
            @if let Some(known) = &check.known {
                p.faint { "Known until " (clean(&known.until)) " (" (clean(&known.owner)) "): " (clean(&known.why)) }
            }
            dl {
                @if let Some(at_us) = when(check, events) {
                    dt { "When" } dd { (clock(at_us)) ", " (circumstances(report, events, at_us)) }
                }
                dt { "Whose fault" } dd { (whose(check, report)) }
                @if let Some(witness) = &check.witness {
                    dt { "Seen" }
                    dd {
                        (clean(&witness.what))
                        ol.witness {
                            @for event in witness.events.iter().take(MAX_WITNESSES) {
                                li {
                                    (clean(&event.text))
                                    @if let Some(place) = places.of_line(event.line) { " " a href={ "#" (place) } { "its story" } }
                                    " " span.faint { "line " (event.line) }
                                }
                            }
                        }
                        @if witness.events.len() > MAX_WITNESSES { p.faint { "and " (witness.events.len() - MAX_WITNESSES) " more, in the JSON report" } }
                    }
                    @if !witness.others.is_empty() {
                        dt { "Also" }
                        dd { @for other in &witness.others { p { (clean(other)) } } }
                    }
                }
                @if check.verdict == Verdict::Fail && !check.hint.is_empty() {
                    dt { "Usually" } dd { (clean(&check.hint.cause)) }
                    dt { "Look at" } dd { code { (clean(&check.hint.look_at)) } }
                }
                @if !check.sources.is_empty() {
                    dt { "Rests on" } dd { @for source in &check.sources { p { (clean(source)) } } }
                }
                dt { "Asked by" }
                dd {
                    (check.level.as_str()) ", " (check.class.as_str()) ", " code { (clean(&check.name)) }
                    @if let (Some(file), Some(line)) = (&report.file, check.line) { ", " code { (clean(file)) ":" (line) } }
                }
            }
        }
    }
}
