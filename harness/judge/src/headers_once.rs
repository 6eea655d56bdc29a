//! ANSWER-6: a header that must have one value has one, whoever set it, and of what a tenant may repeat nothing is lost. A
//! browser that sees two origins lets no page in, and one cookie of two is a session that is gone.

use super::{Finding, Hint, History, Rule, Source, Violation};
use reports::{event::Answer, level::Level};

pub const RULE: Rule = Rule {
    id: "ANSWER-6",
    checker: "headers-once",
    says: "ANSWER-6: a header that must have one value has one, and no cookie is lost",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "RFC 9110, 5.3",
            says: "a sender must not send a field twice unless its value is a list; Set-Cookie is the exception",
        },
        Source::Spec { document: "Fetch, CORS check", says: "an Access-Control-Allow-Origin of two values fails it" },
    ],
    hint: Hint {
        cause: "a header is appended beside the tenant's own, or a repeated one is set and not appended",
        look_at: "dispatcher/worker/src/answer.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer) in history.answers() {
        looked_at += 1;
        if let Some(name) = answer.repeated_headers.first() {
            violations.push(Violation::new(format!("{name} came more than once"), exchange.line));
        }
        if let Some((said, came)) = lost_cookies(answer) {
            violations.push(Violation::new(format!("of {said} cookies {came} came"), exchange.line));
        }
    }
    Finding::of(looked_at, "answers", violations)
}

fn lost_cookies(answer: &Answer) -> Option<(usize, usize)> {
    let said = answer.tenant_said.as_ref()?.cookies?;
    (answer.cookies.len() < said).then_some((said, answer.cookies.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{event::TenantSaid, verdict::Verdict};

    #[test]
    fn a_header_twice_and_a_cookie_of_two_are_seen() {
        let both = |answer: &mut Answer| {
            answer.tenant_said = Some(TenantSaid { cookies: Some(2), ..TenantSaid::default() });
            answer.cookies = vec!["a=1".to_owned(), "b=2".to_owned()];
        };
        assert_eq!(judge(&Story::new().answered(None, 200, both).history()).verdict, Verdict::Pass);
        let one = |answer: &mut Answer| {
            both(answer);
            answer.cookies.pop();
        };
        let twice = |answer: &mut Answer| answer.repeated_headers = vec!["access-control-allow-origin".to_owned()];
        assert_eq!(shown(&judge(&Story::new().answered(None, 200, one).history())), [2]);
        assert_eq!(shown(&judge(&Story::new().answered(None, 200, twice).history())), [2]);
    }
}
