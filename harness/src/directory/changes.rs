//! Makes a scenario's changes of the directory when they are due, in either tier's time.

use super::{PublishError, Publisher};
use journal::Journal;
use reports::event::Event;
use scenario::Scenario;
use std::time::Duration;

/// Comes back after the last change. Without a publisher there are none.
pub async fn carry_out(
    scenario: &Scenario,
    publisher: Option<Publisher<'_>>,
    journal: &Journal,
) -> Result<(), PublishError> {
    let Some(mut publisher) = publisher else { return Ok(()) };
    journal.record(Event::DirectoryChanged(publisher.at_first()));
    for change in scenario.directory_changes() {
        let now = Duration::from_micros(journal.clock().now_us());
        if let Some(wait) = change.at().checked_sub(now).filter(|wait| !wait.is_zero()) {
            tokio::time::sleep(wait).await;
        }
        let made = publisher.make(change)?;
        journal.record(Event::DirectoryChanged(made));
    }
    Ok(())
}
