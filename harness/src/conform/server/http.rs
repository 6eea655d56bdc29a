//! What HTTP and browsers make of a bill: HEAD, caches, pages on other origins, and other spellings of the same path.

use reqwest::Method;
use x402_protocol::header::{PAYMENT_REQUIRED, PAYMENT_RESPONSE, PAYMENT_SIGNATURE};

use super::Asked;
use crate::bounded_http::{Answer, NoAnswer, answer};
use crate::conform::check::{Check, Level::Must, Level::Should, Rule};

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

const ELSEWHERE: &str = "https://pages.example";

pub async fn check(asked: &Asked<'_>) -> Vec<Check> {
    vec![head(asked).await, cached(&asked.unpaid), preflight(asked).await, exposed(asked).await, spelling(asked).await]
}

async fn head(asked: &Asked<'_>) -> Check {
    match answer(asked.http.request(Method::HEAD, asked.target.as_str())).await {
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
    let request = asked
        .http
        .request(Method::OPTIONS, asked.target.as_str())
        .header("origin", ELSEWHERE)
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", PAYMENT_SIGNATURE);
    let got = match answer(request).await {
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
    if !allowed.iter().any(|name| name == PAYMENT_SIGNATURE || name == "*") {
        wrong.push("Access-Control-Allow-Headers lacks PAYMENT-SIGNATURE".to_owned());
    }
    PREFLIGHT.holds_unless(&wrong, "")
}

async fn exposed(asked: &Asked<'_>) -> Check {
    let got = match answer(asked.http.request(Method::GET, asked.target.as_str()).header("origin", ELSEWHERE)).await {
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

/// Such as clients leave as they are: dot segments they take out themselves.
async fn spelling(asked: &Asked<'_>) -> Check {
    let path = asked.target.path();
    let Some((folder, last)) = path.rsplit_once('/').filter(|(folder, last)| !folder.is_empty() && !last.is_empty())
    else {
        return SPELLING.does_not_apply("the path has one segment");
    };
    let spellings =
        [format!("{folder}%2F{last}"), format!("{folder}//{last}"), format!("{path};a=b"), format!("/{path}")];
    let mut wrong = Vec::new();
    for spelling in &spellings {
        match asked.http.get(&format!("{}{spelling}", asked.target.origin())).await {
            Ok(got) if got.is_content() => wrong.push(format!("{spelling} gets {}", got.status)),
            Ok(_) | Err(NoAnswer::Failed(_)) => {}
            Err(NoAnswer::TooLong) => wrong.push(format!("{spelling} gets a long answer")),
        }
    }
    SPELLING.holds_unless(&wrong, format!("{} of them", spellings.len()))
}
