//! The program as it is typed, in one binary: linking it once is quicker.

mod claw;
mod dispatcher;
mod multipart;
mod operations;
mod platform;
mod publish;
mod purchase;
mod shop;
