//! The machine that the harness runs on: its clock, files, streams, signals, processes and HTTP clients. Everything ambient comes
//! from here, so that the rest can be given another clock, another folder or no network at all.

pub mod clock;
pub mod diagnosis;
pub mod folders;
pub mod guard;
pub mod http_client;
pub mod interrupt;
pub mod output;
pub mod progress;
pub mod retry_after;
pub mod screen;
