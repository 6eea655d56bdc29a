//! What a fault does to the calls it takes. A facilitator double carries it out; here is only what it is and which call
//! it can be on, because a fault that makes no sense on its call would silently never bite.

use super::{FAULTS, about::Moves};
use crate::Call;
use grammar::{
    Listed, Problem, Problems, Usdc,
    limits::{MAX_BUSY_CALLS, MAX_DEEP_LEVELS, MAX_HUGE_KILOBYTES},
    text::{PriceText, TimeText},
    time,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{ops::Range, time::Duration};
use toml::Spanned;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inject {
    Refuse,
    Reset {
        after: ResetAfter,
    },
    Hang,
    SettleThenHang,
    SettleThenReset,
    SettleThenStatus {
        code: u16,
        body: SettledBody,
    },
    SettleThenDecline {
        /// Absent, empty, a code or free text.
        reason: Option<String>,
        status: u16,
        transaction: NamedTransaction,
    },
    Truncate,
    Drip {
        every: Duration,
    },
    Garbage,
    Slow {
        by: Duration,
    },
    SlowCheck {
        by: Duration,
        only: Unproven,
        /// Whatever pays this much, whoever has signed it: accounts may have code.
        at: Option<Usdc>,
    },
    Busy {
        calls_per_second: u64,
    },
    Throws {
        /// Whatever pays this much, in place of what the library throws at.
        at: Option<Usdc>,
    },
    AnyCase,
    EmptyStrings {
        fields: Vec<EmptyField>,
    },
    Numbers,
    Status {
        code: u16,
        body: StatusBody,
    },
    Redirect {
        code: u16,
    },
    BadJson,
    WrongShape,
    Huge {
        kilobytes: usize,
    },
    Deep {
        levels: usize,
    },
    Pending {
        style: PendingStyle,
        /// How many answers a payment gets that say so; the next one is final. `None`: all of them.
        answers: Option<u64>,
    },
    Forget {
        /// Its answer to a repeat: as the chain says it unless given.
        says: Option<String>,
    },
    Decline {
        reason: String,
    },
    /// On `verify`, `money` is always `Kept`.
    Lie {
        about: LieAbout,
        money: Money,
    },
}

/// The moment of the exchange at which the connection is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResetAfter {
    /// At the request line: the call did not get through.
    Accept,
    /// With the whole request read: the caller may think that it was acted on.
    Head,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StatusBody {
    Html,
    Empty,
    Json,
}

/// The body under an error status although the money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SettledBody {
    Html,
    Empty,
    Json,
    /// The honest answer: the body says yes and the status no.
    Answer,
}

/// The transaction that a refusal names although the money moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NamedTransaction {
    #[default]
    None,
    /// The one in which the money moved.
    Own,
    /// One that stands on no chain, as of an attempt that failed before the one that did not.
    Other,
}

/// Whose check takes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unproven {
    /// Payments whose signature does not recover to their payer, so that a contract has to be asked.
    Unproven,
}

/// A member of an answer that some facilitators send empty where others leave it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EmptyField {
    /// `errorReason` of a settlement, `invalidReason` of a verification.
    Reason,
    Payer,
    Amount,
}

/// Facilitators agree on the word `settlement_pending` and on nothing around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PendingStyle {
    /// HTTP 500 and the transaction.
    #[default]
    Coinbase,
    /// HTTP 200, a `paymentId` and no transaction.
    Circle,
    /// The same under HTTP 202.
    Accepted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LieAbout {
    /// Names somebody else as the payer.
    Payer,
    /// Success with an empty transaction.
    Transaction,
    /// Names another network.
    Network,
    /// Names another amount.
    Amount,
    /// Names the transaction of another payment of the same payer. Honest where there was none.
    Earlier,
    /// Success, plain and whole, of what did not happen.
    Success,
}

/// Whether the transfer took place behind a lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Money {
    Moved,
    Kept,
}

impl Inject {
    /// Every fault, as `harness list --faults` shows it. A test holds it equal to what the TOML reader accepts.
    pub const CATALOGUE: [Listed; FAULTS.len()] = {
        let mut listed = [FAULTS[0].listed; FAULTS.len()];
        let mut n = 0;
        while n < FAULTS.len() {
            listed[n] = FAULTS[n].listed;
            n += 1;
        }
        listed
    };

    /// Whether the money of a settlement moves under it.
    #[must_use]
    pub fn moves(&self) -> Money {
        let about = FAULTS.iter().find(|about| about.listed.name == self.name()).expect("a test finds each");
        match (about.moves, self) {
            (Moves::Always, _) => Money::Moved,
            (Moves::Never, _) => Money::Kept,
            (Moves::AsItSays, Self::Lie { money, .. }) => *money,
            (Moves::AsItSays, _) => Money::Moved,
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Reset { .. } => "reset",
            Self::Hang => "hang",
            Self::SettleThenHang => "settle-then-hang",
            Self::SettleThenReset => "settle-then-reset",
            Self::SettleThenStatus { .. } => "settle-then-status",
            Self::SettleThenDecline { .. } => "settle-then-decline",
            Self::SlowCheck { .. } => "slow-check",
            Self::Busy { .. } => "busy",
            Self::Throws { .. } => "throws",
            Self::AnyCase => "any-case",
            Self::EmptyStrings { .. } => "empty-strings",
            Self::Numbers => "numbers",
            Self::Truncate => "truncate",
            Self::Drip { .. } => "drip",
            Self::Garbage => "garbage",
            Self::Slow { .. } => "slow",
            Self::Status { .. } => "status",
            Self::BadJson => "bad-json",
            Self::WrongShape => "wrong-shape",
            Self::Redirect { .. } => "redirect",
            Self::Huge { .. } => "huge",
            Self::Deep { .. } => "deep",
            Self::Pending { .. } => "pending",
            Self::Forget { .. } => "forget",
            Self::Decline { .. } => "decline",
            Self::Lie { .. } => "lie",
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[schemars(rename = "Inject")]
pub enum RawInject {
    Refuse {},
    Reset {
        after: ResetAfter,
    },
    Hang {},
    SettleThenHang {},
    SettleThenReset {},
    SettleThenStatus {
        #[schemars(with = "u16", range(min = 300, max = 599))]
        code: Spanned<u16>,
        body: SettledBody,
    },
    SettleThenDecline {
        /// The reason of the refusal, in whatever words; none unless given.
        reason: Option<String>,
        /// 200 unless given.
        #[schemars(with = "Option<u16>", range(min = 200, max = 599))]
        status: Option<Spanned<u16>>,
        /// The transaction that it names: `none` unless given.
        #[serde(default)]
        transaction: NamedTransaction,
    },
    Truncate {},
    Drip {
        /// Between two bytes.
        #[schemars(with = "TimeText")]
        every: Spanned<String>,
    },
    Garbage {},
    Slow {
        #[schemars(with = "TimeText")]
        by: Spanned<String>,
    },
    SlowCheck {
        #[schemars(with = "TimeText")]
        by: Spanned<String>,
        only: Unproven,
        #[schemars(with = "Option<PriceText>")]
        at: Option<Spanned<String>>,
    },
    Busy {
        #[schemars(with = "u64", range(min = 1, max = MAX_BUSY_CALLS))]
        calls_per_second: Spanned<u64>,
    },
    Throws {
        #[schemars(with = "Option<PriceText>")]
        at: Option<Spanned<String>>,
    },
    AnyCase {},
    EmptyStrings {
        #[schemars(with = "Vec<EmptyField>", length(min = 1))]
        fields: Spanned<Vec<EmptyField>>,
    },
    Numbers {},
    Status {
        #[schemars(with = "u16", range(min = 300, max = 599))]
        code: Spanned<u16>,
        body: StatusBody,
    },
    Redirect {
        #[schemars(with = "u16", extend("enum" = REDIRECTS))]
        code: Spanned<u16>,
    },
    BadJson {},
    WrongShape {},
    Huge {
        #[schemars(with = "usize", range(min = 1, max = MAX_HUGE_KILOBYTES))]
        kilobytes: Spanned<usize>,
    },
    Deep {
        #[schemars(with = "usize", range(min = 1, max = MAX_DEEP_LEVELS))]
        levels: Spanned<usize>,
    },
    Pending {
        /// Whose way of saying it: Coinbase's unless given.
        style: Option<PendingStyle>,
        /// How many answers a payment gets that say so: all unless given.
        #[schemars(with = "Option<u64>", range(min = 1))]
        answers: Option<Spanned<u64>>,
    },
    Forget {
        /// An x402 reason code: nonce already used unless given.
        #[schemars(with = "Option<String>", regex(pattern = "^[a-z0-9_]+$"))]
        says: Option<Spanned<String>>,
    },
    Decline {
        /// An x402 reason code.
        #[schemars(with = "String", regex(pattern = "^[a-z0-9_]+$"))]
        reason: Spanned<String>,
    },
    Lie {
        about: LieAbout,
        /// On settle: whether the money moved behind it.
        #[schemars(with = "Option<Money>")]
        money: Option<Spanned<Money>>,
    },
}

impl RawInject {
    /// `at` is where the whole `inject` value stands.
    pub fn check(self, at: Range<usize>, call: Call, picky: bool, problems: &mut Problems) -> Option<Inject> {
        let inject = match self {
            Self::Refuse {} => Inject::Refuse,
            Self::Reset { after } => Inject::Reset { after },
            Self::Hang {} => Inject::Hang,
            Self::SettleThenHang {} => Inject::SettleThenHang,
            Self::SettleThenReset {} => Inject::SettleThenReset,
            Self::SettleThenStatus { code, body } => {
                Inject::SettleThenStatus { code: check_code(&code, problems)?, body }
            }
            Self::SettleThenDecline { reason, status, transaction } => {
                let status = match status {
                    Some(raw) => check_answered(&raw, problems)?,
                    None => 200,
                };
                Inject::SettleThenDecline { reason, status, transaction }
            }
            Self::SlowCheck { by, only, at } => {
                let by = time::check_positive(&by, problems)?;
                let at = match at {
                    Some(at) => Some(Usdc::check(&at, problems)?),
                    None => None,
                };
                Inject::SlowCheck { by, only, at }
            }
            Self::Busy { calls_per_second } => {
                Inject::Busy { calls_per_second: check_calls(&calls_per_second, problems)? }
            }
            Self::Throws { at: None } => Inject::Throws { at: None },
            Self::Throws { at: Some(at) } => Inject::Throws { at: Some(Usdc::check(&at, problems)?) },
            Self::AnyCase {} => Inject::AnyCase,
            Self::EmptyStrings { fields } if fields.get_ref().is_empty() => {
                problems.add(Problem::new(fields.span(), "no member would be empty", "at least one"));
                return None;
            }
            Self::EmptyStrings { fields } => Inject::EmptyStrings { fields: fields.into_inner() },
            Self::Numbers {} => Inject::Numbers,
            Self::Truncate {} => Inject::Truncate,
            Self::Drip { every } => Inject::Drip { every: time::check_positive(&every, problems)? },
            Self::Garbage {} => Inject::Garbage,
            Self::Slow { by } => Inject::Slow { by: time::check_positive(&by, problems)? },
            Self::Status { code, body } => Inject::Status { code: check_code(&code, problems)?, body },
            Self::BadJson {} => Inject::BadJson,
            Self::WrongShape {} => Inject::WrongShape,
            Self::Redirect { code } => Inject::Redirect { code: check_redirect(&code, problems)? },
            Self::Huge { kilobytes } => {
                Inject::Huge { kilobytes: check_size(&kilobytes, MAX_HUGE_KILOBYTES, "kilobytes", problems)? }
            }
            Self::Deep { levels } => Inject::Deep { levels: check_size(&levels, MAX_DEEP_LEVELS, "levels", problems)? },
            Self::Pending { style, answers } => {
                let answers = match answers {
                    Some(raw) => Some(check_answers(&raw, problems)?),
                    None => None,
                };
                Inject::Pending { style: style.unwrap_or_default(), answers }
            }
            Self::Forget { says } => {
                let says = match says {
                    Some(raw) => Some(check_reason(raw, problems)?),
                    None => None,
                };
                Inject::Forget { says }
            }
            Self::Decline { reason } => Inject::Decline { reason: check_reason(reason, problems)? },
            Self::Lie { about, money } => check_lie(at.clone(), call, about, money, problems)?,
        };
        let sense = match inject {
            Inject::Refuse if call != Call::Any => Some(("a closed port closes to every call", "write call = \"any\"")),
            Inject::Refuse if picky => Some(("a closed port cannot pick its calls", "leave `pick` out")),
            Inject::SettleThenHang
            | Inject::SettleThenReset
            | Inject::SettleThenStatus { .. }
            | Inject::SettleThenDecline { .. }
            | Inject::Pending { .. }
            | Inject::Forget { .. }
                if call != Call::Settle =>
            {
                Some(("money moves on settle only", "write call = \"settle\""))
            }
            _ => None,
        };
        if let Some((why, help)) = sense {
            let what = format!("`{}` cannot be on call = \"{}\"", inject.name(), call.as_str());
            problems.add(Problem::new(at, what, why).help(help));
            return None;
        }
        Some(inject)
    }
}

fn check_code(raw: &Spanned<u16>, problems: &mut Problems) -> Option<u16> {
    if !(300..=599).contains(raw.get_ref()) {
        let problem = Problem::new(raw.span(), "a status fault answers with 300 to 599", "not an error status");
        problems.add(problem.help("for a 200 that is wrong see bad-json, wrong-shape and lie"));
        return None;
    }
    Some(*raw.get_ref())
}

fn check_answered(raw: &Spanned<u16>, problems: &mut Problems) -> Option<u16> {
    if !(200..=599).contains(raw.get_ref()) {
        problems.add(Problem::new(raw.span(), "a refusal is answered with 200 to 599", "no final status"));
        return None;
    }
    Some(*raw.get_ref())
}

fn check_calls(raw: &Spanned<u64>, problems: &mut Problems) -> Option<u64> {
    if !(1..=MAX_BUSY_CALLS).contains(raw.get_ref()) {
        let what = format!("a busy facilitator takes 1 to {MAX_BUSY_CALLS} calls in a second");
        problems.add(Problem::new(raw.span(), what, "out of range"));
        return None;
    }
    Some(*raw.get_ref())
}

const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

fn check_redirect(raw: &Spanned<u16>, problems: &mut Problems) -> Option<u16> {
    if !REDIRECTS.contains(raw.get_ref()) {
        let problem = Problem::new(raw.span(), "this status does not redirect", "no redirect");
        problems.add(problem.help("301, 302, 303, 307 or 308"));
        return None;
    }
    Some(*raw.get_ref())
}

fn check_size(raw: &Spanned<usize>, most: usize, what: &str, problems: &mut Problems) -> Option<usize> {
    if !(1..=most).contains(raw.get_ref()) {
        problems.add(Problem::new(raw.span(), format!("an answer has 1 to {most} {what} more"), "out of range"));
        return None;
    }
    Some(*raw.get_ref())
}

fn check_answers(raw: &Spanned<u64>, problems: &mut Problems) -> Option<u64> {
    if *raw.get_ref() == 0 {
        let problem = Problem::new(raw.span(), "no answer would say pending", "at least 1");
        problems.add(problem.help("leave `answers` out for a settlement that stays pending"));
        return None;
    }
    Some(*raw.get_ref())
}

fn check_reason(raw: Spanned<String>, problems: &mut Problems) -> Option<String> {
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if raw.get_ref().is_empty() || !raw.get_ref().bytes().all(fine) {
        let problem = Problem::new(raw.span(), "the reason is not an x402 reason code", "not a code");
        problems.add(problem.help("lower-case letters, digits and underscores: \"insufficient_funds\""));
        return None;
    }
    Some(raw.into_inner())
}

fn check_lie(
    at: Range<usize>,
    call: Call,
    about: LieAbout,
    money: Option<Spanned<Money>>,
    problems: &mut Problems,
) -> Option<Inject> {
    let wrong = |what: &str, help: &str| Some(Problem::new(at.clone(), what, "this lie").help(help));
    let problem = match (call, about, money.as_ref().map(Spanned::get_ref)) {
        (Call::Any, ..) => wrong("verify and settle lie differently", "write call = \"verify\" or call = \"settle\""),
        (Call::Verify, LieAbout::Transaction | LieAbout::Network | LieAbout::Amount | LieAbout::Earlier, _) => {
            wrong("a verify answer says nothing of that", "on verify, lie about \"payer\" or \"success\"")
        }
        (Call::Verify, _, Some(_)) => wrong("no money moves on verify", "leave `money` out"),
        (Call::Settle, LieAbout::Success, Some(Money::Moved)) => {
            wrong("success is no lie when the money moved", "write money = \"kept\"")
        }
        (Call::Settle, _, None) => {
            wrong("a lie on settle says whether the money moved behind it", "add money = \"moved\" or money = \"kept\"")
        }
        _ => None,
    };
    if let Some(problem) = problem {
        problems.add(problem);
        return None;
    }
    Some(Inject::Lie { about, money: money.map_or(Money::Kept, Spanned::into_inner) })
}
