//! A purchase as it is told: step by step to a person, and as one object to a program.

use super::receipt;
use reqwest::header::HeaderMap;
use serde::Serialize;
use serde_json::Value;
use std::{fmt, time::Duration};
use x402_protocol::Version;

use crate::exit::Exit;

/// Characters of a body that are shown. What a seller sells may be long.
const SHOWN: usize = 600;

/// The steps that were taken.
pub enum Step {
    Request { method: String, url: String },
    Free(Answered),
    Offer { status: u16, price: String, to: String },
    Payment { key: String },
    Answer(Answered),
    Again { after: Duration },
}

/// One answer to a payment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Answered {
    /// `None`: no whole answer came.
    pub status: Option<u16>,
    pub code: Option<String>,
    pub message: Option<String>,
    pub request_id: Option<String>,
    pub retry_after: Option<String>,
    pub receipt: Option<Value>,
    pub body: String,
    pub ms: u64,
}

/// A purchase that is over.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bought {
    pub payment: Option<String>,
    /// The price that the payment pays.
    pub paid: Option<String>,
    pub answers: Vec<Answered>,
}

impl Answered {
    pub fn of(status: u16, headers: &HeaderMap, body: &[u8], version: Version, ms: u64) -> Self {
        let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
        let is_error = !(200..300).contains(&status);
        let json: Option<Value> = serde_json::from_slice(body).ok().filter(|_| is_error);
        // Version 1 has the code beside the offer.
        let error = json.as_ref().map(|json| if json["error"].is_object() { &json["error"] } else { json });
        let field = |name: &str| Some(error?.get(name)?.as_str()?.to_owned());
        Self {
            status: Some(status),
            code: field("code"),
            message: field("message"),
            request_id: text("x-request-id"),
            retry_after: text("retry-after"),
            receipt: receipt(headers, version),
            body: String::from_utf8_lossy(body).into_owned(),
            ms,
        }
    }

    /// No whole answer came, so nobody knows whether the payment was charged.
    pub fn none(error: &reqwest::Error, ms: u64) -> Self {
        let mut cause: &dyn std::error::Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        Self { message: Some(cause.to_string()), ms, ..Self::default() }
    }

    pub fn is_served(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Tells whether the same payment can be left alone: it is known what became of it.
    pub fn is_final(&self) -> bool {
        self.status.is_some() && self.code.as_deref() != Some("settlement_pending")
    }
}

/// The message of an error's body.
pub fn message(body: &[u8]) -> Option<String> {
    let json: Value = serde_json::from_slice(body).ok()?;
    Some(json.pointer("/error/message").or(json.get("message"))?.as_str()?.to_owned())
}

impl Bought {
    pub fn exit(&self) -> Exit {
        match self.answers.last() {
            Some(last) if last.is_served() => Exit::Pass,
            Some(last) if !last.is_final() => Exit::Unknown,
            _ => Exit::NotServed,
        }
    }

    /// The last line: what came of it.
    pub fn verdict(&self) -> String {
        let (Some(paid), Some(last)) = (&self.paid, self.answers.last()) else {
            return "free: nothing was to be paid".to_owned();
        };
        let times = match self.answers.len() {
            1 => "sent once".to_owned(),
            n => format!("the same payment was sent {n} times, and signed once"),
        };
        match self.exit() {
            Exit::Pass => format!("served for {paid}; {times}"),
            Exit::Unknown => {
                format!("not known yet whether {paid} moved; send this same payment again later, and sign no other")
            }
            _ => {
                let code = last.code.as_deref().unwrap_or("no code");
                format!("not served: {code}; {times}")
            }
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request { method, url } => write!(f, "request   {method} {url}"),
            Self::Free(answered) => write!(f, "answer    {answered}"),
            Self::Offer { status, price, to } => write!(f, "offer     {status}  {price}, to {to}"),
            Self::Payment { key } => write!(f, "payment   {key}\n          signed with a throwaway key"),
            Self::Answer(answered) => write!(f, "answer    {answered}"),
            Self::Again { after } => {
                write!(f, "          the same payment goes again in {} s", after.as_secs_f64().ceil())
            }
        }
    }
}

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(status) = self.status else {
            let why = self.message.as_deref().unwrap_or("no whole answer");
            return write!(f, "none in {} ms: {}", self.ms, plain(why));
        };
        write!(f, "{status}")?;
        if let Some(code) = &self.code {
            write!(f, " {}", plain(code))?;
        }
        write!(f, " in {} ms", self.ms)?;
        if let Some(after) = &self.retry_after {
            write!(f, ", Retry-After: {}", plain(after))?;
        }
        write!(f, "\nid        {}", plain(self.request_id.as_deref().unwrap_or("none")))?;
        if let Some(message) = &self.message {
            write!(f, "\nsays      {}", plain(message))?;
        }
        match &self.receipt {
            Some(receipt) => write!(f, "\nreceipt   {}", plain(&receipt.to_string()))?,
            None => write!(f, "\nreceipt   none")?,
        }
        if self.is_served() {
            let body = plain(&self.body);
            let shown: String = body.chars().take(SHOWN).collect();
            let rest = if body.len() > shown.len() { format!(" ... {} bytes", self.body.len()) } else { String::new() };
            write!(f, "\nbody      {shown}{rest}")?;
        }
        Ok(())
    }
}

/// Text of a stranger's, in one line that steers no terminal.
fn plain(text: &str) -> String {
    text.trim()
        .chars()
        .flat_map(|one| if one.is_control() { one.escape_default().collect() } else { vec![one] })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, code: Option<&str>) -> Answered {
        Answered { status: Some(status), code: code.map(str::to_owned), ..Answered::default() }
    }

    fn bought(answers: Vec<Answered>) -> Bought {
        Bought { payment: Some("p".to_owned()), paid: Some("0.01 USDC".to_owned()), answers }
    }

    #[test]
    fn a_purchase_ends_in_what_its_last_answer_says() {
        let pending = || answered(503, Some("settlement_pending"));
        let collected = bought(vec![pending(), answered(200, None)]);
        assert_eq!(
            (collected.exit(), collected.verdict().contains("sent 2 times, and signed once")),
            (Exit::Pass, true)
        );
        assert_eq!(bought(vec![pending()]).exit(), Exit::Unknown);
        assert_eq!(bought(vec![Answered::default()]).exit(), Exit::Unknown, "no answer leaves it open");
        assert_eq!(bought(vec![answered(402, Some("insufficient_funds"))]).exit(), Exit::NotServed);
        let free = Bought { payment: None, paid: None, answers: vec![answered(200, None)] };
        assert_eq!((free.exit(), free.verdict().as_str()), (Exit::Pass, "free: nothing was to be paid"));
    }

    #[test]
    fn an_error_is_read_in_either_version() {
        let of = |body: &str| Answered::of(503, &HeaderMap::new(), body.as_bytes(), Version::V2, 3);
        let v2 = of(r#"{"error":{"code":"settlement_pending","message":"Wait."}}"#);
        let v1 = of(r#"{"error":"settlement_pending","code":"settlement_pending","message":"Wait."}"#);
        for read in [v2, v1] {
            assert_eq!((read.code.as_deref(), read.message.as_deref()), (Some("settlement_pending"), Some("Wait.")));
            assert!(!read.is_final());
        }
        assert!(of("\u{1b}[2J").to_string().contains("503"));
    }
}
