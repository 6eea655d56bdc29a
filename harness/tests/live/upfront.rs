//! Paid upfront, and the tenant fails: the response stays owed, and nobody pays twice for it.

use crate::{
    harness::turn,
    one_payment::{invoice, send, unix_now},
    served::Served,
};
use reports::event::{Event, FacilitatorEndpoint};
use traffic::Payers;

/// The namespace has no more for one tenant: four that run, and a spare.
const PROCESSES: usize = 5;

#[test]
fn a_tenant_that_fails_after_it_was_paid_runs_again_for_the_same_payment() {
    let _turn = turn();
    let served = Served::of("upfront-settle-then-hang");
    let failures = tokio::runtime::Runtime::new().unwrap().block_on(fail_then_collect(&served));

    let events = served.stop();
    let calls = |endpoint| {
        let is = move |event: &&Event| matches!(event, Event::FacilitatorCalled(call) if call.endpoint == endpoint);
        events.iter().filter(is).count()
    };
    let runs = events.iter().filter(|event| matches!(event, Event::TenantRan(_))).count();
    let moved = events.iter().filter(|event| matches!(event, Event::TransferMoved(_))).count();
    let facilitators = (calls(FacilitatorEndpoint::Verify), calls(FacilitatorEndpoint::Settle));
    assert_eq!((facilitators, runs, moved), ((1, 1), failures + 1, 1));
}

/// How often the tenant failed first.
async fn fail_then_collect(served: &Served) -> usize {
    let url = &format!("{}/t/acme/fails-first/one", served.url);
    let payment = &Payers::from_seed(unix_now()).pay(&invoice(url).await, 0, 0, unix_now());
    let first = send(url, Some(payment)).await;
    assert!(first.says(500, ""), "{first:?}");
    let receipt = first.receipt.expect("who was charged gets a receipt");
    assert_eq!(receipt["success"], true);
    // Each process of the tenant fails once, and which one runs next is the namespace's affair.
    for failures in 1..=PROCESSES {
        let answer = send(url, Some(payment)).await;
        assert_eq!(answer.receipt.as_ref(), Some(&receipt), "{answer:?}");
        if answer.says(200, "") {
            let again = send(url, Some(payment)).await;
            assert!(again.says(200, ""), "{again:?}");
            return failures;
        }
        assert!(answer.says(500, ""), "{answer:?}");
    }
    panic!("the tenant failed in each of {PROCESSES} runs more")
}
