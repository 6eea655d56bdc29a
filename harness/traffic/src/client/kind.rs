//! What one line for each kind of client is made into: its room, its name in a mix, its place in every list, and its arm.

use super::about::{ClientRole, Swarm};
use crate::client::ClientKind;
use x402_protocol::Version;

macro_rules! clients {
    ($($kind:ident = $module:ident;)*) => {
        $(mod $module;)*

        /// A kind of client.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum ClientKind {
            $($kind),*
        }

        impl ClientKind {
            /// Every kind, in the order in which they are listed.
            pub const ALL: [Self; [$($module::ABOUT.listed.name),*].len()] = [$(Self::$kind),*];

            /// Every kind, as `harness list --clients` shows it. A test holds it equal to what the TOML reader accepts.
            pub const CATALOGUE: [grammar::Listed; [$($module::ABOUT.listed.name),*].len()] = [$($module::ABOUT.listed),*];

            pub(super) fn about(self) -> &'static about::About {
                match self {
                    $(Self::$kind => const { &$module::ABOUT }),*
                }
            }
        }

        impl Visit<'_> {
            /// Does what the arrival's kind does.
            async fn act(&self) -> Visited {
                match self.arrival.client {
                    $(ClientKind::$kind => $module::act(self).await.into()),*
                }
            }
        }
    };
}

pub(super) use clients;

impl ClientKind {
    /// The name that a mix has for it.
    pub fn name(self) -> &'static str {
        self.about().listed.name
    }

    /// Whether the swarm draws it.
    pub fn swarm(self) -> Swarm {
        self.about().swarm
    }

    /// The version of the protocol that it speaks.
    pub fn version(self) -> Version {
        self.about().version
    }

    /// Whether it comes back only after days.
    pub fn takes_days(self) -> bool {
        self.about().takes_days
    }

    /// Whether it is out for what it has not paid for, or for others' harm.
    pub fn is_attacker(self) -> bool {
        matches!(self.about().role, ClientRole::Attacker | ClientRole::Intruder)
    }

    /// Whether it makes a purchase that it goes after.
    pub fn buys(self) -> bool {
        self.about().role == ClientRole::Buyer
    }

    /// Whether it needs the official library's facilitators: the doubles are kinder to the hostile.
    pub fn wants_official(self) -> bool {
        self.about().wants_official
    }

    /// Whether it needs a tenant that has a price.
    pub fn pays(self) -> bool {
        !matches!(self.about().role, ClientRole::Looker | ClientRole::Intruder)
    }
}
