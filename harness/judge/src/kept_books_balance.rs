//! MONEY-8, the part of what is kept: the books that an operator reads name each settlement of the ledger, and none that the ledger
//! does not have. A settlement is missing only where events were lost, and then no more of them than events.

use super::{Finding, Hint, History, Rule, Source, Violation, describe::short};
use reports::{
    event::{Books, Event},
    level::Level,
};

pub const RULE: Rule = Rule {
    id: "MONEY-8",
    checker: "kept-books-balance",
    says: "MONEY-8: the books of what was kept balance with the ledger, but for events that are known to be lost",
    example: "{}",
    level: Level::Must,
    sources: &[Source::Promise {
        place: "docs/telemetry.md, The books",
        what: "each settlement that is missing is named",
    }],
    hint: Hint {
        cause: "a settlement is logged with another amount, tenant or transaction than the ledger has, or is not stored",
        look_at: "dispatcher/telemetry/src/books.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let mut settlements = 0;
    let mut violations = Vec::new();
    for (line, recorded) in history.lines() {
        let Event::BooksRead(books) = &recorded.event else { continue };
        let Books { matched, missing_in_telemetry, missing_in_ledger, differing, .. } = books;
        let missing = missing_in_telemetry.len();
        settlements += *matched as usize + missing + missing_in_ledger.len() + differing.len();
        let named = |payments: &[String], what: &str| {
            let all = payments.iter().map(|payment| Violation::new(format!("{}: {what}", short(payment)), line));
            all.collect::<Vec<_>>()
        };
        violations.extend(named(missing_in_ledger, "is kept as settled, and the ledger does not have it"));
        violations.extend(named(differing, "is not the same in the ledger and in what was kept"));
        let known_lost = books.lost + books.put_aside + books.unsent;
        if missing as u64 > known_lost {
            violations.extend(named(missing_in_telemetry, "is settled, and was not kept, although no event was lost"));
        }
    }
    Finding::of(settlements, "settlements of the ledger and of what was kept", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn what_only_one_side_has_breaks_it_unless_events_were_lost() {
        let judged = |books| judge(&Story::new().books(books).history()).verdict;
        let one = || vec!["p1".to_owned()];
        let missing = Books { missing_in_telemetry: one(), ..Books::default() };
        assert_eq!(judged(Books { matched: 1, ..Books::default() }), Verdict::Pass);
        assert_eq!(judged(missing.clone()), Verdict::Fail);
        assert_eq!(judged(Books { unsent: 1, ..missing.clone() }), Verdict::Pass);
        assert_eq!(judged(Books { missing_in_telemetry: vec!["p1".to_owned(); 2], lost: 1, ..missing }), Verdict::Fail);
        for wrong in
            [Books { missing_in_ledger: one(), ..Books::default() }, Books { differing: one(), ..Books::default() }]
        {
            assert_eq!(judged(Books { lost: 100, ..wrong }), Verdict::Fail, "nothing excuses it");
        }
        assert!(judge(&Story::new().told("p1").history()).is_idle);
    }
}
