//! Payments whose settlement's answer gets lost: money moved, and the dispatcher cannot know it. None of them may be answered
//! with a new bill, and each must be served once the facilitator speaks again.

use std::time::Duration;

use gate::{CheckRecord, Outcome};
use harness::bench::load::{LoadError, Target, connect, exchange};
use hyper::header::HeaderValue;
use system::clock::{Clock, SystemClock};

use crate::server::check;

/// How long a dispatcher may take to find out.
const WITHIN: Duration = Duration::from_secs(60);
/// Between two tries.
const PAUSE: Duration = Duration::from_secs(2);

/// Presents each payment once, and gives the statuses.
pub async fn ask(target: &Target, payments: &[HeaderValue]) -> Result<Vec<u16>, LoadError> {
    let mut connection = connect(target).await?;
    let mut statuses = Vec::new();
    for payment in payments {
        let (response, _) = exchange(&mut connection, target, Some(payment.clone())).await?;
        statuses.push(response.status().as_u16());
    }
    Ok(statuses)
}

/// Presents each again until it is served, as clients are told to, and gives the last statuses. One that was billed anew has its
/// answer.
pub async fn collect(target: &Target, payments: &[HeaderValue]) -> Result<Vec<u16>, LoadError> {
    let clock = SystemClock::start();
    loop {
        let statuses = ask(target, payments).await?;
        let is_final = statuses.iter().all(|status| *status != 503);
        if is_final || Duration::from_micros(clock.now_us()) > WITHIN {
            return Ok(statuses);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// `first` is what each got while answers were lost, `last` once they were not.
#[must_use]
pub fn judge(first: &[u16], last: &[u16]) -> CheckRecord {
    let count = |statuses: &[u16], wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    let all = first.len();
    let (billed, pending, served) = (count(first, 402) + count(last, 402), count(first, 503), count(last, 200));
    let outcome = match () {
        () if all == 0 => Outcome::NotRun,
        () if billed > 0 || served < all => Outcome::Fail,
        // Nobody was in doubt, so nothing was seen.
        () if pending == 0 => Outcome::Unknown,
        () => Outcome::Pass,
    };
    let detail = format!(
        "of {all} payments that had moved money unseen, {pending} were told to wait, {billed} were billed again, and {served} were \
         served in the end"
    );
    check("LOAD-UNKNOWN", "an unknown outcome is never a new bill", outcome, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_bill_is_seen_and_so_is_one_who_is_never_served() {
        let outcome = |first: &[u16], last: &[u16]| judge(first, last).outcome;
        assert_eq!(outcome(&[503, 503], &[200, 200]), Outcome::Pass);
        assert_eq!(outcome(&[402, 503], &[200, 200]), Outcome::Fail);
        assert_eq!(outcome(&[503, 503], &[200, 503]), Outcome::Fail);
        assert_eq!(outcome(&[503, 503], &[200, 402]), Outcome::Fail);
        assert_eq!(outcome(&[200, 200], &[200, 200]), Outcome::Unknown);
        assert_eq!(outcome(&[], &[]), Outcome::NotRun);
    }
}
