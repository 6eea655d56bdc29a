//! SQLite in this process, in the database's place: the platform's is the same engine. For tests and the simulation; no Worker
//! has it.

use crate::store::{Database, DatabaseError, Rows, Statement, Value};
use rusqlite::{Connection, types::ToSql};
use std::cell::{Cell, RefCell};

pub struct Sqlite {
    connection: RefCell<Connection>,
    /// Fails every call from now on.
    pub is_down: Cell<bool>,
}

impl Sqlite {
    #[must_use]
    pub fn in_memory() -> Self {
        let connection = Connection::open_in_memory().expect("a database in memory can be opened");
        Self { connection: connection.into(), is_down: Cell::default() }
    }

    /// Every text that is stored, for whoever looks for what may not be.
    pub fn all_text(&self) -> String {
        let connection = self.connection.borrow();
        let dump = |table: &str| {
            let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).expect("a table");
            let columns = statement.column_count();
            let mut rows = statement.query([]).expect("rows");
            let mut text = String::new();
            while let Some(row) = rows.next().expect("a row") {
                for column in 0..columns {
                    text.push_str(&format!(
                        "{:?} ",
                        row.get_ref(column).expect("a column").as_str().map_or_else(|_| String::new(), str::to_owned)
                    ));
                }
            }
            text
        };
        ["event", "rollup", "latency", "payment", "batch", "dead_letter"].map(dump).concat()
    }
}

impl Database for Sqlite {
    async fn run(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DatabaseError> {
        if self.is_down.get() {
            return Err(DatabaseError("down".to_owned()));
        }
        let failed = |error: rusqlite::Error| DatabaseError(error.to_string());
        let mut connection = self.connection.borrow_mut();
        let transaction = connection.transaction().map_err(failed)?;
        let mut answers = Vec::new();
        for Statement { sql, values } in &statements {
            let mut prepared = transaction.prepare(sql).map_err(failed)?;
            let values: Vec<Box<dyn ToSql>> = values.iter().map(bound).collect();
            let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
            let mut rows = prepared.query(&values[..]).map_err(failed)?;
            let mut told = Vec::new();
            while let Some(row) = rows.next().map_err(failed)? {
                told.push(row.get(0).map_err(failed)?);
            }
            answers.push(told);
        }
        transaction.commit().map_err(failed)?;
        Ok(answers)
    }
}

fn bound(value: &Value) -> Box<dyn ToSql> {
    match value {
        Value::Null => Box::new(rusqlite::types::Null),
        // As D1 binds it, whose numbers come from JavaScript.
        Value::Number(number) => Box::new(*number as f64),
        Value::Text(text) => Box::new(text.clone()),
    }
}
