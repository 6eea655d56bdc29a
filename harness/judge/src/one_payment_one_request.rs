//! MONEY-7: one payment buys one request, once. On another request it is refused before the tenant runs; on the same one again
//! it brings its content to the caller that bought it, for ten minutes, or for seven days under a payment-identifier; and after
//! that the transaction that it went into.

use super::{
    Finding, Hint, History, Rule, Source, Violation,
    describe::short,
    history::At,
    origin::{Beginnings, is_same_caller, is_same_request},
};
use reports::{
    event::{Answer, Exchange, TenantRun},
    level::Level,
};
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "MONEY-7",
    checker: "one-payment-one-request",
    says: "MONEY-7: one payment buys one request, once",
    example: "{}",
    level: Level::Must,
    sources: &[
        Source::Incident {
            thread: "x402-foundation/x402#1805",
            what: "one settlement proof used by concurrent requests",
        },
        Source::Incident { thread: "x402-foundation/x402#2842", what: "a payment is bound to no resource" },
        Source::Incident {
            thread: "x402-foundation/x402#3218",
            what: "a payment-identifier is to be bound to its HTTP request",
        },
        Source::Peer { checks: "R2, R11 and R18" },
    ],
    hint: Hint {
        cause: "the claim does not carry tenant, method, path and query, or a spent payment's response is given to anyone",
        look_at: "dispatcher/x402-paywall/src/binding.rs",
    },
};

/// How long its caller may collect what it bought, from the moment at which it had it.
const SAME_CALLER_US: u64 = 600_000_000;
/// And under a payment-identifier.
const IDENTIFIED_US: u64 = 7 * 24 * 3_600_000_000;
/// Until what is over is over.
const SLACK_US: u64 = 60_000_000;

pub fn judge(history: &History) -> Finding {
    let ran = history.runs_by_request();
    let begun = Beginnings::of(history);
    let mut by_payment: BTreeMap<&str, Vec<(At<'_, Exchange>, &Answer)>> = BTreeMap::new();
    for (exchange, answer, payment) in history.paid_answers() {
        by_payment.entry(payment).or_default().push((exchange, answer));
    }
    let mut presented_again = 0;
    let mut violations = Vec::new();
    for (payment, answers) in by_payment {
        presented_again += usize::from(answers.len() > 1);
        let Some((bought, _)) = answers.iter().find(|(_, answer)| is_content(answer)) else { continue };
        for (exchange, answer) in answers.iter().filter(|(exchange, _)| exchange.line != bought.line) {
            let broken = |why: String| {
                let what = format!("{why}; {} bought {}", short(payment), bought.target);
                Violation::new(what, exchange.line).and([bought.line])
            };
            let outcome = if is_same_request(exchange, bought) {
                let first = begun.get(payment).unwrap_or(*bought);
                let served =
                    answers.iter().filter(|(other, answer)| is_content(answer) && other.sent_us < exchange.sent_us);
                let last_us = served.map(|(other, _)| other.ended_us).max().unwrap_or(bought.ended_us);
                again(exchange, answer, bought, &first, last_us)
                    .and_then(|()| is_run_once(exchange, answer, bought, &ran))
                    .map_err(broken)
            } else {
                elsewhere(answer, &ran, broken)
            };
            let told = outcome.and_then(|()| names_its_transaction(history, *exchange, answer, payment));
            violations.extend(told.err());
        }
    }
    violations.extend(kept_by_a_refused_payment(history));
    violations.extend(turned_away_for_nobody(history));
    Finding::of(presented_again, "payments that were presented more than once", violations)
}

/// A payment that bought nothing has no identifier any more: whoever signs anew under it is not to be turned away.
fn kept_by_a_refused_payment(history: &History) -> impl Iterator<Item = Violation> {
    let turned_away =
        history.paid_answers().filter(|(_, answer, _)| answer.code.as_deref() == Some("payment_identifier_conflict"));
    turned_away.filter_map(move |(exchange, _, payment)| {
        let rivals = history.paid_answers().filter(move |(other, _, of)| {
            *of != payment && other.identifier == exchange.identifier && other.tenant == exchange.tenant
        });
        let mut refusal = None;
        for (other, answer, of) in rivals.filter(|(other, ..)| other.sent_us < exchange.ended_us) {
            let refused = answer.status == 402 && other.ended_us <= exchange.sent_us && history.moved(of).is_none();
            if !refused {
                return None;
            }
            refusal = Some((other.line, of));
        }
        let (line, of) = refusal?;
        let what = format!("{} has the identifier still, although it was refused", short(of));
        Some(Violation::new(what, exchange.line).and([line]))
    })
}

/// An identifier is one at its own tenant: a purchase at another is no rival.
fn turned_away_for_nobody(history: &History) -> impl Iterator<Item = Violation> {
    let turned_away =
        history.paid_answers().filter(|(_, answer, _)| answer.code.as_deref() == Some("payment_identifier_conflict"));
    turned_away.filter_map(move |(exchange, _, payment)| {
        let mut rivals = history.exchanges().filter(|other| {
            let another = other.what.payment.as_deref().is_some_and(|of| of != payment);
            another && other.identifier == exchange.identifier && other.tenant == exchange.tenant
        });
        let alone = rivals.next().is_none();
        alone.then(|| {
            let what = format!("no other payment had the identifier of {} at {}", short(payment), exchange.tenant);
            Violation::new(what, exchange.line)
        })
    })
}

fn is_content(answer: &Answer) -> bool {
    (200..300).contains(&answer.status)
}

/// The same payment at the same request again: its caller collects what it bought as often as it asks, for a while, and nobody
/// else does.
fn again(
    exchange: &Exchange,
    answer: &Answer,
    bought: &Exchange,
    first: &Exchange,
    last_us: u64,
) -> Result<(), String> {
    let is_content = is_content(answer);
    if !is_same_caller(first, exchange) {
        return if is_content { Err("its content was served to another caller".to_owned()) } else { Ok(()) };
    }
    // Too often is too often, whoever asks; and a ledger that cannot be reached has nothing to hand over for now.
    if answer.status == 429 || answer.code.as_deref() == Some("settlement_ledger_unavailable") {
        return Ok(());
    }
    // After the whole answer has been seen, there is nothing left to wait for.
    let after = exchange.sent_us >= bought.ended_us;
    let collects_us = if exchange.identifier.is_some() { IDENTIFIED_US } else { SAME_CALLER_US };
    let age_us = exchange.sent_us.saturating_sub(bought.ended_us);
    if age_us < collects_us {
        return match (is_content, after) {
            (true, _) => Ok(()),
            (false, true) => Err("the content that was paid for could not be collected again".to_owned()),
            (false, false) if answer.status == 409 => Err("its own caller was told that it is spent".to_owned()),
            (false, false) => Ok(()),
        };
    }
    let gone_us = exchange.sent_us.saturating_sub(last_us);
    match (is_content, gone_us > collects_us + SLACK_US) {
        (true, true) => Err("it was served long after its time".to_owned()),
        (false, _) if answer.status != 409 => Err("a spent payment was not refused with 409".to_owned()),
        _ => Ok(()),
    }
}

/// Once the content has been given it is kept, and nothing is left for the tenant to run.
fn is_run_once(
    exchange: &Exchange,
    answer: &Answer,
    bought: &Exchange,
    ran: &BTreeMap<&str, At<'_, TenantRun>>,
) -> Result<(), String> {
    let has_run = answer.request_id.as_deref().is_some_and(|id| ran.contains_key(id));
    if has_run && exchange.sent_us >= bought.ended_us {
        return Err("the tenant ran once more for what had been given already".to_owned());
    }
    Ok(())
}

fn elsewhere(
    answer: &Answer,
    ran: &BTreeMap<&str, At<'_, TenantRun>>,
    broken: impl Fn(String) -> Violation,
) -> Result<(), Violation> {
    if is_content(answer) {
        return Err(broken("it bought another request as well".to_owned()));
    }
    if let Some(run) = answer.request_id.as_deref().and_then(|id| ran.get(id)) {
        return Err(broken("the tenant ran for another request with it".to_owned()).and([run.line]));
    }
    // A tenant that is paid to another address never offered what was signed.
    if !matches!(answer.status, 402 | 409 | 503) {
        return Err(broken("it was not refused as a payment".to_owned()));
    }
    Ok(())
}

fn names_its_transaction(
    history: &History,
    exchange: At<'_, Exchange>,
    answer: &Answer,
    payment: &str,
) -> Result<(), Violation> {
    let known = history.known_settled_at(payment).filter(|known| known.at_us < exchange.sent_us);
    let (Some(known), 409, Some(transfer)) = (known, answer.status, history.moved(payment)) else { return Ok(()) };
    let told = answer.payment_response.as_ref().map(|told| told.transaction.as_str());
    if told == Some(transfer.transaction.as_str()) {
        return Ok(());
    }
    let what = format!("the refusal of {} does not name transaction {}", short(payment), transfer.transaction);
    Err(Violation::new(what, exchange.line).and([known.line, transfer.line]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use reports::{
        event::{ExchangeKind, PaymentResponse},
        verdict::Verdict,
    };

    fn spent(answer: &mut Answer) {
        answer.code = Some("payment_already_used".to_owned());
        answer.payment_response =
            Some(PaymentResponse { transaction: transaction("p1"), ..PaymentResponse::default() });
    }

    fn bought() -> Story {
        Story::new().settled("p1", "primary").told("p1").served("p1")
    }

    fn verdict(story: Story) -> Verdict {
        judge(&story.history()).verdict
    }

    #[test]
    fn a_spent_payment_that_is_refused_with_its_transaction_is_a_pass() {
        let other = |exchange: &mut Exchange, answer: &mut Answer| {
            exchange.target = "/t/acme/dearer".to_owned();
            spent(answer);
        };
        assert_eq!(verdict(bought().sent("p1", ExchangeKind::Elsewhere, 409, other)), Verdict::Pass);
        assert_eq!(verdict(bought()), Verdict::Unknown);
    }

    #[test]
    fn the_same_request_by_host_is_no_other_request() {
        let by_host = |exchange: &mut Exchange, _: &mut Answer| exchange.target = "/".to_owned();
        assert_eq!(verdict(bought().sent("p1", ExchangeKind::Resend, 200, by_host)), Verdict::Pass);
    }

    #[test]
    fn its_own_caller_has_its_content_as_often_as_it_asks_and_nobody_else() {
        let again = |status, change: fn(&mut Exchange)| {
            bought().sent("p1", ExchangeKind::Resend, status, move |exchange, answer| {
                change(exchange);
                if status == 409 {
                    spent(answer);
                }
            })
        };
        assert_eq!(verdict(again(200, |_| {})), Verdict::Pass);
        assert_eq!(shown(&judge(&again(409, |_| {}).history())), [5, 6]);
        let elsewhere = |exchange: &mut Exchange| exchange.address = "192.0.2.9".to_owned();
        assert_eq!(shown(&judge(&again(200, elsewhere).history())), [5, 6]);
        assert_eq!(verdict(again(409, elsewhere)), Verdict::Pass);
        assert_eq!(verdict(again(429, |_| {})), Verdict::Pass);
    }

    #[test]
    fn content_is_collected_for_ten_minutes_and_for_seven_days_under_an_identifier() {
        let late = |seconds, status| {
            bought().pause(seconds).sent("p1", ExchangeKind::Resend, status, |_, answer| spent(answer))
        };
        assert_eq!(verdict(late(590, 200)), Verdict::Pass);
        assert_eq!(verdict(late(590, 409)), Verdict::Fail);
        assert_eq!(verdict(late(700, 409)), Verdict::Pass);
        assert_eq!(verdict(late(700, 200)), Verdict::Fail);
        let identified = |exchange: &mut Exchange, _: &mut Answer| exchange.identifier = Some("id".to_owned());
        let story = || {
            let settled = Story::new().settled("p1", "primary").told("p1");
            settled.sent("p1", ExchangeKind::Payment, 200, identified).pause(700)
        };
        let moved = |exchange: &mut Exchange, answer: &mut Answer| {
            identified(exchange, answer);
            exchange.address = "192.0.2.9".to_owned();
        };
        assert_eq!(verdict(story().sent("p1", ExchangeKind::Resend, 200, moved)), Verdict::Pass);
        let withheld = story().sent("p1", ExchangeKind::Resend, 409, moved);
        assert_eq!(shown(&judge(&withheld.history())), [5, 6]);
    }

    #[test]
    fn another_request_served_or_run_is_seen() {
        let elsewhere = |exchange: &mut Exchange, _: &mut Answer| exchange.target = "/t/acme/dearer".to_owned();
        let dearer = bought().sent("p1", ExchangeKind::Elsewhere, 200, elsewhere);
        assert_eq!(shown(&judge(&dearer.history())), [5, 6]);
        let refused = |exchange: &mut Exchange, answer: &mut Answer| {
            exchange.target = "/t/acme/dearer".to_owned();
            spent(answer);
        };
        let ran = bought().sent("p1", ExchangeKind::Elsewhere, 409, refused).ran_for_it();
        assert_eq!(shown(&judge(&ran.history())), [5, 6, 7]);
    }

    #[test]
    fn an_identifier_that_a_refused_payment_keeps_is_seen() {
        let identified = |exchange: &mut Exchange, _: &mut Answer| exchange.identifier = Some("id".to_owned());
        let conflict = |exchange: &mut Exchange, answer: &mut Answer| {
            exchange.identifier = Some("id".to_owned());
            answer.code = Some("payment_identifier_conflict".to_owned());
        };
        let refused = || bought().sent("p2", ExchangeKind::Payment, 402, identified);
        let kept = refused().sent("p3", ExchangeKind::Payment, 409, conflict);
        assert_eq!(shown(&judge(&kept.history())), [6, 7]);
        let pending = bought().sent("p2", ExchangeKind::Payment, 503, identified);
        let held =
            pending.sent("p2", ExchangeKind::Resend, 503, identified).sent("p3", ExchangeKind::Payment, 409, conflict);
        assert_eq!(verdict(held), Verdict::Pass);
    }

    #[test]
    fn a_refusal_that_names_no_transaction_is_seen() {
        let nameless =
            bought().sent("p1", ExchangeKind::Stolen, 409, |exchange, _| exchange.address = "192.0.2.9".to_owned());
        assert_eq!(shown(&judge(&nameless.history())), [2, 4, 6]);
    }
}
