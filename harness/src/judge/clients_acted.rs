//! COVER-3: every kind of client that the traffic has came, and did what it is there for. An attack that did not happen has
//! shown nothing.

use super::{Finding, History};
use reports::event::{Exchange, ExchangeKind, ExchangeOutcome};
use std::collections::BTreeMap;

pub fn judge(history: &History) -> Finding {
    let mut acts: BTreeMap<&str, usize> = BTreeMap::new();
    for exchange in &history.exchanges {
        *acts.entry(&exchange.client).or_default() += usize::from(is_its_act(exchange));
    }
    let idle = acts.iter().filter(|(_, acts)| **acts == 0);
    let violations = idle.map(|(client, _)| format!("{client} came, and did not do what it is there for")).collect();
    let told: Vec<_> = acts.iter().map(|(client, acts)| format!("{client} {acts}")).collect();
    let finding = Finding::of(acts.len(), "kinds of clients", violations);
    let detail = format!("{}; {}", finding.detail, told.join(", "));
    finding.with_detail(detail)
}

fn is_its_act(exchange: &Exchange) -> bool {
    match exchange.client.as_str() {
        "duplicate" => exchange.kind == ExchangeKind::Duplicate,
        "replay-elsewhere" => exchange.kind == ExchangeKind::Elsewhere,
        "resend-after-served" => exchange.kind == ExchangeKind::Resend,
        "impatient" | "fresh-after-timeout" => exchange.outcome == ExchangeOutcome::HungUp,
        "identified" => exchange.kind == ExchangeKind::Resend && exchange.identifier.is_some(),
        "identifier-race" => exchange.identifier.is_some(),
        "malformed" => exchange.flaw.is_some(),
        "head" => exchange.method == "HEAD" && exchange.payment.is_some(),
        "preflight" => exchange.kind == ExchangeKind::Preflight,
        "unpaid" => exchange.kind == ExchangeKind::Unpaid,
        _ => exchange.payment.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn a_client_that_did_not_attack_is_seen() {
        let raced = Story::new().by("duplicate").sent("p1", ExchangeKind::Duplicate, 409, |_, _| {});
        assert_eq!(judge(&raced.history()).verdict, Verdict::Pass);
        let tame = Story::new().by("duplicate").sent("p1", ExchangeKind::Payment, 200, |_, _| {});
        assert_eq!(judge(&tame.history()).verdict, Verdict::Fail);
    }
}
