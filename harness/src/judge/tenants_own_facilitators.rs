//! MONEY-5: a tenant's payments go to the facilitators that it names, whatever becomes of those.

use super::{Finding, History, history::short};

pub fn judge(history: &History) -> Finding {
    let mut violations = Vec::new();
    let mut looked_at = 0;
    for call in &history.calls {
        let tenant = call.payment.as_ref().and_then(|payment| history.tenant_of(payment));
        let Some((payment, tenant)) = call.payment.as_ref().zip(tenant) else { continue };
        looked_at += 1;
        if !tenant.facilitators.contains(&call.facilitator) {
            let (endpoint, at) = (call.endpoint, &call.facilitator);
            violations.push(format!("{} of {} went to {at} ({endpoint:?})", short(payment), tenant.id));
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
        let verdict = |at| judge(&Story::new().told("p1").settle("p1", at, YES).history()).verdict;
        assert_eq!((verdict("primary"), verdict("stranger")), (Verdict::Pass, Verdict::Fail));
        assert_eq!(judge(&Story::new().settle("p1", "primary", YES).history()).verdict, Verdict::Unknown);
    }
}
