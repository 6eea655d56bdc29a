//! The lanes that are counted by bin: arrivals, latency, payments under way, and the machine. They are drawn in a thousand
//! units of width, which the page stretches; only their text is not.

use std::fmt::Write;

use maud::{Markup, html};

use crate::{
    html::{
        chart::Lane,
        picture::{OPEN, Picture},
    },
    summary::Seen,
};

const HEIGHT: f64 = 72.0;
/// A line that says what it is, and one for what its colours are.
const LABELS: u32 = 32;

/// The least that latency's axis shows, in microseconds; it is logarithmic.
const LEAST_US: f64 = 1_000.0;

pub fn of(picture: &Picture) -> Vec<Lane> {
    let mut lanes = vec![arrivals(picture), latency(picture)];
    if picture.open.iter().flatten().any(|n| *n > 0) {
        lanes.push(open(picture));
    }
    if picture.machine.iter().any(Option::is_some) {
        lanes.push(machine(picture));
    }
    lanes
}

fn arrivals(picture: &Picture) -> Lane {
    let bins: Vec<Vec<f64>> = picture.arrivals.iter().map(|bin| bin.iter().map(|n| f64::from(*n)).collect()).collect();
    let names = Seen::ALL.map(Seen::as_str);
    let per_second = 1e6 / picture.axis.bin_us() as f64;
    let most = most(&bins);
    let rate = most * per_second;
    let label =
        if rate < 1.0 { format!("at most {most:.0} in one bar") } else { format!("at most {rate:.0} a second") };
    stacked(&format!("arrivals by outcome, {label}"), &names, &names, &bins, most)
}

fn open(picture: &Picture) -> Lane {
    let bins: Vec<Vec<f64>> = picture.open.iter().map(|bin| bin.iter().map(|n| f64::from(*n)).collect()).collect();
    let most = most(&bins);
    stacked(&format!("payments under way in the ledger, at most {most:.0}"), &OPEN, &OPEN, &bins, most)
}

fn machine(picture: &Picture) -> Lane {
    let cores = f64::from(picture.cores);
    let bins =
        picture.machine.iter().map(|bin| bin.map_or_else(|| vec![0.0, 0.0], |(ours, others)| vec![ours, others]));
    let bins: Vec<Vec<f64>> = bins.collect();
    let label = format!("what kept the machine busy, of {cores:.0} cores");
    stacked(&label, &["this run", "other processes"], &["ours", "others"], &bins, cores)
}

fn most(bins: &[Vec<f64>]) -> f64 {
    bins.iter().map(|bin| bin.iter().sum::<f64>()).fold(0.0, f64::max)
}

fn stacked(label: &str, names: &[&str], classes: &[&str], bins: &[Vec<f64>], most: f64) -> Lane {
    let width = 1000.0 / bins.len() as f64;
    let scale = if most > 0.0 { HEIGHT / most } else { 0.0 };
    let mut below = vec![0.0; bins.len()];
    let mut paths = Vec::new();
    for (n, class) in classes.iter().enumerate() {
        let mut path = String::new();
        for (bin, values) in bins.iter().enumerate() {
            let height = (values[n] * scale).min(HEIGHT - below[bin]);
            if height > 0.0 {
                let (x, y) = (bin as f64 * width, HEIGHT - below[bin]);
                // Writing to a String cannot fail.
                let _ = write!(path, "M{x:.1} {y:.1}v-{height:.1}h{width:.1}v{height:.1}z");
                below[bin] += height;
            }
        }
        if !path.is_empty() {
            paths.push((names[n], *class, path));
        }
    }
    let body = html! {
        (labels(label, paths.iter().map(|(name, class, _)| (*name, *class))))
        (frame(html! { @for (_, class, path) in &paths { path class=(class) d=(path) {} } }))
    };
    Lane { height: LABELS + HEIGHT as u32, body }
}

fn latency(picture: &Picture) -> Lane {
    let slowest = picture.latency.iter().flatten().map(|[.., p99]| *p99).max().unwrap_or(0) as f64;
    // A power of ten, so that the grid ends with the lane.
    let top = 10_f64.powf((slowest.max(LEAST_US * 10.0) / LEAST_US).log10().ceil());
    let y = |us: f64| HEIGHT - (us / LEAST_US).max(1.0).log10() / top.log10() * HEIGHT;
    let width = 1000.0 / picture.latency.len() as f64;
    let line = |nth: usize| {
        let mut path = String::new();
        let mut is_on = false;
        for (bin, quantiles) in picture.latency.iter().enumerate() {
            let Some(quantiles) = quantiles else {
                is_on = false;
                continue;
            };
            let (x, y) = (bin as f64 * width, y(quantiles[nth] as f64));
            // A step for each bin: a bin beside an empty one would be a line of no length.
            let _ = write!(path, "{}{x:.1} {y:.1}h{width:.1}", if is_on { 'L' } else { 'M' });
            is_on = true;
        }
        path
    };
    let names = [("p50", "p50"), ("p95", "p95"), ("p99", "p99")];
    let decades = (0..=top.log10() as i32).map(|power| LEAST_US * 10_f64.powi(power));
    // The topmost would stand in the labels.
    let scale = top.log10() as usize;
    let body = html! {
        (labels(&format!("latency from when a request was due, at most {}", length(slowest)), names.into_iter()))
        (frame(html! {
            @for us in decades.clone() { line.grid x1="0" x2="1000" y1=(y(us)) y2=(y(us)) {} }
            @for (nth, (_, class)) in names.iter().enumerate().rev() { path class={ "curve " (class) } d=(line(nth)) {} }
        }))
        @for us in decades.take(scale) { text.scale x="2" y=(f64::from(LABELS) + y(us) - 2.0) { (length(us)) } }
    };
    Lane { height: LABELS + HEIGHT as u32, body }
}

fn length(us: f64) -> String {
    if us < 1e6 { format!("{:.0} ms", us / 1e3) } else { format!("{:.1} s", us / 1e6).replace(".0 s", " s") }
}

fn labels<'a>(label: &str, keys: impl Iterator<Item = (&'a str, &'a str)>) -> Markup {
    html! {
        text x="0" y="11" { (label) }
        text.key x="0" y="26" { @for (name, class) in keys { tspan class=(class) { "■" } " " (name) "   " } }
    }
}

fn frame(curves: Markup) -> Markup {
    html! {
        svg x="0" y=(LABELS) width="100%" height=(HEIGHT) viewBox={ "0 0 1000 " (HEIGHT) } preserveAspectRatio="none" {
            rect.frame width="1000" height=(HEIGHT) {}
            (curves)
        }
    }
}
