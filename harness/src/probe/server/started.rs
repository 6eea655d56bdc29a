//! A server under faults: started anew for each, with a facilitator double that misbehaves as the row of the conformance
//! table says, and judged by the double's chain.

use super::{Asked, paid};
use crate::{
    comparison::{Client, ConformanceError, Deed, Method, Observed, QUOTE, Row, Step, Verdict, rows},
    exit::Exit,
    http::{
        bounded::{BoundedHttp, NoAnswer, answer},
        request_form::RequestForm,
    },
    probe::{
        check::{Check, Level, Outcome},
        target::Target,
    },
};
use doubles::{Chain, FacilitatorDouble, FaultSpec, Terms};
use journal::Journal;
use std::{
    ffi::OsString,
    path::PathBuf,
    process::ExitStatus,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use system::{
    clock::{Clock, SystemClock},
    guard::{Files, Guard, GuardError, Guarded, GuardedCommand},
};
use tokio::io::{AsyncRead, AsyncReadExt};
use traffic::Payers;

/// The word of a command that stands for the double's URL.
const PLACEHOLDER: &str = "{facilitator}";

/// How long a server may take to answer; some compile themselves first.
const READY_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// The bytes of its output that an error shows.
const TAIL_BYTES: usize = 2_000;

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Start {
    /// For `sh -c`, with `{facilitator}` where the double's URL belongs.
    pub command: String,
    /// The environment variable that has it, too.
    pub variable: String,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum StartError {
    #[error("something answers at {0} already")]
    #[diagnostic(help("stop it: --start starts the server itself, once for each fault"))]
    Taken(String),
    #[error("the server ended before it answered ({status}); it said:\n{said}")]
    Ended { status: ExitStatus, said: String },
    #[error("the server did not answer at {url} within {} s; it said:\n{said}", READY_WITHIN.as_secs())]
    NeverReady { url: String, said: String },
    #[error("{0} answered once and then no more")]
    Silent(String, #[source] NoAnswer),
    #[error(transparent)]
    Guard(#[from] GuardError),
    #[error("a double on loopback")]
    Double(#[source] std::io::Error),
    #[error("{row}")]
    Row { row: &'static str, source: Box<ConformanceError> },
    #[error("the HTTP client")]
    Http(#[source] reqwest::Error),
}

impl StartError {
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Taken(_) | Self::Ended { .. } | Self::NeverReady { .. } | Self::Silent(..) => Exit::DidNotStart,
            Self::Row { source, .. } => source.exit(),
            Self::Guard(_) | Self::Double(_) | Self::Http(_) => Exit::Internal,
        }
    }
}

/// The offer and a purchase while all is well, then every row that needs nothing of the handler.
pub async fn check(
    http: &BoundedHttp,
    target: &Target,
    form: &RequestForm,
    start: &Start,
    say: &dyn Fn(&str),
) -> Result<Vec<Check>, StartError> {
    say("the offer and a purchase, with a facilitator that is well");
    let shop = Shop::open(http, target, form, start, Vec::new()).await?;
    let looked = first_look(http, target, form, &shop.chain).await;
    shop.close().await?;
    let (mut checks, can_pay) = looked.map_err(|error| StartError::Silent(target.as_str().to_owned(), error))?;
    // What a handler does when it is asked for something else is the server's own affair.
    let rows: Vec<Row> =
        rows().into_iter().filter(|row| !matches!(row.deed, Deed::Buy(path) if path != QUOTE)).collect();
    let count = rows.len();
    for (n, row) in rows.into_iter().enumerate() {
        if let Err(why) = &can_pay {
            checks.push(unseen(n + 1, &row, Outcome::NotJudged, why));
            continue;
        }
        if matches!(row.deed, Deed::Head | Deed::Unpaid(Method::Head)) && form.method() != reqwest::Method::GET {
            let why = format!("what is sold here is asked for by {}", form.method());
            checks.push(unseen(n + 1, &row, Outcome::DoesNotApply, &why));
            continue;
        }
        say(&format!("[{}/{count}] {}", n + 1, row.name));
        let shop = Shop::open(http, target, form, start, row.faults.clone()).await?;
        let observed = shop.play(target, form, &row).await;
        shop.close().await?;
        checks.push(judge(n + 1, &row, &observed?));
    }
    Ok(checks)
}

/// Every check that a well facilitator allows, and why nothing can be bought, if so.
async fn first_look(
    http: &BoundedHttp,
    target: &Target,
    form: &RequestForm,
    chain: &Chain,
) -> Result<(Vec<Check>, Result<(), String>), NoAnswer> {
    let mut checks = super::check(http, target, form).await?;
    let asked = Asked::unpaid(http, target, form).await?;
    checks.extend(paid::check(&asked, &|| chain.transfers()).await);
    Ok((checks, asked.bill.invoice.map(|_| ())))
}

/// A running server and its double.
struct Shop {
    chain: Arc<Chain>,
    double: FacilitatorDouble,
    server: Guarded,
    clock: Arc<SystemClock>,
}

impl Shop {
    async fn open(
        http: &BoundedHttp,
        target: &Target,
        form: &RequestForm,
        start: &Start,
        faults: Vec<FaultSpec>,
    ) -> Result<Self, StartError> {
        let answers = async || answer(form.request(http.client(), target.as_str())).await.is_ok();
        if answers().await {
            return Err(StartError::Taken(target.as_str().to_owned()));
        }
        let clock = Arc::new(SystemClock::start());
        let (journal, seen) = Journal::channel(Arc::clone(&clock) as Arc<dyn Clock>);
        // The chain says all that is judged here.
        drop(seen);
        let chain = Arc::new(Chain::new(journal.clone()));
        let double =
            FacilitatorDouble::start("primary".to_owned(), Terms::default(), Arc::clone(&chain), faults, journal)
                .await
                .map_err(StartError::Double)?;
        let command = command(start, &double.url());
        let (mut server, output) = Guard::this_program().spawn(&command)?;
        let said = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(keep_tail(output.stdout, Arc::clone(&said)));
        tokio::spawn(keep_tail(output.stderr, Arc::clone(&said)));
        let said = || {
            let said = said.lock().unwrap_or_else(PoisonError::into_inner);
            String::from_utf8_lossy(&said).chars().filter(|one| *one == '\n' || !one.is_control()).collect::<String>()
        };
        let ready = async {
            while !answers().await {
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::select! {
            () = ready => {}
            ended = server.wait_exit() => return Err(StartError::Ended { status: ended?, said: said() }),
            () = tokio::time::sleep(READY_WITHIN) => {
                server.kill().await?;
                return Err(StartError::NeverReady { url: target.as_str().to_owned(), said: said() });
            }
        }
        Ok(Self { chain, double, server, clock })
    }

    async fn play(&self, target: &Target, form: &RequestForm, row: &Row) -> Result<Observed, StartError> {
        let failed = |source| StartError::Row { row: row.name, source: Box::new(source) };
        let payers = Payers::from_seed(fastrand::u64(..));
        let moved = || self.chain.transfers();
        let (path, origin) = (target.path(), target.origin());
        // Bound to its query, a payment is not this request's.
        let another = format!("{path}{}conform=another", if path.contains('?') { '&' } else { '?' });
        let client = Client {
            http: crate::comparison::http().map_err(StartError::Http)?,
            url: &origin,
            host: None,
            quote: &path,
            another: &another,
            form,
            clock: self.clock.as_ref(),
            payers: &payers,
            moved: &moved,
        };
        let story = client.act(row.deed).await.map_err(failed)?;
        let observed =
            Observed { answers: story.answers, next: story.next, moved: self.chain.transfers(), ..Observed::default() };
        // Nobody outside sees who made the content: what is collected again was made once, what is got at once was not.
        let handler_runs = if row.deed == Deed::Again { 1 } else { observed.served() };
        Ok(Observed { handler_runs, ..observed })
    }

    async fn close(mut self) -> Result<(), StartError> {
        self.server.stop().await?;
        self.double.stop().await.map_err(StartError::Double)
    }
}

fn command(start: &Start, facilitator: &str) -> GuardedCommand {
    let mut env: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    env.push((start.variable.clone().into(), facilitator.into()));
    let text = start.command.replace(PLACEHOLDER, facilitator);
    let cwd = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    let args = vec!["-c".into(), text.into()];
    GuardedCommand { program: PathBuf::from("/bin/sh"), args, env, cwd, files: Files::AsUsual }
}

async fn keep_tail(mut output: impl AsyncRead + Unpin, said: Arc<Mutex<Vec<u8>>>) {
    let mut chunk = [0; 1024];
    while let Ok(read @ 1..) = output.read(&mut chunk).await {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend_from_slice(&chunk[..read]);
        let beyond = said.len().saturating_sub(TAIL_BYTES);
        said.drain(..beyond);
    }
}

/// The evidence for every row.
const RESTS_ON: &str = "what the payer paid and got, by the facilitator double's own chain";

fn judge(number: usize, row: &Row, observed: &Observed) -> Check {
    let verdicts = observed.verdicts(row.deed, row.specified);
    let sound = observed.is_sound(row.deed, row.specified);
    let only_status = verdicts.iter().all(|verdict| matches!(verdict, Verdict::OtherStatus(_) | Verdict::Sound));
    let answers: Vec<String> = observed.answers.iter().map(ToString::to_string).collect();
    // Bold is for Markdown.
    let said: Vec<String> = verdicts.iter().map(|verdict| verdict.to_string().replace("**", "")).collect();
    let detail = format!("{}; {} moved: {}", answers.join(", then "), observed.moved, said.join(", "));
    // The payment may still collect or not: a client that was never told to come again did not see which.
    let unresolved = verdicts.contains(&Verdict::StillOpen) && !observed.next.contains(&Step::Resends);
    let level = if only_status && row.specified.is_some() { Level::Should } else { Level::Must };
    let (outcome, detail) = match (sound, unresolved) {
        (true, false) => (Outcome::Pass, detail),
        (true, true) => (Outcome::NotJudged, format!("{detail}, though no Retry-After says when")),
        (false, _) => (Outcome::Fail, detail),
    };
    check_of(number, row, level, outcome, detail)
}

fn unseen(number: usize, row: &Row, outcome: Outcome, why: &str) -> Check {
    check_of(number, row, Level::Must, outcome, why.to_owned())
}

fn check_of(number: usize, row: &Row, level: Level, outcome: Outcome, detail: String) -> Check {
    let (id, says, rests_on) = (format!("FAULT-{number}"), row.name.to_owned(), RESTS_ON.to_owned());
    Check { id, level, says, rests_on, outcome, detail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::Answer;

    fn row(of: &str) -> Row {
        rows().into_iter().find(|row| row.name == of).expect("it is one of the table's")
    }

    fn answer(status: u16, moved_by_then: usize) -> Answer {
        Answer { status: Some(status), payment_response: None, moved_by_then, has_body: true }
    }

    #[test]
    fn a_loss_is_a_must_and_a_status_a_should() {
        let twice = Observed {
            answers: vec![answer(402, 1), answer(200, 2)],
            moved: 2,
            handler_runs: 1,
            ..Observed::default()
        };
        let check = judge(1, &row("settle: moves the money, then resets"), &twice);
        assert_eq!((check.level, check.outcome), (Level::Must, Outcome::Fail));
        assert!(check.detail.starts_with("402, then 200; 2 moved: charged twice"), "{}", check.detail);

        let billed = Observed { answers: vec![answer(402, 0)], ..Observed::default() };
        let check = judge(2, &row("payment is not base64"), &billed);
        assert_eq!((check.level, check.outcome), (Level::Should, Outcome::Fail));

        let billed = Observed { answers: vec![answer(503, 1)], moved: 1, ..Observed::default() };
        let open = |next: &[Step]| {
            judge(3, &row("settle: moves the money, then resets"), &Observed { next: next.to_vec(), ..billed.clone() })
        };
        assert_eq!(open(&[Step::GivesUp]).outcome, Outcome::NotJudged, "nobody asked again");
        assert_eq!(open(&[Step::Resends, Step::GivesUp]).outcome, Outcome::Pass);

        let served = Observed { answers: vec![answer(200, 1)], moved: 1, handler_runs: 1, ..Observed::default() };
        assert_eq!(judge(3, &row("nothing goes wrong"), &served).outcome, Outcome::Pass);
    }

    #[test]
    fn a_command_is_told_of_the_double_in_both_ways() {
        let start = Start { command: "serve --at {facilitator}".to_owned(), variable: "FACILITATOR_URL".to_owned() };
        let command = command(&start, "http://127.0.0.1:1");
        assert_eq!(command.args, ["-c", "serve --at http://127.0.0.1:1"].map(OsString::from));
        assert!(command.env.contains(&("FACILITATOR_URL".into(), "http://127.0.0.1:1".into())));
    }
}
