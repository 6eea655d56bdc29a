//! FAIR-1: while somebody floods, the others are served as before: none of them is told to slow down, as many succeed as in
//! a quiet phase of the same run, and what they wait grows by no more than a bound.

use super::{
    Finding, Hint, History, Rule, Source, Violation,
    about::{self, About},
    history::At,
};
use grammar::{
    Name, Problems, show,
    text::{NameText, TimeText},
};
use reports::{
    event::{Answer, Exchange, ExchangeOutcome},
    level::Level,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;

pub const RULE: Rule = Rule {
    id: "FAIR-1",
    checker: "others-are-served",
    says: "FAIR-1: while somebody floods, the others succeed as before, and wait hardly longer",
    example: "{ traffic = \"callers\", quiet = \"steady\", noisy = \"outage\", slower-by = \"300ms\" }",
    level: Level::Must,
    sources: &[
        Source::Promise {
            place: "ARCHITECTURE.md, Who is let in",
            what: "one who sends too much is no other's trouble",
        },
        Source::Spec {
            document: "RFC 6585, 4",
            says: "limits may be by resource, by server or by user: whom they hit is the server's choice, and so its fault",
        },
    ],
    hint: Hint {
        cause: "a limit counts several senders under one name, or junk under the same as payments",
        look_at: "dispatcher/core/src/admission/mod.rs",
    },
};

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawOthersAreServed {
    /// The traffic block of those who do not flood.
    #[schemars(with = "NameText")]
    traffic: Spanned<String>,
    /// The phase in which nobody floods.
    #[schemars(with = "NameText")]
    quiet: Spanned<String>,
    /// The phase in which somebody does.
    #[schemars(with = "NameText")]
    noisy: Spanned<String>,
    /// At their 95th percentile.
    #[schemars(with = "TimeText")]
    slower_by: Spanned<String>,
}

/// The parameters as they are judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct OthersAreServed {
    /// The others'.
    traffic: Name,
    quiet: Name,
    noisy: Name,
    /// At their 95th percentile.
    slower_by: Duration,
}

impl RawOthersAreServed {
    pub fn check(self, about: &impl About, problems: &mut Problems) -> Option<OthersAreServed> {
        Some(OthersAreServed {
            traffic: about::traffic(&self.traffic, about, problems)?,
            quiet: about::phase(&self.quiet, about, problems)?,
            noisy: about::phase(&self.noisy, about, problems)?,
            slower_by: about::bound(&self.slower_by, about, problems)?,
        })
    }
}

impl OthersAreServed {
    /// The expectation in a report.
    pub fn expects(&self) -> String {
        let Self { traffic, quiet, noisy, slower_by } = self;
        format!("{traffic} succeeds in {noisy} as in {quiet}, at most {} slower", show(*slower_by))
    }

    pub fn judge(&self, history: &History) -> Finding {
        judge(history, self.traffic.as_str(), self.quiet.as_str(), self.noisy.as_str(), self.slower_by)
    }
}

/// The quantile of the waits, in percent.
const QUANTILE: usize = 95;

/// `traffic` is the others'.
fn judge(history: &History, traffic: &str, quiet: &str, noisy: &str, slower_by: Duration) -> Finding {
    let of = |phase: &str| -> Vec<_> {
        let mine = |exchange: &At<'_, Exchange>| exchange.traffic == traffic && exchange.phase == phase;
        history.exchanges().filter(mine).collect()
    };
    let (before, during) = (of(quiet), of(noisy));
    if before.is_empty() || during.is_empty() {
        return Finding::unknown(format!("{traffic} sent nothing in {quiet}, or nothing in {noisy}"));
    }
    let mut violations: Vec<_> = during
        .iter()
        .filter(|exchange| status(exchange) == Some(429))
        .map(|exchange| {
            Violation::new(format!("{} of {traffic} was told to slow down", exchange.address), exchange.line)
        })
        .collect();
    let (failed_before, failed_during) = (failed(&before), failed(&during));
    // Shares, crosswise, so that nothing is rounded.
    if failed_during.len() * before.len() > failed_before.len() * during.len() {
        let what = format!("{} of {} requests of {traffic} failed", failed_during.len(), during.len());
        violations.push(Violation::new(what, failed_during[0].line));
    }
    let (was, slowest) = (waited(&before), waited(&during));
    if slowest.0 > was.0 + slower_by {
        let (was, is) = (was.0.as_millis(), slowest.0.as_millis());
        let what = format!("p{QUANTILE} of {traffic} is {is} ms in {noisy}, and was {was} ms in {quiet}");
        violations.push(Violation::new(what, slowest.1.line));
    }
    let finding = Finding::of(during.len(), "requests of the others", violations);
    let detail =
        format!("{}; p{QUANTILE} {} ms, alone {} ms", finding.detail, slowest.0.as_millis(), was.0.as_millis());
    finding.with_detail(detail)
}

fn failed<'a>(exchanges: &[At<'a, Exchange>]) -> Vec<At<'a, Exchange>> {
    let failed = |exchange: &&At<'_, Exchange>| status(exchange).is_none_or(|status| status >= 500);
    exchanges.iter().filter(failed).copied().collect()
}

fn status(exchange: &Exchange) -> Option<u16> {
    match exchange.outcome {
        ExchangeOutcome::Answered(Answer { status, .. }) => Some(status),
        ExchangeOutcome::HungUp | ExchangeOutcome::Failed { .. } => None,
    }
}

/// The quantile, and whose it is.
fn waited<'a>(exchanges: &[At<'a, Exchange>]) -> (Duration, At<'a, Exchange>) {
    let took = |exchange: &At<'_, Exchange>| exchange.ended_us.saturating_sub(exchange.due_us);
    let mut sorted = exchanges.to_vec();
    sorted.sort_by_key(took);
    let at = (sorted.len() * QUANTILE).div_ceil(100) - 1;
    (Duration::from_micros(took(&sorted[at])), sorted[at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{event::ExchangeKind, verdict::Verdict};

    fn judged(story: Story) -> Finding {
        judge(&story.history(), "callers", "steady", "flood", Duration::from_millis(100))
    }

    fn quiet() -> Story {
        Story::new().phase("steady").unpaid().served("p1").phase("flood")
    }

    #[test]
    fn who_is_served_as_before_is_a_pass() {
        assert_eq!(judged(quiet().unpaid().served("p2")).verdict, Verdict::Pass);
        assert_eq!(judged(quiet()).verdict, Verdict::Unknown);
    }

    #[test]
    fn who_is_told_to_slow_down_fails_or_waits_longer_is_seen() {
        assert_eq!(shown(&judged(quiet().answered(None, 429, |_| {}))), [6]);
        assert_eq!(shown(&judged(quiet().answered(Some("p2"), 503, |_| {}))), [6]);
        let slow = quiet().sent("p2", ExchangeKind::Payment, 200, |exchange, _| exchange.ended_us += 200_000);
        assert_eq!(shown(&judged(slow)), [6]);
    }
}
