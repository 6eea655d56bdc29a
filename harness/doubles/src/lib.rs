//! Facilitator doubles: real HTTP servers on loopback that do what an honest x402 facilitator does, and misbehave on
//! script.
//!
//! A double is two halves. wiremock serves whole answers, healthy or not ([`answers`]); in front stands our own acceptor,
//! which decides the fault of each request and takes over the socket where wiremock cannot be trusted with it
//! ([`connection`]). All doubles of a run settle on one [`Chain`], which is the truth for the judges.
//!
//! What decides is apart from the sockets and can be used without them: [`Script`] (which fault), [`Inject::reply`] (which
//! answer), [`honest`] (what is true).

mod acceptor;
mod answers;
mod ask;
mod call;
mod caller;
mod chain;
mod connection;
mod exchange;
pub mod fault;
pub mod honest;
mod http1;
mod judgement;
pub mod node;
pub mod node_kind;
mod official;
mod origin;
mod origin_error;
pub mod pick;
mod pipe;
mod piped;
mod read_error;
mod reason;
mod repeat;
mod repeats;
mod reply;
mod request;
mod script;
mod signers;
mod token;
mod wants;

#[cfg(test)]
mod testing;

pub use ask::Ask;
pub use call::Call;
pub use chain::{AMPLE_BALANCE, Chain, Settled, Settlement};
pub use fault::{Inject, Money, RawInject};
pub use node::NodeDouble;
pub use node_kind::Node;
pub use official::PaperChain;
pub use origin_error::OriginError;
pub use pick::{Odds, Pick};
pub use pipe::PipeEnd;
pub use piped::PipedDouble;
pub use repeat::Repeat;
pub use repeats::Repeats;
pub use reply::Reply;
pub use request::FacilitatorRequest;
pub use script::{Admitted, FaultSpec, Refusal, Script, Switched};
pub use signers::Signers;
pub use token::{TOKEN_KEY_ID, TokenAlgorithm, TokenDesk, sign_with};
pub use wants::Wants;

use answers::{Answers, Desks};
use connection::Double;
use journal::Journal;
use origin::HonestPart;
use std::{io, net::SocketAddr, sync::Arc};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

/// How a double differs from one that serves everybody everything.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// The credential without which it answers 401.
    pub wants: Wants,
    /// The one network it lists in `/supported`, in place of all that it serves.
    pub lists_only: Option<&'static str>,
    /// How it answers a settlement that it has made before.
    pub repeats: Repeat,
    /// The port on loopback; any free one where absent.
    pub port: Option<u16>,
}

/// A running double. Stop it with [`FacilitatorDouble::stop`]: dropping it ends it without waiting for its records.
pub struct FacilitatorDouble {
    address: SocketAddr,
    script: Arc<Script>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<io::Result<()>>,
    /// Closes when the double ends, however it does.
    alive: watch::Receiver<()>,
}

impl FacilitatorDouble {
    /// Starts on loopback. When this returns, the double answers (or refuses, if the script says so).
    pub async fn start(
        name: String,
        terms: Terms,
        chain: Arc<Chain>,
        faults: Vec<FaultSpec>,
        journal: Journal,
    ) -> io::Result<Self> {
        let (name, script): (Arc<str>, _) = (name.into(), Arc::new(Script::new(faults)));
        let desks = Desks::new(&name, &terms, &chain, &script, journal.clock());
        let answers = Answers::serve(desks).await;
        // A proxy named by the environment must not come between the two halves.
        let client = system::http_client::builder().build().map_err(io::Error::other)?;
        let origin = HonestPart::Served { client, answers };
        let signers = Arc::clone(chain.signers());
        let double = Double { name, wants: terms.wants, script, origin, signers, journal };
        Self::open(double, terms.port).await
    }

    /// Starts in front of the official library, whose answers it passes on as they are: it only records.
    pub async fn in_front_of(name: String, terms: Terms, chain: PaperChain, journal: Journal) -> io::Result<Self> {
        let (name, script): (Arc<str>, _) = (name.into(), Arc::new(Script::new(Vec::new())));
        let (origin, signers) = (HonestPart::Official(chain), Arc::default());
        let double = Double { name, wants: terms.wants, script, origin, signers, journal };
        Self::open(double, terms.port).await
    }

    async fn open(double: Double, port: Option<u16>) -> io::Result<Self> {
        let double = Arc::new(double);
        let script = Arc::clone(&double.script);
        let (address, door) = acceptor::bind(&double, port.unwrap_or_default()).await?;
        let (stop, stopped) = oneshot::channel();
        let (living, alive) = watch::channel(());
        let running = tokio::spawn(async move {
            let _living = living;
            acceptor::run(double, address, door, stopped).await
        });
        Ok(Self { address, script, stop, running, alive })
    }

    /// Without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The script of its calls, for whoever switches faults while it runs.
    #[must_use]
    pub fn script(&self) -> Arc<Script> {
        Arc::clone(&self.script)
    }

    /// Comes back when the double has ended, by itself or because it was stopped.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut alive = self.alive.clone();
        async move { while alive.changed().await.is_ok() {} }
    }

    /// Resets what is in flight. When this returns, every call has been recorded.
    pub async fn stop(self) -> io::Result<()> {
        // An acceptor that has ended already says why below.
        let _ = self.stop.send(());
        self.running.await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Terms, Wants,
        testing::{Bench, Payer},
    };
    use reports::event::FacilitatorAnswer;
    use serde_json::Value;

    #[tokio::test]
    async fn a_double_that_wants_a_key_answers_nobody_without_it() {
        let bench = Bench::new();
        let terms =
            Terms { wants: Wants::Key("open sesame".to_owned()), lists_only: Some("eip155:1"), ..Terms::default() };
        let double = bench.double_with(terms, vec![]).await;
        assert_eq!(bench.post(&double, "/settle", 1).await.unwrap().0, 401);
        assert!(!bench.has_paid());
        let with = |key: &str| bench.client.get(format!("{}/supported", double.url())).header("x-api-key", key).send();
        assert_eq!(with("open").await.unwrap().status(), 401);
        let listed: Value = serde_json::from_str(&with("open sesame").await.unwrap().text().await.unwrap()).unwrap();
        assert_eq!(
            (listed["kinds"].as_array().unwrap().len(), &listed["kinds"][0]["network"]),
            (1, &"eip155:1".into())
        );
        let (calls, _) = bench.stop(double).await;
        assert!(matches!(calls[0].answer, FacilitatorAnswer::Sent { status: 401, .. }));
    }

    #[tokio::test]
    async fn whoever_wants_to_know_of_a_doubles_end_is_told() {
        let bench = Bench::new();
        let double = bench.double(vec![]).await;
        let ended = tokio::spawn(double.ended());
        bench.stop(double).await;
        ended.await.unwrap();

        // As a bug of ours would end it.
        let bench = Bench::new();
        let double = bench.double(vec![]).await;
        let ended = double.ended();
        double.running.abort();
        ended.await;
    }

    #[tokio::test]
    async fn the_honest_double_verifies_settles_and_says_what_it_supports() {
        let bench = Bench::new();
        let double = bench.double(vec![]).await;
        let supported = bench.client.get(format!("{}/supported", double.url())).send().await.unwrap();
        let supported: Value = serde_json::from_str(&supported.text().await.unwrap()).unwrap();
        assert_eq!(supported["kinds"][0]["scheme"], "exact");
        assert_eq!(bench.post(&double, "/verify", 1).await.unwrap().1["isValid"], true);
        let first = bench.post(&double, "/settle", 1).await.unwrap();
        assert_eq!((first.0, &first.1["success"]), (200, &Value::Bool(true)));
        assert_eq!(bench.post(&double, "/settle", 1).await.unwrap(), first, "a repeat gets the earlier answer");
        let forged = Payer::new(1).body(2).replace("\"value\":\"10000\"", "\"value\":\"10001\"");
        assert_eq!(bench.post_body(&double, "/verify", forged).await.unwrap().1["isValid"], false);

        let (calls, transfers) = bench.stop(double).await;
        assert_eq!(transfers, 1);
        let nths: Vec<_> = calls.iter().map(|call| (call.endpoint as usize, call.nth)).collect();
        assert_eq!(nths, [(2, 1), (0, 1), (1, 1), (1, 2), (0, 2)]);
        assert_eq!(calls[2].payload_hash, calls[3].payload_hash);
        assert_ne!(calls[2].payload_hash, calls[4].payload_hash);
        assert!(calls[2].payment.as_ref().unwrap().ends_with(&"01".repeat(32)));
        let FacilitatorAnswer::Sent { status: 200, ok: Some(true), transaction: Some(transaction), .. } =
            &calls[2].answer
        else {
            panic!("{:?}", calls[2].answer)
        };
        assert_eq!(first.1["transaction"], **transaction);
        assert!(calls.iter().all(|call| call.received_us <= call.ended_us && call.fault.is_none()));
    }
}
