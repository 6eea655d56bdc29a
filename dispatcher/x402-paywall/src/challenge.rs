//! The bill as a 402 carries it: in both generations of the protocol at once, so that a client of either can pay. Clients
//! of version 2 read the header alone, clients of version 1 the body alone.
//!
//! Most requests are unpaid, and what they are told differs by a URL, an error and a request's id: so the rest is written
//! out once for each price, and a bill is put together as text.

use serde::Serialize;
use serde_json::{Map, Value};
use x402_protocol::{
    Offer, PaymentFlow, Version, header, v1,
    v2::{IdentifierRule, PaymentRequired, ResourceInfo},
};

/// The price of something, and its description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    offer: Offer,
    identifier: IdentifierRule,
    listing: ResourceInfo,
    /// The extensions of the offer, for clients to echo.
    extensions: Map<String, Value>,
    /// [`PaymentRequired`] as JSON, from behind the resource's URL.
    v2_after_url: String,
    /// [`v1::PaymentRequirements`] as JSON, up to the resource's URL and from behind it.
    v1_around_url: Option<[String; 2]>,
}

impl Price {
    /// The listing's URL is each request's own: what stands there is left out.
    #[must_use]
    pub fn new(offer: Offer, identifier: IdentifierRule, listing: ResourceInfo) -> Self {
        let listing = ResourceInfo { url: String::new(), ..listing };
        let v1 = v1_requirements(&offer, identifier, &listing);
        let v1_around_url = v1.map(|requirements| around_empty(&requirements, "resource"));
        let extensions = identifier.declaration().into_iter().collect();
        let price = Self { offer, identifier, listing, extensions, v2_after_url: String::new(), v1_around_url };
        price.written_out()
    }

    /// With another extension declared, which version 2 alone can say.
    #[must_use]
    pub fn declaring(mut self, name: &str, declaration: Value) -> Self {
        self.extensions.insert(name.to_owned(), declaration);
        self.written_out()
    }

    fn written_out(mut self) -> Self {
        let required = PaymentRequired {
            x402_version: Version::V2,
            error: None,
            resource: self.listing.clone(),
            accepts: vec![self.offer.to_requirements()],
            extensions: self.extensions(),
        };
        let [_, v2_after_url] = around_empty(&required, "url");
        self.v2_after_url = v2_after_url;
        self
    }

    fn extensions(&self) -> Option<Map<String, Value>> {
        Some(self.extensions.clone()).filter(|extensions| !extensions.is_empty())
    }

    #[must_use]
    pub fn offer(&self) -> &Offer {
        &self.offer
    }

    #[must_use]
    pub fn identifier(&self) -> IdentifierRule {
        self.identifier
    }
}

/// The offers for a resource.
#[derive(Clone, Copy, Debug)]
pub struct Bill<'a> {
    pub price: &'a Price,
    /// The resource's, as the caller addressed it.
    pub url: &'a str,
}

impl<'a> Bill<'a> {
    #[must_use]
    pub fn offer(&self) -> &'a Offer {
        &self.price.offer
    }

    /// Value of the `PAYMENT-REQUIRED` header.
    #[must_use]
    pub fn header(&self, error: &str) -> String {
        let (error, url, rest) = (json(error), json(self.url), &self.price.v2_after_url);
        header::encode_text(&format!(r#"{{"x402Version":2,"error":{error},"resource":{{"url":{url}{rest}"#))
    }

    /// The resource as the offer describes it.
    #[must_use]
    pub fn resource(&self) -> ResourceInfo {
        ResourceInfo { url: self.url.to_owned(), ..self.price.listing.clone() }
    }

    /// The extensions of the offer, for clients to echo.
    #[must_use]
    pub fn extensions(&self) -> Option<Map<String, Value>> {
        self.price.extensions()
    }

    /// The offer in version 1. `None` where version 1 cannot say it: it has no permits, no identifiers and no payment flow.
    #[must_use]
    pub fn v1_requirements(&self) -> Option<v1::PaymentRequirements> {
        v1_requirements(&self.price.offer, self.price.identifier, &self.resource())
    }

    /// The body of a 402 for version 1, as JSON, with what every error of ours says added to it. `error` is a string here
    /// and not an object, because clients parse it so.
    #[must_use]
    pub fn v1_body(&self, code: &str, message: &str, request_id: &str) -> String {
        let accepts = match &self.price.v1_around_url {
            Some([before, after]) => format!("{before}{}{after}", json(self.url)),
            None => String::new(),
        };
        let (code, message, request_id) = (json(code), json(message), json(request_id));
        format!(
            r#"{{"x402Version":1,"error":{code},"accepts":[{accepts}],"code":{code},"message":{message},"request_id":{request_id}}}"#
        )
    }
}

fn v1_requirements(
    offer: &Offer,
    identifier: IdentifierRule,
    resource: &ResourceInfo,
) -> Option<v1::PaymentRequirements> {
    match (identifier, offer.flow) {
        (IdentifierRule::Required, _) | (_, PaymentFlow::Upfront) => None,
        _ => v1::PaymentRequirements::of(offer, resource),
    }
}

fn json(text: &str) -> String {
    serde_json::to_string(text).expect("any text can be written as JSON")
}

/// `value` as JSON, before and behind its first `key`, whose value is an empty text. No text inside can be taken for it,
/// because JSON escapes the quotes of what it quotes.
fn around_empty(value: &impl Serialize, key: &str) -> [String; 2] {
    let text = serde_json::to_string(value).expect("wire types have string keys and no failing serializers");
    let (before, after) = text.split_once(&format!(r#""{key}":"""#)).expect("the key is there, and empty");
    [format!(r#"{before}"{key}":"#), after.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use x402_protocol::{Address, Network};

    fn price(flow: PaymentFlow, identifier: IdentifierRule, description: &str) -> Price {
        let offer = Offer { flow, ..Offer::usdc(Network::BaseSepolia, 10_000.into(), Address([2; 20]), 60) };
        let description = Some(description.to_owned());
        Price::new(offer, identifier, ResourceInfo { description, ..ResourceInfo::default() })
    }

    #[test]
    fn a_bill_that_version_1_cannot_say_offers_it_nothing() {
        for price in [
            price(PaymentFlow::Authorization, IdentifierRule::Required, ""),
            price(PaymentFlow::Upfront, IdentifierRule::Optional, ""),
        ] {
            let bill = Bill { price: &price, url: "https://acme.example/" };
            let body: Value = serde_json::from_str(&bill.v1_body("payment_required", "pay", "r1")).unwrap();
            assert_eq!(body["accepts"], json!([]));
        }
    }

    proptest! {
        /// Whatever stands in what is put in between: neither what the seller says nor what a caller sends can end a text.
        #[test]
        fn a_bill_put_together_as_text_says_what_its_types_say(url in ".{0,60}", error in ".{0,20}", said in "(\"url\":\"\"|\"resource\":\"\"|.){0,20}") {
            let price = price(PaymentFlow::Authorization, IdentifierRule::Optional, &said);
            let bill = Bill { price: &price, url: &url };
            let header: PaymentRequired = serde_json::from_str(&header::decode(&bill.header(&error)).unwrap()).unwrap();
            prop_assert_eq!(header, PaymentRequired {
                x402_version: Version::V2,
                error: Some(error.clone()),
                resource: ResourceInfo { url: url.clone(), description: Some(said.clone()), ..ResourceInfo::default() },
                accepts: vec![price.offer().to_requirements()],
                extensions: bill.extensions(),
            });
            let body: Value = serde_json::from_str(&bill.v1_body(&error, &said, &url)).unwrap();
            prop_assert_eq!(body, json!({
                "x402Version": 1, "error": error, "accepts": [bill.v1_requirements()],
                "code": error, "message": said, "request_id": url,
            }));
        }
    }
}
