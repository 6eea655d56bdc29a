//! What the clock asks for: the books of the last day, held against what was kept.

use super::Server;
use crate::{
    operations::question::{Asked, LedgerBooks},
    platform::Hosting,
    ports::RequestLog,
    refusal::Refusal,
    telemetry::Alert,
};
use std::rc::Rc;
use x402_paywall::UnixMillis;

/// The time that each look at the books is of.
const LOOKS_BACK_MS: u64 = 24 * 3_600_000;

/// In the answer, whose members stand in the order of their names and without spaces.
const BALANCED: &str = r#""balanced":true"#;

impl<P: Hosting> Server<P> {
    /// Looks at the books, and alerts where they do not balance. What cannot be asked now is asked by the next look.
    pub async fn keep_books(self: Rc<Self>) {
        let now = self.now();
        let balanced = match self.look_at_books(now).await {
            Ok(text) => text.contains(BALANCED),
            // It was told where it failed.
            Err(_) => true,
        };
        if !balanced {
            self.dispatcher.log().alert(&Alert { alert: "books_mismatch".into(), ..Alert::default() });
        }
        self.send_events();
    }

    async fn look_at_books(&self, now: UnixMillis) -> Result<String, Refusal> {
        let from = UnixMillis(now.0.saturating_sub(LOOKS_BACK_MS));
        let books = self.books(from, now).await?;
        let chain = self.chain_on(&books.settled).await?;
        let asked = Asked::Reconcile(LedgerBooks { chain, is_scheduled: true, ..books });
        Ok(self.asked_of_desk(&asked).await?.text)
    }
}
