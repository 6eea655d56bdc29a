//! What one server did in one row, and what is to be said of it. Judged by the doubles' chain and by what the client got, not by
//! what the server says of itself.

use super::row::Deed;
use std::fmt;

/// The story of one row at one server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// In their order; those that were sent together are sorted by status.
    pub answers: Vec<Answer>,
    /// The client's step after the first of them.
    pub next: Vec<Step>,
    pub handler_runs: usize,
    /// The number of calls that began before the first answer was in.
    pub verify_calls: usize,
    pub settle_calls: usize,
    /// Transfers on the chain.
    pub moved: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// `None`: the connection ended without one.
    pub status: Option<u16>,
    /// The content of `PAYMENT-RESPONSE`, or of its version 1 form.
    pub payment_response: Option<String>,
    /// Transfers that stood on the chain when it was in.
    pub moved_by_then: usize,
    /// Whether it came with a body that could be content.
    pub has_body: bool,
}

/// The step of a conforming client after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It was billed: signs a new payment.
    SignsAgain,
    /// It was told to wait: sends the same payment.
    Resends,
    /// It was told neither.
    GivesUp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Sound,
    /// More money moved than was bought with.
    ChargedTwice,
    /// Money moved and no content came of it.
    ChargedForNothing,
    /// Money moved, and the client was last told that the outcome is open and the same payment still good.
    StillOpen,
    /// Content left and no money moved.
    ServedUnpaid,
    /// Content was made more often than it was paid for.
    ServedAgain,
    /// A bill went out for a payment that had gone through.
    BilledAgain,
    /// Another status than the specification's.
    OtherStatus(u16),
}

impl Answer {
    fn is_content(&self) -> bool {
        self.has_body && matches!(self.status, Some(200..=299))
    }
}

impl Observed {
    pub fn served(&self) -> usize {
        self.answers.iter().filter(|answer| answer.is_content()).count()
    }

    pub fn is_sound(&self, deed: Deed, specified: Option<u16>) -> bool {
        self.verdicts(deed, specified).iter().all(|verdict| matches!(verdict, Verdict::Sound | Verdict::StillOpen))
    }

    /// Everything that is wrong with it; one `Sound` where nothing is. `specified`: the status that the specification asks for.
    pub fn verdicts(&self, deed: Deed, specified: Option<u16>) -> Vec<Verdict> {
        let billed_again = |answer: &Answer| answer.status == Some(402) && answer.moved_by_then > 0;
        // What another request costs is another bill.
        let one_request = deed != Deed::Elsewhere;
        let open = self.answers.last().is_some_and(|last| last.status == Some(503));
        let unserved = self.moved > 0 && self.served() == 0;
        let made = self.handler_runs.min(self.served());
        let found = [
            (self.moved > 1).then_some(Verdict::ChargedTwice),
            (unserved && !open).then_some(Verdict::ChargedForNothing),
            (unserved && open).then_some(Verdict::StillOpen),
            (self.moved == 0 && self.served() > 0).then_some(Verdict::ServedUnpaid),
            (self.moved > 0 && made > self.moved).then_some(Verdict::ServedAgain),
            (one_request && self.answers.iter().any(billed_again)).then_some(Verdict::BilledAgain),
            specified
                .filter(|status| self.answers.first().and_then(|first| first.status) != Some(*status))
                .map(Verdict::OtherStatus),
        ];
        let found: Vec<_> = found.into_iter().flatten().collect();
        if found.is_empty() { vec![Verdict::Sound] } else { found }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sound => f.write_str("sound"),
            Self::ChargedTwice => f.write_str("**charged twice**"),
            Self::ChargedForNothing => f.write_str("**charged for nothing**"),
            Self::StillOpen => f.write_str("open: the payment still collects"),
            Self::ServedUnpaid => f.write_str("**served unpaid**"),
            Self::ServedAgain => f.write_str("**served more than was paid**"),
            Self::BilledAgain => f.write_str("**billed again after the money moved**"),
            Self::OtherStatus(status) => write!(f, "the specification says {status}"),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{status}"),
            None => f.write_str("no answer"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SignsAgain => "signs again",
            Self::Resends => "resends",
            Self::GivesUp => "gives up",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, moved_by_then: usize) -> Answer {
        Answer { status: Some(status), payment_response: None, moved_by_then, has_body: true }
    }

    fn observed(answers: &[Answer], handler_runs: usize, moved: usize) -> Observed {
        Observed { answers: answers.to_vec(), handler_runs, moved, ..Observed::default() }
    }

    #[test]
    fn each_wrong_is_called_by_its_name() {
        use Verdict::*;
        let verdicts = |answers: &[Answer], runs, moved| observed(answers, runs, moved).verdicts(Deed::Buy("/"), None);
        assert_eq!(verdicts(&[answer(200, 1)], 1, 1), [Sound]);
        assert_eq!(verdicts(&[answer(503, 1), answer(200, 1)], 1, 1), [Sound]);
        assert_eq!(verdicts(&[answer(402, 1), answer(200, 2)], 2, 2), [ChargedTwice, BilledAgain]);
        assert_eq!(verdicts(&[answer(502, 1)], 1, 1), [ChargedForNothing]);
        assert_eq!(verdicts(&[answer(503, 1)], 1, 1), [StillOpen]);
        assert_eq!(verdicts(&[Answer { has_body: false, ..answer(200, 1) }], 1, 1), [ChargedForNothing]);
        assert_eq!(verdicts(&[answer(200, 0)], 1, 0), [ServedUnpaid]);
        assert_eq!(verdicts(&[answer(200, 1), answer(200, 1)], 2, 1), [ServedAgain]);
        // A stored response is the same content, however often it is collected.
        assert_eq!(verdicts(&[answer(200, 1), answer(200, 1)], 1, 1), [Sound]);
        let elsewhere = observed(&[answer(200, 1), answer(402, 1)], 1, 1);
        assert_eq!(elsewhere.verdicts(Deed::Elsewhere, None), [Sound]);
        assert_eq!(elsewhere.verdicts(Deed::Again, None), [BilledAgain]);
        assert_eq!(observed(&[answer(402, 0)], 0, 0).verdicts(Deed::Buy("/"), Some(400)), [OtherStatus(400)]);
    }
}
