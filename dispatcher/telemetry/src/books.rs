//! The books: what the ledger has settled, held against what was kept of events.
//!
//! Surprising: neither is right by itself. The ledger forgets after its retention, and events may be lost on their way; so each
//! difference is told with the payment that it is about, and none is mended here.

use crate::{
    PayerKey,
    payer::hidden,
    store::{Database, DatabaseError, Statement, ask},
};
use dispatcher_core::{
    operations::question::LedgerBooks,
    paywall::{UnixMillis, ledger::books::Entry},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The time that an event may be on its way.
const ON_ITS_WAY_MS: u64 = 120_000;
/// Rows that are read at once.
const PAGE: u64 = 2_000;
/// The most payments of a kind that are told by name.
const MOST_NAMED: usize = 100;

const KEPT: &str = "SELECT json_object('payment', payment, 'tenant', tenant, 'amount', amount, 'tx', tx, 'at', settled_at) \
    FROM payment WHERE settled_at >= ?1 AND settled_at < ?2 AND (settled_at, payment) > (?3, ?4) \
    ORDER BY settled_at, payment LIMIT ?5";

/// The outcome of the last look, for whoever looks at what is wrong.
const REMEMBER: &str = "INSERT INTO state (name, at, text) VALUES ('books', ?1, ?2) \
    ON CONFLICT (name) DO UPDATE SET at = excluded.at, text = excluded.text";

/// A settlement as it was kept.
#[derive(Clone, Debug, Deserialize)]
struct Kept {
    payment: String,
    tenant: String,
    amount: Option<String>,
    tx: Option<String>,
    at: u64,
}

/// How the two compare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    pub matched: u64,
    /// In the ledger alone, and too young to be missed.
    pub on_their_way: u64,
    pub missing_in_telemetry: Vec<String>,
    pub missing_in_ledger: Vec<String>,
    /// In both, with another tenant, amount or transaction.
    pub differing: Vec<String>,
    pub tenants: BTreeMap<String, Sums>,
}

/// A tenant's sums, in atomic units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub ledger: u128,
    pub ledger_count: u64,
    pub telemetry: u128,
    pub telemetry_count: u64,
}

impl Comparison {
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.missing_in_telemetry.is_empty() && self.missing_in_ledger.is_empty() && self.differing.is_empty()
    }
}

/// Holds the ledger's books of a time against what was kept.
pub async fn reconcile(
    database: &impl Database,
    ledger: &LedgerBooks,
    key: Option<&PayerKey>,
    now: UnixMillis,
) -> Result<Value, DatabaseError> {
    let kept = kept_of(database, ledger).await?;
    let compared = compare(ledger, kept, key, now);
    let named = |payments: &[String]| payments.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>();
    let of_tenant = |sums: &Sums| {
        json!({
            "ledger": {"count": sums.ledger_count, "amount": sums.ledger.to_string()},
            "telemetry": {"count": sums.telemetry_count, "amount": sums.telemetry.to_string()},
        })
    };
    let tenants: BTreeMap<_, _> = compared.tenants.iter().map(|(id, sums)| (id, of_tenant(sums))).collect();
    let open = ledger.open.iter().map(|entry| {
        let age_ms = entry.open_since_ms.map(|since| now.since(since));
        json!({
            "payment": hidden(&entry.payment, Some(&entry.payment), key),
            "tenant_id": entry.tenant_id,
            "amount": entry.amount,
            "facilitator": entry.facilitator,
            "age_ms": age_ms,
        })
    });
    let told = json!({
        "from_ms": ledger.from,
        "to_ms": ledger.to,
        "balanced": compared.is_balanced() && ledger.chain.as_ref().is_none_or(|chain| chain.missing.is_empty()),
        "is_cut": ledger.is_cut,
        "matched": compared.matched,
        "on_their_way": compared.on_their_way,
        "missing_in_telemetry": {
            "count": compared.missing_in_telemetry.len(),
            "payments": named(&compared.missing_in_telemetry),
        },
        "missing_in_ledger": {
            "count": compared.missing_in_ledger.len(),
            "payments": named(&compared.missing_in_ledger),
        },
        "differing": {"count": compared.differing.len(), "payments": named(&compared.differing)},
        "unknown": open.collect::<Vec<_>>(),
        "chain": ledger.chain.as_ref().map(|chain| {
            let missing = chain.missing.iter().map(|payment| hidden(payment, Some(payment), key));
            json!({"found": chain.found, "no_word": chain.no_word, "missing": missing.collect::<Vec<_>>()})
        }),
        "tenants": tenants,
    });
    if ledger.is_scheduled {
        let values = [now.0.into(), told.to_string().into()];
        database.run(vec![Statement::new(REMEMBER, values)]).await?;
    }
    Ok(told)
}

async fn kept_of(database: &impl Database, ledger: &LedgerBooks) -> Result<Vec<Kept>, DatabaseError> {
    let (mut kept, mut after) = (Vec::<Kept>::new(), (0, String::new()));
    loop {
        let (at, payment) = after;
        let values = [ledger.from.0.into(), ledger.to.0.into(), at.into(), payment.into(), PAGE.into()];
        let page: Vec<Kept> = ask(database, Statement::new(KEPT, values)).await?;
        let is_last = (page.len() as u64) < PAGE;
        kept.extend(page);
        let Some(last) = kept.last().filter(|_| !is_last) else { return Ok(kept) };
        after = (last.at, last.payment.clone());
    }
}

fn compare(ledger: &LedgerBooks, kept: Vec<Kept>, key: Option<&PayerKey>, now: UnixMillis) -> Comparison {
    let mut told = Comparison::default();
    let mut kept: BTreeMap<String, Kept> = kept.into_iter().map(|row| (row.payment.clone(), row)).collect();
    // Where the list was cut, nothing behind its end can be called missing.
    let last = ledger.settled.last().filter(|_| ledger.is_cut).and_then(|entry| entry.settled_at_ms);
    let until = last.unwrap_or(ledger.to);
    for entry in &ledger.settled {
        let payment = hidden(&entry.payment, Some(&entry.payment), key);
        let sums = told.tenants.entry(entry.tenant_id.clone()).or_default();
        sums.ledger += amount_of(&entry.amount);
        sums.ledger_count += 1;
        match kept.remove(&payment) {
            Some(row) => {
                let sums = told.tenants.entry(row.tenant.clone()).or_default();
                sums.telemetry += row.amount.as_deref().map_or(0, amount_of);
                sums.telemetry_count += 1;
                match is_same(entry, &row) {
                    true => told.matched += 1,
                    false => told.differing.push(payment),
                }
            }
            None if entry.settled_at_ms.is_some_and(|at| now.since(at) < ON_ITS_WAY_MS) => told.on_their_way += 1,
            None => told.missing_in_telemetry.push(payment),
        }
    }
    for row in kept.into_values().filter(|row| row.at < until.0) {
        let sums = told.tenants.entry(row.tenant.clone()).or_default();
        sums.telemetry += row.amount.as_deref().map_or(0, amount_of);
        sums.telemetry_count += 1;
        told.missing_in_ledger.push(row.payment);
    }
    told
}

fn is_same(entry: &Entry, row: &Kept) -> bool {
    entry.tenant_id == row.tenant && row.amount.as_ref() == Some(&entry.amount) && row.tx == entry.transaction
}

fn amount_of(text: &str) -> u128 {
    text.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dispatcher_core::paywall::ledger::books::Served;
    use proptest::prelude::*;

    const NOW: UnixMillis = UnixMillis(10_000_000);

    fn entry(n: u64, amount: u64) -> Entry {
        Entry {
            payment: format!("p{n}"),
            tenant_id: format!("t{}", n % 3),
            state: "settled".to_owned(),
            amount: amount.to_string(),
            pay_to: None,
            facilitator: None,
            transaction: Some(format!("0x{n}")),
            settled_at_ms: Some(UnixMillis(n)),
            open_since_ms: None,
            served: Served::HandedOver,
        }
    }

    fn kept(entry: &Entry) -> Kept {
        let (tenant, amount) = (entry.tenant_id.clone(), Some(entry.amount.clone()));
        let at = entry.settled_at_ms.unwrap().0;
        Kept { payment: entry.payment.clone(), tenant, amount, tx: entry.transaction.clone(), at }
    }

    fn books(settled: Vec<Entry>) -> LedgerBooks {
        LedgerBooks {
            from: UnixMillis(0),
            to: NOW,
            settled,
            open: Vec::new(),
            is_cut: false,
            chain: None,
            is_scheduled: false,
        }
    }

    #[test]
    fn a_settlement_that_is_young_is_on_its_way_and_an_old_one_is_missing() {
        let young = Entry { settled_at_ms: Some(UnixMillis(NOW.0 - 1)), ..entry(1, 5) };
        let told = compare(&books(vec![entry(2, 5), young]), Vec::new(), None, NOW);
        assert_eq!((told.on_their_way, told.missing_in_telemetry), (1, vec!["p2".to_owned()]));
    }

    #[test]
    fn another_amount_is_a_difference_and_where_the_list_was_cut_nothing_behind_is_missing() {
        let (one, other) = (entry(1, 5), entry(2, 7));
        let row = Kept { amount: Some("6".to_owned()), ..kept(&one) };
        let cut = LedgerBooks { is_cut: true, ..books(vec![one]) };
        let told = compare(&cut, vec![row, kept(&other)], None, NOW);
        assert_eq!((told.differing, told.missing_in_ledger), (vec!["p1".to_owned()], Vec::new()));
    }

    proptest! {
        #[test]
        fn every_settlement_is_told_once_whatever_either_side_has(
            sides in prop::collection::vec((any::<bool>(), any::<bool>(), 1_u64..1_000), 0..60)
        ) {
            let entries: Vec<_> = sides.iter().enumerate().map(|(n, (.., amount))| entry(n as u64, *amount)).collect();
            let of = |side: usize| {
                let has = |n: &usize| if side == 0 { sides[*n].0 } else { sides[*n].1 };
                (0..sides.len()).filter(has).map(|n| entries[n].clone()).collect::<Vec<_>>()
            };
            let rows = of(1).iter().map(kept).collect();
            let told = compare(&books(of(0)), rows, None, NOW);
            let both = sides.iter().filter(|(ledger, kept, _)| *ledger && *kept).count();
            prop_assert_eq!(told.matched as usize, both);
            prop_assert_eq!(told.missing_in_telemetry.len(), of(0).len() - both);
            prop_assert_eq!(told.missing_in_ledger.len(), of(1).len() - both);
            prop_assert_eq!(told.is_balanced(), of(0).len() == both && of(1).len() == both);
            let sums = |of: fn(&Sums) -> u128| told.tenants.values().map(of).sum::<u128>();
            let amount = |entries: &[Entry]| entries.iter().map(|entry| amount_of(&entry.amount)).sum::<u128>();
            prop_assert_eq!(sums(|sums| sums.ledger), amount(&of(0)));
            prop_assert_eq!(sums(|sums| sums.telemetry), amount(&of(1)));
        }
    }
}
