//! A line for each settlement, for accountants: as JSON or CSV, with ids that never change, and a credit note for what was paid and
//! never served.
//!
//! Surprising: what was not handed over may still be collected for as long as the ledger keeps it. Until then it is no credit.

use crate::{
    payer::payer_of,
    store::{Database, DatabaseError, Statement, ask},
};
use dispatcher_core::{
    calendar::utc,
    operations::question::{Form, SettlementsAsked, Told},
    paywall::{UnixMillis, ledger::machine::SETTLED_KEPT_MS},
};
use serde::Deserialize;
use serde_json::{Value, json};

const PAGE: &str = "SELECT json_object('payment', payment, 'tenant', tenant, 'payer', payer, 'pay_to', pay_to, 'amount', amount, \
    'tx', tx, 'facilitator', facilitator, 'settled_at', settled_at, 'handed_at', handed_at) FROM payment \
    WHERE settled_at >= ?1 AND settled_at < ?2 AND (settled_at, payment) > (?3, ?4) AND (?5 IS NULL OR tenant = ?5) \
    ORDER BY settled_at, payment LIMIT ?6";

#[derive(Deserialize)]
struct Row {
    payment: String,
    tenant: String,
    payer: String,
    pay_to: Option<String>,
    amount: Option<String>,
    tx: Option<String>,
    facilitator: Option<String>,
    settled_at: u64,
    handed_at: Option<u64>,
}

/// A line of the export.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    id: String,
    kind: &'static str,
    at: u64,
    /// Of a credit note: the line that it takes back.
    refers_to: String,
    row: usize,
    /// Atomic units, with a minus where they are given back.
    amount: String,
}

pub async fn settlements(
    database: &impl Database,
    asked: &SettlementsAsked,
    now: UnixMillis,
) -> Result<Told, DatabaseError> {
    let SettlementsAsked { span, limit, tenant, form } = asked;
    let (after, after_id) = span.after.as_ref().map_or((0, ""), |(at, id)| (at.0, id.as_str()));
    let values = [
        span.from.0.into(),
        span.to.0.into(),
        after.into(),
        after_id.into(),
        tenant.clone().into(),
        u64::from(*limit).into(),
    ];
    let rows: Vec<Row> = ask(database, Statement::new(PAGE, values)).await?;
    let next = rows
        .last()
        .filter(|_| rows.len() >= *limit as usize)
        .map(|last| format!("{}~{}", last.settled_at, last.payment));
    let lines: Vec<Line> = rows.iter().enumerate().flat_map(|(n, row)| lines_of(n, row, now)).collect();
    Ok(match form {
        Form::Csv => Told { content_type: "text/csv; charset=utf-8".to_owned(), text: as_csv(&rows, &lines) },
        Form::Json => {
            let lines: Vec<Value> = lines.iter().map(|line| as_json(&rows[line.row], line, now)).collect();
            let text = json!({"settlements": lines, "next": next}).to_string();
            Told { content_type: "application/json".to_owned(), text }
        }
    })
}

fn lines_of(n: usize, row: &Row, now: UnixMillis) -> Vec<Line> {
    let amount = row.amount.clone().unwrap_or_default();
    let id = format!("S-{}", row.payment);
    let mut lines = vec![Line {
        id: id.clone(),
        kind: "settlement",
        at: row.settled_at,
        refers_to: String::new(),
        row: n,
        amount: amount.clone(),
    }];
    let gone_at = row.settled_at + SETTLED_KEPT_MS;
    if row.handed_at.is_none() && gone_at <= now.0 {
        let (credit, amount) = (format!("C-{}", row.payment), format!("-{amount}"));
        lines.push(Line { id: credit, kind: "credit_note", at: gone_at, refers_to: id, row: n, amount });
    }
    lines
}

fn served(row: &Row, now: UnixMillis) -> &'static str {
    match row.handed_at {
        Some(_) => "handed_over",
        None if row.settled_at + SETTLED_KEPT_MS <= now.0 => "never",
        None => "waiting",
    }
}

fn is_own(row: &Row) -> bool {
    row.pay_to.as_deref().is_some_and(|to| to.eq_ignore_ascii_case(&row.payer))
}

fn network_of(payment: &str) -> String {
    payment.split(':').take(2).collect::<Vec<_>>().join(":")
}

fn asset_of(payment: &str) -> &str {
    payment.split(':').nth(2).unwrap_or_default()
}

fn as_json(row: &Row, line: &Line, now: UnixMillis) -> Value {
    json!({
        "id": line.id,
        "kind": line.kind,
        "at_ms": line.at,
        "refers_to": Some(&line.refers_to).filter(|id| !id.is_empty()),
        "tenant": row.tenant,
        "payment": row.payment,
        "payer": payer_of(&row.payment),
        "pay_to": row.pay_to,
        "network": network_of(&row.payment),
        "asset": asset_of(&row.payment),
        "amount": line.amount,
        "transaction": row.tx,
        "facilitator": row.facilitator,
        "by_itself": is_own(row),
        "served": served(row, now),
        "handed_over_at_ms": row.handed_at,
    })
}

const HEADER: [&str; 14] = [
    "id",
    "kind",
    "at",
    "refers_to",
    "tenant",
    "payer",
    "pay_to",
    "network",
    "asset",
    "amount",
    "transaction",
    "facilitator",
    "by_itself",
    "handed_over_at",
];

fn as_csv(rows: &[Row], lines: &[Line]) -> String {
    let body = lines.iter().map(|line| {
        let row = &rows[line.row];
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        [
            line.id.clone(),
            line.kind.to_owned(),
            utc(line.at),
            line.refers_to.clone(),
            row.tenant.clone(),
            row.payer.clone(),
            text(&row.pay_to),
            network_of(&row.payment),
            asset_of(&row.payment).to_owned(),
            line.amount.clone(),
            text(&row.tx),
            text(&row.facilitator),
            is_own(row).to_string(),
            row.handed_at.map(utc).unwrap_or_default(),
        ]
    });
    csv(&HEADER, body)
}

/// A table as RFC 4180 has it. A cell that a spreadsheet would compute is told as text.
pub fn csv<const N: usize>(header: &[&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut text = header.join(",") + "\r\n";
    for row in rows {
        let cells = row.map(|cell| escaped(&cell));
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

fn escaped(cell: &str) -> String {
    let is_number = cell.strip_prefix('-').unwrap_or(cell).bytes().all(|byte| byte.is_ascii_digit());
    let cell = match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t') if !is_number => format!("'{cell}"),
        _ => cell.to_owned(),
    };
    match cell.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_leaves_its_column_or_is_computed() {
        let row = ["=1+1".to_owned(), "a,\"b\"".to_owned(), "-1000".to_owned()];
        assert_eq!(csv(&["x", "y", "z"], [row].into_iter()), "x,y,z\r\n'=1+1,\"a,\"\"b\"\"\",-1000\r\n");
    }
}
