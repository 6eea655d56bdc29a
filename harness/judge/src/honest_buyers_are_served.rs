//! FAIR-2: while somebody attacks, the others buy as in a quiet phase of the same run. A buyer that was sent away for a while, by
//! a 429, a 409 or a server error, was not served as before, even if it got its content in the end.

use super::{
    Finding, Hint, History, Rule, Source, Violation,
    about::{self, About},
    history::At,
};
use grammar::{Name, Problems, text::NameText};
use reports::{
    event::{Exchange, ExchangeOutcome, PurchaseOutcome},
    level::Level,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

pub const RULE: Rule = Rule {
    id: "FAIR-2",
    checker: "honest-buyers-are-served",
    says: "FAIR-2: while somebody attacks, the others buy as in a quiet phase",
    example: "{ traffic = \"callers\", quiet = \"steady\", noisy = \"outage\", at-least = 95.0 }",
    level: Level::Must,
    sources: &[
        Source::Promise {
            place: "ARCHITECTURE.md, Who is let in",
            what: "one who sends too much is no other's trouble",
        },
        Source::Incident {
            thread: "x402-foundation/x402#3231",
            what: "what a facilitator answers about a stranger's payment says nothing of the facilitator",
        },
    ],
    hint: Hint {
        cause: "evidence about a facilitator or a tenant is taken from whoever sends it, and counts against everybody",
        look_at: "dispatcher/x402-paywall/src/health/board.rs",
    },
};

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawHonestBuyersAreServed {
    /// The traffic block of those who do not attack.
    #[schemars(with = "NameText")]
    traffic: Spanned<String>,
    /// The phase in which nobody attacks.
    #[schemars(with = "NameText")]
    quiet: Spanned<String>,
    /// The phase in which somebody does.
    #[schemars(with = "NameText")]
    noisy: Spanned<String>,
    /// In percent of the quiet phase's share.
    #[schemars(with = "f64", extend("exclusiveMinimum" = 0, "maximum" = 100))]
    at_least: Spanned<f64>,
}

/// The parameters as they are judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct HonestBuyersAreServed {
    /// The others'.
    traffic: Name,
    quiet: Name,
    noisy: Name,
    /// In percent of the quiet phase's share.
    at_least: f64,
}

impl RawHonestBuyersAreServed {
    pub fn check(self, about: &impl About, problems: &mut Problems) -> Option<HonestBuyersAreServed> {
        Some(HonestBuyersAreServed {
            traffic: about::traffic(&self.traffic, about, problems)?,
            quiet: about::phase(&self.quiet, about, problems)?,
            noisy: about::phase(&self.noisy, about, problems)?,
            at_least: about::share(&self.at_least, problems)?,
        })
    }
}

impl HonestBuyersAreServed {
    /// The expectation in a report.
    pub fn expects(&self) -> String {
        let Self { traffic, quiet, noisy, at_least } = self;
        format!("at least {at_least} % as many of {traffic} are served at once in {noisy} as in {quiet}")
    }

    pub fn judge(&self, history: &History) -> Finding {
        judge(history, self.traffic.as_str(), self.quiet.as_str(), self.noisy.as_str(), self.at_least)
    }
}

/// `traffic` is the others'. At least so many percent of the quiet phase's share are to be served in the noisy one.
fn judge(history: &History, traffic: &str, quiet: &str, noisy: &str, at_least: f64) -> Finding {
    let refused: BTreeMap<u64, _> = history
        .purchases()
        .filter(|purchase| purchase.traffic == traffic && purchase.outcome != PurchaseOutcome::Served)
        .map(|purchase| (purchase.purchase, purchase.line))
        .collect();
    let mut arrivals: BTreeMap<u64, Vec<At<'_, Exchange>>> = BTreeMap::new();
    for exchange in history.exchanges().filter(|exchange| exchange.traffic == traffic) {
        arrivals.entry(exchange.arrival).or_default().push(exchange);
    }
    let of = |phase: &str| -> Vec<_> {
        let mut of: Vec<_> = arrivals.iter().filter(|(_, sent)| sent[0].phase == phase).collect();
        of.sort_by_key(|(number, _)| **number);
        of
    };
    let sent_away = |(number, sent): &(&u64, &Vec<At<'_, Exchange>>)| {
        let first = sent.iter().find(|exchange| is_sent_away(exchange)).map(|exchange| exchange.line);
        first.or_else(|| refused.get(*number).copied())
    };
    let (before, during) = (of(quiet), of(noisy));
    if before.is_empty() || during.is_empty() {
        return Finding::unknown(format!("{traffic} sent nothing in {quiet}, or nothing in {noisy}"));
    }
    let failed_before = before.iter().filter(|arrival| sent_away(arrival).is_some()).count();
    let failed: Vec<_> = during.iter().filter_map(sent_away).collect();
    let share = |failed: usize, of: usize| 100.0 * (of - failed) as f64 / of as f64;
    let (was, is) = (share(failed_before, before.len()), share(failed.len(), during.len()));
    let mut violations = Vec::new();
    if failed_before == before.len() {
        return Finding::unknown(format!("nobody of {traffic} is served even in {quiet}"));
    }
    if let Some(first) = failed.first().filter(|_| is < was * at_least / 100.0) {
        let what = format!("{} of {} of {traffic} were not served as before in {noisy}", failed.len(), during.len());
        violations.push(Violation::new(what, *first));
    }
    let finding = Finding::of(during.len(), "arrivals of the others", violations);
    finding.with_detail(format!("{is:.0} % of {traffic} were served in {noisy}, {was:.0} % in {quiet}"))
}

fn is_sent_away(exchange: &Exchange) -> bool {
    match &exchange.outcome {
        ExchangeOutcome::Answered(answer) => matches!(answer.status, 409 | 429 | 500..=599),
        ExchangeOutcome::Failed { .. } => true,
        ExchangeOutcome::HungUp => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    fn judged(story: Story) -> Finding {
        judge(&story.history(), "callers", "steady", "attack", 95.0)
    }

    fn quiet() -> Story {
        Story::new().phase("steady").unpaid().served("p1").phase("attack")
    }

    #[test]
    fn who_is_served_as_before_is_a_pass() {
        assert_eq!(judged(quiet().unpaid().served("p2")).verdict, Verdict::Pass);
        assert_eq!(judged(quiet()).verdict, Verdict::Unknown);
    }

    #[test]
    fn who_is_sent_away_is_seen_even_if_it_is_served_later() {
        for status in [409, 429, 503] {
            let story = quiet().answered(Some("p2"), status, |_| {}).served("p2");
            assert_eq!(shown(&judged(story)), [6], "{status}");
        }
    }
}
