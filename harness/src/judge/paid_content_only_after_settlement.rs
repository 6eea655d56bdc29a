//! MONEY-2: paid content leaves only after a settlement that is known to have succeeded, for the right money.

use super::{
    Finding, History,
    history::{short, tell},
};
use reports::event::{Answer, Exchange, ExchangeKind, PriceFacts, Transfer};

pub fn judge(history: &History) -> Finding {
    let mut looked_at = 0;
    let mut violations = Vec::new();
    for (exchange, answer) in history.answers() {
        let Some(price) = history.tenants.get(&exchange.tenant).and_then(|tenant| tenant.price.as_ref()) else {
            continue;
        };
        // A browser's question passes unpaid, whoever answers it.
        if exchange.kind == ExchangeKind::Preflight {
            continue;
        }
        // A canary in an answer is content, whatever the status says.
        let content = (200..300).contains(&answer.status) || answer.canaries.contains(&exchange.tenant);
        // A tenant's own 3xx, 4xx and 5xx pass through uncharged.
        let passed_through = answer.status >= 300 && answer.code.is_none();
        if !content || passed_through {
            continue;
        }
        looked_at += 1;
        if let Err(why) = paid_for(history, exchange, answer, price) {
            violations.push(format!("{}: {why}", tell(exchange)));
        }
    }
    Finding::of(looked_at, "answers with paid content", violations)
}

fn paid_for(history: &History, exchange: &Exchange, answer: &Answer, price: &PriceFacts) -> Result<(), String> {
    let payment = exchange.payment.as_ref().ok_or("content without a payment")?;
    let transfers = history.transfers.get(payment).ok_or_else(|| format!("{} moved no money", short(payment)))?;
    let (moved_us, transfer) = &transfers[0];
    if *moved_us > exchange.ended_us {
        return Err(format!("{} moved money only after the content had left", short(payment)));
    }
    fits(transfer, price)?;
    let told = answer.payment_response.as_ref().ok_or("content without a PAYMENT-RESPONSE that decodes")?;
    let same_payer = told.payer.as_ref().is_none_or(|payer| payer.eq_ignore_ascii_case(&transfer.from));
    if !told.success || told.transaction != transfer.transaction || told.network != transfer.network || !same_payer {
        return Err(format!("PAYMENT-RESPONSE {told:?} is not of transaction {}", transfer.transaction));
    }
    Ok(())
}

fn fits(transfer: &Transfer, price: &PriceFacts) -> Result<(), String> {
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    for (field, moved, asked) in [
        ("network", &transfer.network, &price.network),
        ("asset", &transfer.asset, &price.asset),
        ("payTo", &transfer.to, &price.pay_to),
        ("amount", &transfer.value, &price.amount),
    ] {
        if !same(moved, asked) {
            return Err(format!("the money that moved has {field} {moved}, the price has {asked}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::*;
    use reports::verdict::Verdict;

    #[test]
    fn content_after_the_money_is_a_pass() {
        let history = Story::new().settled("p1", "primary").served("p1").history();
        assert_eq!(judge(&history).verdict, Verdict::Pass);
    }

    #[test]
    fn content_without_or_before_the_money_is_seen() {
        assert_eq!(judge(&Story::new().served("p1").history()).verdict, Verdict::Fail);
        let early = Story::new().served("p1").settled("p1", "primary");
        assert_eq!(judge(&early.history()).verdict, Verdict::Fail);
        let unpaid = Story::new().answered(None, 200, |_| {});
        assert_eq!(judge(&unpaid.history()).verdict, Verdict::Fail);
    }

    #[test]
    fn content_inside_an_error_is_seen() {
        let leaked = Story::new().answered(Some("p1"), 503, |answer| {
            answer.code = Some("settlement_pending".to_owned());
            answer.canaries = vec![TENANT.to_owned()];
        });
        assert_eq!(judge(&leaked.history()).verdict, Verdict::Fail);
    }

    #[test]
    fn a_receipt_for_another_transaction_is_seen() {
        let history = Story::new()
            .settled("p1", "primary")
            .served_with("p1", |answer| answer.payment_response.as_mut().unwrap().transaction = "0xother".to_owned())
            .history();
        assert_eq!(judge(&history).verdict, Verdict::Fail);
    }
}
