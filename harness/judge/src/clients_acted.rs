//! COVER-3: every kind of client that the traffic has came, and did what it is there for. An attack that did not happen has
//! shown nothing.

use super::{Finding, Hint, History, Rule, Source, Violation};
use reports::{
    event::{Exchange, ExchangeKind, ExchangeOutcome},
    level::Level,
};
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "COVER-3",
    checker: "clients-acted",
    says: "COVER-3: every kind of client came and did what it is there for",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "Antithesis, sometimes assertions",
            says: "what the test never exercised is a failure of the test",
        },
        Source::Incident { thread: "larql#287", what: "a gate that 429 runs had passed could not fail" },
    ],
    hint: Hint {
        cause: "the world answers before the client comes to what it is there for; it is the scenario that wants mending",
        look_at: "scenarios/README.md",
    },
};

/// The reason why no planted bug breaks the rule.
pub const NO_BUG: &str = "It judges the run: whether every kind of client came and did what it is there for.";

pub fn judge(history: &History) -> Finding {
    let mut acts: BTreeMap<&str, (usize, _)> = BTreeMap::new();
    for exchange in history.exchanges() {
        let (acts, _) = acts.entry(&exchange.what.client).or_insert((0, exchange.line));
        *acts += usize::from(is_its_act(&exchange));
    }
    let idle = acts.iter().filter(|(_, (acts, _))| *acts == 0);
    let violations = idle
        .map(|(client, (_, came))| Violation::new(format!("{client} came, and did not do what it is there for"), *came))
        .collect();
    let told: Vec<_> = acts.iter().map(|(client, (acts, _))| format!("{client} {acts}")).collect();
    let finding = Finding::of(acts.len(), "kinds of clients", violations);
    let detail = format!("{}; {}", finding.detail, told.join(", "));
    finding.with_detail(detail)
}

fn is_its_act(exchange: &Exchange) -> bool {
    match exchange.client.as_str() {
        "duplicate" => exchange.kind == ExchangeKind::Duplicate,
        "replay-elsewhere" => exchange.kind == ExchangeKind::Elsewhere,
        "resend-after-served" | "tries-again" => exchange.kind == ExchangeKind::Resend,
        "impatient" | "away" | "fresh-after-timeout" => exchange.outcome == ExchangeOutcome::HungUp,
        "identified" | "late-identified" => exchange.kind == ExchangeKind::Resend && exchange.identifier.is_some(),
        "identifier-race" | "shared-identifier" => exchange.identifier.is_some(),
        "malformed" | "malformed-v1" | "hostile" => exchange.flaw.is_some(),
        "head" => exchange.method == "HEAD" && exchange.payment.is_some(),
        "preflight" => exchange.kind == ExchangeKind::Preflight,
        "returner" | "late" => exchange.kind == ExchangeKind::Resend,
        "roaming" => exchange.kind == ExchangeKind::Resend && exchange.credentials.is_some(),
        "authorized" => exchange.payment.is_some() && exchange.credentials.is_some(),
        "preflight-thief" => exchange.method != "GET",
        "chain-observer" => exchange.kind == ExchangeKind::Stolen,
        "blamer" | "differential" => exchange.flaw.is_some(),
        "squatter" | "paying-squatter" => exchange.identifier.is_some(),
        "one-address-sampler" => exchange.kind == ExchangeKind::Resend,
        "unpaid" | "two-names" | "guesser" => exchange.kind == ExchangeKind::Unpaid,
        _ => exchange.payment.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn a_client_that_did_not_attack_is_seen() {
        let raced = Story::new().by("duplicate").sent("p1", ExchangeKind::Duplicate, 409, |_, _| {});
        assert_eq!(judge(&raced.history()).verdict, Verdict::Pass);
        let tame = Story::new().by("duplicate").sent("p1", ExchangeKind::Payment, 200, |_, _| {});
        assert_eq!(shown(&judge(&tame.history())), [2]);
    }
}
