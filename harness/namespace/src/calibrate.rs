//! How exact the cut-off is on this machine, and what a burning tenant costs its neighbour: loops that never end under one
//! budget after the other, with a neighbour that is asked without a pause; then loops that take memory as fast as they can.
//!
//! Surprising constraint: both figures are of this machine in this minute, so the load average stands beside them, and the
//! neighbour is measured alone in the same run.

use super::{
    calibration::{Calibration, Hoard, Quantiles, Row},
    exception::Exception,
    headers::{DISPATCH, EXCEPTION},
    stream::{BodyError, empty, send},
    supervisor::Supervisor,
};
use http_body_util::BodyExt;
use hyper::Request;
use serde_json::json;
use std::{net::SocketAddr, path::Path, time::Duration};
use system::clock::{Clock as _, SystemClock};
use tokio::{net::TcpStream, sync::watch, time::sleep};

const BUDGETS_MS: [u32; 4] = [10, 25, 50, 100];
const LOOPS: usize = 25;
/// For the neighbour alone, before each budget's loops.
const ALONE: Duration = Duration::from_secs(2);
/// Between two loops: a burning tenant comes now and then, and its next process is warm by then.
const BETWEEN_LOOPS: Duration = Duration::from_millis(100);

const BURNER: &str = "burner";
const HOARDER: &str = "hoarder";
const NEIGHBOUR: &str = "neighbour";
const SCRIPTS: [(&str, &str); 3] = [
    (BURNER, "export default { fetch() { for (;;); } };\n"),
    (
        HOARDER,
        "const kept = []; export default { fetch() { for (;;) kept.push(new Uint8Array(1 << 22).fill(1)); } };\n",
    ),
    (NEIGHBOUR, "export default { fetch() { return new Response(\"here\"); } };\n"),
];

#[derive(Debug, thiserror::Error)]
#[error("asking the namespace: {0}")]
pub struct CalibrateError(#[from] BodyError);

/// Writes the scripts that a calibration runs into the tenants' folder.
pub fn write_scripts(tenants: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(tenants)?;
    SCRIPTS.iter().try_for_each(|(name, source)| std::fs::write(tenants.join(format!("{name}.mjs")), source))
}

pub async fn calibrate(supervisor: &Supervisor, say: impl Fn(&str)) -> Result<Calibration, CalibrateError> {
    let namespace = supervisor.address();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load_average = load.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
    // Each tenant's processes are warm before anything is measured.
    ask(namespace, NEIGHBOUR, None).await?;
    ask(namespace, BURNER, Some(BUDGETS_MS[0])).await?;
    let mut rows = Vec::new();
    for cpu_ms in BUDGETS_MS {
        say(&format!("{LOOPS} loops of {cpu_ms} ms"));
        rows.push(row(namespace, cpu_ms).await?);
    }
    say(&format!("{LOOPS} loops that take memory"));
    let memory = hoard(supervisor).await?;
    Ok(Calibration { load_average, watcher: supervisor.watcher(), rows, memory })
}

async fn hoard(supervisor: &Supervisor) -> Result<Hoard, CalibrateError> {
    let (mut held, mut walls) = (Vec::new(), Vec::new());
    for _ in 0..LOOPS {
        sleep(BETWEEN_LOOPS).await;
        let asked = ask(supervisor.address(), HOARDER, None).await?;
        walls.push(asked.ms);
        held.extend(asked.thrown.and_then(|exception| exception.memory_mb));
    }
    Ok(Hoard {
        memory_mb: supervisor.memory().mb(),
        loops: LOOPS,
        cut_off: held.len(),
        memory_at_cut_off: Quantiles::of(held),
        wall: Quantiles::of(walls),
    })
}

async fn row(namespace: SocketAddr, cpu_ms: u32) -> Result<Row, CalibrateError> {
    let (stop, stopped) = watch::channel(false);
    let alone = tokio::spawn(hammer(namespace, stopped.clone()));
    sleep(ALONE).await;
    stop.send_replace(true);
    let alone = finished(alone).await;

    stop.send_replace(false);
    let beside = tokio::spawn(hammer(namespace, stopped));
    let (mut used, mut walls) = (Vec::new(), Vec::new());
    for _ in 0..LOOPS {
        sleep(BETWEEN_LOOPS).await;
        let asked = ask(namespace, BURNER, Some(cpu_ms)).await?;
        walls.push(asked.ms);
        used.extend(asked.thrown.and_then(|exception| exception.cpu_ms));
    }
    stop.send_replace(true);
    let beside = finished(beside).await;
    Ok(Row {
        cpu_ms,
        loops: LOOPS,
        cut_off: used.len(),
        cpu_at_cut_off: Quantiles::of(used),
        wall: Quantiles::of(walls),
        neighbour_alone: Quantiles::of(alone.answered_ms),
        neighbour_requests: beside.answered_ms.len() + beside.failures,
        neighbour_failures: beside.failures,
        neighbour_beside: Quantiles::of(beside.answered_ms),
    })
}

#[derive(Debug, Default)]
struct Hammered {
    answered_ms: Vec<f64>,
    failures: usize,
}

/// One request after the other.
async fn hammer(namespace: SocketAddr, stopped: watch::Receiver<bool>) -> Hammered {
    let mut hammered = Hammered::default();
    while !*stopped.borrow() {
        match ask(namespace, NEIGHBOUR, None).await {
            Ok(Asked { thrown: None, status: 200, ms }) => hammered.answered_ms.push(ms),
            Ok(_) | Err(_) => hammered.failures += 1,
        }
    }
    hammered
}

async fn finished(hammer: tokio::task::JoinHandle<Hammered>) -> Hammered {
    match hammer.await {
        Ok(hammered) => hammered,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[derive(Debug)]
struct Asked {
    status: u16,
    thrown: Option<Exception>,
    ms: f64,
}

async fn ask(namespace: SocketAddr, script: &str, cpu_ms: Option<u32>) -> Result<Asked, BodyError> {
    let dispatch = json!({ "script": script, "limits": { "cpuMs": cpu_ms } }).to_string();
    let request = Request::builder().uri("/").header("host", "calibration").header(DISPATCH, dispatch);
    let clock = SystemClock::start();
    let response = send(TcpStream::connect(namespace).await?, request.body(empty())?).await?;
    let (status, is_exception) = (response.status().as_u16(), response.headers().contains_key(EXCEPTION));
    let body = response.into_body().collect().await?.to_bytes();
    #[expect(clippy::cast_precision_loss, reason = "no request takes 285 years")]
    let ms = clock.now_us() as f64 / 1e3;
    let thrown = is_exception.then(|| serde_json::from_slice(&body)).transpose()?;
    Ok(Asked { status, thrown, ms })
}
