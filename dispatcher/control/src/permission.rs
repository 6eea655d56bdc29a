//! Permissions: a route needs something, a token has something, and one is held against the other. Pure.

use serde::{Deserialize, Serialize};

/// A role of a token. Each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Changes tenants.
    Operator,
    /// Hands out tokens.
    Owner,
}

/// The least that a route asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    /// Any token.
    Token,
    Viewer,
    Operator,
    Owner,
    /// The platform's own token.
    Platform,
}

/// The rows that whoever asks may see: an account's, and of those the ones of some tenants where a token is for some.
#[derive(Clone, Copy, Debug)]
pub struct Within<'a> {
    pub account: &'a str,
    /// `None`: all of the account's.
    pub tenants: Option<&'a [String]>,
}

/// Whoever asks, once the token was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Whoever runs the platform. No account is its own.
    Platform,
    Account {
        account: String,
        token: String,
        role: Role,
        /// `None`: all tenants of the account.
        tenants: Option<Vec<String>>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// No token, or one that counts no more.
    Unknown,
    /// A good token that may not do this.
    Forbidden,
}

impl Needs {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Token => "token",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Owner => "owner",
            Self::Platform => "platform",
        }
    }

    fn role(self) -> Option<Role> {
        match self {
            Self::Viewer => Some(Role::Viewer),
            Self::Operator => Some(Role::Operator),
            Self::Owner => Some(Role::Owner),
            Self::Nothing | Self::Token | Self::Platform => None,
        }
    }
}

impl Role {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Owner => "owner",
        }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Viewer, Self::Operator, Self::Owner].into_iter().find(|role| role.as_str() == name)
    }
}

impl Principal {
    /// For the audit log.
    #[must_use]
    pub fn author(&self) -> String {
        match self {
            Self::Platform => "platform".to_owned(),
            Self::Account { token, .. } => format!("token {token}"),
        }
    }

    /// The rows that may be read. `None`: the platform's, which are everybody's.
    #[must_use]
    pub fn within(&self) -> Option<Within<'_>> {
        match self {
            Self::Platform => None,
            Self::Account { account, tenants, .. } => Some(Within { account, tenants: tenants.as_deref() }),
        }
    }

    /// Whether the token reaches this tenant, if its account has it.
    #[must_use]
    pub fn reaches(&self, tenant: &str) -> bool {
        match self {
            Self::Platform => false,
            Self::Account { tenants, .. } => tenants.as_ref().is_none_or(|list| list.iter().any(|one| one == tenant)),
        }
    }
}

/// Whether whoever asks may have what the route gives.
pub fn admit(needs: Needs, principal: Option<&Principal>) -> Result<(), Denied> {
    match (needs, principal) {
        (Needs::Nothing, _) | (Needs::Token, Some(_)) | (Needs::Platform, Some(Principal::Platform)) => Ok(()),
        (_, None) => Err(Denied::Unknown),
        (_, Some(Principal::Account { role, tenants, .. })) => match needs.role() {
            // A token for some tenants hands out no tokens for others.
            Some(Role::Owner) if tenants.is_some() => Err(Denied::Forbidden),
            Some(least) if *role >= least => Ok(()),
            _ => Err(Denied::Forbidden),
        },
        (_, Some(Principal::Platform)) => Err(Denied::Forbidden),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::ROUTES;

    fn account(role: Role, tenants: Option<&[&str]>) -> Principal {
        let tenants = tenants.map(|list| list.iter().map(|one| (*one).to_owned()).collect());
        Principal::Account { account: "a".to_owned(), token: "t".to_owned(), role, tenants }
    }

    #[test]
    fn nobody_gets_anything_but_health_and_the_table() {
        for route in &ROUTES {
            assert_eq!(admit(route.needs, None).is_ok(), route.needs == Needs::Nothing, "{route:?}");
        }
    }

    #[test]
    fn a_role_may_do_what_lesser_roles_may_and_no_more() {
        let may = |role: Role| {
            let one = account(role, None);
            let of = ROUTES.iter().filter(|route| admit(route.needs, Some(&one)).is_ok());
            of.map(|route| format!("{} {}", route.method, route.path)).collect::<Vec<_>>()
        };
        let (viewer, operator, owner) = (may(Role::Viewer), may(Role::Operator), may(Role::Owner));
        assert!(viewer.iter().all(|line| line.starts_with("GET") && !line.contains("tokens")), "{viewer:?}");
        assert!(viewer.iter().all(|line| operator.contains(line)) && operator.iter().all(|line| owner.contains(line)));
        assert!(
            operator.contains(&"PUT /v1/tenants/{}".to_owned()) && !operator.contains(&"POST /v1/tokens".to_owned())
        );
        assert!(!owner.iter().any(|line| line.contains("accounts") || line.contains("directory")), "{owner:?}");
    }

    #[test]
    fn the_platform_reads_everything_and_changes_no_tenant() {
        for route in ROUTES.iter().filter(|route| route.path.contains("tenants")) {
            assert_eq!(admit(route.needs, Some(&Principal::Platform)), Err(Denied::Forbidden));
        }
    }

    #[test]
    fn a_token_for_some_tenants_reaches_no_other_and_hands_out_none() {
        let one = account(Role::Owner, Some(&["rain"]));
        assert!(one.reaches("rain") && !one.reaches("snow"));
        assert_eq!(admit(Needs::Owner, Some(&one)), Err(Denied::Forbidden));
    }
}
