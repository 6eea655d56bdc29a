//! Draws a scenario from a seed: who is there, who comes, what fails when. It is written as a file, because what fails must
//! be something that a person can read, change, shrink and run live.
//!
//! First anything may fail, then everything is well again: rules of safety hold throughout, those of liveness after. Only a
//! flood comes alone, because whether others are served as before cannot be told where facilitators fail beside it.

mod directory;
mod egress;
mod flood;
mod operator;

use directory::Becomes;
use doubles::fault::{
    FAULTS,
    about::{About, Drawn},
};
use fastrand::Rng;
use judge::ALWAYS;
use std::fmt::Write;
use traffic::{ClientKind, Swarm};

/// Traffic without a fault, so that recovery has something to be compared with.
const STEADY_S: u64 = 3;
/// How long faults may last.
const CHAOS_S: std::ops::RangeInclusive<u64> = 4..=14;
/// Time to recover in, and to be judged by.
const HEALED_S: u64 = 25;
/// By then success must be back: the breaker's back-off has doubled a few times, and clients have resent.
const RECOVERS_WITHIN_S: u64 = 12;
/// Arrivals per second.
const RATE: std::ops::RangeInclusive<u64> = 3..=20;

const FACILITATORS: [&str; 3] = ["primary", "standby", "reserve"];
const TENANTS: [&str; 4] = ["acme", "globex", "initech", "umbrella"];
const PLANS: [&str; 4] = ["free", "pro", "business", "enterprise"];

const PATHS: [&str; 3] = ["/quote", "/slow/300", "/status/201"];
/// For tenants that are paid after they ran: who has paid upfront for a failure is owed another run, and no client of ours
/// comes back for it after an answer that looks final.
const FAILING_PATHS: [&str; 3] = ["/status/500", "/fails-first/x", "/throw"];
const UPFRONT: &str = "payment-flow = \"upfront\"";
const STAGES: [&str; 6] = ["claimed", "verified", "executed", "settling", "settled", "unknown"];

/// The rules of every drawn run, beside those of any run. Those of a kind of client need one to come.
const MUSTS: [(&str, &str); 4] = [
    ("ISO-1", "no-cross-tenant-bytes"),
    ("ISO-4", "paid-is-private"),
    ("ANSWER-1", "answers-as-documented"),
    ("COVER-2", "traffic-flowed"),
];

/// The file's text. The same seed gives the same text.
#[must_use]
pub fn draw(seed: u64) -> String {
    let mut drawing = Drawing { rng: Rng::with_seed(seed), text: String::new() };
    drawing.file(seed);
    drawing.text
}

struct Drawing {
    rng: Rng,
    text: String,
}

/// The faults that may be on any call, as their files say.
fn on_any_call() -> Vec<&'static str> {
    let texts = |about: &About| match about.swarm {
        Drawn::OnAnyCall(texts) => texts,
        Drawn::OnSettle(_) | Drawn::Not { .. } => &[],
    };
    FAULTS.iter().flat_map(texts).copied().collect()
}

/// The faults that a settlement alone can have.
fn on_settle() -> Vec<&'static str> {
    let texts = |about: &About| match about.swarm {
        Drawn::OnSettle(texts) => texts,
        Drawn::OnAnyCall(_) | Drawn::Not { .. } => &[],
    };
    FAULTS.iter().flat_map(texts).copied().collect()
}

impl Drawing {
    fn file(&mut self, seed: u64) {
        self.line(&format!("# Drawn from the seed {seed}."));
        self.line(&format!("id    = \"swarm-{seed}\""));
        self.line("title = \"Drawn by the swarm\"");
        self.line(&format!("seed  = {seed}"));
        // What is drawn by chance may come to nothing.
        for rule in ["faults-bit", "clients-acted"] {
            self.line(&format!("[[without]]\nrule = \"{rule}\"\nwhy  = \"it is drawn by chance\""));
        }
        if self.one_in(5) {
            self.flooded();
        } else {
            self.broken();
        }
        for (id, checker) in ALWAYS.iter().chain(&MUSTS) {
            self.must(id, &format!("{checker} = {{}}"));
        }
    }

    /// Anything may fail.
    fn broken(&mut self) {
        let facilitators = self.rng.usize(1..=FACILITATORS.len());
        let facilitators = &FACILITATORS[..facilitators];
        let (stored, confined) = (self.one_in(4).then(|| self.stored()), self.one_in(4));
        let lasts_s = if stored.is_some() { self.rng.u64(directory::CHAOS_S) } else { self.rng.u64(CHAOS_S) };
        let chaos_ends = STEADY_S + lasts_s;
        let ends = chaos_ends + HEALED_S;
        let tenants = self.world(facilitators, stored, confined);
        self.phases(chaos_ends);
        self.traffic(ends);
        if confined {
            self.fetches(chaos_ends);
        }
        if let Some(may) = stored {
            self.changes(tenants, chaos_ends, may);
        }
        self.must("COST-4", "quarantined-gets-probes-only = { grace = \"2s\" }");
        self.must("LIVE-1", &format!("recovers = {{ after = \"chaos\", within = \"{RECOVERS_WITHIN_S}s\" }}"));
        self.faults(facilitators, chaos_ends);
        if self.one_in(6) {
            // Without a kill: who asks while the dispatcher is down has to ask again.
            self.quarantine(tenants, chaos_ends);
        } else if stored != Some(Becomes::Broken) && self.rng.u8(..10) < 4 {
            for _ in 0..self.rng.usize(1..=3) {
                self.kill(chaos_ends);
            }
        }
    }

    fn phases(&mut self, chaos_ends: u64) {
        for (name, from) in [("steady", 0), ("chaos", STEADY_S), ("healed", chaos_ends)] {
            self.line(&format!("\n[[phase]]\nname = \"{name}\"\nfrom = \"{from}s\""));
        }
    }

    /// The tenants, as many of them as are drawn.
    fn world(&mut self, facilitators: &[&str], stored: Option<Becomes>, confined: bool) -> usize {
        let (verify, settle) = (self.rng.u64(500..3_000), self.rng.u64(800..4_000));
        let dispatchers = if self.rng.u8(..10) < 2 { 2 } else { 1 };
        self.line(&format!(
            "\n[world]\nfacilitators   = {facilitators:?}\ndispatchers    = {dispatchers}\n\
             verify-timeout = \"{verify}ms\"\nsettle-timeout = \"{settle}ms\""
        ));
        if stored.is_some() {
            self.line("directory      = \"stored\"");
        }
        let tenants = self.rng.usize(1..=TENANTS.len());
        let one_seller = self.rng.bool();
        for (position, tenant) in TENANTS[..tenants].iter().enumerate() {
            let (plan, price) = (self.one_of(&PLANS), self.rng.u64(1..=500));
            self.line(&format!("\n[[world.tenant]]\nid    = \"{tenant}\"\nplan  = \"{plan}\""));
            self.line(&format!("price = \"0.{price:03}\""));
            if one_seller {
                self.line("seller = \"one\"");
            }
            if stored != Some(Becomes::Leaving) && self.rng.u8(..10) < 2 {
                self.line(UPFRONT);
            }
            if self.rng.u8(..10) < 2 {
                let own = self.rng.usize(0..facilitators.len());
                self.line(&format!("facilitators = {:?}", &facilitators[own..]));
            }
            if confined {
                self.policy(position);
            }
        }
        tenants
    }

    fn traffic(&mut self, ends: u64) {
        let rate = self.rng.u64(RATE);
        let mut mix = vec![format!("paid = {}", self.rng.u64(2..=6))];
        let mut kinds: Vec<_> = ClientKind::ALL.into_iter().filter(|kind| kind.swarm() == Swarm::Sometimes).collect();
        self.rng.shuffle(&mut kinds);
        for kind in kinds.into_iter().take(self.rng.usize(0..=4)) {
            mix.push(format!("{} = 1", kind.name()));
        }
        let mix = mix.join(", ");
        self.line(&format!(
            "\n[[traffic]]\nname = \"callers\"\nfrom = \"0s\"\nto   = \"{ends}s\"\nrate = {rate}\nmix  = {{ {mix} }}"
        ));
        if self.rng.u8(..10) < 4 {
            let fails = self.rng.bool() && !self.text.contains(UPFRONT);
            let path = if fails { self.one_of(&FAILING_PATHS) } else { self.one_of(&PATHS) };
            let to = ends - HEALED_S;
            self.line(&format!(
                "\n[[traffic]]\nname = \"elsewhere\"\nfrom = \"0s\"\nto   = \"{to}s\"\nrate = 2\npath = \"{path}\"\n\
                 mix  = {{ paid = 1 }}"
            ));
        }
    }

    fn faults(&mut self, facilitators: &[&str], chaos_ends: u64) {
        // A closed port leaves no call for another fault.
        let refuses = self.rng.u8(..10) < 2;
        if refuses {
            self.fault_head(&facilitators[..1], "any", chaos_ends);
            self.line("inject.refuse = {}");
        }
        let rest = &facilitators[usize::from(refuses)..];
        if rest.is_empty() {
            return;
        }
        for _ in 0..self.rng.usize(0..=5) {
            let (call, inject) = self.what_fails();
            self.fault_head(rest, call, chaos_ends);
            let pick = match self.rng.u8(..3) {
                0 => format!("first = {}", self.rng.u64(1..=5)),
                1 => format!("every = {}", self.rng.u64(2..=4)),
                _ => format!("nth   = {}", self.rng.u64(1..=5)),
            };
            self.line(&format!("pick.{pick}\ninject.{inject}"));
        }
        // Last, because the calls that it takes are no other fault's.
        if self.rng.bool() {
            let (call, inject) = self.what_fails();
            self.fault_head(rest, call, chaos_ends);
            self.line(&format!("inject.{inject}"));
        }
    }

    /// The call, and what is injected into it.
    fn what_fails(&mut self) -> (&'static str, &'static str) {
        match self.rng.u8(..10) {
            0..=3 => (self.one_of(&["any", "verify", "settle"]), self.one_of(&on_any_call())),
            _ => ("settle", self.one_of(&on_settle())),
        }
    }

    fn fault_head(&mut self, facilitators: &[&str], call: &str, chaos_ends: u64) {
        let on = self.one_of(facilitators);
        let (from, to) = self.window(chaos_ends);
        self.line(&format!(
            "\n[[fault]]\non     = \"{on}\"\ncall   = \"{call}\"\nfrom   = \"{from}ms\"\nto     = \"{to}ms\""
        ));
    }

    fn kill(&mut self, chaos_ends: u64) {
        let (from, to) = self.window(chaos_ends);
        let window = format!("from = \"{from}ms\", to = \"{to}ms\"");
        let when = match self.rng.u8(..4) {
            // A window of its own, in which a restart has room.
            0 => format!("random = {{ times = 1, from = \"{STEADY_S}s\", to = \"{chaos_ends}s\" }}"),
            1 => format!("money-moves = {{ {window} }}"),
            _ => format!("payment = {{ reaches = \"{}\", {window} }}", self.one_of(&STAGES)),
        };
        self.line(&format!("\n[[kill]]\nwhen.{when}"));
    }

    fn must(&mut self, id: &str, hold: &str) {
        self.line(&format!("\n[[must]]\nid = \"{id}\"\nhold.{hold}"));
    }

    /// Milliseconds within the chaos.
    fn window(&mut self, chaos_ends: u64) -> (u64, u64) {
        let (first, last) = (STEADY_S * 1_000, chaos_ends * 1_000);
        let from = self.rng.u64(first..last - 500);
        (from, self.rng.u64(from + 400..=last))
    }

    fn one_in(&mut self, of: u8) -> bool {
        self.rng.u8(..of) == 0
    }

    fn one_of<'a>(&mut self, these: &[&'a str]) -> &'a str {
        these[self.rng.usize(..these.len())]
    }

    fn line(&mut self, line: &str) {
        writeln!(self.text, "{line}").expect("a string takes whatever it is given");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scenario::Scenario;

    #[test]
    fn whatever_is_drawn_is_a_valid_scenario_and_a_seed_draws_the_same() {
        for seed in 0..500 {
            let text = draw(seed);
            Scenario::parse(&format!("swarm-{seed}.toml"), &text).map_err(miette::Report::new).expect("valid");
            assert_eq!(text, draw(seed));
        }
    }

    #[test]
    fn what_a_fault_says_that_is_drawn_is_that_fault_and_what_is_left_out_says_why() {
        for fault in FAULTS {
            match fault.swarm {
                Drawn::OnAnyCall(texts) | Drawn::OnSettle(texts) => {
                    let named = |text: &&str| text.starts_with(&format!("{} = ", fault.listed.name));
                    assert!(!texts.is_empty() && texts.iter().all(named), "{}", fault.listed.name);
                }
                Drawn::Not { because } => assert!(!because.is_empty(), "{}", fault.listed.name),
            }
        }
    }

    #[test]
    fn directories_floods_and_policies_of_what_leaves_are_drawn_with_the_rules_that_they_are_for() {
        let drawn: Vec<_> = (0..1_000).map(draw).collect();
        for (what, held) in [
            ("becomes.older", "hold.directory-is-followed"),
            ("becomes.foreign-script", "hold.reaches-the-named-tenant"),
            ("egress = {", "hold.egress-is-confined"),
            ("does.lift-quarantine", "hold.quarantine-counts"),
            ("addresses = 1", "hold.flood-is-cut"),
            ("payers    = 1", "hold.others-are-served"),
        ] {
            let with: Vec<_> = drawn.iter().filter(|text| text.contains(what)).collect();
            assert!(!with.is_empty() && with.iter().all(|text| text.contains(held)), "{what}");
        }
    }
}
