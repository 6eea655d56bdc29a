//! The honest parts that a double can have: a server of its own, the official library, or desks that are asked without a socket.

use super::{
    answers::{self, Answers, Desks},
    exchange::{HonestCall, HonestReply, Origin},
    official::PaperChain,
    origin_error::OriginError,
    reply::Reply,
};

/// The honest part of a double.
pub enum HonestPart {
    /// The wiremock server behind the acceptor.
    Served { client: reqwest::Client, answers: Answers },
    /// The official library, and the chain that it settles on.
    Official(PaperChain),
    /// Asked without a socket.
    Within(Desks),
}

impl Origin for HonestPart {
    fn reply<'a>(&'a self, call: HonestCall<'a>) -> HonestReply<'a> {
        Box::pin(self.asked(call))
    }
}

impl HonestPart {
    async fn asked(&self, call: HonestCall<'_>) -> Result<Reply, OriginError> {
        let (verb, path) = answers::route(call.endpoint);
        // The answer server is held until the answer is in.
        let (client, url, _held) = match self {
            Self::Within(desks) => return Ok(desks.reply(call.endpoint, call.request, call.fault)),
            Self::Served { client, answers } => {
                let server = answers.server().await;
                (client, format!("{}{path}", server.uri()), Some(server))
            }
            Self::Official(chain) => (chain.client(), format!("{}{path}", chain.url_of(call.facilitator)), None),
        };
        let mut request = match verb {
            "GET" => client.get(url),
            _ => client.post(url).body(call.body.to_vec()),
        };
        if let Some(fault) = call.fault {
            request = request.header(answers::FAULT_HEADER, fault);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        let reply = Reply { status, content_type, body: response.bytes().await?.to_vec() };
        if let Self::Official(chain) = self {
            chain.tell().await?;
        }
        Ok(reply)
    }
}
