//! One call in the hands of a fault: the caller's socket, and the honest part to forward to.

use super::{
    answers::{self, Answers, Desks},
    caller::Caller,
    official::PaperChain,
    reply::Reply,
    request::FacilitatorRequest,
    signers::Signers,
};
use reports::event::{FacilitatorAnswer, FacilitatorEndpoint};

/// The honest part of a double.
pub enum Origin {
    /// The wiremock server behind the acceptor.
    Served { client: reqwest::Client, answers: Answers },
    /// The official library, and the chain that it settles on.
    Official(PaperChain),
    /// Asked without a socket.
    Within(Desks),
}

/// The honest part failed: never the dispatcher's fault, so it must not look like one of the scenario's.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    #[error("facilitator double's own answer server failed")]
    Server(#[from] reqwest::Error),
    #[error("the chain of paper cannot be read")]
    Chain(#[from] serde_json::Error),
}

pub struct Exchange<'a> {
    pub caller: &'a mut Caller,
    pub origin: &'a Origin,
    /// The double's name.
    pub facilitator: &'a str,
    pub endpoint: FacilitatorEndpoint,
    pub body: Vec<u8>,
    pub request: FacilitatorRequest,
    pub signers: &'a Signers,
    /// Position of the fault in the double's list.
    pub fault: Option<usize>,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    pub answer: FacilitatorAnswer,
    pub then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The connection is good for another request.
    KeepOpen,
    Close,
    Reset,
}

impl Exchange<'_> {
    /// The whole answer under the call's HTTP-level fault, if it has one. Settles.
    pub async fn honest_reply(&self) -> Result<Reply, OriginError> {
        let (verb, path) = answers::route(self.endpoint);
        // The answer server is held until the answer is in.
        let (client, url, _held) = match self.origin {
            Origin::Within(desks) => return Ok(desks.reply(self.endpoint, &self.request, self.fault)),
            Origin::Served { client, answers } => {
                let server = answers.server().await;
                (client, format!("{}{path}", server.uri()), Some(server))
            }
            Origin::Official(chain) => (chain.client(), format!("{}{path}", chain.url_of(self.facilitator)), None),
        };
        let mut request = match verb {
            "GET" => client.get(url),
            _ => client.post(url).body(self.body.clone()),
        };
        if let Some(fault) = self.fault {
            request = request.header(answers::FAULT_HEADER, fault);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        let reply = Reply { status, content_type, body: response.bytes().await?.to_vec() };
        if let Origin::Official(chain) = self.origin {
            chain.tell().await?;
        }
        Ok(reply)
    }

    /// Gets the answer and sends it, whole.
    pub async fn answer(&mut self) -> Result<Played, OriginError> {
        let reply = self.honest_reply().await?;
        if self.caller.is_gone() || self.caller.send(&reply.bytes()).await.is_err() {
            return Ok(Played::caller_gone());
        }
        Ok(Played::sent(&reply))
    }
}

impl Played {
    #[must_use]
    pub fn sent(reply: &Reply) -> Self {
        Self { answer: reply.sent(), then: Then::KeepOpen }
    }

    #[must_use]
    pub fn reset() -> Self {
        Self { answer: none("reset"), then: Then::Reset }
    }

    /// The caller gave up on a call that was never going to be answered.
    #[must_use]
    pub fn hung() -> Self {
        Self { answer: none("hung"), then: Then::Close }
    }

    #[must_use]
    pub fn closed(how: &str) -> Self {
        Self { answer: none(how), then: Then::Close }
    }

    /// The caller gave up on a call that would have been answered.
    #[must_use]
    pub fn caller_gone() -> Self {
        Self { answer: none("caller-gone"), then: Then::Close }
    }
}

fn none(how: &str) -> FacilitatorAnswer {
    FacilitatorAnswer::None { how: how.to_owned() }
}
