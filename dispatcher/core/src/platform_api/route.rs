//! The routes of the platform API in one table, which requests are matched by and which the OpenAPI document is made of.

use crate::operations::{resource::Resource, token::Scope};

/// One route.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    pub resource: Resource,
    pub method: &'static str,
    /// One segment of it may be a name in braces.
    pub path: &'static str,
    /// `None`: everybody may ask.
    pub scope: Option<Scope>,
    pub parameters: &'static [Parameter],
    pub summary: &'static str,
    /// The type of its answer.
    pub answers: &'static str,
}

/// A member of the query.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub is_required: bool,
    pub says: &'static str,
    /// A value that it may have.
    pub example: &'static str,
}

const fn parameter(name: &'static str, says: &'static str, example: &'static str) -> Parameter {
    Parameter { name, is_required: false, says, example }
}

const FROM: Parameter = Parameter {
    is_required: true,
    ..parameter("from", "the first moment: Unix milliseconds, a day, or a time in UTC", "2026-11-01")
};
const TO: Parameter =
    Parameter { is_required: true, ..parameter("to", "the first moment behind it, likewise", "2026-11-02T12:00:00Z") };
const TENANT: Parameter = parameter("tenant", "a tenant's id", "acme");
const LIMIT: Parameter = parameter("limit", "the most that one answer has, up to 1000", "100");
const AFTER: Parameter = parameter("after", "the `next` of the page before", "1793000000000~id");

const JSON: &str = "application/json";

const fn get(resource: Resource, path: &'static str, parameters: &'static [Parameter], summary: &'static str) -> Route {
    Route { resource, method: "GET", path, scope: Some(Scope::Read), parameters, summary, answers: JSON }
}

/// Every route there is.
pub const ROUTES: [Route; 19] = [
    Route { scope: None, ..get(Resource::Health, "/__platform/health", &[], "Whether the dispatcher answers") },
    get(Resource::OpenApi, "/__platform/openapi.json", &[], "This document"),
    get(Resource::Payment, "/__platform/payments/{payment}", &[], "The ledger's word on a payment"),
    get(Resource::Facilitators, "/__platform/facilitators", &[], "How each facilitator does"),
    get(Resource::Quarantines, "/__platform/quarantines", &[], "Who is in quarantine"),
    Route {
        method: "POST",
        scope: Some(Scope::Operate),
        ..get(Resource::Quarantine, "/__platform/tenants/{tenant}/quarantine", &[], "Puts a tenant away")
    },
    Route {
        method: "DELETE",
        scope: Some(Scope::Operate),
        ..get(Resource::LiftQuarantine, "/__platform/tenants/{tenant}/quarantine", &[], "Lets a tenant out")
    },
    get(
        Resource::Events,
        "/__platform/events",
        &[
            LIMIT,
            TENANT,
            parameter("type", "a kind of event, such as `payment_settled`", "payment_settled"),
            parameter("since", "the first moment: Unix milliseconds, a day, or a time in UTC", "1793000000000"),
            parameter("until", "the first moment behind it, likewise", "1793000600000"),
            AFTER,
        ],
        "Events, the newest first",
    ),
    get(
        Resource::Analytics,
        "/__platform/analytics",
        &[
            parameter("window", "`today`, `week` or `overall`", "today"),
            parameter("top", "the most tenants that are told, up to 100", "10"),
        ],
        "Requests, revenue and the top tenants of a time",
    ),
    get(
        Resource::Slo,
        "/__platform/slo",
        &[parameter("window", "`hour`, `day` or `week`", "day")],
        "Objectives, how they are met, and what is left of their budgets",
    ),
    get(Resource::Open, "/__platform/open", &[LIMIT], "Payments whose settlement is open, the longest open first"),
    get(Resource::Tenant, "/__platform/tenants/{tenant}", &[], "What a tenant sold and suffered"),
    get(
        Resource::Ledger,
        "/__platform/ledger",
        &[FROM, TO, LIMIT, AFTER],
        "What the settlement ledger has settled in a time, within its retention",
    ),
    get(Resource::Reconcile, "/__platform/reconcile", &[FROM, TO], "Ledger and telemetry, held against each other"),
    get(
        Resource::Settlements,
        "/__platform/settlements",
        &[FROM, TO, LIMIT, AFTER, TENANT, parameter("format", "`json` or `csv`", "csv")],
        "A line for each settlement, and a credit note for what was paid and not served",
    ),
    Route {
        scope: None,
        answers: "text/html",
        ..get(Resource::Dashboard, "/__platform/dashboard", &[REFUSED], "The page for operators, without any figure")
    },
    Route {
        scope: None,
        answers: "text/css",
        ..get(Resource::DashboardStyle, "/__platform/dashboard.css", &[], "Its style")
    },
    Route {
        scope: None,
        answers: "text/javascript",
        ..get(Resource::DashboardScript, "/__platform/dashboard.js", &[], "Its script")
    },
    Route {
        method: "POST",
        scope: None,
        ..get(Resource::Session, "/__platform/session", &[], "Begins a browser's session, or ends it with `leave`")
    },
];

const REFUSED: Parameter = parameter("refused", "there after a wrong token", "");

/// The route of a request, with the name in its path.
#[must_use]
pub fn find<'a>(method: &str, path: &'a str) -> Option<(&'static Route, &'a str)> {
    ROUTES.iter().find_map(|route| Some((route, matched(route, method, path)?)))
}

fn matched<'a>(route: &Route, method: &str, path: &'a str) -> Option<&'a str> {
    if route.method != method {
        return None;
    }
    let Some((before, after)) = route.path.split_once('{') else { return (route.path == path).then_some("") };
    let after = after.split_once('}').map_or("", |(_, after)| after);
    let name = path.strip_prefix(before)?.strip_suffix(after)?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_found_by_method_and_path_and_no_other_is() {
        let found = |method, path| find(method, path).map(|(route, name)| (route.resource, name));
        assert_eq!(found("GET", "/__platform/tenants/acme"), Some((Resource::Tenant, "acme")));
        assert_eq!(found("POST", "/__platform/tenants/acme/quarantine"), Some((Resource::Quarantine, "acme")));
        for path in
            ["/__platform", "/__platform/", "/__platform/tenants/", "/__platform/tenants/a/b", "/__platform/events/"]
        {
            assert_eq!(found("GET", path), None, "{path}");
        }
        assert_eq!(found("POST", "/__platform/events"), None);
    }
}
