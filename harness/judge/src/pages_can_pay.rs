//! ANSWER-5: a page on another origin can pay: a preflight is answered by the dispatcher, unpaid, without a body, and permits the
//! payment; and the answers about payments can be read.

use super::{Finding, Hint, History, Rule, Source, Violation};
use facts::clients::{ASKED_HEADERS, ASKED_METHOD};
use reports::{
    event::{Answer, ExchangeKind},
    level::Level,
};

pub const RULE: Rule = Rule {
    id: "ANSWER-5",
    checker: "pages-can-pay",
    says: "ANSWER-5: a page on another origin may send a payment and read the answers",
    example: "{}",
    level: Level::Must,
    sources: &[Source::Promise {
        place: "docs/invariants.md, Tenants",
        what: "a paid tenant's answers can be read, and paid for, by a page on any origin",
    }],
    hint: Hint {
        cause: "an answer leaves by a path that does not add the headers, or a header was not added to the list",
        look_at: "dispatcher/core/src/cors.rs",
    },
};

/// The headers that a page must be able to read.
const READ: [&str; 2] = ["payment-required", "payment-response"];

pub fn judge(history: &History) -> Finding {
    let (mut preflights, mut others) = (0, 0);
    let mut violations = Vec::new();
    for (exchange, answer) in history.answers() {
        let priced = history.is_priced(&exchange);
        let about_payment = answer.offered || answer.payment_response.is_some();
        let told = match exchange.kind {
            ExchangeKind::Preflight if priced => {
                preflights += 1;
                permits(answer)
            }
            _ if priced && about_payment => {
                others += 1;
                can_be_read(answer)
            }
            _ => continue,
        };
        if let Err(why) = told {
            violations.push(Violation::new(why, exchange.line));
        }
    }
    let finding = Finding::of(preflights, "preflights", violations);
    let detail = format!("{}; {others} answers about payments were looked at", finding.detail);
    finding.with_detail(detail)
}

fn permits(answer: &Answer) -> Result<(), String> {
    if answer.status != 204 || answer.body_bytes > 0 {
        return Err("it is not the dispatcher's own 204, without a body".to_owned());
    }
    says_who_may(answer)?;
    if let Some(name) = ASKED_HEADERS.iter().find(|name| !lists(answer.allowed_headers.as_deref(), name)) {
        return Err(format!("it does not permit {name}, which the page asked for"));
    }
    if !lists(answer.allowed_methods.as_deref(), &ASKED_METHOD.to_ascii_lowercase()) {
        return Err(format!("it does not permit {ASKED_METHOD}, which the page asked for"));
    }
    Ok(())
}

/// A browser takes a header that came twice for no word at all.
fn says_who_may(answer: &Answer) -> Result<(), String> {
    match answer.allowed_origin.as_deref() {
        None => Err("no page may read it".to_owned()),
        Some(twice) if twice.contains(',') => Err(format!("it says twice who may read it: {twice}")),
        Some(_) => Ok(()),
    }
}

fn can_be_read(answer: &Answer) -> Result<(), String> {
    says_who_may(answer)?;
    match READ.iter().find(|name| !lists(answer.exposed_headers.as_deref(), name)) {
        Some(hidden) => Err(format!("no page may read its {hidden}")),
        None => Ok(()),
    }
}

fn lists(header: Option<&str>, name: &str) -> bool {
    header.is_some_and(|list| list.split(',').any(|listed| listed.trim() == name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{event::Exchange, verdict::Verdict};

    fn permitted(exchange: &mut Exchange, answer: &mut Answer) {
        exchange.payment = None;
        answer.allowed_origin = Some("*".to_owned());
        answer.allowed_headers = Some("content-type, x-payment, payment-signature".to_owned());
        answer.allowed_methods = Some("put".to_owned());
    }

    fn readable(answer: &mut Answer) {
        answer.offered = true;
        answer.allowed_origin = Some("*".to_owned());
        answer.exposed_headers = Some("payment-required, payment-response".to_owned());
    }

    #[test]
    fn a_permission_and_an_offer_that_can_be_read_are_a_pass() {
        let story = Story::new().sent("p1", ExchangeKind::Preflight, 204, permitted).answered(None, 402, readable);
        assert_eq!(judge(&story.history()).verdict, Verdict::Pass);
        assert_eq!(judge(&Story::new().answered(None, 402, readable).history()).verdict, Verdict::Unknown);
    }

    #[test]
    fn a_bill_for_the_question_and_what_no_page_can_read_are_seen() {
        let billed = Story::new().sent("p1", ExchangeKind::Preflight, 402, permitted);
        let silent = Story::new().sent("p1", ExchangeKind::Preflight, 204, |_, _| {});
        let hidden = Story::new().sent("p1", ExchangeKind::Preflight, 204, permitted).answered(None, 402, |answer| {
            readable(answer);
            answer.exposed_headers = Some("x-request-id".to_owned());
        });
        let unheard = Story::new().sent("p1", ExchangeKind::Preflight, 204, |exchange, answer| {
            permitted(exchange, answer);
            answer.allowed_headers = Some("payment-signature".to_owned());
        });
        let other = Story::new().sent("p1", ExchangeKind::Preflight, 204, |exchange, answer| {
            permitted(exchange, answer);
            answer.allowed_methods = Some("get".to_owned());
        });
        let twice = Story::new().sent("p1", ExchangeKind::Preflight, 204, |exchange, answer| {
            permitted(exchange, answer);
            answer.allowed_origin = Some("*, *".to_owned());
        });
        let stories = [(billed, 2), (silent, 2), (hidden, 3), (unheard, 2), (other, 2), (twice, 2)];
        for (story, line) in stories {
            assert_eq!(shown(&judge(&story.history())), [line]);
        }
    }
}
