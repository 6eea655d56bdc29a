//! Calls that say where they come from: whoever is asked can log the trace and the request.

use super::transport::{FacilitatorAnswer, FacilitatorTransport, HttpRequest, TransportError};
use crate::trace::Origin;

/// A transport whose calls say where they come from.
pub struct Traced<'a, T> {
    pub transport: &'a T,
    pub origin: Option<&'a Origin>,
}

impl<T: FacilitatorTransport> FacilitatorTransport for Traced<'_, T> {
    async fn send(&self, request: HttpRequest<'_>) -> Result<FacilitatorAnswer, TransportError> {
        self.transport.send(HttpRequest { origin: self.origin, ..request }).await
    }
}
