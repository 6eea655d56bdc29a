//! What a harness that started the namespace is told of it: one POST a dispatch and one an end, in their order. Surprising
//! constraint: only one is under way at a time, so that a dispatch stands before its end in the history.

use super::record::Told;
use reports::event::{Event, TenantEnd, TenantRun};
use reqwest::{Client, Url};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedReceiver;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    Dispatched(TenantRun),
    Ended(TenantEnd),
}

impl From<Report> for Event {
    fn from(report: Report) -> Event {
        match report {
            Report::Dispatched(run) => Event::TenantRan(run),
            Report::Ended(end) => Event::TenantEnded(end),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("reporting to whoever started the namespace")]
pub struct ReportError(#[from] reqwest::Error);

#[derive(Debug)]
pub struct Reporter {
    http: Client,
    to: Url,
}

impl Reporter {
    pub fn new(to: Url) -> Result<Reporter, ReportError> {
        Ok(Reporter { http: system::http_client::builder().build()?, to })
    }

    /// Until the records end, or nobody takes note of one: a history with a hole in it would be judged wrongly.
    pub async fn pass_on(&self, records: &mut UnboundedReceiver<Told>) -> Result<(), ReportError> {
        while let Some(told) = records.recv().await {
            match told {
                Told::Dispatched(run, hears) => {
                    self.report(&Report::Dispatched(run)).await?;
                    // Whoever waited for this may have gone away.
                    let _gone = hears.send(());
                }
                Told::Ended(record) => self.report(&Report::Ended(record.event())).await?,
            }
        }
        Ok(())
    }

    async fn report(&self, report: &Report) -> Result<(), ReportError> {
        let json = serde_json::to_vec(report).expect("strings and numbers are JSON");
        self.http.post(self.to.clone()).body(json).send().await?.error_for_status()?;
        Ok(())
    }
}
