//! The desk at which questions about kept events are answered.

use crate::sim::kept_events::KeptEvents;
use dispatcher_core::{
    operations::question::{Asked, DeskError, Told},
    ports::Desk,
};
use std::rc::Rc;

pub struct SimDesk(pub Rc<KeptEvents>);

impl Desk for SimDesk {
    async fn ask(&self, asked: &Asked) -> Result<Told, DeskError> {
        self.0.ask(asked).await
    }
}
