//! What operators ask, one file a question, and each answer from counts or by an index: none grows with all that was kept.

mod analytics;
mod events;
mod settlements;
mod slo;
mod tenant;
mod uptime;

pub use settlements::csv;
pub use slo::{OBJECTIVE_PER_MILLE, Sli};

use crate::{
    PayerKey, books, dashboard,
    store::{Database, DatabaseError},
};
use dispatcher_core::{
    operations::question::{Question, Told},
    paywall::UnixMillis,
    platform_api::openapi,
};
use serde_json::Value;

pub const MINUTE_MS: u64 = 60_000;
pub const HOUR_MS: u64 = 3_600_000;
pub const DAY_MS: u64 = 86_400_000;
/// The span of the counts of all time.
pub const EVER_MS: u64 = 1_000_000_000_000_000;

/// Answers a question.
pub async fn answer(
    database: &impl Database,
    question: &Question,
    key: Option<&PayerKey>,
    now: UnixMillis,
) -> Result<Told, DatabaseError> {
    Ok(match question {
        Question::Events(asked) => json(&events::events(database, asked).await?),
        Question::Analytics { window, top } => json(&analytics::analytics(database, *window, *top, now).await?),
        Question::Slo { window } => json(&slo::slo(database, *window, now).await?),
        Question::Tenant { id } => json(&tenant::tenant(database, id, now).await?),
        Question::Settlements(asked) => settlements::settlements(database, asked, now).await?,
        Question::OpenApi => json(&openapi::document()),
        Question::Page(page) => dashboard::file(*page),
        Question::Uptime(tenants) => json(&uptime::uptime(database, tenants, now).await?),
        Question::Reconcile(ledger) => json(&books::reconcile(database, ledger, key, now).await?),
    })
}

fn json(value: &Value) -> Told {
    Told { content_type: "application/json".to_owned(), text: value.to_string() }
}
