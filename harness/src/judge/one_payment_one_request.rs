//! MONEY-7: one payment buys one request, once. On another request it is refused before the tenant runs; on the same one
//! again it brings its content only under a payment-identifier, and else the transaction that it went into.

use super::{Finding, Hint, History, Rule, Source, Violation, history::At, tell::short};
use reports::{
    event::{Answer, Exchange, ExchangeKind, TenantRun},
    level::Level,
};
use std::collections::BTreeMap;

pub const RULE: Rule = Rule {
    id: "MONEY-7",
    checker: "one-payment-one-request",
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

pub fn judge(history: &History) -> Finding {
    let ran = history.runs_by_request();
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
            let outcome = if request_of(exchange) == request_of(bought) {
                again(exchange, answer, bought).map_err(broken)
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

/// What a payment is bound to. By host or by slug it is the same request.
fn request_of(exchange: &Exchange) -> (&str, &str, &str) {
    let slug = format!("/t/{}", exchange.tenant);
    let seen_by_tenant = exchange.target.strip_prefix(&slug).unwrap_or(&exchange.target);
    (&exchange.tenant, &exchange.method, seen_by_tenant)
}

fn again(exchange: &Exchange, answer: &Answer, bought: &Exchange) -> Result<(), String> {
    let collects = exchange.identifier.is_some() && exchange.identifier == bought.identifier;
    if is_content(answer) && !collects {
        return Err("its content was served twice".to_owned());
    }
    // After the whole answer has been seen, there is nothing left to wait for.
    let after = exchange.kind == ExchangeKind::Resend && exchange.sent_us >= bought.ended_us;
    if after && collects && !is_content(answer) {
        return Err("the content that was paid for could not be collected again".to_owned());
    }
    if after && !collects && answer.status != 409 {
        return Err("a spent payment was not refused with 409".to_owned());
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
    use crate::judge::testing::*;
    use reports::{event::PaymentResponse, verdict::Verdict};

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
        assert_eq!(verdict(bought().sent("p1", ExchangeKind::Resend, 409, |_, answer| spent(answer))), Verdict::Pass);
        let other = |exchange: &mut Exchange, answer: &mut Answer| {
            exchange.target = "/t/acme/dearer".to_owned();
            spent(answer);
        };
        assert_eq!(verdict(bought().sent("p1", ExchangeKind::Elsewhere, 409, other)), Verdict::Pass);
        assert_eq!(verdict(bought()), Verdict::Unknown);
    }

    #[test]
    fn the_same_request_by_host_is_no_other_request() {
        let by_host = |exchange: &mut Exchange, answer: &mut Answer| {
            exchange.target = "/".to_owned();
            spent(answer);
        };
        assert_eq!(verdict(bought().sent("p1", ExchangeKind::Resend, 409, by_host)), Verdict::Pass);
    }

    #[test]
    fn content_twice_is_seen_unless_an_identifier_asks_for_it() {
        let twice = bought().sent("p1", ExchangeKind::Duplicate, 200, |_, _| {});
        assert_eq!(shown(&judge(&twice.history())), [5, 6]);
        let identified = |exchange: &mut Exchange, _: &mut Answer| exchange.identifier = Some("id".to_owned());
        let story = || {
            let settled = Story::new().settled("p1", "primary").told("p1");
            settled.sent("p1", ExchangeKind::Payment, 200, identified)
        };
        assert_eq!(verdict(story().sent("p1", ExchangeKind::Resend, 200, identified)), Verdict::Pass);
        let withheld = story().sent("p1", ExchangeKind::Resend, 409, identified);
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
        let nameless = bought().sent("p1", ExchangeKind::Resend, 409, |_, _| {});
        assert_eq!(shown(&judge(&nameless.history())), [2, 4, 6]);
    }
}
