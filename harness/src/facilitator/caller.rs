//! A caller's socket, read and written by hand: hyper would neither reset it, nor cut an answer short, nor tell a caller
//! that went away from one that waits. How a request is read stands in `http1.rs`.

use super::http1::ReadError;
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// How long a caller has to close its side after ours; on loopback a millisecond does.
const LINGER: Duration = Duration::from_millis(500);

pub struct Caller {
    stream: TcpStream,
    /// Received and not yet taken.
    pub(super) buffer: Vec<u8>,
}

impl Caller {
    #[must_use]
    pub fn new(stream: TcpStream) -> Self {
        // Best effort: without it, dripped bytes are merely held together.
        let _ = stream.set_nodelay(true);
        Self { stream, buffer: Vec::new() }
    }

    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Whether the caller is known to have gone. A caller that left this very moment may be missed.
    pub fn is_gone(&mut self) -> bool {
        let mut chunk = [0; 1024];
        match self.stream.try_read(&mut chunk) {
            Ok(0) => true,
            Ok(read) => {
                self.buffer.extend_from_slice(&chunk[..read]);
                false
            }
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }

    /// Waits until the caller gives up. What it sends meanwhile is dropped, so that nothing grows.
    pub async fn gone(&mut self) {
        let mut chunk = [0; 1024];
        while self.stream.read(&mut chunk).await.is_ok_and(|read| read > 0) {}
    }

    /// Whether the caller gives up within `time`.
    pub async fn gone_within(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.gone()).await.is_ok()
    }

    /// Closes with an RST: what the caller has not read yet is lost to it.
    pub fn reset(self) {
        // Fails only on a socket that the caller has reset already.
        let _ = self.stream.set_zero_linger();
    }

    /// Closes with a FIN, and gives the caller time to see it: a socket closed with bytes unread sends an RST, which
    /// would take the answer with it.
    pub async fn close(mut self) {
        // Fails only where the caller has closed before us.
        let _ = self.stream.shutdown().await;
        self.gone_within(LINGER).await;
    }

    /// Takes `length` bytes off the buffer.
    pub(super) async fn take(&mut self, length: usize) -> Result<Vec<u8>, ReadError> {
        while self.buffer.len() < length {
            self.read().await?;
        }
        let rest = self.buffer.split_off(length);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    /// Reads what there is, at least a byte.
    pub(super) async fn read(&mut self) -> Result<(), ReadError> {
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) | Err(_) => Err(ReadError::Gone),
            Ok(_) => Ok(()),
        }
    }
}
