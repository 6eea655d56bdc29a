//! The load generator: so many connections, each with one request at a time, over HTTP/1.1 with keep-alive.
//!
//! A closed loop on purpose: it finds the most that a server can do. How a server does under arrivals that do not wait for
//! it, scenarios measure.

use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Response, StatusCode, Uri,
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
    header::HeaderValue,
};
use hyper_util::rt::TokioIo;
use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use system::clock::{Clock as _, SystemClock};
use tokio::{net::TcpStream, task::JoinSet};
use x402_protocol::header::{PAYMENT_REQUIRED, PAYMENT_RESPONSE, PAYMENT_SIGNATURE};

/// The address of requests to one server.
#[derive(Clone, Debug)]
pub struct Target {
    /// On loopback.
    pub port: u16,
    pub host: HeaderValue,
    pub path: Uri,
}

/// How much is asked of it.
#[derive(Clone, Debug)]
pub struct Load {
    pub concurrency: usize,
    pub requests: Requests,
    /// No request begins later.
    pub within: Duration,
}

#[derive(Clone, Debug)]
pub enum Requests {
    /// The most requests, at a tenant that sells nothing.
    Free(usize),
    /// The most requests, without a payment.
    Unpaid(usize),
    /// One for each of these values of `PAYMENT-SIGNATURE`.
    Paid(Arc<Vec<HeaderValue>>),
}

/// The answer that a request is to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Content,
    Offer,
    /// The content, with what was paid for it.
    Receipt,
}

/// The answers of one load.
#[derive(Debug, Default)]
pub struct Seen {
    /// One for each request that was answered as it should be.
    pub took: Vec<Duration>,
    pub elapsed: Duration,
    /// The CPU time that the server used meanwhile, where the system tells.
    pub cpu: Option<Duration>,
    /// Requests that were not, and what the first of them got.
    pub wrong: usize,
    pub first_wrong: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("connecting to the server under measurement")]
    Connect(#[source] std::io::Error),
    #[error("talking HTTP to the server under measurement")]
    Http(#[from] hyper::Error),
}

impl Requests {
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Free(count) | Self::Unpaid(count) => *count,
            Self::Paid(payments) => payments.len(),
        }
    }

    /// The answer that each of them is to get.
    #[must_use]
    pub fn answer(&self) -> Wanted {
        match self {
            Self::Free(_) => Wanted::Content,
            Self::Unpaid(_) => Wanted::Offer,
            Self::Paid(_) => Wanted::Receipt,
        }
    }

    #[must_use]
    pub fn payment(&self, number: usize) -> Option<HeaderValue> {
        match self {
            Self::Free(_) | Self::Unpaid(_) => None,
            Self::Paid(payments) => payments.get(number).cloned(),
        }
    }
}

/// Sends it all, or as much as there was time for.
pub async fn run(target: &Target, load: &Load) -> Result<Seen, LoadError> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut connections = Vec::new();
    for _ in 0..load.concurrency {
        connections.push(connect(target).await?);
    }
    let watch = Arc::new(SystemClock::start());
    let mut workers = JoinSet::new();
    for connection in connections {
        workers.spawn(work(connection, target.clone(), load.clone(), Arc::clone(&next), Arc::clone(&watch)));
    }
    let mut seen = Seen::default();
    while let Some(worker) = workers.join_next().await {
        let part = worker.expect("a worker never panics and is never aborted")?;
        seen.took.extend(part.took);
        seen.wrong += part.wrong;
        seen.first_wrong = seen.first_wrong.or(part.first_wrong);
    }
    seen.elapsed = Duration::from_micros(watch.now_us());
    Ok(seen)
}

/// The value of one header of one answer, whatever its status.
pub async fn one_header(target: &Target, name: &str) -> Result<Option<String>, LoadError> {
    let mut connection = connect(target).await?;
    let (response, _) = exchange(&mut connection, target, None).await?;
    Ok(response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned))
}

/// One connection, for one request at a time.
pub type Connection = SendRequest<Empty<Bytes>>;

pub async fn connect(target: &Target) -> Result<Connection, LoadError> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, target.port)).await.map_err(LoadError::Connect)?;
    stream.set_nodelay(true).map_err(LoadError::Connect)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // Ends with the sender; an error on the way is told to the request that met it.
    tokio::spawn(connection);
    Ok(sender)
}

async fn work(
    mut connection: Connection,
    target: Target,
    load: Load,
    next: Arc<AtomicUsize>,
    watch: Arc<SystemClock>,
) -> Result<Seen, LoadError> {
    let until = load.within.as_micros() as u64;
    let mut seen = Seen::default();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let began = watch.now_us();
        if number >= load.requests.count() || began >= until {
            return Ok(seen);
        }
        let payment = load.requests.payment(number);
        let (response, body) = exchange(&mut connection, &target, payment).await?;
        if load.requests.answer().is_given_by(&response) {
            seen.took.push(Duration::from_micros(watch.now_us() - began));
        } else {
            seen.wrong += 1;
            let text = String::from_utf8_lossy(&body);
            seen.first_wrong.get_or_insert_with(|| format!("{} {text}", response.status()));
        }
    }
}

/// The answer, its whole body read.
pub async fn exchange(
    connection: &mut Connection,
    target: &Target,
    payment: Option<HeaderValue>,
) -> Result<(Response<()>, Bytes), LoadError> {
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = target.path.clone();
    request.headers_mut().insert(hyper::header::HOST, target.host.clone());
    if let Some(payment) = payment {
        request.headers_mut().insert(PAYMENT_SIGNATURE, payment);
    }
    connection.ready().await?;
    let (head, body) = connection.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok((Response::from_parts(head, ()), body))
}

impl Wanted {
    #[must_use]
    pub fn is_given_by(self, response: &Response<()>) -> bool {
        let (status, header) = match self {
            Self::Content => (StatusCode::OK, None),
            Self::Offer => (StatusCode::PAYMENT_REQUIRED, Some(PAYMENT_REQUIRED)),
            Self::Receipt => (StatusCode::OK, Some(PAYMENT_RESPONSE)),
        };
        response.status() == status && header.is_none_or(|header| response.headers().contains_key(header))
    }
}
