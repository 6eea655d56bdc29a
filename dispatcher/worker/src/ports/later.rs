//! Work beside an answer, which the platform keeps going after the answer has left.

use dispatcher_core::ports::Later;
use std::future::Future;
use worker::{Context, ScheduleContext};

/// The platform's word to wait, beside a request or beside what its clock asks for.
pub enum WaitUntil {
    Request(Context),
    Schedule(ScheduleContext),
}

impl Later for WaitUntil {
    fn run(&self, work: impl Future<Output = ()> + 'static) {
        match self {
            Self::Request(context) => context.wait_until(work),
            Self::Schedule(context) => context.wait_until(work),
        }
    }
}
