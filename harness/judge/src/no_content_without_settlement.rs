//! MONEY-2: no byte of a priced tenant's content leaves in any answer but a settled payment's, whatever the method, the status
//! or the headers of the request were. A preflight, a HEAD, a TRACE and a method that nobody knows are requests like any other.

use super::{Finding, Hint, History, Rule, Source, Violation, describe::short};
use reports::{event::Answer, level::Level};

pub const RULE: Rule = Rule {
    id: "MONEY-2",
    checker: "no-content-without-settlement",
    says: "MONEY-2: no byte of paid content leaves but for a settled payment, whatever the method or the headers",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "Fetch, CORS protocol",
            says: "of the answer to a preflight a browser reads status and headers, and never the body",
        },
        Source::Incident { thread: "x402-rs#65", what: "resources were served after a failed settlement" },
    ],
    hint: Hint {
        cause: "a request is let off paying by its method or a header, and the tenant's answer goes out with its body",
        look_at: "dispatcher/core/src/dispatcher.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer) in history.answers().filter(|(exchange, _)| history.is_priced(exchange)) {
        looked_at += 1;
        if !has_content_of(answer, &exchange.tenant) {
            continue;
        }
        let payment = exchange.what.payment.as_deref();
        let moved = payment.and_then(|payment| history.moved(payment)).filter(|moved| moved.at_us <= exchange.ended_us);
        if moved.is_none() {
            let method = &exchange.method;
            let what = match payment {
                Some(payment) => {
                    format!("content of {} left by {method}, and {} had moved nothing", exchange.tenant, short(payment))
                }
                None => format!("content of {} left by {method} without a payment", exchange.tenant),
            };
            violations.push(Violation::new(what, exchange.line));
        }
    }
    Finding::of(looked_at, "answers of priced tenants", violations)
}

/// Bytes of the body, or headers of what the tenant would sell: what it refuses or redirects is free.
fn has_content_of(answer: &Answer, tenant: &String) -> bool {
    let said = answer.tenant_said.as_ref().map(|said| said.status);
    let is_free = said.is_some_and(|status| status >= 300);
    let in_body = answer.body_canaries.contains(tenant);
    !is_free && (in_body || (said.is_some() && answer.canaries.contains(tenant)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{
        event::{Exchange, ExchangeKind, TenantSaid},
        verdict::Verdict,
    };

    fn leaked(answer: &mut Answer) {
        answer.body_canaries = vec![TENANT.to_owned()];
    }

    #[test]
    fn content_by_any_method_is_seen_unless_its_payment_settled() {
        let paid = Story::new().settled("p1", "primary").served_with("p1", leaked);
        assert_eq!(judge(&paid.history()).verdict, Verdict::Pass);
        let by_options = |exchange: &mut Exchange, answer: &mut Answer| {
            exchange.payment = None;
            exchange.method = "OPTIONS".to_owned();
            leaked(answer);
        };
        for kind in [ExchangeKind::Preflight, ExchangeKind::Unpaid] {
            let free = Story::new().sent("p1", kind, 200, by_options);
            assert_eq!(shown(&judge(&free.history())), [2]);
        }
        let early = Story::new().served_with("p1", leaked).settled("p1", "primary");
        assert_eq!(shown(&judge(&early.history())), [2]);
    }

    #[test]
    fn what_a_tenant_refuses_is_free_and_headers_of_what_it_sells_are_not() {
        let refused = |answer: &mut Answer| {
            leaked(answer);
            answer.tenant_said = Some(TenantSaid { status: 404, ..TenantSaid::default() });
        };
        assert_eq!(judge(&Story::new().answered(None, 404, refused).history()).verdict, Verdict::Pass);
        let bare = |answer: &mut Answer| {
            answer.canaries = vec![TENANT.to_owned()];
            answer.tenant_said = Some(TenantSaid { status: 200, ..TenantSaid::default() });
        };
        assert_eq!(shown(&judge(&Story::new().answered(None, 204, bare).history())), [2]);
    }
}
