//! Who is let in by one isolate, request after request.

use super::{source::tests::source, *};

pub const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
/// Rates of the free plan.
pub const RATES: Rates = Rates { tenant: 500, payer: 100, address: 100 };
/// Rates of the largest plan.
pub const LARGE: Rates = Rates { tenant: 50_000, payer: 2_000, address: 10_000 };
const SMALL: Rates = Rates { tenant: 10, payer: 5, address: 100 };

/// One request of somebody, at `/quote` of a tenant.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub tenant: &'a str,
    pub rates: Rates,
    pub source: Option<&'a Source>,
    pub payment: &'a str,
    pub payer: Payer<'a>,
    pub path: &'a str,
    pub at: UnixMillis,
}

pub fn signer(address: &str) -> Payer<'_> {
    Payer { address, is_signer: true }
}

impl<'a> Call<'a> {
    pub fn of(payment: &'a str) -> Self {
        let payer = signer(payment);
        Self { tenant: "acme", rates: RATES, source: None, payment, payer, path: "/quote", at: NOW }
    }

    pub fn from(self, source: &'a Source) -> Self {
        Self { source: Some(source), ..self }
    }

    pub fn by(self, payer: &'a str) -> Self {
        Self { payer: signer(payer), ..self }
    }

    pub fn within(self, rates: Rates) -> Self {
        Self { rates, ..self }
    }

    pub fn at(self, at: UnixMillis) -> Self {
        Self { at, ..self }
    }

    pub fn visit(self, brings: Brings<'a>) -> Visit<'a> {
        let tenancy = Some(Tenancy { id: self.tenant, rates: self.rates });
        Visit { source: self.source, tenancy, method: "GET", path: self.path, brings, at: self.at }
    }

    pub fn admit<'b>(self, gate: &'b Gate) -> Result<Admitted<'b>, TurnedAway>
    where
        'a: 'b,
    {
        gate.enter(self.visit(Brings::Payment(self.payment)))?.admit(self.payment, self.payer)
    }

    /// Goes through all steps. Returns whether it was let in, and so came to that.
    pub fn comes_to(self, gate: &Gate, came: Came) -> bool {
        let Ok(admitted) = self.admit(gate) else { return false };
        if matches!(came, Came::Bought | Came::Kept | Came::Nothing) {
            admitted.verified(self.at);
        }
        admitted.outcome(came, self.at);
        true
    }
}

fn count(count: usize, is: impl FnMut(&usize) -> bool) -> usize {
    (0..count).filter(is).count()
}

/// New payments, each bought, by payers of their own: how many of so many were let in.
fn buy(gate: &Gate, call: Call<'_>, times: usize) -> usize {
    let name = |n: &usize| format!("other-{n}");
    count(times, |n| Call { payment: &name(n), ..call }.by(&name(n)).comes_to(gate, Came::Bought))
}

fn addresses(count: usize) -> Vec<Source> {
    (0..count).map(|n| source(&format!("10.0.{}.{}", n / 256, n % 256))).collect()
}

/// Networks of 64 bits, each in one of 56 bits of its own, of one of 48.
fn neighbours(count: usize) -> Vec<Source> {
    (0..count).map(|n| source(&format!("2001:db8:a:{:x}::1", n % 256 * 256 + n / 256))).collect()
}

#[test]
fn who_has_paid_comes_back_past_a_rate_that_is_used_up_and_only_at_the_tenant_that_was_paid() {
    let gate = Gate::new(1);
    let mine = Call::of("mine").by("me").within(SMALL);
    let birch = Call { tenant: "birch", ..mine };
    assert!(mine.comes_to(&gate, Came::Kept));
    assert_eq!(buy(&gate, mine, 20), 9);
    assert_eq!(buy(&gate, birch, 20), 10);
    assert!(mine.comes_to(&gate, Came::Kept));
    assert!(!Call { payment: "another", ..mine }.comes_to(&gate, Came::Kept));
    assert!(!birch.comes_to(&gate, Came::Kept));
    let again = count(100, |_| mine.comes_to(&gate, Came::Kept));
    assert!((1..20).contains(&again), "its own rate: {again}");
}

#[test]
fn worthless_payments_use_up_neither_their_signers_rate_nor_the_tenants() {
    let gate = Gate::new(1);
    fn victim(payment: &str) -> Call<'_> {
        Call::of(payment).by("victim").within(SMALL)
    }
    for came in [Came::Worthless, Came::Spent] {
        for n in 0..40 {
            let header = format!("{came:?}-{n}");
            assert!(victim(&header).comes_to(&gate, came), "{header}");
        }
    }
    assert_eq!(count(20, |n| victim(&n.to_string()).comes_to(&gate, Came::Bought)), 5);
    assert_eq!(buy(&gate, victim(""), 20), 5);
}

#[test]
fn four_hundred_payments_at_once_from_one_address_have_few_places_and_cost_the_burst() {
    let (gate, from) = (Gate::new(1), source("192.0.2.1"));
    let (mut asked, mut next) = (0, 0);
    let names: Vec<_> = (0..4_000).map(|n| format!("payment-{n}")).collect();
    loop {
        let wave: Vec<_> = names[next..next + 400]
            .iter()
            .filter_map(|name| Call::of(name).from(&from).within(LARGE).admit(&gate).ok())
            .collect();
        next += 400;
        assert!(wave.len() <= 8, "{} at once", wave.len());
        asked += wave.len();
        if wave.is_empty() {
            break;
        }
        wave.into_iter().for_each(|admitted| admitted.outcome(Came::Worthless, NOW));
    }
    assert_eq!(asked, 30);
    let told: Vec<_> = gate.alerts().into_iter().map(|alert| alert.alert).collect();
    assert_eq!(told, ["worthless_payments"]);
}

#[test]
fn a_payment_in_four_hundred_copies_at_once_costs_no_more_and_a_clients_own_race_nothing() {
    let (gate, from) = (Gate::new(1), source("192.0.2.1"));
    let copies = |name: &str, came| {
        let copies: Vec<_> =
            (0..50).filter_map(|_| Call::of(name).from(&from).within(LARGE).admit(&gate).ok()).collect();
        let count = copies.len();
        copies.into_iter().for_each(|admitted| admitted.outcome(came, NOW));
        count
    };
    let raced: Vec<_> = (0..20).map(|n| copies(&format!("raced-{n}"), Came::InUse)).collect();
    assert!(raced[..3].iter().all(|count| *count > 10), "{raced:?}");
    let worthless: usize = (0..20).map(|n| copies(&format!("worthless-{n}"), Came::Worthless)).sum();
    assert!(worthless <= 30, "{worthless}");
}

#[test]
fn four_hundred_neighbours_in_one_wide_network_cost_little_more_than_one() {
    let (gate, sources) = (Gate::new(1), neighbours(400));
    let names: Vec<_> = (0..400).map(|n| format!("payment-{n}")).collect();
    let calls = || names.iter().zip(&sources).map(|(name, source)| Call::of(name).from(source));
    let mut asked = 0;
    for _ in 0..20 {
        let wave: Vec<_> = calls().filter_map(|call| call.admit(&gate).ok()).collect();
        asked += wave.len();
        wave.into_iter().for_each(|admitted| admitted.outcome(Came::Worthless, NOW));
    }
    assert!(asked <= 50, "{asked}");
    assert!(gate.alerts().iter().any(|alert| alert.alert == "network_misbehaves"));
    let (elsewhere, later) = (source("2001:db8:b::1"), NOW.plus(120_000));
    assert!(Call::of("elsewhere").from(&elsewhere).comes_to(&gate, Came::Bought));
    let neighbour = source("2001:db8:a:ffff::1");
    let let_in = |at| Call::of("neighbour").from(&neighbour).at(at).comes_to(&gate, Came::Bought);
    assert!(!let_in(NOW) && let_in(later), "it shares, and only for a while");
}

#[test]
fn one_wide_network_gets_no_more_than_half_of_a_tenants_rate_even_if_it_buys() {
    for brings in [Brings::Nothing, Brings::Payment("")] {
        let (gate, sources) = (Gate::new(1), neighbours(100));
        let is_let_in = |from: &Source, n: usize| {
            let name = format!("{}-{n}", from.as_str());
            let call = Call::of(&name).from(from);
            match brings {
                Brings::Payment(_) => call.comes_to(&gate, Came::Bought),
                brings => gate.enter(call.visit(brings)).is_ok(),
            }
        };
        let let_in: usize = sources.iter().map(|from| count(20, |n| is_let_in(from, *n))).sum();
        assert_eq!(let_in, 250, "{brings:?}");
        assert!(is_let_in(&source("2001:db8:b::1"), 0));
    }
}

#[test]
fn a_source_that_has_bought_something_does_not_answer_for_its_neighbours() {
    let (gate, sources) = (Gate::new(1), neighbours(100));
    let buys = |payment: &str| Call::of(payment).from(&sources[0]).by("customer").comes_to(&gate, Came::Bought);
    assert!(buys("first"));
    for (n, source) in sources[1..].iter().enumerate() {
        Call::of(&format!("worthless-{n}")).from(source).comes_to(&gate, Came::Worthless);
    }
    assert!(!Call::of("stranger").from(&sources[99]).comes_to(&gate, Came::Bought));
    assert!(buys("second"));
}

#[test]
fn good_payments_never_use_up_what_an_address_may_send_in_vain() {
    let (gate, from) = (Gate::new(1), source("192.0.2.1"));
    for n in 0..5_000 {
        let name = format!("payment-{n}");
        let call = Call::of(&name).from(&from).within(LARGE).at(NOW.plus(n));
        assert!(call.comes_to(&gate, if n % 2 == 0 { Came::Bought } else { Came::Kept }), "{n}");
    }
    assert_eq!(gate.alerts(), []);
}

#[test]
fn an_address_that_buys_may_have_ever_more_under_way() {
    let (gate, from) = (Gate::new(1), source("192.0.2.1"));
    let names: Vec<_> = (0..100_000).map(|n| format!("payment-{n}")).collect();
    let waves = [0, 1, 2, 3, 4, 5].map(|wave| {
        let call = |name| Call::of(name).from(&from).by("agent").within(LARGE);
        let names = &names[wave * 200..wave * 200 + 200];
        let wave: Vec<_> = names.iter().filter_map(|name| call(name).admit(&gate).ok()).collect();
        let under_way = wave.len();
        wave.into_iter().for_each(|admitted| {
            admitted.verified(NOW);
            admitted.outcome(Came::Bought, NOW);
        });
        under_way
    });
    assert_eq!(waves, [8, 16, 32, 64, 128, 200]);
}

#[test]
fn an_address_that_floods_without_paying_may_still_pay() {
    let (gate, from) = (Gate::new(7), source("0.0.0.2"));
    let rates = Rates { tenant: 10_000, payer: 500, address: 2_000 };
    let call = Call::of("mine").from(&from).within(rates);
    let others = addresses(60_000);
    for other in &others {
        assert!(gate.enter(call.from(other).visit(Brings::NoPayment)).is_ok());
    }
    let offers = count(2_500, |_| gate.enter(call.visit(Brings::NoPayment)).is_ok());
    assert_eq!(offers, 300);
    assert_eq!(call.admit(&gate).map(drop), Ok(()));
}

#[test]
fn a_payment_that_comes_to_nothing_waits_alone_and_ever_longer() {
    let (gate, sources) = (Gate::new(1), addresses(2));
    let boom = Call::of("boom").from(&sources[0]);
    assert_eq!(count(20, |_| boom.comes_to(&gate, Came::Nothing)), 3);
    assert_eq!(boom.admit(&gate).unwrap_err(), TurnedAway { retry_after_s: 2 });
    assert!(boom.at(NOW.plus(1_000)).comes_to(&gate, Came::Nothing));
    assert!(!boom.at(NOW.plus(2_000)).comes_to(&gate, Came::Nothing));
    assert!(Call::of("other").from(&sources[0]).comes_to(&gate, Came::Bought));
    assert!(boom.from(&sources[1]).comes_to(&gate, Came::Nothing), "whoever read it off the chain keeps nobody out");
    // However it is spelt.
    let entered = gate.enter(boom.visit(Brings::Payment("b%6fom"))).unwrap();
    assert!(entered.admit("boom", boom.payer).is_err());
    assert!(boom.at(NOW.plus(3_000)).comes_to(&gate, Came::Bought));
}

#[test]
fn what_nobody_could_answer_is_not_asked_again_at_once_and_counts_for_strangers() {
    let (gate, sources) = (Gate::new(1), addresses(3));
    let name = |n: &usize| format!("payment-{n}");
    let once = Call::of("once").from(&sources[1]);
    assert!(once.comes_to(&gate, Came::Unanswered) && !once.comes_to(&gate, Came::Unanswered));
    let hostile = count(100, |n| Call::of(&name(n)).from(&sources[0]).comes_to(&gate, Came::Unanswered));
    assert_eq!(hostile, 30);
    let customer =
        |payment: &str, came| Call { payment, ..Call::of("").from(&sources[2]).by("customer") }.comes_to(&gate, came);
    assert!(customer("bought", Came::Bought));
    assert_eq!(count(60, |n| customer(&name(n), Came::Unanswered)), 60);
    assert_eq!(gate.alerts(), []);
}

#[test]
fn an_address_that_asked_through_an_outage_buys_as_soon_as_somebody_answers() {
    let (gate, from) = (Gate::new(1), source("192.0.2.1"));
    let ask = |n: u64, came| Call::of(&format!("payment-{n}")).from(&from).at(NOW.plus(n * 200)).comes_to(&gate, came);
    let asked = (0..300).filter(|n| ask(*n, Came::Unanswered)).count();
    assert!((85..=95).contains(&asked), "30 at once, and one a second for a minute: {asked}");
    let bought = (300..350).filter(|n| ask(*n, Came::Bought)).count();
    assert!(bought >= 45, "{bought} of 50 at five a second");
}

#[test]
fn one_tenants_strangers_are_bounded_and_its_customers_pass() {
    let (gate, sources) = (Gate::new(1), addresses(400));
    assert!(Call::of("first").by("customer").comes_to(&gate, Came::Bought));
    let names: Vec<_> = (0..400).map(|n| format!("payment-{n}")).collect();
    let strangers = || names.iter().zip(&sources).map(|(name, source)| Call::of(name).from(source));
    let under_way: Vec<_> = strangers().filter_map(|call| call.admit(&gate).ok()).collect();
    assert_eq!(under_way.len(), 25, "a twentieth of the tenant's rate");
    assert_eq!(Call::of("late").from(&sources[399]).admit(&gate).unwrap_err().retry_after_s, 1);
    assert!(Call::of("second").by("customer").from(&sources[398]).comes_to(&gate, Came::Bought));
    assert!(Call { tenant: "birch", ..Call::of("x") }.comes_to(&gate, Came::Bought));
    under_way.into_iter().for_each(|admitted| admitted.outcome(Came::Worthless, NOW));
    let asked: usize = (0..40).map(|_| strangers().filter(|call| call.comes_to(&gate, Came::Worthless)).count()).sum();
    assert_eq!(asked, 2 * 125 - 25, "a quarter of the tenant's rate, and once more for whoever was found worthless");
    let newcomers = addresses(700);
    assert!(!Call::of("new").from(&newcomers[650]).comes_to(&gate, Came::Worthless), "all of it is used up");
    assert!(Call::of("third").by("customer").comes_to(&gate, Came::Bought));
}

/// Thirty sources send what is worthless, one each second, which is what their own rule lets in.
#[test]
fn sources_that_were_found_worthless_keep_out_nobody_who_comes_for_the_first_time() {
    let (gate, sources) = (Gate::new(1), addresses(400));
    let names: Vec<_> = (0..1_800).map(|n| format!("payment-{n}")).collect();
    let mut bought = 0;
    for (n, name) in names.iter().enumerate() {
        let at = NOW.plus(n as u64 * 33);
        Call::of(name).at(at).from(&sources[n % 30]).comes_to(&gate, Came::Worthless);
        if n % 30 == 0 {
            let (new, source) = (format!("new-{n}"), &sources[100 + n / 30]);
            bought += usize::from(Call::of(&new).at(at).from(source).comes_to(&gate, Came::Bought));
        }
    }
    assert_eq!(bought, 60);
}

#[test]
fn a_payment_is_one_payment_however_its_header_is_spelt() {
    let (gate, from) = (Gate::new(1), source("192.0.2.1"));
    let spellings: Vec<_> = (0..100).map(|n| format!("payment in spelling {n}")).collect();
    let collects = |header: &String| {
        let visit = Call::of(header).from(&from).within(LARGE).visit(Brings::Payment(header));
        let Ok(admitted) = gate.enter(visit).and_then(|entered| entered.admit("payment", signer("agent"))) else {
            return false;
        };
        admitted.outcome(Came::Bought, NOW);
        true
    };
    assert_eq!(spellings.iter().filter(|header| collects(header)).count(), 20);
    let goodwill = gate.names(&Call::of("x").from(&from).visit(Brings::NoPayment)).goodwill;
    assert_eq!(goodwill, 0, "it bought nothing with these");
}

#[test]
fn copies_of_a_payment_at_once_share_a_place_however_they_are_spelt() {
    let (gate, from) = (Gate::new(1), source("192.0.2.1"));
    let spellings: Vec<_> = (0..16).map(|n| format!("payment in spelling {n}")).collect();
    let copy = |header| {
        let visit = Call::of(header).from(&from).within(LARGE).visit(Brings::Payment(header));
        gate.enter(visit).and_then(|entered| entered.admit("payment", signer("agent"))).ok()
    };
    let copies: Vec<_> = spellings.iter().filter_map(|header| copy(header)).collect();
    assert_eq!(copies.len(), 16, "the race of one client");
    assert!(Call::of("another").from(&from).within(LARGE).admit(&gate).is_ok(), "there is room beside it");
}

#[test]
fn an_account_that_did_not_sign_is_known_at_its_own_source_alone() {
    let (gate, sources) = (Gate::new(1), addresses(400));
    let wallet = Payer { address: "wallet", is_signer: false };
    let call = |payment, source| Call { payer: wallet, ..Call::of(payment).from(source) };
    assert!(call("first", &sources[0]).comes_to(&gate, Came::Bought));
    let names: Vec<_> = (0..400).map(|n| format!("payment-{n}")).collect();
    let strangers = names.iter().zip(&sources[1..]).filter_map(|(name, source)| call(name, source).admit(&gate).ok());
    let under_way: Vec<_> = strangers.collect();
    assert_eq!(under_way.len(), 25, "they name the wallet, and are not it");
    assert!(call("second", &sources[0]).comes_to(&gate, Came::Bought));
    drop(under_way);
    let unsigned = count(100, |n| call(&names[*n], &sources[300]).comes_to(&gate, Came::Kept));
    assert_eq!(unsigned, 30);
    assert_eq!(gate.alerts(), [], "it is no malformed payment, and no worthless one");
}

#[test]
fn what_is_dropped_halfway_gives_back_its_place_and_one_payment_has_one() {
    let (gate, from) = (Gate::new(1), source("192.0.2.1"));
    let names: Vec<_> = (0..24).map(|n| format!("payment-{n}")).collect();
    for wave in names.chunks(8) {
        let under_way: Vec<_> =
            wave.iter().map(|name| Call::of(name).from(&from).within(LARGE).admit(&gate).unwrap()).collect();
        assert!(Call::of(&wave[0]).from(&from).admit(&gate).is_ok(), "the same payment again is the client's race");
        assert!(Call::of("one more").from(&from).admit(&gate).is_err());
        drop(under_way);
    }
    // What is running holds no place either.
    let running: Vec<_> = (0..20).map(|n| format!("running-{n}")).collect();
    let running: Vec<_> = running
        .iter()
        .map(|name| Call::of(name).from(&from).within(LARGE).admit(&gate).unwrap())
        .inspect(|admitted| admitted.verified(NOW))
        .collect();
    assert_eq!(running.len(), 20);
}

/// Half a minute of runs that end well, by so many callers in turn.
fn works(gate: &Gate, sources: &[Source], paths: &[&str]) {
    for n in 0..300_u64 {
        let at = NOW.plus(n * 100);
        let (source, payer) = (&sources[n as usize % sources.len()], format!("payer-{}", n as usize % sources.len()));
        let (name, path) = (format!("well-{n}"), paths[n as usize % paths.len()]);
        let call = Call { path, at, ..Call::of(&name).from(source).by(&payer) };
        let admitted = call.admit(gate).unwrap();
        admitted.runs().ended("acme", false, at);
        admitted.verified(at);
        admitted.outcome(Came::Bought, at);
    }
}

/// Tells whether an honest caller may still buy there.
fn is_open(gate: &Gate, path: &str, at: UnixMillis) -> bool {
    let from = source("203.0.113.1");
    let probes = (0..40)
        .map(|n| format!("open-{n}"))
        .map(|name| Call { path, at, ..Call::of(&name).from(&from).by("honest") }.comes_to(gate, Came::Bought));
    probes.filter(|let_in| *let_in).count() > 30
}

#[test]
fn one_caller_who_fails_shuts_nothing_by_whatever_it_differs() {
    let (sources, mine) = (addresses(40), neighbours(1_000));
    type Differs = fn(usize) -> usize;
    let (one, each): (Differs, Differs) = (|_| 0, |n| n);
    for (source, payer) in [(one, one), (one, each), (each, one), (each, each)] {
        let gate = Gate::new(1);
        works(&gate, &sources, &["/quote", "/boom"]);
        let at = |n: usize| NOW.plus(30_000 + n as u64 * 100);
        for n in 0..200 {
            let payer = format!("attacker-{}", payer(n));
            let from = &mine[source(n)];
            let Ok(entered) =
                gate.enter(Call { path: "/boom", at: at(n), ..Call::of(&payer).from(from) }.visit(Brings::Nothing))
            else {
                continue;
            };
            entered.runs().ended("acme", true, at(n));
        }
        assert!(is_open(&gate, "/boom", at(200)) && is_open(&gate, "/quote", at(200)));
        assert!(gate.alerts().iter().all(|alert| alert.alert != "tenant_error_rate"));
    }
}

#[test]
fn a_path_that_nobody_called_before_is_shut_where_failing_is_unusual() {
    let (gate, sources) = (Gate::new(1), addresses(40));
    works(&gate, &sources, &["/quote"]);
    for n in 0..60_usize {
        let at = NOW.plus(30_000 + n as u64 * 200);
        let payer = format!("payer-{}", n % 16);
        let call = Call { path: "/throw", at, ..Call::of(&payer).from(&sources[n % 40]) };
        if let Ok(entered) = gate.enter(call.visit(Brings::Nothing)) {
            entered.runs().ended("acme", true, at);
        }
    }
    let at = NOW.plus(42_000);
    assert_eq!((is_open(&gate, "/throw", at), is_open(&gate, "/quote", at)), (false, true));
    assert_eq!(gate.alerts().len(), 1);
}

#[test]
fn a_path_that_fails_for_its_callers_is_shut_alone_and_a_tenant_that_fails_is_shut() {
    let sources = addresses(40);
    for (fails, shut) in [(&["/boom"][..], (true, false)), (&["/boom", "/quote", "/a", "/b"], (true, true))] {
        let gate = Gate::new(1);
        let paths = ["/quote", "/boom", "/a", "/b"];
        works(&gate, &sources, &paths);
        for n in 0..200_usize {
            let at = NOW.plus(30_000 + n as u64 * 100);
            let path = paths[n % 4];
            let payer = format!("payer-{}", n * 7 % 40);
            let call = Call { path, at, ..Call::of(&payer).from(&sources[n * 7 % 40]) };
            if let Ok(entered) = gate.enter(call.visit(Brings::Nothing)) {
                entered.runs().ended("acme", fails.contains(&path), at);
            }
        }
        let at = NOW.plus(50_000);
        assert_eq!((!is_open(&gate, "/boom", at), !is_open(&gate, "/quote", at)), shut, "{fails:?}");
        let alerts = gate.alerts();
        assert_eq!(alerts.iter().filter(|alert| alert.alert == "tenant_error_rate").count(), 1);
    }
}
