//! The dispatcher's events as they are kept. [`ingest`] stores a batch once, however often it comes; [`answer`] answers what
//! operators ask; [`books`] holds what was kept against the ledger; [`retention`] forgets.
//!
//! Everything here is SQL and what is made of its rows. Where the database is, [`store::Database`] says.

pub mod alerts;
pub mod answer;
pub mod books;
mod dashboard;
pub mod histogram;
pub mod ingest;
pub mod otlp;
pub mod payer;
pub mod retention;
pub mod schema;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod store;
pub mod trends;

pub use ingest::ingest;
pub use payer::PayerKey;
