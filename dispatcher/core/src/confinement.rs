//! A tenant's answer as it leaves: without the headers that it may not have, and at home where the tenant stands.

use crate::{
    answer::{Answer, Body},
    cookies,
    hygiene::{may_not_leave, speaks_for_a_host},
    message::Outbound,
    mount::{self, Mount},
    sandbox,
};

/// A tenant's answer without what it may not say, with its cookies bound to it, and at home below its mount.
pub fn confined<O: Outbound>(answer: Answer<O>, mount: Option<&Mount<'_>>) -> Answer<O> {
    let is_mounted = mount.is_some();
    let Answer { status, body, mut set, mut strip } = answer;
    match &body {
        Body::Tenant(response) => {
            let ours = set.len();
            for (name, value) in response.headers() {
                let lower = name.to_ascii_lowercase();
                let is_rewritten = cookies::is_cookie(&lower) || is_mounted && mount::points_somewhere(&lower);
                // What is set stands in place of all that the tenant said under its name, so all of it is set again.
                let is_said = set[..ours].iter().any(|(other, _)| other.eq_ignore_ascii_case(&lower));
                if may_not_leave(&lower, is_mounted) {
                    strip.push(name);
                } else if is_rewritten && !is_said {
                    set.push((lower, value));
                }
            }
        }
        Body::Bytes(_) => {
            set.retain(|(name, _)| !is_mounted || !speaks_for_a_host(&name.to_ascii_lowercase()));
        }
    }
    for (name, value) in &mut set {
        if cookies::is_cookie(name) {
            *value = cookies::bind(value, mount.map(|mount| mount.path));
        } else if let Some(put_back) = mount.and_then(|mount| mount.put_back(name, value)) {
            *value = put_back;
        }
    }
    let answer = Answer { status, body, set, strip };
    match mount {
        Some(mount) if !mount.is_trusted => sandbox::contained(answer),
        _ => answer,
    }
}
