//! The catalogue's answers. A host that is a tenant's has none: its paths are the tenant's own.

use super::Server;
use crate::{
    answer::{Answer, Body},
    catalogue::{self, Asked, Entry, Form, PATH, Uptime, page::POLICY},
    directory::stored::StoredTenants,
    dispatch_key::named,
    hygiene::REQUEST_ID,
    message::Inbound,
    operations::question,
    platform::{Hosting, InboundOf, OutboundOf},
    ports::{Desk, DirectoryUnavailable, Randomness, Tenants},
    refusal::Refusal,
    resolve::ResolveError,
    within::within,
};
use std::{collections::BTreeMap, rc::Rc};

/// Buckets that are read for one page, where few of their tenants sell.
const MOST_READS: u32 = 8;
/// Entries from which a page is long enough.
const ENOUGH: usize = 16;
/// The time that figures of uptime may take. A page without them is better than none.
const FIGURES_WITHIN_MS: u64 = 500;
/// Whoever keeps a page may show it for so many seconds.
const CACHED: &str = "public, max-age=60";

impl<P: Hosting> Server<P> {
    /// Answers a request for the catalogue. `None`: it is none.
    pub(super) async fn answer_catalogue(&self, request: &InboundOf<P>) -> Option<Answer<OutboundOf<P>>> {
        if request.path() != PATH || !matches!(request.method(), "GET" | "HEAD") {
            return None;
        }
        // Whose name cannot be read, or cannot be looked up, is told so by whoever answers requests.
        let named = named(request).ok()?;
        if self.dispatcher.tenants().behind(&named.host).await.ok()?.is_some() {
            return None;
        }
        let request_id = self.dispatcher.randomness().request_id();
        let told = match self.dispatcher.stranger(request) {
            Ok(()) => self.catalogue_page(request).await,
            Err(refusal) => Err(refusal),
        };
        let answer = match told {
            Ok((form, text)) => {
                let set = vec![("content-type".to_owned(), form.content_type().to_owned())];
                let answer =
                    Answer { status: 200, body: Body::Bytes(text.as_bytes().to_vec()), set, strip: Vec::new() };
                let answer = answer.with("cache-control", CACHED).with("vary", "accept");
                answer.with("content-security-policy", POLICY).with("x-content-type-options", "nosniff")
            }
            Err(refusal) => Answer::refusal(&refusal, &request_id),
        };
        Some(answer.with("access-control-allow-origin", "*").with(REQUEST_ID, &request_id))
    }

    async fn catalogue_page(&self, request: &InboundOf<P>) -> Result<(Form, Rc<str>), Refusal> {
        let why = || "its query may have `form` (html, json or bazaar) and `after` (the `next` of a page)".to_owned();
        let asked = Asked::read(request).ok_or_else(|| Refusal::PlatformQuery { why: why() })?;
        let origin = request.origin();
        if let Some(text) = self.memory.shelf.find(origin, asked, self.now()) {
            return Ok((asked.form, text));
        }
        let unavailable = |DirectoryUnavailable| Refusal::Resolve(ResolveError::Unavailable);
        let (mut entries, next) = self.entries(origin, asked.page()).await.map_err(unavailable)?;
        let uptimes = self.uptimes(&entries).await;
        entries.iter_mut().for_each(|entry| entry.uptime = uptimes.get(&entry.name).copied());
        let text: Rc<str> = match asked.form {
            Form::Html => catalogue::page::page(&entries, next).into(),
            Form::Json => catalogue::document(&entries, next).to_string().into(),
            Form::Bazaar => catalogue::bazaar(&entries, next, self.now()).to_string().into(),
        };
        self.memory.shelf.keep(origin, asked, self.now(), &text);
        Ok((asked.form, text))
    }

    /// The tenants that sell, from a page on, and the last page that was read unless there is no more.
    async fn entries(&self, origin: &str, from: u32) -> Result<(Vec<Entry>, Option<u32>), DirectoryUnavailable> {
        let mut entries = Vec::new();
        for number in from..from.saturating_add(MOST_READS) {
            let page = self.dispatcher.tenants().page(number).await?;
            let of = page.tenants.iter().filter(|(_, tenant)| tenant.price.is_some());
            entries.extend(of.filter_map(|(key, tenant)| Entry::of(tenant, key, origin)));
            if page.is_last {
                return Ok((entries, None));
            }
            if entries.len() >= ENOUGH || number + 1 == from.saturating_add(MOST_READS) {
                return Ok((entries, Some(number)));
            }
        }
        Ok((entries, None))
    }

    /// Figures of those that were measured; none where nothing is kept, or cannot be asked now.
    async fn uptimes(&self, entries: &[Entry]) -> BTreeMap<String, Uptime> {
        let names: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
        if names.is_empty() {
            return BTreeMap::new();
        }
        let asked = question::Asked::Uptime(names);
        let told = within(FIGURES_WITHIN_MS, self.dispatcher.clock(), self.surroundings.desk.ask(&asked)).await;
        let told = told.and_then(Result::ok);
        told.and_then(|told| serde_json::from_str(&told.text).ok()).unwrap_or_default()
    }
}
