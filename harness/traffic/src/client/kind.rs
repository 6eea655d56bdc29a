//! The kinds of clients that a traffic block's mix can name. What each does stands in `traffic/client/`, one file each.

use grammar::Listed;
use serde::Deserialize;
use x402_protocol::Version;

/// Whether the swarm puts a kind into the traffic that it draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swarm {
    Always,
    Sometimes,
    Never { because: &'static str },
}

/// Makes the kinds from one line for each: the variant, its name in a mix, what `harness list` says, an example, and the swarm.
macro_rules! clients {
    ($($kind:ident($name:literal, $says:literal, $example:literal, $swarm:expr);)*) => {
        /// A kind of client.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum ClientKind {
            $($kind),*
        }

        impl ClientKind {
            /// Every kind, in the order in which they are listed.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$kind),*];

            /// Every kind, as `harness list --clients` shows it. A test holds it equal to what the TOML reader accepts.
            pub const CATALOGUE: [Listed; [$($name),*].len()] = [$(Listed::new($name, $says, $example)),*];

            /// The name that a mix has for it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name),*
                }
            }

            /// Whether the swarm draws it.
            pub fn swarm(self) -> Swarm {
                match self {
                    $(Self::$kind => $swarm),*
                }
            }
        }
    };
}

/// For kinds that have scenarios of their own.
const NOT_TRIED: Swarm = Swarm::Never { because: "it has scenarios of its own, and nobody has tried it in drawn ones" };

clients! {
    Paid(
        "paid",
        "buys, as an official client does: resends when told to, signs anew when billed again",
        "8",
        Swarm::Always
    );
    Unpaid("unpaid", "asks without ever paying", "2", Swarm::Sometimes);
    Duplicate("duplicate", "sends one signed payment ten times at once", "1", Swarm::Sometimes);
    ReplayElsewhere(
        "replay-elsewhere",
        "presents its payment on another path, method, query and tenant, in flight and after it was served",
        "1",
        Swarm::Sometimes
    );
    ResendAfterServed(
        "resend-after-served",
        "has its content, and presents the same payment twice more",
        "1",
        Swarm::Sometimes
    );
    Malformed(
        "malformed",
        "breaks a signed payment in one of some sixty ways, drawn from the seed",
        "1",
        Swarm::Sometimes
    );
    Unbacked(
        "unbacked",
        "pays with what only a facilitator can refuse: a signature that may be a smart account's and is not",
        "1",
        NOT_TRIED
    );
    Impatient("impatient", "hangs up while its payment is being settled, and resends it later", "1", Swarm::Sometimes);
    Away("away", "hangs up while its payment is being settled, and resends it half a minute later", "1", NOT_TRIED);
    Once("once", "presents its payment once, and takes the first answer, whatever it is", "1", NOT_TRIED);
    Head("head", "sends HEAD without and with its payment, then buys by GET", "1", Swarm::Sometimes);
    Forger("forger", "sends headers that only the dispatcher may say with everything it asks", "1", Swarm::Sometimes);
    Skewed("skewed", "has a clock that is minutes ahead or behind", "1", Swarm::Sometimes);
    ShortLived("short-lived", "signs an authorization that ends while a slow tenant runs", "1", Swarm::Sometimes);
    Preflight("preflight", "asks, as a browser does, whether a page may send a payment", "1", Swarm::Sometimes);
    Identified(
        "identified",
        "buys under a payment-identifier, and collects what it bought twice more with the same payment",
        "1",
        Swarm::Sometimes
    );
    IdentifierRace(
        "identifier-race",
        "sends eight fresh payments under one payment-identifier at once",
        "1",
        Swarm::Sometimes
    );
    FreshAfterTimeout(
        "fresh-after-timeout",
        "hangs up while it is being charged, and signs afresh under the same payment-identifier",
        "1",
        Swarm::Sometimes
    );
    PaidV1(
        "paid-v1",
        "buys as clients of version 1 do: the offer from the body, the payment in X-PAYMENT",
        "4",
        Swarm::Sometimes
    );
    MalformedV1("malformed-v1", "signs less than is asked, in a payment of version 1", "1", NOT_TRIED);
    TriesAgain("tries-again", "presents a payment again for which its tenant failed", "1", NOT_TRIED);
    SharedIdentifier(
        "shared-identifier",
        "buys under a payment-identifier that another client uses too, at its own tenant",
        "1",
        NOT_TRIED
    );
    TwoNames("two-names", "asks one tenant's host for a path that names another tenant", "1", NOT_TRIED);
    PaidPermit2(
        "paid-permit2",
        "buys by Permit2, which it has allowed to move its money, every other time with an extension that nobody offered",
        "2",
        Swarm::Never { because: "no node can show what has used a permit up, so some of them stay open" }
    );
    Hostile(
        "hostile",
        "presents what the official facilitator library throws at, or takes long over, without ever owning a thing",
        "1",
        Swarm::Never { because: "it needs the official library's facilitators" }
    );
    Authorized("authorized", "buys with an Authorization and a cookie of its own", "1", Swarm::Sometimes);
    Keyed("keyed", "buys with an API key of its own, in a header that the tenant's record lists", "1", NOT_TRIED);
    Roaming(
        "roaming",
        "buys under a payment-identifier, and collects it again from another address",
        "1",
        Swarm::Sometimes
    );
    Returner(
        "returner",
        "hangs up at one of several moments, the one after its answer left included, and comes back with the payment",
        "1",
        Swarm::Sometimes
    );
    PreflightThief(
        "preflight-thief",
        "asks for paid content by other methods, preflights among them, and pays nothing",
        "1",
        Swarm::Never { because: "an attack is judged beside a quiet phase, in a scenario of its own" }
    );
    ChainObserver(
        "chain-observer",
        "presents a payment that it has read off the chain, in both versions, with and without its payer's credentials",
        "1",
        Swarm::Never { because: "an attack is judged beside a quiet phase, in a scenario of its own" }
    );
    Blamer(
        "blamer",
        "presents payments without money that a facilitator's library throws at, or takes long to check",
        "1",
        Swarm::Never { because: "an attack is judged beside a quiet phase, in a scenario of its own" }
    );
    Squatter(
        "squatter",
        "presents keyless payments under other purchases' payment-identifiers",
        "1",
        Swarm::Never { because: "an attack is judged beside a quiet phase, in a scenario of its own" }
    );
    PayingSquatter(
        "paying-squatter",
        "pays under other purchases' payment-identifiers",
        "1",
        Swarm::Never { because: "an attack is judged beside a quiet phase, in a scenario of its own" }
    );
    Differential(
        "differential",
        "presents payments that another reader takes for one that it has paid already",
        "1",
        Swarm::Never { because: "an attack is judged beside a quiet phase, in a scenario of its own" }
    );
    SlowBody(
        "slow-body",
        "pays for a POST, and sends nothing of its body for forty seconds",
        "1",
        Swarm::Never { because: "an attack is judged beside a quiet phase, in a scenario of its own" }
    );
    Guesser(
        "guesser",
        "guesses at the platform's token, and asks for what operators alone may see",
        "1",
        Swarm::Never { because: "an attack is judged beside a quiet phase, in a scenario of its own" }
    );
    OneAddressSampler(
        "one-address-sampler",
        "presents one payment twenty times, for a path that may fail each time",
        "1",
        Swarm::Never { because: "an attack is judged beside a quiet phase, in a scenario of its own" }
    );
    Late(
        "late",
        "comes back with its payment after minutes, half an hour and four days (only = \"sim\")",
        "1",
        Swarm::Never { because: "it comes back after days" }
    );
    LateIdentified(
        "late-identified",
        "does so under a payment-identifier (only = \"sim\")",
        "1",
        Swarm::Never { because: "it comes back after days" }
    );
    Gone(
        "gone",
        "sends its payment once, and never comes back, whatever it is told",
        "1",
        Swarm::Never { because: "nobody asks for what it has paid, so there is no answer to judge" }
    );
}

impl ClientKind {
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
        matches!(self, Self::Authorized | Self::Keyed | Self::Roaming)
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
                | Self::SlowBody
                | Self::Guesser
        )
    }

    /// Whether it makes a purchase that it goes after.
    pub fn buys(self) -> bool {
        self.pays() && !self.is_attacker() && self != Self::Gone
    }

    /// Whether it needs the official library's facilitators: the doubles are kinder to the hostile.
    pub fn wants_official(self) -> bool {
        self == Self::Hostile
    }

    /// Whether it needs a tenant that has a price.
    pub fn pays(self) -> bool {
        !matches!(self, Self::Unpaid | Self::Preflight | Self::TwoNames | Self::Guesser)
    }
}
