//! What one line for each rule is made into: the rule's room, its place in the lists, its checker, and the checker's TOML.
//!
//! A rule without parameters has `RULE` and `judge(&History)` in its file. One with parameters has `RULE`, a type of them as a file
//! writes them, with `check`, and one as they are judged by, with `expects` and `judge`.

use crate::{Checker, Rule, rule_of};
use grammar::Listed;
use schemars::JsonSchema;
use serde::Deserialize;

/// The parameters of a checker that has none.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct NoParameters {}

macro_rules! rules {
    ($($variant:ident = $module:ident $(($raw:ident => $checked:ident))?;)*) => {
        $(mod $module;)*

        /// Every rule, in the order in which the checkers are listed.
        pub const RULES: [&Rule; [$($module::RULE.checker),*].len()] = [$(&$module::RULE),*];

        /// The checkers that a scenario can ask for, one for each rule. Named, with typed parameters and no expression language,
        /// so that a list of them is complete and a report can say in words what was expected.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Checker {
            $($variant $(($module::$checked))?,)*
        }

        /// A checker as a scenario writes it.
        #[derive(serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        #[schemars(rename = "Checker")]
        pub enum RawChecker {
            $($variant($crate::registry::raw!($($module $raw)?)),)*
        }

        impl RawChecker {
            /// The checker, if its parameters make sense beside the rest of the file.
            pub fn check(self, about: &impl About, problems: &mut grammar::Problems) -> Option<Checker> {
                match self {
                    $(Self::$variant(raw) => {
                        $crate::registry::checked!(raw, about, problems, $variant $($checked)?)
                    })*
                }
            }
        }

        impl Checker {
            /// Every checker without parameters, in the order of the lists.
            #[must_use]
            pub fn plain() -> Vec<Self> {
                [$($crate::registry::plain!($variant $($checked)?)),*].into_iter().flatten().collect()
            }

            fn judge(&self) -> Judge<'_> {
                match self {
                    $(Self::$variant $((parameters @ $module::$checked { .. }))? => {
                        $crate::registry::judged!($module $(parameters $checked)?)
                    })*
                }
            }

            /// What its parameters have a report say, if it has some.
            fn asks(&self) -> Option<String> {
                match self {
                    $(Self::$variant $((parameters @ $module::$checked { .. }))? => {
                        $crate::registry::expected!($(parameters $checked)?)
                    })*
                }
            }
        }
    };
}

macro_rules! raw {
    () => {
        $crate::registry::NoParameters
    };
    ($module:ident $raw:ident) => {
        $module::$raw
    };
}

macro_rules! checked {
    ($raw:ident, $about:ident, $problems:ident, $variant:ident) => {{
        let $crate::registry::NoParameters {} = $raw;
        Some(Checker::$variant)
    }};
    ($raw:ident, $about:ident, $problems:ident, $variant:ident $checked:ident) => {
        $raw.check($about, $problems).map(Checker::$variant)
    };
}

macro_rules! plain {
    ($variant:ident) => {
        Some(Checker::$variant)
    };
    ($variant:ident $checked:ident) => {
        None
    };
}

macro_rules! judged {
    ($module:ident) => {
        Judge::new(&$module::RULE, $module::judge)
    };
    ($module:ident $parameters:ident $checked:ident) => {
        Judge::new(&$module::RULE, |history| $parameters.judge(history))
    };
}

macro_rules! expected {
    () => {
        None
    };
    ($parameters:ident $checked:ident) => {
        Some($parameters.expects())
    };
}

pub(crate) use {checked, expected, judged, plain, raw, rules};

impl Checker {
    /// Every checker, as `harness list --checkers` shows it. A test holds it equal to what the TOML reader accepts.
    pub const CATALOGUE: [Listed; crate::RULES.len()] = {
        let mut listed = [Listed::new("", "", ""); crate::RULES.len()];
        let mut n = 0;
        while n < crate::RULES.len() {
            listed[n] = Listed::new(crate::RULES[n].checker, crate::RULES[n].says, crate::RULES[n].example);
            n += 1;
        }
        listed
    };

    /// The text in a scenario.
    pub fn name(&self) -> &'static str {
        self.rule().checker
    }

    /// The rule it judges. A `[[must]]` carries its id, or its id with a suffix; latency always has a suffix.
    pub fn rule(&self) -> &'static Rule {
        rule_of(self)
    }

    /// The expectation in a report.
    pub fn expects(&self) -> String {
        let says = self.rule().says;
        self.asks().unwrap_or_else(|| says.split_once(": ").map_or(says, |(_, says)| says).to_owned())
    }
}
