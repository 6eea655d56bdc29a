//! What machines read of a data set before they buy: OpenAPI with its price, `llms.txt`, `/.well-known/x402`, and the `bazaar`
//! extension of its offers. All of it is made of the tenant's record and of the data's own schema.

use crate::money::Usdc;
use dataset::{
    Dataset, Source,
    api::{self, Document, FREE, RECORDS, Site},
    query::{DEFAULT_LIMIT, MAX_LIMIT},
};
use serde_json::{Value, json};

pub const OPENAPI: &str = "/openapi.json";
pub const LLMS: &str = "/llms.txt";
pub const WELL_KNOWN: &str = "/.well-known/x402";

/// The offer, as documents tell it.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    pub slug: &'a str,
    pub host: Option<&'a str>,
    /// `None`: free.
    pub price: Option<Usdc>,
    pub network: &'a str,
    pub asset: String,
    pub pay_to: String,
    pub title: &'a str,
    pub description: &'a str,
}

impl Told<'_> {
    /// The URL of the API: at its host, or below the slug of whatever host the dispatcher has.
    #[must_use]
    pub fn base(&self) -> String {
        self.host.map_or_else(|| format!("/t/{}", self.slug), |host| format!("https://{host}"))
    }
}

/// Every path that nobody pays for.
#[must_use]
pub fn free_paths() -> Vec<&'static str> {
    FREE.into_iter().chain([OPENAPI, LLMS, WELL_KNOWN]).collect()
}

/// The documents, by their paths.
pub fn documents<S: Source>(dataset: &Dataset<S>, told: &Told<'_>) -> Site {
    let json = |value: Value| Document { media_type: "application/json".to_owned(), body: value.to_string() };
    let llms = Document { media_type: "text/plain; charset=utf-8".to_owned(), body: llms(dataset, told) };
    Site::from([
        (OPENAPI.to_owned(), json(openapi(dataset, told))),
        (LLMS.to_owned(), llms),
        (WELL_KNOWN.to_owned(), json(well_known(told))),
    ])
}

fn openapi<S: Source>(dataset: &Dataset<S>, told: &Told<'_>) -> Value {
    let parameter = |name: &str, what: &str, schema: Value| json!({"name": name, "in": "query", "description": what, "schema": schema});
    let text = json!({"type": "string"});
    let mut parameters = vec![
        parameter("columns", "those of the answer, as a,b", text.clone()),
        parameter("sort", "columns in order, as a,-b", text.clone()),
        parameter(
            "limit",
            "rows of a page",
            json!({"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}),
        ),
        parameter("cursor", "`next` of the page before", text),
    ];
    for column in &dataset.meta().columns {
        let schema = column.kind.json_type().map_or_else(|| json!({}), |json_type| json!({ "type": json_type }));
        let what = "equal to; column__op=value for gt, gte, lt, lte, not, in, notin, startswith, isnull, notnull";
        parameters.push(parameter(&column.name, what, schema));
    }
    let page = json!({
        "type": "object",
        "properties": {
            "rows": {"type": "array", "items": {"$ref": "#/components/schemas/Record"}},
            "next": {"type": ["string", "null"]},
            "total": {"type": "integer"},
        },
        "required": ["rows", "next", "total"],
    });
    let answer = |schema: Value| json!({"description": "OK", "content": {"application/json": {"schema": schema}, "text/csv": {}, "application/x-ndjson": {}}});
    let free = |summary: &str, schema: Value| json!({"get": {"summary": summary, "security": [], "responses": {"200": answer(schema)}}});
    let sold = |summary: &str, parameters: Value, schema: Value| {
        let mut operation = json!({
            "summary": summary,
            "parameters": parameters,
            "responses": {"200": answer(schema), "400": {"description": "The question is wrong. Nobody is charged."}},
        });
        if let Some(price) = told.price {
            operation["responses"]["402"] = json!({
                "description": "Payment required: x402, the offer is in the header PAYMENT-REQUIRED",
                "headers": {"PAYMENT-REQUIRED": {"schema": {"type": "string"}}},
            });
            operation["x-payment-info"] = json!({
                "protocols": ["x402"],
                "pricingMode": "fixed",
                "price": price.to_string(),
                "currency": "USDC",
                "amount": price.0.to_string(),
                "network": told.network,
                "asset": told.asset,
                "payTo": told.pay_to,
            });
        }
        json!({ "get": operation })
    };
    let id = json!([{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}]);
    let record = json!({"$ref": "#/components/schemas/Record"});
    let by_id = format!("{RECORDS}/{{id}}");
    json!({
        "openapi": "3.1.0",
        "info": {"title": told.title, "description": told.description, "version": dataset.meta().version},
        "servers": [{"url": told.base()}],
        "paths": {
            RECORDS: sold("Rows that pass filters, in order", json!(parameters), page.clone()),
            by_id.as_str(): sold("One row", id, record),
            api::SCHEMA: free("Columns and the words of queries", json!({"type": "object"})),
            api::PREVIEW: free("The first rows", page),
            api::STATS: free("What each column has", json!({"type": "object"})),
        },
        "components": {"schemas": {"Record": api::record_schema(dataset)}},
        "x-discovery": {"ownershipProofs": []},
    })
}

fn llms<S: Source>(dataset: &Dataset<S>, told: &Told<'_>) -> String {
    let meta = dataset.meta();
    let base = told.base();
    let price =
        told.price.map_or("free".to_owned(), |price| format!("{price} USDC a request, by x402 on {}", told.network));
    let columns: String =
        meta.columns.iter().map(|column| format!("- {} ({})\n", column.name, column.kind.as_str())).collect();
    format!(
        "# {}\n\n> {}\n\n{} rows, {}.\n\n## Paid\n\n- [Rows]({base}{RECORDS}): filter by column=value or column__gte=value; sort=a,-b; \
         columns=a,b; limit=1 to {MAX_LIMIT}; cursor=next\n- [One row]({base}{RECORDS}/ID)\n\n## Free\n\n- [Schema]({base}{}): columns, \
         types, words of queries\n- [Preview]({base}{}): the first rows\n- [Statistics]({base}{})\n- [OpenAPI]({base}{OPENAPI})\n\n\
         ## Columns\n\n{columns}\nA question that is wrong gets 400 and costs nothing. If an answer is 503, send the same payment again.\n",
        told.title,
        told.description,
        meta.rows,
        price,
        api::SCHEMA,
        api::PREVIEW,
        api::STATS,
    )
}

fn well_known(told: &Told<'_>) -> Value {
    let base = told.base();
    let resources: Vec<String> = told.price.iter().map(|_| format!("{base}{RECORDS}")).collect();
    json!({"version": 1, "resources": resources, "openapi": format!("{base}{OPENAPI}"), "instructions": format!("{base}{LLMS}")})
}

/// The `bazaar` extension: an example of a request, and the schema that it follows.
#[must_use]
pub fn bazaar() -> Value {
    let text = json!({"type": "string"});
    json!({
        "info": {
            "input": {"type": "http", "method": "GET", "queryParams": {"limit": "5"}},
            "output": {"type": "json", "example": {"rows": [], "next": null, "total": 0}},
        },
        "schema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "input": {
                    "type": "object",
                    "properties": {
                        "type": {"const": "http"},
                        "method": {"enum": ["GET"]},
                        "queryParams": {"type": "object", "properties": {"columns": text, "sort": text, "limit": text, "cursor": text}},
                    },
                    "required": ["type", "method"],
                },
                "output": {
                    "type": "object",
                    "properties": {"type": {"const": "json"}, "example": {"type": "object", "required": ["rows", "next", "total"]}},
                },
            },
            "required": ["input"],
        },
    })
}

/// Whether a value follows a schema, as far as the words go that the one above has.
#[must_use]
pub fn conforms(value: &Value, schema: &Value) -> bool {
    let is_of_type = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("string") => value.is_string(),
        Some(_) => false,
        None => true,
    };
    let is_constant = schema.get("const").is_none_or(|constant| constant == value);
    let is_listed = schema["enum"].as_array().is_none_or(|listed| listed.contains(value));
    let has_required = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .all(|name| value.get(name).is_some());
    let members = schema["properties"].as_object().into_iter().flatten();
    let members_conform =
        members.into_iter().all(|(name, schema)| value.get(name).is_none_or(|member| conforms(member, schema)));
    is_of_type && is_constant && is_listed && has_required && members_conform
}

#[cfg(test)]
mod tests {
    use super::*;
    use dataset::{Options, SourceOptions, build, source};

    fn told(price: Option<Usdc>) -> Told<'static> {
        Told {
            slug: "rain",
            host: None,
            price,
            network: "eip155:84532",
            asset: "0x1".to_owned(),
            pay_to: "0x2".to_owned(),
            title: "Rain",
            description: "Millimetres a day",
        }
    }

    fn site(price: Option<Usdc>) -> Site {
        let table = source::read(b"day,mm\n2026-01-01,3.5\n", &SourceOptions::default()).unwrap();
        let dataset = Dataset::open(build(&table, &Options::default()).unwrap()).unwrap();
        documents(&dataset, &told(price))
    }

    #[test]
    fn the_price_stands_at_what_is_sold_and_nowhere_else() {
        let site = site(Some(Usdc(1_000)));
        let openapi: Value = serde_json::from_str(&site[OPENAPI].body).unwrap();
        let paths = openapi["paths"].as_object().unwrap();
        for (path, item) in paths {
            let is_free = FREE.contains(&path.as_str());
            assert_eq!(item["get"]["x-payment-info"].is_null(), is_free, "{path}");
            assert_eq!(item["get"]["responses"]["402"].is_null(), is_free, "{path}");
        }
        assert_eq!(paths[RECORDS]["get"]["x-payment-info"]["amount"], "1000");
        assert_eq!(openapi["components"]["schemas"]["Record"]["properties"]["mm"]["type"], "number");
        assert!(site[LLMS].body.contains("- day (date)") && site[LLMS].body.contains("0.001 USDC a request"));
        let known: Value = serde_json::from_str(&site[WELL_KNOWN].body).unwrap();
        assert_eq!(known["resources"], json!(["/t/rain/v1/records"]));
    }

    #[test]
    fn what_is_free_asks_for_nothing() {
        let site = site(None);
        assert!(!site[OPENAPI].body.contains("x-payment-info"));
        assert!(site[WELL_KNOWN].body.contains("\"resources\":[]"));
    }

    #[test]
    fn the_example_follows_its_schema_and_a_wrong_one_does_not() {
        let bazaar = bazaar();
        assert!(conforms(&bazaar["info"], &bazaar["schema"]));
        for (place, wrong) in
            [("/input/method", json!("POST")), ("/input/type", json!("mcp")), ("/input/queryParams/limit", json!(5))]
        {
            let mut info = bazaar["info"].clone();
            *info.pointer_mut(place).unwrap() = wrong;
            assert!(!conforms(&info, &bazaar["schema"]), "{place}");
        }
        assert!(!conforms(&json!({}), &bazaar["schema"]));
    }
}
