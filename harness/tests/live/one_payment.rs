//! One payment buys one request, however many present it at once and whatever else they ask for.

use crate::{harness::turn, served::Served};
use reports::event::{Event, FacilitatorEndpoint};
use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use traffic::{Invoice, Payers, Payment};
use x402_protocol::header;

#[expect(clippy::disallowed_methods, reason = "a payment's window is real time, and a test has no clock port")]
pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The answer that came back.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    /// Empty beside content.
    pub code: String,
    /// The content of `PAYMENT-RESPONSE`.
    pub receipt: Option<Value>,
}

impl Answered {
    pub fn says(&self, status: u16, code: &str) -> bool {
        (self.status, self.code.as_str()) == (status, code)
    }
}

pub async fn send(url: &str, payment: Option<&Payment>) -> Answered {
    let request = system::http_client::builder().build().unwrap().get(url);
    answer_to(match payment {
        Some(payment) => request.header("payment-signature", &payment.header),
        None => request,
    })
    .await
}

/// Somebody else, who has seen the payment on the chain.
async fn steal(url: &str, payment: &Payment) -> Answered {
    let request = system::http_client::builder().build().unwrap().get(url);
    answer_to(request.header("payment-signature", &payment.header).header("authorization", "Bearer another")).await
}

async fn answer_to(request: reqwest::RequestBuilder) -> Answered {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let receipt = response.headers().get(header::PAYMENT_RESPONSE).map(|value| {
        let json = header::decode(value.to_str().unwrap()).unwrap();
        serde_json::from_str(&json).unwrap()
    });
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    // A bill is version 1's body, where the error is the code itself.
    let code = body["error"]["code"].as_str().or(body["error"].as_str()).unwrap_or_default().to_owned();
    Answered { status, code, receipt }
}

/// The offer of this URL.
pub async fn invoice(url: &str) -> Invoice {
    let response = system::http_client::builder().build().unwrap().get(url).send().await.unwrap();
    Invoice::read_header(response.headers()["payment-required"].to_str().unwrap()).unwrap()
}

async fn pay(url: &str) -> Payment {
    Payers::from_seed(unix_now()).pay(&invoice(url).await, 0, 0, unix_now())
}

/// Holds that one payment was settled, run and moved once, whatever came beside it.
pub fn settled_once(events: &[Event]) {
    let settles = events.iter().filter(
        |event| matches!(event, Event::FacilitatorCalled(call) if call.endpoint == FacilitatorEndpoint::Settle),
    );
    let runs = events.iter().filter(|event| matches!(event, Event::TenantRan(_)));
    let moved = events.iter().filter(|event| matches!(event, Event::TransferMoved(_)));
    assert_eq!((settles.count(), runs.count(), moved.count()), (1, 1, 1));
}

#[test]
fn a_caller_who_gave_up_gets_the_response_by_asking_again() {
    let _turn = turn();
    let served = Served::start();
    tokio::runtime::Runtime::new().unwrap().block_on(give_up_and_ask_again(&served));

    let events = served.stop();
    let runs = events.iter().filter(|event| matches!(event, Event::TenantRan(_)));
    let moved = events.iter().filter(|event| matches!(event, Event::TransferMoved(_)));
    assert_eq!((runs.count(), moved.count()), (1, 1));
}

/// `wrangler dev` does not tell the dispatcher that its caller hung up: only the second request says so.
async fn give_up_and_ask_again(served: &Served) {
    let slow = format!("{}/t/acme/slow/1500", served.url);
    let payment = pay(&slow).await;
    let patience = Duration::from_millis(300);
    assert!(tokio::time::timeout(patience, send(&slow, Some(&payment))).await.is_err(), "the tenant is slower");
    let collected = send(&slow, Some(&payment)).await;
    assert!(collected.says(200, ""), "{collected:?}");
    let again = send(&slow, Some(&payment)).await;
    assert!(again.says(200, ""), "{again:?}");
    let stolen = steal(&slow, &payment).await;
    assert!(stolen.says(409, "payment_already_used"), "{stolen:?}");
}

#[test]
fn ten_who_present_one_payment_at_once_pay_once_and_all_get_its_content() {
    let _turn = turn();
    let served = Served::start();
    tokio::runtime::Runtime::new().unwrap().block_on(race(&served));

    let events = served.stop();
    settled_once(&events);
}

async fn race(served: &Served) {
    let quote = format!("{}/t/acme/quote", served.url);
    let payment = pay(&quote).await;

    let (quote, payment) = (&quote, &payment);
    let racers = (0..10).map(|_| send(quote, Some(payment)));
    let answers = futures_util::future::join_all(racers).await;
    assert!(answers.iter().all(|answer| answer.says(200, "")), "{answers:?}");

    for other in ["/t/acme/dearer", "/t/acme/quote?all=1"] {
        let answer = send(&format!("{}{other}", served.url), Some(payment)).await;
        assert!(answer.says(409, "payment_already_used"), "{other}: {answer:?}");
    }
    let unpaid = send(quote, None).await;
    assert!(unpaid.says(402, "payment_required"), "{unpaid:?}");
}
