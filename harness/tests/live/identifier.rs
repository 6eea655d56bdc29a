//! A `payment-identifier` takes one payment, however many fresh ones come under it at once.

use crate::{
    harness::turn,
    one_payment::{Answered, invoice, send, settled_once, unix_now},
    served::Served,
};
use traffic::Payers;

const RACERS: u64 = 8;

#[test]
fn of_eight_fresh_payments_under_one_identifier_one_is_settled() {
    let _turn = turn();
    let served = Served::start();
    tokio::runtime::Runtime::new().unwrap().block_on(race(&served));

    settled_once(&served.stop());
}

async fn race(served: &Served) {
    let quote = &format!("{}/t/acme/quote", served.url);
    let (payers, invoice) = (Payers::from_seed(unix_now()), invoice(quote).await);
    let pay = |attempt| {
        let mut draft = payers.draft(&invoice, 0, attempt, unix_now());
        draft.identifier = Some("pay_0123456789abcdef".to_owned());
        draft.sign()
    };
    let payments: Vec<_> = (0..RACERS).map(pay).collect();
    let answers = futures_util::future::join_all(payments.iter().map(|payment| send(quote, Some(payment)))).await;
    let conflicts = answers.iter().filter(|answer| answer.says(409, "payment_identifier_conflict")).count();
    let winner = answers.iter().position(|answer| answer.says(200, "")).expect("one of them is served");
    assert_eq!(conflicts, 7, "{answers:?}");

    // Now that it is settled, a conflict names the transaction, and the winner's response can be had again.
    let Answered { receipt: Some(receipt), .. } = &answers[winner] else { panic!("content without a receipt") };
    let late = send(quote, Some(&pay(RACERS))).await;
    assert!(late.says(409, "payment_identifier_conflict"), "{late:?}");
    assert_eq!(late.receipt.unwrap()["transaction"], receipt["transaction"]);
    let again = send(quote, Some(&payments[winner])).await;
    assert!(again.says(200, ""), "{again:?}");
    assert_eq!(again.receipt.as_ref(), Some(receipt));
}
