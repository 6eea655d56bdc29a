//! FAIR-3: policy puts a tenant away for what several callers saw, and never for what one or two did again and again. A caller
//! that asks for what burns would decide for all others otherwise.

use super::{Finding, Hint, History, Rule, Source, Violation, describe::at};
use reports::level::Level;

pub const RULE: Rule = Rule {
    id: "FAIR-3",
    checker: "few-callers-convict-nobody",
    says: "FAIR-3: one caller's burns put no tenant away",
    example: "{}",
    level: Level::Must,
    sources: &[Source::Promise {
        place: "docs/limits.md",
        what: "a Worker is put away once it ran out of CPU time for five callers in a row",
    }],
    hint: Hint {
        cause: "a run counts for its request and not for its caller",
        look_at: "dispatcher/core/src/admission/entered.rs",
    },
};

/// Callers that have to see it.
const SEVERAL: usize = 5;
/// An answer ends so long after its run was told.
const ANSWERED_US: u64 = 3_000_000;
const CUT_OFF: &str = "tenant_cpu_limit_exceeded";

pub fn judge(history: &History) -> Finding {
    let (mut looked_at, mut violations) = (0, Vec::new());
    for alert in history.alerts().filter(|alert| alert.quarantined_until_ms.is_some()) {
        let Some(tenant) = &alert.what.tenant_id else { continue };
        looked_at += 1;
        let mut callers: Vec<(&str, &str)> = Vec::new();
        for (exchange, answer) in history.answers() {
            let saw_it = answer.code.as_deref() == Some(CUT_OFF) && exchange.tenant == *tenant;
            if !saw_it || exchange.sent_us > alert.at_us || exchange.ended_us > alert.at_us + ANSWERED_US {
                continue;
            }
            let payer = exchange.what.payment.as_deref().and_then(|key| key.rsplit(':').nth(1)).unwrap_or_default();
            let address = exchange.what.address.as_str();
            // One address with many wallets is one caller, and so is one wallet at many addresses.
            if callers.iter().all(|(other, wallet)| *other != address && (*wallet != payer || payer.is_empty())) {
                callers.push((address, payer));
            }
        }
        if callers.len() < SEVERAL {
            let what = format!("{tenant} was put away at {} for what {} callers saw", at(alert.at_us), callers.len());
            violations.push(Violation::new(what, alert.line));
        }
    }
    Finding::of(looked_at, "tenants that policy put away", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{event::ExchangeKind, verdict::Verdict};

    fn after(callers: u8) -> Finding {
        let story = (0..10).fold(Story::new(), |story, n| {
            let payment = format!("p{n}");
            story.sent(&payment, ExchangeKind::Payment, 503, |exchange, answer| {
                exchange.address = format!("192.0.2.{}", n % callers);
                answer.code = Some(CUT_OFF.to_owned());
            })
        });
        judge(&story.put_away_by_policy(60_000).history())
    }

    #[test]
    fn two_callers_are_too_few() {
        assert_eq!(after(2).verdict, Verdict::Fail);
        assert_eq!(after(5).verdict, Verdict::Pass);
        assert_eq!(judge(&Story::new().history()).verdict, Verdict::Unknown);
    }
}
