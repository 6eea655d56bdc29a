//! ISO-3: what only the dispatcher may say comes from it alone. A tenant's forgeries do not reach the caller, a caller's do
//! not reach the tenant, no tenant sees a signed payment, no tenant sets a cookie that another one would get, and no page of
//! one has an origin that is another's too.

use super::{Finding, Hint, History, Rule, Source, Violation, history::At};
use facts::hosts::host_of;
use reports::{
    event::{Answer, Exchange},
    level::Level,
};

pub const RULE: Rule = Rule {
    id: "ISO-3",
    checker: "headers-are-ours",
    says: "ISO-3: what only the dispatcher may say is neither forged nor leaked",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "@x402/core 2.27.0",
            says: "Settlement-Overrides and EXTENSION-RESPONSES are internal, and stripped before the caller",
        },
        Source::Incident { thread: "x402-foundation/x402#3334", what: "the ceiling of an override was not enforced" },
    ],
    hint: Hint {
        cause: "a list of internal headers lacks one, or is applied to one direction only",
        look_at: "dispatcher/core/src/hygiene.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let mut forgeries = 0;
    let mut violations = Vec::new();
    for (exchange, answer) in history.answers() {
        let by_tenant = answer.tenant_said.as_ref().is_some_and(|said| !said.forged.is_empty());
        forgeries += usize::from(by_tenant || exchange.client == "forger");
        for leaked in &answer.leaked_headers {
            violations.push(Violation::new(format!("{leaked} came through"), exchange.line));
        }
        for cookie in answer.cookies.iter().filter(|cookie| !is_the_tenants_own(cookie, &exchange)) {
            let what = format!("other tenants would get the cookie {cookie:?}");
            violations.push(Violation::new(what, exchange.line));
        }
        if answer.contained == Some(false) && is_by_slug(&exchange) {
            violations.push(Violation::new("its page has the origin of every other tenant's", exchange.line));
        }
        violations.extend(not_the_dispatchers(exchange, answer));
    }
    Finding::of(forgeries, "exchanges with forged headers", violations)
}

/// Whether the tenant stood on the host that all tenants share.
fn is_by_slug(exchange: &Exchange) -> bool {
    let below = exchange.target.strip_prefix(&format!("/t/{}", exchange.tenant));
    below.is_some_and(|below| below.is_empty() || below.starts_with(['/', '?']))
}

/// By host: no wider than the host. By slug, where all tenants share a host: no wider than the slug's path.
fn is_the_tenants_own(cookie: &str, exchange: &Exchange) -> bool {
    let attribute = |wanted: &str| {
        let mut attributes = cookie.split(';').skip(1).filter_map(|attribute| attribute.split_once('='));
        attributes.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let slug = format!("/t/{}", exchange.tenant);
    let host = host_of(&exchange.tenant);
    let wider = attribute("domain").is_some_and(|domain| !domain.trim_start_matches('.').eq_ignore_ascii_case(&host));
    let path = attribute("path").unwrap_or_default();
    let inside = path.strip_prefix(&slug).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    !wider && (!is_by_slug(exchange) || inside)
}

fn not_the_dispatchers(exchange: At<'_, Exchange>, answer: &Answer) -> Option<Violation> {
    let wrong = answer.tenant.as_ref().filter(|tenant| **tenant != exchange.tenant)?;
    Some(Violation::new(format!("x-tenant-id says {wrong}"), exchange.line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{
        event::{ExchangeKind, TenantSaid},
        verdict::Verdict,
    };

    fn forging(answer: &mut Answer) {
        answer.tenant_said = Some(TenantSaid { forged: vec!["x-request-id".to_owned()], ..TenantSaid::default() });
    }

    #[test]
    fn forgeries_that_were_taken_off_are_a_pass() {
        assert_eq!(judge(&Story::new().answered(None, 200, forging).history()).verdict, Verdict::Pass);
        assert_eq!(judge(&Story::new().answered(None, 200, |_| {}).history()).verdict, Verdict::Unknown);
    }

    #[test]
    fn a_header_that_came_through_is_seen() {
        let leaked = Story::new().answered(None, 200, |answer| {
            forging(answer);
            answer.leaked_headers = vec!["request payment-signature".to_owned()];
        });
        assert_eq!(shown(&judge(&leaked.history())), [2]);
    }

    #[test]
    fn a_page_with_every_tenants_origin_is_seen() {
        for (contained, target, verdict) in [
            (Some(true), "/t/acme/page", Verdict::Pass),
            (Some(false), "/t/acme/page", Verdict::Fail),
            (Some(false), "/page", Verdict::Pass),
            (None, "/t/acme/page", Verdict::Pass),
        ] {
            let story = Story::new().sent("p1", ExchangeKind::Unpaid, 200, |exchange, answer| {
                forging(answer);
                exchange.target = target.to_owned();
                answer.contained = contained;
            });
            assert_eq!(judge(&story.history()).verdict, verdict, "{contained:?} {target}");
        }
    }

    #[test]
    fn a_cookie_for_others_is_seen() {
        for (cookie, verdict) in [
            ("a=1; Path=/t/acme", Verdict::Pass),
            ("a=1; path=/t/acme/x; HttpOnly", Verdict::Pass),
            ("a=1; Path=/t/acme-two", Verdict::Fail),
            ("a=1; Path=/", Verdict::Fail),
            ("a=1", Verdict::Fail),
            ("a=1; Domain=tenants.test; Path=/t/acme", Verdict::Fail),
        ] {
            let story = Story::new().sent("p1", ExchangeKind::Payment, 200, |_, answer| {
                forging(answer);
                answer.cookies = vec![cookie.to_owned()];
            });
            assert_eq!(judge(&story.history()).verdict, verdict, "{cookie}");
        }
    }
}
