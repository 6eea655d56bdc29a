//! MONEY-8: every settlement on the chain has one settled stage in telemetry and one settled record in the ledger, and the
//! reverse. What is unknown is listed by the ledger as unknown, not lost.
//!
//! A kill may take telemetry with it, so a settlement of the second before one need not be told, and may be told again by
//! the process that came after. The ledger is never excused: what it is told to keep survives.

use super::{Finding, History, history::short, settled_answer::Conclusion};
use std::collections::{BTreeMap, BTreeSet};

pub fn judge(history: &History) -> Finding {
    if let Some(line) = history.unreadable.first() {
        let count = history.unreadable.len();
        return Finding::unknown(format!("{count} lines of the books could not be read, the first: {line}"));
    }
    let mut told: BTreeMap<&str, Vec<Line<'_>>> = BTreeMap::new();
    for (at_us, stage) in history.settled_lines() {
        let line = Line { at_us, transaction: stage.transaction.as_deref() };
        told.entry(&stage.payment).or_default().push(line);
    }
    let recorded = history.ledger.values().filter(|state| state.state == "settled").map(|state| state.payment.as_str());
    let payments: BTreeSet<&str> =
        history.transfers.keys().map(String::as_str).chain(told.keys().copied()).chain(recorded).collect();
    let mut violations = Vec::new();
    let (mut open, mut untold) = (0, 0);
    for payment in &payments {
        match entry(history, payment, told.get(payment).map_or(&[], Vec::as_slice)) {
            Ok(Entry::Balanced) => {}
            Ok(Entry::ListedAsUnknown) => open += 1,
            Ok(Entry::LineLostToAKill) => untold += 1,
            Err(why) => violations.push(format!("{}: {why}", short(payment))),
        }
    }
    let finding = Finding::of(payments.len(), "settlements in three books", violations);
    let mut detail = finding.detail.clone();
    for (count, what) in [(open, "are listed as unknown"), (untold, "lost their telemetry to a kill")] {
        if count > 0 {
            detail.push_str(&format!("; {count} {what}"));
        }
    }
    finding.with_detail(detail)
}

/// A settled stage in telemetry.
struct Line<'a> {
    at_us: u64,
    transaction: Option<&'a str>,
}

enum Entry {
    Balanced,
    ListedAsUnknown,
    LineLostToAKill,
}

fn entry(history: &History, payment: &str, told: &[Line<'_>]) -> Result<Entry, String> {
    let state = history.ledger.get(payment).ok_or("the ledger was not asked about it")?;
    let transfer = history.transfers.get(payment).and_then(|transfers| transfers.first());
    let Some((_, transfer)) = transfer else {
        return Err(format!("the ledger says {}, telemetry {} settled, but no money moved", state.state, told.len()));
    };
    let transaction = transfer.transaction.as_str();
    let same = |told: &Option<&str>| *told == Some(transaction);
    let in_ledger = state.state == "settled" && same(&state.transaction.as_deref());
    let in_telemetry = told.iter().all(|line| same(&line.transaction));
    match (state.state.as_str(), told) {
        (_, [_]) if in_ledger && in_telemetry => Ok(Entry::Balanced),
        (_, []) if in_ledger && learnt_before_a_kill(history, payment) => Ok(Entry::LineLostToAKill),
        (_, [earlier @ .., _])
            if in_ledger && in_telemetry && !earlier.is_empty() && all_before_kills(history, earlier) =>
        {
            Ok(Entry::Balanced)
        }
        ("unknown" | "settling", []) => Ok(Entry::ListedAsUnknown),
        (state, told) => Err(format!(
            "transaction {transaction} moved money, the ledger says {state}, telemetry has {} settled",
            told.len()
        )),
    }
}

/// Whether a facilitator said that it settled the payment so shortly before a kill that the line may be lost.
fn learnt_before_a_kill(history: &History, payment: &str) -> bool {
    let said_so = history.settles_of(payment).iter().filter(|call| Conclusion::of(call) == Conclusion::Settled);
    said_so.into_iter().any(|call| history.line_may_be_lost(call.ended_us))
}

/// Whether each process that told of the settlement, but the last, was killed before it could keep it.
fn all_before_kills(history: &History, earlier: &[Line<'_>]) -> bool {
    earlier.iter().all(|line| history.line_may_be_lost(line.at_us))
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
    fn a_kill_excuses_telemetry_and_never_the_ledger() {
        let killed = || Story::new().settled("p1", "primary").killed().restarted();
        assert_eq!(judge(&killed().ledger("p1", "settled").history()).verdict, Verdict::Pass);
        assert_eq!(judge(&killed().ledger("p1", "vacant").history()).verdict, Verdict::Fail);
        let again = Story::new().settled("p1", "primary").told("p1").killed().restarted().told("p1");
        assert_eq!(judge(&again.ledger("p1", "settled").history()).verdict, Verdict::Pass);
        let long_before = Story::new().settled("p1", "primary").pause(2).killed().restarted();
        assert_eq!(judge(&long_before.ledger("p1", "settled").history()).verdict, Verdict::Fail);
        let twice_after = killed().told("p1").told("p1").ledger("p1", "settled");
        assert_eq!(judge(&twice_after.history()).verdict, Verdict::Fail);
    }

    #[test]
    fn an_unknown_that_is_listed_is_not_lost() {
        let history = Story::new().transfer("p1", "primary").ledger("p1", "unknown").history();
        assert_eq!(judge(&history).verdict, Verdict::Pass);
    }
}
