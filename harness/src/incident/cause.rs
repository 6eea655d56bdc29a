//! The likely cause of an incident in one sentence, and what to do about it. It is whatever explains most of what failed, and it says what
//! it rests on.

use super::{
    calls::{Illness, Pattern},
    page::{Api, Cause, OpenPayment, Step, plain, who},
    shape::Incident,
    times,
};
use reports::event::FacilitatorEndpoint;
use std::collections::BTreeMap;

/// A deploy so long before the first failure may be why.
const AFTER_DEPLOY_MS: u64 = 120_000;

/// Tells whether it is an illness, rather than a payer without money.
pub fn counts(illness: &Illness) -> bool {
    let gave_no_answer = ["timeout", "unreachable", "redirect", "contradiction", "slow"];
    let result = illness.result.as_str();
    let is_no_answer = gave_no_answer.contains(&result) || is_unreadable(result) || result.starts_with("http_");
    let is_common = matches!(illness.pattern, Pattern::All) || result == "settlement_pending";
    is_no_answer || illness.payments >= 3 && is_common
}

/// Tells whether the dispatcher's word for an answer says that nobody can read it.
pub fn is_unreadable(result: &str) -> bool {
    matches!(result, "invalid_json" | "invalid_response" | "wrong_shape" | "answer_too_large" | "answer_too_deep")
}

/// Returns the cause.
pub fn of(incident: &Incident) -> Cause {
    if let Some((at_ms, error)) = &incident.misconfigured {
        let sentence = format!("The dispatcher refuses its configuration: {}", plain(error));
        let evidence = vec![format!("{} misconfigured: {}", times::of_day(*at_ms), plain(error))];
        return with_deploy(incident, *at_ms, Cause { kind: "configuration", sentence, evidence });
    }
    let mut candidates: Vec<(usize, Cause, u64)> = Vec::new();
    candidates.extend(by_facilitator(incident));
    candidates.extend(by_tenant(incident));
    candidates.extend(by_load(incident));
    candidates.extend(by_directory(incident));
    candidates.extend(by_ledger(incident));
    candidates.extend(by_itself(incident));
    match candidates.into_iter().max_by_key(|(weight, ..)| *weight) {
        Some((_, cause, began_ms)) => with_deploy(incident, began_ms, cause),
        None => {
            let failed = incident.answers.iter().filter(|answer| answer.is_symptom()).count();
            let sentence = match failed {
                0 => "Nothing failed in this log.".to_owned(),
                _ => format!("{failed} requests failed, and the log says nothing of a cause beside their own codes."),
            };
            Cause { kind: "none", sentence, evidence: Vec::new() }
        }
    }
}

fn with_deploy(incident: &Incident, began_ms: u64, mut cause: Cause) -> Cause {
    let near = |at: &u64| *at <= began_ms + 5_000 && began_ms.saturating_sub(*at) <= AFTER_DEPLOY_MS;
    if let Some((at, version)) = incident.deploys.iter().rev().find(|(at, _)| near(at)) {
        let s = began_ms.saturating_sub(*at) / 1_000;
        cause.evidence.push(format!(
            "{} version {} was deployed, {s} s before: look at that first",
            times::of_day(*at),
            plain(version)
        ));
    }
    cause
}

/// Answers with one of these codes.
fn with_codes(incident: &Incident, codes: &[&str]) -> usize {
    let has = |code: &Option<String>| code.as_deref().is_some_and(|code| codes.contains(&code));
    incident.answers.iter().filter(|answer| has(&answer.code)).count()
}

fn by_facilitator(incident: &Incident) -> Option<(usize, Cause, u64)> {
    let ill: Vec<&Illness> = incident.illnesses.iter().filter(|it| counts(it)).collect();
    let weight = |it: &&&Illness| (it.failed, it.to_ms - it.from_ms);
    let worst = *ill.iter().max_by_key(weight)?;
    let answered = with_codes(incident, &["settlement_pending", "facilitators_unavailable", "payment_in_progress"]);
    let refused = incident.answers.iter().filter(|it| it.paid && it.status == 402).count();
    let how = match worst.result.as_str() {
        "timeout" => "gave no answer in time",
        "unreachable" => "could not be reached, or reset the connection",
        "slow" => "answered late",
        "contradiction" => "contradicted itself",
        "settlement_pending" => "said that settlements were pending",
        result if is_unreadable(result) => "answered what is no answer",
        result if result.starts_with("http_5") => "answered with errors of its own",
        result if result.starts_with("http_4") => "refused the dispatcher: its key, its address or its rate",
        _ => "refused payments",
    };
    let others: Vec<String> = {
        let mut names: Vec<String> =
            ill.iter().map(|it| plain(&who(it))).filter(|name| *name != plain(&who(worst))).collect();
        names.sort();
        names.dedup();
        names
    };
    let all = {
        let sick: std::collections::BTreeSet<&str> = ill.iter().map(|it| it.facilitator.as_str()).collect();
        incident.facilitators.len() > 1 && sick.len() == incident.facilitators.len()
    };
    let to = if worst.healed {
        format!("until {}", times::of_day(worst.to_ms))
    } else {
        "and did so to the log's end".to_owned()
    };
    let tail = if all { ". All facilitators were ill: it may be the way to them".to_owned() } else { String::new() };
    let sentence = format!(
        "The facilitator `{}` {how} at {} (`{}`) from {} {to}{tail}.",
        plain(&worst.facilitator),
        if worst.call == FacilitatorEndpoint::Settle { "settle" } else { "verify" },
        plain(&worst.result),
        times::of_day(worst.from_ms),
    );
    let mut evidence =
        vec![format!("{} of {} calls failed so, of {} payments", worst.failed, worst.of, worst.payments)];
    if !others.is_empty() {
        evidence.push(format!("ill as well: {}", others.join(", ")));
    }
    for it in
        incident.standings.iter().filter(|it| it.facilitator == worst.facilitator && it.call == worst.call).take(4)
    {
        evidence.push(format!("{} it became {} ({})", times::of_day(it.at_ms), it.to, plain(&it.reason)));
    }
    if answered > 0 {
        let payments = incident.payments.values().filter(|payment| payment.was_pending).count();
        let about = if payments > 0 { format!(", {payments} payments among them") } else { String::new() };
        evidence.push(format!("{answered} answers told callers to come again{about}"));
    }
    let weight = answered + refused + usize::try_from(worst.failed).unwrap_or(usize::MAX).min(incident.requests());
    Some((weight, Cause { kind: "facilitator", sentence, evidence }, worst.from_ms))
}

fn by_tenant(incident: &Incident) -> Option<(usize, Cause, u64)> {
    let codes = [
        "tenant_worker_failure",
        "tenant_cpu_limit_exceeded",
        "tenant_subrequest_limit_exceeded",
        "tenant_time_limit_exceeded",
        "tenant_response_too_large",
    ];
    let mut counts: BTreeMap<(&str, &str), (usize, u64)> = BTreeMap::new();
    for answer in &incident.answers {
        if let (Some(tenant), Some(code)) = (&answer.tenant, &answer.code)
            && codes.contains(&code.as_str())
        {
            let (count, _) = counts.entry((tenant, code)).or_insert((0, answer.at_ms));
            *count += 1;
        }
    }
    let ((tenant, code), (count, first_ms)) = counts.into_iter().max_by_key(|(_, (count, _))| *count)?;
    let how = match code {
        "tenant_cpu_limit_exceeded" => "uses up its CPU time",
        "tenant_subrequest_limit_exceeded" => "uses up its subrequests",
        "tenant_time_limit_exceeded" => "does not answer in time",
        "tenant_response_too_large" => "answers more than may be sold",
        _ => "throws, or is not deployed",
    };
    let sentence =
        format!("The Worker of `{}` {how}: {count} times `{code}` from {} on.", plain(tenant), times::of_day(first_ms));
    let alerts = incident.alerts.iter().filter(|it| it.about == tenant);
    let evidence = alerts.map(|it| format!("{} alert {}", times::of_day(it.at_ms), plain(&it.alert))).collect();
    Some((count, Cause { kind: "tenant", sentence, evidence }, first_ms))
}

fn by_load(incident: &Incident) -> Option<(usize, Cause, u64)> {
    let limited: Vec<_> = incident.answers.iter().filter(|it| it.code.as_deref() == Some("rate_limited")).collect();
    let first_ms = limited.first()?.at_ms;
    let flood = incident.alerts.iter().find(|it| {
        ["unpaid_flood", "malformed_flood", "worthless_payments", "network_misbehaves"].contains(&it.alert.as_str())
    });
    let mut tenants: BTreeMap<&str, usize> = BTreeMap::new();
    limited.iter().filter_map(|it| it.tenant.as_deref()).for_each(|tenant| *tenants.entry(tenant).or_default() += 1);
    let most = tenants.iter().max_by_key(|(_, count)| **count).map_or("-", |(tenant, _)| *tenant);
    let from = flood.map_or(String::new(), |it| format!(", mostly from {}", plain(&it.about)));
    let sentence = format!(
        "More came than is let in: {} requests were turned away from {} on, most of them for `{}`{from}.",
        limited.len(),
        times::of_day(first_ms),
        plain(most)
    );
    let evidence = incident
        .alerts
        .iter()
        .take(4)
        .map(|it| format!("{} alert {} {}", times::of_day(it.at_ms), plain(&it.alert), plain(&it.about)))
        .collect();
    Some((limited.len(), Cause { kind: "load", sentence, evidence }, first_ms))
}

fn by_directory(incident: &Incident) -> Option<(usize, Cause, u64)> {
    let (at_ms, what) = incident.directory.first()?;
    let lost = with_codes(incident, &["tenant_directory_unavailable", "tenant_not_found"]);
    let sentence = format!("The stored tenant directory is not sound ({}).", plain(what));
    let evidence =
        vec![format!("{} {}", times::of_day(*at_ms), plain(what)), format!("{lost} callers found no tenant")];
    Some((lost, Cause { kind: "directory", sentence, evidence }, *at_ms))
}

fn by_ledger(incident: &Incident) -> Option<(usize, Cause, u64)> {
    let codes = ["settlement_ledger_unavailable"];
    let answered = with_codes(incident, &codes);
    let logged = incident.unavailable.get("ledger_unavailable");
    if answered == 0 && logged.is_none() {
        return None;
    }
    let first = incident
        .answers
        .iter()
        .find(|it| it.code.as_deref() == Some(codes[0]))
        .map_or(incident.began_ms, |it| it.at_ms);
    let sentence =
        format!("The settlement ledger's Durable Objects could not be asked from {} on.", times::of_day(first));
    let evidence =
        logged.map(|(count, why)| format!("{count} lines `ledger_unavailable`: {}", plain(why))).into_iter().collect();
    Some((answered.max(1), Cause { kind: "ledger", sentence, evidence }, first))
}

fn by_itself(incident: &Incident) -> Option<(usize, Cause, u64)> {
    let (at_ms, what) = incident.ended.first()?;
    let sentence = format!("The dispatcher itself was ended: {}.", plain(what));
    let evidence =
        incident.ended.iter().take(4).map(|(at, what)| format!("{} {}", times::of_day(*at), plain(what))).collect();
    Some((incident.ended.len(), Cause { kind: "dispatcher", sentence, evidence }, *at_ms))
}

/// The steps to take now, and later.
pub fn steps(
    incident: &Incident,
    cause: &Cause,
    open: &[OpenPayment],
    owed: &[OpenPayment],
    api: &Api<'_>,
) -> (Vec<Step>, Vec<String>) {
    let (mut now, mut later) = (Vec::new(), Vec::new());
    let mut step = |what: &str, command: Option<String>| now.push(Step { what: what.to_owned(), command });
    if api.dispatcher.is_none() {
        step(
            "Name the dispatcher and the token once, for what follows.",
            Some("export DISPATCHER=https://... PLATFORM_TOKEN=...".to_owned()),
        );
    }
    match cause.kind {
        "facilitator" => {
            step("See how the facilitators stand at this moment.", Some(api.get("facilitators")));
            let spare = incident
                .facilitators
                .iter()
                .any(|name| !incident.illnesses.iter().any(|it| counts(it) && it.facilitator == *name));
            if spare {
                step(
                    "Leave the breaker to it: new payments go to the facilitators that are well. Do not deploy for this.",
                    None,
                );
            } else {
                step(
                    "Put a facilitator that is well first in `FACILITATORS`, and deploy. Keep the ill one in the list: only it can clear up what it was asked.",
                    Some("npx wrangler deploy".to_owned()),
                );
                later.push("Have a second facilitator in `FACILITATORS`: with one, its outage is yours.".to_owned());
            }
            if cause.sentence.contains("http_401") || cause.sentence.contains("http_403") {
                step(
                    "Look at its key: the secret that `headers` of `FACILITATORS` names.",
                    Some("npx wrangler secret list".to_owned()),
                );
            }
            later.push("Set `CHAIN_RPC_URLS`, if it is empty: a node clears up what a facilitator forgets.".to_owned());
            later
                .push("Ask the facilitator's makers what happened in that time; the page has the payments.".to_owned());
        }
        "tenant" => {
            let tenant = cause.sentence.split('`').nth(1).unwrap_or_default();
            step("Tell the seller. Nobody was charged for what failed.", None);
            step(
                "If it does harm to others, put it into quarantine. Its callers are told.",
                Some(api.curl(
                    "-X POST -d '{\"reason\":\"incident\",\"author\":\"on call\"}' ",
                    &format!("tenants/{tenant}/quarantine"),
                )),
            );
            later.push("Raise its limits in its record (`override`), if it needs more than its plan has.".to_owned());
        }
        "load" => {
            step(
                "Nothing is charged for what is turned away. Block the source at the edge, if an alert names one.",
                None,
            );
            later.push("Raise the tenant's rates in its record (`override`), if these were customers.".to_owned());
        }
        "configuration" => {
            step(
                "Mend that key, and deploy; or go back to the version before.",
                Some("npx wrangler rollback".to_owned()),
            );
            later.push("Run `scenario --profile pr` before a deploy: it starts the very configuration.".to_owned());
        }
        "directory" => step(
            "Publish the directory again; what was in use stays in use meanwhile.",
            Some("cargo run -p dispatcher-core --example directory_snapshot".to_owned()),
        ),
        "ledger" => step(
            "Wait: payments are kept, and callers are told to come back. Look at the platform's status page.",
            None,
        ),
        "dispatcher" => {
            step(
                "Look at what it threw; go back to the version before, if it was deployed just then.",
                Some("npx wrangler rollback".to_owned()),
            );
        }
        _ => {}
    }
    if let Some(first) = open.first() {
        step(
            &format!(
                "Ask about the {} open payments, until each is settled or refused. Do not refund, and tell nobody to pay again, before that.",
                open.len()
            ),
            Some(first.ask.clone()),
        );
    }
    if !owed.is_empty() {
        step(
            &format!("{} callers paid and have nothing yet: the same payment collects it. Tell them so.", owed.len()),
            None,
        );
    }
    for it in incident.quarantines.iter().filter(|it| it.to_ms.is_none()) {
        step(
            &format!("`{}` is in quarantine: let it out when it is well.", plain(&it.tenant)),
            Some(api.curl("-X DELETE ", &format!("tenants/{}/quarantine", it.tenant))),
        );
    }
    if now.is_empty() {
        now.push(Step { what: "Nothing.".to_owned(), command: None });
    }
    later.push("Keep the scenario of this incident, and run it at each change.".to_owned());
    (now, later)
}
