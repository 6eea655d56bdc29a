//! The kinds of clients that a traffic block's mix can name. What each does stands in `traffic/client/`, one file each.

use grammar::Listed;
use serde::Deserialize;
use x402_protocol::Version;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientKind {
    Paid,
    Unpaid,
    Duplicate,
    ReplayElsewhere,
    ResendAfterServed,
    Malformed,
    Unbacked,
    Impatient,
    Away,
    Once,
    Head,
    Forger,
    Skewed,
    ShortLived,
    Preflight,
    Identified,
    IdentifierRace,
    FreshAfterTimeout,
    PaidV1,
    MalformedV1,
    TriesAgain,
    SharedIdentifier,
    TwoNames,
    PaidPermit2,
    Hostile,
    Authorized,
    Roaming,
    Returner,
    PreflightThief,
    ChainObserver,
    Blamer,
    Squatter,
    PayingSquatter,
    Differential,
    OneAddressSampler,
    Late,
    LateIdentified,
}

impl ClientKind {
    /// Every kind, as `harness list --clients` shows it. A test holds it equal to what the TOML reader accepts.
    pub const CATALOGUE: [Listed; 37] = [
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
        Listed::new(
            "unbacked",
            "pays with what only a facilitator can refuse: a signature that may be a smart account's and is not",
            "1",
        ),
        Listed::new("impatient", "hangs up while its payment is being settled, and resends it later", "1"),
        Listed::new("away", "hangs up while its payment is being settled, and resends it half a minute later", "1"),
        Listed::new("once", "presents its payment once, and takes the first answer, whatever it is", "1"),
        Listed::new("head", "sends HEAD without and with its payment, then buys by GET", "1"),
        Listed::new("forger", "sends headers that only the dispatcher may say with everything it asks", "1"),
        Listed::new("skewed", "has a clock that is minutes ahead or behind", "1"),
        Listed::new("short-lived", "signs an authorization that ends while a slow tenant runs", "1"),
        Listed::new("preflight", "asks, as a browser does, whether a page may send a payment", "1"),
        Listed::new(
            "identified",
            "buys under a payment-identifier, and collects what it bought twice more with the same payment",
            "1",
        ),
        Listed::new("identifier-race", "sends eight fresh payments under one payment-identifier at once", "1"),
        Listed::new(
            "fresh-after-timeout",
            "hangs up while it is being charged, and signs afresh under the same payment-identifier",
            "1",
        ),
        Listed::new(
            "paid-v1",
            "buys as clients of version 1 do: the offer from the body, the payment in X-PAYMENT",
            "4",
        ),
        Listed::new("malformed-v1", "signs less than is asked, in a payment of version 1", "1"),
        Listed::new("tries-again", "presents a payment again for which its tenant failed", "1"),
        Listed::new(
            "shared-identifier",
            "buys under a payment-identifier that another client uses too, at its own tenant",
            "1",
        ),
        Listed::new("two-names", "asks one tenant's host for a path that names another tenant", "1"),
        Listed::new("paid-permit2", "buys by Permit2, which it has allowed to move its money (official worlds)", "2"),
        Listed::new(
            "hostile",
            "presents what the official facilitator library throws at, or takes long over, without ever owning a thing",
            "1",
        ),
        Listed::new("authorized", "buys with an Authorization and a cookie of its own", "1"),
        Listed::new("roaming", "buys under a payment-identifier, and collects it again from another address", "1"),
        Listed::new(
            "returner",
            "hangs up at one of several moments, the one after its answer left included, and comes back with the payment",
            "1",
        ),
        Listed::new(
            "preflight-thief",
            "asks for paid content by other methods, preflights among them, and pays nothing",
            "1",
        ),
        Listed::new(
            "chain-observer",
            "presents a payment that it has read off the chain, in both versions, with and without its payer's credentials",
            "1",
        ),
        Listed::new(
            "blamer",
            "presents payments without money that a facilitator's library throws at, or takes long to check",
            "1",
        ),
        Listed::new("squatter", "presents keyless payments under other purchases' payment-identifiers", "1"),
        Listed::new("paying-squatter", "pays under other purchases' payment-identifiers", "1"),
        Listed::new(
            "differential",
            "presents payments that another reader takes for one that it has paid already",
            "1",
        ),
        Listed::new(
            "one-address-sampler",
            "presents one payment twenty times, for a path that may fail each time",
            "1",
        ),
        Listed::new(
            "late",
            "comes back with its payment after minutes, half an hour and four days (only = \"sim\")",
            "1",
        ),
        Listed::new("late-identified", "does so under a payment-identifier (only = \"sim\")", "1"),
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
            Self::Unbacked => "unbacked",
            Self::Impatient => "impatient",
            Self::Away => "away",
            Self::Once => "once",
            Self::Head => "head",
            Self::Forger => "forger",
            Self::Skewed => "skewed",
            Self::ShortLived => "short-lived",
            Self::Preflight => "preflight",
            Self::Identified => "identified",
            Self::IdentifierRace => "identifier-race",
            Self::FreshAfterTimeout => "fresh-after-timeout",
            Self::PaidV1 => "paid-v1",
            Self::MalformedV1 => "malformed-v1",
            Self::TriesAgain => "tries-again",
            Self::SharedIdentifier => "shared-identifier",
            Self::TwoNames => "two-names",
            Self::PaidPermit2 => "paid-permit2",
            Self::Hostile => "hostile",
            Self::Authorized => "authorized",
            Self::Roaming => "roaming",
            Self::Returner => "returner",
            Self::PreflightThief => "preflight-thief",
            Self::ChainObserver => "chain-observer",
            Self::Blamer => "blamer",
            Self::Squatter => "squatter",
            Self::PayingSquatter => "paying-squatter",
            Self::Differential => "differential",
            Self::OneAddressSampler => "one-address-sampler",
            Self::Late => "late",
            Self::LateIdentified => "late-identified",
        }
    }

    /// The version of the protocol that it speaks.
    pub fn version(self) -> Version {
        if self == Self::PaidV1 { Version::V1 } else { Version::V2 }
    }

    /// Whether it pays under a payment-identifier.
    pub fn is_identified(self) -> bool {
        matches!(
            self,
            Self::Identified
                | Self::IdentifierRace
                | Self::FreshAfterTimeout
                | Self::SharedIdentifier
                | Self::Roaming
                | Self::LateIdentified
        )
    }

    /// Whether it comes back only after days.
    pub fn takes_days(self) -> bool {
        matches!(self, Self::Late | Self::LateIdentified)
    }

    /// Whether it sends credentials of its own with everything.
    pub fn has_credentials(self) -> bool {
        matches!(self, Self::Authorized | Self::Roaming)
    }

    /// Whether it is out for what it has not paid for, or for others' harm. It makes no purchase that anybody owes it.
    pub fn is_attacker(self) -> bool {
        matches!(
            self,
            Self::PreflightThief
                | Self::ChainObserver
                | Self::Blamer
                | Self::Squatter
                | Self::PayingSquatter
                | Self::Differential
                | Self::OneAddressSampler
        )
    }

    /// Whether it makes a purchase.
    pub fn buys(self) -> bool {
        self.pays() && !self.is_attacker()
    }

    /// Whether it needs the official library's facilitators: the doubles have no allowances, and are kinder to the hostile.
    pub fn wants_official(self) -> bool {
        matches!(self, Self::PaidPermit2 | Self::Hostile)
    }

    /// Whether it needs a tenant that has a price.
    pub fn pays(self) -> bool {
        !matches!(self, Self::Unpaid | Self::Preflight | Self::TwoNames)
    }
}
