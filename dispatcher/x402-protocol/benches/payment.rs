//! What looking at one payment costs, step by step, on the machine that runs this and not in wasm.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use x402_protocol::{Offer, Signature, header, signature, v2::PaymentPayload};

/// Signed by an official client.
const VECTOR: &str = include_str!("../testdata/eip3009-vector.json");

fn payment(criterion: &mut Criterion) {
    let sent = header::encode_text(VECTOR);
    let payment = PaymentPayload::from_header(&sent).expect("the vector is a payment");
    let offer = Offer::from_requirements(&payment.accepted).expect("what it accepted is an offer");
    let digest = payment.exact.transfer.digest(&offer);
    let Signature::Account(bytes) = payment.exact.signature.clone() else {
        panic!("the vector is signed by an account")
    };

    criterion.bench_function("decode a payment header", |bench| {
        bench.iter(|| PaymentPayload::from_header(black_box(&sent)));
    });
    criterion.bench_function("match a payment with the offer", |bench| {
        bench.iter(|| offer.matches(black_box(&payment.accepted)));
    });
    criterion.bench_function("digest an authorization (EIP-712)", |bench| {
        bench.iter(|| black_box(&payment.exact.transfer).digest(&offer));
    });
    criterion.bench_function("recover a signer", |bench| {
        bench.iter(|| signature::recover(black_box(&bytes), &digest));
    });
}

criterion_group!(benches, payment);
criterion_main!(benches);
