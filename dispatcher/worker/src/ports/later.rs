//! Work beside an answer, which the platform keeps going after the answer has left.

use crate::prompt;
use dispatcher_core::ports::Later;
use std::future::Future;
use worker::worker_sys::Context;

pub struct WaitUntil(pub Context);

impl Later for WaitUntil {
    fn run(&self, work: impl Future<Output = ()> + 'static) {
        prompt::keep(&self.0, work);
    }
}
