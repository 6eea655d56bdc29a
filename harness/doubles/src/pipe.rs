//! A connection inside this process, for the simulated tier: as much of a TCP stream as the doubles use, a reset included.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf};

/// The most bytes that are on their way and unread: about a socket's buffer on loopback, so that an answer that nobody
/// reads blocks its sender.
const IN_FLIGHT_BYTES: usize = 64 * 1024;

/// One end. Dropping it closes the connection.
pub struct PipeEnd {
    stream: DuplexStream,
    /// Set by the end that reset the connection.
    reset: Arc<AtomicBool>,
}

/// Both ends of a new connection.
#[must_use]
pub fn pipe() -> (PipeEnd, PipeEnd) {
    let (one, other) = tokio::io::duplex(IN_FLIGHT_BYTES);
    let reset = Arc::new(AtomicBool::new(false));
    (PipeEnd { stream: one, reset: Arc::clone(&reset) }, PipeEnd { stream: other, reset })
}

impl PipeEnd {
    pub async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Appends what there is, at least a byte; 0 at the end of the stream.
    pub async fn read_buf(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let read = self.stream.read_buf(buffer).await?;
        self.unless_reset(read)
    }

    pub async fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(chunk).await?;
        self.unless_reset(read)
    }

    /// Returns the bytes that are there now, without waiting.
    pub fn try_read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(chunk);
        match Pin::new(&mut self.stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer) {
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
            Poll::Ready(read) => read.and_then(|()| self.unless_reset(buffer.filled().len())),
        }
    }

    pub async fn shutdown(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    pub fn reset(self) {
        self.reset.store(true, Ordering::Relaxed);
    }

    fn unless_reset(&self, read: usize) -> io::Result<usize> {
        if read == 0 && self.reset.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_close_ends_the_stream_and_a_reset_breaks_it() {
        let (mut ours, mut theirs) = pipe();
        assert_eq!(ours.try_read(&mut [0; 8]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        theirs.write_all(b"hello").await.unwrap();
        drop(theirs);
        let mut chunk = [0; 8];
        assert_eq!((ours.try_read(&mut chunk).unwrap(), &chunk[..5]), (5, &b"hello"[..]));
        assert_eq!(ours.read(&mut chunk).await.unwrap(), 0);

        let (mut ours, theirs) = pipe();
        theirs.reset();
        assert_eq!(ours.read(&mut chunk).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(ours.write_all(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
