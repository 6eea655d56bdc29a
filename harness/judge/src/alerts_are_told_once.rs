//! ALERT-1: what an operator must know is told, and told once as it begins: not with every request, and not again and again
//! while it goes on.

use super::{
    Finding, Hint, History, Rule, Source, Violation,
    about::{self, About},
};
use grammar::{Problem, Problems, limits::MAX_ARRIVALS};
use reports::level::Level;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

pub const RULE: Rule = Rule {
    id: "ALERT-1",
    checker: "alerts-are-told-once",
    says: "ALERT-1: an alert is told when something begins, and not again while it goes on",
    example: "{ alert = \"unpaid_flood\", at-most = 1 }",
    level: Level::Must,
    sources: &[
        Source::Promise { place: "README.md, Configuring the dispatcher", what: "a line `alert` for each episode" },
        Source::Spec {
            document: "Google SRE Workbook, Alerting on SLOs",
            says: "an alert that fires often for one cause is soon read by nobody",
        },
    ],
    hint: Hint {
        cause: "an episode has no lower bound at which it ends, so that it begins anew at every turn",
        look_at: "dispatcher/core/src/admission/meter.rs",
    },
};

/// The names that the dispatcher's log line `alert` may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertName {
    UnpaidFlood,
    MalformedFlood,
    WorthlessPayments,
    TenantErrorRate,
    NetworkMisbehaves,
    TenantCpuLimit,
    CredentialsRefused,
    FacilitatorRefusesAll,
    PaymentStuck,
}

impl AlertName {
    /// The word in the log line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnpaidFlood => "unpaid_flood",
            Self::MalformedFlood => "malformed_flood",
            Self::WorthlessPayments => "worthless_payments",
            Self::TenantErrorRate => "tenant_error_rate",
            Self::NetworkMisbehaves => "network_misbehaves",
            Self::TenantCpuLimit => "tenant_cpu_limit",
            Self::CredentialsRefused => "credentials_refused",
            Self::FacilitatorRefusesAll => "facilitator_refuses_all",
            Self::PaymentStuck => "payment_stuck",
        }
    }
}

/// The parameters as a scenario writes them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct RawAlertsAreToldOnce {
    /// Its name in the log line.
    alert: AlertName,
    /// And at least once.
    #[schemars(with = "usize", range(min = 1, max = MAX_ARRIVALS))]
    at_most: Spanned<usize>,
}

/// The parameters as they are judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertsAreToldOnce {
    alert: AlertName,
    at_most: usize,
}

impl RawAlertsAreToldOnce {
    pub fn check(self, _: &impl About, problems: &mut Problems) -> Option<AlertsAreToldOnce> {
        if *self.at_most.get_ref() == 0 {
            let what = "an alert that has to be told is told once at least";
            problems.add(Problem::new(self.at_most.span(), what, "never holds"));
            return None;
        }
        Some(AlertsAreToldOnce { alert: self.alert, at_most: about::count(&self.at_most, problems)? })
    }
}

impl AlertsAreToldOnce {
    /// The expectation in a report.
    pub fn expects(&self) -> String {
        format!("{} is told, and at most {} times", self.alert.as_str(), self.at_most)
    }

    pub fn judge(&self, history: &History) -> Finding {
        judge(history, self.alert.as_str(), self.at_most)
    }
}

fn judge(history: &History, alert: &str, at_most: usize) -> Finding {
    let told: Vec<_> = history.alerts().filter(|line| line.alert == alert).collect();
    let mut violations = Vec::new();
    if let [first, .., last] = &told[..]
        && told.len() > at_most
    {
        let what = format!("{alert} was told {} times, {at_most} at most are wanted", told.len());
        violations.push(Violation::new(what, first.line).and([last.line]));
    }
    if told.is_empty() {
        violations.push(Violation::new(format!("{alert} was never told"), history.first_line()));
    }
    Finding::of(told.len().max(1), "alerts", violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn once_is_a_pass_and_never_or_again_and_again_is_seen() {
        let judged = |story: Story| judge(&story.history(), "unpaid_flood", 1);
        assert_eq!(judged(Story::new().alert("unpaid_flood").alert("malformed_flood")).verdict, Verdict::Pass);
        assert_eq!(shown(&judged(Story::new().alert("malformed_flood"))), [1]);
        assert_eq!(shown(&judged(Story::new().alert("unpaid_flood").alert("unpaid_flood"))), [2, 3]);
    }
}
