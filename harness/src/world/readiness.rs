//! Whether a server can be used. Surprising constraint: it may say that it is ready before its isolate has been started, so a
//! first request must have been answered too.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// One probe; a runtime that is still starting may take the request and never answer it.
const PROBE_LIMIT: Duration = Duration::from_secs(5);

/// Whether anything at all is answered: what the status says is for the judges.
pub async fn answers(port: u16, path: &str) -> bool {
    let probe = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut start = [0; 5];
        stream.read_exact(&mut start).await?;
        Ok::<_, std::io::Error>(start)
    };
    matches!(timeout(PROBE_LIMIT, probe).await, Ok(Ok(start)) if start == *b"HTTP/")
}
