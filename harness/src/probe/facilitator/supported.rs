//! `/supported`: what servers choose a facilitator by.

use super::unasked;
use crate::{
    http::bounded::Answer,
    probe::check::{
        Check,
        Level::{Must, Should},
        Rule,
    },
};
use serde_json::Value;
use x402_protocol::Network;

const LISTS: Rule = Rule {
    id: "SUPPORT-1",
    level: Must,
    says: "/supported answers 200 with a list of kinds, each with a version, a scheme and a network",
    rests_on: "specification v2, 7.3",
};
const NETWORKS: Rule = Rule {
    id: "SUPPORT-2",
    level: Must,
    says: "kinds of version 2 name their network by its CAIP-2 id",
    rests_on: "specification v2, 5.1: a server compares them with its offers",
};
const SIGNERS: Rule = Rule {
    id: "SUPPORT-3",
    level: Should,
    says: "/supported lists its extensions and its signers",
    rests_on: "specification v2, 7.3; clients of older ones take none for an empty list",
};

fn kinds(json: &Value) -> &[Value] {
    json["kinds"].as_array().map_or(&[], Vec::as_slice)
}

pub fn check(answer: &Answer) -> Vec<Check> {
    if let Some(why) = unasked(answer.status) {
        return [LISTS, NETWORKS, SIGNERS].map(|rule| rule.not_judged(why.as_str())).to_vec();
    }
    let json = answer.json().unwrap_or_default();
    let mut wrong = Vec::new();
    if answer.status != 200 {
        wrong.push(format!("it answers {}", answer.status));
    }
    if kinds(&json).is_empty() {
        wrong.push("it has no kinds".to_owned());
    }
    for (n, kind) in kinds(&json).iter().enumerate() {
        if !(kind["x402Version"].is_u64() && kind["scheme"].is_string() && kind["network"].is_string()) {
            wrong.push(format!("kinds[{n}] is {kind}"));
        }
    }
    let is_caip2 = |kind: &&Value| kind["network"].as_str().is_some_and(|network| network.contains(':'));
    let second = || kinds(&json).iter().filter(|kind| kind["x402Version"] == 2);
    let other: Vec<String> =
        second().filter(|kind| !is_caip2(kind)).map(|kind| format!("{}", kind["network"])).collect();
    let networks = match second().count() {
        0 if kinds(&json).is_empty() => NETWORKS.not_judged("no kinds"),
        0 => NETWORKS.does_not_apply("no kinds of version 2"),
        count => NETWORKS.holds_unless(&other, format!("{count} kinds")),
    };
    let lacks: Vec<String> = [("extensions", json["extensions"].is_array()), ("signers", json["signers"].is_object())]
        .iter()
        .filter(|(_, there)| !there)
        .map(|(key, _)| format!("{key} is missing"))
        .collect();
    vec![
        LISTS.holds_unless(&wrong, format!("{} kinds", kinds(&json).len())),
        networks,
        SIGNERS.holds_unless(&lacks, ""),
    ]
}

/// One that the harness can sign for; test money first.
pub fn network(answer: &Answer) -> Option<Network> {
    let json = answer.json().unwrap_or_default();
    let lists = |network: &Network| {
        let is_it =
            |kind: &Value| kind["x402Version"] == 2 && kind["scheme"] == "exact" && kind["network"] == network.caip2();
        kinds(&json).iter().any(is_it)
    };
    [Network::BaseSepolia, Network::Base].into_iter().find(lists)
}
