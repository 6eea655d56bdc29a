//! The phases and the faults in figures.

use maud::{Markup, html};

use crate::{
    html::{axis::clock, clean},
    report::Report,
};

pub fn phases(report: &Report) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="Phases" {
            table {
                thead { tr {
                    th { "phase" } th { "from" } th { "to" } th.n { "requests" } th.n { "served" } th.n { "offered" } th.n { "refused" }
                    th.n { "pending" } th.n { "failed" } th.n { "left" } th.n { "p50" } th.n { "p95" } th.n { "p99" } th.n { "slowest" }
                } }
                tbody {
                    @for phase in &report.phases {
                        tr {
                            td { (clean(&phase.name)) }
                            td { (clock(phase.from_ms * 1000)) }
                            td { (clock(phase.to_ms * 1000)) }
                            @for n in [phase.requests, phase.served, phase.offered, phase.refused, phase.pending, phase.failed, phase.left] { td.n { (n) } }
                            @match &phase.latency {
                                Some(latency) => { @for ms in [latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms] { td.n { (format!("{ms:.0} ms")) } } },
                                None => { @for _ in 0..4 { td.n { "-" } } },
                            }
                        }
                    }
                }
            }
        }
    }
}

pub fn faults(report: &Report) -> Markup {
    html! {
        @if !report.faults.is_empty() {
            div.wide tabindex="0" role="region" aria-label="Faults" {
                table {
                    thead { tr { th { "what was done" } th { "to" } th { "from" } th { "until" } th.n { "hits" } } }
                    tbody {
                        @for fault in &report.faults {
                            tr {
                                td { (clean(&fault.fault.inject)) }
                                td { (clean(&fault.fault.on)) }
                                td { (clock(fault.from_ms * 1000)) }
                                td { (clock(fault.to_ms * 1000)) }
                                td.n { (fault.hits) }
                            }
                        }
                    }
                }
            }
        }
    }
}
