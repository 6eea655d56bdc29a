//! A line a request for a person who watches `serve`, made of what the dispatcher itself logs of it. A program that started it
//! may never read what it says, and a full pipe would stop the world.

use reports::event::{DispatcherRequest, Event};
use std::io::IsTerminal;
use system::output::errln;
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// Tells each request on standard error, if that is a terminal, until there are no more.
pub async fn tell(mut events: Receiver<Event>) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    loop {
        match events.recv().await {
            Ok(Event::DispatcherRequest(request)) => errln!("{}", line(&request)),
            Ok(_) => {}
            // The file has them all.
            Err(RecvError::Lagged(missed)) => errln!("... {missed} events later"),
            Err(RecvError::Closed) => return,
        }
    }
}

/// Writes the line. A path is the caller's text, and control characters in it could steer the terminal.
fn line(request: &DispatcherRequest) -> String {
    let DispatcherRequest { request_id, tenant_id, route, status, code, transaction, ms, .. } = request;
    let tenant = tenant_id.as_deref().unwrap_or("-");
    let code = code.as_deref().unwrap_or("");
    let charged = transaction.as_deref().map(|transaction| format!("  charged in {transaction}")).unwrap_or_default();
    let line = format!("{status}  {tenant:<12}  {route}  {ms} ms  {code}{charged}  {request_id}");
    line.chars().flat_map(|one| if one.is_control() { one.escape_default().collect() } else { vec![one] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_told_in_one_line_that_steers_no_terminal() {
        let request = DispatcherRequest {
            request_id: "r1".to_owned(),
            tenant_id: Some("shop".to_owned()),
            route: "GET /quote\u{1b}[2J\n".to_owned(),
            status: 200,
            code: None,
            payment: None,
            transaction: Some("0xab".to_owned()),
            attempts: Vec::new(),
            ms: 12,
        };
        let told = line(&request);
        assert_eq!(told, "200  shop          GET /quote\\u{1b}[2J\\n  12 ms    charged in 0xab  r1");
    }
}
