//! Each rejection by one change to a good payment: a check that is left out lets its row through.
use super::*;
use crate::testing::{NOW, Payer, Seen, drain, journal};
use reports::event::Event;
use x402_protocol::{Authorization, Nonce, Offer, Uint256};

const OTHER: &str = "0x857b06519E91e3A54538791bDbb0E22373e36b66";

fn chain() -> (Chain, Seen) {
    let (journal, seen) = journal();
    (Chain::new(journal), seen)
}

fn read(body: &[u8]) -> FacilitatorRequest {
    FacilitatorRequest::parse(body)
}

/// A good payment with the values at these JSON pointers replaced; the signature is the one of before.
fn tampered(changes: &[(&str, Value)]) -> String {
    let payer = Payer::new(1);
    let mut body = payer.request(&payer.offer(), &payer.authorization(1));
    for (pointer, value) in changes {
        *body.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is in the body")) = value.clone();
    }
    body.to_string()
}

/// Signed as changed.
fn signed(change: impl FnOnce(&mut Offer, &mut Authorization)) -> String {
    let payer = Payer::new(1);
    let (mut offer, mut authorization) = (payer.offer(), payer.authorization(1));
    change(&mut offer, &mut authorization);
    payer.request(&offer, &authorization).to_string()
}

#[test]
fn refuses_each_kind_of_bad_payment_with_its_reason() {
    let both = |field: &str, value: Value| {
        let change = [
            (&*format!("/paymentRequirements/{field}"), value.clone()),
            (&*format!("/paymentPayload/accepted/{field}"), value),
        ]
        .map(|(pointer, value)| (pointer.to_owned(), value));
        tampered(&change.each_ref().map(|(pointer, value)| (pointer.as_str(), value.clone())))
    };
    let only = |pointer: &str, value: Value| tampered(&[(pointer, value)]);
    let own = |field: &str, value: &str| only(&format!("/paymentPayload/payload/authorization/{field}"), json!(value));
    let high = format!("0x{}", "11".repeat(66));
    for (what, body, wanted) in [
        ("no json", "{".to_owned(), reason::INVALID_PAYLOAD),
        ("envelope version", only("/x402Version", json!(3)), reason::INVALID_X402_VERSION),
        ("payload version", only("/paymentPayload/x402Version", json!(3)), reason::INVALID_X402_VERSION),
        ("payload shape", only("/paymentPayload/payload", json!({})), reason::INVALID_PAYLOAD),
        ("scheme", both("scheme", json!("upto")), reason::UNSUPPORTED_SCHEME),
        ("accepted scheme", only("/paymentPayload/accepted/scheme", json!("upto")), reason::INVALID_SCHEME),
        ("network", both("network", json!("eip155:1")), reason::INVALID_NETWORK),
        ("accepted network", only("/paymentPayload/accepted/network", json!("eip155:8453")), reason::NETWORK_MISMATCH),
        ("asset", both("asset", json!(OTHER)), reason::ASSET_NOT_DEPLOYED),
        ("domain", both("extra", json!({"version": "2"})), reason::MISSING_EIP712_DOMAIN),
        ("domain name", both("extra/name", json!("USD Coin")), reason::TOKEN_NAME_MISMATCH),
        ("domain version", both("extra/version", json!("1")), reason::TOKEN_VERSION_MISMATCH),
        ("requirements", both("payTo", json!("nobody")), reason::INVALID_PAYMENT_REQUIREMENTS),
        ("accepted amount", only("/paymentPayload/accepted/amount", json!("1")), reason::INVALID_PAYMENT_REQUIREMENTS),
        ("recipient", signed(|_, paid| paid.to = OTHER.parse().unwrap()), reason::RECIPIENT_MISMATCH),
        ("less money", signed(|_, paid| paid.value = Uint256::from(9_999)), reason::VALUE_MISMATCH),
        ("more money", signed(|_, paid| paid.value = Uint256::from(10_001)), reason::VALUE_MISMATCH),
        ("another payer", own("from", OTHER), reason::INVALID_SIGNATURE),
        ("another nonce", own("nonce", &Nonce([9; 32]).to_string()), reason::INVALID_SIGNATURE),
        ("a longer window", own("validBefore", "99999999999"), reason::INVALID_SIGNATURE),
        ("an earlier window", own("validAfter", "1"), reason::INVALID_SIGNATURE),
        ("no signature", only("/paymentPayload/payload/signature", json!("0x")), reason::INVALID_PAYLOAD),
        ("smart account", only("/paymentPayload/payload/signature", json!(high)), reason::UNDEPLOYED_SMART_WALLET),
        ("too early", signed(|_, paid| paid.valid_after = Uint256::from(NOW)), reason::VALID_AFTER),
        (
            "too late",
            signed(|_, paid| paid.valid_before = Uint256::from(NOW + MIN_WINDOW_LEFT_S - 1)),
            reason::VALID_BEFORE,
        ),
    ] {
        let (chain, mut seen) = chain();
        let verified = verify("primary", &read(body.as_bytes()), &chain, NOW, Repeat::NonceUsed);
        assert_eq!((verified.is_valid, verified.invalid_reason.as_deref()), (false, Some(wanted)), "verify: {what}");
        let settled = settle("primary", &read(body.as_bytes()), &chain, NOW, Repeat::Yes);
        assert_eq!((settled.success, settled.error_reason.as_deref()), (false, Some(wanted)), "settle: {what}");
        assert_eq!(settled.transaction, "", "{what}");
        assert!(drain(&mut seen).is_empty(), "{what} moved money");
    }
}

#[test]
fn a_good_payment_verifies_and_settles_at_the_edges_of_its_window() {
    let body = signed(|_, paid| {
        paid.valid_after = Uint256::from(NOW - 1);
        paid.valid_before = Uint256::from(NOW + MIN_WINDOW_LEFT_S);
    });
    let (chain, mut seen) = chain();
    let payer = Some(Payer::new(1).address().to_string());
    let verified = verify("primary", &read(body.as_bytes()), &chain, NOW, Repeat::NonceUsed);
    assert_eq!((verified.is_valid, verified.invalid_reason, verified.payer), (true, None, payer.clone()));
    assert!(drain(&mut seen).is_empty(), "verify moves no money");
    let settled = settle("primary", &read(body.as_bytes()), &chain, NOW, Repeat::Yes);
    assert_eq!((settled.success, settled.payer), (true, payer));
    assert_eq!((settled.network.as_str(), settled.amount.as_deref()), ("eip155:84532", Some("10000")));
    let [Event::TransferMoved(transfer)] = &drain(&mut seen)[..] else { panic!("one transfer") };
    assert_eq!(transfer.transaction, settled.transaction);
}

#[test]
fn a_settled_payment_is_answered_alike_by_its_facilitator_and_refused_by_others() {
    let (chain, mut seen) = chain();
    let body = Payer::new(1).body(1);
    let first = settle("primary", &read(body.as_bytes()), &chain, NOW, Repeat::Yes);
    // Long after the window, too: the settlement stays true.
    assert_eq!(settle("primary", &read(body.as_bytes()), &chain, NOW * 3, Repeat::Yes), first);
    let other = settle("standby", &read(body.as_bytes()), &chain, NOW, Repeat::Yes);
    assert_eq!((other.success, other.error_reason.as_deref()), (false, Some(reason::NONCE_ALREADY_USED)));
    let verified = verify("primary", &read(body.as_bytes()), &chain, NOW, Repeat::NonceUsed);
    assert_eq!(verified.invalid_reason.as_deref(), Some(reason::NONCE_ALREADY_USED));
    assert_eq!(drain(&mut seen).len(), 1);
}

#[test]
fn another_authorization_under_a_spent_nonce_is_not_the_earlier_settlement() {
    let (chain, mut seen) = chain();
    assert!(settle("primary", &read(Payer::new(1).body(1).as_bytes()), &chain, NOW, Repeat::Yes).success);
    let again = signed(|_, paid| paid.valid_before = Uint256::from(NOW + 60));
    let answer = settle("primary", &read(again.as_bytes()), &chain, NOW, Repeat::Yes);
    assert_eq!(answer.error_reason.as_deref(), Some(reason::NONCE_ALREADY_USED));
    assert_eq!(drain(&mut seen).len(), 1);
}

#[test]
fn a_payer_without_funds_is_refused() {
    let (chain, _seen) = chain();
    let payer = Payer::new(1);
    chain.set_balance(Network::BaseSepolia, payer.address(), 9_999);
    let body = payer.body(1);
    assert_eq!(
        verify("primary", &read(body.as_bytes()), &chain, NOW, Repeat::NonceUsed).invalid_reason.as_deref(),
        Some(reason::INSUFFICIENT_FUNDS)
    );
    assert_eq!(
        settle("a", &read(body.as_bytes()), &chain, NOW, Repeat::Yes).error_reason.as_deref(),
        Some(reason::INSUFFICIENT_FUNDS)
    );
}

#[test]
fn a_version_1_payment_is_settled_under_version_1s_names_and_is_the_version_2_payment_of_the_same_nonce() {
    let (chain, mut seen) = chain();
    let body = Payer::new(1).v1_request(1).to_string();
    assert!(verify("primary", &read(body.as_bytes()), &chain, NOW, Repeat::NonceUsed).is_valid);
    let settled = settle("primary", &read(body.as_bytes()), &chain, NOW, Repeat::Yes);
    assert_eq!((settled.success, settled.network.as_str(), settled.amount.as_ref()), (true, "base-sepolia", None));
    let again = settle("standby", &read(Payer::new(1).body(1).as_bytes()), &chain, NOW, Repeat::Yes);
    assert_eq!(again.error_reason.as_deref(), Some(reason::NONCE_ALREADY_USED));
    assert_eq!(drain(&mut seen).len(), 1);
}

#[test]
fn a_version_1_payment_may_pay_more_than_is_asked_and_must_name_the_network_as_version_1_does() {
    let mut body = Payer::new(1).v1_request(1);
    body["paymentRequirements"]["maxAmountRequired"] = json!("9999");
    assert!(verify("primary", &read(body.to_string().as_bytes()), &chain().0, NOW, Repeat::NonceUsed).is_valid);
    body["paymentRequirements"]["maxAmountRequired"] = json!("10001");
    let refused = verify("primary", &read(body.to_string().as_bytes()), &chain().0, NOW, Repeat::NonceUsed);
    assert_eq!(refused.invalid_reason.as_deref(), Some(reason::VALUE_MISMATCH));
    body["paymentPayload"]["network"] = json!("eip155:84532");
    let refused = verify("primary", &read(body.to_string().as_bytes()), &chain().0, NOW, Repeat::NonceUsed);
    assert_eq!(refused.invalid_reason.as_deref(), Some(reason::NETWORK_MISMATCH));
}

#[test]
fn a_permit_settles_once_and_as_far_as_its_owner_has_approved() {
    let (chain, mut seen) = chain();
    let payer = Payer::new(1);
    let settle =
        |nonce| settle("primary", &read(payer.permit_request(nonce).to_string().as_bytes()), &chain, NOW, Repeat::Yes);
    assert_eq!(settle(1).error_reason.as_deref(), Some(reason::PERMIT2_ALLOWANCE_REQUIRED));
    chain.set_allowance(Network::BaseSepolia, payer.address(), 10_000);
    assert!(
        verify("primary", &read(payer.permit_request(1).to_string().as_bytes()), &chain, NOW, Repeat::NonceUsed)
            .is_valid
    );
    assert!(settle(1).success);
    assert_eq!(settle(2).error_reason.as_deref(), Some(reason::PERMIT2_ALLOWANCE_REQUIRED));
    let [Event::TransferMoved(transfer)] = &drain(&mut seen)[..] else { panic!("one transfer") };
    assert!(transfer.payment.starts_with("eip155:84532:0x000000000022d473"), "{}", transfer.payment);
}

#[test]
fn refuses_each_kind_of_bad_permit_with_its_reason() {
    let (chain, _seen) = chain();
    let payer = Payer::new(1);
    chain.set_allowance(Network::BaseSepolia, payer.address(), u64::MAX);
    for (field, value, wanted) in [
        ("spender", json!(OTHER), reason::PERMIT2_SPENDER),
        ("permitted/token", json!(OTHER), reason::PERMIT2_TOKEN_MISMATCH),
        ("permitted/amount", json!("9999"), reason::PERMIT2_AMOUNT_MISMATCH),
        ("witness/to", json!(OTHER), reason::PERMIT2_RECIPIENT_MISMATCH),
        ("from", json!(OTHER), reason::PERMIT2_SIGNATURE),
        ("nonce", json!("9"), reason::PERMIT2_SIGNATURE),
    ] {
        let mut body = payer.permit_request(1);
        *body.pointer_mut(&format!("/paymentPayload/payload/permit2Authorization/{field}")).unwrap() = value;
        let verified = verify("primary", &read(body.to_string().as_bytes()), &chain, NOW, Repeat::NonceUsed);
        assert_eq!(verified.invalid_reason.as_deref(), Some(wanted), "{field}");
    }
}
