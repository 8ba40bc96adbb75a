//! The tree of the names in patterns.
//!
//! All edges are in one table under (parent, name), so a step costs one probe however many
//! children a node has, and a node needs no table of its own.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::pattern::{ANY_NAME, ANY_REST, Topic, TopicPattern};

const ROOT: u32 = 0;

/// No node.
const NONE: u32 = u32::MAX;

/// Where a pattern ends in the tree: at a node, exactly or with any rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) node: u32,
    pub(super) any_rest: bool,
}

/// A tree of names with sets of subscribers at its nodes.
#[derive(Debug, Clone)]
pub(super) struct Trie<S> {
    nodes: Vec<Node<S>>,
    edges: HashTable<Edge>,
    hasher: RandomState,
    /// Nodes that are not in the tree, to be used again.
    free: Vec<u32>,
}

#[derive(Debug, Clone)]
struct Node<S> {
    parent: u32,
    /// The child for `*`, which has no edge.
    any_name: u32,
    /// Children, that for `*` included.
    children: u32,
    name: Box<str>,
    /// Who takes exactly this; sorted.
    exact: Vec<S>,
    /// Who takes this and any rest; sorted.
    any_rest: Vec<S>,
}

#[derive(Debug, Clone, Copy)]
struct Edge {
    hash: u64,
    parent: u32,
    child: u32,
}

impl<S: Copy + Ord> Trie<S> {
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::new(NONE, "")],
            edges: HashTable::new(),
            hasher: RandomState::default(),
            free: Vec::new(),
        }
    }

    /// Nodes in the tree.
    pub(super) fn len(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    /// Where a pattern ends, if the tree has all its names.
    pub(super) fn find(&self, pattern: &TopicPattern) -> Option<Place> {
        let mut node = ROOT;
        for name in pattern.names() {
            if name == ANY_REST {
                return Some(Place {
                    node,
                    any_rest: true,
                });
            }
            node = Some(self.child(node, name)).filter(|&child| child != NONE)?;
        }
        Some(Place {
            node,
            any_rest: false,
        })
    }

    /// Where a pattern ends; its names are added to the tree.
    pub(super) fn make(&mut self, pattern: &TopicPattern) -> Place {
        let mut node = ROOT;
        for name in pattern.names() {
            if name == ANY_REST {
                return Place {
                    node,
                    any_rest: true,
                };
            }
            node = match self.child(node, name) {
                NONE => self.add_child(node, name),
                child => child,
            };
        }
        Place {
            node,
            any_rest: false,
        }
    }

    /// Puts a subscriber there. Returns whether it is new.
    pub(super) fn insert(&mut self, place: Place, subscriber: S) -> bool {
        let set = self.set_mut(place);
        match set.binary_search(&subscriber) {
            Ok(_) => false,
            Err(index) => {
                set.insert(index, subscriber);
                true
            }
        }
    }

    /// Whether a subscriber is there.
    pub(super) fn has(&self, place: Place, subscriber: S) -> bool {
        let node = &self.nodes[place.node as usize];
        let set = if place.any_rest {
            &node.any_rest
        } else {
            &node.exact
        };
        set.binary_search(&subscriber).is_ok()
    }

    /// Takes a subscriber away from there, and the names that nobody needs any more.
    pub(super) fn remove(&mut self, place: Place, subscriber: S) -> bool {
        let set = self.set_mut(place);
        let Ok(index) = set.binary_search(&subscriber) else {
            return false;
        };
        set.remove(index);
        if set.len() * 4 <= set.capacity() {
            set.shrink_to(set.len() * 2);
        }
        self.prune(place.node);
        true
    }

    /// Appends everybody who takes a topic to `found`, once each.
    #[inline]
    pub(super) fn collect(&self, topic: Topic<'_>, found: &mut Vec<S>) {
        let before = found.len();
        let mut sets = 0;
        self.walk(ROOT, Some(topic.as_str().as_bytes()), found, &mut sets);
        if sets > 1 {
            // Each set is sorted, and this sort knows runs.
            found[before..].sort();
            let mut kept = before;
            for index in before..found.len() {
                if kept == before || found[kept - 1] != found[index] {
                    found[kept] = found[index];
                    kept += 1;
                }
            }
            found.truncate(kept);
        }
    }

    /// The pattern that ends there.
    pub(super) fn text(&self, place: Place) -> String {
        let mut names = vec![];
        let mut index = place.node;
        while index != ROOT {
            let node = &self.nodes[index as usize];
            names.push(&*node.name);
            index = node.parent;
        }
        names.reverse();
        names.extend(place.any_rest.then_some(ANY_REST));
        names.join(".")
    }

    /// Goes down with what is left of the topic. A node has one depth, so it is met at most
    /// once; the depth is at most the names of a topic.
    fn walk(&self, index: u32, rest: Option<&[u8]>, found: &mut Vec<S>, sets: &mut u32) {
        let node = &self.nodes[index as usize];
        add(&node.any_rest, found, sets);
        let Some(rest) = rest else {
            add(&node.exact, found, sets);
            return;
        };
        if node.children == 0 {
            return;
        }
        let (name, rest) = match rest.iter().position(|&byte| byte == b'.') {
            Some(dot) => (&rest[..dot], Some(&rest[dot + 1..])),
            None => (rest, None),
        };
        if node.any_name != NONE {
            self.walk(node.any_name, rest, found, sets);
        }
        let child = self.named_child(index, name);
        if child != NONE {
            self.walk(child, rest, found, sets);
        }
    }

    fn child(&self, parent: u32, name: &str) -> u32 {
        if name == ANY_NAME {
            return self.nodes[parent as usize].any_name;
        }
        self.named_child(parent, name.as_bytes())
    }

    #[inline]
    fn named_child(&self, parent: u32, name: &[u8]) -> u32 {
        let hash = self.hash(parent, name);
        let edge = self.edges.find(hash, |edge| {
            edge.hash == hash
                && edge.parent == parent
                && self.nodes[edge.child as usize].name.as_bytes() == name
        });
        edge.map_or(NONE, |edge| edge.child)
    }

    fn add_child(&mut self, parent: u32, name: &str) -> u32 {
        let node = Node::new(parent, name);
        let child = if let Some(index) = self.free.pop() {
            self.nodes[index as usize] = node;
            index
        } else {
            self.nodes.push(node);
            // The owner bounds the nodes far below.
            u32::try_from(self.nodes.len() - 1).unwrap_or(NONE)
        };
        self.nodes[parent as usize].children += 1;
        if name == ANY_NAME {
            self.nodes[parent as usize].any_name = child;
        } else {
            let hash = self.hash(parent, name.as_bytes());
            let edge = Edge {
                hash,
                parent,
                child,
            };
            self.edges.insert_unique(hash, edge, |edge| edge.hash);
        }
        child
    }

    /// Takes a node and those above it out, as long as nobody needs them.
    fn prune(&mut self, mut index: u32) {
        while index != ROOT {
            let node = &self.nodes[index as usize];
            if node.children > 0 || !node.exact.is_empty() || !node.any_rest.is_empty() {
                return;
            }
            let parent = node.parent;
            if &*node.name == ANY_NAME {
                self.nodes[parent as usize].any_name = NONE;
            } else {
                let hash = self.hash(parent, node.name.as_bytes());
                if let Ok(edge) = self.edges.find_entry(hash, |edge| edge.child == index) {
                    edge.remove();
                }
            }
            self.nodes[parent as usize].children -= 1;
            self.nodes[index as usize] = Node::new(NONE, "");
            self.free.push(index);
            index = parent;
        }
        self.give_back();
    }

    /// Gives back the memory of a tree that is empty again.
    fn give_back(&mut self) {
        if self.len() == 1 {
            self.nodes.truncate(1);
            self.nodes.shrink_to_fit();
            self.free = Vec::new();
            self.edges = HashTable::new();
        }
    }

    fn set_mut(&mut self, place: Place) -> &mut Vec<S> {
        let node = &mut self.nodes[place.node as usize];
        if place.any_rest {
            &mut node.any_rest
        } else {
            &mut node.exact
        }
    }

    #[inline]
    fn hash(&self, parent: u32, name: &[u8]) -> u64 {
        let parent = u64::from(parent).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.hasher.hash_one(name) ^ parent
    }
}

impl<S> Node<S> {
    fn new(parent: u32, name: &str) -> Self {
        Self {
            parent,
            any_name: NONE,
            children: 0,
            name: name.into(),
            exact: Vec::new(),
            any_rest: Vec::new(),
        }
    }
}

#[inline]
fn add<S: Copy>(set: &[S], found: &mut Vec<S>, sets: &mut u32) {
    if !set.is_empty() {
        *sets += 1;
        found.extend_from_slice(set);
    }
}
