//! MONEY-10: what a payment bought goes to the origin that presented it first, and to nobody who has read it off the chain. A
//! stranger is told that the payment is spent, whatever generation of the protocol and whatever credentials it comes with.

use super::{
    Finding, Hint, History, Rule, Source, Violation,
    describe::short,
    history::At,
    origin::{Beginnings, is_same_caller, is_same_request},
};
use reports::{
    event::{Answer, Exchange},
    level::Level,
};

pub const RULE: Rule = Rule {
    id: "MONEY-10",
    checker: "strangers-collect-nothing",
    says: "MONEY-10: what a payment bought goes to nobody who has only read the payment off the chain",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "EIP-3009",
            says: "authorization and signature are arguments of a public call: whoever reads the chain has them",
        },
        Source::Incident { thread: "x402-foundation/x402#2842", what: "a payment is bound to no resource" },
    ],
    hint: Hint {
        cause: "having a signed payment is taken for having signed it",
        look_at: "dispatcher/x402-paywall/src/origin.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let begun = Beginnings::of(history);
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer, payment) in history.paid_answers() {
        let Some(first) = begun.get(payment).filter(|first| !is_same_caller(first, &exchange)) else { continue };
        looked_at += 1;
        if let Err(why) = gets_nothing(history, exchange, answer, &first, payment) {
            violations.push(Violation::new(why, exchange.line).and([first.line]));
        }
    }
    Finding::of(looked_at, "payments that somebody else presented", violations)
}

fn gets_nothing(
    history: &History,
    exchange: At<'_, Exchange>,
    answer: &Answer,
    first: &Exchange,
    payment: &str,
) -> Result<(), String> {
    let content = (200..300).contains(&answer.status) || answer.body_canaries.contains(&exchange.tenant);
    if content {
        return Err(format!("{} got what {} of {} bought", exchange.address, short(payment), first.address));
    }
    let known = history.known_settled_at(payment).is_some_and(|known| known.at_us < exchange.sent_us);
    let may_be_open = answer.status == 503 && !known;
    // What is too much is not looked at, and another request may be refused for its own sake.
    let fine = matches!(answer.status, 409 | 429) || may_be_open || !is_same_request(first, &exchange);
    if fine { Ok(()) } else { Err(format!("{} is spent, and a stranger is told {}", short(payment), answer.status)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{event::ExchangeKind, verdict::Verdict};

    fn bought() -> Story {
        Story::new().settled("p1", "primary").told("p1").served("p1")
    }

    fn stolen(story: Story, status: u16, change: fn(&mut Exchange)) -> Finding {
        judge(&story.sent("p1", ExchangeKind::Stolen, status, |exchange, _| change(exchange)).history())
    }

    #[test]
    fn a_stranger_is_one_by_address_or_credentials() {
        let moved = |exchange: &mut Exchange| exchange.address = "192.0.2.9".to_owned();
        let nameless = |exchange: &mut Exchange| exchange.credentials = Some("mallory".to_owned());
        for change in [moved, nameless] {
            assert_eq!(stolen(bought(), 409, change).verdict, Verdict::Pass);
            assert_eq!(shown(&stolen(bought(), 200, change)), [5, 6]);
            assert_eq!(shown(&stolen(bought(), 402, change)), [5, 6], "it is spent, and was not billed anew");
            assert_eq!(shown(&stolen(bought(), 503, change)), [5, 6]);
            assert_eq!(stolen(bought(), 429, change).verdict, Verdict::Pass);
        }
        assert_eq!(stolen(bought(), 200, |_| {}).verdict, Verdict::Unknown, "it is the payer itself");
    }

    #[test]
    fn of_version_6_a_subscriber_has_sixty_four_bits() {
        let begin = || {
            let at = |exchange: &mut Exchange, _: &mut Answer| exchange.address = "2001:db8::1".to_owned();
            Story::new().settled("p1", "primary").told("p1").sent("p1", ExchangeKind::Payment, 200, at)
        };
        let same = |exchange: &mut Exchange| exchange.address = "2001:db8::ffff:2".to_owned();
        assert_eq!(stolen(begin(), 200, same).verdict, Verdict::Unknown);
        let other = |exchange: &mut Exchange| exchange.address = "2001:db8:0:1::1".to_owned();
        assert_eq!(shown(&stolen(begin(), 200, other)), [5, 6]);
    }
}
