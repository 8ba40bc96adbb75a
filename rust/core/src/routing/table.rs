//! One version of the table of names.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::address::{ComponentId, Handle, shortest};

const SHARDS: usize = 64;
const PAGE_ENTRIES: usize = 64;

/// What stands behind a name.
#[derive(Debug)]
pub struct Entry<S> {
    /// The name.
    pub id: ComponentId,
    /// Its number.
    pub handle: Handle,
    /// What the owner keeps there.
    pub slot: S,
}

type Shard<S> = HashTable<Arc<Entry<S>>>;
type Page<S> = [Option<Arc<Entry<S>>>; PAGE_ENTRIES];

/// One version of the table of names; see the [module](super).
#[derive(Debug)]
pub struct NameTable<S> {
    shards: Box<[Arc<Shard<S>>]>,
    pages: Vec<Arc<Page<S>>>,
    len: usize,
    hasher: RandomState,
}

impl<S> Clone for NameTable<S> {
    fn clone(&self) -> Self {
        Self {
            shards: self.shards.clone(),
            pages: self.pages.clone(),
            len: self.len,
            hasher: self.hasher.clone(),
        }
    }
}

impl<S> NameTable<S> {
    pub(super) fn new() -> Self {
        let shard = Arc::new(Shard::new());
        Self {
            shards: vec![shard; SHARDS].into(),
            pages: Vec::new(),
            len: 0,
            hasher: RandomState::default(),
        }
    }

    /// What stands behind an address.
    #[inline]
    pub fn get(&self, id: &ComponentId) -> Option<&Arc<Entry<S>>> {
        self.look_up(id.shortest())
    }

    /// What stands behind an address as people write it: namespace and instance may be left out.
    /// A text that is no address is behind none.
    #[inline]
    pub fn find(&self, text: &str) -> Option<&Arc<Entry<S>>> {
        self.look_up(shortest(text))
    }

    /// What stands behind a handle, if it is still valid.
    #[inline]
    pub fn by_handle(&self, handle: Handle) -> Option<&Arc<Entry<S>>> {
        let index = handle.key().index() as usize;
        let page = self.pages.get(index / PAGE_ENTRIES)?;
        let entry = page[index % PAGE_ENTRIES].as_ref()?;
        (entry.handle == handle).then_some(entry)
    }

    /// All entries, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Entry<S>>> {
        self.pages.iter().flat_map(|page| page.iter().flatten())
    }

    /// Names in the table.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an entry, whose name and handle must be new.
    pub(super) fn add(&mut self, entry: Arc<Entry<S>>) {
        let hash = self.hasher.hash_one(entry.id.shortest());
        let hasher = self.hasher.clone();
        let index = entry.handle.key().index() as usize;
        while self.pages.len() <= index / PAGE_ENTRIES {
            self.pages.push(Arc::new([const { None }; PAGE_ENTRIES]));
        }
        Arc::make_mut(&mut self.pages[index / PAGE_ENTRIES])[index % PAGE_ENTRIES] =
            Some(Arc::clone(&entry));
        Arc::make_mut(&mut self.shards[shard_of(hash)])
            .insert_unique(hash, entry, |entry| hasher.hash_one(entry.id.shortest()));
        self.len += 1;
    }

    /// Takes out the entry of a handle that is in the table.
    pub(super) fn take(&mut self, handle: Handle) -> Option<Arc<Entry<S>>> {
        let entry = Arc::clone(self.by_handle(handle)?);
        let index = handle.key().index() as usize;
        Arc::make_mut(&mut self.pages[index / PAGE_ENTRIES])[index % PAGE_ENTRIES] = None;
        let hash = self.hasher.hash_one(entry.id.shortest());
        let shard = Arc::make_mut(&mut self.shards[shard_of(hash)]);
        if let Ok(found) = shard.find_entry(hash, |one| one.handle == handle) {
            found.remove();
        }
        self.len -= 1;
        Some(entry)
    }

    #[inline]
    fn look_up(&self, name: &str) -> Option<&Arc<Entry<S>>> {
        let hash = self.hasher.hash_one(name);
        self.shards[shard_of(hash)].find(hash, |entry| entry.id.shortest() == name)
    }
}

/// Bits that the shard's own table uses least.
#[inline]
fn shard_of(hash: u64) -> usize {
    (hash >> 40) as usize % SHARDS
}
