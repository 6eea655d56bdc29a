//! A running dispatcher's own API below `/__platform/`, with the platform's token.

use crate::{exit::Exit, failure::Failure, http, output::plain};
use serde_json::Value;
use std::{env, time::Duration};

const PATIENCE: Duration = Duration::from_secs(30);
/// Holds the platform's token.
pub const TOKEN: &str = "CLAW_PLATFORM_TOKEN";
/// The most pages that are read of one list.
const MOST_PAGES: usize = 1_000;

pub struct Platform {
    base: String,
    token: String,
}

impl Platform {
    /// With the token of the environment; `None` if there is none.
    pub fn at(url: &str) -> Result<Option<Self>, Failure> {
        let Some(token) = env::var(TOKEN).ok().filter(|token| !token.is_empty()) else { return Ok(None) };
        let base = url.trim_end_matches('/').to_owned();
        let is_local = base.starts_with("http://127.0.0.1:") || base.starts_with("http://localhost:");
        if !base.starts_with("https://") && !is_local {
            return Err(Failure::new(
                Exit::Usage,
                format!("{base} is not https, and the platform's token would go there"),
            ));
        }
        Ok(Some(Self { base, token }))
    }

    pub fn needed(url: &str) -> Result<Self, Failure> {
        Self::at(url)?.ok_or_else(|| {
            Failure::new(Exit::Usage, format!("{TOKEN} is not set"))
                .help("it is the dispatcher's PLATFORM_TOKEN, or PLATFORM_READ_TOKEN")
        })
    }

    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    pub fn get(&self, path: &str) -> Result<Value, Failure> {
        let failed = |why: String| Failure::new(Exit::Failed, format!("{}{path}: {why}", self.base));
        let (status, body) = http::runtime()?.block_on(async {
            let request = http::client(PATIENCE)?.get(format!("{}{path}", self.base)).bearer_auth(&self.token);
            let response = request.send().await.map_err(|error| failed(http::told(&error)))?;
            let status = response.status().as_u16();
            let body = http::body(response).await.ok_or_else(|| failed("the answer broke off".to_owned()))?;
            Ok::<_, Failure>((status, body))
        })?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let told = answer["error"]["message"].as_str().map(plain).unwrap_or_default();
        let failure = failed(format!("{status} {told}"));
        Err(match status {
            401 | 403 => failure.help(format!("{TOKEN} is not its token, or may not ask this")),
            404 => failure.help("either no tenant is called so, or its dispatcher is older than this"),
            _ => failure,
        })
    }

    /// Every item of a list that comes in pages.
    pub fn pages(&self, path: &str, key: &str) -> Result<Vec<Value>, Failure> {
        let mut all = Vec::new();
        let mut after = String::new();
        for _ in 0..MOST_PAGES {
            let page = self.get(&format!("{path}{after}"))?;
            all.extend(page[key].as_array().cloned().unwrap_or_default());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={}", escaped(next)),
                None => return Ok(all),
            }
        }
        let what = format!("{path}: there are more than {MOST_PAGES} pages");
        Err(Failure::new(Exit::Failed, what).help("ask for a shorter time"))
    }
}

/// Text as it may stand in a query.
#[must_use]
pub fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// The value that `per_cent` of all are at most.
#[must_use]
pub fn percentile(values: &[u64], per_cent: usize) -> Option<u64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * per_cent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<u64> = (1..=100).rev().collect();
        assert_eq!(percentile(&values, 95), Some(95));
        assert_eq!(percentile(&[7], 95), Some(7));
        assert_eq!(percentile(&[], 95), None);
    }

    #[test]
    fn a_cursor_comes_through_a_query_as_it_is() {
        assert_eq!(escaped("1~eip155:8453:0xA b"), "1~eip155%3A8453%3A0xA%20b");
    }
}
