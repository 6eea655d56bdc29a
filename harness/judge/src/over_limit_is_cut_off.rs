//! COST-2: a tenant that is over its CPU, subrequest or memory limit goes no further, and its caller is told so. Judged by what
//! the namespace measured, not by what the dispatcher made of it.
//!
//! Memory is the platform's own limit: nothing that a dispatcher says changes it, and one that is over it is to its caller
//! what any tenant is that failed.
//!
//! A tenant may catch the exception of one subrequest too many and answer as if nothing had been: the platform tells nobody,
//! so neither can a dispatcher, and that answer is the tenant's own. Such runs are counted here, and held against no one.

use super::{Finding, Hint, History, Rule, Source, Violation};
use reports::{
    event::{TenantAnswer, TenantEnd, TenantFacts, TenantOutcome},
    level::Level,
};

pub const RULE: Rule = Rule {
    id: "COST-2",
    checker: "over-limit-is-cut-off",
    says: "COST-2: a tenant over its CPU, subrequest or memory limit goes no further, and its caller is told so",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "Cloudflare, Workers for Platforms, custom limits",
            says: "over either limit the user Worker immediately throws an exception",
        },
        Source::Spec {
            document: "Cloudflare Workers, limits, memory",
            says: "each isolate can hold up to 128 MB; over it, requests are cancelled with error 1102",
        },
        Source::Incident {
            thread: "cloudflare/workers-sdk#11629",
            what: "what a Worker for Platforms that runs out of CPU looks like to its dispatcher",
        },
        Source::Promise {
            place: "README.md, What the caller gets",
            what: "503 and a code of its own for either limit, and no charge",
        },
    ],
    hint: Hint {
        cause: "the limits do not reach the namespace, or its exception is not told from any other",
        look_at: "dispatcher/core/src/tenant_failure.rs",
    },
};

/// How late a cut-off may come before the limit was not the one that held; ten times what is measured here.
const LATE_MS: f64 = 20.0;
/// And how much more a process may have taken by then, in megabytes; several times what is measured here.
const LATE_MB: f64 = 32.0;

pub fn judge(history: &History) -> Finding {
    let answers = history.answers_by_request();
    let (mut over, mut caught) = (0, 0);
    let mut most_held: Option<f64> = None;
    let mut violations = Vec::new();
    for end in history.tenant_ends() {
        let Some(tenant) = history.tenant_with_script(&end.script) else { continue };
        let went_on = went_on(&end, tenant);
        let stopped = stopped(&end);
        caught += usize::from(end.subrequests_refused > 0 && end.outcome == TenantOutcome::Ok);
        over += usize::from(went_on.is_some() || stopped.is_some());
        if end.outcome == TenantOutcome::ExceededMemory {
            most_held = most_held.into_iter().chain(end.memory_mb).reduce(f64::max);
        }
        let request = end.request_id.as_deref().unwrap_or("unknown");
        if let Some(what) = went_on {
            violations.push(Violation::new(format!("request {request} to {}: {what}", tenant.id), end.line));
        }
        if let (Some(code), Some((exchange, answer))) = (stopped, answers.get(request))
            && answer.code.as_deref() != Some(code)
        {
            let said = answer.code.as_deref().unwrap_or("no code");
            let what =
                format!("request {request} to {}: the caller got {} {said}, not {code}", tenant.id, answer.status);
            violations.push(Violation::new(what, end.line).and([exchange.line]));
        }
    }
    let finding = Finding::of(over, "runs over a limit", violations);
    let mut told = finding.detail.clone();
    if let Some(held) = most_held {
        told += &format!("; who took too much memory had {held:.1} MB at most");
    }
    if caught > 0 {
        told += &format!("; {caught} caught it and answered all the same, which a dispatcher cannot see");
    }
    finding.with_detail(told)
}

/// Beyond its plan's limit, or the namespace's own.
fn went_on(end: &TenantEnd, tenant: &TenantFacts) -> Option<String> {
    let cpu = end.cpu_used_ms.filter(|used| *used > tenant.cpu_ms + LATE_MS);
    let cpu = cpu.map(|used| format!("it ran for {used:.0} ms of CPU, and the plan has {}", tenant.cpu_ms));
    let sent = (f64::from(end.subrequests) > tenant.sub_requests)
        .then(|| format!("it sent {} subrequests, and the plan has {}", end.subrequests, tenant.sub_requests));
    let memory = end.memory_mb.zip(end.memory_limit_mb).filter(|(held, limit)| *held > limit + LATE_MB);
    let memory = memory.map(|(held, limit)| format!("it held {held:.0} MB, and an isolate has {limit:.0}"));
    cpu.or(sent).or(memory)
}

/// The answer that its caller must get, where a limit ended it before it could answer.
fn stopped(end: &TenantEnd) -> Option<&'static str> {
    match (end.answer, end.outcome) {
        (TenantAnswer::None, TenantOutcome::ExceededCpu) => Some("tenant_cpu_limit_exceeded"),
        (TenantAnswer::None, TenantOutcome::ExceededMemory) => Some("tenant_worker_failure"),
        (TenantAnswer::None, TenantOutcome::Exception) if end.subrequests_refused > 0 => {
            Some("tenant_subrequest_limit_exceeded")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{event::Answer, verdict::Verdict};

    fn exceeded(end: &mut TenantEnd) {
        (end.outcome, end.answer, end.cpu_used_ms) = (TenantOutcome::ExceededCpu, TenantAnswer::None, Some(50.1));
    }

    fn refused(end: &mut TenantEnd) {
        (end.outcome, end.answer) = (TenantOutcome::Exception, TenantAnswer::None);
        (end.subrequests, end.subrequests_refused) = (50, 1);
    }

    fn hoarded(end: &mut TenantEnd) {
        (end.outcome, end.answer, end.memory_mb) = (TenantOutcome::ExceededMemory, TenantAnswer::None, Some(129.5));
    }

    fn told(code: &'static str) -> impl Fn(&mut Answer) {
        move |answer| answer.code = Some(code.to_owned())
    }

    #[test]
    fn a_run_that_was_stopped_and_told_is_a_pass() {
        for (change, code) in [
            (exceeded as fn(&mut TenantEnd), "tenant_cpu_limit_exceeded"),
            (refused, "tenant_subrequest_limit_exceeded"),
            (hoarded, "tenant_worker_failure"),
        ] {
            let story = Story::new().answered(Some("p1"), 503, told(code)).ended_for_it(change);
            assert_eq!(judge(&story.history()).verdict, Verdict::Pass, "{code}");
        }
        assert_eq!(judge(&Story::new().served("p1").ended_for_it(|_| {}).history()).verdict, Verdict::Unknown);
    }

    #[test]
    fn a_run_that_went_on_is_seen() {
        let burnt = Story::new().served("p1").ended_for_it(|end| end.cpu_used_ms = Some(480.0));
        assert_eq!(shown(&judge(&burnt.history())), [3]);
        let asked = Story::new().served("p1").ended_for_it(|end| end.subrequests = 51);
        assert_eq!(shown(&judge(&asked.history())), [3]);
        let hoarded = Story::new().served("p1").ended_for_it(|end| end.memory_mb = Some(500.0));
        assert_eq!(shown(&judge(&hoarded.history())), [3]);
    }

    #[test]
    fn a_caller_who_is_told_something_else_is_seen() {
        let vague = Story::new().answered(Some("p1"), 502, told("tenant_worker_failure")).ended_for_it(exceeded);
        assert_eq!(shown(&judge(&vague.history())), [2, 3]);
    }

    #[test]
    fn a_limit_that_was_caught_is_told_and_nobodys_fault() {
        let caught = Story::new().served("p1").ended_for_it(|end| end.subrequests_refused = 1);
        let stopped = caught.answered(Some("p2"), 503, told("tenant_cpu_limit_exceeded")).ended_for_it(exceeded);
        let finding = judge(&stopped.history());
        assert_eq!(finding.verdict, Verdict::Pass);
        assert!(finding.detail.contains("1 caught it"), "{}", finding.detail);
    }
}
