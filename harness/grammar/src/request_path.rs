//! What clients ask a tenant for. Only a path that every HTTP stack on the way leaves as it is: what is normalised on the
//! way would be another request than the file says.

use super::problem::{Problem, Problems};
use toml::Spanned;

/// The path that clients ask for unless a traffic block says otherwise.
const DEFAULT_PATH: &str = "/quote";

/// A path that stands in a report's lines.
const MAX_PATH_BYTES: usize = 200;

/// An absolute path without a query: the clients' own goes there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPath(String);

impl RequestPath {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn check(raw: &Spanned<String>, problems: &mut Problems) -> Option<Self> {
        let text = raw.get_ref();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let rest = text.strip_prefix('/').filter(|_| text.len() <= MAX_PATH_BYTES);
        let fine =
            rest.is_some_and(|rest| rest.split('/').all(|part| !matches!(part, "." | "..") && part.bytes().all(plain)));
        if !fine {
            let problem = Problem::new(raw.span(), format!("`{text}` is not a path"), "here");
            problems.add(problem.help("such as \"/slow/800\": letters, digits, -._~ and slashes, no query"));
            return None;
        }
        Some(Self(text.clone()))
    }
}

impl Default for RequestPath {
    fn default() -> Self {
        Self(DEFAULT_PATH.to_owned())
    }
}
