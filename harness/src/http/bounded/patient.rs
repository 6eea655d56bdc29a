//! A connection that hears the other side out. A server may answer and close while the request is still being sent, as it does
//! with 413 and 431 (RFC 9112, 9.6), and the reset that follows must not hide the answer that came before it.
//!
//! Surprising constraint: the system gives what had arrived before a reset only to who goes on reading. So a write that fails
//! counts as done, and the reading side alone says how the exchange ended.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub struct Patient<S> {
    stream: S,
    has_heard: bool,
    is_refused: bool,
}

impl<S> Patient<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, has_heard: false, is_refused: false }
    }
}

fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected)
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    /// A reset after the first byte is an end: what lacks bytes then is told by its own framing.
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Ready(Err(error)) if is_gone(&error) && self.has_heard => Poll::Ready(Ok(())),
            Poll::Ready(Ok(())) => {
                self.has_heard |= buf.filled().len() > before;
                Poll::Ready(Ok(()))
            }
            other => other,
        }
    }
}

impl<S: AsyncWrite + Unpin> Patient<S> {
    fn forgive<T>(&mut self, written: Poll<io::Result<T>>, done: T) -> Poll<io::Result<T>> {
        match written {
            Poll::Ready(Err(error)) if is_gone(&error) => {
                self.is_refused = true;
                Poll::Ready(Ok(done))
            }
            other => other,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_refused {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.forgive(written, bytes.len())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.forgive(flushed, ())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.forgive(shut, ())
    }
}
