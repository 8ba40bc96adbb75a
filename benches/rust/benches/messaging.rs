//! The parts of the message path, each alone: what a message pays before a handler runs.

use std::collections::VecDeque;
use std::hint::black_box;

use airssys_core::address::ComponentId;
use airssys_core::mailbox::{Mailbox, MailboxLimits, Message, Priority, WhenFull};
use airssys_core::routing::{Names, Pick, Pool};
use airssys_core::timers::Timers;
use airssys_core::topics::{SubscriptionLimits, Topic, TopicPattern, Topics};
use airssys_core::traffic::{Breaker, BreakerSettings, RateLimit, TokenBucket};
use criterion::{BenchmarkId, Criterion};

/// As large as an envelope of the broker: a payload beside a few numbers.
struct Envelope {
    payload: [u64; 8],
    priority: Priority,
}

impl Message for Envelope {
    fn bytes(&self) -> usize {
        64
    }

    fn priority(&self) -> Priority {
        self.priority
    }
}

fn envelope(number: u64) -> Envelope {
    Envelope {
        payload: [number; 8],
        priority: Priority::Normal,
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    mailbox(&mut criterion);
    timers(&mut criterion);
    names(&mut criterion);
    pools(&mut criterion);
    topics(&mut criterion);
    traffic(&mut criterion);
    criterion.final_summary();
}

fn mailbox(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mailbox");
    let limits = MailboxLimits::new(1000, 1 << 20, WhenFull::Reject).expect("it holds something");
    for waiting in [0_u64, 1, 64, 900] {
        let id = BenchmarkId::new("push+pop", waiting);
        group.bench_with_input(id, &waiting, |b, &waiting| {
            let mut mailbox = Mailbox::new(limits);
            for number in 0..waiting {
                let _ = mailbox.push(envelope(number), 0);
            }
            b.iter(|| {
                let _ = black_box(mailbox.push(envelope(black_box(7)), 0));
                black_box(mailbox.pop(0))
            });
        });
    }
    group.bench_function("push+pop high", |b| {
        let mut mailbox = Mailbox::new(limits);
        b.iter(|| {
            let urgent = Envelope {
                priority: Priority::High,
                ..envelope(black_box(7))
            };
            let _ = black_box(mailbox.push(urgent, 0));
            black_box(mailbox.pop(0))
        });
    });
    group.bench_function("burst of 1000", |b| {
        let mut mailbox = Mailbox::new(limits);
        let (mut ready, mut expired) = (Vec::new(), Vec::new());
        b.iter(|| {
            for number in 0..1000 {
                let _ = black_box(mailbox.push(envelope(black_box(number)), 0));
            }
            ready.clear();
            mailbox.drain_into(&mut ready, &mut expired, 1000, 0)
        });
    });
    // The ring alone: no bound, no lanes, no counters.
    group.bench_function("bare ring push+pop", |b| {
        let mut ring = VecDeque::new();
        b.iter(|| {
            ring.push_back(envelope(black_box(7)));
            black_box(ring.pop_front().map(|envelope| envelope.payload))
        });
    });
    group.finish();
}

fn timers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("timers");
    for set in [0_u64, 10_000] {
        let id = BenchmarkId::new("insert+cancel", set);
        group.bench_with_input(id, &set, |b, &set| {
            let mut timers = Timers::new(1 << 20, 0);
            for number in 0..set {
                timers.insert(number * 7, number).expect("there is room");
            }
            b.iter(|| {
                let key = timers.insert(black_box(1000), 7).expect("there is room");
                timers.cancel(black_box(key))
            });
        });
    }
    group.bench_function("insert+fire", |b| {
        let mut timers = Timers::new(1 << 20, 0);
        let mut fired = Vec::new();
        let mut now_ms = 0;
        b.iter(|| {
            timers.insert(now_ms + 1000, 7).expect("there is room");
            now_ms += 1;
            fired.clear();
            timers.advance(now_ms, &mut fired);
        });
    });
    group.finish();
}

fn names(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("names");
    for count in [10_u32, 1000, 100_000] {
        let mut names = Names::new(1 << 20);
        for number in 0..count {
            let id = ComponentId::new("acme", &format!("worker-{number}"), "0");
            names
                .insert(id.expect("it is an address"), |handle| handle)
                .expect("it is free");
        }
        let table = names.table();
        let text = format!("acme/worker-{}", count / 2);
        let id: ComponentId = text.parse().expect("it is an address");
        let handle = table.get(&id).expect("it was inserted").handle;
        group.bench_function(BenchmarkId::new("by text", count), |b| {
            b.iter(|| table.find(black_box(&text)).map(|entry| entry.handle));
        });
        group.bench_function(BenchmarkId::new("by address", count), |b| {
            b.iter(|| table.get(black_box(&id)).map(|entry| entry.handle));
        });
        group.bench_function(BenchmarkId::new("by handle", count), |b| {
            b.iter(|| table.by_handle(black_box(handle)).map(|entry| entry.slot));
        });
        let more: ComponentId = "acme/one-more".parse().expect("it is an address");
        group.bench_function(
            BenchmarkId::new("insert+publish+remove+publish", count),
            |b| {
                b.iter(|| {
                    let entry = names.insert(more.clone(), |handle| handle);
                    let with = names.table();
                    names.remove(entry.expect("it is free").handle);
                    (with, names.table())
                });
            },
        );
    }
    group.finish();
}

fn pools(criterion: &mut Criterion) {
    let members: Vec<_> = (0..8_u64)
        .map(|number| (format!("acme/worker/{number}"), number))
        .collect();
    let pool = Pool::new(
        members
            .iter()
            .map(|(name, number)| (name.as_str(), *number)),
    );
    let mut group = criterion.benchmark_group("pool of 8");
    for (name, how) in [
        ("round-robin", Pick::RoundRobin),
        ("random", Pick::Random(0x1234_5678_9abc_def0)),
        ("least-loaded", Pick::LeastLoaded),
        ("sticky", Pick::Sticky(b"customer-7")),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| pool.pick(black_box(how), |&load| Some(load)).copied());
        });
    }
    group.finish();
}

fn topics(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("topics");
    for count in [10_u32, 1000, 100_000] {
        let mut topics = Topics::new(SubscriptionLimits::default());
        let mut subscribe = |subscriber: u32, pattern: &str| {
            let pattern = TopicPattern::parse(pattern).expect("it is a pattern");
            topics
                .subscribe(subscriber, &pattern)
                .expect("there is room");
        };
        for number in 0..count {
            subscribe(number, &format!("orders.customer-{number}.created"));
        }
        subscribe(count, "orders.#");
        subscribe(count + 1, "orders.*.created");
        let text = format!("orders.customer-{}.created", count / 2);
        let mut found = Vec::new();
        group.bench_function(BenchmarkId::new("match 3 of", count), |b| {
            b.iter(|| {
                found.clear();
                let topic = Topic::parse(black_box(&text)).expect("it is a topic");
                topics.collect(topic, &mut found);
                found.len()
            });
        });
        let pattern = TopicPattern::parse("orders.one-more.created").expect("it is a pattern");
        group.bench_function(
            BenchmarkId::new("subscribe+unsubscribe beside", count),
            |b| {
                b.iter(|| {
                    topics.subscribe(7, &pattern).expect("there is room");
                    topics.unsubscribe(7, &pattern)
                });
            },
        );
    }
    group.finish();
}

fn traffic(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("traffic");
    group.bench_function("breaker, closed", |b| {
        let mut breaker = Breaker::new(BreakerSettings::default());
        b.iter(|| {
            let permit = breaker.admit(black_box(7)).expect("it is closed");
            breaker.succeeded(black_box(permit));
        });
    });
    group.bench_function("rate limit", |b| {
        let limit = RateLimit::new(1_000_000, 1000).expect("it makes sense");
        let mut bucket = TokenBucket::default();
        let mut now = 0;
        b.iter(|| {
            now += 1000;
            bucket.take(black_box(1), limit, now)
        });
    });
    group.finish();
}
