//! Rates of a plan: what a tenant, one of its payers and one of its callers' addresses may send. The platform counts the same
//! for all isolates of a location, and is asked about whatever is busy here.

use super::{
    TurnedAway,
    gate::{Count, Gate, Of, fits},
    key,
    meter::{Event, Rule, Verdict},
};
use crate::ports::{RateLimiter, Rung};
use std::rc::Rc;
use x402_paywall::{UnixMillis, ports::Clock};

/// The most that is asked of the location at once. More is not worth the calls.
const MAX_QUESTIONS: usize = 32;

/// One thing that the location is to be asked: it counts one more.
#[derive(Clone, Debug)]
pub(super) struct Question {
    rung: Rung,
    /// The same in every isolate.
    text: String,
    count: Count,
}

/// Questions to the location, for beside an answer.
#[derive(Debug)]
#[must_use]
pub struct Questions {
    gate: Rc<Gate>,
    questions: Vec<Question>,
}

impl Questions {
    /// Asks it, and has the gate go by what it says.
    pub async fn ask(self, limiter: &impl RateLimiter, clock: &impl Clock) {
        for Question { rung, text, count } in self.questions {
            if !limiter.count(rung, &text).await {
                self.gate.step(count, Event::FullElsewhere, clock.now());
            }
        }
    }
}

impl Gate {
    /// Takes what the location is to be asked, if there is anything.
    pub fn questions(self: &Rc<Self>) -> Option<Questions> {
        let questions = std::mem::take(&mut self.seen.borrow_mut().questions);
        (!questions.is_empty()).then(|| Questions { gate: Rc::clone(self), questions })
    }

    /// Counts one more under a rate.
    pub(super) fn rate(
        &self,
        of: Of,
        figure: u32,
        tenant: &str,
        whose: &str,
        now: UnixMillis,
    ) -> Result<Count, TurnedAway> {
        let count = self.counter(of, figure, tenant, whose);
        let verdict = self.step(count, Event::Came, now);
        let questions = &mut self.seen.borrow_mut().questions;
        if let (Verdict::Fits { is_busy: true }, Some(rung)) = (verdict, Rung::at_least(figure))
            && questions.len() < MAX_QUESTIONS
        {
            questions.push(Question { rung, text: text(of, tenant, whose), count });
        }
        fits(verdict).map(|()| count)
    }

    pub(super) fn counter(&self, of: Of, figure: u32, tenant: &str, whose: &str) -> Count {
        let key = key::joined(of as u8, &[self.name(of, &[tenant, whose])]);
        Count { of, key, rule: Rule::rate(figure) }
    }
}

/// The name under which the platform counts.
fn text(of: Of, tenant: &str, whose: &str) -> String {
    let what = match of {
        Of::TenantFree => "free",
        Of::TenantPaid => "paid",
        Of::Payer => "payer",
        _ => "address",
    };
    [what, ":", tenant, ":", whose].concat()
}
