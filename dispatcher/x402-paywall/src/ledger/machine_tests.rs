//! Drives the machine through random lives of one payment: rival requests, lost answers, lying refusals, crashes between
//! any two steps, rival payments under the same identifier. The truth (whether money moved, and where; whose the identifier
//! is) is kept beside it and held against every reply.

use super::*;
use crate::{
    binding::Binding,
    facilitator::verdict::{NoAnswer, Open},
    ledger::{
        Asked,
        identifier::{self, Bound, Owner},
    },
    origin::{Fingerprint, Origin},
    window::Window,
};
use proptest::prelude::*;
use x402_protocol::{Address, Network, TransferMethod, Uint256, Version};

const START_MS: u64 = 1_800_000_000_000;
const PAYMENT: &str = "eip155:84532:0xa:0xf:0x1";

fn claim(flow: PaymentFlow, path: &str, valid_before: u64, identifier: Option<&str>) -> Claim {
    Claim {
        payment: PAYMENT.to_owned(),
        tenant_id: "acme".to_owned(),
        binding: Binding::of("acme", "GET", path, None),
        binding_to_place: Some(Binding::of("acme.example", "GET", path, None)),
        version: Version::V2,
        request: serde_json::value::RawValue::from_string("{}".to_owned()).unwrap(),
        payer: Address([1; 20]),
        network: Network::BaseSepolia,
        amount: Uint256::from(1),
        facilitators: vec!["primary".to_owned(), "standby".to_owned()],
        window: Window { method: TransferMethod::Eip3009, valid_after: 0, valid_before },
        flow,
        proven: true,
        signature: "0x01".to_owned(),
        origin: Some(Origin::default()),
        content: Some(Fingerprint::default()),
        proof_of_payer: None,
        authorized: None,
        identifier: identifier.map(|identifier| identifier.parse().unwrap()),
        ignored_identifier: None,
        trace: None,
        request_id: None,
    }
}

fn rival() -> Owner {
    Owner {
        payment: "eip155:84532:0xa:0xf:0x2".to_owned(),
        holder: "rival".to_owned(),
        since: UnixMillis(START_MS),
        instead_of: None,
    }
}

fn settlement(facilitator: &str) -> Settlement {
    let transaction = format!("0x{}", "ab".repeat(32));
    let (payer, network) = (Address([1; 20]), Network::BaseSepolia);
    Settlement { transaction, payer, network, facilitator: facilitator.to_owned() }
}

#[derive(Clone, Debug)]
enum Op {
    Claim {
        holder: u8,
        path: u8,
    },
    /// The seller is gone: the payment can only be collected.
    Collect {
        holder: u8,
        path: u8,
        knows_identifier: bool,
    },
    Execute {
        holder: u8,
    },
    Release {
        holder: u8,
    },
    /// The outstanding call is answered.
    Answer(Answer),
    HandOver {
        holder: u8,
        delivered: bool,
    },
    Wake,
    /// The process dies: the outstanding call may have acted, its answer is gone.
    Crash {
        moved: bool,
    },
    Pass {
        millis: u64,
    },
    /// Another payment comes under the same identifier, or gives it back.
    RivalBinds,
    RivalUnbinds,
    /// A request of a dead process arrives after all.
    LateUnbind,
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Good,
    /// A truthful refusal, if nothing moved here yet; else it is what a facilitator says of a settled payment.
    Refuse(&'static str),
    Lost {
        moved: bool,
    },
    /// Our credentials are refused, which says that nothing was looked at.
    Unsent {
        moved: bool,
    },
    /// The chain says, truthfully, that the payment never moved and never can.
    Never,
}

fn op() -> impl Strategy<Value = Op> {
    let answer = prop_oneof![
        3 => Just(Answer::Good),
        1 => Just(Answer::Refuse("insufficient_funds")),
        1 => Just(Answer::Refuse("insufficient_balance")),
        2 => any::<bool>().prop_map(|moved| Answer::Lost { moved }),
        1 => any::<bool>().prop_map(|moved| Answer::Unsent { moved }),
        1 => Just(Answer::Never),
    ];
    prop_oneof![
        4 => (0..3u8, 0..2u8).prop_map(|(holder, path)| Op::Claim { holder, path }),
        2 => (0..3u8, 0..2u8, any::<bool>())
            .prop_map(|(holder, path, knows_identifier)| Op::Collect { holder, path, knows_identifier }),
        4 => (0..3u8).prop_map(|holder| Op::Execute { holder }),
        1 => (0..3u8).prop_map(|holder| Op::Release { holder }),
        8 => answer.prop_map(Op::Answer),
        2 => (0..3u8, any::<bool>()).prop_map(|(holder, delivered)| Op::HandOver { holder, delivered }),
        1 => Just(Op::Wake),
        1 => any::<bool>().prop_map(|moved| Op::Crash { moved }),
        1 => (0..120_000u64).prop_map(|millis| Op::Pass { millis }),
        1 => Just(Op::RivalBinds),
        1 => Just(Op::RivalUnbinds),
        1 => Just(Op::LateUnbind),
    ]
}

#[derive(Default)]
struct Life {
    record: Option<Record>,
    elapsed: u64,
    outstanding: Option<(Next, String)>,
    /// The facilitator at which money moved: the truth.
    moved_at: Option<String>,
    /// A facilitator whose answer was lost and not yet made up for.
    owes_answer: Option<String>,
    /// A facilitator has said that it looked at nothing, and no proof has come since.
    unsent: bool,
    /// Request that was told to run the tenant, and until when nobody else may be.
    running: Option<(String, UnixMillis)>,
    /// Requests that wait for another one with the same payment.
    waiting: Vec<String>,
    /// The holder of the payment at the last crash.
    inherited: Option<String>,
    replies: Vec<Reply>,
    flow: PaymentFlow,
    /// Claims for the path `/a` carry an identifier.
    identified: bool,
    /// Whose the identifier is: the truth.
    owner: Option<Owner>,
    /// Unbinds that were sent by a process that died, and have not arrived.
    late: Vec<Owner>,
    /// How often each holder claimed: every request has a name of its own.
    requests: [u32; 3],
}

impl Life {
    fn time(&self) -> UnixMillis {
        UnixMillis(START_MS + self.elapsed)
    }

    fn event(&mut self, event: Event, holder: &str) {
        let order = ["primary".to_owned(), "standby".to_owned()];
        let (time, busy) = (self.time(), self.outstanding.is_some());
        let inherited = self.inherited.clone();
        let inherited = inherited.as_deref();
        let now = Now { time, busy, settle_order: &order, ask_again_at: time, inherited };
        let step = step(self.record.take(), event, &now);
        self.record = step.record;
        if let (Some(record), Next::AskSettle { .. } | Next::Reply(Reply::Run | Reply::Settled(_))) =
            (&self.record, &step.next)
            && record.claim.identifier.is_some()
        {
            let owner = self.owner.clone().map(|owner| (owner.payment, owner.holder));
            let own = (record.claim.payment.clone(), record.holder.clone());
            assert_eq!(owner, Some(own), "the payment goes on without its identifier");
        }
        match step.next {
            Next::Wait => self.waiting.push(holder.to_owned()),
            Next::Reply(reply) => self.check_reply(reply, holder),
            next => {
                assert!(self.outstanding.is_none(), "two calls at once");
                if let Next::AskSettle { facilitator, .. } = &next {
                    assert_eq!(self.owes_answer.as_ref().unwrap_or(facilitator), facilitator, "MONEY-5");
                    let settled_and_known = self.moved_at.is_some() && self.owes_answer.is_none() && !self.unsent;
                    assert!(!settled_and_known, "MONEY-1: settle after a known settlement");
                }
                self.outstanding = Some((next, holder.to_owned()));
            }
        }
    }

    fn check_reply(&mut self, reply: Reply, holder: &str) {
        let may_have_moved = self.moved_at.is_some() || self.owes_answer.is_some();
        match &reply {
            Reply::Run => {
                assert!(!may_have_moved, "the tenant runs again for a payment that may be spent");
                assert_eq!(self.flow, PaymentFlow::Authorization);
                self.run(holder);
            }
            Reply::RunPaid(_) => {
                assert!(self.moved_at.is_some() && self.owes_answer.is_none(), "the tenant runs before it is paid for");
                let is_late = self.record.as_ref().unwrap().unsent.is_some();
                assert!(self.flow == PaymentFlow::Upfront || is_late, "it is paid for before it runs");
                assert!(self.record.as_ref().unwrap().head.is_none(), "the tenant runs twice for one payment");
                self.run(holder);
            }
            // By the word of whoever may have moved it: told to come back, and not that it is over.
            Reply::Nobody if self.unsent && self.owes_answer.is_none() => self.running = None,
            Reply::Invalid(_) | Reply::Nobody | Reply::Refused(_) => {
                assert!(!may_have_moved, "MONEY-3: {reply:?} although money may have moved");
                self.running = None;
            }
            Reply::Settled(_) => {
                assert!(self.moved_at.is_some(), "MONEY-2: content without money");
                assert!(self.record.as_ref().unwrap().head.is_some(), "there is no content to hand over");
            }
            _ => {}
        }
        self.waiting.retain(|waiting| waiting != holder);
        self.replies.push(reply);
    }

    /// Whoever comes to collect begins nothing, and gets nothing that was bought elsewhere or under an identifier that it does
    /// not know.
    fn collect(&mut self, path: u8, knows_identifier: bool, holder: &str) {
        let path = if path == 0 { "/a" } else { "/b" };
        let known = knows_identifier.then_some("pay_0123456789abcdef");
        let claim = claim(self.flow, path, START_MS / 1000 + 600, known);
        let asked = Asked::Place(claim.binding_to_place.clone().unwrap());
        let collection = Collection { asked, ..claim.to_collect() };
        let had = self.record.clone();
        let (calls, replies) = (self.outstanding.clone(), self.replies.len());
        self.event(Event::CameToCollect { collection, holder: holder.to_owned() }, holder);
        let begun = matches!(self.outstanding, Some((Next::AskVerify | Next::Bind(_) | Next::Unbind { .. }, _)));
        assert!(calls.is_some() || !begun || self.unsent, "a collection begins something");
        let told = self.replies.get(replies);
        assert!(told != Some(&Reply::Run), "a collection runs the tenant");
        if told == Some(&Reply::NothingBought) {
            let is_open = self.moved_at.is_some() && !self.unsent || self.owes_answer.is_some();
            assert!(!is_open, "MONEY-4: what was bought is disowned");
        }
        let is_its_own = had.is_some_and(|had| {
            had.claim.binding == claim.binding
                && (had.claim.identifier.is_none() || had.claim.identifier == claim.identifier)
                && had.claim.origin == claim.origin
        });
        let gives = matches!(told, Some(Reply::Settled(_) | Reply::RunPaid(_)));
        assert!(is_its_own || !gives, "MONEY-7: another request's response is given away");
    }

    fn run(&mut self, holder: &str) {
        let time = self.time();
        assert!(self.running.as_ref().is_none_or(|(_, until)| time >= *until), "two requests run at once");
        self.running = Some((holder.to_owned(), time.plus(TENANT_LEASE_MS)));
    }

    fn answer(&mut self, answer: Answer) {
        let Some((next, holder)) = self.outstanding.take() else { return };
        match next {
            Next::AskVerify => {
                let verified = match answer {
                    Answer::Good if self.moved_at.is_some() => Verified::Invalid(Reason::ours("nonce_already_used")),
                    Answer::Good => Verified::Valid("primary".to_owned()),
                    Answer::Refuse(reason) => Verified::Invalid(Reason::ours(reason)),
                    Answer::Lost { .. } | Answer::Unsent { .. } | Answer::Never => Verified::Nobody,
                };
                self.event(Event::VerifyAnswered { verified }, &holder);
            }
            Next::AskSettle { asked, .. }
                if matches!(answer, Answer::Never) && asked > 0 && self.moved_at.is_none() =>
            {
                self.owes_answer = None;
                self.unsent = false;
                self.event(Event::NeverSettled(Reason::ours("authorization_cancelled")), &holder);
            }
            Next::AskSettle { facilitator, .. } => {
                let is_elsewhere = self.moved_at.as_ref().is_some_and(|moved_at| *moved_at != facilitator);
                let verdict = match answer {
                    // The nonce is used, and not by this one.
                    Answer::Good if is_elsewhere => {
                        self.lose(&facilitator, false);
                        let why = Open::Said(Reason::ours("nonce_already_used"));
                        SettleVerdict::Unknown { why, transaction: None }
                    }
                    Answer::Unsent { moved } => {
                        if moved && !is_elsewhere {
                            self.moved_at.get_or_insert(facilitator.clone());
                        }
                        self.unsent = true;
                        SettleVerdict::Unsent(NoAnswer::Credentials(401))
                    }
                    Answer::Good => {
                        self.unsent = false;
                        self.moved_at.get_or_insert(facilitator.clone());
                        self.owes_answer = None;
                        SettleVerdict::Settled(settlement(&facilitator))
                    }
                    Answer::Refuse(reason) => SettleVerdict::Refused(Reason::ours(reason)),
                    Answer::Lost { .. } | Answer::Never => {
                        self.lose(&facilitator, matches!(answer, Answer::Lost { moved: true }));
                        SettleVerdict::Unknown { why: Open::NotConfigured, transaction: None }
                    }
                };
                self.event(
                    Event::SettleAnswered { verdict, holder: Some(holder.clone()).filter(|holder| holder != "alarm") },
                    &holder,
                );
            }
            Next::Bind(_) | Next::Unbind { .. } if !matches!(answer, Answer::Good) => {
                self.lose_identifier_call(&next, matches!(answer, Answer::Lost { moved: true }));
            }
            Next::Bind(_) => match self.bind() {
                Bound::Yours => self.event(Event::Bound, &holder),
                Bound::Anothers(_) => self.event(Event::Taken { transaction: None }, &holder),
            },
            Next::Unbind { then, .. } => {
                self.unbind(&self.own_owner());
                self.event(Event::Unbound(then), &holder);
            }
            Next::Wait | Next::Reply(_) => unreachable!("only calls are outstanding"),
        }
    }

    fn own_owner(&self) -> Owner {
        self.record.as_ref().unwrap().owner()
    }

    fn bind(&mut self) -> Bound {
        let (owner, bound) = identifier::bind(self.owner.take(), Owner { since: self.time(), ..self.own_owner() });
        self.owner = Some(owner);
        bound
    }

    fn unbind(&mut self, by: &Owner) {
        self.owner = identifier::unbind(self.owner.take(), by);
    }

    /// Nobody hears of the call's outcome.
    fn lose_identifier_call(&mut self, call: &Next, acted: bool) {
        match call {
            Next::Bind(_) if acted => drop(self.bind()),
            Next::Unbind { .. } if acted => self.unbind(&self.own_owner()),
            Next::Unbind { .. } => self.late.push(self.own_owner()),
            _ => {}
        }
    }

    fn lose(&mut self, facilitator: &str, moved: bool) {
        self.owes_answer = Some(facilitator.to_owned());
        if moved {
            self.moved_at.get_or_insert(facilitator.to_owned());
        }
    }

    fn apply(&mut self, op: Op) {
        if let Op::Claim { holder, .. } | Op::Collect { holder, .. } = op {
            // Who waits looks again; anybody else makes a request of its own.
            let request = &mut self.requests[usize::from(holder)];
            *request += u32::from(!self.waiting.contains(&format!("request-{holder}-{request}")));
        }
        let requests = self.requests;
        let name = |holder: u8| format!("request-{holder}-{}", requests[usize::from(holder)]);
        match op {
            Op::Claim { holder, path } => {
                let (path, identifier) = if path == 0 { ("/a", self.identified) } else { ("/b", false) };
                let identifier = identifier.then_some("pay_0123456789abcdef");
                let claim = claim(self.flow, path, START_MS / 1000 + 600, identifier);
                self.event(Event::Claimed { claim: claim.into(), holder: name(holder) }, &name(holder));
            }
            Op::Collect { holder, path, knows_identifier } => self.collect(path, knows_identifier, &name(holder)),
            Op::Execute { holder } => {
                self.running = self.running.take().filter(|(running, _)| *running != name(holder));
                let head = ResponseHead { status: 200, headers: Vec::new() };
                self.event(Event::Executed { holder: name(holder), head }, &name(holder));
            }
            Op::Release { holder } => {
                self.event(Event::Released { holder: name(holder) }, &name(holder));
                // A request that gave up does not come back.
                self.requests[usize::from(holder)] += 1;
                self.running = self.running.take().filter(|(running, _)| *running != name(holder));
            }
            Op::Answer(answer) => self.answer(answer),
            Op::HandOver { holder, delivered } => {
                self.event(Event::HandedOver { holder: name(holder), delivered }, &name(holder));
            }
            Op::Wake => self.event(Event::Woke, "alarm"),
            Op::Crash { moved } => {
                match self.outstanding.take() {
                    Some((Next::AskSettle { facilitator, .. }, _)) => self.lose(&facilitator, moved),
                    Some((call, _)) => self.lose_identifier_call(&call, moved),
                    None => {}
                }
                self.running = None;
                self.waiting.clear();
                self.inherited = self.record.as_ref().and_then(Record::runs_for).map(str::to_owned);
            }
            Op::Pass { millis } => self.elapsed += millis,
            Op::RivalBinds => self.owner = Some(identifier::bind(self.owner.take(), rival()).0),
            Op::RivalUnbinds => self.unbind(&rival()),
            Op::LateUnbind => {
                if let Some(by) = self.late.pop() {
                    self.unbind(&by);
                }
            }
        }
        let ours = |owner: &Owner| owner.payment == PAYMENT;
        assert!(self.record.is_some() || !self.owner.as_ref().is_some_and(ours), "an identifier is bound to nothing");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn no_life_of_a_payment_breaks_a_money_rule(
        flow in prop_oneof![Just(PaymentFlow::Authorization), Just(PaymentFlow::Upfront)],
        identified in any::<bool>(),
        ops in prop::collection::vec(op(), 1..60),
    ) {
        let mut life = Life { flow, identified, ..Life::default() };
        for op in ops {
            life.apply(op);
        }
    }
}

fn life(ops: &[Op]) -> Life {
    let mut life = Life::default();
    for op in ops {
        life.apply(op.clone());
    }
    life
}

const CLAIM: Op = Op::Claim { holder: 0, path: 0 };
const COLLECT: Op = Op::Collect { holder: 1, path: 0, knows_identifier: false };
const EXECUTE: Op = Op::Execute { holder: 0 };
const GOOD: Op = Op::Answer(Answer::Good);
const LOST: Op = Op::Answer(Answer::Lost { moved: true });
const LATER: Op = Op::Pass { millis: 1_000 };

#[test]
fn a_lost_answer_is_pending_and_the_same_payment_collects_later() {
    let life = life(&[CLAIM, GOOD, EXECUTE, LOST, LATER, Op::Claim { holder: 1, path: 0 }, GOOD]);
    assert_eq!(
        life.replies,
        [
            Reply::Run,
            Reply::Pending { transaction: None, retry_after_ms: ASK_AGAIN_MIN_MS },
            Reply::Settled(settlement("primary"))
        ]
    );
}

#[test]
fn a_refusal_after_a_lost_answer_is_not_believed() {
    let funds = Op::Answer(Answer::Refuse("insufficient_funds"));
    let life = life(&[CLAIM, GOOD, EXECUTE, LOST, LATER, CLAIM, funds]);
    assert_eq!(life.replies.last(), Some(&Reply::Pending { transaction: None, retry_after_ms: ASK_AGAIN_MIN_MS }));
}

#[test]
fn what_the_chain_knows_never_to_move_is_refused() {
    let lost = Op::Answer(Answer::Lost { moved: false });
    let life = life(&[CLAIM, GOOD, EXECUTE, lost, LATER, CLAIM, Op::Answer(Answer::Never)]);
    assert!(matches!(life.replies.last(), Some(Reply::Refused(_))));
}

#[test]
fn a_known_refusal_moves_on_to_the_next_facilitator() {
    let funds = Op::Answer(Answer::Refuse("unsupported_scheme"));
    let life = life(&[CLAIM, GOOD, EXECUTE, funds, GOOD]);
    assert_eq!(life.replies, [Reply::Run, Reply::Settled(settlement("standby"))]);
}

#[test]
fn what_nobody_looked_at_is_given_back_and_can_be_claimed_again() {
    let unsent = Op::Answer(Answer::Unsent { moved: false });
    let life = life(&[CLAIM, GOOD, EXECUTE, unsent.clone(), unsent, LATER, CLAIM, GOOD, EXECUTE, GOOD]);
    assert_eq!(life.replies, [Reply::Run, Reply::Nobody, Reply::Run, Reply::Settled(settlement("primary"))]);
}

#[test]
fn what_was_given_back_and_had_moved_is_no_new_bill_but_what_it_bought() {
    let (moved, unsent) = (Answer::Unsent { moved: true }, Op::Answer(Answer::Unsent { moved: false }));
    let given_back = [CLAIM, GOOD, EXECUTE, Op::Answer(moved), unsent, LATER];
    let found_out = life(&[&given_back[..], &[CLAIM, GOOD, GOOD]].concat());
    assert_eq!(found_out.replies, [Reply::Run, Reply::Nobody, Reply::RunPaid(settlement("primary"))]);
    let lost = life(&[&given_back[..], &[CLAIM, GOOD, Op::Answer(Answer::Lost { moved: false })]].concat());
    assert!(matches!(lost.replies.last(), Some(Reply::Pending { .. })), "{:?}", lost.replies);
    // Its window is over, so it can only be collected: the response is there.
    let mut late = life(&given_back);
    late.apply(Op::Pass { millis: 600_000 });
    late.apply(COLLECT);
    late.apply(GOOD);
    assert_eq!(late.replies.last(), Some(&Reply::Settled(settlement("primary"))));
}

#[test]
fn a_payment_that_was_given_back_is_forgotten_in_the_end() {
    let unsent = Op::Answer(Answer::Unsent { moved: false });
    let mut life = life(&[CLAIM, GOOD, EXECUTE, unsent.clone(), unsent, Op::Wake]);
    assert!(matches!(life.record.as_ref().map(|record| &record.state), Some(State::Returned { .. })));
    life.apply(Op::Pass { millis: SETTLED_KEPT_MS });
    life.apply(Op::Wake);
    assert!(life.record.is_none());
}

#[test]
fn the_alarm_reconciles_what_a_crash_left_behind() {
    let crash = Op::Crash { moved: true };
    let life = life(&[CLAIM, GOOD, EXECUTE, crash, Op::Wake, GOOD, CLAIM]);
    let settled = Reply::Settled(settlement("primary"));
    assert_eq!(life.replies, [Reply::Run, settled.clone(), settled]);
    assert_eq!(life.moved_at.as_deref(), Some("primary"));
}

#[test]
fn after_a_crash_the_payer_need_not_wait_for_the_dead_requests_lease() {
    let crash = Op::Crash { moved: false };
    let (elsewhere, again) = (Op::Claim { holder: 1, path: 1 }, Op::Claim { holder: 1, path: 0 });
    let life = life(&[CLAIM, GOOD, crash, elsewhere, again, GOOD, EXECUTE]);
    let taken = Reply::AlreadyUsed { transaction: None };
    assert_eq!(life.replies, [Reply::Run, taken, Reply::Run, Reply::InProgress], "the dead may not come back to life");
}

#[test]
fn handed_over_is_not_delivered_for_ten_minutes_and_then_it_is() {
    let over = Op::HandOver { holder: 0, delivered: true };
    let almost = Op::Pass { millis: AGAIN_MS - 1 };
    let mut life = life(&[CLAIM, GOOD, EXECUTE, GOOD, over, almost, CLAIM]);
    assert_eq!(life.replies.last(), Some(&Reply::Settled(settlement("primary"))));
    let transaction = Some(settlement("primary").transaction);
    for op in [Op::HandOver { holder: 0, delivered: true }, Op::Pass { millis: AGAIN_MS }, CLAIM] {
        life.apply(op);
    }
    assert_eq!(life.replies.last(), Some(&Reply::AlreadyUsed { transaction }));
}

#[test]
fn a_response_that_never_left_can_be_collected() {
    let gone = Op::HandOver { holder: 0, delivered: false };
    let life = life(&[CLAIM, GOOD, EXECUTE, GOOD, gone, CLAIM]);
    assert_eq!(life.replies.last(), Some(&Reply::Settled(settlement("primary"))));
}

#[test]
fn all_of_a_payers_requests_get_the_response() {
    let (resend, other) = (Op::Claim { holder: 1, path: 0 }, Op::Claim { holder: 2, path: 0 });
    let life = life(&[CLAIM, GOOD, other.clone(), resend.clone(), EXECUTE, GOOD, resend, other]);
    let settled = || Reply::Settled(settlement("primary"));
    assert_eq!(life.replies, [Reply::Run, settled(), settled(), settled()]);
}

/// Tries every part of a payment as a stranger that has read all of it off the chain.
#[test]
fn whoever_reads_the_chain_gets_nothing_and_takes_nothing() {
    let stranger = Origin { caller: Some(Fingerprint::of(["198.51.100.1"])), ..Origin::default() };
    for identified in [false, true] {
        for ops in [
            &[CLAIM, GOOD, GOOD][..],
            &[CLAIM, GOOD, GOOD, EXECUTE],
            &[CLAIM, GOOD, GOOD, EXECUTE, LOST],
            &[CLAIM, GOOD, GOOD, EXECUTE, GOOD],
            &[CLAIM, GOOD, GOOD, EXECUTE, GOOD, Op::HandOver { holder: 0, delivered: false }],
            &[CLAIM, GOOD, GOOD, EXECUTE, GOOD, Op::HandOver { holder: 0, delivered: true }],
        ] {
            let mut life = Life { identified, ..Life::default() };
            // Only an identifier's binding is one answer more.
            let binds = ops.iter().position(|op| matches!(op, Op::Answer(Answer::Good))).filter(|_| !identified);
            for (_, op) in ops.iter().enumerate().filter(|(position, _)| Some(*position) != binds) {
                life.apply(op.clone());
            }
            let before = life.record.clone().map(|record| record.state);
            let copied = claim(life.flow, "/a", START_MS / 1000 + 600, None);
            let claim = Claim { origin: Some(stranger.clone()), ..copied };
            let event = Event::Claimed { claim: claim.into(), holder: "stranger".to_owned() };
            life.event(event, "stranger");
            let transaction = before.as_ref().and_then(State::transaction).map(str::to_owned);
            assert_eq!(life.replies.last(), Some(&Reply::AlreadyUsed { transaction }), "{before:?}");
            assert_eq!(life.record.map(|record| record.state), before);
        }
    }
}

#[test]
fn a_refused_payment_is_its_payers_to_try_again() {
    let refused = life(&[
        CLAIM,
        GOOD,
        EXECUTE,
        Op::Answer(Answer::Refuse("unsupported_scheme")),
        Op::Answer(Answer::Refuse("unsupported_scheme")),
    ]);
    let again = |caller: Option<&str>| {
        let mut life = Life { record: refused.record.clone(), ..Life::default() };
        let origin = Origin { caller: caller.map(|caller| Fingerprint::of([caller])), ..Origin::default() };
        let claim = Claim { origin: Some(origin), ..claim(life.flow, "/b", START_MS / 1000 + 600, None) };
        life.event(Event::Claimed { claim: claim.into(), holder: "again".to_owned() }, "again");
        (life.replies.pop(), life.outstanding.is_some())
    };
    assert_eq!(again(None), (None, true));
    assert_eq!(again(Some("198.51.100.1")), (Some(Reply::AlreadyUsed { transaction: None }), false));
}

#[test]
fn an_answer_goes_to_the_credentials_that_it_was_made_for_and_to_the_body_that_it_answers() {
    let settled = life(&[CLAIM, GOOD, EXECUTE, GOOD]);
    let told = |change: fn(&mut Claim)| {
        let mut life = Life { record: settled.record.clone(), moved_at: settled.moved_at.clone(), ..Life::default() };
        let mut claim = claim(life.flow, "/a", START_MS / 1000 + 600, None);
        change(&mut claim);
        life.event(Event::Claimed { claim: claim.into(), holder: "again".to_owned() }, "again");
        life.replies.pop().unwrap()
    };
    assert!(matches!(told(|_| {}), Reply::Settled(_)));
    let credentials = |claim: &mut Claim| {
        claim.origin = Some(Origin { credentials: Fingerprint::of(["bearer"]), ..Origin::default() });
    };
    assert!(matches!(told(credentials), Reply::AlreadyUsed { .. }));
    assert!(matches!(told(|claim| claim.content = Some(Fingerprint::of(["other"]))), Reply::AlreadyUsed { .. }));
    // A former version stored neither.
    assert!(matches!(told(|claim| claim.origin = None), Reply::AlreadyUsed { .. }));
}

#[test]
fn what_is_no_longer_on_offer_is_collected_but_never_begun() {
    let unused = life(&[COLLECT]);
    assert_eq!((unused.replies, unused.record.is_none()), (vec![Reply::NothingBought], true));
    let unknown = life(&[CLAIM, GOOD, EXECUTE, LOST, LATER, COLLECT, GOOD]);
    assert_eq!(unknown.replies.last(), Some(&Reply::Settled(settlement("primary"))));
}

#[test]
fn whoever_comes_to_collect_does_not_take_over_from_a_request_that_may_live() {
    let life = life(&[CLAIM, GOOD, Op::Crash { moved: false }, COLLECT, EXECUTE, GOOD, COLLECT]);
    let settled = || Reply::Settled(settlement("primary"));
    assert_eq!(life.replies, [Reply::Run, settled(), settled()]);
}

#[test]
fn an_identifiers_response_is_collected_by_who_knows_it() {
    let mut life = Life { identified: true, ..Life::default() };
    for op in [CLAIM, GOOD, GOOD, EXECUTE, GOOD, Op::HandOver { holder: 0, delivered: true }] {
        life.apply(op);
    }
    let transaction = Some(settlement("primary").transaction);
    life.apply(Op::Pass { millis: AGAIN_MS });
    life.apply(COLLECT);
    assert_eq!(life.replies.last(), Some(&Reply::AlreadyUsed { transaction }));
    life.apply(Op::Collect { holder: 1, path: 0, knows_identifier: true });
    assert_eq!(life.replies.last(), Some(&Reply::Settled(settlement("primary"))));
}

#[test]
fn one_payment_buys_one_request() {
    let other = Op::Claim { holder: 1, path: 1 };
    let life = life(&[CLAIM, GOOD, other.clone(), EXECUTE, GOOD, other]);
    let transaction = Some(settlement("primary").transaction);
    assert_eq!(
        life.replies,
        [
            Reply::Run,
            Reply::AlreadyUsed { transaction: None },
            Reply::Settled(settlement("primary")),
            Reply::AlreadyUsed { transaction }
        ]
    );
}

fn upfront(ops: &[Op]) -> Life {
    let mut life = Life { flow: PaymentFlow::Upfront, ..Life::default() };
    for op in ops {
        life.apply(op.clone());
    }
    life
}

#[test]
fn upfront_money_moves_first_and_the_response_is_owed_until_it_is_there() {
    let resend = Op::Claim { holder: 1, path: 0 };
    let paid = || Reply::RunPaid(settlement("primary"));
    // The tenant fails, then answers.
    let ops = [CLAIM, GOOD, GOOD, Op::Release { holder: 0 }, resend.clone(), Op::Execute { holder: 1 }];
    let mut life = upfront(&ops);
    assert_eq!(life.replies, [paid(), Reply::Noted, paid(), Reply::Settled(settlement("primary"))]);
    life.apply(Op::HandOver { holder: 1, delivered: true });
    life.apply(Op::Pass { millis: AGAIN_MS });
    life.apply(resend);
    assert!(matches!(life.replies.last(), Some(Reply::AlreadyUsed { transaction: Some(_) })));
}

#[test]
fn upfront_an_unknown_settlement_is_pending_before_the_tenant_runs_and_the_alarm_leaves_the_response_owed() {
    let life = upfront(&[CLAIM, GOOD, LOST, Op::Pass { millis: 3_000 }, Op::Wake, GOOD, CLAIM]);
    assert_eq!(
        life.replies,
        [
            Reply::Pending { transaction: None, retry_after_ms: ASK_AGAIN_MIN_MS },
            Reply::Noted,
            Reply::RunPaid(settlement("primary"))
        ]
    );
}

#[test]
fn upfront_a_run_that_never_came_back_gives_way_after_its_lease() {
    let resend = Op::Claim { holder: 1, path: 0 };
    let lease = Op::Pass { millis: TENANT_LEASE_MS };
    let life = upfront(&[CLAIM, GOOD, GOOD, resend.clone(), lease, resend]);
    assert_eq!(life.replies, vec![Reply::RunPaid(settlement("primary")); 2]);
}

#[test]
fn an_expired_payment_is_refused_before_anyone_is_asked() {
    let mut life = Life { elapsed: 595_000, ..Life::default() };
    life.apply(CLAIM);
    assert!(matches!(&life.replies[..], [Reply::Invalid(_)]) && life.outstanding.is_none());
}

#[test]
fn a_payment_that_expires_while_the_tenant_runs_is_not_settled() {
    let life = life(&[Op::Pass { millis: 580_000 }, CLAIM, GOOD, Op::Pass { millis: 20_000 }, EXECUTE]);
    assert!(matches!(life.replies.last(), Some(Reply::Refused(_))) && life.moved_at.is_none());
}
