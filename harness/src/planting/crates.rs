//! Where bugs can be planted, and what the planting adds to the sources beside them: the switch that chooses the one which bites.

use scenario::Tier;

/// The variable that tells the Worker which bug bites.
pub const VARIABLE: &str = "SEEDED_BUG";

/// The file that gets the switch.
pub const SWITCH_IN: &str = "dispatcher/x402-protocol/src/lib.rs";

/// The switch. It holds no list of bugs, so that one more bug makes cargo compile no more than what it changes. A simulated run
/// stays on its thread, and a Worker has but one.
pub const SWITCH: &str = "
/// The switch of the planted bugs: a copy of the sources has it, for the self-test alone.
pub mod planted {
    use std::cell::RefCell;

    thread_local! {
        static BITES: RefCell<String> = const { RefCell::new(String::new()) };
    }

    /// Whether this bug bites on this thread.
    #[must_use]
    pub fn has(bug: &str) -> bool {
        BITES.with_borrow(|bites| bites == bug)
    }

    /// Lets this bug bite on this thread from now on, and no other. An empty name is that of no bug.
    pub fn plant(bug: &str) {
        BITES.with_borrow_mut(|bites| bug.clone_into(bites));
    }
}
";

/// The harness's own file that is another one in the copy.
pub const HARNESS_SWITCH: &str = "harness/src/selftest/switch.rs";

/// Its text there.
pub const HARNESS_SWITCH_TEXT: &str = "//! The switch of the planted bugs, in a build that has them.

/// Whether this build has the bugs of the self-test in it.
pub const HAS_BUGS: bool = true;

/// Lets a bug bite on this thread from now on, and no other.
pub fn plant(bug: Option<&str>) {
    x402_protocol::planted::plant(bug.unwrap_or_default());
}
";

/// The function in which the Worker reads its variables when it starts, and what it does there first.
pub struct Start {
    pub file: &'static str,
    pub function: &'static str,
    pub parameter: &'static str,
}

pub const START: Start = Start { file: "dispatcher/worker/src/cached_config.rs", function: "parse", parameter: "env" };

impl Start {
    pub fn says(&self) -> String {
        let env = self.parameter;
        format!(
            "::dispatcher_core::protocol::planted::plant(&{env}.var(\"{VARIABLE}\").map(|name| name.to_string()).unwrap_or_default()); "
        )
    }
}

/// A crate whose functions bugs can change.
pub struct Crate {
    /// The folder of its sources.
    pub sources: &'static str,
    /// The path by which its code reaches the switch's crate.
    pub protocol: &'static str,
    /// The only tier that runs it, if there is but one.
    pub only: Option<Tier>,
}

pub const CRATES: [Crate; 6] = [
    Crate { sources: "dispatcher/x402-protocol/src/", protocol: "crate", only: None },
    Crate { sources: "dispatcher/x402-paywall/src/", protocol: "::x402_protocol", only: None },
    Crate { sources: "dispatcher/core/src/", protocol: "::x402_protocol", only: None },
    Crate { sources: "dispatcher/telemetry/src/", protocol: "::dispatcher_core::protocol", only: Some(Tier::Sim) },
    Crate { sources: "dispatcher/worker/src/", protocol: "::dispatcher_core::protocol", only: Some(Tier::Live) },
    // The simulated ports stand for the Worker's adapters.
    Crate { sources: "harness/src/sim/", protocol: "::x402_protocol", only: Some(Tier::Sim) },
];

impl Crate {
    /// The crate that a file belongs to.
    pub fn of(file: &str) -> Option<&'static Self> {
        CRATES.iter().find(|of| file.starts_with(of.sources))
    }
}
