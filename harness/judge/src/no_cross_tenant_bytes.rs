//! ISO-1: an answer carries its own tenant's bytes only, and the dispatcher's log none. Each tenant double puts a token into
//! body, headers and exceptions that no other tenant can know.

use super::{Finding, Hint, History, Rule, Source, Violation, paid_content_only_after_settlement::is_empty};
use reports::{
    event::{Event, ExchangeKind},
    level::Level,
};

pub const RULE: Rule = Rule {
    id: "ISO-1",
    checker: "no-cross-tenant-bytes",
    says: "ISO-1: an answer carries its own tenant's bytes only",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Incident {
            thread: "azep-ninja/x402-gateway-template#4",
            what: "a cache keyed by the id alone gives a response to whoever names it",
        },
        Source::Promise {
            place: "docs/invariants.md, Tenants",
            what: "nothing of a request is kept beyond it in the Worker",
        },
    ],
    hint: Hint {
        cause: "something is kept between requests under a key that does not name the tenant",
        look_at: "dispatcher/core/src/dispatcher.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let mut with_bytes = 0;
    let mut violations = Vec::new();
    for (exchange, answer) in history.answers() {
        with_bytes += usize::from(!answer.canaries.is_empty());
        for canary in answer.canaries.iter().filter(|canary| **canary != exchange.tenant) {
            violations.push(Violation::new(format!("it carries bytes of {canary}"), exchange.line));
        }
        if let Some(tenant) = answer.tenant.as_ref().filter(|tenant| **tenant != exchange.tenant) {
            violations.push(Violation::new(format!("x-tenant-id says {tenant}"), exchange.line));
        }
        // The dispatcher may answer a browser's question itself.
        let content = (200..300).contains(&answer.status)
            && exchange.kind != ExchangeKind::Preflight
            && !is_empty(&exchange, answer);
        if content && answer.canaries.is_empty() {
            violations.push(Violation::new("it carries bytes of no tenant", exchange.line));
        }
    }
    for (line, recorded) in history.lines() {
        if let Event::TenantBytesLogged { tenant, .. } = &recorded.event {
            violations.push(Violation::new(format!("the log carries bytes of {tenant}"), line));
        }
    }
    Finding::of(with_bytes, "answers with a tenant's bytes", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn another_tenants_bytes_are_seen_even_in_an_error() {
        assert_eq!(judge(&Story::new().served("p1").history()).verdict, Verdict::Pass);
        let leaked = Story::new().served("p1").answered(None, 402, |answer| answer.canaries = vec!["other".to_owned()]);
        assert_eq!(shown(&judge(&leaked.history())), [3]);
    }

    #[test]
    fn a_tenants_bytes_in_the_log_are_seen_though_they_are_its_own() {
        assert_eq!(shown(&judge(&Story::new().served("p1").tenant_bytes_logged().history())), [3]);
    }
}
