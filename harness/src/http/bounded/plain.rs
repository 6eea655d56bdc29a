//! One exchange over plain HTTP, on a connection of its own.

use super::{Answer, MAX_BODY_BYTES, NoAnswer, patient::Patient};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use reqwest::{
    Url,
    header::{ACCEPT, HOST, HeaderValue},
};
use std::error::Error;
use tokio::{net::TcpStream, task::JoinSet};

pub async fn exchange(request: &reqwest::Request) -> Result<Answer, NoAnswer> {
    let url = request.url();
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((host, url.port_or_known_default().unwrap_or(80))).await.map_err(failed)?;
    let io = TokioIo::new(Patient::new(stream));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.map_err(failed)?;
    // Ends with this function.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let mut response = sender.send_request(in_origin_form(request, url)?).await.map_err(failed)?;
    let mut body = Vec::new();
    while let Some(frame) = response.body_mut().frame().await {
        let Ok(chunk) = frame.map_err(failed)?.into_data() else { continue };
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(NoAnswer::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status: response.status().as_u16(), headers: std::mem::take(response.headers_mut()), body })
}

fn in_origin_form(request: &reqwest::Request, url: &Url) -> Result<hyper::Request<Full<Bytes>>, NoAnswer> {
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    let mut sent = hyper::Request::builder()
        .method(request.method().clone())
        .uri(format!("{}{}", url.path(), url.query().map(|query| format!("?{query}")).unwrap_or_default()))
        .body(Full::new(Bytes::copy_from_slice(body)))
        .map_err(failed)?;
    *sent.headers_mut() = request.headers().clone();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let authority = format!("{}{port}", url.host_str().unwrap_or_default());
    let authority = HeaderValue::from_str(&authority).map_err(failed)?;
    sent.headers_mut().entry(HOST).or_insert(authority);
    sent.headers_mut().entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    Ok(sent)
}

/// The innermost reason alone, as [`NoAnswer`] tells it.
fn failed(error: impl Error + 'static) -> NoAnswer {
    NoAnswer::of(&error)
}
