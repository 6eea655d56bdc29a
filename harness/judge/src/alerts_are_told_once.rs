//! ALERT-1: what an operator must know is told, and told once as it begins: not with every request, and not again and again
//! while it goes on.

use super::{Finding, Hint, History, Rule, Source, Violation};
use reports::level::Level;

pub const RULE: Rule = Rule {
    id: "ALERT-1",
    checker: "alerts-are-told-once",
    says: "ALERT-1: an alert is told when something begins, and not again while it goes on",
    example: "{ alert = \"unpaid_flood\", at-most = 1 }",
    level: Level::Must,
    sources: &[
        Source::Promise { place: "README.md, Configuring the dispatcher", what: "a line `alert` for each episode" },
        Source::Spec {
            document: "Google SRE Workbook, Alerting on SLOs",
            says: "an alert that fires often for one cause is soon read by nobody",
        },
    ],
    hint: Hint {
        cause: "an episode has no lower bound at which it ends, so that it begins anew at every turn",
        look_at: "dispatcher/core/src/admission/meter.rs",
    },
};

pub fn judge(history: &History, alert: &str, at_most: usize) -> Finding {
    let told: Vec<_> = history.alerts().filter(|line| line.alert == alert).collect();
    let mut violations = Vec::new();
    if let [first, .., last] = &told[..]
        && told.len() > at_most
    {
        let what = format!("{alert} was told {} times, {at_most} at most are wanted", told.len());
        violations.push(Violation::new(what, first.line).and([last.line]));
    }
    if told.is_empty() {
        violations.push(Violation::new(format!("{alert} was never told"), history.first_line()));
    }
    Finding::of(told.len().max(1), "alerts", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn once_is_a_pass_and_never_or_again_and_again_is_seen() {
        let judged = |story: Story| judge(&story.history(), "unpaid_flood", 1);
        assert_eq!(judged(Story::new().alert("unpaid_flood").alert("malformed_flood")).verdict, Verdict::Pass);
        assert_eq!(shown(&judged(Story::new().alert("malformed_flood"))), [1]);
        assert_eq!(shown(&judged(Story::new().alert("unpaid_flood").alert("unpaid_flood"))), [2, 3]);
    }
}
