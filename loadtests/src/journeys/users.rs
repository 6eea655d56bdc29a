//! The journeys, as goose walks them. Each request says which statuses are right, since for goose a 402 is a failure, and has its
//! whole body read and timed, since goose stops its clock at the first byte.

use std::time::Duration;

use goose::{
    goose::{GooseMethod, GooseRequest, GooseUser, TransactionError, TransactionResult},
    prelude::{Scenario, Transaction, scenario, transaction},
};
use system::{clock::Clock, http_client};
use traffic::Invoice;
use x402_protocol::header::{PAYMENT_REQUIRED, PAYMENT_RESPONSE, PAYMENT_SIGNATURE};

use super::shared::Shared;

/// How often a purchase whose outcome is open is asked about.
const TRIES: usize = 20;
/// Between two tries: what the dispatcher asks for.
const RETRY_AFTER: Duration = Duration::from_secs(2);
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(250));

/// The address that a user calls from. The local runtime believes it; the platform sets it itself.
const FROM: &str = "cf-connecting-ip";

/// The state that a user keeps between requests.
#[derive(Clone)]
struct Session {
    from: String,
}

struct Answer {
    status: u16,
    offer: Option<String>,
    receipt: bool,
    body: Vec<u8>,
}

/// Every kind of user, by how many of them there are.
pub fn scenarios() -> Result<Vec<Scenario>, goose::GooseError> {
    let kind = |scenario: Scenario, weight, walk: Transaction| {
        let begun = scenario.register_transaction(transaction!(arrive).set_on_start());
        Ok::<_, goose::GooseError>(
            begun.set_weight(weight)?.set_wait_time(PAUSE.0, PAUSE.1)?.register_transaction(walk),
        )
    };
    let mut all = vec![
        kind(scenario!("Browser"), 3, transaction!(browse).set_name("browse"))?,
        kind(scenario!("Attacker"), 1, transaction!(attack).set_name("attack"))?,
    ];
    if Shared::get().may_buy {
        all.push(kind(scenario!("Buyer"), 3, transaction!(buy).set_name("buy"))?);
        all.push(kind(scenario!("Impatient"), 1, transaction!(resend).set_name("resend"))?);
        all.push(kind(scenario!("Collector"), 1, transaction!(collect).set_name("collect"))?);
        all.push(kind(scenario!("Replayer"), 1, transaction!(replay).set_name("replay"))?);
        all.push(kind(scenario!("Burner"), 1, transaction!(burn).set_name("burn"))?);
    }
    Ok(all)
}

async fn arrive(user: &mut GooseUser) -> TransactionResult {
    user.set_session_data(Session { from: Shared::get().next_address().to_string() });
    Ok(user.set_client_builder(http_client::builder()).await?)
}

async fn browse(user: &mut GooseUser) -> TransactionResult {
    for tenant in ["acme", "globex"] {
        let answer = ask(user, "unpaid", tenant, "/quote", None, &[402]).await?;
        hold(answer.offer.is_some(), || format!("a 402 of {tenant} has no offer"));
    }
    ask(user, "pass-through", "open", "/page", None, &[200]).await?;
    walked("browse");
    Ok(())
}

async fn buy(user: &mut GooseUser) -> TransactionResult {
    for tenant in ["acme", "globex"] {
        let payment = sign(user, tenant, "/quote").await?;
        if let Some(payment) = payment {
            purchase(user, "paid", tenant, "/quote", &payment).await?;
        }
    }
    walked("buy");
    Ok(())
}

/// The same payment again, from where it came: the content that was bought, and nothing charged.
async fn resend(user: &mut GooseUser) -> TransactionResult {
    let Some(payment) = sign(user, "acme", "/quote").await? else { return Ok(()) };
    let first = purchase(user, "paid", "acme", "/quote", &payment).await?;
    let again = ask(user, "resent", "acme", "/quote", Some(&payment.header), &[200, 503]).await?;
    if let (Some(first), 200) = (first, again.status) {
        hold(first.body == again.body, || "the same payment got another content".to_owned());
    }
    walked("resend");
    Ok(())
}

/// Hangs up on the purchase, and comes back for it.
async fn collect(user: &mut GooseUser) -> TransactionResult {
    let Some(payment) = sign(user, "acme", "/slow/150").await? else { return Ok(()) };
    let request = builder(user, "acme", "/slow/150", Some(&payment.header))?.timeout(Duration::from_millis(80));
    // It times out here by intention, and goose need not hear of it.
    let _gone = request.send().await;
    purchase(user, "collected", "acme", "/slow/150", &payment).await?;
    walked("collect");
    Ok(())
}

/// A payment that has bought something, for something else.
async fn replay(user: &mut GooseUser) -> TransactionResult {
    let Some(payment) = sign(user, "acme", "/quote").await? else { return Ok(()) };
    if purchase(user, "paid", "acme", "/quote", &payment).await?.is_some() {
        ask(user, "replayed", "acme", "/another", Some(&payment.header), &[409, 503]).await?;
        ask(user, "replayed", "globex", "/quote", Some(&payment.header), &[402, 409, 503]).await?;
    }
    walked("replay");
    Ok(())
}

/// Sends texts that are no payment, and names that are no tenant's.
async fn attack(user: &mut GooseUser) -> TransactionResult {
    for payment in ["%%%", "e30=", "bm90IGpzb24="] {
        ask(user, "malformed", "acme", "/quote", Some(payment), &[400, 402, 429]).await?;
    }
    ask(user, "unknown-tenant", "nobody", "/quote", None, &[404, 429]).await?;
    walked("attack");
    Ok(())
}

/// Pays for more than the plan has: it is cut off, and nobody is charged.
async fn burn(user: &mut GooseUser) -> TransactionResult {
    for path in ["/burn/400", "/subrequests/80"] {
        if let Some(payment) = sign(user, "acme", path).await? {
            let answer = ask(user, "over-limit", "acme", path, Some(&payment.header), &[429, 500, 502, 503]).await?;
            hold(!answer.receipt, || format!("{path} was sold though it is over its limit"));
            Shared::get().books().given_up.push(payment.key);
        }
    }
    walked("burn");
    Ok(())
}

struct Signed {
    key: String,
    header: String,
}

/// Asks for the bill, and signs it.
async fn sign(user: &mut GooseUser, tenant: &'static str, path: &str) -> Result<Option<Signed>, Box<TransactionError>> {
    let shared = Shared::get();
    let answer = ask(user, "unpaid", tenant, path, None, &[402, 429]).await?;
    let Some(invoice) = answer.offer.and_then(|offer| Invoice::read_header(&offer).ok()) else { return Ok(None) };
    let payment = shared.payers.pay(&invoice, shared.next_purchase(), 0, shared.clock.unix_now());
    let header = payment.header.to_str().unwrap_or_default().to_owned();
    Ok(payment.key.map(|key| Signed { key, header }))
}

/// Sends the payment until its outcome is known.
async fn purchase(
    user: &mut GooseUser,
    route: &'static str,
    tenant: &'static str,
    path: &str,
    payment: &Signed,
) -> Result<Option<Answer>, Box<TransactionError>> {
    for _ in 0..TRIES {
        let answer = ask(user, route, tenant, path, Some(&payment.header), &[200, 429, 503]).await?;
        match answer.status {
            200 => {
                hold(answer.receipt, || format!("{tenant} sold without a receipt"));
                Shared::get().books().served.push(payment.key.clone());
                return Ok(Some(answer));
            }
            429 | 503 => tokio::time::sleep(RETRY_AFTER).await,
            _ => break,
        }
    }
    Shared::get().books().given_up.push(payment.key.clone());
    Ok(None)
}

fn builder(
    user: &GooseUser,
    tenant: &str,
    path: &str,
    payment: Option<&str>,
) -> Result<reqwest::RequestBuilder, Box<TransactionError>> {
    let builder = user.get_request_builder(&GooseMethod::Get, &format!("/t/{tenant}{path}"))?;
    let builder = builder.header(FROM, &user.get_session_data_unchecked::<Session>().from);
    Ok(match payment {
        Some(payment) => builder.header(PAYMENT_SIGNATURE, payment),
        None => builder,
    })
}

/// One request. Any other status than these is a failure, to goose as well.
async fn ask(
    user: &mut GooseUser,
    route: &'static str,
    tenant: &'static str,
    path: &str,
    payment: Option<&str>,
    right: &[u16],
) -> Result<Answer, Box<TransactionError>> {
    let shared = Shared::get();
    let (began, phase) = (shared.clock.now_us(), shared.phase());
    let name = format!("{route} {tenant}");
    let builder = builder(user, tenant, path, payment)?;
    // goose knows one right status a request. Where there are several it is told afterwards.
    let request = GooseRequest::builder().set_request_builder(builder).name(name.as_str());
    let request = request.expect_status_code(right[0]).build();
    let mut goose = user.request(request).await?;
    let answer = match goose.response {
        Ok(response) => {
            let status = response.status().as_u16();
            let offer = response.headers().get(PAYMENT_REQUIRED).and_then(|value| value.to_str().ok());
            let (offer, receipt) = (offer.map(str::to_owned), response.headers().contains_key(PAYMENT_RESPONSE));
            let body = response.bytes().await;
            body.map(|body| Answer { status, offer, receipt: receipt && status == 200, body: body.to_vec() })
        }
        Err(error) => Err(error),
    };
    let took = shared.clock.now_us() - began;
    shared.books().record((route, tenant, phase), took);
    match answer {
        Ok(answer) => {
            if !right.contains(&answer.status) {
                shared.books().wrong(format!("{name} {path}: {}", answer.status));
            } else if answer.status != right[0] {
                user.set_success(&mut goose.request)?;
            }
            Ok(answer)
        }
        Err(error) => {
            shared.books().wrong(format!("{name} {path}: {error}"));
            Ok(Answer { status: 0, offer: None, receipt: false, body: Vec::new() })
        }
    }
}

fn hold(holds: bool, otherwise: impl FnOnce() -> String) {
    if !holds {
        Shared::get().books().wrong(otherwise());
    }
}

fn walked(journey: &'static str) {
    *Shared::get().books().walked.entry(journey).or_default() += 1;
}
