//! A request to the platform API, read: its token, its route, and its query.

use super::{
    route::{Parameter, ROUTES, Route, find},
    session,
};
use crate::{
    limits_override::utc,
    operations::{
        question::{EventsAsked, Form, Kept, Page, Question, SettlementsAsked, SloWindow, Window},
        resource::Resource,
        token::{Scope, Tokens},
    },
    refusal::Refusal,
    telemetry::event::Event,
    tenant::is_id,
};
use std::collections::BTreeMap;
use x402_paywall::{UnixMillis, ledger::books::Span};
use x402_protocol::{Network, PaymentKey};

/// Longer than any key with its colons escaped.
const MAX_KEY_BYTES: usize = 256;
/// The most that one answer lists.
pub const MOST_LISTED: u32 = 1_000;
const LISTED: u32 = 100;
/// The longest time that books are compared for in one request.
const MOST_RECONCILED_MS: u64 = 8 * 24 * 3_600_000;

/// A request to the platform API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlatformRequest {
    Health,
    /// The settlement ledger's knowledge of a payment: `network:asset:from:nonce`, in any case.
    Payment(String),
    /// How well each facilitator does.
    Facilitators,
    /// The tenants in quarantine, with reason and end.
    Quarantines,
    /// With [`crate::quarantine_request::QuarantineRequest`]'s JSON as body.
    Quarantine(String),
    LiftQuarantine(String),
    Open {
        limit: u32,
    },
    Ledger {
        span: Span,
        limit: u32,
    },
    Reconcile {
        from: UnixMillis,
        to: UnixMillis,
    },
    /// With a form as body.
    Session,
    /// To be read and answered where events are kept.
    Kept(Kept),
}

/// A request as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The scope of its token; `None`: it had none of ours.
    pub scope: Option<Scope>,
    pub request: Result<PlatformRequest, Refusal>,
}

/// The marks by which a request shows who sends it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown<'a> {
    pub authorization: Option<&'a str>,
    pub cookies: Option<&'a str>,
    pub at: UnixMillis,
}

/// Reads a request. The token is checked before anything is said about what exists.
#[must_use]
pub fn read(method: &str, path: &str, query: Option<&str>, shown: Shown<'_>, tokens: &Tokens) -> Read {
    let by_session = || session::is_open(tokens, shown.cookies, shown.at).then_some(Scope::Read);
    let scope = match shown.authorization {
        Some(_) => tokens.scope_of(shown.authorization),
        None => by_session(),
    };
    let request = match (find(method, path), scope) {
        (Some((route, name)), _) if route.scope.is_none() => of_route(route, name, query),
        (_, None) => Err(Refusal::PlatformDenied),
        (None, Some(_)) => Err(Refusal::PlatformNotFound),
        (Some((route, _)), Some(scope)) if route.scope.is_some_and(|wanted| scope < wanted) => {
            Err(Refusal::PlatformForbidden)
        }
        (Some((route, name)), Some(_)) => of_route(route, name, query),
    };
    Read { scope, request }
}

fn of_route(route: &Route, name: &str, query: Option<&str>) -> Result<PlatformRequest, Refusal> {
    let tenant = || Some(name.to_owned()).filter(|id| is_id(id)).ok_or(Refusal::PlatformNotFound);
    let read = || Query::read(query.unwrap_or_default(), route.parameters);
    Ok(match route.resource {
        Resource::Health => PlatformRequest::Health,
        Resource::Payment => PlatformRequest::Payment(payment_key(name).ok_or(Refusal::InvalidPaymentKey)?),
        Resource::Facilitators => PlatformRequest::Facilitators,
        Resource::Quarantines => PlatformRequest::Quarantines,
        Resource::Quarantine => PlatformRequest::Quarantine(tenant()?),
        Resource::LiftQuarantine => PlatformRequest::LiftQuarantine(tenant()?),
        Resource::Session => PlatformRequest::Session,
        Resource::Open => PlatformRequest::Open { limit: read()?.limit(LISTED, MOST_LISTED, "limit")? },
        Resource::Ledger => {
            let query = read()?;
            PlatformRequest::Ledger { span: query.span()?, limit: query.limit(LISTED, MOST_LISTED, "limit")? }
        }
        Resource::Reconcile => {
            let Span { from, to, .. } = read()?.span()?;
            if to.since(from) > MOST_RECONCILED_MS {
                return Err(wrong("to", "more than 8 days after from; the ledger remembers seven"));
            }
            PlatformRequest::Reconcile { from, to }
        }
        resource => {
            let name = if resource == Resource::Tenant { tenant()? } else { String::new() };
            PlatformRequest::Kept(Kept { resource, name, query: query.unwrap_or_default().to_owned() })
        }
    })
}

impl Kept {
    /// The tenant that it is about, as far as that can be told without reading all of it.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        match self.resource {
            Resource::Tenant => Some(&self.name),
            _ => self.query.split('&').find_map(|pair| pair.strip_prefix("tenant=")).filter(|id| is_id(id)),
        }
    }

    /// The question that it asks. For whoever answers it: the dispatcher hands it on as it came.
    pub fn question(&self) -> Result<Question, Refusal> {
        let parameters = ROUTES.iter().find(|route| route.resource == self.resource).map(|route| route.parameters);
        let query = Query::read(&self.query, parameters.unwrap_or_default())?;
        Ok(match self.resource {
            Resource::OpenApi => Question::OpenApi,
            Resource::Dashboard => Question::Page(Page::Html),
            Resource::DashboardStyle => Question::Page(Page::Style),
            Resource::DashboardScript => Question::Page(Page::Script),
            Resource::Tenant => Question::Tenant { id: self.name.clone() },
            Resource::Events => Question::Events(EventsAsked {
                limit: query.limit(LISTED, MOST_LISTED, "limit")?,
                tenant: query.tenant()?,
                kind: query.word("type", &Event::KINDS)?.map(str::to_owned),
                since: query.time("since")?,
                until: query.time("until")?,
                after: query.after()?,
            }),
            Resource::Analytics => {
                let window = match query.word("window", &["overall", "today", "week"])? {
                    None | Some("today") => Window::Today,
                    Some("week") => Window::Week,
                    Some(_) => Window::Overall,
                };
                Question::Analytics { window, top: query.limit(10, 100, "top")? }
            }
            Resource::Slo => {
                let window = match query.word("window", &["day", "hour", "week"])? {
                    Some("hour") => SloWindow::Hour,
                    None | Some("day") => SloWindow::Day,
                    Some(_) => SloWindow::Week,
                };
                Question::Slo { window }
            }
            Resource::Settlements => Question::Settlements(SettlementsAsked {
                span: query.span()?,
                limit: query.limit(LISTED, MOST_LISTED, "limit")?,
                tenant: query.tenant()?,
                form: match query.word("format", &["csv", "json"])? {
                    Some("csv") => Form::Csv,
                    _ => Form::Json,
                },
            }),
            _ => return Err(Refusal::PlatformNotFound),
        })
    }
}

/// A query's members, each at most once and each known.
struct Query(BTreeMap<String, String>);

impl Query {
    fn read(query: &str, known: &[Parameter]) -> Result<Self, Refusal> {
        let mut members = BTreeMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if known.iter().all(|parameter| parameter.name != name) {
                let names: Vec<_> = known.iter().map(|parameter| parameter.name).collect();
                return Err(wrong(name, &format!("not known here; known are [{}]", names.join(", "))));
            }
            let value = unescaped(value).ok_or_else(|| wrong(name, "not escaped as a query is"))?;
            if members.insert(name.to_owned(), value).is_some() {
                return Err(wrong(name, "there twice"));
            }
        }
        match known.iter().find(|parameter| parameter.is_required && !members.contains_key(parameter.name)) {
            Some(missing) => Err(wrong(missing.name, "missing")),
            None => Ok(Self(members)),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn limit(&self, default: u32, most: u32, name: &'static str) -> Result<u32, Refusal> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let number = text.parse().ok().filter(|number| (1..=most).contains(number));
        number.ok_or_else(|| wrong(name, &format!("no number from 1 to {most}")))
    }

    fn tenant(&self) -> Result<Option<String>, Refusal> {
        match self.get("tenant") {
            Some(id) if !is_id(id) => Err(wrong("tenant", "no tenant's id")),
            id => Ok(id.map(str::to_owned)),
        }
    }

    fn word(&self, name: &'static str, words: &[&'static str]) -> Result<Option<&'static str>, Refusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let word = words.iter().find(|word| **word == text).copied();
        word.map(Some).ok_or_else(|| wrong(name, &format!("none of {}", words.join(", "))))
    }

    fn time(&self, name: &'static str) -> Result<Option<UnixMillis>, Refusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let day = || utc(&format!("{text}T00:00:00Z"));
        let time = text.parse().ok().map(UnixMillis).or_else(|| utc(text)).or_else(day);
        time.filter(|time| time.0 <= LATEST_MS).map(Some).ok_or_else(|| {
            wrong(name, "neither Unix milliseconds nor a day like 2026-11-28 nor a time like 2026-11-28T12:00:00Z")
        })
    }

    fn span(&self) -> Result<Span, Refusal> {
        let (from, to) = (self.time("from")?.unwrap_or_default(), self.time("to")?.unwrap_or_default());
        if from >= to {
            return Err(wrong("to", "not after from"));
        }
        Ok(Span { from, to, after: self.after()? })
    }

    fn after(&self) -> Result<Option<(UnixMillis, String)>, Refusal> {
        let Some(text) = self.get("after") else { return Ok(None) };
        let read = || {
            let (at, id) = text.split_once('~')?;
            let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'_'));
            (is_plain && (1..=MAX_KEY_BYTES).contains(&id.len()))
                .then_some((UnixMillis(at.parse().ok()?), id.to_owned()))
        };
        read().map(Some).ok_or_else(|| wrong("after", "no `next` of a page"))
    }
}

/// The end of the year 9999: later times would be another calendar's.
const LATEST_MS: u64 = 253_402_300_799_999;

/// A place of a list as `after` takes it.
#[must_use]
pub fn place(at: UnixMillis, id: &str) -> String {
    format!("{}~{id}", at.0)
}

fn wrong(name: &str, what: &str) -> Refusal {
    Refusal::PlatformQuery { why: format!("{} is {what}", crate::log_text::bounded(name)) }
}

pub(super) fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}

/// A payment's key in the one spelling that the ledger knows, whatever case its addresses came in and whether or not a client
/// escaped the colons.
fn payment_key(text: &str) -> Option<String> {
    if text.len() > MAX_KEY_BYTES {
        return None;
    }
    let text = text.to_ascii_lowercase().replace("%3a", ":");
    let [namespace, chain, asset, from, nonce] = text.split(':').collect::<Vec<_>>()[..] else { return None };
    let network: Network = format!("{namespace}:{chain}").parse().ok()?;
    let key = PaymentKey { network, asset: asset.parse().ok()?, from: from.parse().ok()?, nonce: nonce.parse().ok()? };
    Some(key.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "eip155:84532:0x036cbd53842c5426634e7929541ec2318f3dcf7e:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed:0x0101010101010101010101010101010101010101010101010101010101010101";

    fn tokens() -> Tokens {
        Tokens { operate: vec!["secret".to_owned()], read: vec!["look".to_owned()] }
    }

    fn bearer(authorization: Option<&str>) -> Shown<'_> {
        Shown { authorization, ..Shown::default() }
    }

    fn ask(method: &str, target: &str) -> Result<PlatformRequest, Refusal> {
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        read(method, path, query, bearer(Some("Bearer secret")), &tokens()).request
    }

    fn question(target: &str) -> Result<Question, Refusal> {
        match ask("GET", target)? {
            PlatformRequest::Kept(kept) => kept.question(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nobody_gets_in_without_a_token() {
        let path = format!("/__platform/payments/{KEY}");
        let ask = |authorization| read("GET", &path, None, bearer(authorization), &tokens()).request;
        assert_eq!(ask(Some("Bearer secret")), Ok(PlatformRequest::Payment(KEY.to_owned())));
        for authorization in [None, Some("Bearer "), Some("Bearer secre"), Some("Bearer secrets"), Some("secret")] {
            assert_eq!(ask(authorization), Err(Refusal::PlatformDenied), "{authorization:?}");
        }
        let nobodys = read("GET", "/__platform/nothing", None, bearer(None), &tokens()).request;
        assert_eq!(nobodys, Err(Refusal::PlatformDenied), "what exists is not told either");
        let health = read("GET", "/__platform/health", None, bearer(None), &Tokens::default()).request;
        assert_eq!(health, Ok(PlatformRequest::Health));
    }

    #[test]
    fn a_token_that_looks_changes_nothing() {
        let ask = |method, path| read(method, path, None, bearer(Some("Bearer look")), &tokens());
        assert_eq!(ask("GET", "/__platform/quarantines").request, Ok(PlatformRequest::Quarantines));
        let told = ask("POST", "/__platform/tenants/acme/quarantine");
        assert_eq!((told.scope, told.request), (Some(Scope::Read), Err(Refusal::PlatformForbidden)));
    }

    #[test]
    fn a_session_looks_and_changes_nothing_and_a_wrong_token_is_not_made_good_by_it() {
        let cookie = session::begin(&tokens(), "secret", UnixMillis(5)).unwrap();
        let cookies = cookie.split(';').next();
        let ask = |method, path, authorization| {
            read(method, path, None, Shown { authorization, cookies, at: UnixMillis(6) }, &tokens()).request
        };
        assert_eq!(ask("GET", "/__platform/quarantines", None), Ok(PlatformRequest::Quarantines));
        let put = ask("POST", "/__platform/tenants/acme/quarantine", None);
        assert_eq!(put, Err(Refusal::PlatformForbidden));
        assert_eq!(ask("GET", "/__platform/quarantines", Some("Bearer x")), Err(Refusal::PlatformDenied));
    }

    #[test]
    fn a_payment_is_found_in_whatever_case_its_key_is_asked_for() {
        let ask = |key: &str| ask("GET", &format!("/__platform/payments/{key}"));
        let checksummed =
            KEY.replace("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
        for key in [checksummed, KEY.to_uppercase(), KEY.replace(':', "%3A"), KEY.to_owned()] {
            assert_eq!(ask(&key), Ok(PlatformRequest::Payment(KEY.to_owned())), "{key}");
        }
        let longer = format!("{KEY}0");
        for key in ["x", "a:b:c:d:e", &KEY[..KEY.len() - 1], &longer, &KEY.replace("84532", "1"), &"é:".repeat(400)] {
            assert_eq!(ask(key), Err(Refusal::InvalidPaymentKey), "{key}");
        }
    }

    #[test]
    fn the_api_has_a_few_resources_and_names_no_other() {
        let acme = "/__platform/tenants/acme/quarantine";
        assert_eq!(ask("POST", acme), Ok(PlatformRequest::Quarantine("acme".to_owned())));
        assert_eq!(ask("DELETE", acme), Ok(PlatformRequest::LiftQuarantine("acme".to_owned())));
        for path in
            ["/__platform/tenants/../quarantine", "/__platform/tenants/a/b/quarantine", "/__platform/tenants/acme"]
        {
            assert_eq!(ask("POST", path), Err(Refusal::PlatformNotFound), "{path}");
        }
        for path in ["/__platform/facilitators/", "/__platform/payments", "/__platform", "/__platform/tenants/Acme"] {
            assert_eq!(ask("GET", path), Err(Refusal::PlatformNotFound), "{path}");
        }
    }

    #[test]
    fn a_time_is_milliseconds_a_day_or_a_time_of_a_day() {
        let told = question("/__platform/events?since=2026-11-28&until=2026-11-28T00%3A00:01Z&type=sold&limit=7");
        let Ok(Question::Events(asked)) = told else { panic!("{told:?}") };
        let day = UnixMillis(1_795_824_000_000);
        assert_eq!((asked.since, asked.until, asked.limit), (Some(day), Some(day.plus(1_000)), 7));
        let span = ask("GET", "/__platform/ledger?from=5&to=9&after=6~eip155:1").unwrap();
        let after = Some((UnixMillis(6), "eip155:1".to_owned()));
        let span_asked = Span { from: UnixMillis(5), to: UnixMillis(9), after };
        assert_eq!(span, PlatformRequest::Ledger { span: span_asked, limit: LISTED });
    }

    #[test]
    fn a_query_that_is_wrong_is_refused_with_its_place() {
        for (query, wrong) in [
            ("events?limit=0", "limit is no number from 1 to 1000"),
            ("events?limit=1001", "limit"),
            ("events?limit=1&limit=2", "limit is there twice"),
            ("events?type=sale", "type is none of alert"),
            ("events?tenant=A%20b", "tenant is no tenant's id"),
            ("events?since=yesterday", "since is neither"),
            ("events?since=999999999999999999", "since is neither"),
            ("events?after=7", "after is no `next`"),
            ("events?after=7~a'b", "after"),
            ("events?nothing=1", "nothing is not known here"),
            ("events?tenant=%zz", "tenant is not escaped"),
            ("reconcile?from=1", "to is missing"),
            ("reconcile?from=2&to=2", "to is not after from"),
            ("reconcile?from=0&to=999999999999", "to is more than 8 days"),
            ("slo?window=today", "window is none of"),
        ] {
            let asked = ask("GET", &format!("/__platform/{query}"));
            let read = asked.and_then(|request| match request {
                PlatformRequest::Kept(kept) => kept.question().map(drop),
                _ => Ok(()),
            });
            match read {
                Err(Refusal::PlatformQuery { why }) => assert!(why.contains(wrong), "{query}: {why}"),
                other => panic!("{query}: {other:?}"),
            }
        }
    }
}
