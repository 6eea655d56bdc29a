//! ISO-2: a request reaches only the tenant that its host or slug names, and as that tenant's own. Judged by which script the
//! namespace ran for it, and by which path the tenant says that it was asked for.

use super::{Finding, Hint, History, Rule, Source, Violation};
use reports::{event::Exchange, level::Level};

pub const RULE: Rule = Rule {
    id: "ISO-2",
    checker: "reaches-the-named-tenant",
    says: "ISO-2: only the tenant that a request names runs for it",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Spec {
            document: "Cloudflare, Workers for Platforms, dynamic dispatch",
            says: "get(name) runs whatever script has that name: nothing else ties a request to its tenant",
        },
        Source::Promise {
            place: "docs/invariants.md, Tenants",
            what: "no entry of the directory can name another tenant's Worker",
        },
    ],
    hint: Hint {
        cause: "a script's name is taken from the directory as it stands there, and not derived from the tenant's id",
        look_at: "dispatcher/core/src/tenant.rs",
    },
};

pub fn judge(history: &History) -> Finding {
    let runs = history.runs_by_request();
    let owner = |script: &str| history.tenant_of_script(script).map_or("nobody", |tenant| tenant.id.as_str());
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer) in history.answers() {
        let Some(run) = answer.request_id.as_deref().and_then(|id| runs.get(id)) else { continue };
        looked_at += 1;
        if owner(&run.script) != exchange.tenant {
            let what = format!("it named {}, and script {} ran for it", exchange.tenant, run.script);
            violations.push(Violation::new(what, exchange.line).and([run.line]));
        }
    }
    for (exchange, answer) in history.answers() {
        let asked = answer.tenant_said.as_ref().and_then(|said| said.target.as_deref());
        if let Some(asked) = asked.filter(|asked| *asked != own_target(&exchange)) {
            violations.push(Violation::new(format!("the tenant was asked for {asked}"), exchange.line));
        }
    }
    // Nobody may have received the answer.
    for line in history.requests() {
        let Some(run) = runs.get(line.request_id.as_str()) else { continue };
        let resolved = line.tenant_id.as_deref().unwrap_or("nobody");
        if owner(&run.script) != resolved {
            let what = format!("it was resolved to {resolved}, and script {} ran for it", run.script);
            violations.push(Violation::new(what, line.line).and([run.line]));
        }
    }
    Finding::of(looked_at, "answers that a tenant ran for", violations)
}

/// Below the slug, where one stands in it.
fn own_target(exchange: &Exchange) -> &str {
    let below = exchange.target.strip_prefix(&format!("/t/{}", exchange.tenant));
    below.filter(|below| below.starts_with('/')).unwrap_or(&exchange.target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{event::TenantSaid, verdict::Verdict};

    #[test]
    fn a_path_that_is_not_the_tenants_own_is_seen() {
        let asked = |target: &str| {
            let said = TenantSaid { target: Some(target.to_owned()), ..TenantSaid::default() };
            Story::new().answered(None, 200, move |answer| answer.tenant_said = Some(said.clone())).ran_for_it()
        };
        assert_eq!(judge(&asked("/").history()).verdict, Verdict::Pass);
        assert_eq!(shown(&judge(&asked("/t/acme/").history())), [2]);
    }

    #[test]
    fn another_tenants_script_is_seen_in_the_exchange_and_in_the_log() {
        let own = Story::new().answered(None, 200, |_| {}).ran_for_it().logged();
        assert_eq!(judge(&own.history()).verdict, Verdict::Pass);
        let version = Story::new().answered(None, 200, |_| {}).ran_as("acme--v2").logged();
        assert_eq!(judge(&version.history()).verdict, Verdict::Pass);
        let other = Story::new().answered(None, 200, |_| {}).ran_as("globex");
        assert_eq!(shown(&judge(&other.history())), [2, 3]);
        let unheard = Story::new().answered(None, 200, |_| {}).ran_for_it().logged_with(|line| line.tenant_id = None);
        assert_eq!(shown(&judge(&unheard.history())), [3, 4]);
        assert_eq!(judge(&Story::new().unpaid().history()).verdict, Verdict::Unknown);
    }
}
