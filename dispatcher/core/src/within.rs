//! A bound on how long something may take, by the platform's clock. What takes longer is dropped: it is not awaited again,
//! and whatever it would have come to is lost.

use std::{future::Future, pin::pin, task::Poll};
use x402_paywall::ports::Clock;

/// `None`: it was not done by then.
pub async fn within<T>(millis: u64, clock: &impl Clock, doing: impl Future<Output = T>) -> Option<T> {
    let (mut doing, mut limit) = (pin!(doing), pin!(clock.sleep(millis)));
    // Asked in this order: what is done at the last moment is done.
    std::future::poll_fn(|context| match doing.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => limit.as_mut().poll(context).map(|()| None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::Cell, task::Context, task::Waker};
    use x402_paywall::UnixMillis;

    /// Whose time passes when it is told to.
    #[derive(Default)]
    struct Told(Cell<u64>);

    impl Clock for Told {
        fn now(&self) -> UnixMillis {
            UnixMillis(self.0.get())
        }

        async fn sleep(&self, millis: u64) {
            let until = self.0.get() + millis;
            std::future::poll_fn(|_| if self.0.get() < until { Poll::Pending } else { Poll::Ready(()) }).await;
        }
    }

    #[test]
    fn what_is_done_in_time_counts_and_nothing_later() {
        for (done_at, done) in [(0, true), (99, true), (100, true), (101, false), (u64::MAX, false)] {
            let clock = Told::default();
            let doing = clock.sleep(done_at);
            let mut told = pin!(within(100, &clock, doing));
            let mut at = |millis| {
                clock.0.set(millis);
                told.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            };
            let told = [0, 99, 100].into_iter().map(&mut at).find_map(|poll| match poll {
                Poll::Ready(told) => Some(told),
                Poll::Pending => None,
            });
            assert_eq!(told, Some(done.then_some(())), "{done_at}");
        }
    }
}
