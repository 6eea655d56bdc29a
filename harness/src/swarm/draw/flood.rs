//! Somebody sends too much, beside callers who pay: of the flood only so much is let in, and the others notice nothing.

use super::{Drawing, FACILITATORS, HEALED_S, STEADY_S, TENANTS};

const LASTS_S: std::ops::RangeInclusive<u64> = 12..=20;
/// In ten seconds, as a tenant's record may say. An isolate holds them exactly.
const RATES: [u64; 3] = [20, 50, 100];
/// A tenant's rate that no drawing comes near.
const AMPLE: u64 = 2_000;
/// In ten seconds a full rate and what leaks meanwhile are let in, and a request at either edge.
const AT_EDGES: u64 = 2;
/// How often what is sent exceeds the rate.
const TIMES: std::ops::RangeInclusive<u64> = 3..=5;
/// A purchase is verified and settled, and an answer may be lost.
const CALLS_OF_A_PAYMENT: u64 = 3;
/// Broken payments that only a facilitator can tell from sound ones.
const CALLS_OF_THE_BROKEN: u64 = 30;

/// The sender of too much.
#[derive(Clone, Copy)]
enum Flood {
    /// One address that never pays.
    Unpaid,
    /// One address whose payments are broken.
    Broken,
    /// One payer.
    Payer,
    /// Many addresses, of which none sends too much and none pays.
    Everywhere,
}

impl Drawing {
    pub(super) fn flooded(&mut self) {
        let floods = [Flood::Unpaid, Flood::Broken, Flood::Payer, Flood::Everywhere];
        let flood = floods[self.rng.usize(..floods.len())];
        let rate = RATES[self.rng.usize(..RATES.len())];
        let ends_s = STEADY_S + self.rng.u64(LASTS_S);
        let facilitators = &FACILITATORS[..self.rng.usize(1..=FACILITATORS.len())];
        self.line(&format!("\n[world]\nfacilitators = {facilitators:?}"));
        let tenants = &TENANTS[..self.rng.usize(1..=TENANTS.len())];
        // Who only gets an offer uses up nothing of a tenant's rate, and the others stay within it.
        let of_tenant = if matches!(flood, Flood::Everywhere) { RATES[2] } else { AMPLE };
        for tenant in tenants {
            let (plan, price) = (self.one_of(&super::PLANS), self.rng.u64(1..=500));
            self.line(&format!(
                "\n[[world.tenant]]\nid    = \"{tenant}\"\nplan  = \"{plan}\"\nprice = \"0.{price:03}\"\n\
                 rates = {{ tenant = {of_tenant}, payer = {rate}, address = {rate} }}"
            ));
        }
        self.phases(ends_s);
        // Each of the sixteen payers of `callers` stays far below the smallest rate.
        let callers = self.rng.u64(2..=6);
        let ends = ends_s + HEALED_S / 2;
        self.line(&format!(
            "\n[[traffic]]\nname = \"callers\"\nfrom = \"0s\"\nto   = \"{ends}s\"\nrate = {callers}\nmix  = {{ paid = 3, unpaid = 1 }}"
        ));
        let sent = (rate * self.rng.u64(TIMES)).div_ceil(10);
        let (mix, from) = match flood {
            Flood::Unpaid => ("unpaid", "addresses = 1"),
            Flood::Broken => ("malformed", "addresses = 1"),
            Flood::Payer => ("paid", "payers    = 1"),
            Flood::Everywhere => ("unpaid", ""),
        };
        self.line(&format!(
            "\n[[traffic]]\nname      = \"flood\"\nfrom      = \"{STEADY_S}s\"\nto        = \"{ends_s}s\"\nrate      = {sent}\n\
             tenants   = [\"{}\"]\nmix       = {{ {mix} = 1 }}\n{from}",
            tenants[0]
        ));
        let at_most = 2 * rate + AT_EDGES;
        let let_in = at_most * (ends_s - STEADY_S).div_ceil(10);
        let (by, calls) = match flood {
            Flood::Unpaid => (Some("address"), 0),
            Flood::Broken => (Some("address"), CALLS_OF_THE_BROKEN),
            Flood::Payer => (Some("payer"), let_in * CALLS_OF_A_PAYMENT),
            Flood::Everywhere => (None, 0),
        };
        if let Some(by) = by {
            self.must(
                "COST-5",
                &format!(
                    "flood-is-cut = {{ traffic = \"flood\", by = \"{by}\", at-most = {at_most}, within = \"10s\", calls = {calls} }}"
                ),
            );
        }
        self.must("COST-3", "refusals-cost-nothing = {}");
        self.must(
            "FAIR-1",
            "others-are-served = { traffic = \"callers\", quiet = \"steady\", noisy = \"chaos\", slower-by = \"100ms\" }",
        );
    }
}
