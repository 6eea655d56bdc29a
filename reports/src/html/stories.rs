//! Every payment and every request by its id, each with its story. What a broken rule names comes first and open, then what is
//! odd in itself; all others are in closed pages, which a browser does not lay out before somebody opens them or follows a link
//! into them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::{self, Write},
};

use maud::{Markup, html};

use crate::{
    html::{axis::clock, clean},
    report::Report,
    story::{Payment, Request, Step, Stories, millis, outcome_of, short},
    summary::Seen,
};

/// In one closed page.
const PAGE: usize = 500;

/// Open at once, whatever is named or odd.
const MOST_OPEN: usize = 100;

/// The anchor at which the events of a witness are told.
#[derive(Debug, Default)]
pub struct Places(BTreeMap<usize, String>);

impl Places {
    pub fn of(stories: &Stories<'_>, prefix: &str) -> Self {
        let mut places = BTreeMap::new();
        for request in &stories.requests {
            let id = format!("{prefix}r{}", request.exchange.exchange);
            places.extend(request.steps.iter().map(|step| (step.line, id.clone())));
            places.insert(request.line, id);
        }
        for (n, payment) in stories.payments.iter().enumerate() {
            places.extend(payment.steps.iter().map(|step| (step.line, format!("{prefix}p{n}"))));
        }
        Self(places)
    }

    /// The id of the story that has this line of the history in it.
    pub fn of_line(&self, line: usize) -> Option<&str> {
        self.0.get(&line).map(String::as_str)
    }
}

/// Which rules a line of the history is a witness of.
type Broken<'a> = BTreeMap<usize, Vec<&'a str>>;

pub fn write(
    stories: &Stories<'_>,
    report: &Report,
    places: &Places,
    prefix: &str,
    to: &mut dyn Write,
) -> io::Result<()> {
    let mut broken = Broken::new();
    for check in &report.checks {
        for event in check.witness.iter().flat_map(|witness| &witness.events) {
            broken.entry(event.line).or_default().push(&check.id);
        }
    }
    let named: BTreeSet<&str> = broken.keys().filter_map(|line| places.of_line(*line)).collect();
    write_payments(stories, &broken, &named, prefix, to)?;
    write_requests(stories, &broken, &named, prefix, to)
}

fn write_payments(
    stories: &Stories<'_>,
    broken: &Broken<'_>,
    named: &BTreeSet<&str>,
    prefix: &str,
    to: &mut dyn Write,
) -> io::Result<()> {
    let mut groups = [Vec::new(), Vec::new(), Vec::new()];
    for (n, payment) in stories.payments.iter().enumerate() {
        let is_named = named.contains(format!("{prefix}p{n}").as_str());
        groups[if is_named {
            0
        } else if payment.is_odd() {
            1
        } else {
            2
        }]
        .push((n, payment));
    }
    put(to, html! { h2 id={ (prefix) "payments" } { "Payments, each with its story" } })?;
    if stories.payments.is_empty() {
        put(to, html! { p { "Nobody paid." } })?;
    }
    let [named, odd, others] = groups;
    let one = |(n, payment): &(usize, &Payment<'_>)| payment_story(*n, payment, broken, prefix);
    let range = |page: &[(usize, &Payment<'_>)]| {
        let times = [page.first(), page.last()].map(|one| one.map_or(0, |(_, payment)| payment.from_us()));
        format!("{} payments, from {} to {}", page.len(), clock(times[0]), clock(times[1]))
    };
    group(to, "payments that a broken rule names", &named, true, one, range)?;
    group(to, "payments whose money and content do not match, or whose end is open", &odd, true, one, range)?;
    group(to, "payments that came out as they should", &others, false, one, range)
}

fn write_requests(
    stories: &Stories<'_>,
    broken: &Broken<'_>,
    named: &BTreeSet<&str>,
    prefix: &str,
    to: &mut dyn Write,
) -> io::Result<()> {
    put(to, html! { h2 id={ (prefix) "requests" } { "Requests" } })?;
    let (mut of_rules, mut by_phase) = (Vec::new(), BTreeMap::<&str, Vec<&Request<'_>>>::new());
    let mut phases: Vec<&str> = Vec::new();
    for request in &stories.requests {
        if named.contains(format!("{prefix}r{}", request.exchange.exchange).as_str()) {
            of_rules.push(request);
        } else {
            let phase = request.exchange.phase.as_str();
            if !by_phase.contains_key(phase) {
                phases.push(phase);
            }
            by_phase.entry(phase).or_default().push(request);
        }
    }
    let one = |request: &&Request<'_>| request_story(request, stories, broken, prefix);
    let range = |page: &[&Request<'_>]| {
        let times = [page.first(), page.last()].map(|one| one.map_or(0, |request| request.exchange.sent_us));
        format!("from {} to {}: {}", clock(times[0]), clock(times[1]), counted(page))
    };
    group(to, "requests that a broken rule names", &of_rules, true, one, range)?;
    for phase in phases {
        group(
            to,
            &format!("requests in phase {}: {}", clean(phase), counted(&by_phase[phase])),
            &by_phase[phase],
            false,
            one,
            range,
        )?;
    }
    Ok(())
}

fn counted(requests: &[&Request<'_>]) -> String {
    let count = |seen: Seen| requests.iter().filter(|request| Seen::of(request.exchange) == seen).count();
    let told = Seen::ALL.into_iter().map(|seen| (count(seen), seen.as_str())).filter(|(n, _)| *n > 0);
    told.map(|(n, word)| format!("{n} {word}")).collect::<Vec<_>>().join(", ")
}

/// All that belong together, in pages where they are many.
fn group<T>(
    to: &mut dyn Write,
    what: &str,
    all: &[T],
    is_open: bool,
    one: impl Fn(&T) -> Markup,
    range: impl Fn(&[T]) -> String,
) -> io::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    let is_open = is_open && all.len() <= MOST_OPEN;
    // Those that are to be seen are printed as well.
    let (open, class) = if is_open { (" open", " class=\"shown\"") } else { ("", "") };
    write!(to, "<details{class}{open}><summary>{} {}</summary>", all.len(), html! { (what) }.into_string())?;
    let pages = all.chunks(PAGE);
    let is_one = pages.len() == 1;
    for page in pages {
        if !is_one {
            write!(to, "<details><summary>{}</summary>", html! { (range(page)) }.into_string())?;
        }
        for story in page {
            put(to, one(story))?;
        }
        if !is_one {
            write!(to, "</details>")?;
        }
    }
    write!(to, "</details>")
}

fn put(to: &mut dyn Write, markup: Markup) -> io::Result<()> {
    to.write_all(markup.into_string().as_bytes())
}

/// One element and a few lines of text: there may be a hundred thousand of them.
fn payment_story(n: usize, payment: &Payment<'_>, broken: &Broken<'_>, prefix: &str) -> Markup {
    let ledger = payment.ledger.map_or_else(String::new, |state| format!(", ledger {}", clean(state)));
    let whose =
        if payment.client.is_empty() { String::new() } else { format!(", {} at {}", payment.client, payment.tenant) };
    html! {
        div.story id={ (prefix) "p" (n) } {
            b { "payment " (clean(short(payment.key))) }
            (clean(&whose)) ": money moved " (times(payment.moved)) ", content answered " (times(payment.served)) (ledger) "\n"
            (clean(payment.key)) "\n"
            @for step in &payment.steps { (step_line(step, broken)) }
        }
    }
}

fn times(n: usize) -> String {
    match n {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        n => format!("{n} times"),
    }
}

fn step_line(step: &Step, broken: &Broken<'_>) -> Markup {
    let text = format!("{:>12}  {:10}{}", clock(step.at_us), step.stage, clean(&step.text));
    html! {
        @match broken.get(&step.line) {
            Some(rules) => { mark { (text) "  ← " (rules.join(", ")) } },
            None => (text),
        }
        "\n"
    }
}

fn request_story(request: &Request<'_>, stories: &Stories<'_>, broken: &Broken<'_>, prefix: &str) -> Markup {
    let exchange = request.exchange;
    let waited = exchange.sent_us.saturating_sub(exchange.due_us);
    let mut line = format!("{:>12}  {:8}", clock(exchange.sent_us), Seen::of(exchange).as_str());
    let took = millis(exchange.ended_us.saturating_sub(exchange.sent_us));
    // Writing to a String cannot fail.
    let _ =
        write!(line, "{} {}: {} after {took}", exchange.method, clean(&exchange.target), clean(&outcome_of(exchange)));
    if waited > 1_000 {
        let _ = write!(line, ", sent {} after it was due", millis(waited));
    }
    let _ = write!(line, ", {}", clean(&exchange.client));
    if let Some(flaw) = &exchange.flaw {
        let _ = write!(line, " ({})", clean(&flaw.name));
    }
    html! {
        div.story id={ (prefix) "r" (exchange.exchange) } {
            b { "#" (exchange.exchange) } (line)
            @if let Some(n) = request.payment { " " a href={ "#" (prefix) "p" (n) } { (clean(short(stories.payments[n].key))) } }
            @if let Some(rules) = broken.get(&request.line) { " " mark { "← " (rules.join(", ")) } }
            @for step in &request.steps { "\n" (step_line(step, broken)) }
        }
    }
}
