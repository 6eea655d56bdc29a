//! Work in several threads whose results are taken one by one, in the order of the work.

use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

/// Does the work of each number below `count`, as many at once as there are processors. `take` is given a function that waits
/// for a number's result, and asks for each of them once at most. What was not begun when `take` comes back is left undone.
pub fn in_order<R: Send>(
    count: usize,
    work: impl Fn(usize) -> R + Sync,
    take: impl FnOnce(&mut dyn FnMut(usize) -> R),
) {
    let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (done, results) = mpsc::channel();
    let threads = thread::available_parallelism().map_or(1, usize::from).min(count.max(1));
    thread::scope(|scope| {
        for _ in 0..threads {
            let (done, next, is_over, work) = (done.clone(), &next, &is_over, &work);
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count || done.send((number, work(number))).is_err() {
                        return;
                    }
                }
            });
        }
        let mut early = BTreeMap::new();
        take(&mut |number| {
            while !early.contains_key(&number) {
                let (done, result) = results.recv().expect("whoever works holds a sender until it has sent");
                early.insert(done, result);
            }
            early.remove(&number).expect("it has just been looked for")
        });
        is_over.store(true, Ordering::Relaxed);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_each_piece_of_work_is_done_once() {
        let (count, mut taken) = (AtomicUsize::new(0), Vec::new());
        let work = |number: usize| {
            count.fetch_add(1, Ordering::Relaxed);
            number * number
        };
        in_order(100, work, |result| taken.extend((0..100).map(result)));
        assert_eq!(taken, (0..100).map(|number| number * number).collect::<Vec<_>>());
        assert_eq!(count.into_inner(), 100);
    }

    #[test]
    fn what_nobody_waits_for_any_more_is_left_undone() {
        let count = AtomicUsize::new(0);
        in_order(
            1_000_000,
            |number| {
                count.fetch_add(1, Ordering::Relaxed);
                number
            },
            |result| {
                assert_eq!(result(0), 0);
            },
        );
        assert!(count.into_inner() < 1_000_000);
    }
}
