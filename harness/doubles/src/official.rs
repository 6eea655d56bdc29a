//! The honest half of a double that nobody here wrote: the official library, in a process of its own, and its chain of paper,
//! from which the run's history learns what moved.
//!
//! Surprising constraint: what an answer says has happened must stand in the history before the answer leaves, so the chain
//! is read between the two.

use super::origin_error::OriginError;
use journal::Journal;
use reports::event::{self, Event};
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The chain that all official facilitators of a world settle on.
#[derive(Clone)]
pub struct PaperChain {
    client: reqwest::Client,
    url: String,
    journal: Journal,
    /// How many of its transfers stand in the journal. Held while it is read, so that each is told once and in order.
    told: Arc<Mutex<usize>>,
}

/// The chain's word on itself.
#[derive(Deserialize)]
struct Read {
    network: String,
    asset: String,
    transfers: Vec<Moved>,
}

/// A transfer; addresses and numbers of bytes in lower case.
#[derive(Deserialize)]
struct Moved {
    facilitator: String,
    /// The contract that used the nonce up.
    by: String,
    from: String,
    to: String,
    value: String,
    nonce: String,
    transaction: String,
}

impl PaperChain {
    /// `url` is where the facilitators are served, without a trailing slash.
    #[must_use]
    pub fn new(client: reqwest::Client, url: &str, journal: Journal) -> Self {
        Self { client, url: url.to_owned(), journal, told: Arc::default() }
    }

    /// The URL of the facilitator of that name.
    #[must_use]
    pub fn url_of(&self, facilitator: &str) -> String {
        format!("{}/{facilitator}", self.url)
    }

    #[must_use]
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Puts what has moved since into the run's history.
    pub async fn tell(&self) -> Result<(), OriginError> {
        let mut told = self.told.lock().await;
        let url = format!("{}/__chain?from={told}", self.url);
        let text = self.client.get(url).send().await?.error_for_status()?.bytes().await?;
        let Read { network, asset, transfers } = serde_json::from_slice(&text)?;
        for moved in transfers {
            *told += 1;
            self.journal.record(Event::TransferMoved(moved.told(&network, &asset)));
        }
        Ok(())
    }
}

impl Moved {
    /// A transfer as the doubles' own chain tells it.
    fn told(self, network: &str, asset: &str) -> event::Transfer {
        event::Transfer {
            payment: format!("{network}:{}:{}:{}", self.by, self.from, self.nonce),
            facilitator: self.facilitator,
            network: network.to_owned(),
            asset: asset.to_owned(),
            from: self.from,
            to: self.to,
            value: self.value,
            transaction: self.transaction,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{drain, journal};
    use serde_json::json;
    use wiremock::{
        Mock, MockServer, ResponseTemplate,
        matchers::{path, query_param},
    };

    fn http_client() -> reqwest::Client {
        system::http_client::builder().build().unwrap()
    }

    fn transfer(nonce: u8) -> serde_json::Value {
        json!({"facilitator": "primary", "by": "0x03", "from": "0x0a", "to": "0x0b", "value": "10000", "nonce": nonce.to_string(),
               "transaction": "0x99"})
    }

    #[tokio::test]
    async fn each_transfer_is_told_once_and_under_the_key_of_its_payment() {
        let (server, (journal, mut seen)) = (MockServer::start().await, journal());
        for (from, transfers) in [("0", vec![transfer(1), transfer(2)]), ("2", vec![transfer(3)]), ("3", vec![])] {
            let chain = json!({"network": "eip155:84532", "asset": "0x03", "transfers": transfers, "calls": {}});
            let answer = ResponseTemplate::new(200).set_body_json(chain);
            Mock::given(path("/__chain")).and(query_param("from", from)).respond_with(answer).mount(&server).await;
        }
        let chain = PaperChain::new(http_client(), &server.uri(), journal);
        for _ in 0..3 {
            chain.tell().await.unwrap();
        }
        let told = drain(&mut seen).into_iter().filter_map(|event| match event {
            Event::TransferMoved(transfer) => Some(transfer.payment),
            _ => None,
        });
        let key = |nonce| format!("eip155:84532:0x03:0x0a:{nonce}");
        assert_eq!(told.collect::<Vec<_>>(), [key(1), key(2), key(3)]);
    }

    #[tokio::test]
    async fn a_chain_that_cannot_be_read_is_an_error() {
        let (server, (journal, _seen)) = (MockServer::start().await, journal());
        Mock::given(path("/__chain"))
            .respond_with(ResponseTemplate::new(200).set_body_string("{}"))
            .mount(&server)
            .await;
        assert!(PaperChain::new(http_client(), &server.uri(), journal).tell().await.is_err());
    }
}
