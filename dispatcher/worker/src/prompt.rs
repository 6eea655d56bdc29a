//! Polls a future once before any promise is made of it: most requests are answered without waiting for anything, and a promise
//! is a fourteenth of what such an answer costs.
//!
//! Surprising: the first poll's waker has nobody to wake yet. Some futures keep the waker of their first poll for good, so it
//! is one that passes on to whoever polls later.

use js_sys::futures::future_to_promise;
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Wake, Waker},
};
use wasm_bindgen::JsValue;

/// The value of a future that is done at once, or a promise of it.
pub fn answer<F>(future: F) -> Result<JsValue, JsValue>
where
    F: Future<Output = Result<JsValue, JsValue>> + 'static,
{
    match begin(future) {
        Begun::Done(value) => value,
        Begun::Waiting(rest) => Ok(future_to_promise(rest.finish()).into()),
    }
}

/// The outcome of a future's first poll.
enum Begun<F: Future> {
    Done(F::Output),
    /// The rest, to be polled again at once by whoever waits for it.
    Waiting(Rest<F>),
}

/// A future that waits for something.
struct Rest<F> {
    future: Pin<Box<F>>,
    relay: Arc<Relay>,
}

/// Wakes whoever polled last.
#[derive(Default)]
struct Relay(Mutex<Option<Waker>>);

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        let waker = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Polls `future` once.
fn begin<F: Future>(future: F) -> Begun<F> {
    let mut future = Box::pin(future);
    let relay = Arc::<Relay>::default();
    let waker = Waker::from(Arc::clone(&relay));
    match future.as_mut().poll(&mut Context::from_waker(&waker)) {
        Poll::Ready(output) => Begun::Done(output),
        Poll::Pending => Begun::Waiting(Rest { future, relay }),
    }
}

impl<F: Future> Rest<F> {
    /// Comes back once the future is done.
    async fn finish(mut self) -> F::Output {
        let waker = Waker::from(Arc::clone(&self.relay));
        poll_fn(|context| {
            let last = Some(context.waker().clone());
            *self.relay.0.lock().unwrap_or_else(PoisonError::into_inner) = last;
            self.future.as_mut().poll(&mut Context::from_waker(&waker))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        cell::{Cell, RefCell},
        rc::Rc,
        sync::atomic::{AtomicU32, Ordering},
    };

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn what_waits_for_nothing_is_done_at_once() {
        assert!(matches!(begin(async { 7 }), Begun::Done(7)));
    }

    #[test]
    fn a_future_that_keeps_its_first_waker_wakes_whoever_polled_last() {
        let (kept, is_ready) = (Rc::new(RefCell::new(None::<Waker>)), Rc::new(Cell::new(false)));
        let (keeps, reads) = (Rc::clone(&kept), Rc::clone(&is_ready));
        let future = poll_fn(move |context| {
            keeps.borrow_mut().get_or_insert_with(|| context.waker().clone());
            if reads.get() { Poll::Ready(7) } else { Poll::Pending }
        });
        let Begun::Waiting(rest) = begin(future) else { panic!("it is not ready") };
        let wake = || kept.borrow().as_ref().expect("it was polled").wake_by_ref();
        // Nobody polls it yet: whoever will, does so at once.
        wake();
        let woken = Arc::<Count>::default();
        let waker = Waker::from(Arc::clone(&woken));
        let mut rest = Box::pin(rest.finish());
        assert!(rest.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        is_ready.set(true);
        wake();
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        assert!(matches!(rest.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(7)));
    }
}
