//! A shop in one process: the paywall over a ledger in memory, with a hook and a facilitator that stands in for a real one.

use std::{
    cell::RefCell,
    future::Future,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};
use x402_paywall::{
    Fingerprint, Hooks, Origin, PaidResponse, Paywall, Presented, Price, Purchase, Ran, Seller, Sold, UnixMillis,
    facilitator::{Facilitators, verdict::Settlement},
    health::Board,
    hooks::Sale,
    ledger::{Keeper, LocalLedger, Memory},
    ports::{Clock, FacilitatorAnswer, FacilitatorTransport, HttpRequest, LedgerError, PaymentLog, TransportError},
    response::ResponseHead,
    telemetry::PaymentEvent,
};
use x402_protocol::{
    Authorization, Network, Nonce, Offer, Uint256, Version, header, hex,
    signature::Signer,
    v2::{IdentifierRule, ResourceInfo},
};

/// The wall clock, in your server.
#[derive(Clone, Copy)]
struct Noon;

impl Clock for Noon {
    fn now(&self) -> UnixMillis {
        UnixMillis(1_800_000_000_000)
    }
    async fn sleep(&self, _millis: u64) {}
}

/// Any HTTP client that does not follow redirects, in your server. This one stands in for a facilitator, too.
#[derive(Clone, Copy)]
struct Http;

impl FacilitatorTransport for Http {
    async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        let body = if request.url.ends_with("/verify") {
            r#"{"isValid":true}"#.to_owned()
        } else {
            format!(r#"{{"success":true,"transaction":"0x{}","network":"eip155:84532"}}"#, "ab".repeat(32))
        };
        Ok(FacilitatorAnswer { status: 200, body: body.into_bytes() })
    }
}

#[derive(Clone, Copy)]
struct Stdout;

impl PaymentLog for Stdout {
    fn record(&self, event: &PaymentEvent<'_>) {
        println!("{:?} {}", event.stage, event.payment);
    }
    fn trouble(&self, payment: &str, why: &str) {
        println!("{payment}: {why}");
    }
    fn stuck(&self, payment: &str, error: &LedgerError) {
        println!("{payment} is stuck: {error}");
    }
}

/// The figures that the seller wants of its sales.
#[derive(Default)]
struct Till(RefCell<Vec<String>>);

impl Hooks for &Till {
    async fn after_settle(&self, sale: &Sale<'_>, settlement: &Settlement) {
        self.0.borrow_mut().push(format!("{} paid in {}", sale.payer, settlement.transaction));
    }
}

fn main() {
    let config = r#"[{"id": "primary", "url": "https://facilitator.example"}]"#;
    let secrets = std::collections::BTreeMap::new();
    let facilitators = Facilitators::from_json(config, &secrets).expect("the list above is well-formed");
    let board = Rc::new(Board::new(&facilitators, 7));
    let (ids, memory, till) = (facilitators.ids(), Memory::default(), Till::default());

    let ledger = LocalLedger::new(|payment: &str| {
        let (store, board) = (memory.store(payment), Rc::clone(&board));
        Keeper::new(store, Http, Noon, Stdout, memory.clone(), facilitators.clone(), board)
    });
    let paywall = Paywall::builder(ledger).hooks(&till).build();

    let pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C".parse().expect("an address");
    let offer = Offer::usdc(Network::BaseSepolia, Uint256::from(10_000), pay_to, 300);
    let payment = pay(&offer);
    let price = Price::new(offer, IdentifierRule::Optional, ResourceInfo::default());
    // A caller is told by its address; whoever comes from another one collects nothing of what this one paid for.
    let origin = Origin { caller: Some(Fingerprint::of(["203.0.113.7"])), ..Origin::default() };
    let mut purchase = Purchase {
        request_id: "request-1",
        seller: Seller::Asks { id: "shop", price: &price, facilitators: &ids },
        place: "shop.example",
        method: "GET",
        path: "/joke",
        query: None,
        url: "https://shop.example/joke",
        payment: None,
        origin: &origin,
        now: Noon.now(),
    };
    let joke = async || {
        let head = ResponseHead { status: 200, headers: Vec::new() };
        Ran::<()>::Content(PaidResponse { head, body: b"a joke".to_vec() })
    };

    // Without a payment there is a bill.
    let Sold::Denied(denial) = block_on(paywall.sell(&purchase, joke)).answer else { panic!("sold for nothing") };
    assert_eq!(denial.status(), 402);

    // With one there is a joke, and the money has moved before it is told.
    purchase.payment = Some(Presented { version: Version::V2, header: &payment });
    let Sold::Content { response, ticket, .. } = block_on(paywall.sell(&purchase, joke)).answer else {
        panic!("paid for nothing")
    };
    assert_eq!(response.body, b"a joke");
    block_on(paywall.handed_over(&ticket, true)).expect("memory does not fail");
    assert_eq!(till.0.borrow().len(), 1);

    // One payment buys one request, and nobody else collects what it bought.
    purchase.request_id = "request-2";
    let stranger = Origin { caller: Some(Fingerprint::of(["198.51.100.1"])), ..origin.clone() };
    purchase.origin = &stranger;
    let Sold::Denied(denial) = block_on(paywall.sell(&purchase, joke)).answer else { panic!("sold twice") };
    assert_eq!((denial.status(), denial.code()), (409, "payment_already_used"));
}

/// Answers the bill as a client does.
fn pay(offer: &Offer) -> String {
    let signer = Signer::from_secret(&[7; 32]).expect("a secret below the curve's order");
    let authorization = Authorization {
        from: signer.address(),
        to: offer.pay_to,
        value: offer.amount,
        valid_after: Uint256::ZERO,
        valid_before: Uint256::from(1_800_000_300),
        nonce: Nonce([1; 32]),
    };
    let signature = hex::encode(&signer.sign(&authorization.digest(offer)));
    header::encode(&serde_json::json!({
        "x402Version": 2,
        "accepted": offer.to_requirements(),
        "payload": {"signature": signature, "authorization": authorization},
    }))
}

/// Your server's runtime. Nothing in this example waits.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}
