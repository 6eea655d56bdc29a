//! `402claw payouts`: what a tenant was paid. The money went straight to its address, so this is a list and no account.

use crate::{
    args::PayoutsArgs,
    chain::{self, Seen},
    clock,
    exit::Exit,
    failure::Failure,
    home::Home,
    money::Usdc,
    output::{Format, out, plain},
    platform::{Platform, escaped},
    settlements::{self, Settlement},
    store::Store,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Ten million USDC: more than any settlement moves, and a million of them are still a number.
const MOST_ATOMIC: u64 = 10_000_000_000_000;

/// The payments of one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Day {
    pub paid: Usdc,
    /// By an address that is also paid here: the seller's own purchases.
    pub by_itself: Usdc,
    pub transactions: Vec<String>,
}

/// The books of a time.
#[derive(Clone, Debug, Default)]
struct Books {
    settled: Vec<Settlement>,
    /// Paid, and never served: atomic units that callers are owed.
    owed: Usdc,
}

pub fn payouts(args: &PayoutsArgs, home: &Home, format: Format) -> Result<Exit, Failure> {
    let books = match &args.at {
        Some(at) => of_platform(args, at)?,
        None => Books { settled: settlements::of(home, &args.tenant)?, owed: Usdc(0) },
    };
    if books.settled.is_empty() && args.at.is_none() {
        Store::open(home)?.load()?.registry.expect(&args.tenant)?;
    }
    let days = by_day(&books.settled)?;
    let seen = match &args.node {
        Some(node) => Some(chain::look(node, home.environment.network(), &books.settled)?),
        None => None,
    };
    let exit = if seen.as_ref().is_some_and(|seen| !seen.missing.is_empty()) { Exit::Failed } else { Exit::Done };
    print(&args.tenant, &days, &books, seen.as_ref(), format);
    Ok(exit)
}

/// The settlements that the platform has kept, a line each.
fn of_platform(args: &PayoutsArgs, at: &str) -> Result<Books, Failure> {
    let now = clock::rfc3339(clock::unix_ms());
    let (from, to) = (args.from.as_deref().unwrap_or("2026-01-01"), args.to.as_deref().unwrap_or(&now));
    let tenant = &args.tenant;
    let query = format!("from={}&to={}&tenant={}&limit=1000", escaped(from), escaped(to), escaped(tenant));
    let lines = Platform::needed(at)?.pages(&format!("/__platform/settlements?{query}"), "settlements")?;
    let mut books = Books::default();
    for line in lines {
        let word = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        if line["kind"] == "credit_note" {
            let told = word("amount");
            let amount = amount(told.trim_start_matches('-')).ok_or_else(|| {
                let what = format!("{at}: the amount of a credit note is no amount: {told:?}");
                Failure::new(Exit::Failed, what).help("the platform and this program may be of different versions")
            })?;
            books.owed.0 += amount;
            continue;
        }
        books.settled.push(Settlement {
            at_ms: line["at_ms"].as_u64().unwrap_or_default(),
            tenant: word("tenant"),
            transaction: word("transaction"),
            payer: word("payer"),
            pay_to: word("pay_to"),
            amount: word("amount"),
            network: word("network"),
        });
    }
    Ok(books)
}

fn print(tenant: &str, days: &BTreeMap<String, Day>, books: &Books, seen: Option<&Seen>, format: Format) {
    let sum = |of: fn(&Day) -> Usdc| Usdc(days.values().map(|day| of(day).0).sum());
    let (paid, by_itself) = (sum(|day| day.paid), sum(|day| day.by_itself));
    let all = Usdc(paid.0 + by_itself.0);
    if format == Format::Json {
        let day = |(day, told): (&String, &Day)| {
            json!({
                "day": day, "paid": told.paid.to_string(), "bySelf": told.by_itself.to_string(),
                "transactions": told.transactions,
            })
        };
        let chain = seen.map(|seen| {
            let missing: Vec<Value> =
                seen.missing.iter().map(|(id, why)| json!({"transaction": id, "why": why})).collect();
            json!({"found": seen.found, "sum": Usdc(seen.sum).to_string(), "agrees": seen.sum == all.0, "missing": missing})
        });
        let told = json!({
            "tenant": tenant, "days": days.iter().map(day).collect::<Vec<_>>(), "paid": paid.to_string(),
            "bySelf": by_itself.to_string(), "owed": books.owed.to_string(), "fees": "0.00", "chain": chain,
        });
        out(&told.to_string());
        return;
    }
    for (day, told) in days {
        out(&format!("{day}  {:>14} USDC  {} payments", told.paid.to_string(), told.transactions.len()));
        for transaction in &told.transactions {
            out(&format!("            {}", plain(transaction)));
        }
    }
    out(&format!("paid        {:>14} USDC, straight to payTo; the platform takes no fee", paid.to_string()));
    if by_itself != Usdc(0) {
        out(&format!("by itself   {:>14} USDC, not in the sum", by_itself.to_string()));
    }
    if books.owed != Usdc(0) {
        out(&format!("owed        {:>14} USDC, paid and never served", books.owed.to_string()));
    }
    if let Some(seen) = seen {
        let agrees = if seen.sum == all.0 { "as told here" } else { "which is not what is told here" };
        out(&format!("chain       {:>14} USDC in {} transactions, {agrees}", Usdc(seen.sum).to_string(), seen.found));
        for (transaction, why) in &seen.missing {
            out(&format!("missing     {} {}", plain(transaction), plain(why)));
        }
    }
}

/// An amount in atomic units, of which all that one list may have can be added up.
fn amount(text: &str) -> Option<u64> {
    text.parse().ok().filter(|amount| *amount <= MOST_ATOMIC)
}

fn by_day(settled: &[Settlement]) -> Result<BTreeMap<String, Day>, Failure> {
    let mut days: BTreeMap<String, Day> = BTreeMap::new();
    for settlement in settled {
        let amount = amount(&settlement.amount).ok_or_else(|| {
            Failure::invalid(format!("{}: {:?} is no amount", settlement.transaction, settlement.amount))
        })?;
        let day = days.entry(clock::day(settlement.at_ms)).or_default();
        let is_own = settlement.payer.eq_ignore_ascii_case(&settlement.pay_to);
        let sum = if is_own { &mut day.by_itself } else { &mut day.paid };
        sum.0 += amount;
        day.transactions.push(settlement.transaction.clone());
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sellers_own_purchases_are_no_income() {
        let settlement = |at_ms, payer: &str, amount: &str| Settlement {
            at_ms,
            tenant: "rain".to_owned(),
            transaction: format!("0x{at_ms}"),
            payer: payer.to_owned(),
            pay_to: "0xAB".to_owned(),
            amount: amount.to_owned(),
            network: "eip155:84532".to_owned(),
        };
        let settled = [settlement(1, "0x1", "1000"), settlement(2, "0xab", "5000"), settlement(86_400_000, "0x2", "1")];
        let days = by_day(&settled).unwrap();
        assert_eq!((days["1970-01-01"].paid, days["1970-01-01"].by_itself), (Usdc(1_000), Usdc(5_000)));
        assert_eq!(days["1970-01-02"].paid, Usdc(1));
        assert!(by_day(&[settlement(1, "0x1", "0.5")]).is_err());
        let all = [settlement(1, "0x1", "18446744073709551615"), settlement(1, "0x1", "1")];
        assert!(by_day(&all).is_err(), "no sum of them is a number");
    }
}
