//! What was in the log beside what was in a run of the scenario that was made of it: by answer and minute, with a verdict.

use super::{
    calls,
    shape::{Answer, Incident},
};
use reports::event::{Event, FacilitatorEndpoint, Recorded};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

const MINUTE_MS: u64 = 60_000;
/// An answer of the run may come a little later than it did in the log.
const SLACK_MS: u64 = 500;
/// Counts that differ by no more are alike: chance of arrival decides about them.
const BY_CHANCE: u64 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reproduced {
    Reproduced,
    Partly,
    NotReproduced,
}

impl Reproduced {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::Partly => "partly",
            Self::NotReproduced => "not reproduced",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    pub answer: String,
    /// Counted from the beginning.
    pub minute: u64,
    pub in_the_log: u64,
    pub in_the_run: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    pub verdict: Reproduced,
    pub rows: Vec<Row>,
    /// In words.
    pub apart: Vec<String>,
}

/// Counts by answer and minute, with whether such an answer is a symptom.
#[derive(Default)]
struct Counts(BTreeMap<(String, u64), u64>, BTreeSet<String>);

impl Counts {
    fn add(&mut self, answer: &Answer, since_ms: u64) {
        let minute = answer.at_ms.saturating_sub(since_ms) / MINUTE_MS;
        *self.0.entry((answer.key(), minute)).or_default() += 1;
        if answer.is_symptom() {
            self.1.insert(answer.key());
        }
    }

    fn total(&self, key: &str) -> u64 {
        self.0.iter().filter(|((of, _), _)| of == key).map(|(_, count)| count).sum()
    }
}

/// Compares. A run goes on when the log has ended, and what it answers then is not looked at.
#[must_use]
pub fn compare(incident: &Incident, run: &[Recorded]) -> Comparison {
    let Incident { answers: log, began_ms, failed_calls, .. } = incident;
    let began_ms = *began_ms;
    let mut failed_in_run: BTreeMap<FacilitatorEndpoint, u64> = BTreeMap::new();
    let lasted_ms = log.iter().map(|answer| answer.at_ms.saturating_sub(began_ms)).max().unwrap_or_default();
    let (mut in_log, mut in_run) = (Counts::default(), Counts::default());
    log.iter().for_each(|answer| in_log.add(answer, began_ms));
    for recorded in run.iter().filter(|recorded| recorded.at_us / 1_000 <= lasted_ms + SLACK_MS) {
        if let Event::DispatcherRequest(line) = &recorded.event {
            let answer = Answer {
                at_ms: recorded.at_us / 1_000,
                tenant: line.tenant_id.clone(),
                status: line.status,
                code: line.code.clone(),
                paid: line.payment.is_some(),
                request_id: line.request_id.clone(),
            };
            in_run.add(&answer, 0);
            calls::failed(line).for_each(|call| *failed_in_run.entry(call).or_default() += 1);
        }
    }
    let keys: BTreeSet<&(String, u64)> = in_log.0.keys().chain(in_run.0.keys()).collect();
    let rows = keys.into_iter().map(|key| Row {
        answer: key.0.clone(),
        minute: key.1,
        in_the_log: in_log.0.get(key).copied().unwrap_or_default(),
        in_the_run: in_run.0.get(key).copied().unwrap_or_default(),
    });
    let rows = rows.collect();
    let mut apart = Vec::new();
    let mut shown = 0;
    for symptom in &in_log.1 {
        let (then, now) = (in_log.total(symptom), in_run.total(symptom));
        shown += u64::from(now > 0);
        if !alike(then, now) {
            apart.push(format!("{symptom}: {then} in the log, {now} in the run"));
        }
    }
    // An illness that no caller noticed is shown by the calls that failed, or not at all.
    for (call, then) in failed_calls {
        let now = failed_in_run.get(call).copied().unwrap_or_default();
        shown += u64::from(now > 0);
        if !alike(*then, now) {
            let call = format!("{call:?}").to_lowercase();
            apart.push(format!("failed calls to {call}: {then} in the log, {now} in the run"));
        }
    }
    for other in in_run.1.difference(&in_log.1) {
        let now = in_run.total(other);
        if now > BY_CHANCE {
            apart.push(format!("{other}: none in the log, {now} in the run"));
        }
    }
    let was_ill = !in_log.1.is_empty() || !failed_calls.is_empty();
    let verdict = if was_ill && shown == 0 {
        Reproduced::NotReproduced
    } else if apart.is_empty() {
        Reproduced::Reproduced
    } else {
        Reproduced::Partly
    };
    Comparison { verdict, rows, apart }
}

fn alike(then: u64, now: u64) -> bool {
    now > 0 && (then.abs_diff(now) <= BY_CHANCE || (now * 2 >= then && then * 2 >= now))
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width =
            self.rows.iter().map(|row| row.answer.chars().count()).max().unwrap_or_default().max("answer".len());
        writeln!(f, "minute  {:width$}  in the log  in the run", "answer")?;
        for Row { answer, minute, in_the_log, in_the_run } in &self.rows {
            writeln!(f, "{minute:>6}  {:width$}  {in_the_log:>10}  {in_the_run:>10}", super::page::plain(answer))?;
        }
        write!(f, "{}", self.verdict.as_str())?;
        self.apart.iter().try_for_each(|line| write!(f, "\n  apart: {}", super::page::plain(line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reports::event::DispatcherRequest;

    fn log(of: &[(u16, Option<&str>, u64)]) -> Vec<Answer> {
        let answers = of.iter().flat_map(|(status, code, count)| {
            (0..*count).map(|n| Answer {
                at_ms: 5_000 + n,
                tenant: None,
                status: *status,
                code: code.map(str::to_owned),
                paid: true,
                request_id: String::new(),
            })
        });
        answers.collect()
    }

    fn run(of: &[(u16, Option<&str>, u64)]) -> Vec<Recorded> {
        let line = |answer: Answer| DispatcherRequest {
            request_id: String::new(),
            tenant_id: None,
            route: String::new(),
            status: answer.status,
            code: answer.code,
            payment: Some("p".to_owned()),
            transaction: None,
            attempts: Vec::new(),
            ms: 1,
        };
        log(of).into_iter().map(|it| Recorded { at_us: 1, event: Event::DispatcherRequest(line(it)) }).collect()
    }

    #[test]
    fn a_run_shows_an_incident_or_it_does_not() {
        let pending = Some("settlement_pending");
        let then = log(&[(200, None, 50), (503, pending, 40)]);
        let incident = |answers| Incident { answers, began_ms: 5_000, ..Incident::default() };
        let verdict = |of: &[(u16, Option<&str>, u64)]| compare(&incident(then.clone()), &run(of)).verdict;
        assert_eq!(verdict(&[(200, None, 60), (503, pending, 30)]), Reproduced::Reproduced);
        assert_eq!(verdict(&[(200, None, 90)]), Reproduced::NotReproduced);
        assert_eq!(verdict(&[(200, None, 80), (503, pending, 3)]), Reproduced::Partly);
        let other =
            compare(&incident(then.clone()), &run(&[(503, pending, 40), (502, Some("tenant_worker_failure"), 9)]));
        assert_eq!((other.verdict, other.apart.len()), (Reproduced::Partly, 1));
        let well = log(&[(200, None, 5)]);
        assert_eq!(compare(&incident(well.clone()), &run(&[(200, None, 5)])).verdict, Reproduced::Reproduced);
        // Callers noticed nothing, for another facilitator stood in.
        let failed_calls = BTreeMap::from([(FacilitatorEndpoint::Verify, 7)]);
        let unnoticed = Incident { failed_calls, ..incident(well) };
        assert_eq!(compare(&unnoticed, &run(&[(200, None, 5)])).verdict, Reproduced::NotReproduced);
    }

    #[test]
    fn the_table_has_a_line_for_each_answer_and_minute() {
        let incident = Incident { answers: log(&[(200, None, 2)]), began_ms: 5_000, ..Incident::default() };
        let told = compare(&incident, &run(&[(200, None, 1)])).to_string();
        assert_eq!(told, "minute  answer  in the log  in the run\n     0  200              2           1\nreproduced");
    }
}
