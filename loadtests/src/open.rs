//! The open-model driver: requests are due at fixed times, whatever the server does, and each is timed from when it was due to
//! the last byte of its answer. A server that makes callers queue cannot hide it: the wait counts.
//!
//! Surprising constraint: a runtime's timers are a millisecond coarse, which is as much as a whole answer takes. So a thread of its
//! own says when the next one is due.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use harness::bench::load::{Connection, LoadError, Requests, Target, connect, exchange};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use system::clock::{Clock, SystemClock};
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
};

/// Longer than any answer takes; what takes longer counts as this long.
const LONGEST: Duration = Duration::from_secs(600);
/// Three digits: a quantile is at most 0.1 % off.
const DIGITS: u8 = 3;
/// Before a thread sleeps for the last time: what the kernel may be late by.
const WAKE_EARLY: Duration = Duration::from_micros(60);

/// The schedule of requests.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Requests a second, at equal distances.
    pub rate: f64,
    /// More at once wait for a connection, and the wait counts.
    pub connections: usize,
    pub requests: Requests,
}

/// The waits, in microseconds from when each request was due.
#[derive(Debug)]
pub struct Seen {
    pub took: Histogram<u64>,
    pub wrong: usize,
    pub first_wrong: Option<String>,
    /// The longest that a request was sent late by the driver itself.
    pub late: Duration,
    pub elapsed: Duration,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Quantiles {
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
}

/// One that is due: its number, and when.
type Due = (usize, u64);

impl Default for Seen {
    fn default() -> Self {
        Self { took: histogram(), wrong: 0, first_wrong: None, late: Duration::ZERO, elapsed: Duration::ZERO }
    }
}

#[must_use]
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST.as_micros() as u64, DIGITS).expect("the bounds are in order")
}

#[must_use]
pub fn quantiles(took: &Histogram<u64>) -> Option<Quantiles> {
    let at = |share: f64| took.value_at_quantile(share) as f64 / 1_000.0;
    (!took.is_empty()).then(|| Quantiles {
        p50_ms: at(0.5),
        p95_ms: at(0.95),
        p99_ms: at(0.99),
        p999_ms: at(0.999),
        max_ms: took.max() as f64 / 1_000.0,
    })
}

/// Sends it all. Comes back when every answer is there.
pub async fn drive(target: &Target, plan: &Plan) -> Result<Seen, LoadError> {
    let mut connections = Vec::new();
    for _ in 0..plan.connections {
        connections.push(connect(target).await?);
    }
    let (due, received) = mpsc::unbounded_channel();
    let received = Arc::new(Mutex::new(received));
    let clock = Arc::new(SystemClock::start());
    let is_over = Arc::new(AtomicBool::new(false));
    let ticker = {
        let (clock, count, rate, is_over) =
            (Arc::clone(&clock), plan.requests.count(), plan.rate, Arc::clone(&is_over));
        thread::spawn(move || tick(&clock, count, rate, &due, &is_over))
    };
    // A driver that is dropped, as at an interrupt, leaves no thread behind.
    let _over = Over(Arc::clone(&is_over));
    let mut workers = JoinSet::new();
    for connection in connections {
        let (target, requests) = (target.clone(), plan.requests.clone());
        workers.spawn(work(connection, target, requests, Arc::clone(&received), Arc::clone(&clock)));
    }
    let mut seen = Seen::default();
    while let Some(worker) = workers.join_next().await {
        seen.add(worker.expect("a worker never panics and is never aborted")?);
    }
    seen.elapsed = Duration::from_micros(clock.now_us());
    ticker.join().expect("the ticker never panics");
    Ok(seen)
}

struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Seen {
    pub fn add(&mut self, other: Self) {
        self.took.add(other.took).expect("the bounds are the same");
        self.wrong += other.wrong;
        self.first_wrong = self.first_wrong.take().or(other.first_wrong);
        self.late = self.late.max(other.late);
        self.elapsed += other.elapsed;
    }
}

#[expect(clippy::disallowed_methods, reason = "it has a thread of its own, and no runtime that could be blocked")]
fn tick(clock: &SystemClock, count: usize, rate: f64, due: &mpsc::UnboundedSender<Due>, is_over: &AtomicBool) {
    for number in 0..count {
        let at = (number as f64 * 1_000_000.0 / rate) as u64;
        loop {
            let wait = Duration::from_micros(at.saturating_sub(clock.now_us()));
            if wait.is_zero() {
                break;
            }
            thread::sleep(wait.saturating_sub(WAKE_EARLY));
        }
        if is_over.load(Ordering::Relaxed) || due.send((number, at)).is_err() {
            return;
        }
    }
}

async fn work(
    mut connection: Connection,
    target: Target,
    requests: Requests,
    received: Arc<Mutex<mpsc::UnboundedReceiver<Due>>>,
    clock: Arc<SystemClock>,
) -> Result<Seen, LoadError> {
    let mut seen = Seen::default();
    loop {
        let next = received.lock().await.recv().await;
        let Some((number, at)) = next else { return Ok(seen) };
        seen.late = seen.late.max(Duration::from_micros(clock.now_us().saturating_sub(at)));
        match exchange(&mut connection, &target, requests.payment(number)).await {
            Ok((response, body)) => {
                if requests.answer().is_given_by(&response) {
                    seen.took.saturating_record(clock.now_us().saturating_sub(at));
                } else {
                    seen.wrong += 1;
                    let text = String::from_utf8_lossy(&body).into_owned();
                    seen.first_wrong.get_or_insert_with(|| format!("{} {text}", response.status()));
                }
            }
            // The connection is gone, and the next request deserves another.
            Err(error) => {
                seen.wrong += 1;
                seen.first_wrong.get_or_insert_with(|| error.to_string());
                connection = connect(&target).await?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    use hyper::{Uri, header::HeaderValue};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    const PAUSE: Duration = Duration::from_millis(200);

    /// A server on one connection that answers at once, but for its first answer.
    async fn slow_at_first(listener: TcpListener) {
        let (mut stream, _) = listener.accept().await.expect("somebody connects");
        let (mut got, mut seen) = ([0; 4096], Vec::new());
        let mut answered = 0;
        while let Ok(count) = stream.read(&mut got).await {
            if count == 0 {
                return;
            }
            seen.extend_from_slice(&got[..count]);
            while let Some(end) = seen.windows(4).position(|window| window == b"\r\n\r\n") {
                seen.drain(..end + 4);
                if answered == 0 {
                    tokio::time::sleep(PAUSE).await;
                }
                answered += 1;
                let told = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
                told.expect("the driver reads");
            }
        }
    }

    #[tokio::test]
    async fn one_slow_answer_is_the_wait_of_all_that_were_due_meanwhile() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback is there");
        let port = listener.local_addr().expect("it listens").port();
        tokio::spawn(slow_at_first(listener));
        let target = Target { port, host: HeaderValue::from_static("x"), path: Uri::from_static("/") };
        let plan = Plan { rate: 100.0, connections: 1, requests: Requests::Free(40) };
        let seen = drive(&target, &plan).await.expect("the server answers");
        assert_eq!((seen.took.len(), seen.wrong), (40, 0));
        // A closed loop would have one slow answer in 40. Twenty were due while it lasted, and half of them waited for half of it.
        let waited = seen.took.count_between((PAUSE / 2).as_micros() as u64, LONGEST.as_micros() as u64);
        assert!(waited >= 10, "{waited} waited");
    }
}
