//! `402claw call`: buys one answer, and never the same one twice.

use crate::{
    args::CallArgs,
    bill::{Bill, Payment},
    buyer::{Came, Stand, judge},
    clock,
    exit::Exit,
    failure::Failure,
    home::Home,
    http,
    money::Usdc,
    output::{self, Format, err, out},
    wallet,
};
use reqwest::{Client, Method, StatusCode, Url, header::HeaderMap};
use serde_json::{Value, json};
use sha3::{Digest, Keccak256};
use std::time::Duration;
use x402_protocol::hex;

const TIMEOUT: Duration = Duration::from_secs(60);

/// The outcome, for a person or a program.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub status: Option<u16>,
    pub request_id: Option<String>,
    pub price: Option<Usdc>,
    pub payment: Option<String>,
    pub transaction: Option<String>,
    pub stand: String,
    pub tries: u32,
    pub body: Vec<u8>,
}

struct Purchase<'a> {
    client: Client,
    home: &'a Home,
    args: &'a CallArgs,
    url: Url,
    /// The file that has the payment while its outcome is open.
    pending: String,
}

pub fn call(args: &CallArgs, home: &Home, format: Format) -> Result<Exit, Failure> {
    let (exit, outcome) = http::runtime()?.block_on(buy(args, home))?;
    print(&outcome, format);
    Ok(exit)
}

/// Buys, and says how it came out.
pub async fn buy(args: &CallArgs, home: &Home) -> Result<(Exit, Outcome), Failure> {
    let url: Url =
        args.url.parse().map_err(|error| Failure::new(Exit::Usage, format!("{:?} is no URL: {error}", args.url)))?;
    let is_local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && is_local) {
        let what = "a payment goes over https only; http is for this machine";
        return Err(Failure::new(Exit::Usage, what).help("write https://"));
    }
    let name = Keccak256::digest(format!("GET {url}"));
    let pending = format!("pending/{}.json", &hex::encode(&name)[2..34]);
    let client = http::client(TIMEOUT)?;
    Purchase { client, home, args, url, pending }.run().await
}

impl Purchase<'_> {
    async fn run(&self) -> Result<(Exit, Outcome), Failure> {
        let mut outcome = Outcome::default();
        let kept = self.kept()?;
        // What was kept was sent, and nobody knows what became of it.
        let was_open = kept.is_some();
        let payment = match kept {
            Some(kept) => {
                err("an earlier call for this left its outcome open: the same payment is sent again");
                kept
            }
            None => {
                let (came, headers) = self.send(None, &mut outcome).await;
                match came.status {
                    None => {
                        return Err(Failure::new(Exit::Failed, format!("{} does not answer", self.url))
                            .help("nothing was signed; check the address and the network"));
                    }
                    Some(402) => {}
                    Some(status) => {
                        outcome.body = came.body;
                        let free = (200..300).contains(&status);
                        outcome.stand = if free { "free" } else { "not sold" }.to_owned();
                        return Ok((if free { Exit::Done } else { Exit::Refused }, outcome));
                    }
                }
                let bill = headers.get("payment-required").and_then(|value| value.to_str().ok());
                let network = self.home.environment.network();
                let bill = Bill::read(bill, network)
                    .map_err(|error| Failure::new(Exit::Refused, format!("{error}; nothing was signed")))?;
                outcome.price = Some(bill.price);
                if bill.price > self.args.max_price {
                    let what =
                        format!("the price is {} USDC, and at most {} may be paid", bill.price, self.args.max_price);
                    return Err(
                        Failure::new(Exit::TooDear, what).help(format!("--max-price {} would pay it", bill.price))
                    );
                }
                let signer = wallet::buyer(self.home)?;
                let (nonce, identifier) = (wallet::random()?, hex::encode(&wallet::random()?[..16]));
                let payment =
                    bill.sign(&signer, nonce, &format!("call_{}", &identifier[2..]), clock::unix_ms() / 1_000);
                // Before it is sent, so that no crash makes a second one.
                self.keep(&payment)?;
                payment
            }
        };
        outcome.payment = Some(payment.key.clone());
        self.collect(&payment, was_open, outcome).await
    }

    /// Sends the payment until its outcome is known, or the time is over.
    async fn collect(
        &self,
        payment: &Payment,
        mut was_open: bool,
        mut outcome: Outcome,
    ) -> Result<(Exit, Outcome), Failure> {
        let until = clock::unix_ms() + self.args.retry_for * 1_000;
        loop {
            let (came, _) = self.send(Some(payment), &mut outcome).await;
            let stand = judge(&came);
            outcome.body = came.body;
            let (exit, is_over) = match stand {
                Stand::Bought { transaction } => {
                    outcome.transaction = Some(transaction);
                    outcome.stand = "bought".to_owned();
                    (Exit::Done, true)
                }
                Stand::WithoutReceipt => {
                    outcome.stand = "served without a receipt".to_owned();
                    (Exit::Done, true)
                }
                Stand::Spent { transaction } => {
                    outcome.transaction = Some(transaction);
                    outcome.stand = "charged before, and not handed out again".to_owned();
                    (Exit::Refused, true)
                }
                Stand::Refused { why } => {
                    // After an open answer a no is believed no more until the payment has expired.
                    let expired = clock::unix_ms() / 1_000 > payment.valid_before;
                    outcome.stand = format!("refused: {why}");
                    if was_open && !expired { (Exit::Unknown, false) } else { (Exit::Refused, true) }
                }
                Stand::Open { why, wait, may_have_moved } => {
                    was_open |= may_have_moved;
                    outcome.stand = format!("open: {why}");
                    if clock::unix_ms() + wait * 1_000 <= until {
                        err(&format!("{why}; the same payment goes again in {wait} s"));
                        tokio::time::sleep(Duration::from_secs(wait)).await;
                        continue;
                    }
                    (if was_open { Exit::Unknown } else { Exit::RetriesOver }, !was_open)
                }
            };
            if is_over {
                self.forget()?;
            }
            return Ok((exit, outcome));
        }
    }

    async fn send(&self, payment: Option<&Payment>, outcome: &mut Outcome) -> (Came, HeaderMap) {
        let mut request = self.client.request(Method::GET, self.url.clone());
        if let Some(accept) = &self.args.accept {
            request = request.header("accept", accept);
        }
        if let Some(payment) = payment {
            outcome.tries += 1;
            request = request.header("payment-signature", &payment.header);
        }
        let Ok(response) = request.send().await else { return (Came::default(), HeaderMap::new()) };
        let (status, headers) = (response.status(), response.headers().clone());
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        outcome.request_id = text("x-request-id");
        outcome.status = Some(status.as_u16());
        let came = match http::body(response).await {
            // A redirect is followed by nobody here, so its payment has gone nowhere else.
            Some(body) => Came {
                status: Some(status.as_u16()).filter(|_| status != StatusCode::REQUEST_TIMEOUT),
                receipt: text("payment-response"),
                retry_after: text("retry-after").and_then(|seconds| seconds.parse().ok()),
                body,
            },
            None => Came::default(),
        };
        (came, headers)
    }

    fn kept(&self) -> Result<Option<Payment>, Failure> {
        let Some(text) = self.home.read(&self.pending)? else { return Ok(None) };
        let kept: Value = serde_json::from_str(&text).unwrap_or_default();
        let word = |name: &str| kept[name].as_str().map(str::to_owned);
        match (word("header"), word("key"), kept["validBefore"].as_u64()) {
            (Some(header), Some(key), Some(valid_before)) => Ok(Some(Payment { header, key, valid_before })),
            _ => Err(Failure::invalid(format!("{} cannot be read", self.home.path(&self.pending).display()))
                .help("it has a payment whose outcome is open; look before you take it away")),
        }
    }

    fn keep(&self, payment: &Payment) -> Result<(), Failure> {
        let Payment { header, key, valid_before } = payment;
        let kept = json!({"url": self.url.as_str(), "header": header, "key": key, "validBefore": valid_before});
        self.home.write_secret(&self.pending, kept.to_string().as_bytes())
    }

    fn forget(&self) -> Result<(), Failure> {
        let path = self.home.path(&self.pending);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Failure::file("taking away", &path, &error))
            }
            _ => Ok(()),
        }
    }
}

pub fn print(outcome: &Outcome, format: Format) {
    let body = String::from_utf8_lossy(&outcome.body);
    let Outcome { status, request_id, price, payment, transaction, stand, tries, .. } = outcome;
    match format {
        Format::Json => {
            let body = serde_json::from_slice(&outcome.body).unwrap_or_else(|_| json!(body));
            let price = price.map(|price| price.to_string());
            let told = json!({
                "outcome": stand, "status": status, "requestId": request_id, "price": price, "payment": payment,
                "transaction": transaction, "tries": tries, "body": body,
            });
            out(&told.to_string());
        }
        Format::Text => {
            let line = |name: &str, value: &Option<String>| {
                if let Some(value) = value {
                    err(&format!("{name:<12}{}", output::plain(value)));
                }
            };
            line("outcome", &Some(stand.clone()));
            line("status", &status.map(|status| status.to_string()));
            line("price", &price.map(|price| format!("{price} USDC")));
            line("request id", request_id);
            line("payment", payment);
            line("receipt", transaction);
            out(&output::lines(&body));
        }
    }
}
