//! The kinds of clients that a traffic block's mix can name. What each does stands in `traffic/client/`, one file each.

use serde::Deserialize;

use super::library::Listed;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientKind {
    Paid,
    Unpaid,
    Duplicate,
    ReplayElsewhere,
    ResendAfterServed,
    Malformed,
}

impl ClientKind {
    /// Every kind, as `harness list --clients` shows it. A test holds it equal to what the TOML reader accepts.
    pub const CATALOGUE: [Listed; 6] = [
        Listed::new(
            "paid",
            "buys, as an official client does: resends when told to, signs anew when billed again",
            "8",
        ),
        Listed::new("unpaid", "asks without ever paying", "2"),
        Listed::new("duplicate", "sends one signed payment ten times at once", "1"),
        Listed::new(
            "replay-elsewhere",
            "presents its payment on another path, method, query and tenant, in flight and after it was served",
            "1",
        ),
        Listed::new("resend-after-served", "has its content, and presents the same payment twice more", "1"),
        Listed::new("malformed", "breaks a signed payment in one of some sixty ways, drawn from the seed", "1"),
    ];

    /// As a mix writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Unpaid => "unpaid",
            Self::Duplicate => "duplicate",
            Self::ReplayElsewhere => "replay-elsewhere",
            Self::ResendAfterServed => "resend-after-served",
            Self::Malformed => "malformed",
        }
    }

    /// Whether it needs a tenant that has a price.
    pub fn pays(self) -> bool {
        self != Self::Unpaid
    }
}
