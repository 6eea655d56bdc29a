//! The tenants and facilitators that a dispatcher is configured with.

use super::PAY_TO;
use dispatcher_core::{Config, config::Vars};
use serde_json::{Value, json};
use std::{collections::BTreeMap, rc::Rc};

pub const FACILITATORS: &str = r#"[{"id":"primary","url":"https://primary"},{"id":"standby","url":"https://standby"}]"#;

pub fn directory() -> Value {
    let price = json!({"amount": "10000", "network": "eip155:84532", "payTo": PAY_TO});
    let ruled = |rule: &str| {
        let mut price = price.clone();
        price["paymentIdentifier"] = rule.into();
        price
    };
    let mut upfront = price.clone();
    upfront["paymentFlow"] = "upfront".into();
    json!({"tenants": [
        {"id": "acme", "plan": "pro", "slug": "acme", "price": price},
        {"id": "globex", "plan": "business", "slug": "globex", "price": price},
        {"id": "free", "plan": "free", "slug": "free"},
        {"id": "strict", "plan": "pro", "slug": "strict", "price": ruled("required")},
        {"id": "plain", "plan": "pro", "slug": "plain", "price": ruled("off")},
        {"id": "upfront", "plan": "pro", "slug": "upfront", "price": upfront},
    ]})
}

pub fn config(directory: &Value, facilitators: &str, secrets: &[(&str, &str)]) -> Rc<Config> {
    let vars = Vars {
        environment: Some("test".to_owned()),
        tenant_directory: Some(directory.to_string()),
        facilitators: Some(facilitators.to_owned()),
        cpu_limit_policy: Some("quarantine".to_owned()),
        ..Vars::default()
    };
    let secrets: BTreeMap<_, _> =
        secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Rc::new(Config::from_vars(&vars, &secrets).unwrap())
}
