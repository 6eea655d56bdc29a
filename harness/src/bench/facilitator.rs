//! A facilitator that says yes at once: a double that checks nothing, so that a measurement is of the servers in front of it. It
//! counts what it settled, and can lose its answers on request. Never to be used where a payment's terms are judged.

use doubles::honest;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::json;
use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

/// Serves until it is dropped.
#[derive(Debug)]
pub struct InstantFacilitator {
    address: SocketAddr,
    server: JoinHandle<()>,
    books: Arc<Books>,
}

/// The payments that it was asked to settle.
#[derive(Debug, Default)]
struct Books {
    /// How often each payment's money moved, by its nonce.
    moved: Mutex<BTreeMap<String, u32>>,
    loses_answers: AtomicBool,
}

/// The parts of a request that its answers repeat.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    payment_payload: Payment,
    payment_requirements: Requirements,
}

#[derive(Deserialize)]
struct Payment {
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    authorization: Authorization,
}

#[derive(Deserialize)]
struct Authorization {
    from: String,
    nonce: String,
}

#[derive(Deserialize)]
struct Requirements {
    network: String,
    amount: String,
}

impl InstantFacilitator {
    pub async fn listen() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let books = Arc::<Books>::default();
        Ok(Self { address, server: tokio::spawn(serve(listener, Arc::clone(&books))), books })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on a settlement is made and its answer lost, or is told as it is.
    pub fn lose_answers(&self, loses: bool) {
        self.books.loses_answers.store(loses, Ordering::Relaxed);
    }

    /// How often each payment was settled, by its nonce. A payment that is settled again moves nothing, as on a chain.
    #[must_use]
    pub fn moved(&self) -> BTreeMap<String, u32> {
        self.books.moved.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for InstantFacilitator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, books: Arc<Books>) {
    let mut connections = JoinSet::new();
    loop {
        // An accept fails when the caller hung up first; the next one may be well.
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Fails only where the platform has no such option; then the answers are late and no less true.
        let _slower = stream.set_nodelay(true);
        let books = Arc::clone(&books);
        let service = service_fn(move |request| answer(request, Arc::clone(&books)));
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        connections.spawn(connection);
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(request: Request<Incoming>, books: Arc<Books>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let Ok(body) = request.into_body().collect().await else { return Ok(status(StatusCode::BAD_REQUEST)) };
    let asked = || serde_json::from_slice::<Asked>(&body.to_bytes()).ok();
    let told = match path.as_str() {
        "/supported" => Some(honest::supported("instant", None)),
        "/verify" => asked().map(|asked| json!({"isValid": true, "payer": asked.payer()})),
        "/settle" if books.loses_answers.load(Ordering::Relaxed) => {
            let Some(asked) = asked() else { return Ok(status(StatusCode::BAD_REQUEST)) };
            books.settle(asked.payment_payload.payload.authorization.nonce);
            return Ok(status(StatusCode::BAD_GATEWAY));
        }
        "/settle" => asked().map(|asked| {
            books.settle(asked.payment_payload.payload.authorization.nonce.clone());
            json!({
                "success": true,
                "payer": asked.payer(),
                "transaction": asked.payment_payload.payload.authorization.nonce,
                "network": asked.payment_requirements.network,
                "amount": asked.payment_requirements.amount,
            })
        }),
        _ => return Ok(status(StatusCode::NOT_FOUND)),
    };
    let Some(told) = told else { return Ok(status(StatusCode::BAD_REQUEST)) };
    let mut response = Response::new(Full::new(Bytes::from(told.to_string())));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    Ok(response)
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

impl Books {
    fn settle(&self, nonce: String) {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner).entry(nonce).or_default() += 1;
    }
}

impl Asked {
    fn payer(&self) -> &str {
        &self.payment_payload.payload.authorization.from
    }
}
