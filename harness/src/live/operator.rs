//! Puts an operator's action to the dispatcher under `wrangler dev`, by its platform API.

use crate::play::quarantine_body as body;
use scenario::{Does, OperatorAction};
use traffic::PATIENCE;

/// The answer's status, where there is one: what does not answer has not been told.
pub async fn ask(
    http: &reqwest::Client,
    url: &str,
    token: &str,
    action: &OperatorAction,
    unix_now_ms: u64,
) -> Option<u16> {
    let url = format!("{url}/__platform/tenants/{}/quarantine", action.tenant());
    let request = match action.does() {
        Does::Quarantine { lasting, .. } => http.post(url).body(body(*lasting, unix_now_ms)),
        Does::LiftQuarantine { .. } => http.delete(url),
    };
    request.timeout(PATIENCE).bearer_auth(token).send().await.ok().map(|response| response.status().as_u16())
}
