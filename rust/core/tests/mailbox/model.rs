//! The mailbox against a model that has no cleverness.

use airssys_core::mailbox::{
    Left, Mailbox, MailboxLimits, Pop, Priority, Push, Refusal, Shed, WaitRefused, Waiting,
    WhenFull,
};
use proptest::prelude::*;

use super::{Note, notes};

/// The mailbox as one would write it without caring what it costs.
struct Model {
    limits: MailboxLimits,
    system: Vec<Note>,
    queue: Vec<Note>,
    waiting: Vec<Waiting<Note>>,
    closed: bool,
}

impl Model {
    fn has_room(&self, note: &Note) -> bool {
        let bytes: usize = self.queue.iter().map(|note| note.bytes).sum();
        self.queue.len() < self.limits.messages_max() as usize
            && bytes + note.bytes <= self.limits.bytes_max()
    }

    fn first_of(&self, lane: Priority) -> Option<usize> {
        self.queue.iter().position(|note| note.priority == lane)
    }

    fn pop(&mut self, now: u64) -> Pop<Note> {
        if !self.system.is_empty() {
            return Pop::Message(self.system.remove(0));
        }
        for lane in [Priority::High, Priority::Normal, Priority::Low] {
            if let Some(index) = self.first_of(lane) {
                let note = self.queue.remove(index);
                return if now > note.expires_after {
                    Pop::Expired(note)
                } else {
                    Pop::Message(note)
                };
            }
        }
        Pop::Empty
    }

    fn push(&mut self, note: Note, now: u64) -> Push<Note> {
        let refused = |why, message, shed| Push::Refused { why, message, shed };
        if self.closed {
            return refused(Refusal::Closed, note, vec![]);
        }
        if note.bytes > self.limits.bytes_max() {
            return refused(Refusal::TooLarge, note, vec![]);
        }
        if self.waiting.is_empty() && self.has_room(&note) {
            self.queue.push(note);
            return Push::Accepted;
        }
        let mut shed = vec![];
        if self.waiting.is_empty() {
            self.shed(&note, now, &mut shed);
            if self.has_room(&note) {
                self.queue.push(note);
                return Push::AcceptedShedding(shed);
            }
        }
        let why = match self.limits.when_full() {
            WhenFull::Block => Refusal::Full,
            WhenFull::Reject => Refusal::Rejected,
            WhenFull::DropNewest | WhenFull::DropOldest => Refusal::Dropped,
        };
        refused(why, note, shed)
    }

    fn shed(&mut self, newcomer: &Note, now: u64, shed: &mut Vec<Shed<Note>>) {
        let lanes = [Priority::Low, Priority::Normal, Priority::High];
        for lane in lanes {
            while let Some(index) = self.first_of(lane) {
                if self.has_room(newcomer) || now <= self.queue[index].expires_after {
                    break;
                }
                shed.push(Shed::Expired(self.queue.remove(index)));
            }
        }
        if self.limits.when_full() != WhenFull::DropOldest {
            return;
        }
        let before = self.queue.clone();
        let mut displaced = vec![];
        while !self.has_room(newcomer) {
            let victim = lanes
                .into_iter()
                .filter(|&lane| lane <= newcomer.priority)
                .find_map(|lane| self.first_of(lane));
            let Some(index) = victim else {
                self.queue = before;
                return;
            };
            displaced.push(Shed::Displaced(self.queue.remove(index)));
        }
        shed.append(&mut displaced);
    }

    fn wait(&mut self, waiter: u64, message: Note) -> Result<(), WaitRefused<Note>> {
        if self.closed {
            return Err(WaitRefused::Closed(message));
        }
        if message.bytes > self.limits.bytes_max() {
            return Err(WaitRefused::TooLarge(message));
        }
        if self.waiting.len() >= self.limits.waiting_max() as usize {
            return Err(WaitRefused::Crowded(message));
        }
        self.waiting.push(Waiting { waiter, message });
        Ok(())
    }

    fn admit(&mut self) -> Option<u64> {
        if !self.has_room(&self.waiting.first()?.message) {
            return None;
        }
        let Waiting { waiter, message } = self.waiting.remove(0);
        self.queue.push(message);
        Some(waiter)
    }

    fn withdraw(&mut self, waiter: u64) -> Option<Note> {
        let index = self.waiting.iter().position(|one| one.waiter == waiter)?;
        Some(self.waiting.remove(index).message)
    }

    fn close(&mut self) -> Left<Note> {
        self.closed = true;
        let mut messages = vec![];
        for lane in [Priority::High, Priority::Normal, Priority::Low] {
            messages.extend(
                self.queue
                    .iter()
                    .filter(|note| note.priority == lane)
                    .cloned(),
            );
        }
        self.queue.clear();
        Left {
            system: std::mem::take(&mut self.system),
            messages,
            waiting: std::mem::take(&mut self.waiting),
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Push(Note),
    PushSystem(Note),
    Pop,
    Drain(usize),
    Wait(u64, Note),
    Admit,
    Withdraw(u64),
    Release,
    Sleep(u64),
    Close,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        30 => notes().prop_map(Step::Push),
        2 => notes().prop_map(Step::PushSystem),
        12 => Just(Step::Pop),
        3 => (0_usize..5).prop_map(Step::Drain),
        5 => (0_u64..4, notes()).prop_map(|(waiter, note)| Step::Wait(waiter, note)),
        5 => Just(Step::Admit),
        1 => (0_u64..4).prop_map(Step::Withdraw),
        1 => Just(Step::Release),
        5 => (0_u64..9).prop_map(Step::Sleep),
        1 => Just(Step::Close),
    ];
    prop::collection::vec(step, 0..80)
}

fn limits() -> impl Strategy<Value = MailboxLimits> {
    let when_full = prop::sample::select(vec![
        WhenFull::Block,
        WhenFull::Reject,
        WhenFull::DropNewest,
        WhenFull::DropOldest,
    ]);
    (1_u32..7, 1_usize..40, when_full, 0_u32..3).prop_map(
        |(messages, bytes, when_full, waiting)| {
            MailboxLimits::new(messages, bytes, when_full)
                .unwrap()
                .with_waiting_max(waiting)
        },
    )
}

/// Does one step to both and compares what they say.
fn step_both(mailbox: &mut Mailbox<Note>, model: &mut Model, step: Step, now: u64) {
    match step {
        Step::Push(note) => assert_eq!(mailbox.push(note.clone(), now), model.push(note, now)),
        Step::PushSystem(note) => {
            if mailbox.push_system(note.clone()).is_ok() {
                assert!(!model.closed);
                model.system.push(note);
            } else {
                assert!(model.closed);
            }
        }
        Step::Pop => assert_eq!(mailbox.pop(now), model.pop(now)),
        Step::Drain(max) => drain_both(mailbox, model, max, now),
        Step::Wait(waiter, note) => {
            assert_eq!(mailbox.wait(waiter, note.clone()), model.wait(waiter, note));
        }
        Step::Admit => assert_eq!(mailbox.admit(), model.admit()),
        Step::Withdraw(waiter) => assert_eq!(mailbox.withdraw(waiter), model.withdraw(waiter)),
        Step::Release => mailbox.release(),
        Step::Sleep(_) => {}
        Step::Close => assert_eq!(mailbox.close(), model.close()),
    }
}

fn drain_both(mailbox: &mut Mailbox<Note>, model: &mut Model, max: usize, now: u64) {
    let (mut ready, mut expired) = (vec![], vec![]);
    let taken = mailbox.drain_into(&mut ready, &mut expired, max, now);
    assert_eq!(taken, ready.len() + expired.len());
    let (mut expected_ready, mut expected_expired) = (vec![], vec![]);
    for _ in 0..max {
        match model.pop(now) {
            Pop::Empty => break,
            Pop::Message(note) => expected_ready.push(note),
            Pop::Expired(note) => expected_expired.push(note),
        }
    }
    assert_eq!((ready, expired), (expected_ready, expected_expired));
}

fn assert_agree(mailbox: &Mailbox<Note>, model: &Model) {
    let counters = mailbox.counters();
    let bytes: usize = model.queue.iter().map(|note| note.bytes).sum();
    assert_eq!(counters.messages as usize, model.queue.len());
    assert_eq!(counters.bytes, bytes);
    let waiting = model.queue.len() + model.system.len();
    assert_eq!((mailbox.len(), mailbox.is_empty()), (waiting, waiting == 0));
    assert_eq!(mailbox.has_system(), !model.system.is_empty());
    assert_eq!(mailbox.waiting(), model.waiting.len());
    assert_eq!(mailbox.is_closed(), model.closed);
    assert!(counters.messages <= model.limits.messages_max());
    assert!(counters.bytes <= model.limits.bytes_max());
    assert!(counters.messages_peak >= counters.messages);
    assert!(counters.bytes_peak >= counters.bytes);
    assert_eq!(
        counters.accepted,
        counters.delivered
            + counters.expired
            + counters.displaced
            + counters.left
            + u64::from(counters.messages)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn the_mailbox_does_what_the_model_does(limits in limits(), steps in steps()) {
        let mut mailbox = Mailbox::new(limits);
        let mut model = Model {
            limits,
            system: vec![],
            queue: vec![],
            waiting: vec![],
            closed: false,
        };
        let mut now = 0;
        for step in steps {
            if let Step::Sleep(nanoseconds) = step {
                now += nanoseconds;
            }
            step_both(&mut mailbox, &mut model, step, now);
            assert_agree(&mailbox, &model);
        }
    }
}
