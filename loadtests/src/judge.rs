//! What was measured, held to its budget. Pure: what a server did once can be judged again, by today's budgets.

use gate::{Budget, CheckRecord, Outcome, ratio_of_pairs};

use crate::{report::Ratio, server::check};

/// Answers that were not what was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wrong<'a> {
    pub wrong: usize,
    pub of: usize,
    pub first: Option<&'a str>,
    pub at_bare: usize,
}

/// What a request leaves behind: bytes at the dispatcher, and at the bare Worker.
#[must_use]
pub fn memory(ours: f64, bare: f64, count: usize, most: f64) -> CheckRecord {
    let outcome = if ours - bare.max(0.0) > most { Outcome::Fail } else { Outcome::Pass };
    let detail = format!(
        "{ours:.0} bytes a request stayed in memory over {count} requests, {bare:.0} at the bare Worker; the budget is {most} more"
    );
    check("LOAD-MEMORY", "a request leaves nothing behind in memory", outcome, detail)
}

/// `without` is what a caller got whose dispatch had none.
#[must_use]
pub fn limits(without: Option<&str>, served: usize) -> CheckRecord {
    let (outcome, detail) = match without {
        Some(seen) => (Outcome::Fail, format!("a caller got: {seen}")),
        None if served == 0 => (Outcome::Unknown, "nothing was dispatched".to_owned()),
        None => (Outcome::Pass, "every dispatch had the limits of its tenant's plan, at three plans".to_owned()),
    };
    check("LOAD-LIMITS", "every dispatch carries its limits", outcome, detail)
}

#[must_use]
pub fn errors(seen: &Wrong<'_>, most: f64) -> CheckRecord {
    let Wrong { wrong, of, first, at_bare } = *seen;
    let share = wrong as f64 / of.max(1) as f64;
    let first = first.map(|first| format!(", the first: {first}")).unwrap_or_default();
    let bare = if at_bare > 0 { format!("; {at_bare} at the bare Worker") } else { String::new() };
    let outcome = match () {
        () if at_bare > 0 => Outcome::Unknown,
        () if share > most => Outcome::Fail,
        () => Outcome::Pass,
    };
    let detail = format!("{wrong} of {of} answers were wrong{first}{bare}");
    check("LOAD-ERRORS", "the share of wrong answers is within its budget", outcome, detail)
}

#[must_use]
pub fn books(moved: usize, served: usize) -> CheckRecord {
    let outcome = match () {
        () if served == 0 => Outcome::Unknown,
        () if moved == served => Outcome::Pass,
        () => Outcome::Fail,
    };
    let detail = format!("{moved} payments moved money, and {served} were answered with what they paid for");
    check("LOAD-BOOKS", "whoever paid was served, and nobody else", outcome, detail)
}

/// The figures that are compared, and their bounds.
pub struct Compared<'a> {
    pub rule: &'static str,
    pub what: &'static str,
    pub route: &'a str,
    pub budget: Budget,
    pub pairs: &'a [(f64, f64)],
}

impl Compared<'_> {
    /// Holds them to the budget, and gives the figures, where there were enough of them.
    #[must_use]
    pub fn judge(&self) -> (CheckRecord, Option<Ratio>) {
        let Self { rule, what, route, budget, pairs } = *self;
        let name = format!("{}: {what} beside the bare Worker", route);
        let Some(at) = ratio_of_pairs(pairs) else {
            let detail = "too little was answered that could be measured".to_owned();
            return (check(rule, &name, Outcome::Unknown, detail), None);
        };
        let middle = |of: fn(&(f64, f64)) -> f64| {
            let mut values: Vec<f64> = pairs.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let ratio = Ratio {
            rule: rule.to_owned(),
            route: route.to_owned(),
            dispatcher_ms: middle(|pair| pair.0),
            bare_ms: middle(|pair| pair.1),
            times: at.middle,
            low: at.low,
            high: at.high,
            pairs: pairs.to_vec(),
        };
        let loose = if budget.is_loose(&at) { "; the budget has become loose" } else { "" };
        let detail = format!(
            "{:.2} times ({:.2} to {:.2}; {} pairs), at most {}: {:.3} ms beside {:.3} ms{loose}",
            at.middle,
            at.low,
            at.high,
            pairs.len(),
            budget.most,
            ratio.dispatcher_ms,
            ratio.bare_ms,
        );
        (check(rule, &name, budget.judge(&at), detail), Some(ratio))
    }
}
