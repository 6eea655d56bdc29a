//! ISO-4: an answer that concerns a payment is never for others: paid content is private, an offer is not stored at all.

use super::{Finding, Hint, History, Rule, Source, Violation};
use reports::{event::Answer, level::Level};

pub const RULE: Rule = Rule {
    id: "ISO-4",
    checker: "paid-is-private",
    says: "ISO-4: no answer about a payment is for a shared cache",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "@x402/core 2.27.0",
            says: "a 402 is no-store, and private is appended to what was paid for",
        },
        Source::Peer { checks: "R17" },
    ],
    hint: Hint {
        cause: "a tenant's own cache-control is passed through beside the dispatcher's, or an error leaves without one",
        look_at: "dispatcher/core/src/hygiene.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer) in history.answers() {
        let content = exchange.payment.is_some() && (200..300).contains(&answer.status);
        if !history.is_priced(&exchange) || !(content || answer.code.is_some()) {
            continue;
        }
        looked_at += 1;
        if let Err(why) = is_private(answer, content) {
            violations.push(Violation::new(why, exchange.line));
        }
    }
    Finding::of(looked_at, "answers about payments", violations)
}

fn is_private(answer: &Answer, content: bool) -> Result<(), String> {
    let control = answer.cache_control.as_deref().unwrap_or_default().to_ascii_lowercase();
    let says = |wanted: &str| control.split(',').any(|directive| directive.trim().split('=').next() == Some(wanted));
    let kept_by_its_caller_only = says("no-store") || (content && says("private"));
    if !kept_by_its_caller_only {
        return Err(format!("a cache may keep it: cache-control is {control:?}"));
    }
    if says("public") || says("s-maxage") {
        return Err(format!("cache-control contradicts itself: {control:?}"));
    }
    match answer.shared_cache.first() {
        Some(header) => Err(format!("{header} tells a shared cache to keep it")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    fn served(control: &'static str) -> Story {
        Story::new().sent("p1", reports::event::ExchangeKind::Payment, 200, move |_, answer| {
            answer.cache_control = Some(control.to_owned());
        })
    }

    #[test]
    fn only_what_no_shared_cache_keeps_is_a_pass() {
        for (control, verdict) in [
            ("private", Verdict::Pass),
            ("Private, max-age=60", Verdict::Pass),
            ("no-store", Verdict::Pass),
            ("", Verdict::Fail),
            ("public", Verdict::Fail),
            ("private, s-maxage=60", Verdict::Fail),
            ("max-age=60", Verdict::Fail),
        ] {
            assert_eq!(judge(&served(control).history()).verdict, verdict, "{control}");
        }
    }

    #[test]
    fn an_offer_that_may_be_kept_and_a_header_for_shared_caches_are_seen() {
        let code = |answer: &mut Answer| answer.code = Some("payment_required".to_owned());
        assert_eq!(shown(&judge(&Story::new().answered(None, 402, code).history())), [2]);
        let surrogate = Story::new().sent("p1", reports::event::ExchangeKind::Payment, 200, |_, answer| {
            answer.cache_control = Some("private".to_owned());
            answer.shared_cache = vec!["surrogate-control".to_owned()];
        });
        assert_eq!(shown(&judge(&surrogate.history())), [2]);
    }
}
