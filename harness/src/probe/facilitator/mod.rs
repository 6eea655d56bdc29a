//! A facilitator, from outside: what it says it supports, and whether it takes what is no payment. Nothing is settled unless
//! that is asked for: a settlement moves somebody's money.

mod payment;
mod settle;
mod supported;
mod verify;

#[cfg(test)]
mod tests;

use super::{
    check::{Check, Rule},
    target::Target,
};
use crate::http::bounded::{Answer, BoundedHttp, NoAnswer};
use payment::Wallet;
use reqwest::{
    Method, RequestBuilder,
    header::{CONTENT_TYPE, HeaderMap},
};
use serde_json::Value;

/// Whether settlements may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settling {
    Never,
    Allowed,
}

/// The facilitator, as the checks ask it.
pub struct Desk<'a> {
    http: &'a BoundedHttp,
    origin: String,
    headers: &'a HeaderMap,
}

impl Desk<'_> {
    async fn get(&self, path: &str) -> Result<Answer, NoAnswer> {
        self.ask(Method::GET, path, |request| request).await
    }

    async fn post(&self, path: &str, body: String) -> Result<Answer, NoAnswer> {
        self.ask(Method::POST, path, |request| request.header(CONTENT_TYPE, "application/json").body(body)).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, NoAnswer> {
        let request = with(self.http.request(method, &format!("{}{path}", self.origin)));
        self.http.ask(request.headers(self.headers.clone())).await
    }
}

pub async fn check(
    http: &BoundedHttp,
    target: &Target,
    headers: &HeaderMap,
    settling: Settling,
) -> Result<Vec<Check>, NoAnswer> {
    // Its own path, too: facilitators are often mounted below one.
    let origin = target.as_str().trim_end_matches('/').to_owned();
    let desk = Desk { http, origin, headers };
    let listed = desk.get("/supported").await?;
    let mut checks = supported::check(&listed);
    let wallet = Wallet::on(supported::network(&listed), listed.json().unwrap_or_default());
    let wallet = wallet.ok_or_else(|| unasked(listed.status).unwrap_or_else(|| NO_NETWORK.to_owned()));
    let (verified, sound) = verify::check(&desk, wallet.as_ref()).await;
    checks.extend(verified);
    checks.extend(settle::check(&desk, wallet.as_ref(), sound, settling).await);
    Ok(checks)
}

const NO_NETWORK: &str = "it lists no network that the harness can sign for: exact on Base or Base Sepolia, version 2";

/// The result for one facilitator.
enum Word {
    Yes(Value),
    /// With its reason, where it has one.
    No(Option<String>),
    /// A 4xx without the word itself, and the reason that it gives: enough for what is no request, and no answer to a payment.
    Refused(u16, Option<String>),
    /// The question was not let in, and this is why.
    Unasked(String),
    /// Neither, and what instead.
    Nothing(String),
}

/// Returns the reason why a question was not let in, if the status says so.
fn unasked(status: u16) -> Option<String> {
    let why = match status {
        401 | 403 | 407 => "it needs credentials (give --facilitator-header)",
        404 | 405 | 410 => "there is no such endpoint: look at the URL's path",
        429 => "too many requests: try again later",
        300..=399 => "it redirects: give the URL where it leads",
        _ => return None,
    };
    Some(format!("{status}: {why}"))
}

/// `yes` is the key that says so: `isValid` or `success`.
fn word(answer: Result<Answer, NoAnswer>, yes: &str, reason: &str) -> Word {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Word::Nothing(error.to_string()),
    };
    let json = answer.json().unwrap_or_default();
    match (json[yes].as_bool(), unasked(answer.status)) {
        // A status of error beside a yes is a contradiction.
        (Some(true), _) if answer.is_content() => Word::Yes(json),
        (Some(true), _) => Word::Nothing(format!("{} with {yes}: true", answer.status)),
        (Some(false), _) => Word::No(json[reason].as_str().filter(|text| !text.is_empty()).map(str::to_owned)),
        (None, Some(why)) => Word::Unasked(why),
        (None, None) if (400..=499).contains(&answer.status) => {
            let said = ["error", "message", reason].iter().find_map(|key| json[*key].as_str());
            Word::Refused(answer.status, said.map(str::to_owned))
        }
        (None, None) => Word::Nothing(format!("{} without {yes}", answer.status)),
    }
}

fn tell(word: &Word) -> String {
    match word {
        Word::Yes(_) => "yes".to_owned(),
        Word::No(reason) => format!("no, {}", reason.as_deref().unwrap_or("without a reason")),
        Word::Refused(status, reason) => format!("{status}, {}", reason.as_deref().unwrap_or("without a reason")),
        Word::Unasked(what) | Word::Nothing(what) => what.clone(),
    }
}

fn none_judged(rules: &[Rule], why: &str) -> Vec<Check> {
    rules.iter().map(|rule| rule.not_judged(why)).collect()
}
