//! ISO-5: what is secret goes to whom it is for. The dispatcher's log has no signed payment, no signature and no query; a
//! facilitator's key is sent to that facilitator alone; and nothing is sent after a redirect, payment and key with it.

use super::{Finding, Hint, History, Rule, Source, Violation};
use reports::{event::Event, level::Level};

pub const RULE: Rule = Rule {
    id: "ISO-5",
    checker: "secrets-are-kept",
    says: "ISO-5: no signed payment or query is in the log, and a facilitator's key goes to it alone",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "x402 v2, scheme exact",
            says: "a signed authorization moves its money, whoever presents it",
        },
        Source::Promise {
            place: "dispatcher/core/src/telemetry.rs",
            what: "secrets have no field: no signature, no payload, no query",
        },
    ],
    hint: Hint {
        cause: "a line is made of a request's own text, or a key is kept beside the call and not beside its facilitator",
        look_at: "dispatcher/core/src/telemetry.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let mut looked_at = history.requests().count() + history.stages().count();
    let mut violations = Vec::new();
    for (line, recorded) in history.lines() {
        match &recorded.event {
            Event::SecretLogged { what } => violations.push(Violation::new(format!("the log has {what} in it"), line)),
            Event::FacilitatorAskedElsewhere { facilitator, path } => {
                violations.push(Violation::new(format!("what was for {facilitator} went to {path}"), line));
            }
            Event::FacilitatorCalled(call) => {
                looked_at += 1;
                if call.stray_key {
                    violations.push(Violation::new(format!("{} was sent another's key", call.facilitator), line));
                }
            }
            _ => {}
        }
    }
    Finding::of(looked_at, "lines of the dispatcher and calls of facilitators", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn a_secret_in_the_log_is_seen_and_no_log_proves_nothing() {
        assert_eq!(judge(&Story::new().unpaid().logged().history()).verdict, Verdict::Pass);
        assert_eq!(shown(&judge(&Story::new().unpaid().logged().secret_logged().history())), [4]);
        assert_eq!(judge(&Story::new().unpaid().history()).verdict, Verdict::Unknown);
        let stray = Story::new().settle_with("p1", "standby", YES, |call| call.stray_key = true);
        assert_eq!(shown(&judge(&stray.history())), [2]);
        let followed = Story::new().settle("p1", "primary", NOTHING).asked_elsewhere();
        assert_eq!(shown(&judge(&followed.history())), [3]);
    }
}
