//! A signal that comes between two waits is not lost. A test binary of its own: what it raises is for the whole process.

use nix::sys::signal::{Signal, raise};
use system::interrupt::{Interruption, interrupted};

#[tokio::test]
async fn what_was_asked_while_nobody_waited_counts_at_the_next_wait() {
    let _heeded = Interruption::heed();
    raise(Signal::SIGTERM).unwrap();
    interrupted().await;
    interrupted().await;
}
