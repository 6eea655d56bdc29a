//! What one line for each fault is made into: its room, its place in the lists, its variant of [`Inject`], and its TOML.
//!
//! A fault without parameters has `ABOUT` and a unit type of its name in its file. One with parameters has `ABOUT`, a type of them as
//! a scenario writes them, with `check`, and one as the double has them. Either type has its [`super::behaviour::Behaviour`].

use super::{
    FAULTS, Inject,
    about::{Money, Moves, OnCalls},
};
use crate::{Call, ask::Ask, reply::Reply};
use grammar::{Listed, Problem, Problems};
use reports::event::FacilitatorEndpoint;
use schemars::JsonSchema;
use serde::Deserialize;
use std::ops::Range;

/// The parameters of a fault that has none.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct NoneGiven {}

/// The place of a fault in a scenario.
pub struct FaultPlace {
    /// Where the whole `inject` value stands.
    pub at: Range<usize>,
    pub call: Call,
}

macro_rules! faults {
    ($($fault:ident = $module:ident $(($raw:ident => $checked:ident))?;)*) => {
        $(pub mod $module;)*

        /// Every fault, in the order in which they are listed.
        pub const FAULTS: [about::About; [$($module::ABOUT.listed.name),*].len()] = [$($module::ABOUT),*];

        /// A fault of a facilitator, with its parameters.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Inject {
            $($fault $(($module::$checked))?,)*
        }

        /// A fault as a scenario writes it.
        #[derive(serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        #[schemars(rename = "Inject")]
        pub enum RawInject {
            $($fault($crate::fault::registry::raw!($($module $raw)?)),)*
        }

        impl RawInject {
            /// Returns the fault, if its parameters make sense where it stands.
            pub fn check(self, place: &registry::FaultPlace, picky: bool, problems: &mut grammar::Problems) -> Option<Inject> {
                let inject = match self {
                    $(Self::$fault(raw) => {
                        $crate::fault::registry::checked!(raw, place, problems, $fault $($checked)?)
                    })*
                };
                inject.filter(|inject| inject.makes_sense(place, picky, problems))
            }
        }

        impl Inject {
            fn about(&self) -> &'static about::About {
                match self {
                    $(Self::$fault { .. } => &$module::ABOUT,)*
                }
            }

            fn behaviour(&self) -> &dyn behaviour::Behaviour {
                match self {
                    $(Self::$fault $((parameters @ $module::$checked { .. }))? => {
                        $crate::fault::registry::behaviour!($module $fault $(parameters $checked)?)
                    })*
                }
            }

            /// Plays a call on its socket.
            pub(super) async fn play(
                &self,
                exchange: &mut $crate::exchange::Exchange<'_>,
            ) -> Result<$crate::exchange::Played, $crate::origin_error::OriginError> {
                use behaviour::Behaviour;
                match self {
                    $(Self::$fault $((parameters @ $module::$checked { .. }))? => {
                        $crate::fault::registry::behaviour!($module $fault $(parameters $checked)?).play(exchange).await
                    })*
                }
            }
        }
    };
}

macro_rules! raw {
    () => {
        $crate::fault::registry::NoneGiven
    };
    ($module:ident $raw:ident) => {
        $module::$raw
    };
}

macro_rules! checked {
    ($raw:ident, $place:ident, $problems:ident, $fault:ident) => {{
        let $crate::fault::registry::NoneGiven {} = $raw;
        Some(Inject::$fault)
    }};
    ($raw:ident, $place:ident, $problems:ident, $fault:ident $checked:ident) => {
        $raw.check($place, $problems).map(Inject::$fault)
    };
}

macro_rules! behaviour {
    ($module:ident $fault:ident) => {
        &$module::$fault
    };
    ($module:ident $fault:ident $parameters:ident $checked:ident) => {
        $parameters
    };
}

pub(crate) use {behaviour, checked, faults, raw};

impl Inject {
    /// Every fault, as `harness list --faults` shows it. A test holds it equal to what the TOML reader accepts.
    pub const CATALOGUE: [Listed; FAULTS.len()] = {
        let mut listed = [FAULTS[0].listed; FAULTS.len()];
        let mut n = 0;
        while n < FAULTS.len() {
            listed[n] = FAULTS[n].listed;
            n += 1;
        }
        listed
    };

    /// The text in a scenario.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.about().listed.name
    }

    /// Whether the money of a settlement moves under it.
    #[must_use]
    pub fn moves(&self) -> Money {
        match self.about().moves {
            Moves::Always => Money::Moved,
            Moves::Never => Money::Kept,
            Moves::AsItSays => self.behaviour().moves().expect("its behaviour says so"),
        }
    }

    /// Returns the sentence of `harness explain`, without a word on the money.
    #[must_use]
    pub fn says(&self) -> String {
        self.behaviour().says()
    }

    /// Whether a call under it may still succeed at its caller.
    #[must_use]
    pub fn need_not_fail(&self) -> bool {
        self.behaviour().need_not_fail()
    }

    /// Whether it means anything on this endpoint. A fault neither takes nor counts the calls of others.
    #[must_use]
    pub fn applies(&self, endpoint: FacilitatorEndpoint) -> bool {
        let is_its_own = match self.about().on {
            OnCalls::Connection => false,
            OnCalls::Settle => endpoint == FacilitatorEndpoint::Settle,
            // A list of networks says nothing of a payment, and is never the odd one out.
            OnCalls::Payments => endpoint != FacilitatorEndpoint::Supported,
            OnCalls::AnyCall => true,
        };
        is_its_own && self.behaviour().applies(endpoint)
    }

    /// Whether the double reads the request before the fault bites.
    #[must_use]
    pub fn reads_request(&self) -> bool {
        self.behaviour().reads_request()
    }

    pub(crate) fn counts_calls(&self) -> bool {
        self.behaviour().counts_calls()
    }

    /// Returns the request as the double reads it under the fault.
    #[must_use]
    pub fn as_read(&self, body: Vec<u8>) -> Vec<u8> {
        self.behaviour().as_read(body)
    }

    /// Returns the HTTP answer under the fault; what happens to it on its way is the socket faults' business.
    #[must_use]
    pub fn reply(&self, ask: &Ask<'_>) -> Reply {
        self.behaviour().reply(ask)
    }

    /// A fault that makes no sense on its call would silently never bite.
    pub(super) fn makes_sense(&self, place: &FaultPlace, picky: bool, problems: &mut Problems) -> bool {
        let own = self.behaviour().cannot_be_on(place.call, picky);
        let not_settle = (self.about().on == OnCalls::Settle && place.call != Call::Settle)
            .then_some(("money moves on settle only", "write call = \"settle\""));
        let Some((why, help)) = own.or(not_settle) else { return true };
        let what = format!("`{}` cannot be on call = \"{}\"", self.name(), place.call.as_str());
        problems.add(Problem::new(place.at.clone(), what, why).help(help));
        false
    }
}
