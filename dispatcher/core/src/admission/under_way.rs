//! Payments under way that nobody has vouched for yet: each may cost calls to the ledger and to a facilitator. A place in
//! here is kept until a facilitator has verified the payment, or the request is over.
//!
//! Surprising: a place is free again after a while even if nobody gave it back. A platform may stop a request without a word
//! when its caller hangs up, and then nothing of it runs any more. Until then a source that has none takes the place of one
//! that has several: a few addresses must not shut a tenant by holding what they do not use.

use x402_paywall::UnixMillis;

/// Longer than a ledger and its facilitators take to verify one payment.
const LEASE_MS: u64 = 30_000;
/// Places in the whole isolate for payers that are new to their tenant: they share its memory and the facilitators.
const NEWCOMERS: usize = 256;
/// Places for all payments. The list is read from end to end for each new one, so that it must stay short.
const MOST: usize = 1_024;
/// Places for newcomers at one tenant: a twentieth of what its rate lets in within ten seconds, which is as many as come in
/// half a second.
const SHARE_OF_RATE: u32 = 20;
const LEAST_AT_TENANT: usize = 8;
const MOST_AT_TENANT: usize = 128;
/// Places for one source, the network of 56 bits around it, and that of 48. An address of version 4 is often shared.
const FROM_ADDRESS: usize = 8;
const FROM_NETWORKS: [usize; 3] = [4, 8, 16];

/// The source of a payment and the networks around it, as keys. Zero is no source.
pub type Levels = [u64; 3];

/// One payment that asks for a place.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    pub payment: u64,
    /// The payment however its header is spelt, from its source.
    pub however_spelt: u64,
    pub tenant: u64,
    /// The tenant's rate, for ten seconds.
    pub rate: u32,
    pub from: Levels,
    /// Purchases from its source that went well lately.
    pub goodwill: u32,
    /// Its payer has bought nothing at the tenant lately.
    pub is_newcomer: bool,
    /// Something from its source was worthless lately.
    pub is_blamed: bool,
}

#[derive(Debug, Default)]
pub struct UnderWay {
    places: Vec<Place>,
    taken: u64,
}

#[derive(Debug)]
struct Place {
    id: u64,
    since: UnixMillis,
    candidate: Candidate,
}

impl UnderWay {
    /// Gives the payment a place, if its tenant, its source and the isolate have one left. The answer is the place's number.
    pub fn take(&mut self, candidate: Candidate, now: UnixMillis) -> Option<u64> {
        self.places.retain(|place| now.since(place.since) < LEASE_MS);
        if self.places.len() >= MOST || !self.has_room_from_its_source(&candidate) {
            return None;
        }
        while let Some(full) = self.full_for(&candidate) {
            self.make_room_for(&candidate, full)?;
        }
        self.taken += 1;
        self.places.push(Place { id: self.taken, since: now, candidate });
        Some(self.taken)
    }

    /// Takes a place back. One whose lease has run out is gone already.
    pub fn leave(&mut self, id: u64) {
        self.places.retain(|place| place.id != id);
    }

    /// Tells whether another request with this payment has a place.
    #[must_use]
    pub fn has(&self, payment: u64) -> bool {
        self.places.iter().any(|place| place.candidate.payment == payment)
    }

    /// Tells whether this payment has a place for another request of its source, in another spelling.
    #[must_use]
    pub fn has_spelt_otherwise(&self, payment: u64) -> bool {
        self.places.iter().any(|place| place.candidate.however_spelt == payment)
    }

    /// Tells whether a source has a place left, whoever the payer is. That can be said before a payment is looked at.
    #[must_use]
    pub fn has_room_from(&self, from: Levels, goodwill: u32, now: UnixMillis) -> bool {
        let own = |place: &&Place| place.candidate.from[0] == from[0] && now.since(place.since) < LEASE_MS;
        from[0] == 0 || self.places.iter().filter(own).count() < places_of(from, goodwill)
    }

    fn has_room_from_its_source(&self, new: &Candidate) -> bool {
        let count = |is: &dyn Fn(&Candidate) -> bool| self.places.iter().filter(|place| is(&place.candidate)).count();
        let ceiling = at_tenant(new.rate);
        let trusted = new.goodwill as usize;
        // Nobody's: told apart by nothing, so that only the tenant's ceiling holds them.
        if new.from[0] != 0 {
            let has_networks = new.from[1] != 0;
            let own = places_of(new.from, new.goodwill);
            if count(&|other| other.from[0] == new.from[0]) >= own {
                return false;
            }
            // A small part of the ceiling, so that no source keeps others out; of a wide network, half.
            let newcomers = |level: usize| count(&|other| other.is_newcomer && other.from[level] == new.from[level]);
            if new.is_newcomer && newcomers(0) >= (ceiling / 4).min(own) {
                return false;
            }
            let wider = [1, 2].into_iter().filter(|_| has_networks && new.is_newcomer && trusted == 0);
            if wider.into_iter().any(|level| newcomers(level) >= (ceiling / 2).min(FROM_NETWORKS[level])) {
                return false;
            }
        }
        true
    }

    /// The group that has no room left for one more newcomer, if one has none.
    fn full_for(&self, new: &Candidate) -> Option<Full> {
        let newcomers = |full: Full| self.places.iter().filter(|place| full.holds(&place.candidate)).count();
        let of_tenant = Full::Tenant(new.tenant);
        match new.is_newcomer {
            true if newcomers(of_tenant) >= at_tenant(new.rate) => Some(of_tenant),
            true if newcomers(Full::Isolate) >= NEWCOMERS => Some(Full::Isolate),
            _ => None,
        }
    }

    /// Takes a place from the source that has most, for one that has none; or any from a source that was blamed, for one that
    /// was not. `None`: there is no such place.
    fn make_room_for(&mut self, new: &Candidate, full: Full) -> Option<()> {
        let counted = || self.places.iter().filter(|place| full.holds(&place.candidate));
        let held_by = |whose: u64| counted().filter(|place| widest(place.candidate.from) == whose).count();
        let own = widest(new.from);
        if own == 0 || held_by(own) > 0 {
            return None;
        }
        // The oldest first.
        let of_blamed = counted().find(|place| place.candidate.is_blamed && !new.is_blamed).map(|place| place.id);
        if let Some(id) = of_blamed {
            self.leave(id);
            return Some(());
        }
        let (most, id) = counted()
            .map(|place| (held_by(widest(place.candidate.from)), place.id))
            .max_by_key(|(held, id)| (*held, std::cmp::Reverse(*id)))?;
        (most > 1).then(|| self.leave(id))
    }
}

/// The group that has no room left.
#[derive(Clone, Copy, Debug)]
enum Full {
    Tenant(u64),
    Isolate,
}

impl Full {
    fn holds(self, candidate: &Candidate) -> bool {
        candidate.is_newcomer
            && match self {
                Self::Tenant(tenant) => candidate.tenant == tenant,
                Self::Isolate => true,
            }
    }
}

/// The widest network that one subscriber may have to himself.
fn widest(from: Levels) -> u64 {
    if from[2] == 0 { from[0] } else { from[2] }
}

/// Places for one source.
fn places_of(from: Levels, goodwill: u32) -> usize {
    let few = if from[1] == 0 { FROM_ADDRESS } else { FROM_NETWORKS[0] };
    few + goodwill as usize
}

/// Places for newcomers at one tenant.
fn at_tenant(rate: u32) -> usize {
    ((rate / SHARE_OF_RATE) as usize).clamp(LEAST_AT_TENANT, MOST_AT_TENANT)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
    const NEW: Candidate = Candidate {
        payment: 0,
        however_spelt: 0,
        tenant: 1,
        rate: 2_000,
        from: [0; 3],
        goodwill: 0,
        is_newcomer: true,
        is_blamed: false,
    };

    /// Returns how many of so many places are given.
    fn given(under_way: &mut UnderWay, count: u64, candidate: impl Fn(u64) -> Candidate) -> usize {
        (0..count).filter(|n| under_way.take(Candidate { payment: *n, ..candidate(*n) }, NOW).is_some()).count()
    }

    #[test]
    fn a_source_and_the_networks_around_it_have_few_places_each() {
        let address = |_| Candidate { from: [1, 0, 0], ..NEW };
        assert_eq!(given(&mut UnderWay::default(), 400, address), 8);
        assert_eq!(given(&mut UnderWay::default(), 400, |_| Candidate { from: [1, 2, 3], ..NEW }), 4);
        assert_eq!(given(&mut UnderWay::default(), 400, |n| Candidate { from: [n + 10, 2, 3], ..NEW }), 8);
        assert_eq!(given(&mut UnderWay::default(), 400, |n| Candidate { from: [n + 10, n + 1_000, 3], ..NEW }), 16);
        assert_eq!(given(&mut UnderWay::default(), 400, |_| Candidate { goodwill: 10, ..address(0) }), 18);
    }

    #[test]
    fn a_tenant_has_a_ceiling_for_newcomers_and_others_pass() {
        for (rate, ceiling) in [(20, 8), (500, 25), (2_000, 100), (50_000, 128)] {
            let mut under_way = UnderWay::default();
            let newcomer = |n| Candidate { rate, from: [n + 1, 0, 0], ..NEW };
            assert_eq!(given(&mut under_way, 400, newcomer), ceiling, "{rate}");
            assert_eq!(given(&mut under_way, 1, |_| Candidate { is_newcomer: false, ..newcomer(999) }), 1);
            assert_eq!(given(&mut under_way, 1, |_| Candidate { tenant: 2, ..newcomer(999) }), 1);
        }
        let everywhere = |n| Candidate { tenant: n, from: [n + 1, 0, 0], ..NEW };
        assert_eq!(given(&mut UnderWay::default(), 2_000, everywhere), NEWCOMERS);
        let known = |n| Candidate { is_newcomer: false, ..everywhere(n) };
        assert_eq!(given(&mut UnderWay::default(), 2_000, known), MOST);
    }

    #[test]
    fn a_source_without_a_place_takes_one_of_those_that_have_most() {
        let mut under_way = UnderWay::default();
        let few = |n: u64| Candidate { from: [n % 14 + 1, 0, 0], ..NEW };
        assert_eq!(given(&mut under_way, 400, few), 100, "fourteen addresses hold the whole ceiling");
        let other = |n: u64| Candidate { from: [n + 1_000, 0, 0], ..NEW };
        assert_eq!(given(&mut under_way, 50, other), 50);
        assert_eq!(given(&mut under_way, 14, few), 0, "who has some gets no more");
        let of_one_network = |n: u64| Candidate { from: [n + 5_000, n + 6_000, 7_000], ..NEW };
        assert_eq!(given(&mut under_way, 20, of_one_network), 1, "a wide network is one source");
        assert_eq!(given(&mut under_way, 400, other), 35, "until each has one");
        assert_eq!(under_way.places.len(), 100);
        assert_eq!(given(&mut under_way, 1, |_| NEW), 0, "and none for who does not say where it is");
    }

    #[test]
    fn a_source_that_was_never_blamed_takes_the_place_of_one_that_was() {
        let mut under_way = UnderWay::default();
        let blamed = |n: u64| Candidate { from: [n + 1, 0, 0], is_blamed: true, ..NEW };
        assert_eq!(given(&mut under_way, 400, blamed), 100, "a hundred addresses hold one each");
        let new = |n: u64| Candidate { from: [n + 1_000, 0, 0], ..NEW };
        assert_eq!(given(&mut under_way, 400, new), 100);
        assert_eq!(given(&mut under_way, 400, blamed), 0);
    }

    #[test]
    fn no_source_takes_more_than_a_quarter_of_a_ceiling_and_no_wide_network_more_than_half() {
        let mut under_way = UnderWay::default();
        assert_eq!(given(&mut under_way, 400, |_| Candidate { rate: 20, from: [1, 0, 0], goodwill: 100, ..NEW }), 2);
        assert_eq!(given(&mut under_way, 400, |n| Candidate { rate: 20, from: [n + 10, n + 1_000, 3], ..NEW }), 4);
        let others = |n| Candidate { rate: 20, from: [n + 10, 0, 0], ..NEW };
        assert_eq!(given(&mut under_way, 400, others), 6, "two are free, and each of the two gives all but one");
    }

    #[test]
    fn a_place_is_free_once_it_was_left_or_its_request_is_long_gone() {
        let mut under_way = UnderWay::default();
        let mut take = |payment, at| under_way.take(Candidate { payment, from: [1, 2, 3], ..NEW }, at);
        let first = take(7, NOW).unwrap();
        assert!((0..3).all(|_| take(8, NOW).is_some()) && take(9, NOW).is_none());
        assert!(under_way.has(7) && !under_way.has(9));
        under_way.leave(first);
        assert!(!under_way.has(7));
        let mut take = |at| under_way.take(Candidate { payment: 9, from: [1, 2, 3], ..NEW }, at).is_some();
        assert!(take(NOW) && !take(NOW.plus(LEASE_MS - 1)) && take(NOW.plus(LEASE_MS)));
    }
}
