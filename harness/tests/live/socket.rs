//! Requests that no HTTP client sends, over a bare socket.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The tenant that the answer names.
pub async fn reached(address: &str, target: &[u8], hosts: &[&[u8]], more: &str) -> Option<String> {
    let mut request = [b"GET ", target, b" HTTP/1.1\r\nConnection: close\r\n"].concat();
    for host in hosts {
        request.extend([b"Host: ", *host, b"\r\n"].concat());
    }
    request.extend(more.as_bytes());
    request.extend(b"\r\n");
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(&request).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.starts_with("HTTP/1.1 "), "{answer:?}");
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    let named = head.lines().find_map(|line| line.strip_prefix("x-tenant-id: "));
    named.map(str::to_owned)
}
