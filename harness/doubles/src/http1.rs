//! Reads HTTP/1.1 requests off a caller's buffer, as much as a facilitator's callers send: a length or chunks, no upgrades.
//!
//! In three steps, because a fault may end the call between them.

pub use super::read_error::{MAX_BODY_BYTES, MAX_HEAD_BYTES, ReadError};

use super::caller::Caller;

const MAX_HEADERS: usize = 64;
/// The longest line that announces a chunk: 16 hex digits, and extensions that nobody sends.
const MAX_CHUNK_LINE_BYTES: usize = 256;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLine {
    pub method: String,
    pub path: String,
}

/// How long the body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Length(usize),
    Chunked,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub framing: Framing,
    /// `x-api-key`.
    pub api_key: Option<String>,
    pub authorization: Option<String>,
    pub host: String,
    /// Whether the caller wants the connection closed after the answer.
    pub last: bool,
}

impl Caller {
    /// The next request's line, which stays in the buffer. `None` when the caller closed between requests.
    pub async fn request_line(&mut self) -> Result<Option<RequestLine>, ReadError> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                let mut words = line.split_ascii_whitespace();
                let (Some(method), Some(path)) = (words.next(), words.next()) else {
                    return Err(ReadError::NotHttp(format!("request line {:?}", line.trim_end())));
                };
                return Ok(Some(RequestLine { method: method.to_owned(), path: path.to_owned() }));
            }
            if self.buffer.len() > MAX_HEAD_BYTES {
                return Err(ReadError::HeadTooLarge);
            }
            match self.read().await {
                Err(ReadError::Gone) if self.buffer.is_empty() => return Ok(None),
                read => read?,
            }
        }
    }

    /// Takes the head off the buffer.
    pub async fn head(&mut self) -> Result<Head, ReadError> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let mut request = httparse::Request::new(&mut headers);
            match request.parse(&self.buffer) {
                Ok(httparse::Status::Complete(length)) => {
                    let head = parse_head(request.headers)?;
                    self.buffer.drain(..length);
                    return Ok(head);
                }
                Ok(httparse::Status::Partial) if self.buffer.len() > MAX_HEAD_BYTES => {
                    return Err(ReadError::HeadTooLarge);
                }
                Ok(httparse::Status::Partial) => self.read().await?,
                Err(error) => return Err(ReadError::NotHttp(error.to_string())),
            }
        }
    }

    /// Takes the body off the buffer.
    pub async fn body(&mut self, framing: Framing) -> Result<Vec<u8>, ReadError> {
        let Framing::Length(length) = framing else {
            return self.chunked_body().await;
        };
        if length > MAX_BODY_BYTES {
            return Err(ReadError::BodyTooLarge);
        }
        self.take(length).await
    }

    async fn chunked_body(&mut self) -> Result<Vec<u8>, ReadError> {
        let mut body = Vec::new();
        loop {
            let length = self.chunk_length().await?;
            if length > MAX_BODY_BYTES - body.len() {
                return Err(ReadError::BodyTooLarge);
            }
            let chunk = self.take(length + b"\r\n".len()).await?;
            if !chunk.ends_with(b"\r\n") {
                // Trailers end here too: no client of a facilitator sends any.
                return Err(ReadError::NotHttp("chunk does not end where it said".to_owned()));
            }
            if length == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&chunk[..length]);
        }
    }

    async fn chunk_length(&mut self) -> Result<usize, ReadError> {
        let bad = || ReadError::NotHttp("bad chunk length".to_owned());
        loop {
            match httparse::parse_chunk_size(&self.buffer).map_err(|_| bad())? {
                httparse::Status::Complete((line, length)) => {
                    self.buffer.drain(..line);
                    return usize::try_from(length).map_err(|_| bad());
                }
                httparse::Status::Partial if self.buffer.len() > MAX_CHUNK_LINE_BYTES => return Err(bad()),
                httparse::Status::Partial => self.read().await?,
            }
        }
    }
}

fn parse_head(headers: &[httparse::Header<'_>]) -> Result<Head, ReadError> {
    let value = |name: &str| {
        let header = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(header.value).trim().to_ascii_lowercase())
    };
    let framing = match (value("transfer-encoding"), value("content-length")) {
        (Some(_), _) => Framing::Chunked,
        (None, None) => Framing::Length(0),
        (None, Some(text)) => Framing::Length(
            text.parse().map_err(|_| ReadError::NotHttp(format!("content-length {text:?} is no number")))?,
        ),
    };
    let as_sent = |name: &str| {
        let header = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(header.value).trim().to_owned())
    };
    Ok(Head {
        framing,
        api_key: as_sent("x-api-key"),
        authorization: as_sent("authorization"),
        host: as_sent("host").unwrap_or_default(),
        last: value("connection").is_some_and(|value| value == "close"),
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{Bench, Payer};

    #[tokio::test]
    async fn a_chunked_request_is_read_like_any_other() {
        let bench = Bench::new();
        let double = bench.double(vec![]).await;
        let body = Payer::new(1).body(1);
        let (one, two) = body.split_at(100);
        let request = format!(
            "POST /settle HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n",
            one.len(),
            two.len()
        );
        let mut socket = tokio::net::TcpStream::connect(double.address).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut socket, request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut socket, &mut answer).await.unwrap();
        assert!(answer.contains(r#""success":true"#), "{answer}");
        assert_eq!(bench.stop(double).await.1, 1);
    }
}
