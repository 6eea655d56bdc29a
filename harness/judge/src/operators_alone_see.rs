//! ISO-7: what operators may see, they alone see. Whoever has no token gets neither an answer of the platform API nor a session,
//! and the dashboard stands at no host at which a tenant's pages are.

use super::{Finding, Hint, History, Rule, Source, Violation};
use reports::level::Level;

pub const RULE: Rule = Rule {
    id: "ISO-7",
    checker: "operators-alone-see",
    says: "ISO-7: the platform API answers nobody who has no token, and no tenant's host has its page",
    example: "{}",
    level: Level::Must,
    sources: &[Source::Promise {
        place: "docs/threat-model.md, An operator",
        what: "a token opens the platform API, and a session its page at a host of its own",
    }],
    hint: Hint {
        cause: "a session, a page or an answer is given out without looking at the token, or at the host",
        look_at: "dispatcher/core/src/serving/operators.rs",
    },
};

/// The client that tries it.
const CLIENT: &str = "guesser";

pub fn judge(history: &History) -> Finding {
    let (mut tried, mut violations) = (0, Vec::new());
    for (exchange, answer) in history.answers().filter(|(exchange, _)| exchange.client == CLIENT) {
        tried += 1;
        if !(400..500).contains(&answer.status) {
            let what = format!("{} {} is answered with {}", exchange.method, exchange.target, answer.status);
            violations.push(Violation::new(what, exchange.line));
        }
        if let Some(cookie) = answer.cookies.first() {
            violations.push(Violation::new(format!("it sets the cookie {cookie:?}"), exchange.line));
        }
    }
    Finding::of(tried, "requests without a token", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{event::ExchangeKind, verdict::Verdict};

    fn told(status: u16, cookie: Option<&str>) -> Verdict {
        let story = Story::new().sent("p1", ExchangeKind::Unpaid, status, |exchange, answer| {
            exchange.client = CLIENT.to_owned();
            answer.cookies = cookie.map(str::to_owned).into_iter().collect();
        });
        judge(&story.history()).verdict
    }

    #[test]
    fn a_refusal_is_right_and_an_answer_or_a_session_is_not() {
        assert_eq!([401, 404, 429].map(|status| told(status, None)), [Verdict::Pass; 3]);
        assert_eq!([200, 303, 503].map(|status| told(status, None)), [Verdict::Fail; 3]);
        assert_eq!(told(401, Some("__Secure-platform=1; Path=/__platform")), Verdict::Fail);
        assert_eq!(judge(&Story::new().answered(None, 200, |_| {}).history()).verdict, Verdict::Unknown);
    }
}
