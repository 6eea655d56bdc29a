//! The outside, as a tenant process reaches it: one socket per process, on which every subrequest arrives, redirect hops
//! and all. Here they are counted, because a wrapper around `fetch()` would miss the hops.
//!
//! Surprising constraint: which invocation a subrequest belongs to is known by the socket alone, and nothing that the
//! tenant says: its process serves one at a time.

use super::{
    exception::TOO_MANY_SUBREQUESTS,
    headers::{DONE, REFUSED},
    policy::{Asker, Policy},
    stream::{Body, empty, full, serve as serve_connection},
};
use hyper::{Request, Response, StatusCode, body::Incoming, header::HeaderValue};
use serde_json::{Map, Value};
use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// The invocation that a process runs, as far as its outbound socket is concerned.
#[derive(Clone, Debug)]
pub struct Current {
    pub token: String,
    pub limit: u32,
    pub parameters: Map<String, Value>,
}

/// Subrequests of one invocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    pub sent: u32,
    /// Over the limit, and so not sent.
    pub refused: u32,
}

#[derive(Debug)]
pub struct Outbound {
    meter: Arc<Meter>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Meter {
    script: String,
    current: Mutex<Option<(Current, Used)>>,
    /// Token of the last invocation that said it was over.
    done: watch::Sender<Option<String>>,
}

impl Outbound {
    pub fn listen(socket: &Path, script: &str, policy: Arc<Policy>) -> io::Result<Outbound> {
        let listener = UnixListener::bind(socket)?;
        let meter =
            Arc::new(Meter { script: script.to_owned(), current: Mutex::new(None), done: watch::channel(None).0 });
        let server = tokio::spawn(serve(listener, Arc::clone(&meter), policy));
        Ok(Outbound { meter, server })
    }

    pub fn begin(&self, current: Current) {
        *self.meter.lock() = Some((current, Used::default()));
    }

    /// The requests of the invocation to the outside.
    pub fn used(&self) -> Used {
        self.meter.lock().as_ref().map_or(Used::default(), |(_, used)| *used)
    }

    /// From now on there is no invocation: whatever is asked is refused.
    pub fn end(&self) {
        *self.meter.lock() = None;
    }

    /// Until the shim has said that the invocation is over.
    pub async fn done(&self, token: &str) {
        let mut done = self.meter.done.subscribe();
        if done.wait_for(|done| done.as_deref() == Some(token)).await.is_err() {
            std::future::pending().await
        }
    }
}

impl Drop for Outbound {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: UnixListener, meter: Arc<Meter>, policy: Arc<Policy>) {
    // Aborted with this task, as the set is dropped.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // An accept fails when the process hung up first; the next one may be well.
            Ok((stream, _)) = listener.accept() => {
                connections.spawn(connection(stream, Arc::clone(&meter), Arc::clone(&policy)));
            }
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: UnixStream, meter: Arc<Meter>, policy: Arc<Policy>) {
    // A connection that broke is the tenant's to notice.
    serve_connection(stream, |request| answer(request, &meter, &policy)).await;
}

async fn answer(request: Request<Incoming>, meter: &Meter, policy: &Policy) -> Response<Body> {
    if let Some(token) = request.headers().get(DONE) {
        meter.end(token);
        return Response::new(empty());
    }
    match meter.count() {
        Some(parameters) => policy.answer(request, Asker { script: &meter.script, parameters: &parameters }).await,
        None => refusal(),
    }
}

impl Meter {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Current, Used)>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The outbound parameters of a subrequest that may be sent.
    fn count(&self) -> Option<Map<String, Value>> {
        let mut current = self.lock();
        let (current, used) = current.as_mut()?;
        if used.sent < current.limit {
            used.sent += 1;
            Some(current.parameters.clone())
        } else {
            used.refused = used.refused.saturating_add(1);
            None
        }
    }

    /// A token that is not the current one is the tenant's invention.
    fn end(&self, token: &HeaderValue) {
        if let Some((current, _)) = self.lock().as_ref()
            && token.as_bytes() == current.token.as_bytes()
        {
            self.done.send_replace(Some(current.token.clone()));
        }
    }
}

/// The shim turns this into the exception that the platform throws.
fn refusal() -> Response<Body> {
    let mut response = Response::new(full(TOO_MANY_SUBREQUESTS));
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    response.headers_mut().insert(REFUSED, HeaderValue::from_static(TOO_MANY_SUBREQUESTS));
    response
}

#[cfg(test)]
mod tests {
    use super::{
        super::{stream::send, testing::Folder},
        *,
    };
    use http_body_util::BodyExt;

    struct Bench {
        folder: Folder,
        outbound: Outbound,
    }

    impl Bench {
        fn new(limit: u32) -> Bench {
            let folder = Folder::new();
            let outbound = Outbound::listen(&folder.path().join("out"), "alpha", Arc::new(Policy::Double)).unwrap();
            outbound.begin(Current { token: "t1".to_owned(), limit, parameters: Map::new() });
            Bench { folder, outbound }
        }

        async fn get(&self, header: Option<(&str, &str)>) -> (u16, Option<String>, String) {
            let stream = UnixStream::connect(self.folder.path().join("out")).await.unwrap();
            let mut request = Request::builder().uri("https://a.example/x");
            if let Some((name, value)) = header {
                request = request.header(name, value);
            }
            let response = send(stream, request.body(empty()).unwrap()).await.unwrap();
            let status = response.status().as_u16();
            let refused = response.headers().get(REFUSED).map(|message| message.to_str().unwrap().to_owned());
            let body = response.into_body().collect().await.unwrap().to_bytes();
            (status, refused, String::from_utf8(body.to_vec()).unwrap())
        }
    }

    #[tokio::test]
    async fn the_first_subrequest_over_the_limit_is_refused_and_is_not_told_the_token() {
        let bench = Bench::new(2);
        for _ in 0..2 {
            assert_eq!(bench.get(None).await, (200, None, "outbound double\n".to_owned()));
        }
        let refused = (429, Some(TOO_MANY_SUBREQUESTS.to_owned()), TOO_MANY_SUBREQUESTS.to_owned());
        assert_eq!(bench.get(None).await, refused);
        assert_eq!(bench.outbound.used(), Used { sent: 2, refused: 1 });
    }

    #[tokio::test]
    async fn without_an_invocation_nothing_is_answered() {
        let bench = Bench::new(2);
        bench.outbound.end();
        assert_eq!(bench.get(None).await.0, 429);
    }

    #[tokio::test]
    async fn only_the_current_token_ends_an_invocation() {
        let bench = Bench::new(1);
        bench.get(Some((DONE.as_str(), "guess"))).await;
        assert!(bench.outbound.meter.done.borrow().is_none());
        bench.get(Some((DONE.as_str(), "t1"))).await;
        bench.outbound.done("t1").await;
        assert_eq!(bench.outbound.used(), Used::default(), "the shim's own word is no subrequest");
    }
}
