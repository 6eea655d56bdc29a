//! A whole dispatcher in memory: two facilitators on one chain, some tenants, a ledger that can crash between any two
//! writes. Nothing waits: every future is ready when it is polled.

use dispatcher_core::{
    Config, Dispatcher,
    answer::{Answer, Body},
    config::Vars,
    directory::Directory,
    paywall::{
        PaidResponse, UnixMillis,
        health::{Board, Monitor, Snapshot},
        ledger::{
            Claim, ClaimReply, Collection, Keeper, Record, SettleReply,
            identifier::{self, Bound, Owner, ScopedIdentifier},
        },
        ports::{
            Clock, FacilitatorAnswer, FacilitatorTransport, HealthLog, HealthStore, HttpRequest, Identifiers, Ledger,
            LedgerError, PaymentLog, RecordStore, TransportError,
        },
        telemetry::{Call, FacilitatorAlert, PaymentEvent, StandingChange},
    },
    plan::Limits,
    platform::{self, IsolateMemory, Platform},
    ports::{CollectError, Dispatch, Inbound, Namespace, Outbound, Randomness, RequestLog},
    protocol::{
        Authorization, Network, Nonce, Offer, Proof, Uint256, Version, header, hex,
        signature::Signer,
        v2::{PaymentPayload, PaymentRequired, SettleResponse},
    },
    quarantine::Warden,
    telemetry::{Alert, RequestLine},
    tenant_failure::TenantFailure,
};
use serde_json::{Value, json};
use sha3::{Digest, Keccak256};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::{Future, pending},
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

/// The host of tenants that are reached by slug.
const SHARED_HOST: &str = "edge.example";
const CHAIN_RPC: &str = "https://chain";
/// The first topics of the token's events.
const AUTHORIZATION_USED: &str = "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5";
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const ONE_TRANSACTION: &str = "0xabababababababababababababababababababababababababababababababab";
const START_S: u64 = 1_800_000_000;
/// Value of the secret `KEY`.
pub const SECRET: &str = "hunter2";
const FACILITATORS: &str = r#"[{"id":"primary","url":"https://primary"},{"id":"standby","url":"https://standby"}]"#;
const PAY_TO: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";

#[derive(Clone, Copy, Debug)]
pub enum Facilitator {
    Honest,
    Dead,
    /// The money moves, and no answer comes.
    SettlesSilently,
    /// The money moves; it says "pending" once, and then this word of refusal, or the outcome.
    SaysPendingThen(Option<&'static str>),
    /// Settles, and answers after so many milliseconds.
    Slow(u64),
    /// Says a reason that is given before anything is sent.
    RefusesToSettle,
    /// The money moves, and it says no with this reason.
    MovesAndSays(&'static str),
    /// Nothing moves, and it says no with this reason.
    KeepsAndSays(&'static str),
    /// The money moves, and the n-th settlement is answered so, the last for good. See [`Said`].
    MovesAndAnswers(&'static [Said]),
    /// The same, and nothing moves.
    KeepsAndAnswers(&'static [Said]),
    Hangs,
    HangsAtSettle,
    /// Answers 401 to whoever does not send [`SECRET`].
    WantsAKey,
    /// Answers 401 to each settlement.
    WantsAKeyToSettle,
    /// Settles, and names the same transaction for every payment.
    ShowsOneTransaction,
    /// Lists another network in `/supported`.
    ServesAnotherNetwork,
    ClaimsAnotherPayer,
    ClaimsNoTransaction,
    /// An exception, and so a 500, for whoever is not the world's own payer: as of a payload that it cannot digest.
    ChokesOnStrangers,
    /// Says no to every `/verify` by this reason.
    SaysNo(&'static str),
    /// Answers every call with this status and body.
    Says(u16, &'static str),
}

/// A status and a body with `$payer`, `$transaction` and `$digits` (the transaction's, without `0x`). No body: the
/// connection breaks.
pub type Said = (u16, Option<&'static str>);

/// The node that settlements are looked up at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Node {
    #[default]
    Honest,
    /// It refuses every question.
    Refuses,
    /// It has not seen what moved.
    Lags,
    /// The same for so many looks at a payment.
    LagsFor(u32),
    /// It knows which nonces are used, and has lost the events that say by what.
    HasNoEvents,
}

#[derive(Clone, Copy, Debug)]
pub enum Tenant {
    Answers(u16),
    /// With these headers.
    Says(u16, &'static [(&'static str, &'static str)]),
    Throws(&'static str),
    Endless,
    /// Never answers.
    Hangs,
    /// Begins to answer, and never comes to an end.
    Trickles,
}

#[derive(Clone, Debug)]
pub struct Run {
    pub limits: Limits,
    pub strip: fn(&str, &str) -> bool,
    pub set: Vec<(String, String)>,
}

/// A signed payment.
pub struct Payment {
    pub header: String,
    json: Value,
    key: String,
}

impl Payment {
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Echoes a price that requires an identifier: an echo may not change what was declared.
    pub fn for_a_price_that_requires_one(mut self) -> Self {
        self.json["extensions"]["payment-identifier"]["info"]["required"] = true.into();
        Self { header: header::encode(&self.json), ..self }
    }

    /// The same authorization as a version 1 client sends it.
    pub fn in_version_1(&self) -> String {
        header::encode(&json!({
            "x402Version": 1,
            "scheme": "exact",
            "network": "base-sepolia",
            "payload": self.json["payload"],
        }))
    }

    pub fn tampered(&self, from: &str, to: &str) -> String {
        let text = self.json.to_string();
        assert!(text.contains(from), "{from} is not in {text}");
        header::encode_text(&text.replace(from, to))
    }

    pub fn with_signature_of(&self, other: &Self) -> String {
        let mut json = self.json.clone();
        json["payload"]["signature"] = other.json["payload"]["signature"].clone();
        header::encode(&json)
    }
}

/// The answer that came back.
pub struct Got {
    pub status: u16,
    headers: Vec<(String, String)>,
    body: String,
    json: Value,
}

impl Got {
    /// Empty where the body is no error.
    pub fn code(&self) -> &str {
        self.json["error"]["code"].as_str().or(self.json["error"].as_str()).unwrap_or_default()
    }

    pub fn text(&self) -> &str {
        &self.body
    }

    pub fn json(&self) -> &Value {
        &self.json
    }

    /// Every value of a header, for what may not be said twice.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let of_name = self.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        of_name.map(|(_, value)| value.as_str()).collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub fn offer(&self) -> Option<Offer> {
        self.header(header::PAYMENT_REQUIRED)?;
        Some(Offer::from_requirements(&self.required().accepts[0]).unwrap())
    }

    pub fn required(&self) -> PaymentRequired {
        let json = header::decode(self.header(header::PAYMENT_REQUIRED).unwrap()).unwrap();
        serde_json::from_str(&json).unwrap()
    }

    pub fn payment_response(&self) -> Option<SettleResponse> {
        self.payment_response_in(Version::V2)
    }

    pub fn payment_response_in(&self, version: Version) -> Option<SettleResponse> {
        let json = header::decode(self.header(version.response_header())?).unwrap();
        Some(serde_json::from_str(&json).unwrap())
    }
}

/// Everything that outlives a request.
#[derive(Default)]
struct State {
    elapsed_ms: Cell<u64>,
    requests: Cell<u64>,
    facilitators: RefCell<BTreeMap<String, Facilitator>>,
    calls: RefCell<Vec<(String, Call)>>,
    /// Payment key to who settled it: the chain.
    chain: RefCell<BTreeMap<String, String>>,
    node: Cell<Node>,
    tenant: Cell<Option<Tenant>>,
    runs: RefCell<Vec<Run>>,
    lines: RefCell<Vec<RequestLine>>,
    alerts: RefCell<Vec<Alert>>,
    records: RefCell<BTreeMap<String, Stored>>,
    /// Scoped identifier to the payment that has it.
    identifiers: RefCell<BTreeMap<String, Owner>>,
    transactions: RefCell<BTreeMap<String, Vec<Owner>>>,
    troubles: RefCell<Vec<String>>,
    /// Writes left until the ledger's process dies.
    writes_left: Cell<Option<u32>>,
    keepers: RefCell<BTreeMap<String, Rc<SimKeeper>>>,
    config: RefCell<Option<Rc<Config>>>,
    health: RefCell<Option<Health>>,
    changes: RefCell<Vec<StandingChange>>,
    facilitator_alerts: RefCell<Vec<FacilitatorAlert>>,
}

/// The isolate's board, and the one monitor behind it.
struct Health {
    board: Rc<Board>,
    monitor: Rc<Monitor<HealthStorage, Ports, Ports, Ports>>,
}

#[derive(Clone, Default)]
struct Stored {
    record: Option<String>,
    body: Vec<u8>,
    alarm: Option<UnixMillis>,
}

#[derive(Clone)]
struct Ports(Rc<State>);

/// The platform that is all in memory.
struct InMemory;

impl Platform for InMemory {
    type Namespace = Ports;
    type Ledger = Ports;
    type Clock = Ports;
    type Randomness = Ports;
    type Log = Ports;
    type Tenants = Rc<Directory>;
}

type SimKeeper = Keeper<Store, Ports, Ports, Ports, Ports>;

pub struct World {
    ports: Ports,
    dispatcher: Dispatcher<InMemory>,
    signer: Signer,
}

impl World {
    pub fn new() -> Self {
        Self::with(FACILITATORS)
    }

    pub fn without_facilitators() -> Self {
        Self::with("[]")
    }

    /// With a node that unknown settlements are looked up at.
    pub fn with_chain() -> Self {
        let facilitators = r#"[{"id":"primary","url":"https://primary"},{"id":"standby","url":"https://standby"}]"#;
        Self::with_secrets(facilitators, &[("CHAIN_RPC_URL", CHAIN_RPC)])
    }

    pub fn with(facilitators: &str) -> Self {
        Self::with_secrets(facilitators, &[("KEY", SECRET)])
    }

    fn with_secrets(facilitators: &str, secrets: &[(&str, &str)]) -> Self {
        let config = config(&directory(), facilitators, secrets);
        let ports = Ports(Rc::default());
        ports.0.config.replace(Some(Rc::clone(&config)));
        ports.0.health.replace(Some(Health::new(&config, &ports)));
        let warden = Rc::new(Warden::new(config.cpu_policy));
        let memory = IsolateMemory { warden, board: Some(ports.board()), ..IsolateMemory::default() };
        let dispatcher = Dispatcher::new(ports.of(&config), memory);
        Self { ports, dispatcher, signer: wallet(OWN_WALLET) }
    }

    /// Sends a payment as whoever reads it off the chain can: from another address, with all that is in it.
    pub fn get_as_a_stranger(&self, target: &str, payment: &Payment) -> Got {
        let headers = [("payment-signature", payment.header.as_str()), ("cf-connecting-ip", "198.51.100.1")];
        self.send_headers("GET", target, &headers)
    }

    /// The header of a wallet that signs this challenge, with some of its members changed.
    pub fn sign_in(&self, challenge: &Value, changes: &[(&str, Value)]) -> String {
        signed_in(&self.signer, challenge, changes)
    }

    /// The same by the wallet with another secret.
    pub fn sign_in_as(&self, secret: u8, challenge: &Value) -> String {
        signed_in(&wallet(secret), challenge, &[])
    }

    /// The payment's money moves for a purchase at another deployment.
    pub fn spend_elsewhere(&self, payment: &Payment) {
        let nonce = payment.json["payload"]["authorization"]["nonce"].as_str().unwrap().to_owned();
        self.ports.0.chain.borrow_mut().insert(nonce, "elsewhere".to_owned());
    }

    /// The ledger's events for whoever runs the deployment.
    pub fn troubles(&self) -> Vec<String> {
        self.ports.0.troubles.borrow().clone()
    }

    /// Every tenant asks this from now on, in atomic units.
    pub fn reprice(&mut self, amount: &str) {
        self.publish(|tenant| {
            if let Some(price) = tenant.get_mut("price") {
                price["amount"] = amount.into();
            }
        });
    }

    /// From now on the directory has only this tenant.
    pub fn only(&mut self, id: &str) {
        let mut directory = directory();
        directory["tenants"].as_array_mut().unwrap().retain(|tenant| tenant["id"] == id);
        self.follow(&directory);
    }

    /// From now on every tenant's record is like this.
    pub fn publish(&mut self, change: impl FnMut(&mut Value)) {
        let mut directory = directory();
        directory["tenants"].as_array_mut().unwrap().iter_mut().for_each(change);
        self.follow(&directory);
    }

    /// From now on requests find no facilitator configured. The ledger goes on as it was.
    pub fn drop_facilitators(&mut self) {
        self.reconfigure(&directory(), "[]");
    }

    fn follow(&mut self, directory: &Value) {
        self.reconfigure(directory, FACILITATORS);
    }

    fn reconfigure(&mut self, directory: &Value, facilitators: &str) {
        let config = config(directory, facilitators, &[]);
        self.dispatcher = Dispatcher::new(self.ports.of(&config), IsolateMemory::default());
    }

    fn state(&self) -> &State {
        &self.ports.0
    }

    pub fn primary(&self, facilitator: Facilitator) {
        self.state().facilitators.borrow_mut().insert("primary".to_owned(), facilitator);
    }

    pub fn standby(&self, facilitator: Facilitator) {
        self.state().facilitators.borrow_mut().insert("standby".to_owned(), facilitator);
    }

    pub fn node(&self, node: Node) {
        self.state().node.set(node);
    }

    pub fn tenant(&self, tenant: Tenant) {
        self.state().tenant.set(Some(tenant));
    }

    pub fn pass_seconds(&self, seconds: u64) {
        let elapsed = &self.state().elapsed_ms;
        elapsed.set(elapsed.get() + seconds * 1000);
    }

    /// The clock is set back, but not to before the world began.
    pub fn set_back_seconds(&self, seconds: u64) {
        let elapsed = &self.state().elapsed_ms;
        elapsed.set(elapsed.get() - seconds * 1000);
    }

    pub fn crash_after_writes(&self, writes: u32) {
        self.state().writes_left.set(Some(writes));
    }

    /// A new process over the stored records.
    pub fn restart(&self) {
        self.state().writes_left.set(None);
        self.state().keepers.borrow_mut().clear();
    }

    /// Rings every alarm that is due.
    pub fn ring(&self) {
        let now = self.ports.now();
        let mut due = Vec::new();
        for (payment, stored) in self.state().records.borrow_mut().iter_mut() {
            if stored.alarm.take_if(|at| *at <= now).is_some() {
                due.push(payment.clone());
            }
        }
        for payment in due {
            ready(self.ports.keeper(&payment).woke()).unwrap();
        }
    }

    /// The stored record of a payment.
    pub fn record(&self, payment: &Payment) -> Value {
        let records = self.state().records.borrow();
        serde_json::from_str(records[&payment.key].record.as_ref().unwrap()).unwrap()
    }

    /// The payments that have an identifier.
    pub fn bound(&self) -> Vec<String> {
        self.state().identifiers.borrow().values().map(|owner| owner.payment.clone()).collect()
    }

    pub fn offer(&self) -> Offer {
        Offer::usdc(Network::BaseSepolia, Uint256::from(10_000), PAY_TO.parse().unwrap(), 300)
    }

    pub fn sign(&self, nonce: u8) -> Payment {
        self.sign_until(nonce, START_S + 300)
    }

    pub fn sign_expired(&self, nonce: u8) -> Payment {
        self.sign_until(nonce, START_S - 1)
    }

    /// A payment that carries an identifier.
    pub fn sign_as(&self, identifier: &str, nonce: u8) -> Payment {
        self.sign_until_as(identifier, nonce, START_S + 300)
    }

    /// Good for a day, whatever the offer says.
    pub fn sign_for_long_as(&self, identifier: &str, nonce: u8) -> Payment {
        self.sign_until_as(identifier, nonce, START_S + 4_000)
    }

    /// Another payer's wallet.
    pub fn wallet(number: u8) -> Signer {
        Signer::from_secret(&[100 + number; 32]).unwrap()
    }

    /// A payment for the tenant that is paid upfront.
    pub fn sign_upfront(&self, nonce: u8) -> Payment {
        self.sign_upfront_by(&self.signer, nonce)
    }

    pub fn sign_upfront_by(&self, signer: &Signer, nonce: u8) -> Payment {
        let mut payment = self.sign_until_by(signer, nonce, START_S + 300);
        payment.json["accepted"]["extra"]["paymentFlow"] = "upfront".into();
        payment.header = header::encode(&payment.json);
        payment
    }

    fn sign_until_as(&self, identifier: &str, nonce: u8, valid_before: u64) -> Payment {
        let mut payment = self.sign_until(nonce, valid_before);
        let info = json!({"required": false, "id": identifier});
        payment.json["extensions"] = json!({"payment-identifier": {"info": info}});
        payment.header = header::encode(&payment.json);
        payment
    }

    /// By another payer than the world's own.
    pub fn sign_by(&self, other: u8, nonce: u8) -> Payment {
        self.sign_until_by(&wallet(other), nonce, START_S + 300)
    }

    fn sign_until(&self, nonce: u8, valid_before: u64) -> Payment {
        self.sign_until_by(&self.signer, nonce, valid_before)
    }

    /// A payment that opens so many seconds after the world began.
    pub fn sign_from(&self, nonce: u8, seconds: u64) -> Payment {
        self.sign_within(&self.signer, nonce, START_S + seconds, START_S + 300)
    }

    fn sign_until_by(&self, signer: &Signer, nonce: u8, valid_before: u64) -> Payment {
        self.sign_within(signer, nonce, 0, valid_before)
    }

    fn sign_within(&self, signer: &Signer, nonce: u8, valid_after: u64, valid_before: u64) -> Payment {
        let offer = self.offer();
        let authorization = Authorization {
            from: signer.address(),
            to: offer.pay_to,
            value: offer.amount,
            valid_after: Uint256::from(valid_after),
            valid_before: Uint256::from(valid_before),
            nonce: Nonce([nonce; 32]),
        };
        let signature = hex::encode(&signer.sign(&authorization.digest(&offer)));
        let json = json!({
            "x402Version": 2,
            "accepted": offer.to_requirements(),
            "payload": {"signature": signature, "authorization": authorization},
        });
        Payment { header: header::encode(&json), json, key: offer.payment_key(&authorization).to_string() }
    }

    pub fn get(&self, target: &str, payment: Option<&Payment>) -> Got {
        self.get_with(target, payment.map(|payment| payment.header.as_str()))
    }

    /// From this address.
    pub fn get_from(&self, address: &str, target: &str, payment: Option<&Payment>) -> Got {
        let payment = payment.map(|payment| (header::PAYMENT_SIGNATURE, payment.header.as_str()));
        let headers = [("cf-connecting-ip", address)].into_iter().chain(payment).collect::<Vec<_>>();
        self.send_headers("GET", target, &headers)
    }

    pub fn get_with(&self, target: &str, payment: Option<&str>) -> Got {
        self.send("GET", target, payment)
    }

    pub fn send(&self, method: &str, target: &str, payment: Option<&str>) -> Got {
        let payment = payment.map(|payment| (header::PAYMENT_SIGNATURE, payment));
        self.send_headers(method, target, payment.as_slice())
    }

    /// A GET at another host than the one that tenants share.
    pub fn at_host(&self, host: &str, target: &str, payment: Option<&Payment>) -> Got {
        let payment = payment.map(|payment| (header::PAYMENT_SIGNATURE, payment.header.as_str()));
        self.request("GET", host, target, payment.as_slice())
    }

    pub fn send_headers(&self, method: &str, target: &str, headers: &[(&'static str, &str)]) -> Got {
        self.request(method, SHARED_HOST, target, headers)
    }

    fn request(&self, method: &str, host: &str, target: &str, headers: &[(&'static str, &str)]) -> Got {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let (method, origin) = (method.to_owned(), format!("https://{host}"));
        let request = SimRequest { method, origin, path: path.to_owned(), query, headers };
        let handled = ready(self.dispatcher.handle(&request));
        if let Some(ticket) = handled.leaving {
            // As in the Worker: a confirmation that gets lost changes nothing for the caller.
            let _ = ready(self.dispatcher.handed_over(&ticket, true));
        }
        self.exchange();
        got(handled.answer)
    }

    /// Does the Worker's errands beside every answer.
    pub fn exchange(&self) {
        let (board, monitor) = {
            let health = self.state().health.borrow();
            let health = health.as_ref().unwrap();
            (Rc::clone(&health.board), Rc::clone(&health.monitor))
        };
        let Some(news) = board.due(self.ports.now()) else { return };
        let (snapshot, jobs) = ready(monitor.exchange(news)).unwrap();
        board.merge(snapshot, self.ports.now());
        for job in jobs {
            ready(monitor.run(job)).unwrap();
        }
    }

    /// Lets the isolate tell what it saw.
    pub fn tell(&self) {
        self.pass_seconds(1);
        self.exchange();
    }

    /// `facilitator call standing`, in order.
    pub fn changes(&self) -> Vec<String> {
        let changes = self.state().changes.borrow();
        changes.iter().map(|change| format!("{} {:?} {}", change.facilitator, change.call, change.to)).collect()
    }

    pub fn transaction(&self, payment: &Payment) -> String {
        transaction(&payment.key)
    }

    pub fn moved(&self) -> usize {
        self.state().chain.borrow().len()
    }

    /// Settlements by facilitator.
    pub fn settled(&self) -> Vec<(&'static str, usize)> {
        let chain = self.state().chain.borrow();
        let by = |name: &'static str| (name, chain.values().filter(|by| *by == name).count());
        [by("primary"), by("standby")].into_iter().filter(|(_, count)| *count > 0).collect()
    }

    pub fn facilitator_calls(&self) -> usize {
        self.state().calls.borrow().len()
    }

    pub fn calls_to(&self, name: &str) -> Vec<Call> {
        let calls = self.state().calls.borrow();
        calls.iter().filter(|(facilitator, _)| facilitator == name).map(|(_, call)| *call).collect()
    }

    pub fn tenant_runs(&self) -> usize {
        self.state().runs.borrow().len()
    }

    pub fn last_run(&self) -> Run {
        self.state().runs.borrow().last().cloned().unwrap()
    }

    pub fn facilitator_alerts(&self) -> Vec<FacilitatorAlert> {
        self.state().facilitator_alerts.borrow().clone()
    }

    pub fn alerts(&self) -> Vec<Alert> {
        self.state().alerts.borrow().clone()
    }

    pub fn last_line(&self) -> RequestLine {
        self.state().lines.borrow().last().cloned().unwrap()
    }
}

/// The world's own payer.
const OWN_WALLET: u8 = 7;

/// The message that a wallet shows and signs (EIP-4361), as a client sends it.
fn signed_in(signer: &Signer, challenge: &Value, changes: &[(&str, Value)]) -> String {
    let mut proof = challenge["info"].clone();
    proof["chainId"] = challenge["supportedChains"][0]["chainId"].clone();
    for (name, value) in changes {
        proof[*name] = value.clone();
    }
    proof["type"] = "eip191".into();
    proof["address"] = signer.address().to_string().into();
    let text = |name: &str| proof[name].as_str().unwrap_or_default().to_owned();
    let mut message =
        format!("{} wants you to sign in with your Ethereum account:\n{}\n\n", text("domain"), text("address"));
    let chain = text("chainId").replace("eip155:", "");
    message += &format!("\nURI: {}\nVersion: 1\nChain ID: {chain}\nNonce: {}", text("uri"), text("nonce"));
    message += &format!("\nIssued At: {}", text("issuedAt"));
    if proof["expirationTime"].is_string() {
        message += &format!("\nExpiration Time: {}", text("expirationTime"));
    }
    message += "\nResources:";
    for resource in proof["resources"].as_array().unwrap() {
        message += &format!("\n- {}", resource.as_str().unwrap());
    }
    let hash = Keccak256::digest(format!("\x19Ethereum Signed Message:\n{}{message}", message.len()));
    proof["signature"] = hex::encode(&signer.sign(&hash.into())).into();
    header::encode(&proof)
}

fn wallet(secret: u8) -> Signer {
    Signer::from_secret(&[secret; 32]).unwrap()
}

fn directory() -> Value {
    let price = json!({"amount": "10000", "network": "eip155:84532", "payTo": PAY_TO});
    let ruled = |rule: &str| {
        let mut price = price.clone();
        price["paymentIdentifier"] = rule.into();
        price
    };
    let mut upfront = price.clone();
    upfront["paymentFlow"] = "upfront".into();
    json!({"tenants": [
        {"id": "acme", "plan": "pro", "slug": "acme", "price": price},
        {"id": "globex", "plan": "business", "slug": "globex", "price": price},
        {"id": "free", "plan": "free", "slug": "free"},
        {"id": "strict", "plan": "pro", "slug": "strict", "price": ruled("required")},
        {"id": "plain", "plan": "pro", "slug": "plain", "price": ruled("off")},
        {"id": "upfront", "plan": "pro", "slug": "upfront", "price": upfront},
    ]})
}

fn config(directory: &Value, facilitators: &str, secrets: &[(&str, &str)]) -> Rc<Config> {
    let vars = Vars {
        environment: Some("test".to_owned()),
        tenant_directory: Some(directory.to_string()),
        facilitators: Some(facilitators.to_owned()),
        cpu_limit_policy: Some("quarantine".to_owned()),
        ..Vars::default()
    };
    let secrets: BTreeMap<_, _> =
        secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Rc::new(Config::from_vars(&vars, &secrets).unwrap())
}

/// Runs a future that never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a simulated port waited"),
    }
}

fn got(answer: Answer<SimResponse>) -> Got {
    let (body, mut headers) = match answer.body {
        Body::Bytes(bytes) => (bytes, Vec::new()),
        Body::Tenant(passed) => {
            let response = passed.into_inner();
            (response.body, response.headers)
        }
    };
    headers.retain(|(name, _)| !answer.strip.contains(name) && answer.set.iter().all(|(other, _)| other != name));
    headers.extend(answer.set);
    let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Got { status: answer.status, headers, body: String::from_utf8(body).unwrap(), json }
}

fn transaction(payment: &str) -> String {
    let nonce = payment.rsplit(':').next().unwrap();
    assert_eq!(nonce.len(), 66);
    nonce.to_owned()
}

pub struct SimRequest {
    method: String,
    origin: String,
    path: String,
    query: Option<String>,
    headers: BTreeMap<&'static str, String>,
}

impl Inbound for SimRequest {
    fn method(&self) -> &str {
        &self.method
    }
    fn origin(&self) -> &str {
        &self.origin
    }
    fn host(&self) -> &str {
        &self.origin["https://".len()..]
    }
    fn path(&self) -> &str {
        &self.path
    }
    fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }
    fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).cloned()
    }

    async fn body(&self, _limit: usize) -> Result<Vec<u8>, CollectError> {
        Ok(Vec::new())
    }
}

#[derive(Debug)]
pub struct SimResponse {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    tenant: Tenant,
}

impl Outbound for SimResponse {
    fn status(&self) -> u16 {
        self.status
    }
    fn headers(&self) -> Vec<(String, String)> {
        self.headers.clone()
    }
    async fn collect(self, _limit: usize) -> Result<Vec<u8>, CollectError> {
        match self.tenant {
            Tenant::Endless => Err(CollectError::TooLarge),
            Tenant::Trickles => pending().await,
            _ => Ok(self.body),
        }
    }
}

impl Namespace for Ports {
    type Inbound = SimRequest;
    type Outbound = SimResponse;

    async fn run(&self, dispatch: Dispatch<'_>, request: &SimRequest) -> Result<SimResponse, TenantFailure> {
        let set = dispatch.set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.0.runs.borrow_mut().push(Run { limits: dispatch.limits, strip: dispatch.strip, set });
        let query = request.query.as_ref().map_or_else(String::new, |query| format!("?{query}"));
        let tenant = self.0.tenant.get().unwrap_or(Tenant::Answers(200));
        let response = |status| SimResponse {
            status,
            headers: vec![("cache-control".to_owned(), "public".to_owned())],
            body: format!("content of {}{query}", dispatch.path).into_bytes(),
            tenant,
        };
        match tenant {
            Tenant::Answers(status) => Ok(response(status)),
            Tenant::Says(status, said) => {
                let headers = said.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
                Ok(SimResponse { headers, ..response(status) })
            }
            Tenant::Endless | Tenant::Trickles => Ok(response(200)),
            Tenant::Hangs => pending().await,
            Tenant::Throws(message) => Err(TenantFailure::from_message(message)),
        }
    }
}

impl FacilitatorTransport for Ports {
    async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        let HttpRequest { url, headers, json, timeout_ms, .. } = request;
        if url == CHAIN_RPC {
            let body = self.0.ask_chain(&serde_json::from_str(json.unwrap()).unwrap()).to_string().into_bytes();
            return Ok(FacilitatorAnswer { status: 200, body });
        }
        let (name, call) = url.strip_prefix("https://").unwrap().split_once('/').unwrap();
        let behaviour = self.0.facilitators.borrow().get(name).copied().unwrap_or(Facilitator::Honest);
        let Some(json) = json else {
            let network =
                if matches!(behaviour, Facilitator::ServesAnotherNetwork) { "eip155:1" } else { "eip155:84532" };
            let kinds = json!({"kinds": [{"x402Version": 2, "scheme": "exact", "network": network}]});
            return Ok(FacilitatorAnswer { status: 200, body: kinds.to_string().into_bytes() });
        };
        let call = if call == "verify" { Call::Verify } else { Call::Settle };
        self.0.calls.borrow_mut().push((name.to_owned(), call));
        if matches!((behaviour, call), (Facilitator::WantsAKeyToSettle, Call::Settle)) {
            return Ok(FacilitatorAnswer { status: 401, body: b"unauthorized".to_vec() });
        }
        if matches!(behaviour, Facilitator::WantsAKey)
            && !headers.iter().any(|header| header.fixed_value() == Some(SECRET))
        {
            return Ok(FacilitatorAnswer { status: 401, body: Vec::new() });
        }
        if matches!((behaviour, call), (Facilitator::Hangs, _) | (Facilitator::HangsAtSettle, Call::Settle)) {
            self.sleep(timeout_ms).await;
            return Err(TransportError::Timeout);
        }
        if matches!(behaviour, Facilitator::Dead) {
            return Err(TransportError::Unreachable);
        }
        if let Facilitator::Says(status, body) = behaviour {
            return Ok(FacilitatorAnswer { status, body: body.as_bytes().to_vec() });
        }
        let request: Value = serde_json::from_str(json).unwrap();
        let authorization = &request["paymentPayload"]["payload"]["authorization"];
        let (payer, nonce) = (authorization["from"].as_str().unwrap(), authorization["nonce"].as_str().unwrap());
        let answer = |body: Value| Ok(FacilitatorAnswer { status: 200, body: body.to_string().into_bytes() });
        if call == Call::Verify && is_signed_by_another(&request) {
            return answer(json!({"isValid": false, "invalidReason": "invalid_exact_evm_signature", "payer": payer}));
        }
        if matches!(behaviour, Facilitator::ChokesOnStrangers) && payer.parse() != Ok(wallet(OWN_WALLET).address()) {
            return Ok(FacilitatorAnswer { status: 500, body: b"TypeError: permit2Authorization is null".to_vec() });
        }
        if let (Facilitator::SaysNo(reason), Call::Verify) = (behaviour, call) {
            return answer(json!({"isValid": false, "invalidReason": reason}));
        }
        // What was spent elsewhere it does not see yet.
        let is_settled =
            self.0.chain.borrow().get(nonce).is_some_and(|by| ["primary", "standby"].contains(&by.as_str()));
        if call == Call::Verify && is_settled {
            let reason = "invalid_exact_evm_nonce_already_used";
            return answer(json!({"isValid": false, "invalidReason": reason, "payer": payer}));
        }
        if call == Call::Verify {
            return answer(json!({"isValid": true, "payer": payer}));
        }
        let failure = |reason: &str| json!({"success": false, "errorReason": reason, "transaction": "", "network": ""});
        if matches!(behaviour, Facilitator::RefusesToSettle) {
            return answer(failure("unsupported_scheme"));
        }
        if let Facilitator::MovesAndSays(reason) = behaviour {
            self.0.chain.borrow_mut().insert(nonce.to_owned(), name.to_owned());
            return answer(failure(reason));
        }
        if let Facilitator::KeepsAndSays(reason) = behaviour {
            return answer(failure(reason));
        }
        if let Facilitator::MovesAndAnswers(said) | Facilitator::KeepsAndAnswers(said) = behaviour {
            if matches!(behaviour, Facilitator::MovesAndAnswers(_)) {
                self.0.chain.borrow_mut().insert(nonce.to_owned(), name.to_owned());
            }
            let settles = |(by, call): &&(String, Call)| by == name && *call == Call::Settle;
            let nth = self.0.calls.borrow().iter().filter(settles).count() - 1;
            let (status, body) = said[nth.min(said.len() - 1)];
            let Some(body) = body else { return Err(TransportError::Unreachable) };
            let body = body.replace("$payer", payer).replace("$transaction", nonce).replace("$digits", &nonce[2..]);
            return Ok(FacilitatorAnswer { status, body: body.into_bytes() });
        }
        let by = self.0.chain.borrow_mut().entry(nonce.to_owned()).or_insert(name.to_owned()).clone();
        if by != name {
            return answer(failure("invalid_exact_evm_nonce_already_used"));
        }
        let settles = |(by, call): &&(String, Call)| by == name && *call == Call::Settle;
        let asked = self.0.calls.borrow().iter().filter(settles).count();
        let (payer, transaction) = match behaviour {
            Facilitator::SaysPendingThen(_) if asked == 1 => return answer(failure("settlement_pending")),
            Facilitator::SaysPendingThen(Some(refusal)) => return answer(failure(refusal)),
            Facilitator::SettlesSilently => return Err(TransportError::Timeout),
            Facilitator::Slow(ms) if ms > timeout_ms => return Err(TransportError::Timeout),
            Facilitator::ClaimsAnotherPayer => (PAY_TO, nonce),
            Facilitator::ClaimsNoTransaction => (payer, ""),
            Facilitator::ShowsOneTransaction => (payer, ONE_TRANSACTION),
            _ => (payer, nonce),
        };
        // In the generation in which it was asked.
        let network = if request["x402Version"] == 1 { "base-sepolia" } else { "eip155:84532" };
        answer(json!({"success": true, "payer": payer, "transaction": transaction, "network": network}))
    }
}

/// Whether a version 2 payment does not recover to its payer. On this chain nobody is a smart account.
fn is_signed_by_another(request: &Value) -> bool {
    let Ok(PaymentPayload { accepted, exact, .. }) = PaymentPayload::parse(&request["paymentPayload"].to_string())
    else {
        return false;
    };
    let offer = Offer::from_requirements(&accepted).unwrap();
    exact.signature.proof(exact.transfer.from(), &exact.transfer.digest(&offer)) == Proof::Unproven
}

impl Clock for Ports {
    fn now(&self) -> UnixMillis {
        UnixMillis(START_S * 1000 + self.0.elapsed_ms.get())
    }
    async fn sleep(&self, millis: u64) {
        self.0.elapsed_ms.set(self.0.elapsed_ms.get() + millis);
    }
}

impl Randomness for Ports {
    fn request_id(&self) -> String {
        self.0.requests.set(self.0.requests.get() + 1);
        format!("request-{}", self.0.requests.get())
    }
    fn seed(&self) -> u64 {
        7
    }
}

impl RequestLog for Ports {
    fn record(&self, line: &RequestLine) {
        self.0.lines.borrow_mut().push(line.clone());
    }
    fn alert(&self, alert: &Alert) {
        self.0.alerts.borrow_mut().push(alert.clone());
    }
}

impl HealthLog for Ports {
    fn record(&self, change: &StandingChange) {
        self.0.changes.borrow_mut().push(change.clone());
    }
    fn alert(&self, alert: &FacilitatorAlert) {
        self.0.facilitator_alerts.borrow_mut().push(alert.clone());
    }
}

impl PaymentLog for Ports {
    fn record(&self, _event: &PaymentEvent<'_>) {}
    fn trouble(&self, payment: &str, why: &str) {
        self.0.troubles.borrow_mut().push(format!("{payment}: {why}"));
    }
    fn stuck(&self, payment: &str, error: &LedgerError) {
        self.0.troubles.borrow_mut().push(format!("{payment} is stuck: {error}"));
    }
}

impl Ports {
    /// The adapters of a dispatcher with the tenants that a configuration lists.
    fn of(&self, config: &Config) -> platform::Ports<InMemory> {
        let [namespace, ledger, clock, randomness, log] = [(); 5].map(|()| self.clone());
        platform::Ports { namespace, ledger, clock, randomness, log, tenants: Rc::clone(&config.directory) }
    }

    fn board(&self) -> Rc<Board> {
        Rc::clone(&self.0.health.borrow().as_ref().unwrap().board)
    }

    fn keeper(&self, payment: &str) -> Rc<SimKeeper> {
        let facilitators = self.0.config.borrow().as_ref().unwrap().facilitators.clone();
        let store = Store { ports: self.clone(), payment: payment.to_owned() };
        let board = self.board();
        let ports = || self.clone();
        let chain = self.0.config.borrow().as_ref().unwrap().chain.clone();
        let keeper =
            || Rc::new(Keeper::new(store, ports(), ports(), ports(), ports(), facilitators, board).with_chain(chain));
        self.0.keepers.borrow_mut().entry(payment.to_owned()).or_insert_with(keeper).clone()
    }
}

impl State {
    /// A node of the chain: a transfer stands in the transaction that has its nonce for a hash.
    fn ask_chain(&self, question: &Value) -> Value {
        if self.node.get() == Node::Refuses {
            return json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32_005, "message": "limit exceeded"}});
        }
        let data = question["params"][0]["data"].as_str().unwrap_or_default();
        let nonce = question["params"][0]["topics"][2].as_str().or(question["params"][0].as_str()).map(str::to_owned);
        let nonce = nonce.unwrap_or_else(|| format!("0x{}", &data[data.len().saturating_sub(64)..]));
        let sees = match self.node.get() {
            Node::Honest | Node::Refuses | Node::HasNoEvents | Node::LagsFor(0) => true,
            Node::Lags => false,
            Node::LagsFor(looks) => {
                if question["method"] == "eth_call" {
                    self.node.set(Node::LagsFor(looks - 1));
                }
                false
            }
        };
        let used = self.chain.borrow().contains_key(&nonce) && sees;
        let from = Signer::from_secret(&[7; 32]).unwrap().address().lower();
        let word = |address: &str| format!("0x{:0>64}", &address.to_ascii_lowercase()[2..]);
        let token = Network::BaseSepolia.usdc().address;
        let used_event = json!({
            "address": token, "transactionHash": nonce,
            "topics": [AUTHORIZATION_USED, word(&from), nonce],
        });
        let transfer = json!({
            "address": token, "data": format!("0x{:064x}", 10_000),
            "topics": [TRANSFER, word(&from), word(PAY_TO)],
        });
        let result = match question["method"].as_str().unwrap() {
            "eth_chainId" => json!(format!("{:#x}", Network::BaseSepolia.chain_id())),
            // The payer's balance: none.
            "eth_call" if data.starts_with("0x70a08231") => json!(format!("0x{:064x}", 0)),
            "eth_call" => json!(format!("0x{:064x}", u8::from(used))),
            "eth_getBlockByNumber" => {
                json!({"number": "0x10", "timestamp": format!("{:#x}", START_S + self.elapsed_ms.get() / 1000)})
            }
            "eth_blockNumber" => json!("0x10"),
            "eth_getLogs" if self.node.get() == Node::HasNoEvents => json!([]),
            "eth_getLogs" => json!([used_event]),
            _ => json!({"transactionHash": nonce, "status": "0x1", "logs": [used_event, transfer]}),
        };
        json!({"jsonrpc": "2.0", "id": 1, "result": result})
    }

    /// Takes one of the writes that are left.
    fn write(&self) -> Result<(), LedgerError> {
        match self.writes_left.get() {
            Some(0) => Err(LedgerError("the process died".to_owned())),
            Some(writes) => {
                self.writes_left.set(Some(writes - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Identifiers for Ports {
    async fn bind(&self, identifier: &ScopedIdentifier, owner: &Owner) -> Result<Bound, LedgerError> {
        self.0.write()?;
        let mut owners = self.0.identifiers.borrow_mut();
        let (owner, bound) = identifier::bind(owners.remove(&identifier.to_string()), owner.clone());
        owners.insert(identifier.to_string(), owner);
        Ok(bound)
    }
    async fn unbind(&self, identifier: &ScopedIdentifier, owner: &Owner) -> Result<(), LedgerError> {
        self.0.write()?;
        let mut owners = self.0.identifiers.borrow_mut();
        if let Some(owner) = identifier::unbind(owners.remove(&identifier.to_string()), owner) {
            owners.insert(identifier.to_string(), owner);
        }
        Ok(())
    }
    async fn bind_transaction(&self, transaction: &str, owner: &Owner) -> Result<Bound, LedgerError> {
        self.0.write()?;
        let mut transactions = self.0.transactions.borrow_mut();
        Ok(identifier::bind_transaction(transactions.entry(transaction.to_owned()).or_default(), owner))
    }
    async fn transaction_of(&self, payment: &str) -> Result<Option<String>, LedgerError> {
        let record = self.keeper(payment).record().await?;
        Ok(record.and_then(|record| record.state.transaction().map(str::to_owned)))
    }
}

impl Ledger for Ports {
    async fn claim(&self, claim: Claim, holder: &str) -> Result<ClaimReply, LedgerError> {
        self.keeper(&claim.payment.clone()).claim(claim, holder).await
    }
    async fn collect(&self, collection: Collection, holder: &str) -> Result<ClaimReply, LedgerError> {
        self.keeper(&collection.payment.clone()).collect(collection, holder).await
    }
    async fn settle(&self, payment: &str, holder: &str, response: &PaidResponse) -> Result<SettleReply, LedgerError> {
        self.keeper(payment).settle(holder, response).await
    }
    async fn release(&self, payment: &str, holder: &str) -> Result<(), LedgerError> {
        self.keeper(payment).release(holder).await
    }
    async fn handed_over(&self, payment: &str, holder: &str, delivered: bool) -> Result<(), LedgerError> {
        self.keeper(payment).handed_over(holder, delivered).await
    }
}

/// One payment's storage. A crash is a write that never happens, and every one after it.
struct Store {
    ports: Ports,
    payment: String,
}

impl Store {
    fn write(&self, change: impl FnOnce(&mut Stored)) -> Result<(), LedgerError> {
        self.ports.0.write()?;
        change(self.ports.0.records.borrow_mut().entry(self.payment.clone()).or_default());
        Ok(())
    }

    fn stored(&self) -> Stored {
        self.ports.0.records.borrow().get(&self.payment).cloned().unwrap_or_default()
    }
}

impl RecordStore for Store {
    async fn load(&self) -> Result<Option<Record>, LedgerError> {
        Ok(self.stored().record.map(|text| serde_json::from_str(&text).unwrap()))
    }
    async fn save(&self, record: &Record, body: Option<&[u8]>) -> Result<(), LedgerError> {
        self.write(|stored| {
            stored.record = Some(serde_json::to_string(record).unwrap());
            if let Some(body) = body {
                stored.body = body.to_vec();
            }
        })
    }
    async fn body(&self) -> Result<Vec<u8>, LedgerError> {
        Ok(self.stored().body)
    }
    async fn drop_body(&self) -> Result<(), LedgerError> {
        self.write(|stored| stored.body.clear())
    }
    async fn wake_at(&self, at: UnixMillis) -> Result<(), LedgerError> {
        self.write(|stored| stored.alarm = Some(at))
    }
    async fn forget(&self) -> Result<(), LedgerError> {
        self.write(|stored| *stored = Stored::default())
    }
}

impl Health {
    fn new(config: &Config, ports: &Ports) -> Self {
        let facilitators = config.facilitators.clone();
        let board = Rc::new(Board::new(&facilitators, ports.seed()));
        let (log, clock, transport) = (ports.clone(), ports.clone(), ports.clone());
        let monitor = Monitor::new(HealthStorage::default(), transport, clock, log, facilitators, ports.seed());
        Self { board, monitor: Rc::new(monitor) }
    }
}

#[derive(Default)]
struct HealthStorage(RefCell<Option<Snapshot>>);

impl HealthStore for HealthStorage {
    async fn load(&self) -> Result<Option<Snapshot>, LedgerError> {
        Ok(self.0.borrow().clone())
    }
    async fn save(&self, snapshot: &Snapshot) -> Result<(), LedgerError> {
        self.0.replace(Some(snapshot.clone()));
        Ok(())
    }
    async fn wake_at(&self, _at: UnixMillis) -> Result<(), LedgerError> {
        Ok(())
    }
}
