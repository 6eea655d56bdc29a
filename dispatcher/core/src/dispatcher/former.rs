//! A payment that comes to where nothing is sold, or nothing any more: its tenant has left the directory, its record there is
//! wrong, or it gives away what it sold. Whoever was charged still gets what they bought.
//!
//! Surprising constraint: nobody is known here whose rates could hold such payments, and each costs a call to the ledger. So
//! an address has few of them looked up, and where nobody is, it answers for those that had bought nothing.

use super::{
    Course, Dispatcher, Refused, Told, admit, came_of, content_of, is_preflight, origin_of, payment_headers_fit,
    payment_of, permitted, proof_of, purchase_of, resource_url,
};
use crate::{
    admission::{Brings, Came, Source, TurnedAway, Visit},
    cors::{self, Readers},
    message::Inbound,
    platform::{InboundOf, OutboundOf, Platform},
    refusal::Refusal,
    resolve::{Place, Resolved},
    telemetry::RequestLine,
};
use std::cell::Cell;
use x402_paywall::{Denial, Presented, Purchase, Ran, Seller, Sold, UnixMillis, ports::Clock};

/// A payment where nothing is sold, or nothing any more.
pub(super) struct Former<'a> {
    pub place: &'a Place,
    pub seller: Seller<'a>,
    pub payment: Presented<'a>,
    pub source: Option<&'a Source>,
    pub began: UnixMillis,
    pub course: &'a Course,
}

impl<P: Platform> Dispatcher<P> {
    /// Nobody is there, or nobody any more: all that there may be is what was bought before.
    pub(super) async fn turn_away(
        &self,
        request: &InboundOf<P>,
        place: &Place,
        source: Option<&Source>,
        (began, course): (UnixMillis, &Course),
        line: &mut RequestLine,
    ) -> Told<OutboundOf<P>> {
        let request_id = line.request_id.clone();
        let by_us = |refusal: Refusal| Err(Refused::by_us(refusal, &request_id));
        if is_preflight(request) && cors::asks_to_pay(request) {
            return Ok(permitted(None, request));
        }
        let is_sold = request.method() != "HEAD";
        let Some((version, header)) = Some(request).filter(|_| is_sold).and_then(payment_of) else {
            return by_us(self.lost(request, source, began).map_or_else(Refusal::from, |()| Refusal::NoTenant));
        };
        let payment = Presented { version, header: &header };
        let former = Former { place, seller: Seller::Nobody, payment, source, began, course };
        match self.collect(request, &former, None, line).await {
            Ok(Some(told)) => told,
            Ok(None) => by_us(Refusal::NoTenant),
            Err(away) => by_us(away.into()),
        }
    }

    /// Gives the caller what the payment bought before, or says what became of it; what was paid upfront is still run for, if
    /// there is somebody `to` run. `None`: it bought nothing, or where everything is free, nothing that its caller still waits
    /// for.
    pub(super) async fn collect(
        &self,
        request: &InboundOf<P>,
        former: &Former<'_>,
        to: Option<&Resolved>,
        line: &mut RequestLine,
    ) -> Result<Option<Told<OutboundOf<P>>>, TurnedAway> {
        let Former { place, seller, payment, source, began, course } = *former;
        let brings = Brings::Payment(payment.header);
        // Whoever it is sent to: it is no use of theirs.
        let (method, path) = (request.method(), place.path.as_str());
        let entered = self.memory.gate.enter(Visit { source, tenancy: None, method, path, brings, at: began })?;
        let request_id = line.request_id.clone();
        // Of a tenant that has left, nobody knows by what its callers proved who they are.
        let listed = to.map_or(&[][..], |to| &to.tenant.credential_headers);
        let origin = origin_of(request, source, listed);
        let url = resource_url(request);
        let purchase = purchase_of(request, place, seller, Some(payment), &origin, &request_id, began);
        let purchase = Purchase { url: &url, ..purchase };
        // Who pays where everything is free does so in good faith.
        let in_vain = |came| if matches!(seller, Seller::Nobody) { came } else { Came::Nothing };
        let plausible = Some(()).filter(|()| payment_headers_fit(request));
        let Some(plausible) = plausible.and_then(|()| self.paywall.plausible(&purchase).ok()) else {
            if in_vain(Came::Malformed) == Came::Malformed {
                entered.malformed();
            }
            return Ok(None);
        };
        let admitted = admit(entered, &plausible)?;
        // One that is too large, or broke off, cannot have bought anything here.
        let Ok(content) = self.content_of(request).await else { return Ok(None) };
        let plausible = plausible.with_content(content);
        let proof = proof_of(request, &plausible, began);
        let plausible = plausible.with_proof(proof);
        let ran = Cell::new(false);
        let run = async || match to {
            Some(to) => {
                ran.set(true);
                self.produce(request, to, &admitted, course).await
            }
            None => Ran::Unsold(Err(Refusal::NoTenant)),
        };
        let told = self.paywall.sell_to(&purchase, plausible, run).await;
        let (came, is_owed) = match (&told.answer, seller) {
            (Sold::Denied(Denial::NotSelling), _) => (in_vain(Came::Worthless), false),
            (Sold::Denied(denial), Seller::Gives { .. }) => {
                let waits = matches!(denial, Denial::SettlementPending { .. } | Denial::PaymentInProgress);
                // Another request with this payment got what the tenant gave: it does not run for this one again.
                (Came::Nothing, waits || ran.get())
            }
            _ => (came_of(&told), true),
        };
        admitted.outcome(came, self.clock.now());
        let readers = Readers::of(to.and_then(|to| to.tenant.cors.as_ref()), request);
        let told = content_of(told, &purchase, &readers, line);
        Ok(Some(told).filter(|_| is_owed))
    }
}
