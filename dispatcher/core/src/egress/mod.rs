//! What a tenant's Worker may ask of the outside: public hosts, by plain spellings, unless its record or the platform says
//! otherwise. Pure, and shared by whoever hands a policy over (the dispatcher) and whoever goes by it (the outbound Worker).
//!
//! Surprising constraint: a name is all that can be judged. Where it resolves to is known to the platform's network alone,
//! which reaches no private address of ours; so the lists here are against what a URL says, and not against DNS.

mod address;
mod destination;
mod headers;
mod host_pattern;

pub use destination::Destination;
pub use headers::MAY_NOT_LEAVE;
pub use host_pattern::HostPattern;

use serde::{Deserialize, Serialize};

/// The policy of one tenant. Without an allow list it may ask every public host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Egress {
    /// Nothing but these; names only, for who lists what it needs knows its names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<HostPattern>>,
    /// None of these, whatever is allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<HostPattern>,
}

/// Name of the parameter in which a dispatch hands a policy to the outbound Worker.
pub const PARAMETER: &str = "egress";

/// Its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy<T = String, E = Egress> {
    pub tenant_id: T,
    pub egress: E,
}

/// The policy as a dispatch writes it.
pub type PolicyOf<'a> = Policy<&'a str, &'a Egress>;

/// Why a request does not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refused {
    #[error("only http and https leave")]
    Scheme,
    #[error("the URL can be read in more than one way")]
    Spelling,
    #[error("only the scheme's own port is open")]
    Port,
    #[error("the host is not public")]
    NotPublic,
    #[error("the host is the platform's own")]
    PlatformHost,
    #[error("the tenant's policy denies the host")]
    Denied,
    #[error("the tenant's policy does not list the host")]
    NotAllowed,
}

impl Refused {
    /// Returns every reason, for a test that holds something of all of them. A new one must get a place here to compile.
    #[doc(hidden)]
    #[must_use]
    pub fn all() -> Vec<Self> {
        let next = |refused: &Self| {
            Some(match refused {
                Self::Scheme => Self::Spelling,
                Self::Spelling => Self::Port,
                Self::Port => Self::NotPublic,
                Self::NotPublic => Self::PlatformHost,
                Self::PlatformHost => Self::Denied,
                Self::Denied => Self::NotAllowed,
                Self::NotAllowed => return None,
            })
        };
        std::iter::successors(Some(Self::Scheme), next).collect()
    }

    /// The name in answers and logs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Scheme => "scheme",
            Self::Spelling => "spelling",
            Self::Port => "port",
            Self::NotPublic => "not_public",
            Self::PlatformHost => "platform_host",
            Self::Denied => "denied",
            Self::NotAllowed => "not_allowed",
        }
    }
}

/// The destination of a request, if it may leave. A redirect's next hop is another request, and is asked about like the
/// first.
pub fn decide(url: &str, egress: &Egress, platform: &[HostPattern]) -> Result<Destination, Refused> {
    let to = Destination::read(url)?;
    if !to.is_public() {
        return Err(Refused::NotPublic);
    }
    let is_one_of = |patterns: &[HostPattern]| patterns.iter().any(|pattern| to.is(pattern));
    if is_one_of(platform) {
        return Err(Refused::PlatformHost);
    }
    if is_one_of(&egress.deny) {
        return Err(Refused::Denied);
    }
    match &egress.allow {
        Some(allow) if !is_one_of(allow) => Err(Refused::NotAllowed),
        _ => Ok(to),
    }
}

#[cfg(test)]
mod tests;
