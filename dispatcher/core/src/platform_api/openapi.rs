//! The OpenAPI document of the platform API, made of the table of its routes.

use super::route::{Parameter, ROUTES, Route};
use serde_json::{Map, Value, json};

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut paths = Map::new();
    for route in &ROUTES {
        let operations = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        if let Value::Object(operations) = operations {
            operations.insert(route.method.to_ascii_lowercase(), operation(route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "The dispatcher's platform API", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": {
                "Error": {
                    "type": "object",
                    "required": ["error"],
                    "properties": { "error": {
                        "type": "object",
                        "required": ["code", "message", "request_id"],
                        "properties": {
                            "code": { "type": "string" },
                            "message": { "type": "string" },
                            "request_id": { "type": "string" },
                        },
                    } },
                },
            },
        },
    })
}

fn operation(route: &Route) -> Value {
    let name = route.path.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(name, _)| name);
    let in_path =
        name.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
    let parameters: Vec<Value> = in_path.into_iter().chain(route.parameters.iter().map(in_query)).collect();
    let failure = |says: &str| json!({ "description": says, "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } } });
    let mut responses = Map::from_iter([(
        "200".to_owned(),
        json!({ "description": route.summary, "content": { route.answers: { "schema": {} } } }),
    )]);
    if let Some(scope) = route.scope {
        responses.insert("401".to_owned(), failure("no token, or one that opens nothing"));
        responses.insert("403".to_owned(), failure("the token lets its holder look and no more"));
        responses.insert("429".to_owned(), failure("too many wrong tokens came from the same address"));
        let operation = json!({
            "summary": route.summary,
            "operationId": format!("{:?}", route.resource),
            "description": format!("Wants a token of the scope `{}`.", scope.name()),
            "security": [{ "token": [] }],
            "parameters": parameters,
            "responses": responses,
        });
        return operation;
    }
    json!({
        "summary": route.summary,
        "operationId": format!("{:?}", route.resource),
        "security": [],
        "parameters": parameters,
        "responses": responses,
    })
}

fn in_query(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": "query",
        "required": parameter.is_required,
        "description": parameter.says,
        "example": parameter.example,
        "schema": { "type": "string" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform_api::{PlatformRequest, Scope, Tokens, read, request::Shown};

    const PAYMENT: &str = "eip155:84532:0x036cbd53842c5426634e7929541ec2318f3dcf7e:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed:0x0101010101010101010101010101010101010101010101010101010101010101";

    #[test]
    fn every_operation_of_the_document_is_answered_with_its_examples() {
        let document = document();
        let tokens = Tokens { operate: vec!["t".to_owned()], read: Vec::new() };
        let mut operations = 0;
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let parameters = operation["parameters"].as_array().unwrap();
                let pairs = parameters.iter().filter(|parameter| parameter["in"] == "query");
                let query =
                    pairs.map(|it| format!("{}={}", it["name"].as_str().unwrap(), it["example"].as_str().unwrap()));
                let query = query.collect::<Vec<_>>().join("&");
                let path = path.replace("{payment}", PAYMENT).replace("{tenant}", "acme");
                let authorization = (operation["security"] != json!([])).then_some("Bearer t");
                let shown = Shown { authorization, ..Shown::default() };
                let told = read(&method.to_ascii_uppercase(), &path, Some(&query), shown, &tokens);
                assert!(told.request.is_ok(), "{method} {path}?{query}: {told:?}");
                if let Ok(PlatformRequest::Kept(kept)) = told.request {
                    assert!(kept.question().is_ok(), "{kept:?}");
                }
                operations += 1;
            }
        }
        assert_eq!(operations, ROUTES.len());
    }

    #[test]
    fn what_changes_something_wants_another_scope_than_what_looks() {
        for route in &ROUTES {
            // A session begins with a token, and changes nothing itself.
            let expected = if route.method == "GET" { Scope::Read } else { Scope::Operate };
            assert!(route.scope.is_none_or(|scope| scope == expected), "{}", route.path);
        }
    }
}
