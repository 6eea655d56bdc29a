//! The table, from both sides: what is listed means what it says, and what is not listed means nothing.

use super::*;
use crate::health::testing::claim;
use proptest::prelude::*;

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

fn said(reason: &str, claim: &Claim) -> About {
    about(&Reason::from_outside(Some(reason)), claim, NOW)
}

/// A payment of an account whose signature was recovered, within its window for a long time.
fn sound() -> Claim {
    let mut claim = claim(&["primary"]);
    claim.proven = true;
    (claim.window.valid_after, claim.window.valid_before) = (0, NOW.seconds() + 300);
    claim
}

#[test]
fn the_state_of_an_account_ends_the_search() {
    for reason in ACCOUNT {
        assert_eq!(said(reason, &sound()), About::ThePayment, "{reason}");
    }
}

#[test]
fn a_signature_that_we_recovered_is_not_wrong() {
    let smart = Claim { proven: false, ..sound() };
    for reason in SIGNATURE {
        assert_eq!(said(reason, &sound()), About::TheFacilitator, "{reason}");
        assert_eq!(said(reason, &smart), About::ThePayment, "{reason}");
    }
}

#[test]
fn a_window_is_believed_unless_our_clock_is_a_minute_off() {
    let at = |after: i64, before: i64| {
        let mut claim = sound();
        let time = |offset: i64| NOW.seconds().checked_add_signed(offset).unwrap();
        (claim.window.valid_after, claim.window.valid_before) = (time(after), time(before));
        claim
    };
    for reason in TOO_LATE {
        assert_eq!(said(reason, &at(-600, 60)), About::ThePayment, "{reason}");
        assert_eq!(said(reason, &at(-600, 61)), About::TheFacilitator, "{reason}");
    }
    for reason in TOO_EARLY {
        assert_eq!(said(reason, &at(-60, 300)), About::ThePayment, "{reason}");
        assert_eq!(said(reason, &at(-61, 300)), About::TheFacilitator, "{reason}");
    }
}

#[test]
fn what_another_may_see_otherwise_goes_on_and_is_remembered() {
    for reason in PERHAPS {
        assert_eq!(said(reason, &sound()), About::ThePaymentPerhaps, "{reason}");
    }
}

#[test]
fn an_ill_facilitator_speaks_of_itself_in_many_words() {
    for reason in [
        "unexpected_verify_error",
        "unexpected_error",
        "internal_server_error",
        "internal",
        "rate_limited",
        "rate_limit_exceeded",
        "too_many_requests",
        "rpc_error",
        "verify_rpc_unavailable",
        "node_unreachable",
        "settle_exact_node_failure",
        "timeout",
        "invalid_exact_evm_transaction_confirmation_timed_out",
        "request_timeout",
        "upstream_unavailable",
    ] {
        assert_eq!(said(reason, &sound()), About::TheFacilitator, "{reason}");
    }
}

#[test]
fn what_nobody_has_listed_says_nothing() {
    for reason in [
        "",
        "Something went wrong!",
        "unsupported_scheme",
        "invalid_network",
        "rated",
        "nodes",
        "pay_me",
        "unsupported_chain",
    ] {
        assert_eq!(said(reason, &sound()), About::Unclear, "{reason}");
    }
}

proptest! {
    #[test]
    fn no_free_text_ends_the_search(reason in ".{0,90}") {
        let listed = ACCOUNT.contains(&reason.to_ascii_lowercase().as_str());
        prop_assert!(listed || said(&reason, &sound()) != About::ThePayment);
    }
}
