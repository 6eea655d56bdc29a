//! EGRESS-1: nothing leaves a tenant's Worker but what its policy says: no address that is not public, no host of the platform,
//! nothing that its record denies or does not list; what it allows does leave; and every request, each hop of a redirect among
//! them, is in the outbound Worker's log.
//!
//! Judged by another reader of URLs than the outbound Worker's, and by what the outside saw.

use super::{Finding, Hint, History, Line, Rule, Source, Violation};
use facts::internet::{PLATFORM_HOSTS, redirected_to};
use reports::{
    event::{EgressFacts, Event},
    level::Level,
};
use std::{collections::BTreeMap, net::IpAddr};
use url::Url;

pub const RULE: Rule = Rule {
    id: "EGRESS-1",
    checker: "egress-is-confined",
    says: "EGRESS-1: nothing leaves a tenant but what its policy says, and every request is counted",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "Cloudflare, Workers for Platforms, outbound Workers",
            says: "an outbound Worker sits between customer Workers and the internet, and logs, alters or blocks what they fetch",
        },
        Source::Promise {
            place: "docs/invariants.md, Tenants",
            what: "nothing leaves a tenant that can be read in two ways",
        },
    ],
    hint: Hint {
        cause: "the policy does not come with the dispatch, or a spelling of a host is not taken for that host",
        look_at: "dispatcher/core/src/egress/mod.rs",
    },
};

/// The answer of the outbound Worker in a host's place.
const REFUSED: u16 = 403;

pub fn judge(history: &History) -> Finding {
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer) in history.answers() {
        let Some(fetched) = answer.tenant_said.as_ref().and_then(|said| said.fetched.as_ref()) else { continue };
        let Some(tenant) = history.tenants.get(&exchange.tenant) else { continue };
        looked_at += 1;
        let forbidden = forbidden_on_the_way(&fetched.url, &tenant.egress);
        if forbidden.is_some() != (fetched.status == REFUSED) {
            let why = forbidden.unwrap_or("its policy allows it");
            let what = format!("{} asked {} ({why}), and got {}", tenant.id, fetched.url, fetched.status);
            violations.push(Violation::new(what, exchange.line));
        }
    }
    for (line, recorded) in history.lines() {
        let Event::OutsideReached { url, script } = &recorded.event else { continue };
        let tenant = script.as_deref().and_then(|script| history.tenant_of_script(script));
        let nobody = EgressFacts::default();
        if let Some(why) = forbidden(url, tenant.map_or(&nobody, |tenant| &tenant.egress)) {
            violations.push(Violation::new(format!("{url} was reached ({why})"), line));
        }
    }
    violations.extend(uncounted(history));
    Finding::of(looked_at, "answers for which a tenant asked the outside", violations)
}

/// Tenants of which the outbound Worker logged fewer requests than the namespace counted. What a process that was killed had
/// under way may be in one count only.
fn uncounted(history: &History) -> Vec<Violation> {
    let mut sent: BTreeMap<&str, (u32, Line)> = BTreeMap::new();
    for end in history.tenant_ends() {
        if let Some(tenant) = history.tenant_of_script(&end.what.script) {
            sent.entry(tenant.id.as_str()).or_insert((0, end.line)).0 += end.subrequests;
        }
    }
    let logged = |tenant: &str| {
        let is_its = |event: &Event| matches!(event, Event::EgressDecided(line) if line.tenant_id == tenant);
        history.lines().filter(|(_, recorded)| is_its(&recorded.event)).count()
    };
    let short = sent.into_iter().filter(|(tenant, (sent, _))| logged(tenant) < *sent as usize);
    short
        .map(|(tenant, (sent, line))| {
            let what = format!("{tenant} sent {sent} requests, and {} are in the log", logged(tenant));
            Violation::new(what, line)
        })
        .collect()
}

/// Why the request, or one that it is redirected to, may not leave.
fn forbidden_on_the_way(url: &str, egress: &EgressFacts) -> Option<&'static str> {
    let mut next = Some(url.to_owned());
    while let Some(url) = next {
        if let Some(why) = forbidden(&url, egress) {
            return Some(why);
        }
        next = redirected_to(&url);
    }
    None
}

fn forbidden(url: &str, egress: &EgressFacts) -> Option<&'static str> {
    let Ok(url) = Url::parse(url) else { return Some("it is no URL") };
    if !matches!(url.scheme(), "http" | "https") {
        return Some("its scheme");
    }
    if url.port().is_some() {
        return Some("its port");
    }
    let host = url.host_str().unwrap_or_default();
    let name = host.trim_end_matches('.');
    let address: Option<IpAddr> = name.trim_matches(['[', ']']).parse().ok();
    if address.is_some_and(|address| !is_public(address)) || name == "localhost" {
        return Some("it is not public");
    }
    let listed = |list: &[String]| list.iter().any(|pattern| matches(pattern, name));
    if PLATFORM_HOSTS.iter().any(|pattern| matches(pattern, name)) {
        return Some("it is the platform's");
    }
    if listed(&egress.deny) {
        return Some("it is denied");
    }
    egress.allow.as_ref().filter(|allow| !listed(allow)).map(|_| "it is not listed")
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let special = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast();
            !(special || v4.is_broadcast() || v4.is_unspecified() || v4.is_documentation())
        }
        IpAddr::V6(v6) => {
            let holds_v4 = v6.to_ipv4().is_some();
            !(holds_v4 || v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_multicast())
        }
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(below) => name.ends_with(below),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    const PRIVATE: &str = "http://2130706433/";
    const LISTED: &str = "https://data.example.org/v1";

    #[test]
    fn what_may_leave_and_does_is_a_pass_and_so_is_what_may_not_and_does_not() {
        let story = Story::new().outside_reached(LISTED).fetched(LISTED, 200).fetched(PRIVATE, 403);
        assert_eq!(judge(&story.history()).verdict, Verdict::Pass);
        assert_eq!(judge(&Story::new().unpaid().history()).verdict, Verdict::Unknown);
    }

    #[test]
    fn what_got_out_and_what_was_kept_in_for_nothing_are_seen() {
        assert_eq!(shown(&judge(&Story::new().fetched(PRIVATE, 200).history())), [2]);
        assert_eq!(shown(&judge(&Story::new().fetched(LISTED, 403).history())), [2]);
        assert_eq!(shown(&judge(&Story::new().fetched("https://api.example.com/", 200).history())), [2]);
        let hop = "https://data.example.org/redirect-to/http%3A%2F%2F10.0.0.1%2F";
        assert_eq!(shown(&judge(&Story::new().fetched(hop, 200).history())), [2]);
        let reached = Story::new().fetched(LISTED, 200).outside_reached("https://globex.platform.example/");
        assert_eq!(shown(&judge(&reached.history())), [3]);
    }

    #[test]
    fn a_request_that_nobody_logged_is_seen() {
        let logged = || Story::new().fetched(LISTED, 200).ended_for_it(|end| end.subrequests = 1);
        assert_eq!(judge(&logged().egress_line().history()).verdict, Verdict::Pass);
        assert_eq!(shown(&judge(&logged().history())), [3]);
    }
}
