//! What became of each invocation, as a tail of the platform would tell it: one line on stdout.

use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc;

use super::limits::Limits;

#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub script: String,
    pub generation: u64,
    pub outcome: Outcome,
    /// What the invocation used up; absent where its process ended before it could be read.
    pub cpu: Option<Duration>,
    pub subrequests: u32,
    pub limits: Limits,
}

/// In the platform's words, where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    Ok,
    Exception,
    ExceededCpu,
    /// The process ended by itself.
    Crashed,
    /// The caller went away.
    Cancelled,
}

#[derive(Clone, Debug)]
pub struct Records(mpsc::UnboundedSender<Record>);

impl Records {
    pub fn new() -> (Records, mpsc::UnboundedReceiver<Record>) {
        let (send, receive) = mpsc::unbounded_channel();
        (Records(send), receive)
    }

    pub fn tell(&self, record: Record) {
        // Nobody listens any more once the namespace stops.
        let _unheard = self.0.send(record);
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    script: &'a str,
    generation: u64,
    outcome: Outcome,
    cpu_ms: Option<f64>,
    cpu_limit_ms: u128,
    subrequests: u32,
    subrequest_limit: u32,
}

impl Record {
    pub fn json(&self) -> String {
        let line = Line {
            script: &self.script,
            generation: self.generation,
            outcome: self.outcome,
            cpu_ms: self.cpu.map(ms),
            cpu_limit_ms: self.limits.cpu.as_millis(),
            subrequests: self.subrequests,
            subrequest_limit: self.limits.subrequests,
        };
        serde_json::to_string(&line).expect("strings and numbers are JSON")
    }

    pub fn line(&self) -> String {
        let cpu = self.cpu.map_or_else(|| "?".to_owned(), |cpu| format!("{:.1}", ms(cpu)));
        format!(
            "{}  {:?}  cpu {cpu} of {} ms, subrequests {} of {}",
            self.script,
            self.outcome,
            self.limits.cpu.as_millis(),
            self.subrequests,
            self.limits.subrequests
        )
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
            outcome: Outcome::ExceededCpu,
            cpu: Some(Duration::from_micros(50_040)),
            subrequests: 1,
            limits: Limits { cpu: Duration::from_millis(50), subrequests: 5 },
        };
        assert_eq!(record.line(), "alpha  ExceededCpu  cpu 50.0 of 50 ms, subrequests 1 of 5");
        assert_eq!(
            record.json(),
            r#"{"script":"alpha","generation":2,"outcome":"exceededCpu","cpuMs":50.04,"cpuLimitMs":50,"subrequests":1,"subrequestLimit":5}"#
        );
    }
}
