//! Ctrl-C and a polite kill. One that comes while nobody waits for it is remembered until somebody does. The second ends the
//! process at once, and the guards end its children; unless whoever heeds it wants to be asked twice.
//!
//! Surprising constraint: the first `Interruption` takes the signals' default action away for good, so where nobody heeds
//! them the process ends at once, and the guards end its children. Who has to end in order holds one until that is done.

use std::{
    io, process,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};
use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use crate::folders;

/// The exit code of a process that was interrupted: 128 and the signal, as a shell has it.
pub const INTERRUPTED: u8 = 130;

/// How often somebody has asked.
type Asked = u32;

/// Set once somebody wants to hear of the second time.
static HEEDS_THE_SECOND: AtomicBool = AtomicBool::new(false);

/// While it lives, the process is left the time to end in order.
#[derive(Clone, Debug)]
pub struct Interruption(Option<watch::Receiver<Asked>>);

impl Interruption {
    #[must_use]
    pub fn heed() -> Self {
        /// `None` where there is no handler, and the default action ends the process.
        static ASKED: OnceLock<Option<watch::Sender<Asked>>> = OnceLock::new();
        Self(ASKED.get_or_init(|| listen().ok()).as_ref().map(watch::Sender::subscribe))
    }

    /// Heeds interrupts like `heed`, and the second one does not end the process either.
    #[must_use]
    pub fn heed_twice() -> Self {
        HEEDS_THE_SECOND.store(true, Ordering::Relaxed);
        Self::heed()
    }

    /// Tells whether somebody has asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.as_ref().is_some_and(|asked| *asked.borrow() > 0)
    }

    /// Until somebody asks, or at once if somebody has.
    pub async fn asked(&mut self) {
        self.asked_so_often(1).await;
    }

    /// Until somebody asks again.
    pub async fn asked_twice(&mut self) {
        self.asked_so_often(2).await;
    }

    async fn asked_so_often(&mut self, often: Asked) {
        let Some(asked) = &mut self.0 else { return std::future::pending().await };
        asked.wait_for(|asked| *asked >= often).await.expect("a static sender stays");
    }
}

/// Tells whether somebody who was heeded has asked, even if nobody heeds it any more.
#[must_use]
pub fn is_interrupted() -> bool {
    Interruption::heed().is_asked()
}

pub async fn interrupted() {
    Interruption::heed().asked().await;
}

/// On a thread of its own: the runtimes of the program come and go.
fn listen() -> io::Result<watch::Sender<Asked>> {
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    let [mut interrupts, mut kills] = {
        let _entered = runtime.enter();
        [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?]
    };
    let asked = watch::Sender::new(0);
    let remembered = asked.clone();
    thread::Builder::new().name("interrupt".to_owned()).spawn(move || {
        runtime.block_on(async {
            loop {
                either(&mut interrupts, &mut kills).await;
                // Counted before they are told: who heeds it may have ended in order right afterwards.
                let often = Asked::saturating_add(*remembered.borrow(), 1);
                let is_heeded =
                    remembered.receiver_count() > 0 && (often == 1 || HEEDS_THE_SECOND.load(Ordering::Relaxed));
                remembered.send_replace(often);
                if !is_heeded {
                    folders::remove_temporary();
                    process::exit(INTERRUPTED.into());
                }
            }
        });
    })?;
    Ok(asked)
}

async fn either(interrupts: &mut Signal, kills: &mut Signal) {
    tokio::select! {
        _ = interrupts.recv() => {}
        _ = kills.recv() => {}
    }
}
