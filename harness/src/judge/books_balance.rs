//! MONEY-8: every settlement on the chain has one settled stage in telemetry and one settled record in the ledger, and the
//! reverse. What is unknown is listed by the ledger as unknown, not lost.

use super::{Finding, History, history::short};
use std::collections::{BTreeMap, BTreeSet};

pub fn judge(history: &History) -> Finding {
    if let Some(line) = history.unreadable.first() {
        let count = history.unreadable.len();
        return Finding::unknown(format!("{count} lines of the books could not be read, the first: {line}"));
    }
    let settled = history.stages.iter().filter(|stage| stage.stage == "settled");
    let mut told: BTreeMap<&str, Vec<Option<&str>>> = BTreeMap::new();
    for stage in settled {
        told.entry(&stage.payment).or_default().push(stage.transaction.as_deref());
    }
    let recorded = history.ledger.values().filter(|state| state.state == "settled").map(|state| state.payment.as_str());
    let payments: BTreeSet<&str> =
        history.transfers.keys().map(String::as_str).chain(told.keys().copied()).chain(recorded).collect();
    let mut violations = Vec::new();
    let mut open = 0;
    for payment in &payments {
        match entry(history, payment, told.get(payment).map_or(&[], Vec::as_slice)) {
            Ok(Entry::Balanced) => {}
            Ok(Entry::ListedAsUnknown) => open += 1,
            Err(why) => violations.push(format!("{}: {why}", short(payment))),
        }
    }
    let finding = Finding::of(payments.len(), "settlements in three books", violations);
    if open == 0 {
        return finding;
    }
    let detail = format!("{}; {open} are listed as unknown", finding.detail);
    finding.with_detail(detail)
}

enum Entry {
    Balanced,
    ListedAsUnknown,
}

fn entry(history: &History, payment: &str, told: &[Option<&str>]) -> Result<Entry, String> {
    let state = history.ledger.get(payment).ok_or("the ledger was not asked about it")?;
    let transfer = history.transfers.get(payment).and_then(|transfers| transfers.first());
    let Some((_, transfer)) = transfer else {
        return Err(format!("the ledger says {}, telemetry {} settled, but no money moved", state.state, told.len()));
    };
    let transaction = transfer.transaction.as_str();
    match (state.state.as_str(), told) {
        ("settled", [told]) if state.transaction.as_deref() == Some(transaction) && *told == Some(transaction) => {
            Ok(Entry::Balanced)
        }
        ("unknown" | "settling", []) => Ok(Entry::ListedAsUnknown),
        (state, told) => Err(format!(
            "transaction {transaction} moved money, the ledger says {state}, telemetry has {} settled",
            told.len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn three_books_that_agree_are_a_pass() {
        let history = Story::new().settled("p1", "primary").told("p1").ledger("p1", "settled").history();
        assert_eq!(judge(&history).verdict, Verdict::Pass);
    }

    #[test]
    fn what_one_book_lacks_is_seen() {
        let cases = [
            Story::new().settled("p1", "primary").ledger("p1", "settled"),
            Story::new().settled("p1", "primary").told("p1").told("p1").ledger("p1", "settled"),
            Story::new().settled("p1", "primary").told("p1").ledger("p1", "vacant"),
            Story::new().told("p1").ledger("p1", "settled"),
            Story::new().settled("p1", "primary").told("p1"),
        ];
        for story in cases {
            assert_eq!(judge(&story.history()).verdict, Verdict::Fail);
        }
    }

    #[test]
    fn an_unknown_that_is_listed_is_not_lost() {
        let history = Story::new().transfer("p1", "primary").ledger("p1", "unknown").history();
        assert_eq!(judge(&history).verdict, Verdict::Pass);
    }
}
