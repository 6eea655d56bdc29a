//! The program as it is typed, in one binary: linking it once is quicker.

mod claw;
mod publish;
mod purchase;
mod shop;
