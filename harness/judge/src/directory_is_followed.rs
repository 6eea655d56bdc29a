//! ISO-2: the directory in force decides who is reached and at what price. A new version is in force within a bound; one that
//! is missing, broken or older changes nothing; a record that is wrong is left out alone; and the log says each.
//!
//! Until the bound has passed, an answer may be the new directory's or the one's before: isolates learn of it one by one. A
//! tenant that has left sells nothing, and what was bought of it before can still be collected.

use super::{
    At, Finding, Hint, History, Line, Rule, Source, Violation,
    about::{self, About},
    describe,
};
use grammar::{Problems, show, text::TimeText};
use reports::{
    event::{Answer, DirectoryChange, DirectoryNews, Exchange, ExchangeKind, TenantFacts, TenantRun},
    level::Level,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};
use toml::Spanned;

pub const RULE: Rule = Rule {
    id: "ISO-2",
    checker: "directory-is-followed",
    says: "ISO-2: answers are the current directory's, within a bound, or the last good one's, and the log says so",
    example: "{ within = \"12s\" }",
    level: Level::Must,
    sources: &[
        Source::Promise {
            place: "docs/invariants.md, Tenants",
            what: "what is stored of the directory is never trusted more than what is in use",
        },
        Source::Spec {
            document: "Cloudflare, Workers KV, How KV works",
            says: "changes may take up to 60 seconds or more to be visible in other locations, a key's absence too",
        },
    ],
    hint: Hint {
        cause: "the stored directory is never asked for again, or what was read is adopted before it was checked whole",
        look_at: "dispatcher/core/src/directory/cache.rs",
    },
};

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawDirectoryIsFollowed {
    /// The bound, from a change on.
    #[schemars(with = "TimeText")]
    within: Spanned<String>,
}

/// The parameters as they are judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectoryIsFollowed {
    /// The bound, from a change on.
    within: Duration,
}

impl RawDirectoryIsFollowed {
    pub fn check(self, about: &impl About, problems: &mut Problems) -> Option<DirectoryIsFollowed> {
        Some(DirectoryIsFollowed { within: about::bound(&self.within, about, problems)? })
    }
}

impl DirectoryIsFollowed {
    /// The expectation in a report.
    pub fn expects(&self) -> String {
        format!(
            "{} after a change, answers are the new directory's, or the last good one's where it is wrong",
            show(self.within)
        )
    }

    pub fn judge(&self, history: &History) -> Finding {
        judge(history, self.within)
    }
}

/// A directory that was to be followed, from when on.
struct Edition<'a> {
    from_us: u64,
    line: Line,
    tenants: &'a [TenantFacts],
}

fn judge(history: &History, within: Duration) -> Finding {
    let within_us = within.as_micros() as u64;
    let changes: Vec<_> = history.directory_changes().collect();
    let editions: Vec<_> = changes
        .iter()
        .filter_map(|change| {
            let tenants = change.what.tenants.as_deref()?;
            Some(Edition { from_us: change.at_us, line: change.line, tenants })
        })
        .collect();
    if editions.is_empty() {
        return Finding::unknown("the directory was not stored");
    }
    let runs = history.runs_by_request();
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer) in history.answers() {
        if has_nothing_to_keep(history, &changes, exchange.what, within_us) {
            continue;
        }
        let collects = has_bought_before(history, exchange.what);
        looked_at += 1;
        let run = answer.request_id.as_deref().and_then(|id| runs.get(id));
        let in_force = in_force(&editions, exchange.what, within_us);
        let run_of = run.map(|run| run.what);
        let wrong = |edition: &&Edition| is_anothers(edition, exchange.what, answer, run_of, collects);
        if let Some(why) = in_force.clone().map(|edition| wrong(&edition)).reduce(Option::and).flatten() {
            let by = in_force.last().map(|edition| edition.line);
            violations.push(Violation::new(why, exchange.line).and(by).and(run.map(|run| run.line)));
        }
    }
    violations.extend(begun_at_another_price(history, &editions, within_us));
    violations.extend(changes.iter().enumerate().filter_map(|(n, change)| {
        let next_us = changes.get(n + 1).map_or_else(|| last_us(history), |next| next.at_us);
        is_unsaid(history, *change, next_us, within_us)
    }));
    Finding::of(looked_at, "answers", violations)
}

/// Those that may be in force in the exchange's time, oldest first.
fn in_force<'a>(
    editions: &'a [Edition<'a>],
    exchange: &Exchange,
    within_us: u64,
) -> impl Iterator<Item = &'a Edition<'a>> + Clone + use<'a> {
    let (sent_us, ended_us) = (exchange.sent_us, exchange.ended_us);
    let over = move |n: usize| editions.get(n + 1).is_some_and(|next| next.from_us + within_us <= sent_us);
    let fits = move |(n, edition): &(usize, &Edition)| (edition.from_us <= ended_us || *n == 0) && !over(*n);
    editions.iter().enumerate().filter(fits).map(|(_, edition)| edition)
}

/// Whether somebody was asked to settle its payment before it was answered.
fn has_bought_before(history: &History, exchange: &Exchange) -> bool {
    let payment = exchange.payment.as_deref().into_iter();
    payment.flat_map(|payment| history.settles_of(payment)).any(|call| call.received_us <= exchange.ended_us)
}

/// Why the answer is none that this edition gives. `collects`: it is about a payment that may have bought something.
fn is_anothers(
    edition: &Edition,
    exchange: &Exchange,
    answer: &Answer,
    run: Option<&TenantRun>,
    collects: bool,
) -> Option<String> {
    let tenant = &exchange.tenant;
    let Some(facts) = edition.tenants.iter().find(|facts| facts.id == *tenant) else {
        // A page that could not even ask could not collect.
        let may_ask = exchange.kind == ExchangeKind::Preflight && answer.status == 204;
        let unknown = answer.status == 404 || may_ask || collects && run.is_none() && answer.asked.is_empty();
        let is_nobodys = unknown && answer.tenant.is_none();
        return (!is_nobodys).then(|| format!("{tenant} is not in the directory, and {} was answered", answer.status));
    };
    if answer.tenant.as_ref() != Some(tenant) {
        return Some(format!("{tenant} is in the directory, and {} was answered in nobody's name", answer.status));
    }
    let price = facts.price.as_ref().map_or("nothing", |price| price.amount.as_str());
    if let Some(asked) = answer.asked.iter().find(|asked| *asked != price) {
        return Some(format!("{asked} is asked for, and the directory says {price}"));
    }
    let other = run.filter(|run| run.script != facts.script)?;
    Some(format!("script {} ran, and the directory names {}", other.script, facts.script))
}

/// The first purchases at a price that was not in force any more. Collecting what was settled at it is fine,
/// and a payment that is tried elsewhere buys nothing there.
fn begun_at_another_price(history: &History, editions: &[Edition], within_us: u64) -> Vec<Violation> {
    let mut first: BTreeMap<&str, At<'_, Exchange>> = BTreeMap::new();
    for exchange in history.exchanges().filter(|exchange| exchange.kind != ExchangeKind::Elsewhere) {
        if let Some(payment) = &exchange.what.payment {
            first.entry(payment).or_insert(exchange);
        }
    }
    let mut violations = Vec::new();
    for (payment, exchange) in first {
        let Some(transfer) = history.moved(payment) else { continue };
        let asks = |edition: &Edition| {
            let facts = edition.tenants.iter().find(|facts| facts.id == exchange.tenant);
            facts.and_then(|facts| facts.price.as_ref()).is_some_and(|price| price.amount == transfer.value)
        };
        if !in_force(editions, exchange.what, within_us).any(asks) {
            let what = format!("{} moved {}, which is no price in force", describe::short(payment), transfer.value);
            violations.push(Violation::new(what, exchange.line).and([transfer.line]));
        }
    }
    violations
}

/// A change that stood for long enough, and of which the log does not say what it should.
fn is_unsaid(history: &History, change: At<'_, DirectoryChange>, next_us: u64, within_us: u64) -> Option<Violation> {
    let until_us = change.at_us + within_us;
    let restarted = history.outages.iter().any(|outage| (change.at_us..until_us).contains(&outage.killed_us));
    if change.what.change.is_none() || next_us < until_us || restarted {
        return None;
    }
    let mut lines = history.directory_lines().filter(|line| (change.at_us..=until_us).contains(&line.at_us));
    let (said, wanted) = match &change.what.to_be_logged {
        DirectoryNews::Adopted => (lines.any(|line| line.event == "adopted"), "that it is adopted".to_owned()),
        DirectoryNews::Kept => {
            let kept = lines.any(|line| matches!(line.event.as_str(), "kept" | "unavailable"));
            (kept, "that the one before is kept".to_owned())
        }
        DirectoryNews::LeftOut(tenant) => {
            let left_out = lines.any(|line| line.event == "left_out" && line.why.contains(tenant.as_str()));
            (left_out, format!("that {tenant} is left out"))
        }
    };
    (!said).then(|| Violation::new(format!("the log does not say {wanted}"), change.line))
}

/// Whether the dispatcher was started anew on a directory that nobody could believe, and has had no time for a better one.
fn has_nothing_to_keep(
    history: &History,
    changes: &[At<'_, DirectoryChange>],
    exchange: &Exchange,
    within_us: u64,
) -> bool {
    history.outages.iter().any(|outage| {
        let at_restart = changes.iter().rfind(|change| change.at_us <= outage.back_us);
        let better = changes.iter().find(|change| change.at_us > outage.back_us && change.what.tenants.is_some());
        at_restart.is_some_and(|change| change.what.tenants.is_none())
            && outage.back_us <= exchange.ended_us
            && better.is_none_or(|change| exchange.sent_us < change.at_us + within_us)
    })
}

fn last_us(history: &History) -> u64 {
    history.events.last().map_or(0, |recorded| recorded.at_us)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    const WITHIN: Duration = Duration::from_secs(5);

    fn verdict(story: Story) -> Verdict {
        judge(&story.history(), WITHIN).verdict
    }

    fn asking(amount: &'static str) -> impl Fn(Story) -> Story {
        move |story| {
            story.sent("p", reports::event::ExchangeKind::Challenge, 402, move |exchange, answer| {
                exchange.payment = None;
                answer.asked = vec![amount.to_owned()];
            })
        }
    }

    #[test]
    fn a_new_price_is_asked_for_once_the_bound_has_passed_and_either_until_then() {
        let (former, new) = (asking("10000"), asking("20000"));
        let swapped = || {
            Story::new().directory("10000", DirectoryNews::Adopted).directory("20000", DirectoryNews::Adopted).adopted()
        };
        assert_eq!(verdict(new(former(swapped()))), Verdict::Pass);
        assert_eq!(verdict(new(swapped().pause(9))), Verdict::Pass);
        let stale = judge(&former(swapped().pause(9)).history(), WITHIN);
        assert_eq!(shown(&stale), [3, 5]);
        let early = judge(&new(Story::new().directory("10000", DirectoryNews::Adopted)).history(), WITHIN);
        assert_eq!(shown(&early), [2, 3]);
    }

    #[test]
    fn a_tenant_that_is_not_listed_is_not_found_and_one_that_is_must_be() {
        let not_found = |story: Story| {
            story.answered(None, 404, |answer| {
                (answer.tenant, answer.code) = (None, Some("tenant_not_found".to_owned()));
            })
        };
        let listed = || Story::new().directory("10000", DirectoryNews::Adopted);
        assert_eq!(shown(&judge(&not_found(listed()).history(), WITHIN)), [2, 3]);
        let removed = || Story::new().no_directory();
        assert_eq!(verdict(not_found(removed())), Verdict::Pass);
        assert_eq!(verdict(removed().unpaid()), Verdict::Fail);
    }

    #[test]
    fn what_was_bought_of_a_tenant_that_left_may_be_collected_and_nothing_else() {
        let collected = |story: Story| story.answered(Some("p1"), 200, |answer| answer.tenant = None);
        let bought = || Story::new().directory("10000", DirectoryNews::Adopted).settled("p1", "primary").served("p1");
        assert_eq!(verdict(collected(bought().no_directory().adopted().pause(9))), Verdict::Pass);
        let ran = collected(bought().no_directory().adopted().pause(9)).ran_for_it();
        assert_eq!(verdict(ran), Verdict::Fail);
        let begun = Story::new().directory("10000", DirectoryNews::Adopted).no_directory().adopted().pause(9);
        assert_eq!(verdict(collected(begun)), Verdict::Fail);
        let unpaid = bought().no_directory().adopted().pause(9);
        assert_eq!(verdict(unpaid.answered(None, 200, |answer| answer.tenant = None)), Verdict::Fail);
    }

    #[test]
    fn a_broken_directory_changes_nothing_and_the_log_must_say_so() {
        let broken = || Story::new().directory("10000", DirectoryNews::Adopted).broken_directory();
        assert_eq!(verdict(asking("10000")(broken()).kept().pause(9).unpaid()), Verdict::Pass);
        assert_eq!(shown(&judge(&broken().pause(9).unpaid().history(), WITHIN)), [3]);
        // Nobody can say anything of a change that stood for a moment only.
        assert_eq!(verdict(broken().unpaid()), Verdict::Pass);
    }

    #[test]
    fn an_isolate_that_starts_on_a_broken_directory_has_nothing_to_keep() {
        let anew = Story::new().directory("10000", DirectoryNews::Adopted).broken_directory().killed().restarted();
        let refused = anew.unpaid().answered(None, 404, |answer| answer.tenant = None);
        assert_eq!(verdict(refused), Verdict::Unknown);
    }

    #[test]
    fn what_was_settled_at_a_former_price_may_be_collected_and_not_begun() {
        let collected = Story::new()
            .directory("10000", DirectoryNews::Adopted)
            .settled("p1", "primary")
            .served("p1")
            .directory("20000", DirectoryNews::Adopted);
        assert_eq!(verdict(collected.adopted().pause(9).served("p1")), Verdict::Pass);
        let tried =
            Story::new().directory("20000", DirectoryNews::Adopted).sent("p1", ExchangeKind::Elsewhere, 409, |_, _| {});
        let swapped = tried.directory("10000", DirectoryNews::Adopted).adopted().pause(9);
        assert_eq!(verdict(swapped.settled("p1", "primary").served("p1")), Verdict::Pass);
        let begun = Story::new().directory("10000", DirectoryNews::Adopted).directory("20000", DirectoryNews::Adopted);
        let begun = begun.adopted().pause(9).settled("p1", "primary").served("p1");
        assert_eq!(shown(&judge(&begun.history(), WITHIN)), [5, 7]);
    }
}
