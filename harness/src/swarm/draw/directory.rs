//! What becomes of the stored directory while everything else fails too; in the end it is as it was, in a new version.

use super::{Drawing, STEADY_S, TENANTS};

/// Long enough for a change or two to show, each of which may take `WITHIN_S`.
pub const CHAOS_S: std::ops::RangeInclusive<u64> = 14..=50;
/// From a change on.
const WITHIN_S: u64 = 12;
/// At the most.
const CHANGES: usize = 3;
/// Between two: one that passes before anyone has looked may or may not be in force when what comes then is not believed.
const PAUSE_S: std::ops::RangeInclusive<u64> = WITHIN_S..=18;

/// The drawn fate of the directory. The rest of the scenario decides which are possible.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Becomes {
    /// Nothing but new versions: a dispatcher that starts anew believes whatever it finds.
    Sound,
    /// And what nobody should believe.
    Broken,
    /// And tenants are out for a while. None of them is paid upfront: what it owes then, nobody else can give.
    Leaving,
}

impl Drawing {
    pub(super) fn stored(&mut self) -> Becomes {
        [Becomes::Sound, Becomes::Broken, Becomes::Leaving][self.rng.usize(..3)]
    }

    /// `tenants` is how many there are.
    pub(super) fn changes(&mut self, tenants: usize, chaos_ends: u64, may: Becomes) {
        let leaving = may == Becomes::Leaving;
        let mut removed: Option<&str> = None;
        let mut is_sound = false;
        let mut at = STEADY_S + self.rng.u64(0..4);
        for _ in 0..CHANGES {
            if at >= chaos_ends {
                break;
            }
            let tenant = TENANTS[self.rng.usize(..tenants)];
            let becomes = match self.rng.u8(..10) {
                _ if removed == Some(tenant) => {
                    removed = None;
                    format!("new-version = {{ add = [\"{tenant}\"] }}")
                }
                change if change < 2 || may == Becomes::Sound => {
                    let price = self.rng.u64(501..=999);
                    let edit = format!("tenant = \"{tenant}\", price = \"0.{price:03}\", script-version = \"v2\"");
                    format!("new-version = {{ change = [{{ {edit} }}] }}")
                }
                2 if leaving && tenants > 1 && removed.is_none() => {
                    removed = Some(tenant);
                    format!("new-version = {{ remove = [\"{tenant}\"] }}")
                }
                3 if leaving => format!("invalid-record = {{ tenant = \"{tenant}\" }}"),
                4 if leaving && tenants > 1 && removed.is_none() => {
                    let of = TENANTS[..tenants].iter().find(|other| **other != tenant).expect("there are two");
                    format!("foreign-script = {{ tenant = \"{tenant}\", of = \"{of}\" }}")
                }
                5 => "garbled = {}".to_owned(),
                6 => "missing = {}".to_owned(),
                7 => "older = {}".to_owned(),
                8 => "unreadable = {}".to_owned(),
                _ => format!("truncated = {{ part = \"{}\" }}", self.one_of(&["current", "names", "records"])),
            };
            // A sound version comes before each that is not: there is none older than the first, and what is not believed is
            // told once.
            if !is_sound && !becomes.starts_with("new-version") {
                self.change(at, "new-version = {}");
                at += self.rng.u64(PAUSE_S);
                if at >= chaos_ends {
                    break;
                }
            }
            is_sound = becomes.starts_with("new-version");
            self.change(at, &becomes);
            at += self.rng.u64(PAUSE_S);
        }
        let back = removed.map_or(String::new(), |tenant| format!(" add = [\"{tenant}\"] "));
        self.change(chaos_ends, &format!("new-version = {{{back}}}"));
        self.must("ISO-2-reached", "reaches-the-named-tenant = {}");
        self.must("ISO-2-followed", &format!("directory-is-followed = {{ within = \"{WITHIN_S}s\" }}"));
    }

    fn change(&mut self, at_s: u64, becomes: &str) {
        self.line(&format!("\n[[directory]]\nat = \"{at_s}s\"\nbecomes.{becomes}"));
    }
}
