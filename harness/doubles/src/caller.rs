//! A caller's connection, read and written by hand: hyper would neither reset it, nor cut an answer short, nor tell a caller
//! that went away from one that waits. How a request is read stands in `http1.rs`.

use super::{pipe::PipeEnd, read_error::ReadError};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// How long a caller has to close its side after ours; on loopback a millisecond does.
const LINGER: Duration = Duration::from_millis(500);

pub struct Caller {
    line: Line,
    /// Received and not yet taken.
    pub(super) buffer: Vec<u8>,
}

/// The connection of the caller: a socket, or in the simulated tier a pipe.
enum Line {
    Tcp(TcpStream),
    Pipe(PipeEnd),
}

impl From<TcpStream> for Caller {
    fn from(stream: TcpStream) -> Self {
        // Best effort: without it, dripped bytes are merely held together.
        let _ = stream.set_nodelay(true);
        Self { line: Line::Tcp(stream), buffer: Vec::new() }
    }
}

impl From<PipeEnd> for Caller {
    fn from(end: PipeEnd) -> Self {
        Self { line: Line::Pipe(end), buffer: Vec::new() }
    }
}

impl Caller {
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.line {
            Line::Tcp(stream) => stream.write_all(bytes).await,
            Line::Pipe(end) => end.write_all(bytes).await,
        }
    }

    /// Whether the caller is known to have gone. A caller that left this very moment may be missed.
    pub fn is_gone(&mut self) -> bool {
        let mut chunk = [0; 1024];
        let read = match &mut self.line {
            Line::Tcp(stream) => stream.try_read(&mut chunk),
            Line::Pipe(end) => end.try_read(&mut chunk),
        };
        match read {
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
        let mut read = async || match &mut self.line {
            Line::Tcp(stream) => stream.read(&mut chunk).await,
            Line::Pipe(end) => end.read(&mut chunk).await,
        };
        while read().await.is_ok_and(|read| read > 0) {}
    }

    /// Whether the caller gives up within `time`.
    pub async fn gone_within(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.gone()).await.is_ok()
    }

    /// Closes with an RST: what the caller has not read yet is lost to it.
    pub fn reset(self) {
        match self.line {
            Line::Tcp(stream) => {
                // Fails only on a socket that the caller has reset already.
                let _ = stream.set_zero_linger();
            }
            Line::Pipe(end) => end.reset(),
        }
    }

    /// Closes with a FIN, and gives the caller time to see it: a socket closed with bytes unread sends an RST, which
    /// would take the answer with it.
    pub async fn close(mut self) {
        // Fails only where the caller has closed before us.
        let _ = match &mut self.line {
            Line::Tcp(stream) => stream.shutdown().await,
            Line::Pipe(end) => end.shutdown().await,
        };
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
        let read = match &mut self.line {
            Line::Tcp(stream) => stream.read_buf(&mut self.buffer).await,
            Line::Pipe(end) => end.read_buf(&mut self.buffer).await,
        };
        match read {
            Ok(0) | Err(_) => Err(ReadError::Gone),
            Ok(_) => Ok(()),
        }
    }
}
