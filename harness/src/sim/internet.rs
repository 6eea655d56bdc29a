//! The outside as tenants reach it: the outbound Worker's decision, each redirect hop among what it is asked, and behind it a
//! double that answers for every host (`assets/outbound/outside.mjs`).

use dispatcher_core::{
    egress::{self, HostPattern},
    ports::Dispatch,
};
use facts::internet::{PLATFORM_HOSTS, redirected_to};
use journal::Journal;
use reports::event::{EgressLine, Event};

/// The number of redirects that `fetch` follows.
const MAX_HOPS: usize = 20;
const REFUSED: u16 = 403;

/// The status that the tenant gets in the end.
pub fn ask(url: &str, dispatch: &Dispatch<'_>, journal: &Journal) -> u16 {
    let platform = PLATFORM_HOSTS.map(|host| HostPattern::try_from(host.to_owned()).expect("a pattern"));
    let tenant_id = dispatch.egress.tenant_id;
    let mut url = url.to_owned();
    for _ in 0..MAX_HOPS {
        let decided = egress::decide(&url, dispatch.egress.egress, &platform);
        journal.record(Event::EgressDecided(EgressLine {
            tenant_id: tenant_id.to_owned(),
            host: decided.as_ref().ok().map(ToString::to_string),
            refused: decided.as_ref().err().map(|refused| refused.code().to_owned()),
        }));
        if decided.is_err() {
            return REFUSED;
        }
        journal.record(Event::OutsideReached { url: url.clone(), script: Some(dispatch.script.to_owned()) });
        match redirected_to(&url) {
            Some(next) => url = next,
            None => return 200,
        }
    }
    REFUSED
}
