//! `402claw payouts`: what a tenant was paid. The money went straight to its address, so this is a list and no account.

use crate::{
    args::PayoutsArgs,
    clock,
    exit::Exit,
    failure::Failure,
    home::Home,
    money::Usdc,
    output::{Format, out},
    registry::Registry,
    settlements::{self, Settlement},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The payments of one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Day {
    pub paid: Usdc,
    /// By an address that is also paid here: the seller's own purchases.
    pub by_itself: Usdc,
    pub transactions: Vec<String>,
}

pub fn payouts(args: &PayoutsArgs, home: &Home, format: Format) -> Result<Exit, Failure> {
    let registry = Registry::load(home)?;
    let settled = settlements::of(home, &args.tenant)?;
    if settled.is_empty() {
        registry.expect(&args.tenant)?;
    }
    let days = by_day(&settled)?;
    let sum = |of: fn(&Day) -> Usdc| Usdc(days.values().map(|day| of(day).0).sum());
    let (paid, by_itself) = (sum(|day| day.paid), sum(|day| day.by_itself));
    if format == Format::Json {
        let day = |(day, told): (&String, &Day)| json!({"day": day, "paid": told.paid.to_string(), "bySelf": told.by_itself.to_string(), "transactions": told.transactions});
        let days: Vec<Value> = days.iter().map(day).collect();
        let told = json!({"tenant": args.tenant, "days": days, "paid": paid.to_string(), "bySelf": by_itself.to_string(), "fees": "0.00"});
        out(&told.to_string());
        return Ok(Exit::Done);
    }
    for (day, told) in &days {
        out(&format!("{day}  {:>14} USDC  {} payments", told.paid.to_string(), told.transactions.len()));
        for transaction in &told.transactions {
            out(&format!("            {transaction}"));
        }
    }
    out(&format!("paid        {:>14} USDC, straight to payTo; the platform takes no fee", paid.to_string()));
    if by_itself != Usdc(0) {
        out(&format!("by itself   {:>14} USDC, not in the sum", by_itself.to_string()));
    }
    Ok(Exit::Done)
}

fn by_day(settled: &[Settlement]) -> Result<BTreeMap<String, Day>, Failure> {
    let mut days: BTreeMap<String, Day> = BTreeMap::new();
    for settlement in settled {
        let amount: u64 = settlement.amount.parse().map_err(|_| {
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
    }
}
