//! ANSWER-1: every answer of the dispatcher is one of those that the documentation lists, with the status and headers that
//! belong to its code. The judges' own list, on purpose not the dispatcher's.

use super::{Finding, Hint, History, Rule, Source, Violation};
use reports::{
    event::{Answer, Exchange, ExchangeKind},
    level::Level,
};
use std::collections::BTreeSet;

pub const RULE: Rule = Rule {
    id: "ANSWER-1",
    checker: "answers-as-documented",
    says: "ANSWER-1: every answer has the status and headers that belong to its code",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "x402 v2, transports/http",
            says: "402 for what is unpaid or failed, 400 for what is malformed, 412 for a missing allowance",
        },
        Source::Incident {
            thread: "x402-foundation/x402#3437",
            what: "what a client is to do on which status is not agreed on",
        },
        Source::Promise { place: "README.md, What the caller gets", what: "a status and a code for each situation" },
    ],
    hint: Hint {
        cause: "a refusal was added or changed without its status, headers or documentation",
        look_at: "dispatcher/x402-paywall/src/denial.rs",
    },
};

/// The parts that go with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum With {
    Nothing,
    Offer,
    RetryAfter,
    /// A `PAYMENT-RESPONSE` that says pending, and `Retry-After`.
    Pending,
}

/// Nobody is sent away for longer: the slowest of the dispatcher's counts has ebbed in a minute.
const MOST_RETRY_AFTER_S: u64 = 120;

const DOCUMENTED: [(&str, u16, With); 29] = [
    ("tenant_not_found", 404, With::Nothing),
    ("invalid_dispatch_key", 400, With::Nothing),
    ("dispatcher_binding_missing", 500, With::Nothing),
    ("dispatcher_misconfigured", 500, With::Nothing),
    ("rate_limited", 429, With::RetryAfter),
    ("payment_required", 402, With::Offer),
    ("invalid_payload", 400, With::Nothing),
    ("invalid_x402_version", 400, With::Nothing),
    ("invalid_payment_requirements", 402, With::Offer),
    ("permit2_allowance_required", 412, With::Offer),
    ("facilitators_unavailable", 503, With::RetryAfter),
    ("settlement_ledger_unavailable", 503, With::RetryAfter),
    ("tenant_directory_unavailable", 503, With::RetryAfter),
    ("payment_in_progress", 503, With::RetryAfter),
    ("not_selling", 503, With::RetryAfter),
    ("payment_already_used", 409, With::Nothing),
    ("payment_identifier_conflict", 409, With::Nothing),
    ("payment_identifier_required", 400, With::Nothing),
    ("invalid_payment_identifier", 400, With::Nothing),
    ("request_too_large", 413, With::Nothing),
    ("request_incomplete", 408, With::Nothing),
    ("tenant_worker_failure", 502, With::Nothing),
    ("tenant_cpu_limit_exceeded", 503, With::Nothing),
    ("tenant_subrequest_limit_exceeded", 503, With::Nothing),
    ("tenant_time_limit_exceeded", 504, With::Nothing),
    ("tenant_response_too_large", 502, With::Nothing),
    ("settlement_pending", 503, With::Pending),
    ("platform_token_required", 401, With::Nothing),
    ("platform_resource_not_found", 404, With::Nothing),
];

pub fn judge(history: &History) -> Finding {
    let mut codes = BTreeSet::new();
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer) in history.answers() {
        if answer.tenant_said.is_some() {
            continue;
        }
        looked_at += 1;
        codes.extend(answer.code.as_deref());
        if let Err(why) = is_documented(history, &exchange, answer) {
            violations.push(Violation::new(why, exchange.line));
        }
    }
    let finding = Finding::of(looked_at, "answers of the dispatcher's own", violations);
    let detail = format!("{}; codes {}", finding.detail, codes.into_iter().collect::<Vec<_>>().join(", "));
    finding.with_detail(detail)
}

fn is_documented(history: &History, exchange: &Exchange, answer: &Answer) -> Result<(), String> {
    if answer.request_id.is_none() {
        return Err("it has no x-request-id".to_owned());
    }
    let Some(code) = answer.code.as_deref() else {
        // Neither has a body that could say more.
        let bodyless = exchange.method == "HEAD" || exchange.kind == ExchangeKind::Preflight;
        let fine = bodyless || (200..300).contains(&answer.status);
        return if fine { Ok(()) } else { Err("it says no code".to_owned()) };
    };
    let unpaid = matches!(exchange.kind, ExchangeKind::Unpaid | ExchangeKind::Challenge);
    if history.is_priced(exchange) && unpaid && answer.status == 402 && code != "payment_required" {
        return Err("without a payment the code is payment_required".to_owned());
    }
    match DOCUMENTED.iter().find(|(documented, ..)| *documented == code) {
        Some((_, status, _)) if *status != answer.status => Err(format!("{code} goes with {status}")),
        Some((_, _, with)) => has(answer, *with),
        // Reasons are the facilitators' own words.
        None if answer.status != 402 => Err(format!("{code} is documented for no {}", answer.status)),
        None => {
            let refused = answer.payment_response.as_ref().is_some_and(|told| !told.success);
            if answer.offered || refused { Ok(()) } else { Err("it brings neither an offer nor a receipt".to_owned()) }
        }
    }
}

fn has(answer: &Answer, with: With) -> Result<(), String> {
    let retry = answer.retry_after_s.is_some_and(|seconds| seconds <= MOST_RETRY_AFTER_S);
    let pending = answer
        .payment_response
        .as_ref()
        .is_some_and(|told| !told.success && told.error_reason.as_deref() == Some("settlement_pending"));
    let fine = match with {
        With::Nothing => !answer.offered,
        With::Offer => answer.offered,
        With::RetryAfter => retry && !answer.offered,
        With::Pending => retry && pending && !answer.offered,
    };
    if fine { Ok(()) } else { Err(format!("what belongs to its code does not come with it: {with:?}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    fn verdict(status: u16, change: fn(&mut Answer)) -> Verdict {
        judge(&Story::new().answered(Some("p1"), status, change).history()).verdict
    }

    #[test]
    fn documented_answers_are_a_pass() {
        assert_eq!(verdict(409, |answer| answer.code = Some("payment_already_used".to_owned())), Verdict::Pass);
        let reason = |answer: &mut Answer| {
            answer.code = Some("insufficient_funds".to_owned());
            answer.offered = true;
        };
        assert_eq!(verdict(402, reason), Verdict::Pass);
    }

    #[test]
    fn another_status_an_unknown_code_and_missing_headers_are_seen() {
        assert_eq!(verdict(402, |answer| answer.code = Some("payment_already_used".to_owned())), Verdict::Fail);
        assert_eq!(verdict(500, |answer| answer.code = Some("oops".to_owned())), Verdict::Fail);
        let silent = Story::new().unpaid().answered(Some("p1"), 500, |_| {});
        assert_eq!(shown(&judge(&silent.history())), [3]);
        assert_eq!(verdict(402, |answer| answer.code = Some("payment_required".to_owned())), Verdict::Fail);
        assert_eq!(verdict(503, |answer| answer.code = Some("payment_in_progress".to_owned())), Verdict::Fail);
        let silent = |answer: &mut Answer| {
            answer.code = Some("settlement_pending".to_owned());
            answer.retry_after_s = Some(1);
        };
        assert_eq!(verdict(503, silent), Verdict::Fail);
    }
}
