//! The offer of an unpaid request: one that a client cannot read, or reads otherwise than meant, sells nothing.

use super::{Asked, NO_BILL, bill::ways};
use crate::probe::check::{
    Check,
    Level::{Must, Should},
    Rule,
};
use serde_json::Value;
use x402_protocol::{Network, Uint256, Version};

const STATUS: Rule = Rule {
    id: "OFFER-1",
    level: Must,
    says: "an unpaid request is answered with 402",
    rests_on: "transports-v2/http: payment required is 402",
};
const READABLE: Rule = Rule {
    id: "OFFER-2",
    level: Must,
    says: "the bill can be read: PAYMENT-REQUIRED in base64 of JSON, or a version 1 body",
    rests_on: "transports-v2/http; version 1 clients read the body, version 2 clients the header alone",
};
const FITS: Rule = Rule {
    id: "OFFER-3",
    level: Must,
    says: "the bill's header is at most 16 kB",
    rests_on: "servers and proxies drop longer headers, and the client never sees a bill",
};
const SMALL: Rule = Rule {
    id: "OFFER-4",
    level: Should,
    says: "the bill's header is at most 8 kB",
    rests_on: "the default limit of common servers and proxies",
};
const WHOLE: Rule = Rule {
    id: "OFFER-5",
    level: Must,
    says: "the bill has its version, its resource and at least one way to pay",
    rests_on: "specification v2, 5.1",
};
const TYPED: Rule = Rule {
    id: "OFFER-6",
    level: Must,
    says: "every way to pay is whole: scheme, CAIP-2 network, atomic amount above 0, asset, payTo, time-out",
    rests_on: "specification v2, 5.1: every field but extra is required",
};
const DOMAIN: Rule = Rule {
    id: "OFFER-7",
    level: Must,
    says: "an exact way to pay on an EVM chain has the token's EIP-712 name and version, and the right ones",
    rests_on: "schemes/exact/scheme_exact_evm; with Base Sepolia's domain name on Base every settlement fails (x402 #837)",
};
const FLOW: Rule = Rule {
    id: "OFFER-8",
    level: Must,
    says: "a payment flow that is said is one that there is: upfront or escrow",
    rests_on: "schemes/exact/scheme_exact: authorization is said by leaving it out",
};
const AGREE: Rule = Rule {
    id: "OFFER-9",
    level: Must,
    says: "the version 1 body and the version 2 header ask the same",
    rests_on: "two generations of clients read one answer, and neither may pay another price",
};
const LEGACY: Rule = Rule {
    id: "OFFER-10",
    level: Should,
    says: "the version 1 body is what strict clients of version 1 read",
    rests_on: "x402-fetch 1.2.0 refuses outputSchema null and a missing description, mimeType or resource",
};

/// A header of a bill.
const MOST_BYTES: usize = 16 * 1024;
const FEW_BYTES: usize = 8 * 1024;

pub fn check(asked: &Asked<'_>) -> Vec<Check> {
    let bill = &asked.bill;
    let mut checks = vec![status(asked)];
    if !asked.was_billed() {
        let rest = [READABLE, FITS, SMALL, WHOLE, TYPED, DOMAIN, FLOW, AGREE, LEGACY];
        checks.extend(rest.map(|rule| rule.not_judged(NO_BILL)));
        return checks;
    }
    checks.push(match (&bill.header, &bill.body) {
        (Some((_, Err(why))), _) => READABLE.fails(format!("PAYMENT-REQUIRED is {why}")),
        (Some(_), Some(_)) => READABLE.passes("of both versions"),
        (Some(_), None) => READABLE.passes("of version 2"),
        (None, Some(_)) => READABLE.passes("of version 1"),
        (None, None) => READABLE.fails("neither PAYMENT-REQUIRED nor a version 1 body"),
    });
    checks.extend(sizes(bill.header.as_ref().map(|(bytes, _)| *bytes)));
    let Some(offer) = bill.version_2() else {
        checks.extend([WHOLE, TYPED, DOMAIN, FLOW, AGREE].map(|rule| match (&bill.header, &bill.body) {
            // A server of version 1 owes nobody a bill of version 2.
            (None, Some(_)) => rule.does_not_apply("no bill of version 2"),
            _ => rule.not_judged("no bill of version 2 that can be read"),
        }));
        checks.push(legacy(bill.body.as_ref()));
        return checks;
    };
    checks.push(WHOLE.holds_unless(&parts(offer), format!("{} ways to pay", ways(offer).len())));
    checks.push(over(TYPED, offer, way));
    checks.push(over(DOMAIN, offer, domain));
    checks.push(over(FLOW, offer, flow));
    checks.push(match &bill.body {
        Some(body) => AGREE.holds_unless(&differences(offer, body), ""),
        None => AGREE.does_not_apply("no version 1 body"),
    });
    checks.push(legacy(bill.body.as_ref()));
    checks
}

/// Another answer than a bill is a fault of who gives the content away or fails. Any other says that this request is not the one
/// that is sold.
fn status(asked: &Asked<'_>) -> Check {
    let (status, method) = (asked.unpaid.status, asked.form.method());
    let why = match status {
        402 => return STATUS.passes(""),
        _ if asked.was_billed() => return STATUS.fails(format!("{status} instead")),
        300..=399 => format!("it redirects to {}: give that URL", asked.unpaid.header("location").unwrap_or("nowhere")),
        400 | 406 | 411 | 413 | 415 | 422 => "give what it takes with --method, --body and --header".to_owned(),
        401 | 403 | 407 => "it needs credentials: give --header".to_owned(),
        404 | 410 => "nothing is there: look at the path, or give --method".to_owned(),
        405 | 501 => "give its method with --method, and what it takes with --body and --header".to_owned(),
        429 => "too many requests: try again later".to_owned(),
        400..=499 => "this is not the request that it sells".to_owned(),
        _ => return STATUS.fails(format!("{status} instead")),
    };
    STATUS.not_judged(format!("{method} gets {status}: {why}"))
}

fn sizes(bytes: Option<usize>) -> [Check; 2] {
    [(FITS, MOST_BYTES), (SMALL, FEW_BYTES)].map(|(rule, most)| match bytes {
        None => rule.does_not_apply("no header of version 2"),
        Some(bytes) if bytes <= most => rule.passes(format!("{bytes} bytes")),
        Some(bytes) => rule.fails(format!("{bytes} bytes")),
    })
}

fn over(rule: Rule, offer: &Value, wrong_with: impl Fn(&Value) -> Vec<String>) -> Check {
    if ways(offer).is_empty() {
        return rule.not_judged("no way to pay");
    }
    let wrong: Vec<String> = ways(offer)
        .iter()
        .enumerate()
        .flat_map(|(n, way)| wrong_with(way).into_iter().map(move |wrong| format!("accepts[{n}]: {wrong}")))
        .collect();
    rule.holds_unless(&wrong, "")
}

fn parts(offer: &Value) -> Vec<String> {
    let wrong = [
        (offer["x402Version"] != 2).then(|| format!("x402Version is {}", offer["x402Version"])),
        offer["resource"]["url"].as_str().is_none_or(str::is_empty).then(|| "resource.url is missing".to_owned()),
        ways(offer).is_empty().then(|| "accepts is empty".to_owned()),
    ];
    wrong.into_iter().flatten().collect()
}

fn way(way: &Value) -> Vec<String> {
    let text = |key: &str| way[key].as_str().unwrap_or_default();
    let amount = text("amount");
    let network = text("network").split_once(':');
    let wrong = [
        ("scheme", text("scheme").is_empty()),
        ("network", network.is_none_or(|(namespace, reference)| namespace.is_empty() || reference.is_empty())),
        ("amount", !amount.parse::<Uint256>().is_ok_and(|amount| amount > Uint256::ZERO)),
        ("asset", text("asset").is_empty()),
        ("payTo", text("payTo").is_empty()),
        ("maxTimeoutSeconds", way["maxTimeoutSeconds"].as_f64().is_none_or(|seconds| seconds <= 0.0)),
        ("extra", !(way["extra"].is_null() || way["extra"].is_object())),
    ];
    wrong.into_iter().filter(|(_, wrong)| *wrong).map(|(key, _)| format!("{key} is {}", way[key])).collect()
}

fn domain(way: &Value) -> Vec<String> {
    // Permit2 signs under a domain of its own.
    let permit2 = way["extra"]["assetTransferMethod"] == "permit2";
    let network = way["network"].as_str().unwrap_or_default();
    if way["scheme"] != "exact" || !network.starts_with("eip155:") || permit2 {
        return Vec::new();
    }
    let said = |key: &str| way["extra"][key].as_str().filter(|text| !text.is_empty());
    let (Some(name), Some(version)) = (said("name"), said("version")) else {
        return vec!["extra.name or extra.version is missing".to_owned()];
    };
    let Ok(known) = network.parse::<Network>() else { return Vec::new() };
    let token = known.usdc();
    let is_usdc = way["asset"].as_str().is_some_and(|asset| asset.eq_ignore_ascii_case(&token.address.to_string()));
    if is_usdc && (name, version) != (token.domain_name, token.domain_version) {
        let right = format!("{} {}", token.domain_name, token.domain_version);
        return vec![format!("USDC there signs as {right}, and not as {name} {version}")];
    }
    Vec::new()
}

fn flow(way: &Value) -> Vec<String> {
    match &way["extra"]["paymentFlow"] {
        Value::Null => Vec::new(),
        Value::String(flow) if flow == "upfront" || flow == "escrow" => Vec::new(),
        other => vec![format!("paymentFlow is {other}")],
    }
}

/// Compares the first way to pay, which a client of either version takes.
fn differences(offer: &Value, body: &Value) -> Vec<String> {
    let (Some(new), Some(old)) = (ways(offer).first(), ways(body).first()) else {
        return vec!["one of them has no way to pay".to_owned()];
    };
    let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
    let network = text(new, "network");
    let named = network.parse::<Network>().map(|network| network.name_in(Version::V1).to_owned());
    let mut wrong = Vec::new();
    let mut same = |what: &str, new: String, old: String| {
        if !new.eq_ignore_ascii_case(&old) {
            wrong.push(format!("{what} is {new} in the header, {old} in the body"));
        }
    };
    same("the amount", text(new, "amount"), text(old, "maxAmountRequired"));
    same("payTo", text(new, "payTo"), text(old, "payTo"));
    same("the asset", text(new, "asset"), text(old, "asset"));
    same("the scheme", text(new, "scheme"), text(old, "scheme"));
    if let Ok(named) = named {
        same("the network", named, text(old, "network"));
    }
    wrong
}

fn legacy(body: Option<&Value>) -> Check {
    let Some(body) = body else { return LEGACY.does_not_apply("no version 1 body") };
    let mut wrong = Vec::new();
    for (n, way) in ways(body).iter().enumerate() {
        if way.get("outputSchema").is_some_and(Value::is_null) {
            wrong.push(format!("accepts[{n}].outputSchema is null"));
        }
        let missing = ["maxAmountRequired", "resource", "description", "mimeType"];
        wrong.extend(
            missing.iter().filter(|key| !way[**key].is_string()).map(|key| format!("accepts[{n}].{key} is missing")),
        );
    }
    LEGACY.holds_unless(&wrong, "")
}
