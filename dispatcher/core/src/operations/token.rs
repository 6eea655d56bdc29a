//! The tokens that let an operator in. Two of each may be in use at once, so that one can be put in another's place without a
//! moment in which neither opens.

use subtle::{Choice, ConstantTimeEq};

/// The acts that a token lets its holder do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Look.
    Read,
    /// Look, and change what is in force.
    Operate,
}

impl Scope {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
        }
    }
}

/// The tokens of a deployment. Has no `Debug`: they are secrets.
#[derive(Clone, Default)]
pub struct Tokens {
    pub operate: Vec<String>,
    pub read: Vec<String>,
}

impl Tokens {
    /// The secrets by their names, in the order in which [`Self::of`] takes them.
    pub const SECRETS: [&'static str; 4] =
        ["PLATFORM_TOKEN", "PLATFORM_TOKEN_NEXT", "PLATFORM_READ_TOKEN", "PLATFORM_READ_TOKEN_NEXT"];

    /// The tokens as a deployment's secrets have them. One that is not set or empty opens nothing.
    #[must_use]
    pub fn of(secret: impl Fn(&str) -> Option<String>) -> Self {
        let [operate, operate_next, read, read_next] =
            Self::SECRETS.map(|name| secret(name).filter(|token| !token.is_empty()));
        let both = |one: Option<String>, other: Option<String>| one.into_iter().chain(other).collect();
        Self { operate: both(operate, operate_next), read: both(read, read_next) }
    }

    /// The scope that a request's credentials open. Every token is compared, whichever fits, and each in constant time.
    #[must_use]
    pub fn scope_of(&self, authorization: Option<&str>) -> Option<Scope> {
        let given = authorization.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default().as_bytes();
        let fits = |tokens: &[String]| {
            let fits = |fit: Choice, token: &String| fit | given.ct_eq(token.as_bytes());
            bool::from(tokens.iter().fold(Choice::from(0), fits))
        };
        let (operates, reads) = (fits(&self.operate), fits(&self.read));
        match (operates, reads) {
            (true, _) => Some(Scope::Operate),
            (false, true) => Some(Scope::Read),
            (false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(secrets: [&str; 4]) -> Tokens {
        let of = |name: &str| Tokens::SECRETS.iter().position(|own| *own == name).map(|at| secrets[at].to_owned());
        Tokens::of(of)
    }

    #[test]
    fn either_token_opens_while_one_takes_the_others_place() {
        let tokens = tokens(["old", "new", "look", "look-next"]);
        let scope = |token: &str| tokens.scope_of(Some(&format!("Bearer {token}")));
        assert_eq!([scope("old"), scope("new")], [Some(Scope::Operate); 2]);
        assert_eq!([scope("look"), scope("look-next")], [Some(Scope::Read); 2]);
        for wrong in ["", "ol", "olds", "old ", "OLD"] {
            assert_eq!(scope(wrong), None, "{wrong}");
        }
        assert_eq!([tokens.scope_of(None), tokens.scope_of(Some("old"))], [None; 2]);
    }

    #[test]
    fn a_token_that_is_not_set_opens_nothing() {
        let tokens = tokens([""; 4]);
        assert_eq!([tokens.scope_of(Some("Bearer ")), tokens.scope_of(None)], [None; 2]);
        assert_eq!(Tokens::default().scope_of(Some("Bearer ")), None);
    }
}
