//! The order of a sale, seen from its hooks and from a ledger that says yes.

use super::*;
use crate::{
    Origin, Price, Reason, Veto,
    ledger::{ClaimReply, SettleReply},
};
use std::{
    cell::RefCell,
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};
use x402_protocol::{
    Offer,
    v2::{IdentifierRule, PaymentPayload, ResourceInfo},
};

const VECTOR: &str = include_str!("../../x402-protocol/testdata/eip3009-vector.json");

/// The hooks that were called, in order; and the stage at which the seller says no.
#[derive(Default)]
struct Course {
    calls: RefCell<Vec<&'static str>>,
    veto_at: &'static str,
}

impl Course {
    fn note(&self, call: &'static str) {
        self.calls.borrow_mut().push(call);
    }

    async fn ask(&self, stage: &'static str) -> Result<(), Veto> {
        self.note(stage);
        let veto = Veto { code: Reason::ours("not_today"), message: "closed on Sundays".to_owned() };
        if self.veto_at == stage { Err(veto) } else { Ok(()) }
    }
}

impl Hooks for &Course {
    async fn before_verify(&self, _: &Sale<'_>) -> Result<(), Veto> {
        self.ask("before verify").await
    }
    async fn after_verify(&self, _: &Sale<'_>) {
        self.note("after verify");
    }
    async fn before_execute(&self, _: &Sale<'_>) -> Result<(), Veto> {
        self.ask("before execute").await
    }
    async fn after_execute(&self, _: &Sale<'_>, content: Option<&PaidResponse>) {
        self.note(if content.is_some() { "after execute" } else { "after execute, nothing to sell" });
    }
    async fn before_settle(&self, _: &Sale<'_>, _: &PaidResponse) -> Result<(), Veto> {
        self.ask("before settle").await
    }
    async fn after_settle(&self, _: &Sale<'_>, _: &Settlement) {
        self.note("after settle");
    }
    async fn on_failure(&self, _: &Sale<'_>, _: &Denial) {
        self.note("on failure");
    }
}

impl Ledger for &Course {
    async fn claim(&self, _: Claim, _: &str) -> Result<ClaimReply, LedgerError> {
        self.note("claim");
        Ok(ClaimReply { reply: Reply::Run, response: None, attempts: Vec::new() })
    }
    async fn collect(&self, _: Collection, _: &str) -> Result<ClaimReply, LedgerError> {
        self.note("collect");
        Ok(ClaimReply { reply: Reply::NothingBought, response: None, attempts: Vec::new() })
    }
    async fn settle(&self, _: &str, _: &str, _: &PaidResponse) -> Result<SettleReply, LedgerError> {
        self.note("settle");
        let payer = Address([1; 20]);
        let (transaction, network, facilitator) = ("0x1".to_owned(), Network::BaseSepolia, "primary".to_owned());
        let settlement = Settlement { transaction, payer, network, facilitator };
        Ok(SettleReply { reply: Reply::Settled(settlement), attempts: Vec::new() })
    }
    async fn release(&self, _: &str, _: &str) -> Result<(), LedgerError> {
        self.note("release");
        Ok(())
    }
    async fn handed_over(&self, _: &str, _: &str, _: bool) -> Result<(), LedgerError> {
        Ok(())
    }
}

/// Sells once; the seller's answer is `ran`.
fn sell(course: &Course, ran: Ran<()>) -> Sold<()> {
    let offer = Offer::from_requirements(&PaymentPayload::parse(VECTOR).unwrap().accepted).unwrap();
    let price = Price::new(offer, IdentifierRule::Optional, ResourceInfo::default());
    let payment = header::encode_text(VECTOR);
    let purchase = Purchase {
        request_id: "r1",
        seller: Seller::Asks { id: "acme", price: &price, facilitators: &[] },
        place: "acme.example",
        method: "GET",
        path: "/",
        query: None,
        url: "https://acme.example/",
        payment: Some(Presented { version: Version::V2, header: &payment }),
        origin: &Origin::default(),
        now: UnixMillis(1_795_227_000_000),
    };
    let paywall = Paywall::builder(course).hooks(course).build();
    let sale = paywall.sell(&purchase, async || {
        course.note("execute");
        ran
    });
    match pin!(sale).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(told) => told.answer,
        Poll::Pending => panic!("nothing here waits"),
    }
}

#[test]
fn a_sale_passes_its_stages_in_order() {
    let course = Course::default();
    assert!(matches!(sell(&course, Ran::Content(PaidResponse::default())), Sold::Content { .. }));
    let calls = course.calls.into_inner();
    assert_eq!(
        calls.join(", "),
        "before verify, claim, after verify, before execute, execute, after execute, before settle, settle, after settle"
    );
}

#[test]
fn a_seller_with_nothing_to_sell_is_not_paid() {
    let course = Course::default();
    assert!(matches!(sell(&course, Ran::Unsold(())), Sold::Unsold(())));
    let calls = course.calls.into_inner();
    assert_eq!(calls[5..], ["release", "after execute, nothing to sell"]);
}

#[test]
fn a_veto_gives_the_payment_back_before_money_moves() {
    for (veto_at, last) in [
        ("before verify", vec!["before verify", "on failure"]),
        ("before execute", vec!["before execute", "release", "on failure"]),
        ("before settle", vec!["before settle", "release", "on failure"]),
    ] {
        let course = Course { veto_at, ..Course::default() };
        let Sold::Denied(denial) = sell(&course, Ran::Content(PaidResponse::default())) else { panic!("{veto_at}") };
        assert_eq!((denial.status(), denial.code()), (403, "not_today"));
        let calls = course.calls.into_inner();
        assert!(calls.ends_with(&last) && !calls.contains(&"settle"), "{calls:?}");
    }
}
