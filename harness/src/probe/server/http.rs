//! What HTTP and browsers make of a bill: HEAD, caches, pages on other origins, and other spellings of the same path.

use super::Asked;
use crate::{
    http::bounded::{Answer, NoAnswer},
    probe::check::{
        Check,
        Level::{Must, Should},
        Rule,
    },
};
use reqwest::Method;
use x402_protocol::header::{PAYMENT_REQUIRED, PAYMENT_RESPONSE, PAYMENT_SIGNATURE};

const HEAD: Rule =
    Rule { id: "HTTP-1", level: Must, says: "an unpaid HEAD is answered as the GET is", rests_on: "RFC 9110, 9.3.2" };
const CACHED: Rule = Rule {
    id: "HTTP-2",
    level: Should,
    says: "a bill is not for a shared cache",
    rests_on: "a cache that keeps the bill shows it to who has paid",
};
const PREFLIGHT: Rule = Rule {
    id: "HTTP-3",
    level: Should,
    says: "a page on another origin may send a payment",
    rests_on: "Fetch: a preflight without PAYMENT-SIGNATURE in Access-Control-Allow-Headers stops the browser",
};
const EXPOSED: Rule = Rule {
    id: "HTTP-4",
    level: Should,
    says: "a page on another origin may read the bill and the receipt",
    rests_on: "Fetch: a header that is not in Access-Control-Expose-Headers is hidden from the page",
};
const SPELLING: Rule = Rule {
    id: "HTTP-5",
    level: Must,
    says: "another spelling of the path brings no content unpaid",
    rests_on: "a paywall that compares paths otherwise than the handler behind it is walked around",
};

pub const RULES: [Rule; 5] = [HEAD, CACHED, PREFLIGHT, EXPOSED, SPELLING];

const ELSEWHERE: &str = "https://pages.example";

pub async fn check(asked: &Asked<'_>) -> Vec<Check> {
    vec![head(asked).await, cached(&asked.unpaid), preflight(asked).await, exposed(asked).await, spelling(asked).await]
}

async fn head(asked: &Asked<'_>) -> Check {
    if asked.form.method() != Method::GET {
        return HEAD.does_not_apply(format!("what is sold here is asked for by {}", asked.form.method()));
    }
    match asked.http.ask(asked.form.head(asked.http.client(), asked.target.as_str())).await {
        Ok(head) if head.status == 429 => HEAD.not_judged("429"),
        Ok(head) if head.status != asked.unpaid.status => {
            HEAD.fails(format!("{} where the GET gets {}", head.status, asked.unpaid.status))
        }
        Ok(head)
            if head.headers.contains_key(PAYMENT_REQUIRED) != asked.unpaid.headers.contains_key(PAYMENT_REQUIRED) =>
        {
            HEAD.fails("PAYMENT-REQUIRED is on one of them only")
        }
        Ok(_) => HEAD.passes(""),
        Err(error) => HEAD.fails(error.to_string()),
    }
}

fn cached(unpaid: &Answer) -> Check {
    let said = unpaid.list("cache-control");
    let closed = |one: &String| {
        let name = one.split('=').next().unwrap_or_default();
        matches!(name, "no-store" | "private" | "no-cache")
    };
    if said.iter().any(closed) {
        CACHED.passes("")
    } else if said.is_empty() {
        CACHED.fails("no Cache-Control")
    } else {
        CACHED.fails(format!("Cache-Control: {}", said.join(", ")))
    }
}

async fn preflight(asked: &Asked<'_>) -> Check {
    let own = asked.form.header_names().map(|name| name.as_str().to_owned());
    let asked_for: Vec<String> = own.chain([PAYMENT_SIGNATURE.to_owned()]).collect();
    let request = asked
        .http
        .request(Method::OPTIONS, asked.target.as_str())
        .header("origin", ELSEWHERE)
        .header("access-control-request-method", asked.form.method().as_str())
        .header("access-control-request-headers", asked_for.join(","));
    let got = match asked.http.ask(request).await {
        Ok(got) if got.status == 429 => return PREFLIGHT.not_judged("429"),
        Ok(got) => got,
        Err(error) => return PREFLIGHT.fails(error.to_string()),
    };
    let mut wrong = Vec::new();
    if !(200..300).contains(&got.status) {
        wrong.push(format!("the preflight gets {}", got.status));
    }
    if !allows_origin(&got) {
        wrong.push("Access-Control-Allow-Origin does not name the page".to_owned());
    }
    let allowed = got.list("access-control-allow-headers");
    // The star does not stand for this one (Fetch, CORS non-wildcard request-header name).
    let is_allowed =
        |asked: &str| allowed.iter().any(|name| name == asked || (name == "*" && asked != "authorization"));
    for lacking in asked_for.iter().filter(|name| !is_allowed(name)) {
        wrong.push(format!("Access-Control-Allow-Headers lacks {}", lacking.to_ascii_uppercase()));
    }
    let methods = got.list("access-control-allow-methods");
    let method = asked.form.method().as_str();
    // These three need no leave.
    let is_free = ["GET", "HEAD", "POST"].contains(&method);
    if !is_free && !methods.iter().any(|one| one.eq_ignore_ascii_case(method) || one == "*") {
        wrong.push(format!("Access-Control-Allow-Methods lacks {method}"));
    }
    PREFLIGHT.holds_unless(&wrong, "")
}

async fn exposed(asked: &Asked<'_>) -> Check {
    let got = match asked.http.ask(asked.request().header("origin", ELSEWHERE)).await {
        Ok(got) if got.status == 429 => return EXPOSED.not_judged("429"),
        Ok(got) => got,
        Err(error) => return EXPOSED.fails(error.to_string()),
    };
    let exposed = got.list("access-control-expose-headers");
    let hidden = |name: &&str| !exposed.iter().any(|one| one == name || one == "*");
    let mut wrong: Vec<String> = [PAYMENT_REQUIRED, PAYMENT_RESPONSE]
        .iter()
        .filter(|name| hidden(name))
        .map(|name| format!("{name} is hidden"))
        .collect();
    if !allows_origin(&got) {
        wrong.push("Access-Control-Allow-Origin does not name the page".to_owned());
    }
    EXPOSED.holds_unless(&wrong, "")
}

fn allows_origin(answer: &Answer) -> bool {
    matches!(answer.header("access-control-allow-origin"), Some("*" | ELSEWHERE))
}

/// Spellings that clients leave as they are: dot segments they take out themselves.
async fn spelling(asked: &Asked<'_>) -> Check {
    let whole = asked.target.path();
    let (path, query) =
        whole.split_once('?').map_or((whole.as_str(), String::new()), |(path, query)| (path, format!("?{query}")));
    let Some((folder, last)) = path.rsplit_once('/').filter(|(folder, last)| !folder.is_empty() && !last.is_empty())
    else {
        return SPELLING.does_not_apply("the path has one segment");
    };
    let spellings =
        [format!("{folder}%2F{last}"), format!("{folder}//{last}"), format!("{path};a=b"), format!("/{path}")];
    let (mut wrong, mut unseen) = (Vec::new(), Vec::new());
    for spelling in &spellings {
        let url = format!("{}{spelling}{query}", asked.target.origin());
        match asked.http.ask(asked.form.request(asked.http.client(), &url)).await {
            Ok(got) if got.is_content() => wrong.push(format!("{spelling} gets {}", got.status)),
            Ok(got) if got.status == 429 => unseen.push(format!("{spelling} gets 429")),
            Ok(_) => {}
            Err(error @ (NoAnswer::Failed(_) | NoAnswer::Late)) => unseen.push(format!("{spelling}: {error}")),
            Err(NoAnswer::TooLong) => wrong.push(format!("{spelling} gets a long answer")),
        }
    }
    SPELLING.holds_if_seen(&wrong, &unseen, format!("{} of them", spellings.len()))
}
