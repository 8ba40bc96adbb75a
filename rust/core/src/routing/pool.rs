//! One of several members behind a name.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How to choose.
#[derive(Debug, Clone, Copy)]
pub enum Pick<'a> {
    /// Each in turn.
    RoundRobin,
    /// Any, by this random number.
    Random(u64),
    /// The one with the least load; among equals each in turn.
    LeastLoaded,
    /// The same one for the same key, for as long as it is there.
    Sticky(&'a [u8]),
}

/// The members behind one name.
///
/// Sticky keys are placed by rendezvous hashing (Thaler and Ravishankar, 1998) with a hash that
/// is the same in every process: a member that leaves gives up its own keys and no others, and
/// one that comes takes only those it gets.
#[derive(Debug)]
pub struct Pool<T> {
    members: Vec<Member<T>>,
    turn: AtomicUsize,
}

#[derive(Debug, Clone)]
struct Member<T> {
    seed: u64,
    value: T,
}

impl<T: Clone> Clone for Pool<T> {
    fn clone(&self) -> Self {
        Self {
            members: self.members.clone(),
            turn: AtomicUsize::new(self.turn.load(Ordering::Relaxed)),
        }
    }
}

impl<T> Pool<T> {
    /// A pool of these members. The name of each is what sticky keys go by, so it should outlive
    /// a restart.
    pub fn new<'n>(members: impl IntoIterator<Item = (&'n str, T)>) -> Self {
        let members = members.into_iter().map(|(name, value)| Member {
            seed: stable_hash(name.as_bytes()),
            value,
        });
        Self {
            members: members.collect(),
            turn: AtomicUsize::new(0),
        }
    }

    /// Chooses a member. `load` says how busy one is, or none for one that must not be chosen;
    /// none is chosen if all are such. O(members), and O(1) for the first two ways if no member
    /// is passed over.
    pub fn pick(&self, how: Pick<'_>, load: impl Fn(&T) -> Option<u64>) -> Option<&T> {
        match how {
            Pick::RoundRobin => self.in_turn().find(|member| load(member).is_some()),
            Pick::Random(random) => self.random(random, load),
            Pick::LeastLoaded => self.least_loaded(load),
            Pick::Sticky(key) => self.sticky(key, load),
        }
    }

    /// The members, in the order given.
    pub fn members(&self) -> impl Iterator<Item = &T> {
        self.members.iter().map(|member| &member.value)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// All members, from the one whose turn it is.
    fn in_turn(&self) -> impl Iterator<Item = &T> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let (before, from) = self.members.split_at(turn % self.members.len().max(1));
        from.iter().chain(before).map(|member| &member.value)
    }

    fn least_loaded(&self, load: impl Fn(&T) -> Option<u64>) -> Option<&T> {
        let mut least = u64::MAX;
        let mut chosen = None;
        for member in self.in_turn() {
            match load(member) {
                // Nobody has less to do.
                Some(0) => return Some(member),
                Some(load) if load < least || chosen.is_none() => {
                    least = load;
                    chosen = Some(member);
                }
                _ => {}
            }
        }
        chosen
    }

    fn random(&self, random: u64, load: impl Fn(&T) -> Option<u64>) -> Option<&T> {
        let first = &self.members.get(below(random, self.members.len()))?.value;
        if load(first).is_some() {
            return Some(first);
        }
        // Each that may be chosen replaces the choice so far with the chance that is fair.
        let mut chosen = None;
        let mut seen = 0;
        for (index, member) in (1_u64..).zip(&self.members) {
            if load(&member.value).is_some() {
                seen += 1;
                if below(mixed(random ^ mixed(index)), seen) == 0 {
                    chosen = Some(&member.value);
                }
            }
        }
        chosen
    }

    fn sticky(&self, key: &[u8], load: impl Fn(&T) -> Option<u64>) -> Option<&T> {
        let key = stable_hash(key);
        self.members
            .iter()
            .filter(|member| load(&member.value).is_some())
            .max_by_key(|member| (mixed(key ^ member.seed), member.seed))
            .map(|member| &member.value)
    }
}

/// A number below `bound`, evenly, from a random one; 0 if there is none.
#[expect(
    clippy::cast_possible_truncation,
    reason = "less than a bound that is a usize"
)]
fn below(random: u64, bound: usize) -> usize {
    ((u128::from(random) * bound as u128) >> 64) as usize
}

/// FNV-1a, mixed: short, and the same everywhere for ever.
fn stable_hash(bytes: &[u8]) -> u64 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    mixed(hash)
}

/// The finisher of `SplitMix64` (Steele, Lea and Flood, 2014).
const fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
