//! The answer that came back, and the request that it came to.

use super::{
    SHARED_HOST, World,
    payment::Payment,
    ready,
    tenant::{SimRequest, SimResponse},
};
use dispatcher_core::{
    answer::{Answer, Body},
    protocol::{
        Offer, Version, header,
        v2::{PaymentRequired, SettleResponse},
    },
};
use serde_json::Value;

/// The answer that came back.
pub struct Got {
    pub status: u16,
    headers: Vec<(String, String)>,
    body: String,
    json: Value,
}

impl Got {
    /// Empty where the body is no error.
    pub fn code(&self) -> &str {
        self.json["error"]["code"].as_str().or(self.json["error"].as_str()).unwrap_or_default()
    }

    pub fn text(&self) -> &str {
        &self.body
    }

    pub fn json(&self) -> &Value {
        &self.json
    }

    /// Every value of a header, for what may not be said twice.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let of_name = self.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        of_name.map(|(_, value)| value.as_str()).collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub fn offer(&self) -> Option<Offer> {
        self.header(header::PAYMENT_REQUIRED)?;
        Some(Offer::from_requirements(&self.required().accepts[0]).unwrap())
    }

    pub fn required(&self) -> PaymentRequired {
        let json = header::decode(self.header(header::PAYMENT_REQUIRED).unwrap()).unwrap();
        serde_json::from_str(&json).unwrap()
    }

    pub fn payment_response(&self) -> Option<SettleResponse> {
        self.payment_response_in(Version::V2)
    }

    pub fn payment_response_in(&self, version: Version) -> Option<SettleResponse> {
        let json = header::decode(self.header(version.response_header())?).unwrap();
        Some(serde_json::from_str(&json).unwrap())
    }
}

impl World {
    /// Sends a payment as whoever reads it off the chain can: from another address, with all that is in it.
    pub fn get_as_a_stranger(&self, target: &str, payment: &Payment) -> Got {
        let headers = [("payment-signature", payment.header.as_str()), ("cf-connecting-ip", "198.51.100.1")];
        self.send_headers("GET", target, &headers)
    }

    pub fn get(&self, target: &str, payment: Option<&Payment>) -> Got {
        self.get_with(target, payment.map(|payment| payment.header.as_str()))
    }

    /// From this address.
    pub fn get_from(&self, address: &str, target: &str, payment: Option<&Payment>) -> Got {
        let payment = payment.map(|payment| (header::PAYMENT_SIGNATURE, payment.header.as_str()));
        let headers = [("cf-connecting-ip", address)].into_iter().chain(payment).collect::<Vec<_>>();
        self.send_headers("GET", target, &headers)
    }

    pub fn get_with(&self, target: &str, payment: Option<&str>) -> Got {
        self.send("GET", target, payment)
    }

    pub fn send(&self, method: &str, target: &str, payment: Option<&str>) -> Got {
        let payment = payment.map(|payment| (header::PAYMENT_SIGNATURE, payment));
        self.send_headers(method, target, payment.as_slice())
    }

    /// A GET at another host than the one that tenants share.
    pub fn at_host(&self, host: &str, target: &str, payment: Option<&Payment>) -> Got {
        let payment = payment.map(|payment| (header::PAYMENT_SIGNATURE, payment.header.as_str()));
        self.request("GET", host, target, payment.as_slice())
    }

    pub fn send_headers(&self, method: &str, target: &str, headers: &[(&'static str, &str)]) -> Got {
        self.request(method, SHARED_HOST, target, headers)
    }

    fn request(&self, method: &str, host: &str, target: &str, headers: &[(&'static str, &str)]) -> Got {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let (method, origin) = (method.to_owned(), format!("https://{host}"));
        let request = SimRequest { method, origin, path: path.to_owned(), query, headers };
        let handled = ready(self.dispatcher.handle(&request));
        if let Some(ticket) = handled.leaving {
            // As in the Worker: a confirmation that gets lost changes nothing for the caller.
            let _ = ready(self.dispatcher.handed_over(&ticket, true));
        }
        self.exchange();
        got(handled.answer)
    }
}

fn got(answer: Answer<SimResponse>) -> Got {
    let (body, mut headers) = match answer.body {
        Body::Bytes(bytes) => (bytes, Vec::new()),
        Body::Tenant(passed) => {
            let response = passed.into_inner();
            (response.body, response.headers)
        }
    };
    headers.retain(|(name, _)| !answer.strip.contains(name) && answer.set.iter().all(|(other, _)| other != name));
    headers.extend(answer.set);
    let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Got { status: answer.status, headers, body: String::from_utf8(body).unwrap(), json }
}
