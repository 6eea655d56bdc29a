//! The official facilitator library on its chain of paper, before our client, the official client and payments that it throws
//! at: what is sold is on the chain, and nothing else.

use crate::{
    harness::turn,
    npm_client::NpmClient,
    one_payment::{invoice, send, unix_now},
    served::Served,
};
use reports::event::{Event, FacilitatorEndpoint, Transfer};
use serde_json::Value;
use traffic::Payers;
use x402_protocol::TransferMethod;

#[test]
fn our_client_and_the_official_one_buy_through_a_facilitator_that_nobody_here_wrote() {
    let _turn = turn();
    let client = NpmClient::installed("official-client", "about 15 s, 92 MB");
    let served = Served::of("official-facilitator");
    let quote = format!("{}/t/acme/quote", served.url);
    let transactions = tokio::runtime::Runtime::new().unwrap().block_on(buy_both_ways(&quote));
    let theirs = client.pay(&quote);
    assert_eq!((&theirs["status"], &theirs["receipt"]["success"]), (&200.into(), &true.into()), "{theirs}");

    let events = served.stop();
    let moved: Vec<&Transfer> = events
        .iter()
        .filter_map(|event| match event {
            Event::TransferMoved(transfer) => Some(transfer),
            _ => None,
        })
        .collect();
    let on_chain: Vec<&str> = moved.iter().map(|transfer| transfer.transaction.as_str()).collect();
    let told = [&transactions[0], &transactions[1], &theirs["receipt"]["transaction"]];
    assert_eq!(on_chain, told.map(|transaction| transaction.as_str().unwrap()));
    assert!(
        moved.iter().all(|transfer| (transfer.value.as_str(), transfer.facilitator.as_str()) == ("10000", "primary"))
    );
    assert_eq!(moved[2].from, theirs["payer"].as_str().unwrap().to_lowercase());
    let settles = events.iter().filter(
        |event| matches!(event, Event::FacilitatorCalled(call) if call.endpoint == FacilitatorEndpoint::Settle),
    );
    assert_eq!(settles.count(), 3);
}

/// By an authorization and by a permit. Returns the transactions that the receipts name.
async fn buy_both_ways(quote: &str) -> Vec<Value> {
    let (payers, invoice) = (Payers::from_seed(unix_now()), invoice(quote).await);
    let mut transactions = Vec::new();
    for (nth, method) in [TransferMethod::Eip3009, TransferMethod::Permit2].into_iter().enumerate() {
        let mut draft = payers.draft(&invoice, nth as u64, 0, unix_now());
        draft.method = method;
        let payment = draft.sign();
        let bought = send(quote, Some(&payment)).await;
        assert!(bought.says(200, ""), "{method:?}: {bought:?}");
        transactions.push(bought.receipt.as_ref().unwrap()["transaction"].clone());
        let again = send(quote, Some(&payment)).await;
        assert!(again.says(200, "") && again.receipt == bought.receipt, "{method:?}: {again:?}");
    }
    transactions
}
