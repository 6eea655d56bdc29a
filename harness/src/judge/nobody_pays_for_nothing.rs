//! MONEY-4: whoever was charged has the content, or could collect it by the end; and a tenant that fails, redirects or
//! answers with an error is not settled for.

use super::{
    Finding, History,
    history::{short, tell},
};
use reports::event::{Answer, PurchaseOutcome};
use std::collections::BTreeSet;

pub fn judge(history: &History) -> Finding {
    let (mut charged, mut failed) = (0, 0);
    let mut violations = Vec::new();
    let served: BTreeSet<&str> = history
        .paid_answers()
        .filter(|(_, answer, _)| (200..300).contains(&answer.status))
        .map(|(_, _, payment)| payment)
        .collect();
    for (exchange, _, payment) in history.paid_answers().filter(|(_, answer, _)| is_no_content(answer)) {
        failed += 1;
        if history.moved(payment) && !served.contains(payment) {
            violations.push(format!("{}: {} was settled for it", tell(exchange), short(payment)));
        }
    }
    for purchase in &history.purchases {
        let paid: Vec<_> = purchase.payments.iter().filter(|payment| history.moved(payment)).collect();
        if paid.is_empty() {
            continue;
        }
        charged += 1;
        if purchase.outcome != PurchaseOutcome::Served {
            violations.push(format!(
                "purchase {} of {} ended {:?}, although {} moved money",
                purchase.purchase,
                purchase.payer,
                purchase.outcome,
                paid.iter().map(|payment| short(payment)).collect::<Vec<_>>().join(" and ")
            ));
        }
    }
    let finding = Finding::of(charged + failed, "charges and failures of tenants", violations);
    let detail =
        format!("{}; {charged} purchases were charged, {failed} answers of tenants were no content", finding.detail);
    finding.with_detail(detail)
}

/// Whether the tenant ran and produced nothing that may be sold.
fn is_no_content(answer: &Answer) -> bool {
    let failed = matches!(
        answer.code.as_deref(),
        Some(
            "tenant_worker_failure"
                | "tenant_response_too_large"
                | "tenant_cpu_limit_exceeded"
                | "tenant_subrequest_limit_exceeded"
        )
    );
    failed || answer.tenant_said.as_ref().is_some_and(|said| said.status >= 300)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;
    use reports::{event::TenantSaid, verdict::Verdict};

    #[test]
    fn a_charge_without_content_is_seen() {
        let served = Story::new().settled("p1", "primary").purchase(&["p1"]);
        assert_eq!(judge(&served.history()).verdict, Verdict::Pass);
        let robbed = Story::new().settled("p1", "primary").purchase_that("p1", PurchaseOutcome::Unresolved);
        assert_eq!(judge(&robbed.history()).verdict, Verdict::Fail);
    }

    #[test]
    fn a_charge_for_a_tenants_failure_is_seen() {
        let failure = |answer: &mut Answer| answer.code = Some("tenant_worker_failure".to_owned());
        let redirect =
            |answer: &mut Answer| answer.tenant_said = Some(TenantSaid { status: 302, ..TenantSaid::default() });
        let free = Story::new().answered(Some("p1"), 502, failure).answered(Some("p2"), 302, redirect);
        assert_eq!(judge(&free.history()).verdict, Verdict::Pass);
        for charged in [
            Story::new().settled("p1", "primary").answered(Some("p1"), 502, failure),
            Story::new().settled("p1", "primary").answered(Some("p1"), 302, redirect),
        ] {
            assert_eq!(judge(&charged.history()).verdict, Verdict::Fail);
        }
    }
}
