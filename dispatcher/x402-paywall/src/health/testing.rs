//! A claim for tests of what asks facilitators.

use crate::{
    binding::Binding,
    ledger::Claim,
    origin::{Fingerprint, Origin},
    window::Window,
};
use serde_json::value::RawValue;
use x402_protocol::{Address, Network, PaymentFlow, TransferMethod, Uint256, Version};

/// A payment that may be served by these, from a caller who does not say where it is.
pub fn claim(facilitators: &[&str]) -> Claim {
    Claim {
        payment: "eip155:84532:0xa:0xf:0x1".to_owned(),
        tenant_id: "acme".to_owned(),
        binding: Binding::of("acme", "GET", "/", None),
        binding_to_place: Some(Binding::of("acme.example", "GET", "/", None)),
        version: Version::V2,
        flow: PaymentFlow::Authorization,
        request: RawValue::from_string("{}".to_owned()).unwrap(),
        payer: Address([1; 20]),
        network: Network::BaseSepolia,
        amount: Uint256::from(1),
        facilitators: facilitators.iter().map(|id| (*id).to_owned()).collect(),
        window: Window { method: TransferMethod::Eip3009, valid_after: 0, valid_before: 2_000_000_000 },
        proven: true,
        signature: "0x01".to_owned(),
        origin: None,
        content: None,
        proof_of_payer: None,
        authorized: None,
        identifier: None,
        ignored_identifier: None,
        trace: None,
        request_id: None,
    }
}

/// The `n`th stranger's payment: a payer and an address of its own.
pub fn strangers(facilitators: &[&str], n: u32) -> Claim {
    let mut payer = [0; 20];
    payer[..4].copy_from_slice(&n.to_be_bytes());
    let caller = Some(Fingerprint::of([format!("203.0.113.{n}")]));
    Claim {
        payment: format!("eip155:84532:0xa:0xf:0x{n}"),
        payer: Address(payer),
        origin: Some(Origin { network: caller.clone(), caller, ..Origin::default() }),
        ..claim(facilitators)
    }
}
