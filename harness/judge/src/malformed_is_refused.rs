//! ANSWER-2: a payment that is broken is refused with the status that is right for it and a structured error: never with
//! content, never with a 5xx, never with a dropped connection.

use super::{Finding, Hint, History, Rule, Source, Violation};
use reports::{
    event::{Answer, ExchangeOutcome, Flaw},
    level::Level,
};
use std::collections::BTreeSet;

pub const RULE: Rule = Rule {
    id: "ANSWER-2",
    checker: "malformed-is-refused",
    says: "ANSWER-2: a broken payment is refused with the right status and a structured error",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec { document: "x402 v2, transports/http", says: "an invalid payment is answered with 400" },
        Source::Peer { checks: "R24" },
    ],
    hint: Hint {
        cause: "a decoder's error takes the wrong branch, or something unbounded is parsed",
        look_at: "dispatcher/x402-paywall/src/admission.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let mut kinds = BTreeSet::new();
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for exchange in history.exchanges() {
        let Some(flaw) = &exchange.what.flaw else { continue };
        kinds.insert(flaw.name.as_str());
        // What comes too often is not looked at, and how broken it is shows in no answer.
        if matches!(&exchange.what.outcome, ExchangeOutcome::Answered(answer) if answer.status == 429) {
            continue;
        }
        looked_at += 1;
        let told = match &exchange.what.outcome {
            ExchangeOutcome::Answered(answer) => is_told(flaw, answer),
            // Who was being answered when the dispatcher was killed hears nothing, whatever it sent.
            ExchangeOutcome::Failed { .. } if history.was_cut(&exchange) => continue,
            ExchangeOutcome::HungUp | ExchangeOutcome::Failed { .. } => Err("it was not answered".to_owned()),
        };
        if let Err(why) = told {
            violations.push(Violation::new(format!("{}: {why}", flaw.name), exchange.line));
        }
    }
    let finding = Finding::of(looked_at, "broken payments", violations);
    let detail = format!("{}; broken in {} ways", finding.detail, kinds.len());
    finding.with_detail(detail)
}

fn is_told(flaw: &Flaw, answer: &Answer) -> Result<(), String> {
    if !flaw.answers.contains(&answer.status) {
        return Err(format!("the answer should be one of {:?}", flaw.answers));
    }
    // A platform that finds a header too large answers for itself.
    let by_platform = matches!(answer.status, 413 | 431);
    if answer.code.is_none() && !by_platform {
        return Err("the answer has no error code".to_owned());
    }
    let settled_already = answer.payment_response.is_some();
    if answer.status == 402 && !answer.offered && !settled_already {
        return Err("the 402 says neither what to pay nor what became of the payment".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn the_right_status_with_a_code_is_a_pass() {
        assert_eq!(judge(&Story::new().flawed("forged", true, 402).history()).verdict, Verdict::Pass);
        assert_eq!(judge(&Story::new().unpaid().history()).verdict, Verdict::Unknown);
    }

    #[test]
    fn another_status_no_code_no_offer_and_no_answer_are_seen() {
        for status in [200, 400, 500] {
            assert_eq!(shown(&judge(&Story::new().flawed("forged", true, status).history())), [2]);
        }
        type Change = fn(&mut Answer);
        let changes: [Change; 2] = [|answer| answer.code = None, |answer| answer.offered = false];
        for change in changes {
            let history = Story::new().flawed_with("forged", true, 402, change).history();
            assert_eq!(shown(&judge(&history)), [2]);
        }
        assert_eq!(shown(&judge(&Story::new().flawed_and_dropped("forged").history())), [2]);
    }
}
