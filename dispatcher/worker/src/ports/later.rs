//! Work beside an answer, which the platform keeps going after the answer has left.

use dispatcher_core::ports::Later;
use std::future::Future;
use worker::Context;

pub struct WaitUntil(pub Context);

impl Later for WaitUntil {
    fn run(&self, work: impl Future<Output = ()> + 'static) {
        self.0.wait_until(work);
    }
}
