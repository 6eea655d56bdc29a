//! One tenant as the catalogue tells of it, and a list of them in the two forms that programs read.

use crate::{bazaar::EXTENSION, calendar::utc, dispatch_key::DispatchKey, shown::Shown, tenant::Tenant};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use x402_paywall::{UnixMillis, challenge::Bill};
use x402_protocol::v2::PaymentRequirements;

/// The days that an uptime is measured over.
pub const UPTIME_DAYS: u64 = 7;

/// Documents that tell of a tenant, where nobody pays for them.
const DOCUMENTS: [&str; 2] = ["/openapi.json", "/llms.txt"];

/// A tenant as the catalogue tells of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// The tenant's id.
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// For people: `0.001 USDC`, or `free`.
    pub price: String,
    /// The ways to pay; none for what is free.
    pub accepts: Vec<PaymentRequirements>,
    pub method: String,
    pub url: String,
    pub response: Response,
    /// Documents of the tenant's own that tell more, and that cost nothing.
    pub documents: Vec<String>,
    /// `None`: it was not measured.
    pub uptime: Option<Uptime>,
    /// The command that buys.
    pub buy: String,
    /// The offer's extensions, for the bazaar's form.
    #[serde(skip)]
    extensions: Map<String, Value>,
}

/// The answer that a payment buys.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Response {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// JSON Schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<Value>,
}

/// A tenant's requests of the last [`UPTIME_DAYS`], by whether its Worker did what it was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uptime {
    pub good: u64,
    pub bad: u64,
}

impl Uptime {
    /// The share that was good. `None`: nobody asked.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        let all = self.good + self.bad;
        (all > 0).then(|| self.good as f64 / all as f64)
    }
}

impl Entry {
    /// `origin` is the dispatcher's own, for tenants below a slug. `None`: the tenant is not to be shown.
    #[must_use]
    pub fn of(tenant: &Tenant, key: &DispatchKey, origin: &str) -> Option<Self> {
        let Shown::At(path) = &tenant.shown else { return None };
        let base = match key {
            DispatchKey::Host(host) => format!("https://{host}"),
            DispatchKey::Slug(slug) => format!("{}/t/{slug}", origin.trim_end_matches('/')),
        };
        let url = format!("{base}{path}");
        let free = DOCUMENTS.iter().filter(|path| tenant.free_paths.iter().any(|free| free == *path));
        let documents = free.map(|path| format!("{base}{path}")).collect();
        let bill = tenant.price.as_ref().map(|price| Bill { price, url: &url });
        let resource = bill.as_ref().map(Bill::resource).unwrap_or_default();
        let extensions = bill.as_ref().and_then(Bill::extensions).unwrap_or_default();
        let declared = extensions.get(EXTENSION).cloned().unwrap_or_default();
        let method = declared.pointer("/info/input/method").and_then(Value::as_str).unwrap_or("GET");
        let accepts: Vec<_> = bill.as_ref().map(|bill| bill.offer().to_requirements()).into_iter().collect();
        let schemas = ["/schema/properties/output/properties/example", "/schema/properties/output"];
        Some(Self {
            name: tenant.id.clone(),
            title: resource.service_name,
            description: resource.description,
            tags: resource.tags,
            price: accepts.first().map_or("free".to_owned(), |terms| format!("{} USDC", usdc(&terms.amount))),
            accepts,
            method: method.to_owned(),
            response: Response {
                mime_type: resource.mime_type,
                schema: schemas.iter().find_map(|at| declared.pointer(at)).cloned(),
                example: declared.pointer("/info/output/example").cloned(),
            },
            documents,
            uptime: None,
            buy: format!("402claw call '{url}'"),
            url,
            extensions,
        })
    }

    /// An entry of nothing but a name.
    #[cfg(test)]
    pub(super) fn empty(name: String) -> Self {
        Self {
            name,
            title: None,
            description: None,
            tags: Vec::new(),
            price: "free".to_owned(),
            accepts: Vec::new(),
            method: "GET".to_owned(),
            url: String::new(),
            response: Response::default(),
            documents: Vec::new(),
            uptime: None,
            buy: String::new(),
            extensions: Map::new(),
        }
    }

    fn to_json(&self) -> Value {
        let mut told = json!(self);
        told["uptime"] = json!(
            self.uptime.map(|it| { json!({"share": it.share(), "good": it.good, "bad": it.bad, "days": UPTIME_DAYS}) })
        );
        told
    }
}

/// Entries as the catalogue's own JSON. `next` is the next page's `after`.
#[must_use]
pub fn document(entries: &[Entry], next: Option<u32>) -> Value {
    let entries: Vec<_> = entries.iter().map(Entry::to_json).collect();
    json!({"tenants": entries, "next": next.map(|page| page.to_string())})
}

/// The entries that sell, as facilitators list resources (`GET /discovery/resources`).
#[must_use]
pub fn bazaar(entries: &[Entry], next: Option<u32>, now: UnixMillis) -> Value {
    let item = |entry: &Entry| {
        json!({
            "resource": entry.url,
            "type": "http",
            "x402Version": 2,
            "accepts": entry.accepts,
            "lastUpdated": utc(now.0),
            "serviceName": entry.title,
            "description": entry.description,
            "tags": entry.tags,
            "extensions": entry.extensions,
        })
    };
    let items: Vec<_> = entries.iter().filter(|entry| !entry.accepts.is_empty()).map(item).collect();
    json!({"x402Version": 2, "items": items, "next": next.map(|page| page.to_string())})
}

/// Atomic units as people read them: whole digits, and no zeros behind the last.
#[must_use]
pub fn usdc(atomic: &str) -> String {
    let padded = format!("{atomic:0>7}");
    let (whole, fraction) = padded.split_at(padded.len() - 6);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{directory::Directory, tenant::Available};
    use x402_protocol::Network;

    /// The entries of a registry, as a dispatcher at `https://pay.example` shows them.
    pub fn entries(tenants: &Value) -> Vec<Entry> {
        let available = Available { network: Network::BaseSepolia, facilitators: [].into() };
        let directory = Directory::from_json(&json!({"tenants": tenants}).to_string(), &available).unwrap();
        assert_eq!(directory.left_out(), []);
        directory.shown().filter_map(|(key, tenant)| Entry::of(tenant, key, "https://pay.example/")).collect()
    }

    fn priced() -> Value {
        json!({"amount": "1500", "network": "eip155:84532", "payTo": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C",
        "description": "Rain by day", "mimeType": "application/json", "serviceName": "Rain", "tags": ["weather"],
        "bazaar": {
            "info": {"input": {"type": "http", "method": "POST"}, "output": {"type": "json", "example": {"mm": 3}}},
            "schema": {"type": "object", "properties": {"output": {"properties": {"example": {"required": ["mm"]}}}}},
        }})
    }

    #[test]
    fn an_entry_says_what_it_costs_what_comes_back_and_how_to_buy_it() {
        let rain = json!({"id": "rain", "plan": "pro", "slug": "rain", "price": priced(), "freePaths": ["/openapi.json"],
            "catalogue": {"path": "/v1/records"}});
        let [entry] = &entries(&json!([rain]))[..] else { panic!("one tenant is one entry") };
        assert_eq!((entry.price.as_str(), entry.method.as_str()), ("0.0015 USDC", "POST"));
        assert_eq!(entry.url, "https://pay.example/t/rain/v1/records");
        assert_eq!(entry.buy, "402claw call 'https://pay.example/t/rain/v1/records'");
        assert_eq!(entry.response.schema, Some(json!({"required": ["mm"]})));
        assert_eq!(entry.response.example, Some(json!({"mm": 3})));
        assert_eq!(entry.documents, ["https://pay.example/t/rain/openapi.json"]);
        let told = document(std::slice::from_ref(entry), Some(7));
        assert_eq!((&told["next"], &told["tenants"][0]["uptime"]), (&json!("7"), &Value::Null));
        assert_eq!(told["tenants"][0]["accepts"][0]["amount"], "1500");
    }

    #[test]
    fn the_bazaars_form_has_what_sells_with_its_terms_and_its_declaration() {
        let tenants = json!([
            {"id": "rain", "plan": "pro", "hosts": ["rain.example"], "slug": "rain", "price": priced()},
            {"id": "gift", "plan": "pro", "slug": "gift"},
        ]);
        let told = bazaar(&entries(&tenants), None, UnixMillis(0));
        assert_eq!(told["items"].as_array().unwrap().len(), 1);
        let item = &told["items"][0];
        assert_eq!((&item["resource"], &item["type"]), (&json!("https://rain.example/"), &json!("http")));
        assert_eq!(item["accepts"][0]["payTo"], "0x209693Bc6afc0C5328bA36FaF03C514EF312287C");
        assert_eq!(item["extensions"]["bazaar"]["info"]["input"]["method"], "POST");
        assert_eq!(item["lastUpdated"], "1970-01-01T00:00:00Z");
    }

    #[test]
    fn whoever_wants_to_be_hidden_is_and_a_tenant_of_several_names_stands_once() {
        let hidden = json!({"id": "a", "plan": "pro", "slug": "a", "price": priced(), "catalogue": {"hidden": true}});
        let several = json!({"id": "b", "plan": "pro", "hosts": ["x.example", "a.example"], "slug": "b"});
        let entries = entries(&json!([hidden, several]));
        let urls: Vec<_> = entries.iter().map(|entry| entry.url.as_str()).collect();
        assert_eq!(urls, ["https://x.example/"], "the name that comes first in its record");
    }

    #[test]
    fn an_amount_is_told_without_a_float() {
        for (atomic, told) in
            [("1", "0.000001"), ("10000", "0.01"), ("1000000", "1"), ("123456789012", "123456.789012")]
        {
            assert_eq!(usdc(atomic), told);
        }
    }

    #[test]
    fn an_uptime_of_nothing_is_none() {
        assert_eq!(Uptime::default().share(), None);
        assert_eq!(Uptime { good: 3, bad: 1 }.share(), Some(0.75));
    }
}
