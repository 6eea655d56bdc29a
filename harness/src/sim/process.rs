//! The life of the dispatcher's processes: what they are doing, and that a dead one does nothing more.
//!
//! A process dies in the middle of whatever it does, between any two of its steps. So every port asks first whether it is
//! still alive, and what asks after its death waits for ever, until its tasks are taken away.

use futures_util::FutureExt;
use std::{
    cell::{Cell, RefCell},
    future::Future,
    rc::Rc,
};
use tokio::task::{JoinError, JoinSet};

#[derive(Clone, Default)]
pub struct Life(Rc<Inner>);

#[derive(Default)]
struct Inner {
    dead: Cell<bool>,
    tasks: RefCell<JoinSet<()>>,
    /// The messages of tasks that panicked.
    panics: RefCell<Vec<String>>,
}

impl Life {
    /// Comes back only while the process lives.
    pub async fn alive(&self) {
        if self.0.dead.get() {
            std::future::pending().await
        }
    }

    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.dead.get()
    }

    /// From now on nothing that the process does has an effect.
    pub fn end(&self) {
        self.0.dead.set(true);
    }

    /// Runs something for as long as the process lives.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let mut tasks = self.0.tasks.borrow_mut();
        while let Some(ended) = tasks.try_join_next() {
            self.note(ended);
        }
        // Boxed before the runtime moves it about: without optimisation, each of its layers copies a whole request's future.
        tasks.spawn_local(task.boxed_local());
    }

    /// Takes away whatever still runs. What panicked before is told.
    pub fn bury(&self) -> Vec<String> {
        self.end();
        let mut tasks = self.0.tasks.take();
        while let Some(ended) = tasks.try_join_next() {
            self.note(ended);
        }
        tasks.abort_all();
        self.0.panics.take()
    }

    fn note(&self, ended: Result<(), JoinError>) {
        if let Err(error) = ended
            && error.is_panic()
        {
            self.0.panics.borrow_mut().push(error.to_string());
        }
    }
}
