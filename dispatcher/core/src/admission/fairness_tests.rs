//! Others are let in as before, whatever one caller does, and whatever a whole network of 48 bits does together.

use super::{
    source::tests::source,
    tests::{Call, LARGE, NOW},
    *,
};
use proptest::prelude::*;

/// A thing that a hostile caller may do with one request.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Offer,
    Preflight,
    Junk,
    /// A new payment, or the one before again.
    Pays {
        again: bool,
        is_signer: bool,
        came: Came,
        fails: bool,
    },
    /// The payment is under way until the end.
    HangsOn,
    /// The caller hangs up before anything came of it.
    HangsUp,
}

#[derive(Clone, Debug)]
struct Step {
    pause_ms: u64,
    /// Which of its sources, and how many times at once.
    source: usize,
    times: usize,
    deed: Deed,
}

fn deed() -> impl Strategy<Value = Deed> {
    let came = prop::sample::select(vec![
        Came::Malformed,
        Came::Worthless,
        Came::Spent,
        Came::InUse,
        Came::Kept,
        Came::Lost,
        Came::Bought,
        Came::Unanswered,
        Came::Nothing,
    ]);
    let pays = (any::<bool>(), any::<bool>(), came, any::<bool>());
    let pays = pays.prop_map(|(again, is_signer, came, fails)| Deed::Pays { again, is_signer, came, fails });
    prop_oneof![
        1 => Just(Deed::Offer),
        1 => Just(Deed::Preflight),
        1 => Just(Deed::Junk),
        4 => pays,
        1 => Just(Deed::HangsOn),
        1 => Just(Deed::HangsUp),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (prop_oneof![Just(0_u64), 0_u64..400, Just(20_000)], 0_usize..64, 1_usize..60, deed());
    let step = step.prop_map(|(pause_ms, source, times, deed)| Step { pause_ms, source, times, deed });
    prop::collection::vec(step, 1..60)
}

/// One address of version 4, or sources all over a network of 48 bits.
fn sources(wide: bool) -> Vec<Source> {
    let wide_one = |n: usize| source(&format!("2001:db8:bad:{:x}::1", n * 1_021 % 65_536));
    if wide { (0..64).map(wide_one).collect() } else { vec![source("198.51.100.66")] }
}

struct Attack<'a> {
    gate: &'a Gate,
    sources: &'a [Source],
    /// Names for its payments, of which each is new.
    names: &'a [String],
    used: usize,
    under_way: Vec<Admitted<'a>>,
}

impl<'a> Attack<'a> {
    fn act(&mut self, step: &Step, at: UnixMillis) {
        for n in 0..step.times {
            let from = &self.sources[(step.source + n) % self.sources.len()];
            if !matches!(step.deed, Deed::Pays { again: true, .. }) {
                self.used += 1;
            }
            let name = &self.names[self.used % self.names.len()];
            let call = Call::of(name).from(from).at(at);
            match step.deed {
                Deed::Offer => drop(self.gate.enter(call.visit(Brings::NoPayment))),
                Deed::Preflight => drop(self.gate.enter(call.visit(Brings::Preflight))),
                Deed::Junk => {
                    if let Ok(entered) = self.gate.enter(call.visit(Brings::Payment("junk"))) {
                        entered.malformed();
                    }
                }
                Deed::Pays { is_signer, came, fails, .. } => {
                    let call = Call { payer: Payer { is_signer, ..call.payer }, path: "/boom", ..call };
                    if let Ok(admitted) = call.admit(self.gate) {
                        if matches!(came, Came::Bought | Came::Nothing) {
                            admitted.verified(at);
                            admitted.runs().ended("acme", fails, at);
                        }
                        admitted.outcome(came, at);
                    }
                }
                Deed::HangsOn => self.under_way.extend(call.admit(self.gate)),
                Deed::HangsUp => drop(call.admit(self.gate)),
            }
        }
    }
}

fn honest_is_let_in_through(wide: bool, steps: &[Step], honest: &str, payer: &str) {
    let gate = Gate::new(7);
    let (sources, honest) = (sources(wide), source(honest));
    let names: Vec<_> = (0..4_000).map(|n| format!("hostile-{n}")).collect();
    let mut attack = Attack { gate: &gate, sources: &sources, names: &names, used: 0, under_way: Vec::new() };
    let mut at = NOW;
    for (n, step) in steps.iter().enumerate() {
        at = at.plus(step.pause_ms);
        attack.act(step, at);
        // Once in a while, and so within its own rates: asks for the offer, and buys.
        at = at.plus(200);
        let mine = format!("honest-{n}");
        let call = Call { path: "/boom", ..Call::of(&mine).from(&honest).by(payer).at(at) };
        assert!(gate.enter(call.visit(Brings::NoPayment)).is_ok(), "the offer after {:?}", &steps[..=n]);
        let admitted = call.admit(&gate);
        let admitted = admitted.unwrap_or_else(|away| panic!("{away:?} after {:?}", &steps[..=n]));
        admitted.verified(at);
        admitted.runs().ended("acme", false, at);
        admitted.outcome(Came::Bought, at);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn no_pattern_of_one_address_or_one_wide_network_keeps_out_a_caller_elsewhere(steps in steps(), wide in any::<bool>()) {
        for honest in ["203.0.113.7", "2001:db8:900d::7"] {
            honest_is_let_in_through(wide, &steps, honest, "honest");
        }
    }

    /// An address whose payments are good, one after the other, is never told to wait.
    #[test]
    fn good_payments_never_exhaust(cames in prop::collection::vec(any::<bool>(), 1..400), gap_ms in 0_u64..50) {
        let (gate, from) = (Gate::new(7), source("203.0.113.7"));
        for (n, kept) in cames.into_iter().enumerate() {
            let name = format!("payment-{n}");
            let call = Call::of(&name).from(&from).within(LARGE).at(NOW.plus(n as u64 * gap_ms));
            prop_assert!(call.comes_to(&gate, if kept { Came::Kept } else { Came::Bought }), "{}", n);
        }
    }
}

#[test]
fn a_million_sources_take_no_more_room_and_keep_nobody_out_for_good() {
    let gate = Gate::new(7);
    for n in 0..1_000_000_u64 {
        let from = source(&format!("2001:{:x}:{:x}:{:x}::1", 0xdb8 + n / 65_536, n % 65_536, n % 7));
        let name = n.to_string();
        let call = Call::of(&name).from(&from).within(LARGE).at(NOW.plus(n));
        match n % 16 {
            0 => drop(call.comes_to(&gate, Came::Worthless)),
            1 => drop(call.comes_to(&gate, Came::Unanswered)),
            2 => drop(call.comes_to(&gate, Came::Bought)),
            3 => {
                let path = format!("/{n}");
                let entered = gate.enter(Call { path: &path, ..call }.visit(Brings::Nothing));
                entered.unwrap().runs().ended(&format!("tenant-{}", n % 1_000), n % 3 == 0, call.at);
            }
            _ => drop(gate.enter(call.visit(Brings::NoPayment))),
        }
    }
    let bytes = gate.bytes();
    assert!(bytes < 8 << 20, "{bytes} bytes");
    let honest = source("203.0.113.7");
    assert!(Call::of("honest").from(&honest).at(NOW.plus(1_000_000)).comes_to(&gate, Came::Bought));
}
