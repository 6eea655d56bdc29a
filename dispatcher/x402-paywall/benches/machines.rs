//! What one step of the pure machines costs: the settlement ledger's and the circuit breaker's.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use x402_paywall::{
    UnixMillis,
    asker::Verified,
    binding::Binding,
    facilitator::verdict::{SettleVerdict, Settlement},
    health::standing::{self, Event as HealthEvent, Health, Limits, Outcome, Purpose},
    ledger::{
        Claim, Record,
        machine::{self, Event, Now},
    },
    origin::{Fingerprint, Origin},
    response::ResponseHead,
    window::Window,
};
use x402_protocol::{Address, Network, PaymentFlow, TransferMethod, Uint256, Version};

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
const HOLDER: &str = "request";
const FACILITATOR: &str = "primary";

fn claim() -> Claim {
    Claim {
        payment: "eip155:84532:0xa:0xf:0x1".to_owned(),
        tenant_id: "acme".to_owned(),
        binding: Binding::of("acme", "GET", "/quote", None),
        binding_to_place: Some(Binding::of("acme.example", "GET", "/quote", None)),
        version: Version::V2,
        flow: PaymentFlow::Authorization,
        request: serde_json::value::RawValue::from_string("{}".to_owned()).expect("an object is JSON"),
        payer: Address([1; 20]),
        network: Network::BaseSepolia,
        amount: Uint256::from(1),
        facilitators: vec![FACILITATOR.to_owned()],
        window: Window { method: TransferMethod::Eip3009, valid_after: 0, valid_before: NOW.0 / 1_000 + 300 },
        authorized: None,
        proven: true,
        signature: "0x01".to_owned(),
        origin: Some(Origin::default()),
        content: Some(Fingerprint::default()),
        proof_of_payer: None,
        identifier: None,
        ignored_identifier: None,
        trace: None,
        request_id: None,
    }
}

fn claimed() -> Event {
    Event::Claimed { claim: claim().into(), holder: HOLDER.to_owned() }
}

fn step(record: Option<Record>, event: Event) -> Option<Record> {
    let settle_order = [FACILITATOR.to_owned()];
    let now = Now { time: NOW, busy: false, settle_order: &settle_order, ask_again_at: NOW, inherited: None };
    machine::step(record, event, &now).record
}

/// The events of a payment after its claim, where nothing goes wrong.
fn course() -> Vec<Event> {
    let (payer, network) = (Address([1; 20]), Network::BaseSepolia);
    let settlement = Settlement {
        transaction: format!("0x{}", "ab".repeat(32)),
        payer,
        network,
        facilitator: FACILITATOR.to_owned(),
    };
    let head = ResponseHead { status: 200, headers: vec![("content-type".to_owned(), "application/json".to_owned())] };
    vec![
        Event::VerifyAnswered { verified: Verified::Valid(FACILITATOR.to_owned()) },
        Event::Executed { holder: HOLDER.to_owned(), head },
        Event::SettleAnswered { verdict: SettleVerdict::Settled(settlement), holder: Some(HOLDER.to_owned()) },
        Event::HandedOver { holder: HOLDER.to_owned(), delivered: true },
    ]
}

fn machines(criterion: &mut Criterion) {
    criterion.bench_function("ledger: a first claim", |bench| {
        bench.iter_batched(claimed, |event| step(None, event), BatchSize::SmallInput);
    });
    criterion.bench_function("ledger: a payment from claim to handed over (5 steps)", |bench| {
        let life = || [vec![claimed()], course()].concat();
        bench.iter_batched(life, |life| life.into_iter().fold(None, step), BatchSize::SmallInput);
    });
    let answered = HealthEvent {
        purpose: Purpose::Use,
        began: NOW,
        ms: 80,
        outcome: Outcome::Answered,
        witness: None,
        said: None,
        retold: false,
    };
    let limits = Limits { timeout_ms: 5_000 };
    criterion.bench_function("health: an answered call", |bench| {
        let health = Health::default;
        bench.iter_batched(
            health,
            |health| standing::step(health, black_box(&answered), limits, NOW, 0.5),
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, machines);
criterion_main!(benches);
