//! MONEY-8: every settlement on the chain has one settled stage in telemetry and one settled record in the ledger, and the
//! reverse. What is unknown is listed by the ledger as unknown, not lost.
//!
//! A kill may take telemetry with it, so a settlement of the second before one need not be told, and may be told again by
//! the process that came after. The ledger is never excused: what it is told to keep survives.

use super::{
    Finding, Hint, History, Rule, Source, Violation, describe::short, history::At, settled_answer::Conclusion,
};
use reports::{event::DispatcherPayment, level::Level};
use std::collections::{BTreeMap, BTreeSet};

pub const RULE: Rule = Rule {
    id: "MONEY-8",
    checker: "books-balance",
    says: "MONEY-8: chain, telemetry and settlement ledger agree",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Incident { thread: "x402-foundation/x402#2294", what: "recovery after a facilitator's time-out" },
        Source::Peer { checks: "R11 (f) and R14" },
        Source::Promise {
            place: "ARCHITECTURE.md, A paid request",
            what: "the record is stored, then comes what is next",
        },
    ],
    hint: Hint {
        cause: "a record is stored after its effect, forgotten too soon, or a settlement is logged twice or never",
        look_at: "dispatcher/x402-paywall/src/ledger/keeper.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    if let Some((line, count)) = history.unreadable() {
        return Finding::unknown(format!(
            "{count} lines of the books could not be read, the first is line {} of the history",
            line.number()
        ));
    }
    let mut told: BTreeMap<&str, Vec<At<'_, DispatcherPayment>>> = BTreeMap::new();
    for stage in history.settled_lines() {
        told.entry(&stage.what.payment).or_default().push(stage);
    }
    let recorded = history.ledger().filter(|state| state.state == "settled").map(|state| state.what.payment.as_str());
    let payments: BTreeSet<&str> =
        history.transfers().map(|(payment, _)| payment).chain(told.keys().copied()).chain(recorded).collect();
    let mut violations = Vec::new();
    let (mut open, mut untold) = (0, 0);
    for payment in &payments {
        let told = told.get(payment).map_or(&[][..], Vec::as_slice);
        match entry(history, payment, told) {
            Ok(Entry::Balanced | Entry::Forgotten) => {}
            Ok(Entry::ListedAsUnknown) => open += 1,
            Ok(Entry::LineLostToAKill) => untold += 1,
            Err(why) => violations.extend(unbalanced(history, payment, told, &why)),
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

/// How long a record is kept after its settlement became known.
const KEPT_US: u64 = 7 * 24 * 3_600_000_000;

enum Entry {
    Balanced,
    /// It is over for longer than anything is kept.
    Forgotten,
    ListedAsUnknown,
    LineLostToAKill,
}

/// Shown by what each of the books says; a payment is looked at because one of them does.
fn unbalanced(history: &History, payment: &str, told: &[At<'_, DispatcherPayment>], why: &str) -> Option<Violation> {
    let moved = history.moved(payment).map(|transfer| transfer.line);
    let kept = history.ledger_of(payment).map(|state| state.line);
    let mut books = moved.into_iter().chain(told.iter().map(|line| line.line)).chain(kept);
    let first = books.next()?;
    Some(Violation::new(format!("{}: {why}", short(payment)), first).and(books))
}

fn entry(history: &History, payment: &str, told: &[At<'_, DispatcherPayment>]) -> Result<Entry, String> {
    let state = history.ledger_of(payment).ok_or("the ledger was not asked about it")?;
    let Some(transfer) = history.moved(payment) else {
        return Err(format!("the ledger says {}, telemetry {} settled, but no money moved", state.state, told.len()));
    };
    let transaction = transfer.transaction.as_str();
    let in_ledger = state.state == "settled" && state.transaction.as_deref() == Some(transaction);
    let in_telemetry = told.iter().all(|line| line.transaction.as_deref() == Some(transaction));
    match (state.state.as_str(), told) {
        (_, [_]) if in_ledger && in_telemetry => Ok(Entry::Balanced),
        (_, []) if in_ledger && learnt_before_a_kill(history, payment) => Ok(Entry::LineLostToAKill),
        (_, [earlier @ .., _])
            if in_ledger && in_telemetry && !earlier.is_empty() && all_before_kills(history, earlier) =>
        {
            Ok(Entry::Balanced)
        }
        ("unknown" | "settling", []) => Ok(Entry::ListedAsUnknown),
        ("vacant", [told]) if in_telemetry && state.at_us.saturating_sub(told.at_us) >= KEPT_US => Ok(Entry::Forgotten),
        (state, told) => Err(format!(
            "transaction {transaction} moved money, the ledger says {state}, telemetry has {} settled",
            told.len()
        )),
    }
}

/// Whether a facilitator said that it settled the payment so shortly before a kill that the line may be lost.
fn learnt_before_a_kill(history: &History, payment: &str) -> bool {
    let mut said_so = history.settles_of(payment).filter(|call| Conclusion::of(call) == Conclusion::Settled);
    said_so.any(|call| history.line_may_be_lost(call.ended_us))
}

/// Whether each process that told of the settlement, but the last, was killed before it could keep it.
fn all_before_kills(history: &History, earlier: &[At<'_, DispatcherPayment>]) -> bool {
    earlier.iter().all(|line| history.line_may_be_lost(line.at_us))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn three_books_that_agree_are_a_pass() {
        let history = Story::new().settled("p1", "primary").told("p1").ledger("p1", "settled").history();
        assert_eq!(judge(&history).verdict, Verdict::Pass);
    }

    #[test]
    fn a_record_may_be_forgotten_after_seven_days_and_not_before() {
        let after = |days: u64| {
            let told = Story::new().settled("p1", "primary").told("p1").pause(days * 24 * 3_600);
            judge(&told.ledger("p1", "vacant").history()).verdict
        };
        assert_eq!((after(7), after(6)), (Verdict::Pass, Verdict::Fail));
    }

    #[test]
    fn what_one_book_lacks_is_seen() {
        let settled = || Story::new().settled("p1", "primary");
        let cases: [(Story, &[usize]); 5] = [
            (settled().ledger("p1", "settled"), &[2, 4]),
            (settled().told("p1").told("p1").ledger("p1", "settled"), &[2, 4, 5, 6]),
            (settled().told("p1").ledger("p1", "vacant"), &[2, 4, 5]),
            (Story::new().told("p1").ledger("p1", "settled"), &[2, 3]),
            (settled().told("p1"), &[2, 4]),
        ];
        for (story, lines) in cases {
            assert_eq!(shown(&judge(&story.history())), lines);
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
