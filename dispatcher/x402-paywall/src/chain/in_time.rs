//! A look at the chain that ends in time. Each question has a time-out of its own, and a node that keeps just within it could be
//! asked for minutes, while a caller waits and the payment is taken for one that nobody asks about.

use crate::{
    UnixMillis,
    facilitator::transport::{FacilitatorAnswer, FacilitatorTransport, HttpRequest, TransportError},
    time::Clock,
};

/// The time for all questions to all nodes, where a caller waits and where nobody does.
const LOOK_MS: [u64; 2] = [8_000, 30_000];

/// A transport whose calls are over by a certain time.
pub struct InTime<'a, T, C> {
    transport: &'a T,
    clock: &'a C,
    until: UnixMillis,
}

impl<'a, T, C: Clock> InTime<'a, T, C> {
    pub fn new(transport: &'a T, clock: &'a C, caller_waits: bool) -> Self {
        let until = clock.now().plus(LOOK_MS[usize::from(!caller_waits)]);
        Self { transport, clock, until }
    }
}

impl<T: FacilitatorTransport, C: Clock> FacilitatorTransport for InTime<'_, T, C> {
    async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        let left = self.until.since(self.clock.now());
        if left == 0 {
            return Err(TransportError::Timeout);
        }
        self.transport.send(HttpRequest { timeout_ms: request.timeout_ms.min(left), ..request }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        cell::Cell,
        pin::pin,
        task::{Context, Poll, Waker},
    };

    /// Takes all the time that it is given.
    struct Slow(Cell<u64>);

    impl FacilitatorTransport for Slow {
        async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
            self.0.set(self.0.get() + request.timeout_ms);
            Err(TransportError::Timeout)
        }
    }

    impl Clock for Slow {
        fn now(&self) -> UnixMillis {
            UnixMillis(self.0.get())
        }

        async fn sleep(&self, _millis: u64) {}
    }

    #[test]
    fn questions_share_the_time_and_then_nobody_is_asked() {
        for (caller_waits, all) in [(true, 8_000), (false, 30_000)] {
            let slow = Slow(Cell::new(0));
            let in_time = InTime::new(&slow, &slow, caller_waits);
            for _ in 0..40 {
                let request =
                    HttpRequest { url: "https://node", headers: &[], json: None, timeout_ms: 3_000, origin: None };
                let sent = pin!(in_time.send(request)).poll(&mut Context::from_waker(Waker::noop()));
                assert_eq!(sent, Poll::Ready(Err(TransportError::Timeout)));
            }
            assert_eq!(slow.0.get(), all);
        }
    }
}
