//! Who runs which actor, when.
//!
//! A thread that makes an actor runnable runs it itself where that is cheapest:
//! waking another thread costs tens of microseconds, a turn of an actor tens of
//! nanoseconds. What it cannot run at once stands in its own queue, and goes to
//! the workers if its budget is used up or it is held up. Workers spin for as long
//! as a wake-up takes before they park.
//!
//! A handler may run for as long as its limits allow. So one that is still running
//! at the next look ([`Scheduler::look`]) costs nobody else a turn: what stands
//! behind it goes to other workers, of which there are as many as it takes.

use super::cell::{Cell, Ran};
use crate::engine::Ticks;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// Messages that one actor handles before the next one has its turn.
const MESSAGES_PER_TURN: u32 = 64;
/// And how long at most, unless a single message takes longer.
const TURN: Duration = Duration::from_micros(100);
/// As long as a wake-up of a parked thread takes.
const SPIN: Duration = Duration::from_micros(30);
/// A worker beyond the usual number ends when it had nothing to do for so long.
const LINGER: Duration = Duration::from_secs(1);
/// Threads are as many as handlers that run long at the same time, up to this.
const WORKERS_MAX: usize = 256;

/// What is left of a turn.
pub struct Budget {
    messages: u32,
    began: Ticks,
    most_ticks: u64,
    may_block: bool,
}

impl Budget {
    fn of_turn(most_ticks: u64, may_block: bool) -> Budget {
        Budget {
            messages: MESSAGES_PER_TURN,
            began: Ticks::now(),
            most_ticks,
            may_block,
        }
    }

    /// Whether handlers may hold the thread up.
    #[inline]
    pub(super) fn may_block(&self) -> bool {
        self.may_block
    }

    /// Counts a message.
    #[inline]
    pub(super) fn spend(&mut self) {
        self.messages = self.messages.saturating_sub(1);
    }

    /// Whether the next actor has its turn. Reading the clock costs as much as many a
    /// handler, so it is read after the 1st, 2nd, 4th and each 8th message: a turn of
    /// messages that are alike lasts no more than twice as long as it may.
    #[inline]
    pub(super) fn is_used_up(&self) -> bool {
        let handled = MESSAGES_PER_TURN - self.messages;
        let due = handled.is_power_of_two() || (handled > 0 && handled.is_multiple_of(8));
        self.messages == 0 || (due && self.is_over())
    }

    /// Whether its time is over.
    #[inline]
    fn is_over(&self) -> bool {
        Ticks::now().since(self.began) > self.most_ticks
    }
}

/// Runs the actors of one host.
pub struct Scheduler {
    queue: Mutex<Queue>,
    work: Condvar,
    /// Actors in the queue, readable without the lock.
    queued: AtomicUsize,
    spinning: AtomicUsize,
    /// Turns that were begun, so that a look can tell whether anything moves.
    turns: AtomicU64,
    turns_at_look: AtomicU64,
    threads: Mutex<Vec<Weak<Local>>>,
    workers_usual: usize,
    turn_ticks: u64,
    closing: AtomicBool,
}

#[derive(Default)]
struct Queue {
    cells: VecDeque<Arc<Cell>>,
    workers: usize,
    parked: usize,
}

/// What one thread has to run.
#[derive(Default)]
struct Local {
    cells: Mutex<VecDeque<Arc<Cell>>>,
    /// How many those are, readable without the lock. Only this thread adds any, so
    /// that none it has added are missing here.
    queued: AtomicUsize,
    /// Whether the thread is in a turn.
    busy: AtomicBool,
    /// The turn it was in at the last look.
    turns: AtomicU64,
    turns_at_look: AtomicU64,
}

thread_local! {
    /// This thread's queue, for each scheduler that it serves.
    static LOCALS: RefCell<Vec<(Weak<Scheduler>, Arc<Local>)>> = const { RefCell::new(Vec::new()) };
}

impl Scheduler {
    /// A scheduler whose workers start when they are first needed.
    pub fn new() -> Arc<Scheduler> {
        let cores = thread::available_parallelism().map_or(2, usize::from);
        Arc::new(Scheduler {
            queue: Mutex::default(),
            work: Condvar::new(),
            queued: AtomicUsize::new(0),
            spinning: AtomicUsize::new(0),
            turns: AtomicU64::new(0),
            turns_at_look: AtomicU64::new(0),
            threads: Mutex::default(),
            // The callers run actors too.
            workers_usual: cores.saturating_sub(1).max(1),
            turn_ticks: crate::engine::ticks(TURN),
            closing: AtomicBool::new(false),
        })
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn local(self: &Arc<Self>) -> Arc<Local> {
        LOCALS.with_borrow_mut(|locals| {
            let mine = |(of, _): &&(Weak<Scheduler>, Arc<Local>)| of.as_ptr() == Arc::as_ptr(self);
            if let Some((_, local)) = locals.iter().find(mine) {
                return Arc::clone(local);
            }
            locals.retain(|(of, _)| of.strong_count() > 0);
            let local = Arc::new(Local::default());
            locals.push((Arc::downgrade(self), Arc::clone(&local)));
            let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
            threads.retain(|thread| thread.strong_count() > 0);
            threads.push(Arc::downgrade(&local));
            local
        })
    }

    /// Has a queued actor run soon.
    #[inline]
    pub(super) fn schedule(self: &Arc<Self>, cell: Arc<Cell>) {
        let local = self.local();
        if !local.busy.load(Ordering::Relaxed) {
            return self.inject(cell);
        }
        local.push(cell);
    }

    /// Runs a queued actor on this thread, unless that is in a turn already; then
    /// what its turn made runnable, while there is time.
    #[inline]
    pub(super) fn run_here(self: &Arc<Self>, cell: Arc<Cell>, may_block: bool) {
        match self.enter(may_block) {
            Some(here) => here.run(cell),
            None => self.local().push(cell),
        }
    }

    /// Runs one turn that was taken without the queue, on this thread.
    #[inline]
    pub(crate) fn inline<T>(self: &Arc<Self>, may_block: bool, turn: impl FnOnce() -> T) -> T {
        match self.enter(may_block) {
            Some(here) => here.turn(turn),
            None => turn(),
        }
    }

    /// Takes this thread for turns, unless it is in one already.
    #[inline]
    pub(super) fn enter(self: &Arc<Self>, may_block: bool) -> Option<Here<'_>> {
        let local = self.local();
        if local.busy.load(Ordering::Relaxed) {
            return None;
        }
        local.busy.store(true, Ordering::Relaxed);
        local.turns.fetch_add(1, Ordering::Relaxed);
        Some(Here {
            scheduler: self,
            local: Busy(local),
            may_block,
        })
    }

    fn begin(&self, local: &Local, may_block: bool) -> Budget {
        local.turns.fetch_add(1, Ordering::Relaxed);
        Budget::of_turn(self.turn_ticks, may_block)
    }

    /// Runs what this thread has queued while the budget lasts; the rest is for the
    /// workers.
    fn drain(self: &Arc<Self>, local: &Local, budget: &mut Budget) {
        while let Some(cell) = local.pop() {
            local.turns.fetch_add(1, Ordering::Relaxed);
            if budget.messages == 0 || budget.is_over() || cell.run(budget) == Ran::More {
                self.inject(cell);
            }
        }
    }

    /// Gives a queued actor to the workers.
    fn inject(self: &Arc<Self>, cell: Arc<Cell>) {
        let mut queue = self.queue();
        queue.cells.push_back(cell);
        self.queued.store(queue.cells.len(), Ordering::Release);
        // A worker that spins sees it without being woken.
        if self.spinning.load(Ordering::SeqCst) > 0 {
            return;
        }
        if queue.parked > 0 {
            drop(queue);
            self.work.notify_one();
        } else if queue.workers < self.workers_usual {
            self.add_worker(queue);
        }
    }

    fn add_worker(self: &Arc<Self>, mut queue: MutexGuard<'_, Queue>) {
        if self.closing.load(Ordering::SeqCst) || queue.workers >= WORKERS_MAX {
            return;
        }
        queue.workers += 1;
        drop(queue);
        let scheduler = Arc::clone(self);
        let started = thread::Builder::new()
            .name("airssys-actors".to_owned())
            .spawn(move || scheduler.work());
        if started.is_err() {
            // The others go on; the next look tries again.
            self.queue().workers -= 1;
        }
    }

    /// What a worker does until it ends.
    fn work(self: Arc<Self>) {
        let local = self.local();
        while let Some(cell) = self.next() {
            local.busy.store(true, Ordering::Relaxed);
            let _busy = Busy(Arc::clone(&local));
            let mut budget = self.begin(&local, true);
            self.turns.fetch_add(1, Ordering::Relaxed);
            if cell.run(&mut budget) == Ran::More {
                // Behind the others.
                self.requeue(cell);
            }
            while let Some(cell) = local.pop() {
                if self.queued.load(Ordering::Relaxed) > 0 {
                    // Whoever waits there was first.
                    self.requeue(cell);
                    continue;
                }
                let mut budget = self.begin(&local, true);
                self.turns.fetch_add(1, Ordering::Relaxed);
                if cell.run(&mut budget) == Ran::More {
                    local.push(cell);
                }
            }
        }
    }

    /// Without waking anybody: this worker comes back for it.
    fn requeue(&self, cell: Arc<Cell>) {
        let mut queue = self.queue();
        queue.cells.push_back(cell);
        self.queued.store(queue.cells.len(), Ordering::Release);
    }

    fn next(&self) -> Option<Arc<Cell>> {
        if let Some(cell) = self.take() {
            return Some(cell);
        }
        self.spin();
        let mut queue = self.queue();
        loop {
            if let Some(cell) = queue.cells.pop_front() {
                self.queued.store(queue.cells.len(), Ordering::Release);
                return Some(cell);
            }
            if self.closing.load(Ordering::SeqCst) {
                queue.workers -= 1;
                return None;
            }
            queue.parked += 1;
            let surplus = queue.workers > self.workers_usual;
            let (again, waited) = self
                .work
                .wait_timeout(queue, if surplus { LINGER } else { Duration::MAX })
                .unwrap_or_else(PoisonError::into_inner);
            queue = again;
            queue.parked -= 1;
            if waited.timed_out() && queue.cells.is_empty() && queue.workers > self.workers_usual {
                queue.workers -= 1;
                return None;
            }
        }
    }

    fn take(&self) -> Option<Arc<Cell>> {
        let mut queue = self.queue();
        let cell = queue.cells.pop_front()?;
        self.queued.store(queue.cells.len(), Ordering::Release);
        Some(cell)
    }

    fn spin(&self) {
        self.spinning.fetch_add(1, Ordering::SeqCst);
        let began = Instant::now();
        while self.queued.load(Ordering::Acquire) == 0
            && began.elapsed() < SPIN
            && !self.closing.load(Ordering::Relaxed)
        {
            for _ in 0..64 {
                std::hint::spin_loop();
            }
        }
        self.spinning.fetch_sub(1, Ordering::SeqCst);
    }

    /// Looks after handlers that run long; to be called every millisecond or so
    /// while any handler runs.
    pub fn look(self: &Arc<Self>) {
        let threads: Vec<_> = {
            let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
            threads.iter().filter_map(Weak::upgrade).collect()
        };
        for local in threads {
            let turns = local.turns.load(Ordering::Relaxed);
            let stuck = local.turns_at_look.swap(turns, Ordering::Relaxed) == turns;
            if stuck && !local.is_empty() {
                for cell in local.take_all() {
                    self.inject(cell);
                }
            }
        }
        let turns = self.turns.load(Ordering::Relaxed);
        if self.turns_at_look.swap(turns, Ordering::Relaxed) == turns
            && self.queued.load(Ordering::Acquire) > 0
        {
            let queue = self.queue();
            if queue.parked == 0 && !queue.cells.is_empty() {
                self.add_worker(queue);
            }
        }
    }

    /// Ends the workers, when they have run what is queued.
    pub fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        let _queue = self.queue();
        self.work.notify_all();
    }

    /// Threads that run actors now, those of callers left out.
    pub fn workers(&self) -> usize {
        self.queue().workers
    }
}

impl Local {
    fn cells(&self) -> MutexGuard<'_, VecDeque<Arc<Cell>>> {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, cell: Arc<Cell>) {
        let mut cells = self.cells();
        cells.push_back(cell);
        self.queued.store(cells.len(), Ordering::Relaxed);
    }

    fn pop(&self) -> Option<Arc<Cell>> {
        if self.is_empty() {
            return None;
        }
        let mut cells = self.cells();
        let cell = cells.pop_front();
        self.queued.store(cells.len(), Ordering::Relaxed);
        cell
    }

    fn is_empty(&self) -> bool {
        self.queued.load(Ordering::Relaxed) == 0
    }

    fn take_all(&self) -> VecDeque<Arc<Cell>> {
        let mut cells = self.cells();
        self.queued.store(0, Ordering::Relaxed);
        std::mem::take(&mut *cells)
    }
}

/// This thread, taken for turns.
pub(super) struct Here<'a> {
    scheduler: &'a Arc<Scheduler>,
    local: Busy,
    may_block: bool,
}

impl Here<'_> {
    /// Runs a queued actor; then what its turn made runnable, while there is time.
    #[inline]
    pub(super) fn run(self, cell: Arc<Cell>) {
        let mut budget = Budget::of_turn(self.scheduler.turn_ticks, self.may_block);
        if cell.run(&mut budget) == Ran::More {
            self.scheduler.inject(cell);
        }
        self.scheduler.drain(&self.local.0, &mut budget);
    }

    /// Runs one turn that was taken without the queue; then what it made runnable.
    #[inline]
    pub(super) fn turn<T>(self, turn: impl FnOnce() -> T) -> T {
        let ended = turn();
        if !self.local.0.is_empty() {
            let mut budget = self.scheduler.begin(&self.local.0, self.may_block);
            self.scheduler.drain(&self.local.0, &mut budget);
        }
        ended
    }
}

/// A thread in a turn; another turn on it would nest.
struct Busy(Arc<Local>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.store(false, Ordering::Relaxed);
    }
}
