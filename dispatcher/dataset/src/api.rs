//! The API over a data set: a request in, an answer out. Nothing here knows a runtime.
//!
//! Surprising constraint: whatever is not an answer has a status of 400 and above, because the dispatcher charges for what is
//! below 300 alone. A question that is refused costs its caller nothing, and nor does one whose answer is known (304).

use crate::{
    bytes::Source,
    kind::Kind,
    query::{DEFAULT_LIMIT, MAX_FILTERS, MAX_LIMIT, MAX_SORT_COLUMNS, Query, QueryError, decoded},
    read::Dataset,
    render::{Form, ROW_ID, Renderer},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub const RECORDS: &str = "/v1/records";
pub const SCHEMA: &str = "/v1/schema";
pub const PREVIEW: &str = "/v1/preview";
pub const STATS: &str = "/v1/stats";
/// The facts of every data set that anybody may read.
pub const FREE: [&str; 3] = [SCHEMA, PREVIEW, STATS];

/// Documents beside the data, by path, such as `/llms.txt`.
pub type Site = BTreeMap<String, Document>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Document {
    pub media_type: String,
    pub body: String,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    pub method: &'a str,
    pub path: &'a str,
    /// The text behind `?`.
    pub query: &'a str,
    pub accept: Option<&'a str>,
    pub if_none_match: Option<&'a str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Response {
    fn of(status: u16, media_type: &str, body: String) -> Self {
        // A cell or a question that looks like a page must not become one.
        let headers = vec![("content-type", media_type.to_owned()), ("x-content-type-options", "nosniff".to_owned())];
        Self { status, headers, body }
    }

    fn error(status: u16, code: &str, message: &str) -> Self {
        Self::of(status, "application/json", json!({"error": {"code": code, "message": message}}).to_string())
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|(known, value)| (*known == name).then_some(value.as_str()))
    }
}

impl From<QueryError> for Response {
    fn from(QueryError { parameter, what }: QueryError) -> Self {
        let error = json!({"code": "invalid_query", "message": what, "parameter": parameter});
        Self::of(400, "application/json", json!({ "error": error }).to_string())
    }
}

/// Answers a request. A HEAD gets what a GET would, without its body.
pub fn answer<S: Source>(dataset: &Dataset<S>, site: &Site, request: &Request<'_>) -> Response {
    if !matches!(request.method, "GET" | "HEAD") {
        return Response::error(405, "method_not_allowed", "only GET and HEAD are possible")
            .with("allow", "GET, HEAD".to_owned());
    }
    let mut response = told(dataset, site, request);
    if request.method == "HEAD" {
        response.body.clear();
    }
    response
}

fn told<S: Source>(dataset: &Dataset<S>, site: &Site, request: &Request<'_>) -> Response {
    let meta = dataset.meta();
    let document = match request.path {
        RECORDS => return records(dataset, request),
        SCHEMA => schema(dataset),
        STATS => stats(dataset),
        PREVIEW if meta.preview == 0 => {
            return Response::error(404, "no_preview", "the seller shows no rows without a payment");
        }
        PREVIEW => {
            return match form_of(request.accept) {
                None => unacceptable(),
                Some(form) => rows(dataset, &format!("limit={}", meta.preview), form, request),
            };
        }
        path => {
            if let Some(id) = path.strip_prefix(RECORDS).and_then(|rest| rest.strip_prefix('/')) {
                return record(dataset, id, request);
            }
            return match site.get(path) {
                Some(Document { media_type, body }) => {
                    let tag = tag(&meta.version, &[path, body]);
                    fresh(&tag, request)
                        .unwrap_or_else(|| Response::of(200, media_type, body.clone()).with("etag", tag))
                }
                None => not_found(site),
            };
        }
    };
    let tag = tag(&meta.version, &[request.path]);
    let known = fresh(&tag, request);
    known.unwrap_or_else(|| Response::of(200, "application/json", document.to_string()).with("etag", tag))
}

fn not_found(site: &Site) -> Response {
    let by_id = format!("{RECORDS}/{{id}}");
    let paths: Vec<&str> =
        [RECORDS, &by_id, SCHEMA, PREVIEW, STATS].into_iter().chain(site.keys().map(String::as_str)).collect();
    Response::error(404, "not_found", &format!("there are {}", paths.join(", ")))
}

fn records<S: Source>(dataset: &Dataset<S>, request: &Request<'_>) -> Response {
    match form_of(request.accept) {
        None => unacceptable(),
        Some(form) => rows(dataset, request.query, form, request),
    }
}

fn rows<S: Source>(dataset: &Dataset<S>, query: &str, form: Form, request: &Request<'_>) -> Response {
    let query_text = query;
    let query = match Query::parse(query, dataset) {
        Ok(query) => query,
        Err(error) => return error.into(),
    };
    let tag = tag(&dataset.meta().version, &[request.path, query_text, form.media_type()]);
    if let Some(known) = fresh(&tag, request) {
        return known;
    }
    let page = query.run(dataset);
    let (text, page) = Renderer::new(dataset, &query.columns).page(page, form);
    let response = Response::of(200, form.media_type(), text)
        .with("etag", tag)
        .with("vary", "accept".to_owned())
        .with("x-total-count", page.total.to_string());
    match page.next(dataset) {
        Some(next) => response.with("x-next-cursor", next),
        None => response,
    }
}

fn record<S: Source>(dataset: &Dataset<S>, id: &str, request: &Request<'_>) -> Response {
    let Some(form) = form_of(request.accept) else { return unacceptable() };
    // A plus is one in a path.
    let id = match decoded(&id.replace('+', "%2B")) {
        Ok(id) => id,
        Err(error) => return error.into(),
    };
    if !request.query.is_empty() {
        return QueryError { parameter: request.query.to_owned(), what: "one record takes no parameters".to_owned() }
            .into();
    }
    let tag = tag(&dataset.meta().version, &[request.path, form.media_type()]);
    // Before it is looked for: whoever makes the tag up would learn from a 304, for nothing, which ids there are.
    if let Some(known) = fresh(&tag, request) {
        return known;
    }
    let Some(row) = row_of(dataset, &id) else {
        let by = dataset.meta().id.map_or(ROW_ID, |column| &dataset.meta().columns[column].name);
        return Response::error(404, "no_such_record", &format!("no record has this {by}"));
    };
    let all: Vec<usize> = (0..dataset.meta().columns.len()).collect();
    let mut renderer = Renderer::new(dataset, &all);
    let text = match form {
        Form::Csv => renderer.csv(row),
        Form::Json | Form::Ndjson => {
            let mut text = String::new();
            renderer.object(row, &mut text);
            text
        }
    };
    Response::of(200, form.media_type(), text).with("etag", tag).with("vary", "accept".to_owned())
}

fn row_of<S: Source>(dataset: &Dataset<S>, id: &str) -> Option<usize> {
    let meta = dataset.meta();
    let Some(column) = meta.id else {
        let row: usize = id.parse().ok()?;
        return (1..=meta.rows).contains(&row).then(|| row - 1);
    };
    let column = dataset.column(column);
    let text = column.meta.kind.check(id.into()).ok()?;
    let codes = column.codes_of(column.meta.kind, &text);
    // `1.0` and `1` are two ids, and one number.
    let code = codes.into_iter().find(|code| column.word(*code).as_deref() == Some(&*text))?;
    Some(column.first_row(code))
}

/// The columns, as JSON Schema has them and as queries name them.
pub fn schema<S>(dataset: &Dataset<S>) -> Value
where
    S: Source,
{
    let meta = dataset.meta();
    let columns: Vec<Value> = meta
        .columns
        .iter()
        .map(|column| json!({"name": column.name, "type": column.kind, "jsonType": column.kind.json_type(), "nullable": column.nulls > 0}))
        .collect();
    json!({
        "name": meta.about.name,
        "description": meta.about.description,
        "version": meta.version,
        "rows": meta.rows,
        "id": meta.id.map_or(ROW_ID, |column| &meta.columns[column].name),
        "columns": columns,
        "record": record_schema(dataset),
        "query": {
            "columns": "columns=a,b",
            "sort": format!("sort=a,-b; at most {MAX_SORT_COLUMNS} columns; nulls come first, and last where it is turned round"),
            "filter": format!("column=value, column__op=value or filter[column]op=value; at most {MAX_FILTERS}"),
            "ops": ["exact", "eq", "not", "neq", "lt", "lte", "lteq", "gt", "gte", "gteq", "in", "notin", "startswith", "isnull", "notnull"],
            "limit": format!("limit=1 to {MAX_LIMIT}, {DEFAULT_LIMIT} without it; a page of 900 kB ends earlier"),
            "cursor": "cursor=NEXT, the `next` of the page before (x-next-cursor for CSV and NDJSON)",
        },
        "forms": ["application/json", "text/csv", "application/x-ndjson"],
    })
}

/// The JSON Schema of a row.
pub fn record_schema<S: Source>(dataset: &Dataset<S>) -> Value {
    let meta = dataset.meta();
    let mut properties = Map::new();
    if meta.id.is_none() && meta.column(ROW_ID).is_none() {
        properties.insert(ROW_ID.to_owned(), json!({"type": "integer"}));
    }
    for column in &meta.columns {
        let mut property = Map::new();
        if let Some(json_type) = column.kind.json_type() {
            let types = if column.nulls > 0 { json!([json_type, "null"]) } else { json!(json_type) };
            property.insert("type".to_owned(), types);
        }
        let format = match column.kind {
            Kind::Date => Some("date"),
            Kind::Timestamp => Some("date-time"),
            _ => None,
        };
        if let Some(format) = format {
            property.insert("format".to_owned(), json!(format));
        }
        properties.insert(column.name.clone(), Value::Object(property));
    }
    json!({"type": "object", "properties": properties})
}

fn stats<S: Source>(dataset: &Dataset<S>) -> Value {
    let meta = dataset.meta();
    // The least and the greatest are cells that somebody sells: a seller who shows no row shows no cell.
    let shows_cells = meta.preview > 0;
    let columns: Vec<Value> = meta
        .columns
        .iter()
        .map(|column| {
            let cell = |cell: &Option<String>| cell.clone().filter(|_| shows_cells);
            let (min, max) = (cell(&column.min), cell(&column.max));
            json!({"name": column.name, "nulls": column.nulls, "distinct": column.distinct, "min": min, "max": max})
        })
        .collect();
    json!({"version": meta.version, "rows": meta.rows, "columns": columns})
}

/// The form that a caller wants most of those that there are; JSON where it does not say.
fn form_of(accept: Option<&str>) -> Option<Form> {
    let accept = accept.filter(|accept| !accept.trim().is_empty()).unwrap_or("*/*");
    let mut best: Option<(Form, u32)> = None;
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let form = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "*/*" | "application/*" | "application/json" => Form::Json,
            "text/csv" | "text/*" => Form::Csv,
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Form::Ndjson,
            _ => continue,
        };
        let quality = parts
            .find_map(|part| part.strip_prefix("q="))
            .map_or(1_000, |q| q.parse::<f32>().map_or(0, |q| (q.clamp(0.0, 1.0) * 1_000.0) as u32));
        if quality > 0 && best.is_none_or(|(_, before)| quality > before) {
            best = Some((form, quality));
        }
    }
    best.map(|(form, _)| form)
}

fn unacceptable() -> Response {
    Response::error(406, "not_acceptable", "there are application/json, text/csv and application/x-ndjson")
}

/// Names one answer: of this version of the data, to this question, in this form.
fn tag(version: &str, parts: &[&str]) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in parts.iter().flat_map(|part| part.bytes().chain([0])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("\"{version}-{hash:016x}\"")
}

/// A 304 where the caller has this answer.
fn fresh(tag: &str, request: &Request<'_>) -> Option<Response> {
    let known = request.if_none_match?.split(',').map(|known| known.trim().trim_start_matches("W/"));
    let has = known.into_iter().any(|known| known == tag || known == "*");
    has.then(|| Response { status: 304, headers: vec![("etag", tag.to_owned())], body: String::new() })
}

#[cfg(test)]
mod tests;
