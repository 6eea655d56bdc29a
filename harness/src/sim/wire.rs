//! The simulated tier's wire: hands requests to the edge, which lives on a thread of its own kind, and waits for answers.

use super::edge::Edge;
use futures_util::{FutureExt, future::BoxFuture};
use std::rc::Rc;
use tokio::sync::{mpsc, oneshot};
use traffic::{Broken, PATIENCE, Wire, WireAnswer, WireRequest};

/// A request on its way.
pub struct Incoming {
    /// Position of the dispatcher that it is for.
    pub dispatcher: usize,
    pub request: WireRequest,
    /// Dropped where the connection breaks.
    pub answer: oneshot::Sender<Result<WireAnswer, Broken>>,
}

pub struct SimWire {
    dispatchers: usize,
    to: mpsc::UnboundedSender<Incoming>,
}

impl SimWire {
    /// The client's end, and the edge's.
    #[must_use]
    pub fn new(dispatchers: usize) -> (Self, mpsc::UnboundedReceiver<Incoming>) {
        let (to, from) = mpsc::unbounded_channel();
        (Self { dispatchers, to }, from)
    }
}

impl Wire for SimWire {
    fn dispatchers(&self) -> usize {
        self.dispatchers
    }

    fn send(&self, dispatcher: usize, request: WireRequest) -> BoxFuture<'_, Result<WireAnswer, Broken>> {
        let (answer, answered) = oneshot::channel();
        let sent = self.to.send(Incoming { dispatcher, request, answer });
        async move {
            sent.map_err(|_| Broken("no route to host".to_owned()))?;
            match tokio::time::timeout(PATIENCE, answered).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => Err(Broken("connection reset".to_owned())),
                Err(_) => Err(Broken("timeout".to_owned())),
            }
        }
        .boxed()
    }
}

/// Takes requests in for as long as there are clients.
pub async fn listen(edge: Rc<Edge>, mut from: mpsc::UnboundedReceiver<Incoming>) {
    while let Some(incoming) = from.recv().await {
        edge.accept(incoming);
    }
}
