//! `tenant.json`: what a Worker's callers pay, and where it is found. Beside that it may hold what the namespace reads, in the words of
//! a wrangler config.

use serde::Deserialize;
use serde_json::Value;
use std::{fs, io, path::Path};
use x402_protocol::Address;

use scenario::{Name, Plan, Tenant, Usdc};

/// The dispatcher's part.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Raw {
    plan: Option<String>,
    /// In USDC.
    price: Option<Value>,
    hosts: Vec<String>,
    #[serde(rename = "payTo")]
    pay_to: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    plan: Plan,
    price: Option<Usdc>,
    hosts: Vec<String>,
    pay_to: Option<Address>,
}

#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("tenant.json cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("tenant.json is not valid: {0}")]
    Json(#[from] serde_json::Error),
    #[error("`{plan}` is not a plan: {}", Plan::ALL.map(Plan::as_str).join(", "))]
    Plan { plan: String },
    #[error("{0} is not a price: USDC in quotes, above 0 and at most 1, such as \"0.01\"")]
    Price(Value),
    #[error("`{0}` is no address to pay to: 0x and 40 hexadecimal digits")]
    PayTo(String),
}

impl Record {
    /// Without a file: free, on the plan `pro`, found by its slug alone.
    pub fn read(file: Option<&Path>) -> Result<Self, RecordError> {
        let raw: Raw = match file.map(fs::read_to_string) {
            None => Raw::default(),
            Some(text) => serde_json::from_str(&text?)?,
        };
        let plan = raw.plan.as_deref().unwrap_or("pro");
        let price = raw.price.filter(|price| !price.is_null()).map(|price| {
            let text = price.as_str().map_or_else(|| price.to_string(), str::to_owned);
            Usdc::new(&text).ok_or(RecordError::Price(price))
        });
        let pay_to = raw.pay_to.map(|text| text.parse().map_err(|_| RecordError::PayTo(text)));
        Ok(Self {
            plan: Plan::named(plan).ok_or_else(|| RecordError::Plan { plan: plan.to_owned() })?,
            price: price.transpose()?,
            hosts: raw.hosts,
            pay_to: pay_to.transpose()?,
        })
    }

    pub fn tenant(self, id: Name) -> Tenant {
        let tenant = Tenant::plain(id, self.plan, self.price).at_hosts(self.hosts);
        match self.pay_to {
            Some(address) => tenant.paid_to(address),
            None => tenant,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Record, RecordError> {
        let file = std::env::temp_dir().join(format!("402claw-record-{}-{}", std::process::id(), text.len()));
        fs::write(&file, text).unwrap();
        let record = Record::read(Some(&file));
        fs::remove_file(file).unwrap();
        record
    }

    #[test]
    fn a_record_says_plan_price_and_hosts_beside_what_the_namespace_reads() {
        let text =
            r#"{"plan":"business","price":"0.02","hosts":["shop.example"],"main":"src/index.ts","vars":{"A":1}}"#;
        let tenant = read(text).unwrap().tenant(Name::new("shop").unwrap());
        assert_eq!((tenant.plan(), tenant.price().map(Usdc::atomic)), (Plan::Business, Some(20_000)));
        assert_eq!(tenant.hosts(), ["shop.example"]);
        assert_eq!(read(r#"{"price":0.5}"#).unwrap().price.map(Usdc::atomic), Some(500_000));
        let none = Record::read(None).unwrap().tenant(Name::new("open").unwrap());
        assert_eq!((none.plan(), none.price()), (Plan::Pro, None));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_is_right() {
        for (text, said) in [
            (r#"{"plan":"gold"}"#, "`gold` is not a plan: free, pro,"),
            (r#"{"price":"2"}"#, "\"2\" is not a price"),
            (r#"{"price":true}"#, "true is not a price"),
            (r#"{"payTo":"0x1"}"#, "`0x1` is no address"),
            ("{", "tenant.json is not valid"),
        ] {
            let error = read(text).expect_err(text).to_string();
            assert!(error.starts_with(said), "{error}");
        }
    }
}
