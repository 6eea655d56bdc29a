//! Runs futures on the runtime's promises. One is polled at once: most requests are answered by that, and no promise is made.
//! One that waits goes on as soon as its promise is settled, in the same turn: handed to a queue first, each wait would cost
//! two turns and four crossings more.
//!
//! Surprising: whatever is woken in a turn belongs to one request, or to one call of an object, since the runtime lets no other in
//! before the turn is over. So it may be polled there.

use crate::glue::{self, Settled};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};
use wasm_bindgen::{JsValue, closure::Closure};

type Outcome = Result<JsValue, JsValue>;

thread_local! {
    static TASKS: RefCell<BTreeMap<u32, Task>> = const { RefCell::new(BTreeMap::new()) };
    static WAITS: RefCell<BTreeMap<u32, Wait>> = const { RefCell::new(BTreeMap::new()) };
    static READY: RefCell<VecDeque<u32>> = const { RefCell::new(VecDeque::new()) };
    static IS_IN_TURN: Cell<bool> = const { Cell::new(false) };
    /// `None`: nobody asked in this turn yet.
    static NOW: Cell<Option<u64>> = const { Cell::new(None) };
    static LAST: Cell<u32> = const { Cell::new(0) };
    static SETTLED: Settled = Closure::new(settled);
    static GO_ON: Closure<dyn Fn()> = Closure::new(|| turn(|| {}));
}

/// The value of a future that is done at once, or a promise of it.
pub fn answer<F>(future: F) -> Outcome
where
    F: Future<Output = Outcome> + 'static,
{
    turn(|| match begin(future) {
        Begun::Done(outcome) => outcome,
        Begun::Waiting(task) => Ok(glue::promise(task)),
    })
}

/// Has `ctx`, a request's or an object's, stay until the work is done. It begins in this turn, and after whoever begins it.
pub fn keep(ctx: &JsValue, work: impl Future<Output = ()> + 'static) {
    let task = add(Box::pin(async move {
        work.await;
        Ok(JsValue::UNDEFINED)
    }));
    glue::keep(ctx, task);
    wake(task);
}

/// Waits for what `begin` begins. It gets a ticket, and whom to call with it once a promise is settled.
pub async fn until(begin: impl FnOnce(u32, &Settled) -> Result<(), JsValue>) -> Result<Came, JsValue> {
    let ticket = ticket();
    SETTLED.with(|settled| begin(ticket.0, settled))?;
    let came = ticket.await;
    if came.word < 0 { Err(came.value) } else { Ok(came) }
}

/// The value of a promise.
pub async fn promised(promise: impl Into<JsValue>) -> Outcome {
    let promise = promise.into();
    until(|ticket, settled| {
        glue::wait(&promise, ticket, settled);
        Ok(())
    })
    .await
    .map(|came| came.value)
}

/// Comes back after so many milliseconds. Dropped before, it wakes nobody.
pub async fn sleep(millis: u64) {
    let millis = i32::try_from(millis).unwrap_or(i32::MAX);
    let ticket = ticket();
    let timer = SETTLED.with(|settled| glue::wake_after(millis, ticket.0, settled));
    let mut alarm = Alarm { timer, has_rung: false };
    ticket.await;
    alarm.has_rung = true;
}

/// The time in milliseconds, read once a turn: within one it stands still.
pub fn now() -> u64 {
    NOW.get().unwrap_or_else(|| {
        let now = js_sys::Date::now() as u64;
        NOW.set(Some(now));
        now
    })
}

/// The word and the value that a promise was settled with.
pub struct Came {
    /// Negative: it was rejected, and the value is why.
    pub word: i32,
    pub value: JsValue,
}

struct Alarm {
    timer: u32,
    has_rung: bool,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if !self.has_rung {
            glue::never_mind(self.timer);
        }
    }
}

struct Task {
    /// `None`: it is being polled.
    future: Option<Pin<Box<dyn Future<Output = Outcome>>>>,
    waker: Waker,
}

enum Wait {
    Waiting(Option<Waker>),
    Over(Came),
}

/// The right to one word. It is given up with this.
struct Ticket(u32);

struct Id(u32);

impl Wake for Id {
    fn wake(self: Arc<Self>) {
        wake(self.0);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        wake(self.0);
    }
}

impl Future for Ticket {
    type Output = Came;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Came> {
        WAITS.with_borrow_mut(|waits| match waits.get_mut(&self.0) {
            Some(Wait::Waiting(waker)) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            _ => match waits.remove(&self.0) {
                Some(Wait::Over(came)) => Poll::Ready(came),
                _ => panic!("a ticket is good for one word"),
            },
        })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        WAITS.with_borrow_mut(|waits| waits.remove(&self.0));
    }
}

/// The outcome of a future's first poll.
enum Begun {
    Done(Outcome),
    /// It waits, as this task.
    Waiting(u32),
}

fn begin(future: impl Future<Output = Outcome> + 'static) -> Begun {
    let task = add(Box::pin(future));
    poll(task).map_or(Begun::Waiting(task), Begun::Done)
}

fn add(future: Pin<Box<dyn Future<Output = Outcome>>>) -> u32 {
    let id = next();
    let waker = Waker::from(Arc::new(Id(id)));
    TASKS.with_borrow_mut(|tasks| tasks.insert(id, Task { future: Some(future), waker }));
    id
}

fn ticket() -> Ticket {
    let id = next();
    WAITS.with_borrow_mut(|waits| waits.insert(id, Wait::Waiting(None)));
    Ticket(id)
}

fn next() -> u32 {
    let next = LAST.get().wrapping_add(1);
    LAST.set(next);
    next
}

/// `None`: it waits, or is over.
fn poll(id: u32) -> Option<Outcome> {
    // Taken out meanwhile: it may begin others.
    let (mut future, waker) = TASKS.with_borrow_mut(|tasks| {
        let task = tasks.get_mut(&id)?;
        Some((task.future.take()?, task.waker.clone()))
    })?;
    let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
    match polled {
        Poll::Ready(outcome) => {
            TASKS.with_borrow_mut(|tasks| tasks.remove(&id));
            Some(outcome)
        }
        Poll::Pending => {
            TASKS.with_borrow_mut(|tasks| {
                if let Some(task) = tasks.get_mut(&id) {
                    task.future = Some(future);
                }
            });
            None
        }
    }
}

fn wake(task: u32) {
    READY.with_borrow_mut(|ready| {
        if !ready.contains(&task) {
            ready.push_back(task);
        }
    });
    if !IS_IN_TURN.get() {
        GO_ON.with(glue::soon);
    }
}

/// A promise was settled, or a timer rang.
fn settled(ticket: u32, word: i32, value: JsValue) {
    turn(|| {
        let waker = WAITS.with_borrow_mut(|waits| {
            let wait = waits.get_mut(&ticket)?;
            match std::mem::replace(wait, Wait::Over(Came { word, value })) {
                Wait::Waiting(waker) => waker,
                Wait::Over(_) => None,
            }
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    });
}

/// One turn of the runtime's: `work`, and then all that it woke. Whatever the runtime calls begins one.
pub fn turn<R>(work: impl FnOnce() -> R) -> R {
    NOW.set(None);
    // A turn that was left by an exception did not say that it ended.
    if IS_IN_TURN.replace(true) {
        READY.with_borrow_mut(VecDeque::clear);
    }
    let result = work();
    run_ready(|task, outcome| match outcome {
        Ok(value) => glue::settle(task, true, &value),
        Err(error) => glue::settle(task, false, &error),
    });
    IS_IN_TURN.set(false);
    result
}

fn run_ready(mut over: impl FnMut(u32, Outcome)) {
    while let Some(task) = READY.with_borrow_mut(VecDeque::pop_front) {
        if let Some(outcome) = poll(task) {
            over(task, outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    fn in_turn() {
        IS_IN_TURN.set(true);
    }

    fn over() -> Vec<u32> {
        let mut all = Vec::new();
        run_ready(|task, outcome| {
            assert!(outcome.is_ok());
            all.push(task);
        });
        all
    }

    async fn waits(ticket: Ticket) -> Outcome {
        ticket.await;
        Ok(JsValue::UNDEFINED)
    }

    fn came(ticket: u32) {
        let wait = WAITS.with_borrow_mut(|waits| {
            let came = Came { word: 0, value: JsValue::UNDEFINED };
            waits.get_mut(&ticket).map(|wait| std::mem::replace(wait, Wait::Over(came)))
        });
        if let Some(Wait::Waiting(Some(waker))) = wait {
            waker.wake();
        }
    }

    #[test]
    fn what_waits_for_nothing_is_done_at_once() {
        in_turn();
        assert!(matches!(begin(async { Ok(JsValue::UNDEFINED) }), Begun::Done(Ok(_))));
        assert!(TASKS.with_borrow(BTreeMap::is_empty));
    }

    #[test]
    fn what_waits_goes_on_with_its_word_and_not_before() {
        in_turn();
        let (first, second) = (ticket(), ticket());
        let ids = [first.0, second.0];
        let Begun::Waiting(one) = begin(waits(first)) else { panic!("nothing came yet") };
        let Begun::Waiting(other) = begin(waits(second)) else { panic!("nothing came yet") };
        assert!(over().is_empty());
        came(ids[1]);
        assert_eq!(over(), [other]);
        came(ids[0]);
        assert_eq!(over(), [one]);
        assert!(TASKS.with_borrow(BTreeMap::is_empty) && WAITS.with_borrow(BTreeMap::is_empty));
    }

    #[test]
    fn a_word_that_nobody_waits_for_any_more_wakes_nobody() {
        in_turn();
        let ticket = ticket();
        let id = ticket.0;
        drop(ticket);
        came(id);
        assert!(over().is_empty() && WAITS.with_borrow(BTreeMap::is_empty));
    }

    #[test]
    fn a_task_that_is_woken_twice_before_it_runs_runs_once() {
        in_turn();
        let polls = Rc::new(Cell::new(0));
        let seen = Rc::clone(&polls);
        let Begun::Waiting(task) = begin(std::future::poll_fn(move |_| {
            seen.set(seen.get() + 1);
            if seen.get() < 2 { Poll::Pending } else { Poll::Ready(Ok(JsValue::UNDEFINED)) }
        })) else {
            panic!("it waits at first")
        };
        wake(task);
        wake(task);
        assert_eq!((over(), polls.get()), (vec![task], 2));
    }
}
