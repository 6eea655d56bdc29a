//! LIVE-10: each line that the dispatcher wrote is kept once, or its loss is counted. What died in the memory of a process that was
//! killed, the harness counts in its place: the log has those lines, and no process is left that could say so.

use super::{Finding, Hint, History, Rule, Source, Violation};
use reports::{
    event::{Books, Event},
    level::Level,
};

pub const RULE: Rule = Rule {
    id: "LIVE-10",
    checker: "events-are-kept",
    says: "LIVE-10: each line of the dispatcher is kept once, or its loss is counted",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Promise { place: "docs/telemetry.md, Its way", what: "a batch counts once, and what is lost is told" },
        Source::Spec {
            document: "Cloudflare Queues, delivery guarantees",
            says: "a message is delivered at least once, and may be delivered again",
        },
    ],
    hint: Hint {
        cause: "a batch that could not be sent is not counted, or one that came twice is counted twice",
        look_at: "dispatcher/telemetry/src/ingest.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let mut written = 0;
    let mut violations = Vec::new();
    let mut detail = None;
    for (line, recorded) in history.lines() {
        match &recorded.event {
            event if is_line(event) => written += 1,
            Event::BooksRead(books) => {
                let Books { kept, counted, lost, put_aside, unsent, .. } = books;
                let told = kept + lost + put_aside + unsent;
                if told != written {
                    let what = format!(
                        "of {written} lines {kept} are kept, {lost} told as lost, {put_aside} put aside and {unsent} died unsent: \
                         together {told}"
                    );
                    violations.push(Violation::new(what, line));
                }
                if counted != kept {
                    violations.push(Violation::new(format!("{kept} events are kept, and {counted} counted"), line));
                }
                let all = format!(
                    "{kept} of {written} lines are kept; {lost} were told as lost, {put_aside} put aside, {unsent} died unsent"
                );
                detail = Some((written, all));
            }
            _ => {}
        }
    }
    match detail {
        None => Finding::of(0, "books of what was kept", violations),
        Some((written, all)) => {
            let finding = Finding::of(written as usize, "lines of the dispatcher", violations);
            let detail = if finding.violations.is_empty() { all } else { finding.detail.clone() };
            finding.with_detail(detail)
        }
    }
}

fn is_line(event: &Event) -> bool {
    matches!(
        event,
        Event::DispatcherRequest(_)
            | Event::DispatcherPayment(_)
            | Event::DispatcherAlert(_)
            | Event::DispatcherTrouble(_)
            | Event::DispatcherOperator(_)
            | Event::FacilitatorStanding(_)
            | Event::DispatcherDirectory(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    fn books(kept: u64, counted: u64, lost: u64) -> Books {
        Books { kept, counted, lost, ..Books::default() }
    }

    #[test]
    fn a_line_is_kept_or_its_loss_is_counted() {
        let judged = |books| judge(&Story::new().told("p1").told("p2").books(books).history());
        assert_eq!(judged(books(2, 2, 0)).verdict, Verdict::Pass);
        assert_eq!(judged(books(1, 1, 1)).verdict, Verdict::Pass);
        assert_eq!(judged(Books { put_aside: 1, unsent: 1, ..books(0, 0, 0) }).verdict, Verdict::Pass);
        for wrong in [books(1, 1, 0), books(2, 2, 1), books(2, 4, 0)] {
            assert_eq!(judged(wrong).verdict, Verdict::Fail);
        }
    }

    #[test]
    fn where_nothing_is_kept_there_is_nothing_to_judge() {
        let finding = judge(&Story::new().told("p1").history());
        assert!(finding.is_idle && finding.verdict == Verdict::Unknown);
    }
}
