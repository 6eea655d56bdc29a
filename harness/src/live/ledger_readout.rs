//! Asks the dispatcher's settlement ledger, after the traffic, what became of each payment.

use reports::event::{Event, LedgerState};
use serde_json::Value;

/// One event per payment. A payment that the ledger gives no readable word on is an event too.
pub async fn read(http: &reqwest::Client, url: &str, token: &str, payments: &[String]) -> Vec<Event> {
    let mut events = Vec::new();
    for payment in payments {
        let asked = state(http, url, token, payment).await;
        events.push(asked.map_or_else(|unreadable| unreadable, Event::LedgerState));
    }
    events
}

/// The ledger's word on one payment, or the event that says why there is none.
pub async fn state(http: &reqwest::Client, url: &str, token: &str, payment: &str) -> Result<LedgerState, Event> {
    let asked = ask(http, &format!("{url}/__platform/payments/{payment}"), token).await;
    let unreadable =
        |why| Event::Unreadable { source: "settlement ledger".to_owned(), text: format!("{payment}: {why}") };
    asked.map(|state| LedgerState { payment: payment.to_owned(), ..state }).map_err(unreadable)
}

async fn ask(http: &reqwest::Client, url: &str, token: &str) -> Result<LedgerState, String> {
    let response = http.get(url).bearer_auth(token).send().await.map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let body = response.bytes().await.map_err(|error| error.to_string())?;
    let value: Value = serde_json::from_slice(&body).map_err(|error| format!("{status}: {error}"))?;
    let state = value["state"].as_str().ok_or_else(|| format!("{status}: no state"))?;
    let transaction = value["transaction"].as_str().map(str::to_owned);
    Ok(LedgerState { payment: String::new(), state: state.to_owned(), transaction })
}
