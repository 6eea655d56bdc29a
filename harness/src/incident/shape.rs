//! What an incident looked like: who was there, who came when and how often, how each facilitator did, and what became of every
//! payment. Pure.

use super::{
    calls::{self, Calls, Illness},
    evidence::{Evidence, What},
};
use reports::event::{DispatcherRequest, FacilitatorEndpoint, OperatorDoes, TenantFacts};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// An unpaid request of the same kind so long before a payment fetched its offer.
const OFFER_MS: u64 = 120_000;
/// Rates count in stretches of so long.
const RATE_MS: u64 = 10_000;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Incident {
    pub began_ms: u64,
    pub ended_ms: u64,
    /// In order of being asked first.
    pub facilitators: Vec<String>,
    pub tenants: BTreeMap<String, TenantSeen>,
    pub arrivals: Vec<Arrival>,
    pub illnesses: Vec<Illness>,
    pub answers: Vec<Answer>,
    pub payments: BTreeMap<String, Payment>,
    /// How many calls of requests came to nothing.
    pub failed_calls: BTreeMap<FacilitatorEndpoint, u64>,
    /// How long most calls in vain were waited for.
    pub timeouts_ms: BTreeMap<FacilitatorEndpoint, u64>,
    pub deploys: Vec<(u64, String)>,
    pub alerts: Vec<Alerted>,
    pub misconfigured: Option<(u64, String)>,
    pub unavailable: BTreeMap<String, (u64, String)>,
    pub ended: Vec<(u64, String)>,
    pub directory: Vec<(u64, String)>,
    pub troubles: BTreeMap<String, String>,
    pub standings: Vec<Standing>,
    pub quarantines: Vec<Quarantine>,
    /// How facilitators answer who asks again for what they have settled, in the words of a scenario.
    pub repeats: Option<&'static str>,
    /// Payments of which a settlement failed.
    pub(super) failed_settles: BTreeSet<String>,
    /// A sale was settled although no facilitator had said so: a node of the chain had.
    pub has_node: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TenantSeen {
    pub pays: bool,
    pub facts: Option<TenantFacts>,
    /// The most requests that were let in within ten seconds, if some were not.
    pub rate: Option<u64>,
}

/// A client that came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrival {
    pub at_ms: u64,
    pub tenant: String,
    pub client: Client,
    /// The path to ask a tenant's double for, so that it does what the tenant did.
    pub path: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Client {
    /// Came again with its payment.
    Paid,
    /// Presented it once.
    Once,
    Unpaid,
    Malformed,
}

/// How the dispatcher answered a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub at_ms: u64,
    pub tenant: Option<String>,
    pub status: u16,
    /// Its code, or nothing where a tenant answered.
    pub code: Option<String>,
    pub paid: bool,
    pub request_id: String,
}

impl Answer {
    /// The name in tables.
    pub fn key(&self) -> String {
        match &self.code {
            Some(code) => format!("{} {code}", self.status),
            None => format!("{}", self.status),
        }
    }

    /// Tells whether its caller did not get what it came for. An offer is what a caller without a payment comes for.
    pub fn is_symptom(&self) -> bool {
        self.status >= 400 && (self.paid || self.code.as_deref() != Some("payment_required"))
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payment {
    pub tenant: String,
    pub since_ms: u64,
    pub last_ms: u64,
    /// The last stage that says what became of the money.
    pub stage: String,
    pub facilitator: Option<String>,
    pub transaction: Option<String>,
    pub collected: bool,
    pub asked: u64,
    /// A caller was told to come back.
    pub was_pending: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Nobody knows whether money moved.
    Open,
    /// It moved, and what was bought was not collected.
    Owed,
    Done,
}

impl Payment {
    pub fn fate(&self) -> Fate {
        match self.stage.as_str() {
            "unknown" | "settling" => Fate::Open,
            "settled" if !self.collected => Fate::Owed,
            // A caller was told that it is open, and no line says more.
            "" if self.was_pending && !self.collected => Fate::Open,
            _ => Fate::Done,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alerted {
    pub at_ms: u64,
    pub alert: String,
    pub about: String,
    pub until_ms: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    pub at_ms: u64,
    pub facilitator: String,
    pub call: FacilitatorEndpoint,
    pub to: String,
    pub reason: String,
}

/// A tenant that was cut off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quarantine {
    pub tenant: String,
    pub from_ms: u64,
    /// `None`: to the log's end.
    pub to_ms: Option<u64>,
    pub by: &'static str,
}

impl Incident {
    /// `None` where no request was logged, nor anything that explains why.
    #[must_use]
    pub fn of(evidence: &[Evidence]) -> Option<Self> {
        let began = |it: &Evidence| match &it.what {
            What::Request { line, .. } => it.at_ms.saturating_sub(line.ms),
            _ => it.at_ms,
        };
        let is_told = |it: &&Evidence| !matches!(it.what, What::World(_));
        let began_ms = evidence.iter().filter(is_told).map(began).min()?;
        let ended_ms = evidence.iter().map(|it| it.at_ms).max()?;
        let mut incident = Self { began_ms, ended_ms, ..Self::default() };
        evidence.iter().for_each(|it| incident.take(it));
        incident.timeouts_ms = calls::timeouts(evidence);
        let all = calls::of(evidence);
        incident.look_at_calls(&all);
        incident.arrivals = arrivals(evidence);
        incident.count_rates(evidence);
        incident.look_at_quarantines(evidence);
        Some(incident)
    }

    pub fn requests(&self) -> usize {
        self.answers.len()
    }

    fn take(&mut self, Evidence { at_ms, what }: &Evidence) {
        let at_ms = *at_ms;
        match what {
            What::Request { line, .. } => self.request(at_ms, line),
            What::Payment(line) => {
                let payment = self.payments.entry(line.payment.clone()).or_default();
                payment.tenant.clone_from(&line.tenant_id);
                payment.since_ms = if payment.since_ms == 0 { at_ms } else { payment.since_ms };
                payment.last_ms = at_ms;
                match line.stage.as_str() {
                    "handed_over" => payment.collected = true,
                    "unknown" | "settling" | "settled" | "refused" | "released" | "spent_elsewhere" => {
                        payment.stage.clone_from(&line.stage);
                    }
                    _ => {}
                }
                let by_an_alarm = line.request_id.is_none() && line.stage == "settled";
                if by_an_alarm && self.failed_settles.contains(&line.payment) {
                    self.repeats = self.repeats.or(Some("yes"));
                }
                payment.facilitator = line.facilitator.clone().or(payment.facilitator.take());
                payment.transaction = line.transaction.clone().or(payment.transaction.take());
                self.meet(line.facilitator.as_deref());
            }
            What::Standing(line) => {
                self.meet(Some(&line.facilitator));
                self.standings.push(Standing {
                    at_ms,
                    facilitator: line.facilitator.clone(),
                    call: line.call,
                    to: line.to.clone(),
                    reason: line.reason.clone(),
                });
            }
            What::Alert { alert, about, until_ms } => {
                let (alert, about, until_ms) = (alert.clone(), about.clone(), *until_ms);
                self.alerts.push(Alerted { at_ms, alert, about, until_ms });
            }
            What::Trouble(line) => {
                if let Some(payment) = &line.payment {
                    self.troubles.insert(payment.clone(), line.why.clone());
                }
            }
            What::Directory(line) if line.event != "adopted" => {
                self.directory.push((at_ms, format!("{}: {}", line.event, line.why)));
            }
            What::Misconfigured(error) => drop(self.misconfigured.get_or_insert((at_ms, error.clone()))),
            What::Unavailable { of, why } => {
                let (count, _) = self.unavailable.entry(of.clone()).or_insert((0, why.clone()));
                *count += 1;
            }
            What::Deploy(version) => self.deploys.push((at_ms, version.clone())),
            What::Ended(what) => self.ended.push((at_ms, what.clone())),
            What::World(facts) => {
                for facts in facts {
                    facts.facilitators.iter().for_each(|name| self.meet(Some(name)));
                    self.tenants.entry(facts.id.clone()).or_default().facts = Some(facts.clone());
                }
            }
            What::Directory(_) | What::Operator { .. } => {}
        }
    }

    fn request(&mut self, at_ms: u64, line: &DispatcherRequest) {
        calls::failed(line).for_each(|call| *self.failed_calls.entry(call).or_default() += 1);
        // Whoever was asked, for a fault may be on it.
        line.attempts.iter().for_each(|attempt| self.meet(Some(&attempt.facilitator)));
        let mut settles = line.attempts.iter().filter(|attempt| attempt.call == FacilitatorEndpoint::Settle).peekable();
        let is_sold = line.payment.is_some() && (200..300).contains(&line.status);
        self.has_node |= is_sold && settles.peek().is_some() && settles.all(|attempt| attempt.result != "ok");
        for attempt in line.attempts.iter().filter(|attempt| attempt.call == FacilitatorEndpoint::Settle) {
            let Some(payment) = &line.payment else { continue };
            match attempt.result.as_str() {
                // It was asked again, and said so again.
                "ok" if self.failed_settles.contains(payment) => self.repeats = self.repeats.or(Some("yes")),
                "ok" => {}
                _ => drop(self.failed_settles.insert(payment.clone())),
            }
        }
        for attempt in line.attempts.iter().filter(|attempt| calls::is_repeats(&attempt.result)) {
            let says = if attempt.result == "invalid_transaction_state" { "invalid-state" } else { "nonce-used" };
            self.repeats = Some(says);
        }
        if let Some(tenant) = &line.tenant_id {
            let pays = line.payment.is_some() || line.code.as_deref() == Some("payment_required");
            self.tenants.entry(tenant.clone()).or_default().pays |= pays;
        }
        if let Some(key) = &line.payment {
            let began_ms = at_ms.saturating_sub(line.ms);
            let payment = self.payments.entry(key.clone()).or_default();
            payment.tenant = line.tenant_id.clone().unwrap_or_default();
            payment.since_ms = if payment.since_ms == 0 { began_ms } else { payment.since_ms.min(began_ms) };
            payment.last_ms = payment.last_ms.max(at_ms);
            payment.asked += 1;
            payment.was_pending |= line.code.as_deref() == Some("settlement_pending");
            payment.collected |= (200..300).contains(&line.status);
            payment.transaction = line.transaction.clone().or(payment.transaction.take());
        }
        self.answers.push(Answer {
            at_ms,
            tenant: line.tenant_id.clone(),
            status: line.status,
            code: line.code.clone(),
            paid: line.payment.is_some(),
            request_id: line.request_id.clone(),
        });
    }

    fn meet(&mut self, facilitator: Option<&str>) {
        if let Some(name) = facilitator.filter(|name| !self.facilitators.iter().any(|known| known == name)) {
            self.facilitators.push(name.to_owned());
        }
    }

    fn look_at_calls(&mut self, calls: &Calls) {
        let with = |stages: &[&str]| {
            let known = self.payments.iter().filter(|(_, payment)| stages.contains(&payment.stage.as_str()));
            known.map(|(key, _)| key.as_str()).collect::<BTreeSet<_>>()
        };
        let (settled, refused) = (with(&["settled"]), with(&["refused", "released"]));
        let ended_ms = self.ended_ms;
        let found = calls.iter().flat_map(|(key, calls)| calls::illnesses(key, calls, &settled, &refused, ended_ms));
        self.illnesses = found.collect();
        self.illnesses.sort_by(|a, b| (a.from_ms, &a.facilitator).cmp(&(b.from_ms, &b.facilitator)));
    }

    /// The rate at which a tenant's requests were let in while others were turned away.
    fn count_rates(&mut self, evidence: &[Evidence]) {
        let mut admitted: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        let mut limited: BTreeSet<&str> = BTreeSet::new();
        for Evidence { at_ms, what } in evidence {
            let What::Request { line, .. } = what else { continue };
            let Some(tenant) = &line.tenant_id else { continue };
            match line.code.as_deref() {
                Some("rate_limited") => drop(limited.insert(tenant)),
                _ => admitted.entry(tenant).or_default().push(at_ms.saturating_sub(line.ms)),
            }
        }
        for tenant in limited {
            let mut times = admitted.remove(tenant).unwrap_or_default();
            times.sort_unstable();
            let most = (0..times.len()).map(|n| times[n..].partition_point(|at| *at < times[n] + RATE_MS)).max();
            if let Some(seen) = self.tenants.get_mut(tenant) {
                seen.rate = Some(most.unwrap_or(1).max(1) as u64);
            }
        }
    }

    fn look_at_quarantines(&mut self, evidence: &[Evidence]) {
        for Evidence { at_ms, what } in evidence {
            let at_ms = *at_ms;
            match what {
                What::Alert { about, until_ms: Some(until_ms), .. } => {
                    let to_ms = Some(*until_ms).filter(|until| *until < self.ended_ms);
                    self.quarantines.push(Quarantine { tenant: about.clone(), from_ms: at_ms, to_ms, by: "policy" });
                }
                What::Operator { tenant, does: OperatorDoes::Quarantine { .. } } => {
                    let (tenant, by) = (tenant.clone(), "an operator");
                    self.quarantines.push(Quarantine { tenant, from_ms: at_ms, to_ms: None, by });
                }
                What::Operator { tenant, does: OperatorDoes::LiftQuarantine } => self.lift(tenant, at_ms),
                What::Request { line, limits } => {
                    let Some(tenant) = &line.tenant_id else { continue };
                    let is_in = self.quarantines.iter().any(|it| it.tenant == *tenant && it.to_ms.is_none());
                    let is_limited = limits.as_deref() == Some("quarantine");
                    if is_limited && !is_in {
                        let (tenant, by) = (tenant.clone(), "an operator");
                        self.quarantines.push(Quarantine { tenant, from_ms: at_ms, to_ms: None, by });
                    } else if is_in && !is_limited && line.status == 200 && limits.is_none() {
                        // The harness's own events do not say whose limits they were.
                        let told = evidence.iter().any(|it| matches!(&it.what, What::Request { limits: Some(_), .. }));
                        if told {
                            self.lift(tenant, at_ms);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn lift(&mut self, tenant: &str, at_ms: u64) {
        for it in self.quarantines.iter_mut().filter(|it| it.tenant == tenant && it.to_ms.is_none()) {
            it.to_ms = Some(at_ms);
        }
    }
}

/// The purchases among the request lines: a payment that comes again is the same purchase, and the bill before it was
/// that purchase's.
fn arrivals(evidence: &[Evidence]) -> Vec<Arrival> {
    let mut lines: Vec<(u64, &DispatcherRequest)> = evidence
        .iter()
        .filter_map(|it| match &it.what {
            What::Request { line, .. } => Some((it.at_ms.saturating_sub(line.ms), line)),
            _ => None,
        })
        .collect();
    lines.sort_by_key(|(at_ms, _)| *at_ms);
    let mut times: BTreeMap<&str, u64> = BTreeMap::new();
    lines.iter().filter_map(|(_, line)| line.payment.as_deref()).for_each(|key| *times.entry(key).or_default() += 1);
    // Bills that nobody has paid yet, by tenant and route.
    let mut bills: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut found: Vec<Option<Arrival>> = Vec::new();
    for (at_ms, line) in lines {
        let Some(tenant) = line.tenant_id.as_deref() else { continue };
        let path = path_for(line);
        let arrival = |client| Some(Arrival { at_ms, tenant: tenant.to_owned(), client, path: path.clone() });
        match line.payment.as_deref() {
            Some(payment) if !seen.insert(payment) => {}
            Some(payment) => {
                let bill = bills.get_mut(&(tenant, &line.route)).and_then(Vec::pop);
                if let Some(bill) = bill
                    && found[bill].as_ref().is_some_and(|bill| at_ms - bill.at_ms <= OFFER_MS)
                {
                    found[bill] = None;
                }
                let served = (200..300).contains(&line.status);
                let came_again = times.get(payment).is_some_and(|times| *times > 1);
                found.push(arrival(if served || came_again { Client::Paid } else { Client::Once }));
            }
            None if line.code.as_deref() == Some("payment_required") => {
                bills.entry((tenant, &line.route)).or_default().push(found.len());
                found.push(arrival(Client::Unpaid));
            }
            None if matches!(line.code.as_deref(), Some("invalid_payload" | "invalid_x402_version")) => {
                found.push(arrival(Client::Malformed));
            }
            None => found.push(arrival(Client::Unpaid)),
        }
    }
    found.into_iter().flatten().collect()
}

/// The request for which a tenant's double does as the tenant did.
fn path_for(line: &DispatcherRequest) -> String {
    match (line.code.as_deref(), line.status) {
        (Some("tenant_worker_failure"), _) => "/throw".to_owned(),
        (Some("tenant_cpu_limit_exceeded"), _) => "/burn/5000".to_owned(),
        (Some("tenant_subrequest_limit_exceeded"), _) => "/subrequests/2000".to_owned(),
        (Some("tenant_time_limit_exceeded"), _) => "/trickle/1000".to_owned(),
        (Some("tenant_response_too_large"), _) => "/big/2000000".to_owned(),
        (None, status @ 300..) => format!("/status/{status}"),
        _ => "/quote".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reports::event::DispatcherPayment;

    fn request(at_ms: u64, status: u16, code: Option<&str>, payment: Option<&str>) -> Evidence {
        let line = DispatcherRequest {
            request_id: format!("r{at_ms}"),
            tenant_id: Some("acme".to_owned()),
            route: "GET /".to_owned(),
            status,
            code: code.map(str::to_owned),
            payment: payment.map(str::to_owned),
            transaction: None,
            attempts: Vec::new(),
            ms: 10,
        };
        Evidence { at_ms, what: What::Request { line, limits: None } }
    }

    fn stage(at_ms: u64, payment: &str, stage: &str) -> Evidence {
        let line = DispatcherPayment {
            request_id: None,
            tenant_id: "acme".to_owned(),
            payment: payment.to_owned(),
            stage: stage.to_owned(),
            reason: None,
            facilitator: Some("primary".to_owned()),
            transaction: None,
        };
        Evidence { at_ms, what: What::Payment(line) }
    }

    #[test]
    fn a_purchase_is_one_arrival_whatever_it_took() {
        let bill = Some("payment_required");
        let pending = Some("settlement_pending");
        let log = [
            request(1_000, 402, bill, None),
            request(1_100, 503, pending, Some("p1")),
            request(3_100, 200, None, Some("p1")),
            request(4_000, 402, bill, None),
            request(4_100, 503, pending, Some("p2")),
            request(5_000, 402, bill, None),
            request(6_000, 502, Some("tenant_worker_failure"), None),
        ];
        let incident = Incident::of(&log).expect("there are requests");
        let found: Vec<_> = incident.arrivals.iter().map(|it| (it.at_ms, it.client, it.path.as_str())).collect();
        let expected = [
            (1_090, Client::Paid, "/quote"),
            (4_090, Client::Once, "/quote"),
            (4_990, Client::Unpaid, "/quote"),
            (5_990, Client::Unpaid, "/throw"),
        ];
        assert_eq!(found, expected);
        assert_eq!(incident.answers.iter().filter(|answer| answer.is_symptom()).count(), 3);
    }

    #[test]
    fn a_payment_is_open_owed_or_done() {
        let pending = Some("settlement_pending");
        let log = [
            request(100, 503, pending, Some("told")),
            stage(100, "open", "settling"),
            stage(200, "open", "unknown"),
            stage(300, "owed", "unknown"),
            stage(400, "owed", "settled"),
            stage(500, "done", "settled"),
            stage(600, "done", "handed_over"),
            stage(700, "refused", "refused"),
        ];
        let incident = Incident::of(&log).expect("there is something");
        let fates: BTreeMap<_, _> = incident.payments.iter().map(|(key, it)| (key.as_str(), it.fate())).collect();
        assert_eq!((fates["told"], fates["open"], fates["owed"]), (Fate::Open, Fate::Open, Fate::Owed));
        assert_eq!((fates["done"], fates["refused"]), (Fate::Done, Fate::Done));
        assert_eq!(incident.facilitators, ["primary"]);
    }

    #[test]
    fn a_limit_is_as_high_as_what_it_let_in() {
        let limited = Some("rate_limited");
        let log: Vec<Evidence> = (0..20)
            .map(|n| {
                if n < 8 {
                    request(1_000 + n * 100, 200, None, None)
                } else {
                    request(2_000 + n * 100, 429, limited, None)
                }
            })
            .collect();
        assert_eq!(Incident::of(&log).expect("there are requests").tenants["acme"].rate, Some(8));
    }
}
