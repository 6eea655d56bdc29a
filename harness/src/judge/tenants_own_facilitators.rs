//! MONEY-5: a tenant's payments go to the facilitators that it names, whatever becomes of those.

use super::{Finding, Hint, History, Rule, Source, Violation, tell::short};
use reports::level::Level;

pub const RULE: Rule = Rule {
    id: "MONEY-5",
    checker: "tenants-own-facilitators",
    level: Level::Must,
    sources: &[
        Source::Promise { place: "README.md, Configuring the dispatcher", what: "a tenant lists its own facilitators" },
        Source::Spec {
            document: "x402 v2, scheme upto",
            says: "a payment may be bound to one facilitator, and then no other can settle it",
        },
    ],
    hint: Hint {
        cause: "the choice falls back on all configured facilitators when the tenant's own are down",
        look_at: "dispatcher/x402-paywall/src/facilitator/ask.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let mut violations = Vec::new();
    let mut looked_at = 0;
    for call in history.calls() {
        let told = call.what.payment.as_deref().and_then(|payment| Some((payment, history.tenant_of(payment)?)));
        let Some((payment, (said_at, tenant))) = told else { continue };
        looked_at += 1;
        if !tenant.facilitators.contains(&call.facilitator) {
            let what = format!("{} of {} went to {}", short(payment), tenant.id, call.facilitator);
            violations.push(Violation::new(what, call.line).and([said_at]));
        }
    }
    Finding::of(looked_at, "calls to facilitators", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn a_payment_at_a_facilitator_that_its_tenant_does_not_name_is_seen() {
        let found = |at| judge(&Story::new().told("p1").settle("p1", at, YES).history());
        assert_eq!(found("primary").verdict, Verdict::Pass);
        assert_eq!(shown(&found("stranger")), [2, 3]);
        assert_eq!(judge(&Story::new().settle("p1", "primary", YES).history()).verdict, Verdict::Unknown);
    }
}
