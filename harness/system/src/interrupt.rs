//! Ctrl-C and a polite kill. One that comes while nobody waits for it is remembered until somebody does.
//!
//! Surprising constraint: the first `Interruption` takes the signals' default action away for good, so where nobody heeds
//! them the process ends at once, and the guards end its children. Who has to end in order holds one until that is done.

use std::{io, process, sync::OnceLock, thread};
use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

/// What a process that was interrupted ends with: 128 and the signal, as a shell has it.
pub const INTERRUPTED: u8 = 130;

/// While it lives, the process is left the time to end in order.
#[derive(Clone, Debug)]
pub struct Interruption(Option<watch::Receiver<bool>>);

impl Interruption {
    #[must_use]
    pub fn heed() -> Self {
        /// `None` where there is no handler, and the default action ends the process.
        static ASKED: OnceLock<Option<watch::Sender<bool>>> = OnceLock::new();
        Self(ASKED.get_or_init(|| listen().ok()).as_ref().map(watch::Sender::subscribe))
    }

    /// Tells whether somebody has asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.as_ref().is_some_and(|asked| *asked.borrow())
    }

    /// Until somebody asks, or at once if somebody has.
    pub async fn asked(&mut self) {
        let Some(asked) = &mut self.0 else { return std::future::pending().await };
        asked.wait_for(|asked| *asked).await.expect("a static sender stays");
    }
}

pub async fn interrupted() {
    Interruption::heed().asked().await;
}

/// On a thread of its own: the runtimes of the program come and go.
fn listen() -> io::Result<watch::Sender<bool>> {
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    let [mut interrupts, mut kills] = {
        let _entered = runtime.enter();
        [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?]
    };
    let asked = watch::Sender::new(false);
    let remembered = asked.clone();
    thread::Builder::new().name("interrupt".to_owned()).spawn(move || {
        runtime.block_on(async {
            loop {
                either(&mut interrupts, &mut kills).await;
                // Counted before they are told: who heeds it may have ended in order right afterwards.
                let is_heeded = remembered.receiver_count() > 0;
                remembered.send_replace(true);
                if !is_heeded {
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
