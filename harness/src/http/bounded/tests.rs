//! Servers that answer and hang up in every order that the standard lets them.

use super::*;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Accepts once, reads no more than so many bytes, says this, and closes with the rest unread: a reset.
async fn server(reads: usize, says: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/a?b=c", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_exact(&mut vec![0; reads]).await.unwrap();
        stream.write_all(says.as_bytes()).await.unwrap();
    });
    url
}

fn http() -> BoundedHttp {
    BoundedHttp::new().unwrap()
}

#[tokio::test]
async fn an_answer_that_comes_before_a_reset_is_told() {
    let large = "x".repeat(20_000);
    for (says, body) in [
        ("HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\r\n", ""),
        ("HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 3\r\n\r\nno!", "no!"),
        ("HTTP/1.1 413 Content Too Large\r\ntransfer-encoding: chunked\r\n\r\n3\r\nno!\r\n0\r\n\r\n", "no!"),
    ] {
        let url = server(16_000, says).await;
        let got = answer(http().request(Method::GET, &url).header("payment-signature", &large)).await.expect(says);
        assert!(matches!(got.status, 413 | 431), "{says}");
        assert_eq!(String::from_utf8_lossy(&got.body), body, "{says}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_a_body_that_is_still_being_sent_is_told() {
    // More than the buffers of both sides have room for. Whether the answer or the reset is seen first is chance, so often.
    let body = "x".repeat(8 << 20);
    for n in 0..30 {
        let says = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let url = server(if n % 2 == 0 { 100 } else { 100_000 }, says).await;
        let got = answer(http().request(Method::POST, &url).body(body.clone())).await;
        assert_eq!(got.map(|got| got.status).map_err(|error| error.to_string()), Ok(413), "time {n}");
    }
}

#[tokio::test]
async fn half_an_answer_is_none() {
    for says in [
        "",
        "HTTP/1.1 4",
        "HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nsh",
    ] {
        let url = server(100, says).await;
        let got = answer(http().request(Method::GET, &url).header("x", "x".repeat(20_000))).await;
        assert!(matches!(got, Err(NoAnswer::Failed(_))), "{says:?}: {got:?}");
    }
}

#[tokio::test]
async fn what_is_asked_is_what_was_meant() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = vec![0; 4_096];
        let read = stream.read(&mut asked).await.unwrap();
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        String::from_utf8_lossy(&asked[..read]).into_owned()
    });
    let request = http().request(Method::GET, &format!("http://{address}/a%2Fb//c?d=e#f")).header("x-a", "1");
    assert_eq!(answer(request).await.unwrap().status, 204);
    let asked = asked.await.unwrap();
    assert!(asked.starts_with("GET /a%2Fb//c?d=e HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("x-a: 1\r\n") && asked.contains(&format!("host: {address}\r\n")), "{asked}");
}
