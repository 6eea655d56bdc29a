//! The desk at which questions about kept events are answered: nothing is kept in the simulation.

use dispatcher_core::{
    operations::question::{Asked, DeskError, Told},
    ports::Desk,
};

pub struct SimDesk;

impl Desk for SimDesk {
    async fn ask(&self, _asked: &Asked) -> Result<Told, DeskError> {
        Err(DeskError::Unavailable("the simulation keeps no events".to_owned()))
    }
}
