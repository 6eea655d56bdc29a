//! The database as it is used here: statements in one transaction, and rows as JSON.
//!
//! Surprising: every row has one column, which SQLite's own `json_object` wrote. So no adapter has to know types, and no number
//! loses digits on its way through a runtime that has only floating point.

use serde::de::DeserializeOwned;
use std::future::Future;

/// A statement with the values of its question marks.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub sql: &'static str,
    pub values: Vec<Value>,
}

/// A value that is bound.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    /// A whole number below 2^53.
    Number(u64),
    Text(String),
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The rows of one statement, each a JSON text.
pub type Rows = Vec<String>;

/// The database failed, or is not there. Whoever asked may try again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the telemetry's database: {0}")]
pub struct DatabaseError(pub String);

pub trait Database {
    /// Runs all statements in one transaction, or none.
    fn run(&self, statements: Vec<Statement>) -> impl Future<Output = Result<Vec<Rows>, DatabaseError>>;
}

impl Statement {
    #[must_use]
    pub fn new<const N: usize>(sql: &'static str, values: [Value; N]) -> Self {
        Self { sql, values: values.into() }
    }
}

/// Reads the rows of a statement.
pub fn read<T: DeserializeOwned>(rows: &Rows) -> Result<Vec<T>, DatabaseError> {
    let unreadable = |error: serde_json::Error| DatabaseError(format!("a row has another shape: {error}"));
    rows.iter().map(|row| serde_json::from_str(row).map_err(unreadable)).collect()
}

/// Asks one question.
pub async fn ask<T: DeserializeOwned>(database: &impl Database, statement: Statement) -> Result<Vec<T>, DatabaseError> {
    let rows = database.run(vec![statement]).await?;
    read(rows.first().ok_or_else(|| DatabaseError("no answer to a statement".to_owned()))?)
}
