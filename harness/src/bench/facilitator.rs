//! A facilitator that says yes at once: a double that checks nothing, keeps nothing and moves nothing, so that a measurement
//! is of the servers in front of it. Never to be used where money is judged.

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
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
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
}

/// What its answers repeat of a request.
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
        Ok(Self { address, server: tokio::spawn(serve(listener)) })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for InstantFacilitator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        // An accept fails when the caller hung up first; the next one may be well.
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Fails only where the platform has no such option; then the answers are late and no less true.
        let _slower = stream.set_nodelay(true);
        let connection =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
        connections.spawn(connection);
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let Ok(body) = request.into_body().collect().await else { return Ok(status(StatusCode::BAD_REQUEST)) };
    let asked = || serde_json::from_slice::<Asked>(&body.to_bytes()).ok();
    let told = match path.as_str() {
        "/supported" => Some(honest::supported("instant", None)),
        "/verify" => asked().map(|asked| json!({"isValid": true, "payer": asked.payer()})),
        "/settle" => asked().map(|asked| {
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

impl Asked {
    fn payer(&self) -> &str {
        &self.payment_payload.payload.authorization.from
    }
}
