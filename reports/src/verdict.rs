//! What a run comes to. Three values, because a rule that could not be judged neither held nor broke.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    Fail,
    Unknown,
}

impl Verdict {
    /// The verdict of a whole: any fail is a fail, else any unknown is unknown. Nothing at all is unknown, never a pass.
    pub fn merge(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut parts = parts.into_iter();
        let Some(first) = parts.next() else {
            return Self::Unknown;
        };
        parts.fold(first, |whole, part| match (whole, part) {
            (Self::Fail, _) | (_, Self::Fail) => Self::Fail,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Pass, Self::Pass) => Self::Pass,
        })
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{self, Fail, Pass, Unknown};

    #[test]
    fn fail_outweighs_unknown_outweighs_pass() {
        assert_eq!(Verdict::merge([Pass, Pass]), Pass);
        assert_eq!(Verdict::merge([Pass, Unknown, Pass]), Unknown);
        assert_eq!(Verdict::merge([Unknown, Fail, Pass]), Fail);
    }

    #[test]
    fn nothing_is_never_a_pass() {
        assert_eq!(Verdict::merge([]), Unknown);
    }
}
