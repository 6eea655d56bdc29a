//! One invocation, from dispatch to its last byte and its last background work. Surprising constraint: an answer's head is
//! not the end of it; the process stays this invocation's, and its budget armed, until the body has been streamed and the
//! shim has said that nothing is left to do.

use super::{
    cut_off::{Allowance, Budget, Cut, CutOff},
    dispatch::Dispatch,
    exception::Exception,
    headers::{ANSWERED, CF, EXCEPTION, THROWN, TOKEN, strip},
    limits::Limits,
    memory::Memory,
    outbound::Current,
    pool::{Lease, Pool},
    process::Process,
    record::{Record, Records},
    script::Script,
    stream::{Body, BodyError, SendError, send},
};
use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Request, Response,
    body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint},
    header::{CONTENT_LENGTH, HOST, HeaderValue, UPGRADE},
};
use reports::event::{TenantAnswer, TenantOutcome};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use system::output::errln;
use tokio::{net::UnixStream, time::timeout};

/// How long the platform lets background work go on after the answer.
const BACKGROUND_LIMIT: Duration = Duration::from_secs(30);

/// A process that holds more than this part of what it may is not kept for another invocation, as the platform puts a new
/// isolate in the place of one that is full: what the next one was charged with would not be its own.
const FULL_PART: u64 = 2;

/// The state that invocations share.
#[derive(Debug)]
pub struct Runtime {
    pub pool: Pool,
    pub cut_off: CutOff,
    /// The memory that each isolate may hold.
    pub memory: Memory,
    pub records: Records,
}

impl Runtime {
    /// The answer, or what is thrown, once the dispatch has been told.
    pub async fn run(
        &self,
        script: &Arc<Script>,
        dispatch: &Dispatch,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Exception> {
        let heard = self.records.dispatched(dispatch);
        let answered = self.answer(script, dispatch, request).await;
        heard.await;
        answered
    }

    async fn answer(
        &self,
        script: &Arc<Script>,
        dispatch: &Dispatch,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Exception> {
        if request.headers().contains_key(UPGRADE) {
            return Err(Exception::local("WebSocket upgrades do not reach tenants"));
        }
        let (lease, stream) = self.connected(script).await?;
        let mut running = Running::begin(lease, dispatch, self)?;
        let request = for_tenant(request, dispatch, &running.token);
        let answered = tokio::select! {
            biased;
            cut = running.budget.cut_off() => return Err(running.cut_off(cut)),
            answered = send(stream, request) => answered,
        };
        let response = match answered {
            Ok(response) => response,
            Err(error) => return Err(running.ended(&error)),
        };
        if response.headers().get(EXCEPTION).is_some_and(|mark| mark.as_bytes() == running.token.as_bytes()) {
            return Err(running.thrown(response.headers()));
        }
        if !response.headers().contains_key(ANSWERED) {
            return Err(running.unsent());
        }
        running.answer = TenantAnswer::Begun;
        let (mut head, body) = response.into_parts();
        strip(&mut head.headers);
        Ok(Response::from_parts(head, Answer { body, running: Some(running) }.boxed_unsync()))
    }

    /// A process that is there: one that idled may have ended since.
    async fn connected(&self, script: &Arc<Script>) -> Result<(Lease, UnixStream), Exception> {
        loop {
            let lease = self.pool.lease(script).await.map_err(Exception::local)?;
            if let Ok(stream) = lease.process().connect().await {
                return Ok((lease, stream));
            }
        }
    }
}

fn for_tenant(request: Request<Incoming>, dispatch: &Dispatch, token: &str) -> Request<Body> {
    let (mut head, body) = request.into_parts();
    let cf = head.headers.remove(CF);
    strip(&mut head.headers);
    // Made anew from the body, whose length is known or is not.
    head.headers.remove(CONTENT_LENGTH);
    head.uri = dispatch.url.clone();
    let host = dispatch.url.authority().map(|host| HeaderValue::from_str(host.as_str()));
    head.headers.insert(HOST, host.and_then(Result::ok).expect("a dispatch's URL has a host"));
    if let Some(cf) = cf {
        head.headers.insert(CF, cf);
    }
    head.headers.insert(TOKEN, HeaderValue::from_str(token).expect("a token is hex"));
    Request::from_parts(head, body.map_err(Into::into).boxed_unsync())
}

/// An invocation that has its process. Dropped before its end, as when its caller goes away, it takes the process along:
/// nobody could say what still runs in there.
#[derive(Debug)]
struct Running {
    token: String,
    request_id: Option<String>,
    limits: Limits,
    memory: Memory,
    outcome: TenantOutcome,
    answer: TenantAnswer,
    records: Records,
    // Order matters: a budget is dropped before its process is.
    budget: Budget,
    /// Until the process is free for others.
    lease: Option<Lease>,
}

impl Running {
    fn begin(lease: Lease, dispatch: &Dispatch, runtime: &Runtime) -> Result<Running, Exception> {
        let token = format!("{:032x}", fastrand::u128(..));
        let Dispatch { limits, outbound, request_id, .. } = dispatch;
        let current = Current { token: token.clone(), limit: limits.subrequests, parameters: outbound.clone() };
        lease.process().outbound().begin(current);
        let memory_from = lease.process().memory_from();
        let allowance = Allowance { cpu: limits.cpu, memory: runtime.memory, memory_from };
        let budget = runtime.cut_off.arm(lease.process().pid(), allowance).map_err(Exception::local)?;
        Ok(Running {
            token,
            request_id: request_id.clone(),
            limits: *limits,
            memory: runtime.memory,
            outcome: TenantOutcome::Cancelled,
            answer: TenantAnswer::None,
            records: runtime.records.clone(),
            budget,
            lease: Some(lease),
        })
    }

    fn process(&self) -> &Process {
        self.lease.as_ref().expect("the lease is given back at the very end").process()
    }

    fn cut_off(mut self, cut: Cut) -> Exception {
        self.outcome = outcome_of(cut);
        Exception::cut_off(cut)
    }

    /// The process closed the connection without an answer.
    fn ended(mut self, error: &SendError) -> Exception {
        if let Some(cut) = self.budget.cut() {
            return self.cut_off(cut);
        }
        self.outcome = self.broke_off();
        let script = &self.process().script().name;
        let what = if self.outcome == TenantOutcome::Crashed { "ended" } else { "broke off" };
        Exception::local(format_args!("the process of `{script}` {what} without an answer: {error}"))
    }

    /// Why an answer is not whole: a stream that failed leaves its process alive.
    fn broke_off(&self) -> TenantOutcome {
        match self.budget.cut() {
            Some(cut) => outcome_of(cut),
            None if self.process().is_there() => TenantOutcome::Exception,
            None => TenantOutcome::Crashed,
        }
    }

    /// The tenant's response could not be sent, as a response of another request cannot; the runtime has logged why.
    fn unsent(mut self) -> Exception {
        self.outcome = TenantOutcome::Exception;
        let script = Arc::clone(self.process().script());
        tokio::spawn(self.finish());
        Exception::local(format_args!("what `{}` returned could not be sent; its log says why", script.name))
    }

    fn thrown(mut self, headers: &HeaderMap) -> Exception {
        self.outcome = TenantOutcome::Exception;
        let script = Arc::clone(self.process().script());
        tokio::spawn(self.finish());
        match serde_json::from_slice::<Exception>(headers.get(THROWN).map_or(b"", HeaderValue::as_bytes)) {
            Ok(exception) => {
                let said = exception.stack.as_deref().unwrap_or(&exception.message);
                errln!("[{}] uncaught {said}", script.name);
                Exception { remote: true, ..exception }
            }
            Err(error) => Exception::local(format_args!("an exception that cannot be read: {error}")),
        }
    }

    /// The answer is out; what is left is background work.
    async fn finish(mut self) {
        let over = tokio::select! {
            over = timeout(BACKGROUND_LIMIT, self.process().outbound().done(&self.token)) => over.is_ok(),
            cut = self.budget.cut_off() => {
                self.outcome = outcome_of(cut);
                false
            }
        };
        if !over {
            return;
        }
        self.tell();
        self.process().outbound().end();
        let is_full = self.budget.memory_held().bytes() > self.memory.bytes() / FULL_PART;
        let lease = self.lease.take();
        // The budget first: the process's next invocation has one of its own.
        drop(self);
        // One that is not released is ended.
        lease.into_iter().filter(|_| !is_full).for_each(Lease::release);
    }

    fn tell(&self) {
        let script = self.process().script();
        self.records.ended(Record {
            script: script.name.clone(),
            generation: script.generation,
            request_id: self.request_id.clone(),
            outcome: self.outcome,
            answer: self.answer,
            cpu: self.budget.cpu_used(),
            memory: self.budget.most_memory_seen(),
            memory_limit: self.memory,
            subrequests: self.process().outbound().used(),
            limits: self.limits,
        });
    }
}

fn outcome_of(cut: Cut) -> TenantOutcome {
    match cut {
        Cut::Cpu(_) => TenantOutcome::ExceededCpu,
        Cut::Memory(_) => TenantOutcome::ExceededMemory,
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.lease.is_some() {
            self.tell();
        }
    }
}

/// The tenant's answer on its way out.
struct Answer {
    body: Incoming,
    /// Until the body's end.
    running: Option<Running>,
}

impl Answer {
    fn end(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.outcome = TenantOutcome::Ok;
            running.answer = TenantAnswer::Whole;
            tokio::spawn(running.finish());
        }
    }

    fn break_off(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.outcome = running.broke_off();
        }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Ok(_)) => {}
            Some(Err(_)) => self.break_off(),
            None => self.end(),
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    /// A body of a known length is not asked for more when it has been read to its end.
    fn drop(&mut self) {
        if self.body.is_end_stream() {
            self.end();
        }
    }
}
