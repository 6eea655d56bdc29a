//! ANSWER-4: what a tenant answers is what its caller gets: the status, 201, 202 and 204 as well as every error, where it says
//! that something is, and its other headers.

use super::{Finding, Hint, History, Rule, Source, Violation};
use reports::{
    event::{Answer, Exchange, TenantSaid},
    level::Level,
};
use std::collections::BTreeSet;

pub const RULE: Rule = Rule {
    id: "ANSWER-4",
    checker: "statuses-kept",
    says: "ANSWER-4: a tenant's status, Location and Content-Location reach the caller",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Peer { checks: "R22" },
        Source::Incident {
            thread: "cloudflare/templates, x402-proxy-template",
            what: "of a proxied response only Set-Cookie was copied",
        },
    ],
    hint: Hint {
        cause: "the tenant's answer is built anew instead of being carried through the ledger whole",
        look_at: "dispatcher/x402-paywall/src/response.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let mut statuses = BTreeSet::new();
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer) in history.answers() {
        let Some(said) = &answer.tenant_said else {
            if answer.canaries.contains(&exchange.tenant) {
                violations.push(Violation::new("the tenant's body came without its headers", exchange.line));
            }
            continue;
        };
        looked_at += 1;
        statuses.insert(said.status);
        if let Err(why) = is_kept(said, answer, &mount_of(&exchange)) {
            violations.push(Violation::new(why, exchange.line));
        }
    }
    let finding = Finding::of(looked_at, "answers of tenants", violations);
    let detail = format!("{}; statuses {statuses:?}", finding.detail);
    finding.with_detail(detail)
}

/// The path below which the tenant stood in this exchange; empty at its own host.
fn mount_of(exchange: &Exchange) -> String {
    let slug = format!("/t/{}", exchange.tenant);
    let below = exchange.target.strip_prefix(&slug).filter(|below| below.is_empty() || below.starts_with(['/', '?']));
    below.map_or_else(String::new, |_| slug.clone())
}

fn is_kept(said: &TenantSaid, answer: &Answer, mount: &str) -> Result<(), String> {
    if said.status != answer.status {
        return Err(format!("the tenant sent {}", said.status));
    }
    for (header, sent, came) in [
        ("Location", &said.location, &answer.location),
        ("Content-Location", &said.content_location, &answer.content_location),
    ] {
        // A path of its own leads below its mount, or nowhere.
        let is_own = |place: &String| place.starts_with('/') && !place.starts_with("//");
        let due = sent.as_ref().map(|place| if is_own(place) { format!("{mount}{place}") } else { place.clone() });
        if due != *came {
            return Err(format!("the tenant sent {header} {sent:?}, and {came:?} came in place of {due:?}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{event::ExchangeKind, verdict::Verdict};

    fn created(answer: &mut Answer) {
        answer.location = Some("/t/acme/created/1".to_owned());
        answer.tenant_said =
            Some(TenantSaid { status: 201, location: Some("/created/1".to_owned()), ..TenantSaid::default() });
    }

    #[test]
    fn what_the_tenant_sent_is_a_pass() {
        assert_eq!(judge(&Story::new().answered(None, 201, created).history()).verdict, Verdict::Pass);
        assert_eq!(judge(&Story::new().unpaid().history()).verdict, Verdict::Unknown);
    }

    #[test]
    fn another_status_or_place_is_seen() {
        let flattened = Story::new().answered(None, 200, created);
        let lost = Story::new().answered(None, 201, |answer| {
            created(answer);
            answer.location = None;
        });
        let elsewhere = Story::new().answered(None, 201, |answer| {
            created(answer);
            answer.location = Some("/created/1".to_owned());
        });
        for story in [flattened, lost, elsewhere] {
            assert_eq!(shown(&judge(&story.history())), [2]);
        }
    }

    #[test]
    fn a_place_below_a_slug_leads_below_it_and_one_of_another_host_stays() {
        let placed = |target: &str, sent: &str, came: &str| {
            let story = Story::new().sent("p1", ExchangeKind::Payment, 201, |exchange, answer| {
                exchange.target = target.to_owned();
                answer.location = Some(came.to_owned());
                let location = Some(sent.to_owned());
                answer.tenant_said = Some(TenantSaid { status: 201, location, ..TenantSaid::default() });
            });
            judge(&story.history()).verdict
        };
        assert_eq!(placed("/t/acme?a=1", "/x", "/t/acme/x"), Verdict::Pass);
        assert_eq!(placed("/quote", "/x", "/x"), Verdict::Pass);
        assert_eq!(placed("/t/acme/quote", "https://o.example/x", "https://o.example/x"), Verdict::Pass);
        assert_eq!(placed("/t/acme/quote", "/x", "/x"), Verdict::Fail);
        assert_eq!(placed("/quote", "/x", "/t/acme/x"), Verdict::Fail);
    }
}
