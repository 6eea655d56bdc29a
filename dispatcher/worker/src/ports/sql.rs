//! SQL in a Durable Object's storage: statements with their values, and rows as lists. Synchronous, as all of storage here.

use crate::glue;
use dispatcher_core::paywall::{UnixMillis, ports::LedgerError};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::State;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = js_sys::Object)]
    type SqlStorage;

    #[wasm_bindgen(method, getter)]
    fn sql(this: &SqlStorage) -> SqlBinding;

    #[wasm_bindgen(extends = js_sys::Object)]
    type SqlBinding;

    #[wasm_bindgen(method, catch, variadic)]
    fn exec(this: &SqlBinding, statement: &str, values: &Array) -> Result<Cursor, JsValue>;

    #[wasm_bindgen(extends = js_sys::Object)]
    type Cursor;

    /// The rows, each a list of its columns.
    #[wasm_bindgen(method)]
    fn raw(this: &Cursor) -> Rows;

    #[wasm_bindgen(extends = js_sys::Object)]
    type Rows;

    #[wasm_bindgen(method, catch, js_name = toArray)]
    fn to_array(this: &Rows) -> Result<Array, JsValue>;
}

/// The database of one object.
pub struct Sql(SqlBinding);

/// The columns of a payment that are times.
pub struct Times {
    /// `None`: as it was.
    pub due: Option<UnixMillis>,
    pub open_since: Option<UnixMillis>,
    pub settled_at: Option<UnixMillis>,
}

/// One row of an answer.
pub struct Row(Array);

impl Sql {
    pub fn of(state: &State) -> Self {
        let storage = state.as_raw().storage().expect("every object of ours has storage");
        Self(storage.unchecked_into::<SqlStorage>().sql())
    }

    /// Runs a statement with the values of its question marks, for its effect.
    pub fn run<const N: usize>(&self, statement: &str, values: [JsValue; N]) -> Result<(), LedgerError> {
        self.0.exec(statement, &values.into_iter().collect()).map(drop).map_err(failed)
    }

    /// Runs a statement for its rows.
    pub fn rows<const N: usize>(&self, statement: &str, values: [JsValue; N]) -> Result<Vec<Row>, LedgerError> {
        let cursor = self.0.exec(statement, &values.into_iter().collect()).map_err(failed)?;
        let rows = cursor.raw().to_array().map_err(failed)?;
        Ok(rows.iter().map(|row| Row(row.unchecked_into())).collect())
    }

    /// A payment's record, in a crossing.
    pub fn load(&self, payment: &str) -> Result<Option<String>, LedgerError> {
        glue::load(&self.0, payment).map_err(failed)
    }

    /// Stores a payment's record, and the body that comes along, in a crossing.
    pub fn save(&self, payment: &str, record: &str, times: &Times, body: Option<&[u8]>) -> Result<(), LedgerError> {
        let number = |at: Option<UnixMillis>| at.map(|at| at.0 as f64);
        let Times { due, open_since, settled_at } = *times;
        glue::save(&self.0, payment, record, number(due), number(open_since), number(settled_at), body).map_err(failed)
    }

    /// Runs a statement for its first row.
    pub fn row<const N: usize>(&self, statement: &str, values: [JsValue; N]) -> Result<Option<Row>, LedgerError> {
        Ok(self.rows(statement, values)?.into_iter().next())
    }
}

impl Row {
    pub fn text(&self, column: u32) -> Option<String> {
        self.0.get(column).as_string()
    }

    /// A whole number below 2^53.
    pub fn number(&self, column: u32) -> Option<u64> {
        self.0.get(column).as_f64().map(|number| number as u64)
    }

    pub fn bytes(&self, column: u32) -> Option<Vec<u8>> {
        let value = self.0.get(column);
        (!value.is_null() && !value.is_undefined()).then(|| Uint8Array::new(&value).to_vec())
    }
}

pub fn text(text: &str) -> JsValue {
    JsValue::from_str(text)
}

pub fn number(number: u64) -> JsValue {
    JsValue::from_f64(number as f64)
}

fn failed(thrown: JsValue) -> LedgerError {
    let message = thrown.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    LedgerError(format!("storage: {}", message.unwrap_or_default()))
}
