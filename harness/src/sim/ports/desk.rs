//! The desk at which questions about kept events are answered: nothing is kept in the simulation.

use dispatcher_core::{
    operations::question::{Question, Told},
    ports::Desk,
};

pub struct SimDesk;

impl Desk for SimDesk {
    async fn ask(&self, _question: &Question) -> Result<Told, String> {
        Err("the simulation keeps no events".to_owned())
    }
}
