//! The lanes above the curves: phases, broken rules, faults, the dispatcher, and what it thinks of its facilitators.

use maud::{Markup, html};

use crate::{
    html::{
        axis::{Axis, clock},
        chart::Lane,
        clean,
        picture::Picture,
    },
    report::{FaultSummary, Report},
};

/// A line of text, and a bar below it.
const LABEL: u32 = 15;
const BAR: u32 = 10;

/// No more than a page can show at once; the list of faults has the rest.
const MOST_ROWS: usize = 24;

pub fn of(report: &Report, picture: &Picture) -> Vec<Lane> {
    let axis = picture.axis;
    let mut lanes = Vec::new();
    lanes.push(phases(report, axis));
    for (rule, times) in &picture.broken {
        lanes.push(Lane { height: LABEL + BAR, body: broken(rule, times, axis) });
    }
    lanes.extend(
        report.faults.iter().take(MOST_ROWS).map(|fault| row(&fault_label(fault), "fault", &[span(fault)], axis)),
    );
    if !picture.outages.is_empty() {
        let spans: Vec<_> = picture.outages.iter().map(|(from, to)| (*from, *to, "down".to_owned())).collect();
        let first = clock(picture.outages[0].0);
        lanes.push(row(
            &format!("dispatcher killed {} times, first at {first}", spans.len()).replace(" 1 times, first", ""),
            "kill",
            &spans,
            axis,
        ));
    }
    for (label, marks) in [("deploys and operators", &picture.deploys), ("alerts of the dispatcher", &picture.alerts)] {
        if let Some((at, what)) = marks.first() {
            let more = if marks.len() > 1 { format!(" and {} more", marks.len() - 1) } else { String::new() };
            let label = format!("{label}: {} at {}{more}", clean(what), clock(*at));
            lanes.push(Lane { height: LABEL + BAR, body: points(&label, marks, axis) });
        }
    }
    for (call, stood) in picture.standings.iter().take(MOST_ROWS) {
        lanes.push(standing(call, stood, axis));
    }
    lanes
}

fn phases(report: &Report, axis: Axis) -> Lane {
    let body = html! {
        @for (n, phase) in report.phases.iter().enumerate() {
            @let (from, to) = (phase.from_ms * 1000, phase.to_ms * 1000);
            // A picture of its own cuts its text off where the phase ends.
            svg x=(axis.x(from)) y="0" width=(axis.width(from, to)) height="22" {
                rect.phase.alt[n % 2 == 1] width="100%" height="22" { title { (clean(&phase.name)) } }
                text x="4" y="15" { (clean(&phase.name)) }
            }
        }
    };
    Lane { height: 22, body }
}

fn broken(rule: &str, times: &[u64], axis: Axis) -> Markup {
    let last = times.iter().max().map_or_else(String::new, |last| format!(" at {}", clock(*last)));
    html! {
        text.red x="0" y="11" { "✕ " (clean(rule)) " is broken" (last) }
        line.rail x1="0" x2="100%" y1=(LABEL + 5) y2=(LABEL + 5) {}
        @for at in times {
            // A picture of its own puts a shape at a share of the width.
            svg.over x=(axis.x(*at)) y=(LABEL) width="1" height=(BAR) {
                path.broken d="M-6 0h12l-6 10z" { title { (clean(rule)) ", " (clock(*at)) } }
            }
        }
    }
}

fn fault_label(fault: &FaultSummary) -> String {
    let hits = match fault.hits {
        0 => "no call hit".to_owned(),
        1 => "1 call hit".to_owned(),
        hits => format!("{hits} calls hit"),
    };
    format!("{} on {}: {hits}", clean(&fault.fault.inject), clean(&fault.fault.on))
}

type Span = (u64, u64, String);

fn span(fault: &FaultSummary) -> Span {
    let (from, to) = (fault.from_ms * 1000, fault.to_ms * 1000);
    (from, to, format!("{} to {}", clock(from), clock(to)))
}

fn row(label: &str, class: &str, spans: &[Span], axis: Axis) -> Lane {
    let body = html! {
        text x="0" y="11" { (label) }
        line.rail x1="0" x2="100%" y1=(LABEL + 5) y2=(LABEL + 5) {}
        @for (from, to, says) in spans {
            rect class=(class) x=(axis.x(*from)) y=(LABEL) width=(axis.width(*from, *to)) height=(BAR) { title { (says) } }
        }
    };
    Lane { height: LABEL + BAR, body }
}

fn points(label: &str, marks: &[(u64, String)], axis: Axis) -> Markup {
    html! {
        text x="0" y="11" { (label) }
        line.rail x1="0" x2="100%" y1=(LABEL + 5) y2=(LABEL + 5) {}
        @for (at, what) in marks {
            svg.over x=(axis.x(*at)) y=(LABEL) width="1" height=(BAR) {
                path.deploy d="M0 0l5 5l-5 5l-5 -5z" { title { (clean(what)) ", " (clock(*at)) } }
            }
        }
    }
}

fn standing(call: &str, stood: &[(u64, String)], axis: Axis) -> Lane {
    let ends = stood.iter().skip(1).map(|(at, _)| *at).chain([axis.end_us()]);
    let spans: Vec<(u64, u64, &str)> =
        stood.iter().zip(ends).map(|((from, what), to)| (*from, to, what.as_str())).collect();
    let mut seen: Vec<&str> = Vec::new();
    for (.., what) in &spans {
        if !seen.contains(what) {
            seen.push(what);
        }
    }
    let body = html! {
        text x="0" y="11" {
            (clean(call)) ":"
            @for what in seen { " " tspan class=(class_of(what)) { "■" } " " (clean(what)) }
        }
        @for (from, to, what) in spans {
            rect class=(class_of(what)) x=(axis.x(from)) y=(LABEL) width=(axis.width(from, to)) height=(BAR) {
                title { (clean(what)) ", " (clock(from)) " to " (clock(to)) }
            }
        }
    };
    Lane { height: LABEL + BAR, body }
}

fn class_of(standing: &str) -> &'static str {
    match standing {
        "healthy" => "healthy",
        "degraded" => "degraded",
        "quarantined" => "quarantined",
        "probing" => "probing",
        _ => "other",
    }
}
