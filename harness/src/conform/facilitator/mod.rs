//! A facilitator, from outside: what it says it supports, and whether it takes what is no payment. Nothing is settled unless
//! that is asked for: a settlement moves somebody's money.

mod payment;
mod settle;
mod supported;
mod verify;

#[cfg(test)]
mod tests;

use super::check::{Check, Rule};
use super::target::Target;
use crate::bounded_http::{Answer, BoundedHttp, NoAnswer};
use payment::Wallet;
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
}

impl Desk<'_> {
    async fn get(&self, path: &str) -> Result<Answer, NoAnswer> {
        self.http.get(&format!("{}{path}", self.origin)).await
    }

    async fn post(&self, path: &str, body: String) -> Result<Answer, NoAnswer> {
        self.http.post(&format!("{}{path}", self.origin), body).await
    }
}

pub async fn check(http: &BoundedHttp, target: &Target, settling: Settling) -> Result<Vec<Check>, NoAnswer> {
    // Its own path, too: facilitators are often mounted below one.
    let origin = target.as_str().trim_end_matches('/').to_owned();
    let desk = Desk { http, origin };
    let listed = desk.get("/supported").await?;
    let mut checks = supported::check(&listed);
    let wallet = Wallet::on(supported::network(&listed), listed.json().unwrap_or_default());
    let (verified, sound) = verify::check(&desk, wallet.as_ref()).await;
    checks.extend(verified);
    checks.extend(settle::check(&desk, wallet.as_ref(), sound, settling).await);
    Ok(checks)
}

/// What a facilitator came to.
enum Word {
    Yes(Value),
    /// With its reason, where it has one.
    No(Option<String>),
    /// Neither, and what instead.
    Nothing(String),
}

/// `yes` is the key that says so: `isValid` or `success`.
fn word(answer: Result<Answer, NoAnswer>, yes: &str, reason: &str) -> Word {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Word::Nothing(error.to_string()),
    };
    let json = answer.json().unwrap_or_default();
    match json[yes].as_bool() {
        // A status of error beside a yes is a contradiction.
        Some(true) if answer.is_content() => Word::Yes(json),
        Some(true) => Word::Nothing(format!("{} with {yes}: true", answer.status)),
        Some(false) => Word::No(json[reason].as_str().filter(|text| !text.is_empty()).map(str::to_owned)),
        None if (400..500).contains(&answer.status) => {
            let said = ["error", "message", reason].iter().find_map(|key| json[*key].as_str());
            Word::No(said.map(str::to_owned))
        }
        None => Word::Nothing(format!("{} without {yes}", answer.status)),
    }
}

fn none_apply(rules: &[Rule]) -> Vec<Check> {
    let why = "it lists no network that the harness can sign for: exact on Base or Base Sepolia, version 2";
    rules.iter().map(|rule| rule.does_not_apply(why)).collect()
}
