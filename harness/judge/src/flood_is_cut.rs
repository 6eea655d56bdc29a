//! COST-5: whoever sends too much is cut: of one address, or one payer, only so many requests of a traffic block get
//! anything but a 429 in any stretch of time, and all of the block together costs only so many calls to facilitators.

use super::{
    Finding, Hint, History, Rule, Source, Violation,
    about::{self, About},
    history::At,
};
use grammar::{
    Name, Problems,
    limits::MAX_ARRIVALS,
    show,
    text::{NameText, TimeText},
};
use reports::{
    event::{Answer, Exchange, ExchangeOutcome},
    level::Level,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use toml::Spanned;

pub const RULE: Rule = Rule {
    id: "COST-5",
    checker: "flood-is-cut",
    says: "COST-5: of one address, or one payer, only so many requests get anything but a 429, and they cost only so many calls",
    example: "{ traffic = \"callers\", by = \"address\", at-most = 300, within = \"10s\", calls = 0 }",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "RFC 6585, 4",
            says: "429 says that too many requests came in a given time, and may say when to come back",
        },
        Source::Promise {
            place: "README.md, What the caller gets",
            what: "a rate for each plan's tenant, payer and address",
        },
    ],
    hint: Hint {
        cause: "something that costs is not counted, or is counted under a name that its sender can choose",
        look_at: "dispatcher/core/src/admission/mod.rs",
    },
};

/// The property that a flood's requests share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sender {
    /// The address that they come from.
    Address,
    /// The payer; requests without a payment are left aside.
    Payer,
}

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawFloodIsCut {
    /// The traffic block that floods.
    #[schemars(with = "NameText")]
    traffic: Spanned<String>,
    /// Whose requests count together.
    by: Sender,
    /// Answers other than 429, in any such stretch.
    #[schemars(with = "usize", range(max = MAX_ARRIVALS))]
    at_most: Spanned<usize>,
    /// How long a stretch is.
    #[schemars(with = "TimeText")]
    within: Spanned<String>,
    /// To facilitators, for the whole block.
    #[schemars(with = "usize", range(max = MAX_ARRIVALS))]
    calls: Spanned<usize>,
}

/// The parameters as they are judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct FloodIsCut {
    /// The flood's.
    traffic: Name,
    by: Sender,
    bounds: Bounds,
}

impl RawFloodIsCut {
    pub fn check(self, about: &impl About, problems: &mut Problems) -> Option<FloodIsCut> {
        Some(FloodIsCut {
            traffic: about::traffic(&self.traffic, about, problems)?,
            by: self.by,
            bounds: Bounds {
                at_most: about::count(&self.at_most, problems)?,
                within: about::bound(&self.within, about, problems)?,
                calls: about::count(&self.calls, problems)?,
            },
        })
    }
}

impl FloodIsCut {
    /// The expectation in a report.
    pub fn expects(&self) -> String {
        let Self { traffic, bounds: Bounds { at_most, within, calls }, .. } = self;
        let within = show(*within);
        format!(
            "of {traffic}, one sender gets at most {at_most} answers other than 429 within {within}, for {calls} calls"
        )
    }

    pub fn judge(&self, history: &History) -> Finding {
        judge(history, self.traffic.as_str(), self.by, self.bounds)
    }
}

/// The bounds of a flood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub at_most: usize,
    pub within: Duration,
    /// To facilitators, for the whole block.
    pub calls: usize,
}

fn judge(history: &History, traffic: &str, by: Sender, bounds: Bounds) -> Finding {
    let sent: Vec<_> = history.exchanges().filter(|exchange| exchange.traffic == traffic).collect();
    let cut = sent.iter().filter(|exchange| is_cut(exchange)).count();
    let mut by_sender: BTreeMap<&str, Vec<At<'_, Exchange>>> = BTreeMap::new();
    for exchange in sent.iter().filter(|exchange| !is_cut(exchange)) {
        let sender = match by {
            Sender::Address => Some(exchange.what.address.as_str()),
            Sender::Payer => exchange.what.payment.as_deref().and_then(payer),
        };
        by_sender.entry(sender.unwrap_or_default()).or_default().push(*exchange);
    }
    // Those that carried no payment, where payers are told apart.
    if by == Sender::Payer {
        by_sender.remove("");
    }
    let mut violations: Vec<_> =
        by_sender.iter_mut().filter_map(|(sender, let_in)| fullest(sender, let_in, bounds)).collect();
    violations.extend(dear(history, &sent, bounds));
    // Nobody sent more than is let in anyhow, so nothing was to be cut. What it cost counts all the same: where there
    // are many senders, none of them has to send too much.
    if violations.is_empty() && cut == 0 && by_sender.values().all(|let_in| let_in.len() <= bounds.at_most) {
        return Finding::unknown(format!("{traffic} sent {} requests, which is no flood", sent.len()));
    }
    let finding = Finding::of(sent.len(), "requests of the flood", violations);
    let detail = format!("{}; {cut} were answered 429, to {} senders", finding.detail, by_sender.len());
    finding.with_detail(detail)
}

fn is_cut(exchange: &Exchange) -> bool {
    matches!(exchange.outcome, ExchangeOutcome::Answered(Answer { status: 429, .. }))
}

/// Reads the payer of `network:asset:from:nonce`, where the network has a colon in it.
fn payer(payment: &str) -> Option<&str> {
    payment.rsplit(':').nth(1)
}

fn fullest(sender: &str, let_in: &mut [At<'_, Exchange>], bounds: Bounds) -> Option<Violation> {
    let_in.sort_by_key(|exchange| exchange.sent_us);
    let within_us = bounds.within.as_micros() as u64;
    let full = let_in.windows(bounds.at_most + 1).find(|window| {
        let (first, last) = (&window[0], &window[bounds.at_most]);
        last.sent_us - first.sent_us < within_us
    })?;
    let what = format!("{sender} had {} requests let in within {} s", full.len(), bounds.within.as_secs());
    Some(Violation::new(what, full[0].line).and([full[bounds.at_most].line]))
}

fn dear(history: &History, sent: &[At<'_, Exchange>], bounds: Bounds) -> Option<Violation> {
    let request = |exchange: &At<'_, Exchange>| match &exchange.what.outcome {
        ExchangeOutcome::Answered(answer) => answer.request_id.clone(),
        ExchangeOutcome::HungUp | ExchangeOutcome::Failed { .. } => None,
    };
    let requests: BTreeSet<_> = sent.iter().filter_map(request).collect();
    let calls = history.requests().filter(|line| requests.contains(&line.request_id)).map(|line| line.attempts.len());
    let calls: usize = calls.sum();
    (calls > bounds.calls).then(|| {
        let what = format!("the flood cost {calls} calls to facilitators, {} at most are wanted", bounds.calls);
        Violation::new(what, history.first_line())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    const BOUNDS: Bounds = Bounds { at_most: 2, within: Duration::from_secs(10), calls: 0 };

    fn judged(story: Story) -> Finding {
        judge(&story.history(), "callers", Sender::Address, BOUNDS)
    }

    fn cut(story: Story) -> Story {
        story.answered(None, 429, |answer| answer.retry_after_s = Some(1))
    }

    #[test]
    fn a_flood_that_is_cut_is_a_pass_and_traffic_that_is_none_says_nothing() {
        assert_eq!(judged(cut(Story::new().unpaid().unpaid())).verdict, Verdict::Pass);
        assert_eq!(judged(Story::new().unpaid().unpaid()).verdict, Verdict::Unknown);
    }

    #[test]
    fn one_too_many_in_a_stretch_and_a_call_too_many_are_seen() {
        assert_eq!(shown(&judged(cut(Story::new().unpaid().unpaid().unpaid()))), [2, 4]);
        let dear = Story::new().unpaid().logged_with(|line| line.attempts = vec![attempt("primary")]);
        assert_eq!(shown(&judged(cut(dear))), [1]);
    }

    #[test]
    fn a_call_too_many_is_seen_though_nobody_sent_too_much_and_nothing_was_cut() {
        let dear = Story::new().unpaid().logged_with(|line| line.attempts = vec![attempt("primary")]);
        assert_eq!(shown(&judged(dear)), [1]);
    }
}
