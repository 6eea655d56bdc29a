//! Calls to facilitator doubles: real HTTP over a pipe, within a time-out, as the Worker's `fetch` has it.

use crate::sim::{chance::Chance, clock::VirtualClock, process::Life};
use dispatcher_core::paywall::{
    facilitator::token::{Algorithm, SigningKey},
    ports::{
        Clock, CredentialSigner, FacilitatorAnswer, FacilitatorTransport, HttpRequest, MAX_FACILITATOR_ANSWER_BYTES,
        SignError, TransportError,
    },
    trace::{Origin, REQUEST_ID, TRACEPARENT},
};
use doubles::{NodeDouble, PipeEnd, PipedDouble, TokenAlgorithm, sign_with};
use std::{collections::BTreeMap, fmt::Write, rc::Rc, sync::Arc, time::Duration};

/// Under which URLs the dispatcher is told of the doubles.
#[must_use]
pub fn url_of(facilitator: &str) -> String {
    format!("https://{facilitator}.{DOMAIN}")
}

/// Under which URLs it is told of so many nodes.
#[must_use]
pub fn node_urls(count: usize) -> Vec<String> {
    (0..count).map(node_url).collect()
}

fn node_url(at: usize) -> String {
    format!("https://node-{at}.chain.test")
}

const DOMAIN: &str = "facilitators.test";
/// The most headers that are read: as many as an answer of a double has, and room.
const MAX_HEADERS: usize = 16;

#[derive(Clone)]
pub struct PipeTransport {
    pub life: Life,
    pub chance: Chance,
    pub clock: VirtualClock,
    /// By name.
    pub doubles: Rc<BTreeMap<String, Arc<PipedDouble>>>,
    /// In the order in which they are asked.
    pub nodes: Rc<[NodeDouble]>,
}

impl FacilitatorTransport for PipeTransport {
    async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        self.life.alive().await;
        let timeout = Duration::from_millis(request.timeout_ms);
        let answer = tokio::time::timeout(timeout, self.exchange(&request)).await;
        self.life.alive().await;
        answer.unwrap_or(Err(TransportError::Timeout))
    }
}

impl PipeTransport {
    async fn exchange(&self, request: &HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        let node = self.nodes.iter().enumerate().find(|(at, _)| request.url == node_url(*at));
        if let Some((_, node)) = node {
            self.chance.travel().await;
            self.life.alive().await;
            tokio::time::sleep(node.delay()).await;
            let (status, body) = node.answer(request.json.unwrap_or_default().as_bytes());
            self.chance.travel().await;
            return Ok(FacilitatorAnswer { status, body });
        }
        let address = request.url.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
        let (host, path) = address.ok_or(TransportError::Unreachable)?;
        let name = host.strip_suffix(DOMAIN).and_then(|name| name.strip_suffix('.'));
        let double = name.and_then(|name| self.doubles.get(name)).ok_or(TransportError::Unreachable)?;
        self.chance.travel().await;
        // A process that dies now has sent nothing; one that dies from here on has.
        self.life.alive().await;
        let mut connection = double.connect().ok_or(TransportError::Unreachable)?;
        let headers = self.headers(request).await?;
        let sent = connection.write_all(to_http(request, host, path, &headers).as_bytes()).await;
        sent.map_err(|_| TransportError::Unreachable)?;
        let answer = receive(&mut connection).await?;
        self.chance.travel().await;
        Ok(answer)
    }
}

impl PipeTransport {
    async fn headers(&self, request: &HttpRequest<'_>) -> Result<String, TransportError> {
        let mut text = String::new();
        if let Some(Origin { traceparent, request_id }) = request.origin {
            let id = request_id.as_deref().unwrap_or_default();
            text += &format!("{TRACEPARENT}: {traceparent}\r\n{REQUEST_ID}: {id}\r\n");
        }
        for header in request.headers {
            let value =
                header.value(request, self.clock.now(), self).await.map_err(|SignError| TransportError::Unsigned)?;
            write!(text, "{}: {value}\r\n", header.name).expect("a string takes whatever it is given");
        }
        Ok(text)
    }
}

impl CredentialSigner for PipeTransport {
    async fn sign(&self, key: &SigningKey, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let algorithm = match key.algorithm {
            Algorithm::EdDSA => TokenAlgorithm::EdDSA,
            Algorithm::ES256 => TokenAlgorithm::ES256,
        };
        sign_with(algorithm, &key.pkcs8, message).ok_or(SignError)
    }

    fn nonce(&self) -> String {
        self.chance.token()
    }
}

fn to_http(request: &HttpRequest<'_>, host: &str, path: &str, headers: &str) -> String {
    let (verb, body) = request.json.map_or(("GET", ""), |json| ("POST", json));
    let mut text = format!("{verb} /{path} HTTP/1.1\r\nhost: {host}\r\naccept: application/json\r\n{headers}");
    if request.json.is_some() {
        write!(text, "content-type: application/json\r\ncontent-length: {}\r\n", body.len())
            .expect("a string takes whatever it is given");
    }
    text + "\r\n" + body
}

/// Reads one answer, of which the doubles always announce the length.
async fn receive(connection: &mut PipeEnd) -> Result<FacilitatorAnswer, TransportError> {
    let mut received = Vec::new();
    loop {
        let read = connection.read_buf(&mut received).await;
        if read.map_err(|_| TransportError::Unreachable)? == 0 {
            return Err(TransportError::Unreachable);
        }
        if let Some(answer) = parse(&received)? {
            return Ok(answer);
        }
    }
}

/// `None` while something is missing.
fn parse(received: &[u8]) -> Result<Option<FacilitatorAnswer>, TransportError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let head = match response.parse(received) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(TransportError::Unreachable),
    };
    let status = response.code.ok_or(TransportError::Unreachable)?;
    if (300..400).contains(&status) {
        let target = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("location"));
        return Ok(Some(FacilitatorAnswer {
            status,
            body: target.map_or_else(Vec::new, |header| header.value.to_vec()),
        }));
    }
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.trim().parse::<usize>().ok());
    let length = length.ok_or(TransportError::Unreachable)?;
    let body = &received[head..];
    // Read as it comes and stopped at the limit, so that the rest of a huge answer is never waited for.
    if body.len().min(length) > MAX_FACILITATOR_ANSWER_BYTES {
        return Err(TransportError::TooLarge);
    }
    Ok(body.get(..length).map(|body| FacilitatorAnswer { status, body: body.to_vec() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_whole_or_not_at_all() {
        let text = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ntrue";
        let whole = FacilitatorAnswer { status: 200, body: b"true".to_vec() };
        assert_eq!(parse(text.as_bytes()), Ok(Some(whole)));
        for cut in 1..text.len() {
            assert_eq!(parse(&text.as_bytes()[..cut]), Ok(None), "{cut}");
        }
        assert_eq!(parse(b"\x15\x03\x03\x00"), Err(TransportError::Unreachable));
        let elsewhere = FacilitatorAnswer { status: 307, body: b"https://b/".to_vec() };
        assert_eq!(parse(b"HTTP/1.1 307 T\r\nLocation: https://b/\r\n\r\n"), Ok(Some(elsewhere)));
        let huge = format!("HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n{}", " ".repeat(65_537));
        assert_eq!(parse(huge.as_bytes()), Err(TransportError::TooLarge));
    }
}
