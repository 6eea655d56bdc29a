//! What a kind of client says of itself, in its own file: from this come the lists, the mixes, what the swarm draws, and what a
//! traffic block and the judges expect of it.

use crate::payer::Draft;
use grammar::Listed;
use x402_protocol::Version;

/// A kind, as everything but its own file must know it.
#[derive(Clone, Copy)]
pub struct About {
    /// Its name in a mix, what `harness list` says, and an example.
    pub listed: Listed,
    pub swarm: Swarm,
    pub role: ClientRole,
    /// The version of the protocol that it speaks.
    pub version: Version,
    /// How many purchases in a row have one payment-identifier; `None`: it pays under none.
    pub purchases_an_identifier: Option<u64>,
    /// Whether it comes back only after days.
    pub takes_days: bool,
    /// The beginning of credentials of its own, which it sends with everything.
    pub credentials: Option<&'static str>,
    /// Whether it needs the official library's facilitators: the doubles are kinder to the hostile.
    pub wants_official: bool,
    /// Headers of everything that it sends.
    pub headers: &'static [(&'static str, &'static str)],
    /// Changes what it signs, for the purchase with this number.
    pub alter: fn(&mut Draft<'_>, u64),
}

/// Why it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientRole {
    /// It makes a purchase that it goes after.
    Buyer,
    /// It pays, and does not go after what it paid for.
    Leaver,
    /// It never pays.
    Looker,
    /// It is out for what it has not paid for, or for others' harm. It makes no purchase that anybody owes it.
    Attacker,
    /// The same, and it never pays.
    Intruder,
}

/// Whether the swarm puts a kind into the traffic that it draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swarm {
    Always,
    Sometimes,
    Never { because: &'static str },
}

/// For kinds that have scenarios of their own.
pub const NOT_TRIED: Swarm =
    Swarm::Never { because: "it has scenarios of its own, and nobody has tried it in drawn ones" };

pub const AN_ATTACK: Swarm =
    Swarm::Never { because: "an attack is judged beside a quiet phase, in a scenario of its own" };

impl About {
    /// A client of version 2 that buys, and has nothing about it.
    pub const fn buyer(listed: Listed, swarm: Swarm) -> Self {
        Self {
            listed,
            swarm,
            role: ClientRole::Buyer,
            version: Version::V2,
            purchases_an_identifier: None,
            takes_days: false,
            credentials: None,
            wants_official: false,
            headers: &[],
            alter: |_, _| {},
        }
    }
}
