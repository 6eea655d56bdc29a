//! D1, as the telemetry's database.

use js_sys::{Array, Object, Promise, Reflect, futures::JsFuture};
use std::cell::Cell;
use telemetry::{
    schema,
    store::{Database, DatabaseError, Rows, Statement, Value},
};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::Env;

/// The binding's name.
const BINDING: &str = "DB";

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = js_sys::Object)]
    type D1Binding;

    #[wasm_bindgen(method, catch)]
    fn prepare(this: &D1Binding, sql: &str) -> Result<Prepared, JsValue>;

    /// All statements in one transaction.
    #[wasm_bindgen(method, catch)]
    fn batch(this: &D1Binding, statements: &Array) -> Result<Promise, JsValue>;

    #[wasm_bindgen(extends = js_sys::Object)]
    type Prepared;

    #[wasm_bindgen(method, catch, variadic)]
    fn bind(this: &Prepared, values: &Array) -> Result<Prepared, JsValue>;
}

thread_local! {
    static IS_MIGRATED: Cell<bool> = const { Cell::new(false) };
}

pub struct D1(D1Binding);

/// The database, with its tables.
pub async fn open(env: &Env) -> Result<D1, DatabaseError> {
    let binding = Reflect::get(env, &BINDING.into()).ok().filter(JsValue::is_object);
    let binding = binding.ok_or_else(|| DatabaseError(format!("{BINDING} is not bound")))?;
    let database = D1(binding.unchecked_into());
    if !IS_MIGRATED.get() {
        schema::migrate(&database).await?;
        IS_MIGRATED.set(true);
    }
    Ok(database)
}

impl D1 {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Rows>, JsValue> {
        let prepared = Array::new();
        for Statement { sql, values } in statements {
            let statement = self.0.prepare(sql)?;
            let statement = match values.is_empty() {
                true => statement,
                false => statement.bind(&values.iter().map(bound).collect())?,
            };
            prepared.push(&statement);
        }
        let answers: Array = JsFuture::from(self.0.batch(&prepared)?).await?.unchecked_into();
        answers.iter().map(|answer| rows_of(&answer)).collect()
    }
}

impl Database for D1 {
    async fn run(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DatabaseError> {
        let failed = |thrown: JsValue| {
            let message = thrown.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
            DatabaseError(message.unwrap_or_else(|| "what was thrown is no error".to_owned()))
        };
        self.batch(&statements).await.map_err(failed)
    }
}

fn bound(value: &Value) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        Value::Number(number) => JsValue::from_f64(*number as f64),
        Value::Text(text) => JsValue::from_str(text),
    }
}

/// The one column of each row.
fn rows_of(answer: &JsValue) -> Result<Rows, JsValue> {
    let rows = Reflect::get(answer, &"results".into())?;
    let Some(rows) = rows.dyn_ref::<Array>() else { return Ok(Rows::new()) };
    Ok(rows.iter().filter_map(|row| Object::values(row.unchecked_ref::<Object>()).get(0).as_string()).collect())
}
