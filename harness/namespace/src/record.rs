//! What became of each invocation, as a tail of the platform would tell it: one line on stdout, or a report to whoever
//! started the namespace.
//!
//! Surprising constraint: a dispatch is told as well as its end, and no answer leaves before somebody has taken note of the
//! dispatch. What a dispatcher does with an answer comes after the run in everybody's books, then.

use super::{dispatch::Dispatch, limits::Limits, memory::Memory, outbound::Used};
use reports::event::{TenantAnswer, TenantEnd, TenantOutcome, TenantRun};
use serde::Serialize;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// An invocation that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub script: String,
    pub generation: u64,
    pub request_id: Option<String>,
    pub outcome: TenantOutcome,
    pub answer: TenantAnswer,
    /// The amounts that the invocation used; absent where its process ended before it could be read.
    pub cpu: Option<Duration>,
    /// The most that its process was seen to hold beyond what it began with.
    pub memory: Memory,
    pub memory_limit: Memory,
    pub subrequests: Used,
    pub limits: Limits,
}

#[derive(Debug)]
pub enum Told {
    /// The answer waits until the sender is used or dropped.
    Dispatched(TenantRun, oneshot::Sender<()>),
    Ended(Record),
}

#[derive(Clone, Debug)]
pub struct Records(mpsc::UnboundedSender<Told>);

impl Records {
    pub fn new() -> (Records, mpsc::UnboundedReceiver<Told>) {
        let (send, receive) = mpsc::unbounded_channel();
        (Records(send), receive)
    }

    /// Ends when the listener has taken note, or when there is none.
    pub fn dispatched(&self, dispatch: &Dispatch) -> impl Future<Output = ()> + use<> {
        let (heard, hears) = oneshot::channel();
        let run = TenantRun {
            script: dispatch.script.clone(),
            cpu_ms: dispatch.passed.cpu_ms,
            sub_requests: dispatch.passed.sub_requests,
            request_id: dispatch.request_id.clone(),
        };
        self.tell(Told::Dispatched(run, heard));
        async move { hears.await.unwrap_or_default() }
    }

    pub fn ended(&self, record: Record) {
        self.tell(Told::Ended(record));
    }

    fn tell(&self, told: Told) {
        // Nobody listens any more once the namespace stops.
        let _unheard = self.0.send(told);
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    script: &'a str,
    generation: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    outcome: TenantOutcome,
    answer: TenantAnswer,
    cpu_ms: Option<f64>,
    cpu_limit_ms: u128,
    memory_mb: f64,
    memory_limit_mb: f64,
    subrequests: u32,
    subrequest_limit: u32,
    subrequests_refused: u32,
}

impl Record {
    pub fn json(&self) -> String {
        let line = Line {
            script: &self.script,
            generation: self.generation,
            request_id: self.request_id.as_deref(),
            outcome: self.outcome,
            answer: self.answer,
            cpu_ms: self.cpu.map(ms),
            cpu_limit_ms: self.limits.cpu.as_millis(),
            memory_mb: self.memory.mb(),
            memory_limit_mb: self.memory_limit.mb(),
            subrequests: self.subrequests.sent,
            subrequest_limit: self.limits.subrequests,
            subrequests_refused: self.subrequests.refused,
        };
        serde_json::to_string(&line).expect("strings and numbers are JSON")
    }

    pub fn line(&self) -> String {
        let cpu = self.cpu.map_or_else(|| "?".to_owned(), |cpu| format!("{:.1}", ms(cpu)));
        let refused = match self.subrequests.refused {
            0 => String::new(),
            refused => format!(", {refused} refused"),
        };
        format!(
            "{}  {:?}  cpu {cpu} of {} ms, memory {} of {} MB, subrequests {} of {}{refused}",
            self.script,
            self.outcome,
            self.limits.cpu.as_millis(),
            self.memory,
            self.memory_limit,
            self.subrequests.sent,
            self.limits.subrequests
        )
    }

    /// For a run's history.
    pub fn event(self) -> TenantEnd {
        TenantEnd {
            script: self.script,
            request_id: self.request_id,
            outcome: self.outcome,
            answer: self.answer,
            cpu_used_ms: self.cpu.map(ms),
            cpu_limit_ms: ms(self.limits.cpu),
            memory_mb: Some(self.memory.mb()),
            memory_limit_mb: Some(self.memory_limit.mb()),
            subrequests: self.subrequests.sent,
            subrequest_limit: self.limits.subrequests,
            subrequests_refused: self.subrequests.refused,
        }
    }
}

fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_told_to_people_and_to_programs() {
        let record = Record {
            script: "alpha".to_owned(),
            generation: 2,
            request_id: Some("r1".to_owned()),
            outcome: TenantOutcome::ExceededCpu,
            answer: TenantAnswer::None,
            cpu: Some(Duration::from_micros(50_040)),
            memory: Memory::of_bytes(3 << 19),
            memory_limit: Memory::megabytes(128),
            subrequests: Used { sent: 5, refused: 2 },
            limits: Limits { cpu: Duration::from_millis(50), subrequests: 5 },
        };
        assert_eq!(
            record.line(),
            "alpha  ExceededCpu  cpu 50.0 of 50 ms, memory 2 of 128 MB, subrequests 5 of 5, 2 refused"
        );
        assert_eq!(
            record.json(),
            r#"{"script":"alpha","generation":2,"requestId":"r1","outcome":"exceededCpu","answer":"none","cpuMs":50.04,"cpuLimitMs":50,"memoryMb":1.5,"memoryLimitMb":128.0,"subrequests":5,"subrequestLimit":5,"subrequestsRefused":2}"#
        );
        let event = record.event();
        assert_eq!((event.cpu_used_ms, event.cpu_limit_ms, event.subrequests_refused), (Some(50.04), 50.0, 2));
    }

    #[tokio::test]
    async fn an_answer_waits_for_a_listener_and_not_for_none() {
        let dispatch =
            hyper::Request::builder().header("host", "a").header("x-namespace-dispatch", r#"{"script":"a"}"#);
        let dispatch = Dispatch::of(&dispatch.body(()).unwrap()).unwrap();
        let (records, mut listener) = Records::new();
        let heard = records.dispatched(&dispatch);
        let Some(Told::Dispatched(run, hears)) = listener.recv().await else { panic!("a dispatch is told") };
        assert_eq!((run.script.as_str(), run.cpu_ms), ("a", None));
        hears.send(()).unwrap();
        heard.await;
        drop(listener);
        records.dispatched(&dispatch).await;
    }
}
