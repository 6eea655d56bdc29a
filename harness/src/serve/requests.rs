//! A line a request for a person who watches `serve`, made of what the dispatcher itself logs of it, and a line for whatever
//! changes beside: a facilitator's standing, an alert, a fault.
//!
//! Surprising constraint: a program that started it may never read what it says, and a full pipe would stop the world. So a
//! thread of its own writes, by a handle of its own, and misses events while nobody reads.

use std::{fs::File, io::Write, os::fd::AsFd, thread};

use reports::event::{DispatcherRequest, Event};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use system::clock::SystemClock;

/// Tells each on standard error, until there are no more or it is closed.
pub fn tell(events: Receiver<Event>) {
    // Without a handle or a thread there are no lines; the file has them all.
    let Ok(to) = std::io::stderr().as_fd().try_clone_to_owned() else { return };
    let _none = thread::Builder::new().name("requests".to_owned()).spawn(move || tell_to(File::from(to), events));
}

fn tell_to(mut to: File, mut events: Receiver<Event>) {
    loop {
        let line = match events.blocking_recv() {
            Ok(event) => line(&event),
            Err(RecvError::Lagged(missed)) => Some(format!("... {missed} events later")),
            Err(RecvError::Closed) => return,
        };
        if let Some(line) = line
            && writeln!(to, "{}  {line}", time_of_day(SystemClock::new().unix_ms())).is_err()
        {
            return;
        }
    }
}

/// In UTC, as logs have it.
fn time_of_day(unix_ms: u64) -> String {
    let second = unix_ms / 1_000;
    format!("{:02}:{:02}:{:02}Z", second / 3_600 % 24, second / 60 % 60, second % 60)
}

/// Writes the line. A path is the caller's text, and control characters in it could steer the terminal.
fn line(event: &Event) -> Option<String> {
    let line = match event {
        Event::DispatcherRequest(line) => request(line),
        Event::FacilitatorStanding(it) => {
            format!("---  {} {:?}: {} -> {} ({})", it.facilitator, it.call, it.from, it.to, it.reason).to_lowercase()
        }
        Event::DispatcherAlert(it) => {
            format!("---  alert {}  {}", it.alert, it.tenant_id.as_deref().or(it.source.as_deref()).unwrap_or(""))
        }
        Event::DispatcherPayment(it) if it.request_id.is_none() => {
            format!("---  {} {}", it.stage, it.payment)
        }
        Event::FaultStarted { fault } => format!("---  fault on: {} {}", fault.on, fault.inject),
        Event::FaultEnded { fault } => format!("---  fault over: {} {}", fault.on, fault.inject),
        _ => return None,
    };
    Some(
        line.chars()
            .flat_map(|one| if one.is_control() { one.escape_default().collect() } else { vec![one] })
            .collect(),
    )
}

fn request(line: &DispatcherRequest) -> String {
    let DispatcherRequest { request_id, tenant_id, route, status, code, payment, transaction, ms, .. } = line;
    let tenant = tenant_id.as_deref().unwrap_or("-");
    let code = code.as_deref().unwrap_or("ok");
    let charged = match (transaction, payment) {
        (Some(transaction), _) => format!("charged, {transaction}"),
        (None, Some(_)) if code == "settlement_pending" => "charged or not: unknown".to_owned(),
        _ => "not charged".to_owned(),
    };
    format!("{status}  {tenant:<10}  {code}  {charged}  {ms} ms  {route}  {request_id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(status: u16, code: Option<&str>, transaction: Option<&str>) -> Event {
        Event::DispatcherRequest(DispatcherRequest {
            request_id: "r1".to_owned(),
            tenant_id: Some("shop".to_owned()),
            route: "GET /quote\u{1b}[2J\n".to_owned(),
            status,
            code: code.map(str::to_owned),
            payment: Some("p".to_owned()),
            transaction: transaction.map(str::to_owned),
            attempts: Vec::new(),
            ms: 12,
        })
    }

    #[test]
    fn a_request_is_told_in_one_line_that_steers_no_terminal() {
        let told = |status, code, transaction| line(&asked(status, code, transaction)).unwrap();
        let route = "12 ms  GET /quote\\u{1b}[2J\\n  r1";
        assert_eq!(told(200, None, Some("0xab")), format!("200  shop        ok  charged, 0xab  {route}"));
        let pending = told(503, Some("settlement_pending"), None);
        assert_eq!(pending, format!("503  shop        settlement_pending  charged or not: unknown  {route}"));
        assert!(told(402, Some("insufficient_funds"), None).contains("not charged"));
    }

    #[test]
    fn a_line_has_the_time_of_day() {
        assert_eq!(time_of_day(1_795_244_730_123), "07:05:30Z");
    }
}
