//! The chart: lanes one under another on one time axis, drawn as SVG. Everything stands at a share of the width, so the page
//! may be as narrow as a phone and no text is ever squeezed.

mod curves;
mod lanes;

use maud::{Markup, html};

use crate::{
    html::{
        axis::{clock, percent, tick},
        picture::{OPEN, Picture},
    },
    report::Report,
    summary::Seen,
};

/// Between two lanes.
const GAP: u32 = 14;

/// A part of the chart, drawn from its own top.
pub struct Lane {
    height: u32,
    body: Markup,
}

pub fn draw(report: &Report, picture: &Picture) -> Markup {
    let events = lanes::of(report, picture);
    let curves = curves::of(picture);
    let (upper, placed) = stacked(20, events);
    let (lower, curves) = stacked(upper, curves);
    let height = lower + 6;
    html! {
        svg.chart width="100%" height=(height) role="img" aria-label="The run on one time axis; the figures stand in a table below" {
            (backdrop(report, picture, height))
            @for lane in placed { (lane) }
            @for lane in curves { (lane) }
            (hovers(picture, upper, lower))
        }
    }
}

fn stacked(mut top: u32, lanes: Vec<Lane>) -> (u32, Vec<Markup>) {
    let mut placed = Vec::new();
    for lane in lanes {
        placed.push(html! { g transform={ "translate(0 " (top) ")" } { (lane.body) } });
        top += lane.height + GAP;
    }
    (top, placed)
}

/// The axis, and what everything below it happened under: faults as bands, kills as lines.
fn backdrop(report: &Report, picture: &Picture, height: u32) -> Markup {
    let axis = picture.axis;
    html! {
        @for fault in &report.faults {
            rect.under x=(axis.x(fault.from_ms * 1000)) y="18" width=(axis.width(fault.from_ms * 1000, fault.to_ms * 1000)) height=(height - 18) {}
        }
        @for at in axis.ticks(6) {
            line.grid x1=(axis.x(at)) x2=(axis.x(at)) y1="16" y2=(height) {}
            @let is_late = axis.share(at) > 0.9;
            text.tick x=(axis.x(at)) y="12" text-anchor=(if is_late { "end" } else { "start" }) { (tick(at)) }
        }
        @for (killed, _) in &picture.outages {
            line.killed x1=(axis.x(*killed)) x2=(axis.x(*killed)) y1="16" y2=(height) {}
        }
    }
}

/// The content of a bin, told where the pointer rests.
fn hovers(picture: &Picture, top: u32, bottom: u32) -> Markup {
    let axis = picture.axis;
    let width = percent(axis.bin_us() as f64 / axis.end_us() as f64);
    html! {
        @for bin in 0..axis.bins() {
            rect.hover x=(axis.x(bin as u64 * axis.bin_us())) y=(top) width=(width) height=(bottom.saturating_sub(top)) {
                title { (told(picture, bin)) }
            }
        }
    }
}

/// A bin in words.
fn told(picture: &Picture, bin: usize) -> String {
    let from = bin as u64 * picture.axis.bin_us();
    let mut lines = vec![format!("{} to {}", clock(from), clock(from + picture.axis.bin_us()))];
    let counted = Seen::ALL.iter().zip(picture.arrivals[bin]).filter(|(_, n)| *n > 0);
    lines.extend(counted.map(|(seen, n)| format!("{n} {}", seen.as_str())));
    if let Some([p50, p95, p99]) = picture.latency[bin] {
        let ms = |us: u64| format!("{:.0}", us as f64 / 1e3);
        lines.push(format!("p50 {} ms, p95 {} ms, p99 {} ms", ms(p50), ms(p95), ms(p99)));
    }
    let open = OPEN.iter().zip(picture.open[bin]).filter(|(_, n)| *n > 0);
    lines.extend(open.map(|(state, n)| format!("{n} {state}")));
    if let Some((ours, others)) = picture.machine[bin] {
        lines.push(format!("CPU: {ours:.1} this run, {others:.1} others"));
    }
    lines.join("\n")
}

/// The chart's figures, for whoever cannot see it.
pub fn figures(picture: &Picture) -> Markup {
    let axis = picture.axis;
    html! {
        details {
            summary { "The chart's figures as a table" }
            div.wide tabindex="0" role="region" aria-label="Figures of the chart" {
                table {
                    thead { tr {
                        th { "from" }
                        @for seen in Seen::ALL { th.n { (seen.as_str()) } }
                        th.n { "p50" } th.n { "p95" } th.n { "p99" }
                        @for state in OPEN { th.n { (state) } }
                        th.n { "CPU, this run" } th.n { "CPU, others" }
                    } }
                    tbody {
                        @for bin in 0..axis.bins() {
                            tr {
                                td { (clock(bin as u64 * axis.bin_us())) }
                                @for n in picture.arrivals[bin] { td.n { (n) } }
                                @match picture.latency[bin] {
                                    Some(quantiles) => { @for us in quantiles { td.n { (format!("{:.0} ms", us as f64 / 1e3)) } } },
                                    None => { td.n { "-" } td.n { "-" } td.n { "-" } },
                                }
                                @for n in picture.open[bin] { td.n { (n) } }
                                @match picture.machine[bin] {
                                    Some((ours, others)) => { td.n { (format!("{ours:.2}")) } td.n { (format!("{others:.2}")) } },
                                    None => { td.n { "-" } td.n { "-" } },
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
