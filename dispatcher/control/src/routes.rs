//! Every route, in one table: the router matches by it, and tests go through it. There is no other way in.

use crate::permission::Needs;
use serde_json::{Value, json};

/// An answer that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Health,
    Routes,
    Me,
    ListTenants,
    GetTenant,
    PutTenant,
    DeleteTenant,
    ListTokens,
    MakeToken,
    RevokeToken,
    Audit,
    ListAccounts,
    MakeAccount,
    GiveHost,
    Directory,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    pub method: &'static str,
    /// `{}` stands for one segment.
    pub path: &'static str,
    pub needs: Needs,
    pub action: Action,
}

const fn route(method: &'static str, path: &'static str, needs: Needs, action: Action) -> Route {
    Route { method, path, needs, action }
}

pub const ROUTES: [Route; 15] = [
    route("GET", "/v1/health", Needs::Nothing, Action::Health),
    route("GET", "/v1/routes", Needs::Nothing, Action::Routes),
    route("GET", "/v1/me", Needs::Token, Action::Me),
    route("GET", "/v1/tenants", Needs::Viewer, Action::ListTenants),
    route("GET", "/v1/tenants/{}", Needs::Viewer, Action::GetTenant),
    route("PUT", "/v1/tenants/{}", Needs::Operator, Action::PutTenant),
    route("DELETE", "/v1/tenants/{}", Needs::Operator, Action::DeleteTenant),
    route("GET", "/v1/tokens", Needs::Owner, Action::ListTokens),
    route("POST", "/v1/tokens", Needs::Owner, Action::MakeToken),
    route("DELETE", "/v1/tokens/{}", Needs::Owner, Action::RevokeToken),
    route("GET", "/v1/audit", Needs::Viewer, Action::Audit),
    route("GET", "/v1/accounts", Needs::Platform, Action::ListAccounts),
    route("POST", "/v1/accounts", Needs::Platform, Action::MakeAccount),
    route("POST", "/v1/hosts", Needs::Platform, Action::GiveHost),
    route("GET", "/v1/directory", Needs::Platform, Action::Directory),
];

/// A route that was found, and the segment that stands where it has `{}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    pub route: &'static Route,
    pub segment: &'a str,
}

/// The reason for which no route was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missed {
    Path,
    /// The path is there, with these methods.
    Method(Vec<&'static str>),
}

/// Finds the route of a request. A segment is taken letter by letter: nothing in it is decoded.
pub fn find<'a>(method: &str, path: &'a str) -> Result<Found<'a>, Missed> {
    let of_path: Vec<Found<'a>> =
        ROUTES.iter().filter_map(|route| Some(Found { route, segment: matches(route.path, path)? })).collect();
    match of_path.iter().find(|found| found.route.method == method) {
        Some(found) => Ok(*found),
        None if of_path.is_empty() => Err(Missed::Path),
        None => Err(Missed::Method(of_path.iter().map(|found| found.route.method).collect())),
    }
}

fn matches<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    match pattern.strip_suffix("{}") {
        None => (pattern == path).then_some(""),
        Some(start) => path.strip_prefix(start).filter(|segment| !segment.is_empty() && !segment.contains('/')),
    }
}

/// The table as a client may read it.
#[must_use]
pub fn listed() -> Value {
    let one = |route: &Route| json!({"method": route.method, "path": route.path, "needs": route.needs.as_str()});
    ROUTES.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_route_is_found_by_its_own_method_and_path() {
        for route in &ROUTES {
            let path = route.path.replace("{}", "rain");
            let found = find(route.method, &path).unwrap();
            assert_eq!((found.route, found.segment.is_empty()), (route, !route.path.contains("{}")));
        }
    }

    #[test]
    fn no_spelling_of_a_path_is_another_route() {
        for path in ["/v1/tenants/", "/v1/tenants/a/b", "/v1//tenants", "/V1/tenants", "/v1/tenants/a/", "/"] {
            assert_eq!(find("GET", path), Err(Missed::Path), "{path}");
        }
        assert_eq!(find("POST", "/v1/tenants/a"), Err(Missed::Method(vec!["GET", "PUT", "DELETE"])));
    }
}
